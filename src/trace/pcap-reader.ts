/**
 * Reads captures of any program: pcapng (draft-ietf-opsawg-pcapng) of either
 * byte order and any resolution, and classic pcap with micro- and nanoseconds.
 */
import { type PacketDirection, PacketLog } from "./packet-log.ts";
import {
  BLOCK_INTERFACE,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BYTE_ORDER,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  OPTION_COMMENT,
  OPTION_EPB_FLAGS,
  OPTION_IF_DESCRIPTION,
  OPTION_IF_NAME,
  OPTION_IF_TSRESOL,
} from "./pcapng-writer.ts";
import { bytesText } from "./text-bytes.ts";

/** A file that is no capture, or one that breaks off in a way that cannot be read around. */
export class CaptureFormatError extends Error {
  readonly code = "ERR_CAPTURE_FORMAT";
  constructor(message: string) {
    super(message);
    this.name = "CaptureFormatError";
  }
}

const BLOCK_SIMPLE = 3;
const BLOCK_OLD_PACKET = 2;
const OPTION_IF_TSOFFSET = 14;
/** LINKTYPE_NULL and LINKTYPE_LOOP, LINKTYPE_LINUX_SLL, LINKTYPE_IPV4, LINKTYPE_IPV6, DLT_RAW of some systems. */
const LINKTYPE_NULL = 0;
const LINKTYPE_LOOP = 108;
const LINKTYPE_SLL = 113;
const LINKTYPE_SLL2 = 276;
const LINKTYPE_IPV4 = 228;
const LINKTYPE_IPV6 = 229;
const RAW_OTHERS = [12, 14];

/** Bytes in front of the IP packet that are left out; -1: a medium we cannot read. */
function linkHeader(linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
    case LINKTYPE_RAW:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return 0;
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return 4;
    case LINKTYPE_SLL:
      return 16;
    case LINKTYPE_SLL2:
      return 20;
    default:
      return RAW_OTHERS.includes(linkType) ? 0 : -1;
  }
}

/** Reads a capture file. A block cut off at the end is left out. Throws `CaptureFormatError`. */
export function readCapture(file: Uint8Array): PacketLog {
  if (file.length < 4) throw new CaptureFormatError("the file is empty");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0, true);
  const log = new PacketLog({ limitBytes: Math.max(64, 2 * file.length + 2 ** 21) });
  if (magic === BLOCK_SECTION) new PcapngReader(file, view, log).read();
  else if (!readPcap(file, view, log)) {
    throw new CaptureFormatError(
      "this is neither pcapng nor pcap: the first four bytes say nothing known",
    );
  }
  return log;
}

interface OpenInterface {
  /** In the log; -1: a medium that cannot be read. */
  readonly id: number;
  readonly skip: number;
  /** Units of time in a second. */
  readonly perSecond: bigint;
  readonly offsetSeconds: bigint;
  readonly snapLength: number;
}

class PcapngReader {
  private readonly file: Uint8Array;
  private readonly view: DataView;
  private readonly log: PacketLog;
  private little = true;
  private interfaces: OpenInterface[] = [];
  private baseSeconds = -1n;

  constructor(file: Uint8Array, view: DataView, log: PacketLog) {
    this.file = file;
    this.view = view;
    this.log = log;
  }

  read(): void {
    let at = 0;
    while (at + 12 <= this.file.length) {
      const type = this.view.getUint32(at, this.little);
      if (type === BLOCK_SECTION) {
        this.little = this.view.getUint32(at + 8, true) === BYTE_ORDER;
        this.interfaces = [];
      }
      const length = this.view.getUint32(at + 4, this.little);
      if (length < 12 || length % 4 !== 0) {
        throw new CaptureFormatError(`a block at byte ${at} says it is ${length} bytes long`);
      }
      if (at + length > this.file.length) return;
      this.block(type, at + 8, at + length - 4);
      at += length;
    }
  }

  private block(type: number, at: number, end: number): void {
    if (type === BLOCK_INTERFACE) this.interfaceBlock(at, end);
    else if (type === BLOCK_PACKET || type === BLOCK_OLD_PACKET) this.packetBlock(type, at, end);
    else if (type === BLOCK_SIMPLE) this.simpleBlock(at, end);
  }

  private interfaceBlock(at: number, end: number): void {
    const { view, little } = this;
    const linkType = view.getUint16(at, little);
    let name = "";
    let description = "";
    let resolution = 6;
    let offsetSeconds = 0n;
    this.options(at + 8, end, (code, from, length) => {
      if (code === OPTION_IF_NAME) name = this.text(from, length);
      else if (code === OPTION_IF_DESCRIPTION) description = this.text(from, length);
      else if (code === OPTION_IF_TSRESOL) resolution = view.getUint8(from);
      else if (code === OPTION_IF_TSOFFSET) offsetSeconds = view.getBigInt64(from, little);
    });
    const skip = linkHeader(linkType);
    const perSecond =
      (resolution & 0x80) === 0 ? 10n ** BigInt(resolution) : 2n ** BigInt(resolution & 0x7f);
    const id =
      skip < 0
        ? -1
        : this.log.addInterface({
            name: name || `interface ${this.log.interfaces.length}`,
            medium: linkType === LINKTYPE_ETHERNET ? "ethernet" : "ip",
            host: description,
            description,
          });
    const snapLength = view.getUint32(at + 4, little);
    this.interfaces.push({ id, skip, perSecond, offsetSeconds, snapLength });
  }

  private packetBlock(type: number, at: number, end: number): void {
    const { view, little } = this;
    const number = type === BLOCK_PACKET ? view.getUint32(at, little) : view.getUint16(at, little);
    const of = this.interfaces[number];
    if (of === undefined || of.id < 0 || at + 20 > end) return;
    const units =
      (BigInt(view.getUint32(at + 4, little)) << 32n) | BigInt(view.getUint32(at + 8, little));
    const captured = Math.min(view.getUint32(at + 12, little), end - at - 20);
    const original = view.getUint32(at + 16, little);
    let direction: PacketDirection | undefined;
    const comments: string[] = [];
    this.options(at + 20 + ((captured + 3) & ~3), end, (code, from, length) => {
      if (code === OPTION_COMMENT) comments.push(this.text(from, length));
      else if (code === OPTION_EPB_FLAGS) {
        const way = view.getUint32(from, little) & 3;
        direction = way === 1 ? "in" : way === 2 ? "out" : undefined;
      }
    });
    this.add(of, this.timeUs(of, units), direction, at + 20, captured, original);
    for (const text of comments) this.log.remark(this.log.count - 1, text);
  }

  private simpleBlock(at: number, end: number): void {
    const of = this.interfaces[0];
    if (of === undefined || of.id < 0) return;
    const original = this.view.getUint32(at, this.little);
    const limit = of.snapLength === 0 ? original : Math.min(original, of.snapLength);
    this.add(of, 0, undefined, at + 4, Math.min(limit, end - at - 4), original);
  }

  /** Relative to the first packet's second, so that nothing of a nanosecond is lost in a double. */
  private timeUs(of: OpenInterface, units: bigint): number {
    if (this.baseSeconds < 0n) {
      const seconds = units / of.perSecond + of.offsetSeconds;
      // Virtual time begins at 0 and stays as it is.
      this.baseSeconds = seconds < 1_000_000n ? 0n : seconds;
      this.log.epochUs = Number(this.baseSeconds) * 1e6;
    }
    const relative = units - (this.baseSeconds - of.offsetSeconds) * of.perSecond;
    return (Number(relative) * 1e6) / Number(of.perSecond);
  }

  private add(
    of: OpenInterface,
    timeUs: number,
    direction: PacketDirection | undefined,
    at: number,
    captured: number,
    original: number,
  ): void {
    const kept = captured - of.skip;
    if (kept < 0) return;
    this.log.packet(of.id, timeUs, direction, this.file, at + of.skip, kept, original - of.skip);
  }

  private options(
    at: number,
    end: number,
    each: (code: number, from: number, length: number) => void,
  ): void {
    while (at + 4 <= end) {
      const code = this.view.getUint16(at, this.little);
      const length = this.view.getUint16(at + 2, this.little);
      if (code === 0 || at + 4 + length > end) return;
      each(code, at + 4, length);
      at += 4 + ((length + 3) & ~3);
    }
  }

  private text(at: number, length: number): string {
    return bytesText(this.file.subarray(at, at + length));
  }
}

const PCAP_MAGICS: readonly (readonly [magic: number, little: boolean, usPerUnit: number])[] = [
  [0xa1b2c3d4, true, 1],
  [0xd4c3b2a1, false, 1],
  [0xa1b23c4d, true, 0.001],
  [0x4d3cb2a1, false, 0.001],
];

/** False: it is no classic pcap. */
function readPcap(file: Uint8Array, view: DataView, log: PacketLog): boolean {
  const found = PCAP_MAGICS.find(([magic]) => magic === view.getUint32(0, true));
  if (found === undefined || file.length < 24) return false;
  const [, little, usPerUnit] = found;
  const linkType = view.getUint32(20, little) & 0xffff;
  const skip = linkHeader(linkType);
  if (skip < 0) throw new CaptureFormatError(`link type ${linkType} cannot be read`);
  const medium = linkType === LINKTYPE_ETHERNET ? "ethernet" : "ip";
  const id = log.addInterface({ name: "capture", medium, host: "" });
  for (let at = 24; at + 16 <= file.length; ) {
    const seconds = view.getUint32(at, little);
    const captured = view.getUint32(at + 8, little);
    const original = view.getUint32(at + 12, little);
    if (at + 16 + captured > file.length) break;
    if (log.count === 0) log.epochUs = seconds * 1e6;
    const timeUs = seconds * 1e6 - log.epochUs + view.getUint32(at + 4, little) * usPerUnit;
    if (captured >= skip) {
      log.packet(id, timeUs, undefined, file, at + 16 + skip, captured - skip, original - skip);
    }
    at += 16 + captured;
  }
  return true;
}
