/** TCP options: a parser into a reusable struct of numbers, and writers in place. */
import { BAD_OPTION, OK } from "./verdict.ts";

export const OPTION_END = 0;
export const OPTION_NOP = 1;
export const OPTION_MSS = 2;
export const OPTION_WINDOW_SCALE = 3;
export const OPTION_SACK_PERMITTED = 4;
export const OPTION_SACK = 5;
export const OPTION_TIMESTAMPS = 8;
export const OPTION_MD5 = 19;
export const OPTION_USER_TIMEOUT = 28;
export const OPTION_AO = 29;
export const OPTION_FAST_OPEN = 34;
/** RFC 4727 experiment, told apart by a magic number (RFC 6994). */
export const OPTION_EXPERIMENT = 254;
export const FAST_OPEN_MAGIC = 0xf989;

/** nop, nop, timestamp, length 10: the layout RFC 7323 appendix A recommends. */
export const TIMESTAMPS_ALIGNED = 0x0101080a;
/** Bytes of that layout. */
export const TIMESTAMPS_LENGTH = 12;
export const MAX_SACK_BLOCKS = 4;
/** RFC 7323 §2.3: a larger shift is used as 14. */
export const MAX_WINDOW_SCALE = 14;

/** What a segment's options said. One per reader, overwritten by each parse. */
export class TcpOptions {
  /** 0 if absent. */
  mss = 0;
  /** As received, 0 to 255; -1 if absent. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  /** int32 */
  tsVal = 0;
  /** int32 */
  tsEcr = 0;
  /** 0 to 4 */
  sackCount = 0;
  /** Block i is sack[2i] to sack[2i + 1], right edge exclusive, int32. */
  readonly sack = new Int32Array(2 * MAX_SACK_BLOCKS);
  /** Absolute offset of the Fast Open cookie, -1 if absent (RFC 7413 §4.1.1). */
  fastOpenAt = -1;
  /** 0: a request for a cookie. */
  fastOpenLength = 0;
  /** It came as experimental option 254. */
  fastOpenExperimental = false;
  /** Absolute offset of the 16-byte MD5 digest (RFC 2385), -1 if absent. */
  md5At = -1;
  /** Raw field: granularity bit and 15 bits (RFC 5482 §3); -1 if absent. */
  userTimeout = -1;
  /** Options of a kind not known here. */
  unknownCount = 0;

  clear(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.tsVal = 0;
    this.tsEcr = 0;
    this.sackCount = 0;
    this.fastOpenAt = -1;
    this.fastOpenLength = 0;
    this.fastOpenExperimental = false;
    this.md5At = -1;
    this.userTimeout = -1;
    this.unknownCount = 0;
  }
}

/**
 * Parses `length` bytes of options at `at` into `out`. Returns OK, or BAD_OPTION when an option's
 * length leaves the header: what stood before it is kept, as RFC 9293 MUST-7 wants no crash and
 * other stacks go on with the rest of the segment. A known kind with a wrong length is ignored.
 */
export function parseTcpOptions(
  view: DataView,
  at: number,
  length: number,
  out: TcpOptions,
): number {
  out.clear();
  // Nearly every segment of a connection with timestamps looks like this.
  if (length === TIMESTAMPS_LENGTH && view.getInt32(at) === TIMESTAMPS_ALIGNED) {
    out.hasTimestamps = true;
    out.tsVal = view.getInt32(at + 4);
    out.tsEcr = view.getInt32(at + 8);
    return OK;
  }
  const end = at + length;
  let i = at;
  while (i < end) {
    const kind = view.getUint8(i);
    if (kind === OPTION_END) return OK;
    if (kind === OPTION_NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return BAD_OPTION;
    const size = view.getUint8(i + 1);
    if (size < 2 || i + size > end) return BAD_OPTION;
    parseOne(view, i, kind, size, out);
    i += size;
  }
  return OK;
}

function parseOne(view: DataView, i: number, kind: number, size: number, out: TcpOptions): void {
  switch (kind) {
    case OPTION_MSS:
      if (size === 4) out.mss = view.getUint16(i + 2);
      break;
    case OPTION_WINDOW_SCALE:
      if (size === 3) out.windowScale = view.getUint8(i + 2);
      break;
    case OPTION_SACK_PERMITTED:
      if (size === 2) out.sackPermitted = true;
      break;
    case OPTION_SACK:
      parseSack(view, i, size, out);
      break;
    case OPTION_TIMESTAMPS:
      if (size === 10) {
        out.hasTimestamps = true;
        out.tsVal = view.getInt32(i + 2);
        out.tsEcr = view.getInt32(i + 6);
      }
      break;
    case OPTION_MD5:
      if (size === 18) out.md5At = i + 2;
      break;
    case OPTION_USER_TIMEOUT:
      if (size === 4) out.userTimeout = view.getUint16(i + 2);
      break;
    case OPTION_FAST_OPEN:
      setFastOpen(out, i + 2, size - 2, false);
      break;
    case OPTION_EXPERIMENT:
      if (size >= 4 && view.getUint16(i + 2) === FAST_OPEN_MAGIC) {
        setFastOpen(out, i + 4, size - 4, true);
      } else out.unknownCount++;
      break;
    default:
      out.unknownCount++;
  }
}

function parseSack(view: DataView, i: number, size: number, out: TcpOptions): void {
  // RFC 2018 §3: 8 n + 2 bytes. A second SACK option replaces the first.
  if (size < 10 || ((size - 2) & 7) !== 0) return;
  const count = Math.min((size - 2) >>> 3, MAX_SACK_BLOCKS);
  for (let edge = 0; edge < 2 * count; edge++) out.sack[edge] = view.getInt32(i + 2 + 4 * edge);
  out.sackCount = count;
}

function setFastOpen(out: TcpOptions, at: number, length: number, experimental: boolean): void {
  // RFC 7413 §4.1.1: 4 to 16 bytes, even, or none at all; anything else is ignored.
  if (length !== 0 && (length < 4 || length > 16 || (length & 1) !== 0)) return;
  out.fastOpenAt = at;
  out.fastOpenLength = length;
  out.fastOpenExperimental = experimental;
}

/** Four bytes; returns the offset after them, as all writers here do. */
export function writeMss(view: DataView, at: number, mss: number): number {
  view.setInt32(at, (OPTION_MSS << 24) | (4 << 16) | mss);
  return at + 4;
}

/** Four bytes: a nop, then the three of the option. */
export function writeWindowScale(view: DataView, at: number, shift: number): number {
  view.setInt32(at, (OPTION_NOP << 24) | (OPTION_WINDOW_SCALE << 16) | (3 << 8) | shift);
  return at + 4;
}

/** Four bytes: two nops, then the two of the option. */
export function writeSackPermitted(view: DataView, at: number): number {
  view.setInt32(at, 0x01010402);
  return at + 4;
}

/** Twelve bytes: nop, nop and the option. */
export function writeTimestamps(view: DataView, at: number, tsVal: number, tsEcr: number): number {
  view.setInt32(at, TIMESTAMPS_ALIGNED);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
  return at + TIMESTAMPS_LENGTH;
}

/** Twelve bytes: SACK permitted in place of the nops, the layout Linux sends in a SYN. */
export function writeSackPermittedTimestamps(
  view: DataView,
  at: number,
  tsVal: number,
  tsEcr: number,
): number {
  view.setInt32(at, 0x0402080a);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
  return at + TIMESTAMPS_LENGTH;
}

/** Four bytes: nop, nop and the head of a SACK option for `count` blocks. */
export function writeSackHead(view: DataView, at: number, count: number): number {
  view.setInt32(at, 0x01010500 | (2 + 8 * count));
  return at + 4;
}

/** Eight bytes: one block behind the head. */
export function writeSackBlock(view: DataView, at: number, left: number, right: number): number {
  view.setInt32(at, left);
  view.setInt32(at + 4, right);
  return at + 8;
}

/**
 * Fast Open option with `length` bytes of cookie, read from `cookie` at `cookieAt`, padded with
 * nops to four bytes. Experimental: kind 254 with the magic number.
 */
export function writeFastOpen(
  view: DataView,
  at: number,
  cookie: DataView,
  cookieAt: number,
  length: number,
  experimental: boolean,
): number {
  let i = at;
  if (experimental) {
    view.setUint8(i, OPTION_EXPERIMENT);
    view.setUint8(i + 1, 4 + length);
    view.setUint16(i + 2, FAST_OPEN_MAGIC);
    i += 4;
  } else {
    view.setUint8(i, OPTION_FAST_OPEN);
    view.setUint8(i + 1, 2 + length);
    i += 2;
  }
  for (let n = 0; n < length; n++) view.setUint8(i + n, cookie.getUint8(cookieAt + n));
  return padOptions(view, at, i + length);
}

/** Fills with nops from `end` until the options from `at` are a multiple of four bytes. */
export function padOptions(view: DataView, at: number, end: number): number {
  while (((end - at) & 3) !== 0) view.setUint8(end++, OPTION_NOP);
  return end;
}
