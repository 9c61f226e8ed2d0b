import { seqGeq, seqLt, seqMax } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpSettings } from "./settings.ts";
import { SYN_RECEIVED, SYN_SENT } from "./state.ts";

/** Room for new data: what the buffer holds less what waits to be read. */
function freeSpace(c: TcpConnection): number {
  const limit = c.options.windowClamp;
  const size = limit > 0 && limit < c.rcvBufSize ? limit : c.rcvBufSize;
  const free = size - c.readableBytes;
  return free > 0 ? free : 0;
}

/** The least by which the right edge moves, against silly windows (RFC 9293 §3.8.6.2.2). */
function leastStep(s: TcpSettings, c: TcpConnection): number {
  if (!s.sillyWindowAvoidance) return 1;
  return Math.min(c.rcvBufSize >> 1, c.rcvMss);
}

/**
 * The window for the segment about to be sent, as it stands on the wire, and
 * moves the announced right edge there. The edge never moves left (SHLD-14);
 * it moves right only by a worthwhile step (MUST-39).
 */
export function selectWindow(s: TcpSettings, c: TcpConnection): number {
  const shift = c.rcvWscale;
  if (s.windowRule === "freebsd") return selectWholeWindow(c);
  const free = freeSpace(c);
  const edge = (c.rcvNxt + free) | 0;
  let window: number;
  if (((edge - c.rcvAdv) | 0) >= leastStep(s, c)) {
    window = free >> shift;
    // A buffer smaller than the unit must not look closed for ever.
    if (window === 0 && free > 0) window = 1;
    // Rounding down by the shift must not take back what was granted.
    if (seqLt((c.rcvNxt + (window << shift)) | 0, c.rcvAdv)) window = leftWindow(c);
  } else {
    window = leftWindow(c);
  }
  return announce(c, window);
}

/**
 * What is left of the window announced before, rounded up to the unit of the
 * scale. Each rounding is a gift, and many would let a peer fill memory with
 * small segments that nobody reads: beyond one unit more than the buffer it is
 * rounded down instead. What was granted is taken all the same (RFC 7323 §2.4).
 */
function leftWindow(c: TcpConnection): number {
  const left = (c.rcvAdv - c.rcvNxt) | 0;
  if (left <= 0) return 0;
  const unit = 1 << c.rcvWscale;
  const window = (left + unit - 1) >> c.rcvWscale;
  return c.readableBytes + window * unit > c.rcvBufSize + unit ? left >> c.rcvWscale : window;
}

/** FreeBSD's rule: all there is room for, whatever the step, and the bits that the shift hides count as one. */
function selectWholeWindow(c: TcpConnection): number {
  const left = (c.rcvAdv - c.rcvNxt) | 0;
  let free = freeSpace(c);
  if (free < c.rcvBufSize >> 2 && free < c.rcvMss) free = 0;
  if (left > free) free = left;
  return announce(c, (free + (1 << c.rcvWscale) - 1) >> c.rcvWscale);
}

/** Moves the announced edge to what a header with this window says. */
function announce(c: TcpConnection, wanted: number): number {
  const window = wanted > 0xffff ? 0xffff : wanted;
  const bytes = window << c.rcvWscale;
  if (bytes > c.rcvWndMax) c.rcvWndMax = bytes;
  const edge = (c.rcvNxt + bytes) | 0;
  if (seqGeq(edge, c.rcvAdv)) c.rcvAdv = edge;
  return window;
}

/**
 * Where the window that segments are judged by ends: what was announced, or
 * (FreeBSD) all that the buffer has room for, which a field of 16 bits may not
 * have been able to say.
 */
export function rightEdge(s: TcpSettings, c: TcpConnection): number {
  if (s.windowRule !== "freebsd" || (c.state === SYN_RECEIVED && c.passive)) return c.rcvAdv;
  return seqMax(c.rcvAdv, (c.rcvNxt + freeSpace(c)) | 0);
}

/** FreeBSD makes both buffers a whole number of segments, once the MSS is known. */
export function roundBuffers(s: TcpSettings, c: TcpConnection, mss: number): void {
  if (!s.roundBufferToMss) return;
  c.rcvBufSize = wholeSegments(c.rcvBufSize, mss, s.receiveBufferMax);
  c.sndBufSize = wholeSegments(c.sndBufSize, mss, s.sendBufferMax);
}

function wholeSegments(size: number, mss: number, most: number): number {
  return size <= mss ? size : Math.max(size, Math.min(Math.ceil(size / mss) * mss, most));
}

/** The window of a SYN, which is never scaled (RFC 7323 §2.2). */
export function initialWindow(s: TcpSettings, c: TcpConnection): number {
  let window = s.initialReceiveWindow > 0 ? s.initialReceiveWindow : freeSpace(c);
  if (window > 0xffff) window = 0xffff;
  c.rcvWndMax = window;
  const edge = (c.rcvNxt + window) | 0;
  if (c.state === SYN_SENT) c.rcvAdvOffered = window;
  else if (seqLt(c.rcvAdv, edge)) c.rcvAdv = edge;
  return window;
}

/** Whether reading has opened the window so far that the peer should hear of it now. */
export function windowUpdateDue(s: TcpSettings, c: TcpConnection): boolean {
  const left = Math.max(0, (c.rcvAdv - c.rcvNxt) | 0);
  const free = freeSpace(c);
  const step = free - left;
  if (s.windowRule === "freebsd") return wholeUpdateDue(c, free, step);
  if (step < leastStep(s, c)) return false;
  // When half of the largest window offered is used up: fewer updates than one
  // a read, and they come long before the peer runs dry.
  return !s.sillyWindowAvoidance || Math.min(free, c.rcvWndMax) >= 2 * left;
}

/** FreeBSD's rule: two segments and a quarter of the buffer, or half of it. */
function wholeUpdateDue(c: TcpConnection, free: number, step: number): boolean {
  const size = c.rcvBufSize;
  if (step <= 0 || c.finReceived) return false;
  if (2 * step >= size) return true;
  if (step < 2 * c.rcvMss) return false;
  return step >= size >> 2 || free <= size >> 3 || size <= 8 * c.rcvMss;
}

/** Smallest shift with which a window of `bytes` can be announced (RFC 7323 §2.3: at most 14). */
export function shiftFor(bytes: number): number {
  let shift = 0;
  while (shift < 14 && 0xffff << shift < bytes) shift++;
  return shift;
}
