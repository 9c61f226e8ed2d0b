import { NEVER } from "../base/timers.ts";
import { ACK, RST } from "../wire/tcp.ts";
import {
  TCP_EVENT_CLOSED,
  TCP_EVENT_ERROR,
  TCP_EVENT_PEER_FIN,
  TCP_EVENT_READABLE,
  TCP_EVENT_WRITABLE,
  type TcpConnection,
  TIMER_NONE,
} from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { CLOSE_WAIT, CLOSED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from "./state.ts";
import {
  TW_LOCAL,
  TW_PORTS,
  TW_RCV_NXT,
  TW_REMOTE,
  TW_SCOPE,
  TW_SND_NXT,
  TW_TS_OFFSET,
  TW_TS_RECENT,
  TW_WINDOW,
} from "./time-wait.ts";
import { rearm } from "./timer-arm.ts";
import { selectWindow } from "./window.ts";

/** Every change of state goes through here, so that it can be seen. */
export function setState(env: TcpEnvironment, c: TcpConnection, state: number): void {
  if (c.state === state) return;
  const from = c.state;
  c.state = state;
  env.tracer?.state(env.nowUs, c, from, state);
}

/** Stops the timers and gives back what only a live connection needs. */
function stopTimers(env: TcpEnvironment, c: TcpConnection): void {
  c.timerKind = TIMER_NONE;
  c.timerAtUs = NEVER;
  c.delayedAckAtUs = NEVER;
  c.lifeAtUs = NEVER;
  c.sendAtUs = NEVER;
  c.overrideAtUs = NEVER;
  c.ackFlags = 0;
  c.synDue = false;
  if (c.timerId >= 0) {
    env.timers.unregister(c.timerId);
    c.timerId = -1;
  }
}

function releaseSending(env: TcpEnvironment, c: TcpConnection): void {
  if (c.sent !== undefined) {
    while (c.sent.count > 0) c.sent.shift();
    env.giveSentSegments(c.sent);
    c.sent = undefined;
  }
  c.sndBuf.clear(env.memory);
  c.loss = undefined;
  c.controller = undefined;
  c.rate = undefined;
  c.recordEnds = undefined;
  c.pacer = undefined;
}

/**
 * Deletes the connection (RFC 9293 "delete the TCB, enter CLOSED state"). What
 * was received in order and not read stays readable; `errno` is what the
 * application is told, 0 for a normal end.
 */
export function terminate(env: TcpEnvironment, c: TcpConnection, errno: number): void {
  if (c.state === CLOSED) return;
  if (c.state === SYN_SENT || c.state === SYN_RECEIVED) env.counters.tcpAttemptFails++;
  if (errno !== 0 && c.error === 0) c.error = errno;
  leaveListener(c);
  env.demux.remove(c);
  stopTimers(env, c);
  releaseSending(env, c);
  forgetOutOfOrder(c);
  setState(env, c, CLOSED);
  if (c.isOrphan) {
    env.orphans--;
    c.isOrphan = false;
    c.rcvBuf.clear(env.memory);
  }
  env.released?.(c);
  env.notify(
    c,
    TCP_EVENT_CLOSED |
      TCP_EVENT_READABLE |
      TCP_EVENT_WRITABLE |
      (errno !== 0 ? TCP_EVENT_ERROR : 0),
  );
}

function leaveListener(c: TcpConnection): void {
  const listener = c.listener;
  if (listener === undefined) return;
  c.listener = undefined;
  listener.connectionGone(c);
}

/** What stands beyond a gap will never be completed: its pages go back with the buffer. */
function forgetOutOfOrder(c: TcpConnection): void {
  c.outOfOrder = undefined;
}

/** Sends RST and deletes the connection (ABORT, RFC 9293 §3.10.5). */
export function abort(env: TcpEnvironment, c: TcpConnection, errno: number): void {
  // CLOSING and LAST-ACK have nothing to lose any more: no RST.
  if (c.state >= SYN_RECEIVED && c.state <= CLOSE_WAIT) {
    if (c.state === SYN_RECEIVED || c.path!.usable) {
      env.replyFor(c, c.sndNxt, RST | ACK);
      if (c.state > SYN_RECEIVED && c.state <= FIN_WAIT_2) env.counters.tcpEstabResets++;
    }
  }
  terminate(env, c, errno);
}

/**
 * Enters TIME-WAIT: the connection lives on as a compact record for 2 MSL; the
 * control block only serves an application that still reads.
 */
export function enterTimeWait(env: TcpEnvironment, c: TcpConnection): void {
  const t = env.demux.timeWait;
  const counters = env.counters;
  setState(env, c, TIME_WAIT);
  leaveListener(c);
  env.demux.remove(c);
  if (t.count < env.settings.maxTimeWait) {
    counters.tcpTimeWaits++;
    const { local, remote } = c.path!;
    const record = t.add(env.nowUs + 2 * env.settings.mslUs);
    t.set(record, TW_LOCAL, local.w0);
    t.set(record, TW_LOCAL + 1, local.w1);
    t.set(record, TW_LOCAL + 2, local.w2);
    t.set(record, TW_LOCAL + 3, local.w3);
    t.set(record, TW_REMOTE, remote.w0);
    t.set(record, TW_REMOTE + 1, remote.w1);
    t.set(record, TW_REMOTE + 2, remote.w2);
    t.set(record, TW_REMOTE + 3, remote.w3);
    t.set(record, TW_PORTS, (c.localPort << 16) | c.remotePort);
    t.set(record, TW_SCOPE, c.scope);
    t.set(record, TW_RCV_NXT, c.rcvNxt);
    t.set(record, TW_SND_NXT, c.sndNxt);
    t.set(record, TW_TS_RECENT, c.tsRecent);
    t.set(record, TW_TS_OFFSET, c.tsOffset);
    const window = selectWindow(env.settings, c) | (c.timestampsOn ? 0x10000 : 0);
    t.set(record, TW_WINDOW, window | (c.options.ttl << 17) | ((c.options.tos >>> 2) << 25));
    t.setTsRecentUs(record, c.tsRecentUs);
    env.demux.addTimeWait(record);
  } else {
    counters.tcpTimeWaitOverflow++;
  }
  // The last ACK is still owed: it goes out before the timers stop (the record answers later ones).
  finishLastAck(env, c);
  const wasOrphan = c.isOrphan;
  stopTimers(env, c);
  releaseSending(env, c);
  forgetOutOfOrder(c);
  if (wasOrphan) {
    env.orphans--;
    c.isOrphan = false;
    c.rcvBuf.clear(env.memory);
  }
  env.released?.(c);
  env.notify(c, TCP_EVENT_CLOSED | TCP_EVENT_PEER_FIN | TCP_EVENT_READABLE | TCP_EVENT_WRITABLE);
}

function finishLastAck(env: TcpEnvironment, c: TcpConnection): void {
  if (c.ackFlags === 0) return;
  env.replyFor(c, c.sndNxt, ACK);
}

/** Nobody holds the socket any more, but the connection still delivers. */
export function orphan(env: TcpEnvironment, c: TcpConnection): void {
  if (c.isOrphan || c.state === CLOSED || c.state === TIME_WAIT) {
    c.rcvBuf.clear(env.memory);
    return;
  }
  c.isOrphan = true;
  env.orphans++;
}

/** FIN-WAIT-2 of an orphan is bounded: the peer may never close (RFC 1122 §4.2.2.13 forbids it only while the application waits). */
export function boundFinWait2(env: TcpEnvironment, c: TcpConnection): void {
  if (!c.isOrphan || c.state !== FIN_WAIT_2) return;
  c.lifeAtUs = env.nowUs + c.options.linger2Us;
  rearm(env, c);
}
