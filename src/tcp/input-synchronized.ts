import { ECONNREFUSED, ECONNRESET, EPIPE } from "../base/errors.ts";
import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";
import { ACK, CWR, FIN, RST, SYN, URG } from "../wire/tcp.ts";
import { isAcceptable } from "./acceptability.ts";
import { processAck } from "./ack.ts";
import { answerUnacceptable, challengeAck } from "./challenge-ack.ts";
import {
  ACK_NOW,
  TCP_EVENT_PEER_FIN,
  TCP_EVENT_READABLE,
  TCP_EVENT_URGENT,
  type TcpConnection,
} from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { completeHandshake } from "./establish.ts";
import { abort, boundFinWait2, enterTimeWait, setState, terminate } from "./lifecycle.ts";
import { delayAck, receiveData, reportDuplicate } from "./receive.ts";
import { rearm } from "./timer-arm.ts";
import type { Segment } from "./segment.ts";
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  SYN_RECEIVED,
} from "./state.ts";
import { DROP_ACK, DROP_PAWS, DROP_SEQUENCE } from "../base/trace.ts";
import { TS_RECENT_LIFETIME_US } from "./timestamps.ts";
import { rightEdge } from "./window.ts";

/**
 * RFC 9293 §3.10.7.4: a segment for a connection in SYN-RECEIVED or a
 * synchronized state, in the RFC's order: sequence number, RST, SYN, ACK, URG,
 * text, FIN. Never transmits; what is owed is noted for the next poll.
 */
export function inputSynchronized(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const flags = seg.flags;
  const segLength = seg.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  c.lastReceivedUs = env.nowUs;
  c.keepAliveProbes = 0;

  // First: the sequence number; before it PAWS (RFC 7323 §5.3).
  if (c.timestampsOn && isOldTimestamp(env, c, seg)) {
    env.counters.tcpPawsEstab++;
    env.tracer?.drop(env.nowUs, c, DROP_PAWS);
    if ((flags & RST) === 0) answerUnacceptable(env, c, seg.length > 0);
    return;
  }
  const edge = rightEdge(env.settings, c);
  if (!isAcceptable(c, seg.seq, segLength, edge)) {
    unacceptable(env, c, seg, segLength, edge);
    return;
  }
  // Second: RST (RFC 5961 §3.2).
  if ((flags & RST) !== 0) {
    if (seg.seq === c.rcvNxt || (env.settings.insecureRst && seg.seq !== edge)) reset(env, c);
    // The right edge itself is only for ACKs (see isAcceptable).
    else if (seg.seq !== edge) challengeAck(env, c);
    return;
  }
  // Fourth: SYN (RFC 5961 §4.2); a repeated SYN of the handshake was answered above.
  if ((flags & SYN) !== 0) {
    synInWindow(env, c, seg);
    return;
  }
  // Fifth: ACK.
  if ((flags & ACK) === 0) return;
  if (c.state === SYN_RECEIVED && !completeHandshake(env, c, seg)) return;
  if (!checkAck(env, c, seg)) return;
  // Only now: a segment that acknowledges what was never sent tells nothing.
  if (c.timestampsOn && c.state !== CLOSED) updateTsRecent(env, c, seg);
  if (c.state === CLOSED || !afterAck(env, c)) return;
  // Sixth: URG.
  if ((flags & URG) !== 0) urgent(env, c, seg);
  // Seventh: text.
  if (seg.length > 0) text(env, c, seg);
  // Eighth: FIN.
  if ((seg.flags & FIN) !== 0) noteFin(c, (seg.seq + seg.length) | 0);
  if (c.finSeen) {
    reachFin(env, c);
    // Beyond a gap, and without data that was answered already: a duplicate ACK tells.
    if (c.finSeen && seg.length === 0 && (seg.flags & FIN) !== 0) c.ackFlags |= ACK_NOW;
  }
  // A former state is final now, or its timers moved.
  if ((c.ackFlags & ACK_NOW) !== 0) env.wantOutput(c);
  else if (c.ackFlags !== 0) rearm(env, c);
}

/** The header-prediction test's slow path for PAWS: is the timestamp before TS.Recent? */
function isOldTimestamp(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  const o = seg.options;
  if (!o.hasTimestamps || ((o.tsVal - c.tsRecent) | 0) >= 0) return false;
  // An idle connection's TS.Recent is worth nothing after 24 days (RFC 7323 §5.5).
  if (env.nowUs - c.tsRecentUs > TS_RECENT_LIFETIME_US) return false;
  return (seg.flags & RST) === 0;
}

/** RFC 7323 §4.3 (2): TS.Recent follows segments that begin at or before the last ACK sent. */
function updateTsRecent(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  if (!seg.options.hasTimestamps) return;
  if (seqLeq(seg.seq, c.lastAckSent)) {
    c.tsRecent = seg.options.tsVal;
    c.tsRecentUs = env.nowUs;
  }
}

function unacceptable(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  segLength: number,
  edge: number,
): void {
  env.tracer?.drop(env.nowUs, c, DROP_SEQUENCE);
  if ((seg.flags & RST) !== 0) return;
  if (c.state === SYN_RECEIVED && (seg.flags & (SYN | ACK)) === SYN && seg.seq === c.irs) {
    // The peer's SYN again: our SYN-ACK was lost.
    c.synDue = !c.isHeld;
    env.wantOutput(c);
    return;
  }
  if (
    c.state === SYN_RECEIVED &&
    !c.passive &&
    (seg.flags & (SYN | ACK)) === (SYN | ACK) &&
    seg.seq === c.irs &&
    seg.ack === c.sndNxt
  ) {
    // A simultaneous open: the peer's SYN again, now with the ACK of ours (RFC 9293 §3.5, figure 8).
    completeHandshake(env, c, seg);
    return;
  }
  if ((seg.flags & SYN) !== 0) {
    challengeAck(env, c);
    return;
  }
  const end = (seg.seq + segLength) | 0;
  if (segLength > 0 && seqLt(seg.seq, c.rcvNxt) && seqLeq(end, edge)) {
    env.counters.tcpRcvDuplicates++;
    reportDuplicate(env, c, seg.seq, seqLt(c.rcvNxt, end) ? c.rcvNxt : end);
  } else if (seg.length > 0 && edge === c.rcvNxt) {
    env.counters.tcpZeroWindowDrops++;
  }
  // Two peers that probe each other's closed windows, each of which has taken the other's byte:
  // their numbers stand one below, and still their ACKs count, or neither would hear of the other's.
  if (
    seg.length === 0 &&
    (seg.flags & (ACK | SYN | FIN)) === ACK &&
    seg.seq === ((c.rcvNxt - 1) | 0) &&
    c.state > SYN_RECEIVED &&
    isProbeTaken(c, seg) &&
    (!checkAck(env, c, seg) || !afterAck(env, c))
  ) {
    return;
  }
  // MUST-66: with a zero window ACKs and URGs are still taken from a segment that stands at RCV.NXT.
  if (seg.seq === c.rcvNxt && (seg.flags & (ACK | SYN)) === ACK && c.state > SYN_RECEIVED) {
    if (
      checkAck(env, c, seg) &&
      c.state !== CLOSED &&
      afterAck(env, c) &&
      (seg.flags & URG) !== 0
    ) {
      urgent(env, c, seg);
    }
  }
  if (c.state !== CLOSED) answerUnacceptable(env, c, seg.length > 0);
}

/** An acceptable RST. */
function reset(env: TcpEnvironment, c: TcpConnection): void {
  switch (c.state) {
    case SYN_RECEIVED:
      // A passive open goes back to LISTEN, silently; an active one was refused.
      terminate(env, c, c.fastOpenPassive ? ECONNRESET : c.passive ? 0 : ECONNREFUSED);
      return;
    case CLOSE_WAIT:
      env.counters.tcpEstabResets++;
      terminate(env, c, env.settings.resetErrors === "linux" ? EPIPE : ECONNRESET);
      return;
    case CLOSING:
    case LAST_ACK:
      terminate(env, c, env.settings.resetErrors === "freebsd" ? ECONNRESET : 0);
      return;
    default:
      env.counters.tcpEstabResets++;
      terminate(env, c, ECONNRESET);
  }
}

/** SYN inside the window: never a legitimate segment of this connection. */
function synInWindow(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  if (c.state === SYN_RECEIVED && c.passive && (seg.flags & ACK) === 0 && seg.seq === c.irs) {
    c.synDue = !c.isHeld;
    env.wantOutput(c);
    return;
  }
  if (c.state === SYN_RECEIVED && c.passive) {
    // RFC 9293 §3.10.7.4: back to LISTEN.
    terminate(env, c, 0);
    return;
  }
  if (env.settings.insecureSyn) {
    // RFC 9293 §3.10.7.4: a reset, in every state.
    env.replyFor(c, c.sndNxt, RST | ACK);
    terminate(env, c, ECONNRESET);
    return;
  }
  env.counters.tcpSynChallenge++;
  challengeAck(env, c);
}

/** The peer has taken the byte of a window probe, which was not counted as sent. */
function isProbeTaken(c: TcpConnection, seg: Segment): boolean {
  return c.probeRounds > 0 && seg.ack === ((c.sndNxt + 1) | 0) && c.unsentBytes > 0;
}

/** Fifth: SEG.ACK against SND.UNA and SND.NXT. False: the segment ends here. */
function checkAck(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  if (seqGt(seg.ack, c.sndNxt)) {
    if (isProbeTaken(c, seg)) {
      // The byte of a window probe was taken after all.
      c.sndNxt = seg.ack;
    } else {
      env.tracer?.drop(env.nowUs, c, DROP_ACK);
      if (env.settings.answerFutureAcks) challengeAck(env, c);
      return false;
    }
  }
  if (seqLt(seg.ack, c.sndUna)) {
    env.counters.tcpOldAcks++;
    // RFC 5961 §5.2: older than any window we ever were given: likely forged.
    if (seqLt(seg.ack, (c.sndUna - Math.max(c.sndMaxWnd, 65_535)) | 0)) {
      env.tracer?.drop(env.nowUs, c, DROP_ACK);
      challengeAck(env, c);
      return false;
    }
    if (seg.options.sackCount > 0 && c.sackOn && c.sent !== undefined) staleSack(env, c, seg);
    return true;
  }
  processAck(env, c, seg);
  return true;
}

/** An ACK that others overtook: its SACK blocks are still news, its number and window are not. */
function staleSack(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const { sndWnd, sndWl1, sndWl2 } = c;
  const { ack } = seg;
  seg.ack = c.sndUna;
  processAck(env, c, seg);
  seg.ack = ack;
  c.sndWnd = sndWnd;
  c.sndWl1 = sndWl1;
  c.sndWl2 = sndWl2;
}

/** State changes by the acknowledgement of our FIN. False: nothing more of this segment counts. */
function afterAck(env: TcpEnvironment, c: TcpConnection): boolean {
  if (!c.finSent || c.sndUna !== c.sndNxt || c.sndUna === c.sndEnd) return true;
  switch (c.state) {
    case FIN_WAIT_1:
      setState(env, c, FIN_WAIT_2);
      boundFinWait2(env, c);
      return true;
    case CLOSING:
      enterTimeWait(env, c);
      return false;
    case LAST_ACK:
      terminate(env, c, 0);
      return false;
    default:
      return true;
  }
}

function urgent(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const s = env.settings;
  const up = (seg.seq + seg.urgentPointer + (s.urgentToLast ? 1 : 0)) | 0;
  if (seqLeq(up, c.rcvNxt) || (c.urgentIn && seqLeq(up, c.rcvUp))) return;
  c.rcvUp = up;
  c.urgentIn = true;
  env.notify(c, TCP_EVENT_URGENT);
}

function text(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  switch (c.state) {
    case ESTABLISHED:
    case FIN_WAIT_1:
    case FIN_WAIT_2:
      break;
    default:
      // The peer has sent FIN: no text may follow (RFC 9293: ignore).
      return;
  }
  const end = (seg.seq + seg.length) | 0;
  if (c.readShutdown && c.isOrphan && seqGt(end, c.rcvNxt)) {
    // RFC 1122 §4.2.2.13: data for an application that has closed is lost; say so.
    env.counters.tcpAbortOnData++;
    abort(env, c, ECONNRESET);
    return;
  }
  if (c.ecnOn) noteEcn(env, c, seg);
  receiveData(env, c, seg);
}

/** RFC 3168 §6.1.3: echo congestion until CWR; DCTCP echoes each mark (RFC 8257 §3.2). */
function noteEcn(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const marked = seg.ecn === 3;
  if (c.controller?.usesExactEcn === true) {
    if (marked !== c.ecnEchoDue) c.ackFlags |= ACK_NOW;
    c.ecnEchoDue = marked;
    return;
  }
  if ((seg.flags & CWR) !== 0) {
    // Said at once: the sender may wait for nothing else.
    c.ecnEchoDue = false;
    c.ackFlags |= ACK_NOW;
  }
  if (marked) {
    if (!c.ecnEchoDue && env.settings.echoMarksAtOnce) c.ackFlags |= ACK_NOW;
    c.ecnEchoDue = true;
  }
}

export function noteFin(c: TcpConnection, seq: number): void {
  if (c.finSeen || c.finReceived) return;
  if (seqGeq(seq, c.rcvNxt)) {
    c.finSeen = true;
    c.finSeq = seq;
  }
}

/** The FIN is acted upon when everything before it is there. */
export function reachFin(env: TcpEnvironment, c: TcpConnection): void {
  if (c.rcvNxt !== c.finSeq || c.finReceived) return;
  c.finReceived = true;
  c.finSeen = false;
  c.rcvNxt = (c.finSeq + 1) | 0;
  // The edge announced may end right before the FIN.
  if (seqLt(c.rcvAdv, c.rcvNxt)) c.rcvAdv = c.rcvNxt;
  c.outOfOrder = undefined;
  if (env.settings.finDropsDsack) c.dsackEnd = c.dsackStart;
  // An application that asked for delayed ACKs (TCP_QUICKACK 0) may close at once: FIN takes it along.
  if (c.options.quickAck === 0 && c.state === ESTABLISHED && c.ackFlags === 0) delayAck(env, c);
  else c.ackFlags |= ACK_NOW;
  switch (c.state) {
    case SYN_RECEIVED:
    case ESTABLISHED:
      setState(env, c, CLOSE_WAIT);
      break;
    case FIN_WAIT_1:
      // afterAck ran before: our FIN is not acknowledged yet.
      setState(env, c, CLOSING);
      break;
    case FIN_WAIT_2:
      enterTimeWait(env, c);
      return;
    default:
      break;
  }
  env.notify(c, TCP_EVENT_PEER_FIN | TCP_EVENT_READABLE);
}
