import type { TcpConnection } from "./connection.ts";
import { emitSyn } from "./emit-syn.ts";
import type { TcpEnvironment } from "./environment.ts";
import { armRto } from "./retransmission-timer.ts";
import { SYN_SENT } from "./state.ts";

/** Sends the SYN or SYN-ACK that is due, and waits for its answer. */
export function sendHandshake(env: TcpEnvironment, c: TcpConnection): void {
  const s = env.settings;
  const active = c.state === SYN_SENT;
  // An ECN-setup SYN that is not answered may have been dropped for it (RFC 3168 §6.1.1.1).
  const withEcn = active ? s.ecn === 1 && c.retransmits <= s.ecnFallbackSyns : c.ecnOn;
  if (active) c.ecnOn = withEcn;
  if (!emitSyn(env, c, undefined, 0, withEcn)) return;
  c.synDue = false;
  if (c.retransmits > 0) {
    env.counters.tcpSynRetrans++;
    env.counters.tcpRetransSegs++;
    c.totalRetransmits++;
  }
  armRto(env, c);
}
