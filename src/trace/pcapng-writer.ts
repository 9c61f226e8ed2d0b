/**
 * Captures as pcapng (draft-ietf-opsawg-pcapng), readable by Wireshark: an
 * interface block per port with its name, times in nanoseconds, directions,
 * comments.
 */
import {
  type CaptureInterface,
  type PacketDirection,
  type PacketLog,
  type PacketSink,
  sameBytes,
} from "./packet-log.ts";
import { textBytes } from "./text-bytes.ts";

export const BLOCK_SECTION = 0x0a0d0d0a;
export const BLOCK_INTERFACE = 1;
export const BLOCK_PACKET = 6;
export const BYTE_ORDER = 0x1a2b3c4d;
/** LINKTYPE_ETHERNET, LINKTYPE_RAW (https://www.tcpdump.org/linktypes.html). */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

export const OPTION_COMMENT = 1;
export const OPTION_IF_NAME = 2;
export const OPTION_IF_DESCRIPTION = 3;
export const OPTION_IF_TSRESOL = 9;
export const OPTION_SHB_USERAPPL = 4;
export const OPTION_EPB_FLAGS = 2;

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** Blocks as bytes; the caller puts them one behind the other. */
export function sectionHeader(application: string): Uint8Array {
  return block(
    BLOCK_SECTION,
    16,
    [{ code: OPTION_SHB_USERAPPL, value: textBytes(application) }],
    (view) => {
      view.setUint32(0, BYTE_ORDER, true);
      view.setUint16(4, 1, true);
      view.setUint16(6, 0, true);
      view.setInt32(8, -1, true); // section length not given
      view.setInt32(12, -1, true);
    },
  );
}

export function interfaceBlock(description: CaptureInterface): Uint8Array {
  const options: Option[] = [{ code: OPTION_IF_NAME, value: textBytes(description.name) }];
  const about = description.description ?? description.host;
  if (about !== "") options.push({ code: OPTION_IF_DESCRIPTION, value: textBytes(about) });
  options.push({ code: OPTION_IF_TSRESOL, value: Uint8Array.of(9) }); // 10^-9 s
  return block(BLOCK_INTERFACE, 8, options, (view) => {
    view.setUint16(0, description.medium === "ethernet" ? LINKTYPE_ETHERNET : LINKTYPE_RAW, true);
    view.setUint16(2, 0, true);
    view.setUint32(4, description.snapLength ?? 0, true);
  });
}

/** `epochUs`: microseconds since 1970 at time 0; apart, since a double cannot hold today in nanoseconds. */
export function packetBlock(
  interfaceId: number,
  epochUs: number,
  timeUs: number,
  direction: PacketDirection | undefined,
  bytes: Uint8Array,
  at: number,
  captured: number,
  original: number,
  comments: readonly string[],
): Uint8Array {
  const options: Option[] = comments.map((text) => ({
    code: OPTION_COMMENT,
    value: textBytes(text),
  }));
  if (direction !== undefined) {
    const flags = direction === "in" ? 1 : 2;
    options.push({ code: OPTION_EPB_FLAGS, value: Uint8Array.of(flags, 0, 0, 0) });
  }
  const padded = (captured + 3) & ~3;
  return block(BLOCK_PACKET, 20 + padded, options, (view, body) => {
    view.setUint32(0, interfaceId, true);
    const ns = BigInt(Math.round(epochUs)) * 1000n + BigInt(Math.round(timeUs * 1000));
    view.setUint32(4, Number(ns >> 32n), true);
    view.setUint32(8, Number(ns & 0xffffffffn), true);
    view.setUint32(12, captured, true);
    view.setUint32(16, original, true);
    body.set(bytes.subarray(at, at + captured), 20);
  });
}

function block(
  type: number,
  bodyLength: number,
  options: readonly Option[],
  fill: (view: DataView, body: Uint8Array) => void,
): Uint8Array {
  let optionLength = options.length === 0 ? 0 : 4;
  for (const { value } of options) optionLength += 4 + ((value.length + 3) & ~3);
  const total = 12 + bodyLength + optionLength;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, total, true);
  fill(new DataView(bytes.buffer, 8, bodyLength), bytes.subarray(8, 8 + bodyLength));
  let at = 8 + bodyLength;
  for (const { code, value } of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + ((value.length + 3) & ~3);
  }
  view.setUint32(total - 4, total, true);
  return bytes;
}

export interface PcapngWriterOptions {
  /** Microseconds since 1970 at time 0 of what is captured. Default 0. */
  readonly epochUs?: number;
  readonly application?: string;
  /** Bytes handed to `write` at once. Default 256 KB. */
  readonly chunkBytes?: number;
}

/** Block head, interface, time, lengths; flags, end of options, block length. */
const PACKET_HEAD = 28;
const PACKET_TAIL = 16;
const LARGEST_PACKET = 65_536 + 256;

/**
 * Writes a capture while it goes on. Blocks are gathered in chunks, so that a
 * packet costs little more than the copy of its bytes; `flush` hands out what
 * is there, and who shows a capture live calls it from time to time. Until
 * then a packet can still get a comment: that it was dropped, or why it was
 * sent again.
 */
export class PcapngWriter implements PacketSink {
  private readonly write: (bytes: Uint8Array) => void;
  private readonly snaps: number[] = [];
  private readonly limit: number;
  private chunk: Uint8Array;
  private view: DataView;
  private used = 0;
  /** Where the packet blocks of this chunk begin. */
  private readonly blocks: number[] = [];
  /** The epoch in nanoseconds, as two words: a double cannot hold today. */
  private readonly epochHigh: number;
  private readonly epochLow: number;

  constructor(write: (bytes: Uint8Array) => void, options: PcapngWriterOptions = {}) {
    this.write = write;
    this.limit = options.chunkBytes ?? 262_144;
    this.chunk = new Uint8Array(this.limit + LARGEST_PACKET + 1024);
    this.view = new DataView(this.chunk.buffer);
    const epoch = BigInt(Math.round(options.epochUs ?? 0)) * 1000n;
    this.epochHigh = Number(epoch >> 32n);
    this.epochLow = Number(epoch & 0xffffffffn);
    write(sectionHeader(options.application ?? "fullduplex"));
  }

  addInterface(description: CaptureInterface): number {
    this.flush();
    this.write(interfaceBlock(description));
    return this.snaps.push(description.snapLength ?? 0) - 1;
  }

  packet(
    interfaceId: number,
    timeUs: number,
    direction: PacketDirection | undefined,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    const snap = this.snaps[interfaceId];
    const kept = Math.min(snap > 0 ? Math.min(snap, length) : length, LARGEST_PACKET);
    const { view, chunk } = this;
    const block = this.used;
    const padded = (kept + 3) & ~3;
    const hasFlags = direction !== undefined;
    const total = PACKET_HEAD + padded + (hasFlags ? PACKET_TAIL : 4);
    const ns = Math.round(timeUs * 1000);
    const low = this.epochLow + (ns % 2 ** 32);
    const carry = low >= 2 ** 32 ? 1 : 0;
    view.setUint32(block, BLOCK_PACKET, true);
    view.setUint32(block + 4, total, true);
    view.setUint32(block + 8, interfaceId, true);
    view.setUint32(block + 12, this.epochHigh + Math.floor(ns / 2 ** 32) + carry, true);
    view.setUint32(block + 16, low, true);
    view.setUint32(block + 20, kept, true);
    view.setUint32(block + 24, length, true);
    const data = block + PACKET_HEAD;
    chunk.set(bytes.subarray(at, at + kept), data);
    let end = data + kept;
    while (end < data + padded) chunk[end++] = 0;
    if (hasFlags) {
      view.setUint16(end, OPTION_EPB_FLAGS, true);
      view.setUint16(end + 2, 4, true);
      view.setUint32(end + 4, direction === "in" ? 1 : 2, true);
      view.setUint32(end + 8, 0, true);
      end += 12;
    }
    view.setUint32(end, total, true);
    this.used = end + 4;
    this.blocks.push(block);
    if (this.used >= this.limit) this.flush();
  }

  comment(
    interfaceId: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    text: string,
  ): boolean {
    for (let i = this.blocks.length - 1; i >= 0; i--) {
      const block = this.blocks[i];
      if (this.view.getUint32(block + 8, true) !== interfaceId) continue;
      if (this.view.getUint32(block + 24, true) !== length) continue;
      const kept = this.view.getUint32(block + 20, true);
      const data = this.chunk.subarray(block + PACKET_HEAD, block + PACKET_HEAD + kept);
      if (!sameBytes(data, bytes, at, kept)) continue;
      this.insertComment(i, kept, text);
      return true;
    }
    return false;
  }

  /** Rare: what stands behind the block moves to make room for one more option. */
  private insertComment(index: number, kept: number, text: string): void {
    const value = textBytes(text);
    const extra = 4 + ((value.length + 3) & ~3);
    if (this.used + extra + LARGEST_PACKET > this.chunk.length) this.enlarge(extra);
    const { chunk, view } = this;
    const block = this.blocks[index];
    const options = block + PACKET_HEAD + ((kept + 3) & ~3);
    chunk.copyWithin(options + extra, options, this.used);
    chunk.fill(0, options, options + extra);
    view.setUint16(options, OPTION_COMMENT, true);
    view.setUint16(options + 2, value.length, true);
    chunk.set(value, options + 4);
    this.used += extra;
    for (let i = index + 1; i < this.blocks.length; i++) this.blocks[i] += extra;
    const total = view.getUint32(block + 4, true) + extra;
    view.setUint32(block + 4, total, true);
    view.setUint32(block + total - 4, total, true);
  }

  private enlarge(extra: number): void {
    const larger = new Uint8Array(this.chunk.length + extra + 65_536);
    larger.set(this.chunk);
    this.chunk = larger;
    this.view = new DataView(larger.buffer);
  }

  /** Hands out what waits; from then on it gets no comment. */
  flush(): void {
    if (this.used === 0) return;
    this.write(this.chunk.slice(0, this.used));
    this.used = 0;
    this.blocks.length = 0;
  }
}

/** A whole log as pcapng, block by block. */
export function* exportPcapng(log: PacketLog, application = "fullduplex"): Generator<Uint8Array> {
  yield sectionHeader(application);
  for (const description of log.interfaces) yield interfaceBlock(description);
  for (let i = 0; i < log.count; i++) {
    const bytes = log.bytes(i);
    yield packetBlock(
      log.interfaceId(i),
      log.epochUs,
      log.timeUs(i),
      log.direction(i),
      bytes,
      0,
      bytes.length,
      log.originalLength(i),
      log.comments(i),
    );
  }
}

/** A whole log as the bytes of one file. */
export function pcapngBytes(log: PacketLog, application?: string): Uint8Array {
  return joined([...exportPcapng(log, application)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
