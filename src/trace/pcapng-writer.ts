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

/** A packet that waits for remarks before it is written. */
interface Pending {
  readonly interfaceId: number;
  readonly timeUs: number;
  readonly direction: PacketDirection | undefined;
  readonly bytes: Uint8Array;
  readonly original: number;
  readonly comments: string[];
}

/** Packets that may wait; then the oldest are written. */
const MAX_PENDING = 256;

export interface PcapngWriterOptions {
  /** Microseconds since 1970 at time 0 of what is captured. Default 0. */
  readonly epochUs?: number;
  readonly application?: string;
}

/**
 * Writes a capture while it goes on. A packet is handed to `write` when a
 * later one comes, so that what happens to it at once (a drop, the reason for
 * a retransmission) still gets into its comment; `flush` hands out the rest.
 * One `write` gets the blocks of all packets of an instant.
 */
export class PcapngWriter implements PacketSink {
  private readonly write: (bytes: Uint8Array) => void;
  private readonly epochUs: number;
  private readonly snaps: number[] = [];
  private pending: Pending[] = [];

  constructor(write: (bytes: Uint8Array) => void, options: PcapngWriterOptions = {}) {
    this.write = write;
    this.epochUs = options.epochUs ?? 0;
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
    const { pending } = this;
    if (
      pending.length >= MAX_PENDING ||
      (pending.length > 0 && pending[pending.length - 1].timeUs !== timeUs)
    ) {
      this.flush();
    }
    const snap = this.snaps[interfaceId];
    const kept = snap > 0 && length > snap ? snap : length;
    this.pending.push({
      interfaceId,
      timeUs,
      direction,
      bytes: bytes.slice(at, at + kept),
      original: length,
      comments: [],
    });
  }

  comment(
    interfaceId: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    text: string,
  ): boolean {
    for (let i = this.pending.length - 1; i >= 0; i--) {
      const packet = this.pending[i];
      if (packet.interfaceId !== interfaceId || packet.original !== length) continue;
      if (!sameBytes(packet.bytes, bytes, at, packet.bytes.length)) continue;
      if (!packet.comments.includes(text)) packet.comments.push(text);
      return true;
    }
    return false;
  }

  /** Hands out what waits. */
  flush(): void {
    const { pending } = this;
    if (pending.length === 0) return;
    this.pending = [];
    const blocks = pending.map((p) =>
      packetBlock(
        p.interfaceId,
        this.epochUs,
        p.timeUs,
        p.direction,
        p.bytes,
        0,
        p.bytes.length,
        p.original,
        p.comments,
      ),
    );
    this.write(blocks.length === 1 ? blocks[0] : joined(blocks));
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
