import { seqGeq, seqGt, seqLeq, seqLt, seqMax, seqMin } from "../base/sequence.ts";
import { FIN } from "../wire/tcp.ts";
import { ACK_DELAYED, ACK_NOW, TCP_EVENT_READABLE, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { Ranges } from "./ranges.ts";
import type { Segment } from "./segment.ts";
import { rightEdge } from "./window.ts";

/**
 * Seventh: the segment text (RFC 9293 §3.10.7.4). Takes what lies inside the
 * window, in order or beyond a gap, straight to its place in the receive
 * buffer. The segment's sequence range was found acceptable.
 */
export function receiveData(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  let seq = seg.seq;
  let from = seg.payload;
  let length = seg.length;
  const end = (seq + length) | 0;
  if (seqLt(seq, c.rcvNxt)) {
    const known = seqMin(end, c.rcvNxt);
    reportDuplicate(env, c, seq, known);
    const skip = (known - seq) | 0;
    seq = known;
    from += skip;
    length -= skip;
    env.counters.tcpRcvDuplicates++;
    c.ackFlags |= ACK_NOW;
    if (length === 0) return;
  }
  const beyond = (seq + length - rightEdge(env.settings, c)) | 0;
  if (beyond > 0) {
    length -= beyond;
    env.counters.tcpBeyondWindow++;
    seg.flags &= ~FIN;
    if (length <= 0) {
      c.ackFlags |= ACK_NOW;
      return;
    }
  }
  if (seq === c.rcvNxt) receiveInOrder(env, c, seg, seq, from, length);
  else receiveOutOfOrder(env, c, seq, from, length);
}

function receiveInOrder(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  seq: number,
  from: number,
  length: number,
): void {
  const memory = env.memory;
  let taken = c.rcvBuf.reserve(memory, c.rcvRead, seq, length);
  if (taken < length && c.outOfOrder !== undefined) {
    // What is in order comes first: the data beyond the gap gives its pages (RFC 2018 §8).
    env.counters.tcpRcvPruned++;
    c.outOfOrder = undefined;
    c.rcvBuf.cut(memory, c.rcvRead, seq);
    taken = c.rcvBuf.reserve(memory, c.rcvRead, seq, length);
  }
  if (taken < length) {
    // Pages ran out: what has none is dropped unacknowledged; the edge stays.
    env.counters.tcpRcvMemoryDrops++;
    seg.flags &= ~FIN;
    length = taken;
    if (length === 0) {
      c.ackFlags |= ACK_NOW;
      return;
    }
  }
  const held = c.outOfOrder;
  if (held === undefined) c.rcvBuf.copyIn(memory, seq, from, length);
  else copyGaps(env, c, held, seq, from, length);
  c.rcvNxt = (seq + length) | 0;
  c.bytesReceived += length;
  if (held !== undefined) {
    absorb(env, c, held);
    // RFC 5681 §4.2: what fills a gap is acknowledged at once.
    c.ackFlags |= ACK_NOW;
  } else {
    scheduleAck(env, c, seg.wireSegments > 1 ? Math.ceil(length / seg.wireSegments) : length);
  }
  env.notify(c, TCP_EVENT_READABLE);
}

/** What was beyond the gap may now be in order. */
function absorb(env: TcpEnvironment, c: TcpConnection, held: Ranges): void {
  // More than one range, when the segment covers some and reaches into the next.
  while (held.count > 0 && seqLeq(held.start(0), c.rcvNxt)) {
    const end = held.end(0);
    // Bytes that came twice, in order and before beyond the gap (RFC 2883 §4.1.2).
    if (seqLt(held.start(0), c.rcvNxt)) {
      reportDuplicate(env, c, held.start(0), seqMin(c.rcvNxt, end));
    }
    if (seqGt(end, c.rcvNxt)) {
      c.bytesReceived += (end - c.rcvNxt) | 0;
      c.rcvNxt = end;
      c.gapFilled = true;
    }
    held.trim(c.rcvNxt);
  }
  if (held.count === 0) c.outOfOrder = undefined;
}

function receiveOutOfOrder(
  env: TcpEnvironment,
  c: TcpConnection,
  seq: number,
  from: number,
  length: number,
): void {
  const counters = env.counters;
  c.ackFlags |= ACK_NOW;
  c.dupAcksOwed++;
  const held = c.outOfOrder ?? (c.outOfOrder = new Ranges());
  const end = (seq + length) | 0;
  const index = held.indexAfter(seq);
  if (index < held.count && seqLt(held.start(index), end)) {
    // The first duplicate part (RFC 2883 §4: with a gap, inside the second block).
    reportDuplicate(env, c, seqMax(seq, held.start(index)), seqMin(end, held.end(index)));
    if (seqLeq(held.start(index), seq) && seqGeq(held.end(index), end)) {
      held.add(seq, end, env.settings.maxOutOfOrderRanges);
      counters.tcpRcvDuplicates++;
      return;
    }
  }
  if (c.rcvBuf.reserve(env.memory, c.rcvRead, seq, length) < length) {
    counters.tcpRcvMemoryDrops++;
    if (held.count === 0) c.outOfOrder = undefined;
    return;
  }
  copyGaps(env, c, held, seq, from, length);
  if (!held.add(seq, end, env.settings.maxOutOfOrderRanges)) {
    counters.tcpOfoDrop++;
    return;
  }
  counters.tcpOfoQueue++;
}

/** Text that came with a SYN and may only be delivered later (RFC 9293 §3.10.7.3): kept like data beyond a gap. */
export function holdSynData(
  env: TcpEnvironment,
  c: TcpConnection,
  from: number,
  length: number,
): void {
  const taken = c.rcvBuf.reserve(env.memory, c.rcvRead, c.rcvNxt, Math.min(length, c.rcvWnd));
  if (taken === 0) return;
  c.rcvBuf.copyIn(env.memory, c.rcvNxt, from, taken);
  c.outOfOrder = new Ranges();
  c.outOfOrder.add(c.rcvNxt, (c.rcvNxt + taken) | 0, 1);
}

/** The connection is established: what the SYN brought is received now. */
export function releaseSynData(env: TcpEnvironment, c: TcpConnection): void {
  const held = c.outOfOrder;
  if (held === undefined) return;
  const before = c.rcvNxt;
  absorb(env, c, held);
  c.gapFilled = false;
  scheduleAck(env, c, (c.rcvNxt - before) | 0);
  env.notify(c, TCP_EVENT_READABLE);
}

/** Copies only what is not there yet: bytes already received are never overwritten (RFC 9293 §3.10.7.4 leaves it open; against attacks that change data once seen). */
function copyGaps(
  env: TcpEnvironment,
  c: TcpConnection,
  held: Ranges,
  seq: number,
  from: number,
  length: number,
): void {
  const end = (seq + length) | 0;
  let at = seq;
  for (let i = held.indexAfter(seq); i < held.count && seqLt(held.start(i), end); i++) {
    const gap = (held.start(i) - at) | 0;
    if (gap > 0) c.rcvBuf.copyIn(env.memory, at, from + ((at - seq) | 0), gap);
    at = held.end(i);
    if (seqGeq(at, end)) return;
  }
  c.rcvBuf.copyIn(env.memory, at, from + ((at - seq) | 0), (end - at) | 0);
}

/** D-SACK: the first duplicate of this ACK is reported with it (RFC 2883 §4). */
export function reportDuplicate(
  env: TcpEnvironment,
  c: TcpConnection,
  start: number,
  end: number,
): void {
  if (!c.sackOn || !env.settings.dsack || start === end) return;
  if (c.dsackStart !== c.dsackEnd) return;
  c.dsackStart = start;
  c.dsackEnd = end;
  if (seqLt(start, c.rcvNxt)) env.counters.tcpDsackOldSent++;
  else env.counters.tcpDsackOfoSent++;
}

/**
 * Delayed ACKs (RFC 9293 §3.8.6.3, RFC 5681 §4.2): every second full segment
 * at once, else within the delay. `full`: payload of a wire segment of what came.
 */
export function scheduleAck(env: TcpEnvironment, c: TcpConnection, full: number): void {
  const s = env.settings;
  c.dataCameMs = (env.nowUs / 1000) & 0x7fffffff;
  if (full > c.rcvMss) c.rcvMss = Math.min(full, 65_535);
  const owed = (c.rcvNxt - c.lastAckSent) | 0;
  if (
    c.options.quickAck > 0 ||
    owed >= s.ackEvery * c.rcvMss ||
    (c.quickAcks > 0 && c.options.quickAck !== 0 && !c.repliesOften) ||
    s.delayedAckUs === 0
  ) {
    if (c.quickAcks > 0) c.quickAcks--;
    c.ackFlags |= ACK_NOW;
    return;
  }
  delayAck(env, c);
}

/** An ACK is owed within the delay. */
export function delayAck(env: TcpEnvironment, c: TcpConnection): void {
  if ((c.ackFlags & ACK_DELAYED) !== 0) return;
  c.ackFlags |= ACK_DELAYED;
  c.delayedAckAtUs = env.nowUs + env.settings.delayedAckUs;
}
