import { ETIMEDOUT } from "../base/errors.ts";
import { NEVER } from "../base/timers.ts";
import { ACK } from "../wire/tcp.ts";
import { reorderTimeout } from "./ack.ts";
import {
  ACK_DELAYED,
  ACK_NOW,
  type TcpConnection,
  TIMER_NONE,
  TIMER_PERSIST,
  TIMER_PROBE,
  TIMER_REORDER,
  TIMER_RTO,
} from "./connection.ts";
import { emitSegment } from "./emit.ts";
import type { TcpEnvironment } from "./environment.ts";
import { armKeepAlive, keepAliveDue } from "./keepalive.ts";
import { abort, terminate } from "./lifecycle.ts";
import { blackHoleSuspected } from "./path-mtu.ts";
import { output, retransmit } from "./output.ts";
import { enterLoss } from "./recovery/episodes.ts";
import { lossOf, nextLost } from "./recovery/queue.ts";
import { armPersist, armRto } from "./retransmission-timer.ts";
import { backoffRto } from "./rtt.ts";
import { CLOSED, ESTABLISHED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT } from "./state.ts";
import {
  REASON_KEEPALIVE,
  REASON_NONE,
  REASON_PROBE,
  REASON_RTO,
  REASON_WINDOW_PROBE,
  TIMER_DELAYED_ACK,
  TIMER_LIFE,
  TIMER_SEND,
} from "../base/trace.ts";
import { rearm } from "./timer-arm.ts";

/** The connection's earliest deadline has come; handles whichever are due. Called from `poll`. */
export function connectionTimer(env: TcpEnvironment, c: TcpConnection, nowUs: number): void {
  if (c.delayedAckAtUs <= nowUs) {
    c.delayedAckAtUs = NEVER;
    // Nothing was sent in time to carry it.
    c.repliesOften = false;
    if ((c.ackFlags & ACK_DELAYED) !== 0) {
      env.tracer?.timerFired(nowUs, c, TIMER_DELAYED_ACK);
      env.counters.tcpDelayedAcks++;
      c.ackFlags |= ACK_NOW;
      env.wantOutput(c);
    }
  }
  if (c.sendAtUs <= nowUs) {
    c.sendAtUs = NEVER;
    env.tracer?.timerFired(nowUs, c, TIMER_SEND);
    env.wantOutput(c);
  }
  if (c.overrideAtUs <= nowUs) {
    c.overrideAtUs = NEVER;
    env.tracer?.timerFired(nowUs, c, TIMER_SEND);
    c.overrideDue = true;
    env.wantOutput(c);
  }
  if (c.timerAtUs <= nowUs) {
    const kind = c.timerKind;
    c.timerKind = TIMER_NONE;
    c.timerAtUs = NEVER;
    env.tracer?.timerFired(nowUs, c, kind);
    if (kind === TIMER_RTO) retransmissionTimeout(env, c);
    else if (kind === TIMER_PROBE) tailLossProbe(env, c);
    else if (kind === TIMER_REORDER) {
      reorderTimeout(env, c);
      if (c.timerKind === TIMER_NONE && c.sent !== undefined) armRto(env, c);
    } else if (kind === TIMER_PERSIST) windowProbe(env, c);
  }
  if (c.lifeAtUs <= nowUs) {
    c.lifeAtUs = NEVER;
    env.tracer?.timerFired(nowUs, c, TIMER_LIFE);
    lifeTimeout(env, c);
  }
  if (c.state !== CLOSED) rearm(env, c);
}

/** RFC 6298 §5.4-5.7, RFC 9293 §3.8.3 (R1, R2). */
function retransmissionTimeout(env: TcpEnvironment, c: TcpConnection): void {
  if (c.state === SYN_SENT || c.state === SYN_RECEIVED) {
    handshakeTimeout(env, c);
    return;
  }
  const sent = c.sent;
  if (sent === undefined) return;
  if (c.retransmits === 0) c.retransmitSinceUs = sent.sentUs(sent.first);
  // A window that shrank to nothing behind what was sent: retransmissions are its
  // probes, and do not end the connection while the peer answers (SHLD-17).
  const isShut = c.sndWnd === 0 && !c.isOrphan && c.options.userTimeoutUs === 0;
  const expired = isShut
    ? env.nowUs - c.lastReceivedUs > 2 * env.settings.maxRtoUs
    : hasExpired(env, c, c.retransmits);
  if (expired) {
    env.counters.tcpAbortOnTimeout++;
    abort(env, c, c.softError !== 0 ? c.softError : ETIMEDOUT);
    return;
  }
  env.counters.tcpTimeouts++;
  if (c.retransmits >= env.settings.retries1) env.ip.doubt(c.path!); // R1
  enterLoss(env, c);
  if (!isShut) c.retransmits++;
  backoffRto(c, env.rto);
  if (c.retransmits >= env.settings.retries1) blackHoleSuspected(env, c);
  // The first segment goes at once, whatever the queues say; the rest by output.
  const first = nextLost(c);
  if (first >= 0 && c.path!.room() > 0) retransmit(env, c, first, REASON_RTO);
  armRto(env, c);
  env.wantOutput(c);
}

/** R2: as a time when the user set one (RFC 5482), as a count otherwise. */
function hasExpired(env: TcpEnvironment, c: TcpConnection, retries: number): boolean {
  const s = env.settings;
  const userTimeout = c.options.userTimeoutUs;
  if (userTimeout > 0) return env.nowUs - c.retransmitSinceUs >= userTimeout;
  return retries >= (c.isOrphan ? s.orphanRetries : s.retries2);
}

function handshakeTimeout(env: TcpEnvironment, c: TcpConnection): void {
  const s = env.settings;
  if (c.retransmits === 0) c.retransmitSinceUs = c.lastSentUs;
  const most = c.state === SYN_SENT ? c.options.synRetries : s.synAckRetries;
  const userTimeout = c.options.userTimeoutUs;
  if (
    c.retransmits >= most ||
    (userTimeout > 0 && env.nowUs - c.retransmitSinceUs >= userTimeout)
  ) {
    env.counters.tcpAbortOnTimeout++;
    terminate(env, c, c.softError !== 0 ? c.softError : ETIMEDOUT);
    return;
  }
  if (c.deferSinceUs >= 0 && env.nowUs - c.deferSinceUs < c.options.deferAcceptUs) {
    // The peer has acknowledged and is only waited for: nothing to send again yet.
    backoffRto(c, env.rto);
    armRto(env, c);
    return;
  }
  env.counters.tcpTimeouts++;
  // Twice no answer to a SYN with data: something on the path may not like it.
  if (c.synDataSent && c.retransmits === 1) env.fastOpen.blackhole(env.nowUs);
  c.retransmits++;
  if (c.retransmits >= s.retries1) env.ip.doubt(c.path!);
  if (s.bareSynAfter > 0 && c.retransmits >= s.bareSynAfter && c.state === SYN_SENT) {
    c.scalingOn = c.sackOn = c.timestampsOn = false;
  }
  backoffRto(c, env.rto);
  c.synDue = true;
  env.wantOutput(c);
}

/** RFC 8985 §7.3: new data if there is some, else the last segment again. */
function tailLossProbe(env: TcpEnvironment, c: TcpConnection): void {
  const sent = c.sent;
  if (sent === undefined) return;
  const loss = lossOf(c);
  const usable = (c.sndUna + c.sndWnd - c.sndNxt) | 0;
  const unsent = c.unsentBytes;
  loss.tlpActive = true;
  env.counters.tcpLossProbes++;
  if (unsent > 0 && usable > 0 && c.cwnd > 0) {
    loss.tlpIsRetransmit = false;
    // One segment beyond the window that cwnd allows.
    const cwnd = c.cwnd;
    c.cwnd = Math.max(cwnd, c.pipe + c.sndMss);
    c.overrideDue = true;
    output(env, c);
    c.cwnd = cwnd;
  } else {
    loss.tlpIsRetransmit = true;
    retransmit(env, c, sent.end - 1, REASON_PROBE);
  }
  loss.tlpHighSeq = c.sndNxt;
  armRto(env, c);
}

/** The peer's window is closed: asks whether it still is (RFC 9293 §3.8.6.1, RFC 6429). */
function windowProbe(env: TcpEnvironment, c: TcpConnection): void {
  const usable = (c.sndUna + c.sndWnd - c.sndNxt) | 0;
  if (c.unsentBytes <= 0 && !(c.finQueued && !c.finSent)) {
    c.probesOut = 0;
    return;
  }
  if (usable > 0) {
    c.overrideDue = true;
    env.wantOutput(c);
    return;
  }
  const s = env.settings;
  if (c.probesOut === 0) c.retransmitSinceUs = env.nowUs;
  const userTimeout = c.options.userTimeoutUs;
  // MUST-37: as long as the peer answers, the connection stays open without end;
  // each answer resets probesOut. An orphan is bounded.
  if (
    (userTimeout > 0 && env.nowUs - c.retransmitSinceUs >= userTimeout) ||
    c.probesOut >= (c.isOrphan ? s.orphanRetries : s.retries2)
  ) {
    env.counters.tcpAbortOnTimeout++;
    abort(env, c, ETIMEDOUT);
    return;
  }
  env.counters.tcpZeroWindowProbes++;
  // MUST-36: one byte of new data, if there is some. It is not counted as sent:
  // if the peer takes it, its ACK says so.
  env.reason = REASON_WINDOW_PROBE;
  if (s.windowProbeWithData && c.unsentBytes > 0) {
    emitSegment(env, c, c.sndNxt, 1, ACK, false);
  } else {
    emitSegment(env, c, (c.sndUna - 1) | 0, 0, ACK, false);
  }
  env.reason = REASON_NONE;
  c.lastSentUs = env.nowUs;
  c.probesOut++;
  c.probeRounds++;
  armPersist(env, c);
}

/** What bounds the connection's life: the time to open it, keep-alive, FIN-WAIT-2. */
function lifeTimeout(env: TcpEnvironment, c: TcpConnection): void {
  if (c.state === SYN_SENT || c.state === SYN_RECEIVED) {
    env.counters.tcpAbortOnTimeout++;
    terminate(env, c, c.softError !== 0 ? c.softError : ETIMEDOUT);
    return;
  }
  if (c.state === FIN_WAIT_2 && c.isOrphan) {
    env.counters.tcpAbortOnLinger++;
    terminate(env, c, 0);
    return;
  }
  if (!c.options.keepAlive || c.state < ESTABLISHED) return;
  const o = c.options;
  // Data in flight is its own question to the peer.
  if (c.sent !== undefined || keepAliveDue(c) > env.nowUs) {
    c.lifeAtUs = Math.max(
      keepAliveDue(c),
      env.nowUs + (c.sent !== undefined ? o.keepAliveIdleUs : 0),
    );
    return;
  }
  const expired =
    o.userTimeoutUs > 0
      ? c.keepAliveProbes > 0 && env.nowUs - c.lastReceivedUs >= o.userTimeoutUs
      : c.keepAliveProbes >= o.keepAliveCount;
  if (expired) {
    env.counters.tcpAbortOnTimeout++;
    abort(env, c, c.softError !== 0 ? c.softError : ETIMEDOUT);
    return;
  }
  // MAY-5 and MUST-29: SND.NXT-1 without data draws an ACK from every TCP.
  env.counters.tcpKeepAlive++;
  env.reason = REASON_KEEPALIVE;
  emitSegment(env, c, (c.sndNxt - 1) | 0, 0, ACK, false);
  env.reason = REASON_NONE;
  c.keepAliveProbes++;
  c.keepAliveAtUs = env.nowUs;
  armKeepAlive(env, c);
}
