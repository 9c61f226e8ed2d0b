import { NEVER } from "../base/timers.ts";
import {
  CA_CWR,
  CA_OPEN,
  TIMER_NONE,
  TIMER_PERSIST,
  TIMER_PROBE,
  TIMER_REORDER,
  TIMER_RTO,
  type TcpConnection,
} from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { rearm } from "./timer-arm.ts";

/**
 * One timer serves retransmission (RFC 6298 §5), the tail loss probe (RFC 8985
 * §7.2), RACK's reordering window and the persist timer (RFC 9293 §3.8.6.1):
 * never more than one of them is waited for.
 */
export function armRetransmission(env: TcpEnvironment, c: TcpConnection, progress: boolean): void {
  if (c.sent === undefined) {
    if (c.timerKind !== TIMER_PERSIST || progress) stop(c);
    // What waits for a window is asked about by output (armPersist).
  } else if (c.timerKind === TIMER_REORDER && progress && c.loss!.sackedBytes > 0) {
    // This very ACK has set it (RFC 8985 §6.3): the gap is still there.
  } else if (c.timerKind !== TIMER_REORDER || progress) {
    if (progress || c.timerKind === TIMER_NONE || c.timerKind === TIMER_PERSIST) {
      c.timerKind = TIMER_RTO;
      c.timerAtUs = env.nowUs + c.rtoUs;
      scheduleProbe(env, c);
    }
  }
  rearm(env, c);
}

/** New data was sent: RFC 6298 §5.1, and the probe is put off (RFC 8985 §7.2). */
export function armAfterSend(env: TcpEnvironment, c: TcpConnection): void {
  if (c.timerKind === TIMER_NONE || c.timerKind === TIMER_PERSIST || c.timerKind === TIMER_PROBE) {
    c.timerKind = TIMER_RTO;
    c.timerAtUs = env.nowUs + c.rtoUs;
    scheduleProbe(env, c);
  } else if (c.timerKind === TIMER_RTO && c.caState <= CA_CWR) {
    const at = c.timerAtUs;
    scheduleProbe(env, c);
    if (c.timerKind === TIMER_RTO) c.timerAtUs = at;
  }
  rearm(env, c);
}

/** PTO of RFC 8985 §7.2, when a probe is allowed and comes before the timeout. */
function scheduleProbe(env: TcpEnvironment, c: TcpConnection): void {
  const s = env.settings;
  if (!s.tlp || !c.sackOn || c.retransmits > 0) return;
  if (c.caState !== CA_OPEN && c.caState !== CA_CWR) return;
  const loss = c.loss;
  if (loss !== undefined && (loss.tlpActive || loss.sackedBytes > 0)) return;
  let pto: number;
  if (c.srttUs > 0) {
    pto = 2 * c.srttUs;
    // One segment out: its ACK may be delayed. Otherwise only timer granularity.
    pto += c.sent!.count === 1 ? s.minRtoUs : 2000;
  } else {
    pto = s.initialRtoUs;
  }
  const at = env.nowUs + pto;
  if (at >= c.timerAtUs) return;
  c.timerKind = TIMER_PROBE;
  c.timerAtUs = at;
}

/** RACK waits for the reordering window (RFC 8985 §6.3). */
export function armReorderTimer(env: TcpEnvironment, c: TcpConnection, waitUs: number): void {
  c.timerKind = TIMER_REORDER;
  c.timerAtUs = env.nowUs + waitUs + env.settings.reorderSlackUs;
  rearm(env, c);
}

export function armRto(env: TcpEnvironment, c: TcpConnection): void {
  c.timerKind = TIMER_RTO;
  c.timerAtUs = env.nowUs + c.rtoUs;
  rearm(env, c);
}

/** The peer's window is closed and data waits (RFC 9293 §3.8.6.1). */
export function armPersist(env: TcpEnvironment, c: TcpConnection): void {
  if (c.timerKind !== TIMER_NONE) return;
  c.timerKind = TIMER_PERSIST;
  const wait = Math.min(c.rtoUs * 2 ** Math.min(c.probeRounds, 20), env.settings.persistMaxUs);
  c.timerAtUs = env.nowUs + wait;
  rearm(env, c);
}

function stop(c: TcpConnection): void {
  c.timerKind = TIMER_NONE;
  c.timerAtUs = NEVER;
}
