import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";
import { NEVER } from "../base/timers.ts";
import { REASON_FAST, REASON_NONE, REASON_RTO } from "../base/trace.ts";
import { ACK, FIN, PSH } from "../wire/tcp.ts";
import { defaultPacingRate, Pacer } from "./congestion/pacing.ts";
import { initialCwnd } from "./congestion-state.ts";
import {
  ACK_NOW,
  CA_CWR,
  CA_DISORDER,
  CA_LOSS,
  CA_RECOVERY,
  type TcpConnection,
  TIMER_NONE,
} from "./connection.ts";
import { emitAck, emitAckOf, emitSegment } from "./emit.ts";
import { canRun, emitAckRun, emitDataRun, RUN_MAX } from "./emit-run.ts";
import type { TcpEnvironment } from "./environment.ts";
import { sendHandshake } from "./handshake.ts";
import { noteLimits } from "./limits.ts";
import { isPushed } from "./push.ts";
import { noteRetransmission } from "./recovery/episodes.ts";
import { probeSize } from "./path-mtu.ts";
import { nextLost } from "./recovery/queue.ts";
import { armAfterSend, armPersist } from "./retransmission-timer.ts";
import {
  APP_LIMITED,
  EVER_RETRANSMITTED,
  HAS_FIN,
  HAS_PUSH,
  MTU_PROBE,
  RETRANSMITTED,
} from "./sent-segments.ts";
import { CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from "./state.ts";
import { rearm } from "./timer-arm.ts";
import { timestampNow } from "./timestamps.ts";

/** All that may be sent is sent. */
export const OUTPUT_DONE = 0;
/** The turn is used up. */
export const OUTPUT_MORE = 1;
/** No room on the path, or no frame: waits for either. */
export const OUTPUT_BLOCKED = 2;

/**
 * Sends what a connection may send now: owed ACKs of a batch, what was lost,
 * new data as the window, cwnd, Nagle and pacing allow, FIN, and the last ACK
 * if nothing carried it. Answers whether it wants another turn.
 */
export function output(env: TcpEnvironment, c: TcpConnection): number {
  const state = c.state;
  if (state === CLOSED || state === LISTEN || state === TIME_WAIT) return OUTPUT_DONE;
  if (c.path!.room() <= 0) return OUTPUT_BLOCKED;
  if (c.synDue) sendHandshake(env, c);
  if (state === SYN_SENT) return OUTPUT_DONE;
  let more = false;
  if (state !== SYN_RECEIVED || c.fastOpenPassive) {
    sendOwedAcks(env, c);
    more = sendData(env, c);
    if (env.settings.accountLimits) noteLimits(env, c);
  }
  if ((c.ackFlags & ACK_NOW) !== 0) {
    if (c.path!.room() <= 0) {
      rearm(env, c);
      return OUTPUT_BLOCKED;
    }
    let copies = Math.max(1, c.sackOn ? 1 : c.dupAcksOwed);
    while (copies-- > 0 && emitAck(env, c));
    c.dupAcksOwed = 0;
  }
  rearm(env, c);
  if (!more) return OUTPUT_DONE;
  return c.path!.room() <= 0 ? OUTPUT_BLOCKED : OUTPUT_MORE;
}

/**
 * After a batch of in-order segments: an ACK for every second full one but the
 * last (RFC 5681 §4.2), which goes with the data or by itself. A device that
 * merges segments says that the peer's clock does not depend on it.
 */
function sendOwedAcks(env: TcpEnvironment, c: TcpConnection): void {
  if (c.ackFlags === 0 || c.outOfOrder !== undefined || c.gapFilled || c.path!.coalesces) return;
  const step = env.settings.ackEvery * c.rcvMss;
  const owed = (c.rcvNxt - c.lastAckSent) | 0;
  if (owed >= 3 * step && canRun(env, c)) {
    const count = Math.min(Math.floor(owed / step), c.path!.room(), RUN_MAX) - 1;
    if (count > 0) emitAckRun(env, c, count, step);
  }
  while (((c.rcvNxt - c.lastAckSent) | 0) >= 2 * step && c.path!.room() > 1) {
    const duties = c.ackFlags;
    const at = c.delayedAckAtUs;
    if (!emitAckOf(env, c, (c.lastAckSent + step) | 0)) break;
    c.ackFlags = duties;
    c.delayedAckAtUs = at;
  }
}

function sendData(env: TcpEnvironment, c: TcpConnection): boolean {
  let budget = env.settings.quantum;
  const path = c.path!;
  let cwndFilled = false;
  let sentAny = false;
  for (;;) {
    const lost = c.loss === undefined || (c.loss.frtoProbe && c.unsentBytes > 0) ? -1 : nextLost(c);
    if (lost >= 0) {
      const length = c.sent!.length(lost);
      const pipe = c.pipe;
      if (pipe > 0 && pipe + length > c.cwnd) {
        cwndFilled = true;
        break;
      }
      if (budget <= 0 || path.room() <= 0) return finish(env, c, true, cwndFilled, sentAny);
      if (isPaced(env, c)) break;
      if (!retransmit(env, c, lost, c.caState === CA_LOSS ? REASON_RTO : REASON_FAST))
        return finish(env, c, true, cwndFilled, sentAny);
      budget -= length;
      sentAny = true;
      continue;
    }
    const unsent = c.unsentBytes;
    if (unsent <= 0) break;
    if (!sentAny && c.sent === undefined) restartAfterIdle(env, c);
    let usable = (c.sndUna + c.sndWnd - c.sndNxt) | 0;
    if (c.mtuSearch !== undefined || env.settings.mtuProbing === 2) {
      const size = probeSize(env, c, unsent, usable);
      if (size > 0 && path.room() > 0 && sendProbe(env, c, size)) {
        sentAny = true;
        continue;
      }
    }
    // Limited transmit (RFC 3042): what duplicate ACKs report as arrived makes room for new data.
    const pipe =
      c.caState === CA_DISORDER && !env.settings.limitedTransmit
        ? c.pipe + c.loss!.sackedBytes
        : c.pipe;
    let room = c.cwnd - pipe;
    if (c.fastOpenPassive) {
      // Fast Open: the SYN-ACK still counts as a byte in flight; it is not in the windows.
      usable++;
      room++;
    }
    const mss = c.sndMss;
    let length = Math.min(unsent, usable);
    if (c.recordEnds !== undefined) {
      const record = recordLength(c);
      if (record < length && room >= Math.min(record, mss)) {
        // Whole records go at once: what follows is not to be waited for.
        const part = record > mss ? mss : record;
        if (budget <= 0 || path.room() <= 0) return finish(env, c, true, cwndFilled, sentAny);
        if (isPaced(env, c)) break;
        if (!sendNew(env, c, part)) return finish(env, c, true, cwndFilled, sentAny);
        budget -= part;
        sentAny = true;
        continue;
      }
    }
    if (length >= mss || (length > 0 && length === unsent && length > room)) {
      if (room < Math.min(length, mss) && pipe > 0) {
        cwndFilled = true;
        break;
      }
      if (length > room) length = room;
      const most = Math.max(mss, Math.min(path.gsoMaxBytes, Math.max(budget, mss), pacedBurst(c)));
      if (length > most) length = most;
      if (length < unsent || length > mss) {
        const whole = length - (length % mss);
        // A partial last segment goes by the rules below, alone.
        if (whole > 0) length = whole;
      }
    } else if (length <= 0 || !maySendSmall(env, c, length, unsent)) {
      if (usable <= 0 && c.sent === undefined) armPersist(env, c);
      break;
    } else if (room < length && pipe > 0) {
      cwndFilled = true;
      break;
    }
    if (budget <= 0 || path.room() <= 0) return finish(env, c, true, cwndFilled, sentAny);
    if (isPaced(env, c)) break;
    const run = runLength(env, c, usable, room, budget);
    if (run > 1) {
      const sent = emitDataRun(env, c, run);
      if (sent === 0) return finish(env, c, true, cwndFilled, sentAny);
      const end = (c.sndNxt + sent * mss) | 0;
      record(env, c, c.sndNxt, end, false);
      budget -= sent * mss;
      sentAny = true;
      continue;
    }
    if (!sendNew(env, c, length)) {
      // No large frame is free: one segment may still find a small one.
      if (length <= mss || !sendNew(env, c, mss)) return finish(env, c, true, cwndFilled, sentAny);
      length = mss;
    }
    budget -= length;
    sentAny = true;
  }
  if (c.loss !== undefined) c.loss.frtoProbe = false;
  if (c.finQueued && !c.finSent && c.unsentBytes === 0) sendFin(env, c);
  return finish(env, c, false, cwndFilled, sentAny);
}

/** Bytes from SND.NXT to the end of its record; ends that were passed are forgotten. */
function recordLength(c: TcpConnection): number {
  const ends = c.recordEnds!;
  while (ends.length > 0 && seqLeq(ends[0]!, c.sndNxt)) ends.shift();
  if (ends.length > 0) return (ends[0]! - c.sndNxt) | 0;
  c.recordEnds = undefined;
  return Number.MAX_SAFE_INTEGER;
}

/** Full segments of new data that may go at once, as far as they differ in their numbers alone; a FIN's companion goes by itself. */
function runLength(
  env: TcpEnvironment,
  c: TcpConnection,
  usable: number,
  room: number,
  budget: number,
): number {
  const mss = c.sndMss;
  const bytes = Math.min(c.unsentBytes - (c.finQueued ? 1 : 0), usable, room, budget + mss - 1);
  if (bytes < 2 * mss || c.loss !== undefined || c.pacer !== undefined) return 0;
  if (pacingRate(env, c) > 0 || !canRun(env, c)) return 0;
  return Math.min(Math.floor(bytes / mss), c.path!.room(), RUN_MAX);
}

function finish(
  env: TcpEnvironment,
  c: TcpConnection,
  more: boolean,
  cwndFilled: boolean,
  sentAny: boolean,
): boolean {
  if (sentAny || cwndFilled) validateWindow(c, cwndFilled);
  // Where pacing alone stood in the way it still counts.
  if (c.sendAtUs === NEVER) c.overrideDue = false;
  if (!more && !cwndFilled && c.unsentBytes <= 0) c.rate?.markAppLimited(c.pipe);
  if (sentAny) armAfterSend(env, c);
  return more;
}

/** How much of cwnd is in use (Linux's tcp_cwnd_validate; RFC 7661 §4.2 in spirit). */
function validateWindow(c: TcpConnection, cwndFilled: boolean): void {
  const pipe = c.pipe;
  if (seqGeq(c.sndUna, c.maxPipeSeq) || cwndFilled || (!c.cwndFilled && pipe > c.maxPipe)) {
    c.cwndFilled = cwndFilled;
    c.maxPipe = pipe;
    c.maxPipeSeq = c.sndNxt;
  }
}

/**
 * Less than a full segment: Nagle's algorithm and the sender's silly-window
 * avoidance (RFC 9293 §3.7.4, §3.8.6.2.1).
 */
function maySendSmall(
  env: TcpEnvironment,
  c: TcpConnection,
  length: number,
  unsent: number,
): boolean {
  const o = c.options;
  if (c.overrideDue) return true;
  const all = length === unsent;
  if (all && c.finQueued) return true;
  if (!env.settings.sillyWindowAvoidance && !all) return true;
  if (o.cork || c.moreComing) {
    if (all) return wait(env, c, env.settings.corkUs);
  } else if (all) {
    // Minshall: only another small segment in flight holds this one back.
    if (o.nodelay || c.sent === undefined || !seqGt(c.smallEnd, c.sndUna)) return true;
    return false;
  }
  // The window cuts it short: worth it from half of the largest window seen.
  if (!all && length >= c.sndMaxWnd >> 1) return true;
  if (c.sent === undefined) return wait(env, c, env.settings.swsOverrideUs);
  return false;
}

function wait(env: TcpEnvironment, c: TcpConnection, us: number): boolean {
  if (c.overrideAtUs > env.nowUs + us) c.overrideAtUs = env.nowUs + us;
  return false;
}

/** RFC 5681 §4.1: after an idle time of more than one RTO the window is halved for each. */
function restartAfterIdle(env: TcpEnvironment, c: TcpConnection): void {
  if (!env.settings.slowStartAfterIdle || c.caState >= CA_CWR) return;
  const idleUs = env.nowUs - c.lastSentUs;
  if (idleUs <= c.rtoUs || c.controller?.ownsWindow === true) {
    if (idleUs > c.rtoUs) c.controller?.onIdleRestart?.(c, idleUs, env.nowUs);
    return;
  }
  const restart = Math.min(c.cwnd, initialCwnd(env, c));
  for (let left = idleUs - c.rtoUs; left > 0 && c.cwnd > restart; left -= c.rtoUs) {
    c.cwnd = Math.max(c.cwnd >> 1, restart);
  }
  c.maxPipe = 0;
  c.cwndFilled = false;
  c.controller?.onIdleRestart?.(c, idleUs, env.nowUs);
}

// Pacing

function pacingRate(env: TcpEnvironment, c: TcpConnection): number {
  let rate = c.pacingRate;
  if (rate === 0 && env.settings.pacing === "on") rate = defaultPacingRate(c);
  const limit = c.options.maxPacingRate;
  if (limit !== Number.POSITIVE_INFINITY && (rate === 0 || rate > limit)) rate = limit;
  return rate;
}

function isPaced(env: TcpEnvironment, c: TcpConnection): boolean {
  if (c.pacer === undefined) return false;
  if (c.pacer.maySend(pacingRate(env, c), env.nowUs)) return false;
  c.sendAtUs = Math.min(c.sendAtUs, c.pacer.nextSendUs);
  return true;
}

function paceSent(env: TcpEnvironment, c: TcpConnection, bytes: number): void {
  if (env.settings.pacing === "off") return;
  const rate = pacingRate(env, c);
  if (rate <= 0 && c.pacer === undefined) return;
  c.pacer ??= new Pacer();
  c.pacer.onSent(bytes, rate, env.nowUs);
}

/** With pacing a super-segment is at most a millisecond's worth. */
function pacedBurst(c: TcpConnection): number {
  if (c.pacer === undefined || c.pacingRate <= 0) return Number.MAX_SAFE_INTEGER;
  return Pacer.quantum(c.pacingRate, 2 * c.sndMss, 65_536);
}

// Sending

/** One segment larger than the MSS, to see whether it passes. */
function sendProbe(env: TcpEnvironment, c: TcpConnection, size: number): boolean {
  const mss = c.sndMss;
  c.sndMss = size;
  const sent = sendNew(env, c, size);
  c.sndMss = mss;
  if (!sent) return false;
  const queue = c.sent!;
  queue.setFlags(queue.end - 1, queue.flags(queue.end - 1) | MTU_PROBE);
  return true;
}

/** Sends `length` new bytes at SND.NXT, and FIN with the last of all. */
function sendNew(env: TcpEnvironment, c: TcpConnection, length: number): boolean {
  const start = c.sndNxt;
  const end = (start + length) | 0;
  const last = end === c.sndEnd;
  const withFin = last && c.finQueued;
  let flags = ACK;
  if (isPushed(c, start, end)) flags |= PSH;
  if (withFin) flags |= FIN;
  if (!emitSegment(env, c, start, length, flags, true)) return false;
  const mss = c.sndMss;
  if (length % mss !== 0) c.smallEnd = end;
  record(env, c, start, end, withFin);
  return true;
}

function record(
  env: TcpEnvironment,
  c: TcpConnection,
  start: number,
  end: number,
  fin: boolean,
): void {
  const now = env.nowUs;
  const sent = c.sent ?? (c.sent = env.takeSentSegments());
  const rate = c.rate;
  const mss = c.sndMss;
  let pipe = c.pipe;
  rate?.onSend(pipe, now);
  const base = rate?.isAppLimited === true ? APP_LIMITED : 0;
  let from = start;
  do {
    const to = seqLt((from + mss) | 0, end) ? (from + mss) | 0 : end;
    let flags = base;
    let recordEnd = to;
    if (from !== to && isPushed(c, from, to)) flags |= HAS_PUSH;
    if (fin && to === end) {
      flags |= HAS_FIN;
      recordEnd = (end + 1) | 0;
    }
    const i = sent.append(from, recordEnd, flags, now);
    pipe += (recordEnd - from) | 0;
    if (rate !== undefined) {
      sent.setRate(i, rate.delivered, rate.deliveredUs, rate.firstSentUs, pipe, rate.lost);
    }
    from = to;
  } while (from !== end);
  const bytes = (end - start) | 0;
  c.sndNxt = fin ? (end + 1) | 0 : end;
  if (fin) c.finSent = true;
  c.lastSentUs = now;
  // What waited has gone, or goes with what comes next.
  c.sendAtUs = NEVER;
  c.overrideAtUs = NEVER;
  c.overrideDue = false;
  if (env.settings.repliesCarryAcks && bytes > 0 && !c.repliesOften) {
    const sinceMs = ((now / 1000) & 0x7fffffff) - c.dataCameMs;
    c.repliesOften = sinceMs < env.settings.delayedAckUs / 1000;
  }
  if (c.caState === CA_RECOVERY || c.caState === CA_CWR) c.loss!.prr.onSent(bytes);
  c.controller?.onSent?.(c, bytes, now);
  paceSent(env, c, bytes);
}

/** FIN by itself. It is not held back by cwnd, only by a closed window. */
function sendFin(env: TcpEnvironment, c: TcpConnection): void {
  const usable = (c.sndUna + c.sndWnd - c.sndNxt) | 0;
  if (usable <= 0 && c.sndWnd === 0) {
    if (c.sent === undefined) armPersist(env, c);
    return;
  }
  if (!emitSegment(env, c, c.sndNxt, 0, ACK | FIN, false)) return;
  record(env, c, c.sndNxt, c.sndNxt, true);
  if (c.timerKind === TIMER_NONE) armAfterSend(env, c);
}

/** Sends a segment of the queue again. */
export function retransmit(
  env: TcpEnvironment,
  c: TcpConnection,
  i: number,
  reason: number,
): boolean {
  const sent = c.sent!;
  const loss = c.loss!;
  const start = sent.start(i);
  const length = sent.length(i);
  const recorded = sent.flags(i);
  const fin = (recorded & HAS_FIN) !== 0;
  let flags = ACK;
  if ((recorded & HAS_PUSH) !== 0) flags |= PSH;
  if (fin) flags |= FIN;
  env.reason = reason;
  const emitted = emitSegment(env, c, start, length - (fin ? 1 : 0), flags, false);
  env.reason = REASON_NONE;
  if (!emitted) return false;
  const rate = c.rate;
  if (rate !== undefined) {
    rate.onSend(c.pipe, env.nowUs);
    sent.setRate(i, rate.delivered, rate.deliveredUs, rate.firstSentUs, c.pipe + length, rate.lost);
  }
  sent.setFlags(i, recorded | RETRANSMITTED | EVER_RETRANSMITTED);
  if ((recorded & RETRANSMITTED) === 0) loss.retransmittedBytes += length;
  sent.resent(i, env.nowUs);
  noteRetransmission(env, c, timestampNow(c, env.nowUs));
  c.bytesRetransmitted += length;
  c.lastSentUs = env.nowUs;
  if (c.caState === CA_RECOVERY || c.caState === CA_CWR) loss.prr.onSent(length);
  paceSent(env, c, length);
  return true;
}
