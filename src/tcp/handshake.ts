import type { TcpConnection } from "./connection.ts";
import { emitSyn } from "./emit-syn.ts";
import type { TcpEnvironment } from "./environment.ts";
import { HAS_PUSH } from "./sent-segments.ts";
import { armRto } from "./retransmission-timer.ts";
import { SYN_SENT } from "./state.ts";
import { TCP_HEADER } from "../wire/tcp.ts";

/** Room for options in a TCP header. */
const MAX_OPTIONS = 40;

/** Sends the SYN or SYN-ACK that is due, and waits for its answer. */
export function sendHandshake(env: TcpEnvironment, c: TcpConnection): void {
  const s = env.settings;
  const active = c.state === SYN_SENT;
  // An ECN-setup SYN that is not answered may have been dropped for it (RFC 3168 §6.1.1.1).
  const withEcn = active ? s.ecn === 1 && c.retransmits <= s.ecnFallbackSyns : c.ecnOn;
  if (active) c.ecnOn = withEcn;
  // Only the first SYN carries cookie and data (RFC 7413 §4.1.3.1).
  const cookie = c.passive || (active && c.retransmits === 0) ? c.fastOpenCookie : undefined;
  const length = active && c.synDataAllowed && c.retransmits === 0 ? synDataLength(env, c) : 0;
  if (!emitSyn(env, c, cookie, length, withEcn)) return;
  c.synDue = false;
  const limit = c.options.connectTimeoutUs;
  if (active && limit > 0 && c.retransmits === 0) c.lifeAtUs = env.nowUs + limit;
  if (length > 0) {
    c.synDataSent = true;
    env.counters.tcpFastOpenActive++;
    c.sent = env.takeSentSegments();
    const start = c.sndNxt;
    c.sndNxt = (start + length) | 0;
    c.sent.append(start, c.sndNxt, HAS_PUSH, env.nowUs);
  }
  if (c.retransmits > 0) {
    env.counters.tcpSynRetrans++;
    env.counters.tcpRetransSegs++;
    c.totalRetransmits++;
  }
  armRto(env, c);
}

/** How much of the data written fits behind a SYN with all options. */
function synDataLength(env: TcpEnvironment, c: TcpConnection): number {
  return Math.max(0, Math.min((c.sndEnd - c.sndNxt) | 0, synDataRoom(env, c)));
}

/** Data that a SYN has room for: the MSS that the server last announced, less the most that options take. */
export function synDataRoom(env: TcpEnvironment, c: TcpConnection): number {
  const path = c.path!;
  const known = env.fastOpen.remembered(path.remote)?.mss || 0xffff;
  const own = c.options.maxSegment || env.settings.maxSegment || 0xffff;
  return Math.min(known, own, path.mtu - path.headerLength - TCP_HEADER) - MAX_OPTIONS;
}
