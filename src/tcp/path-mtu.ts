import { lossOf, markLost } from "./recovery/queue.ts";
import { CA_OPEN, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { updateSendMss } from "./mss.ts";
import { SYN_SENT } from "./state.ts";

/**
 * A router says that our segments are too large (RFC 1191 §6.4, RFC 8201 §5.4).
 * The path has taken the smaller value; what is in flight is cut to it and what
 * was too large is sent again at once, without a congestion event.
 */
export function pathMtuFell(env: TcpEnvironment, c: TcpConnection, mtu: number): void {
  if (c.options.pathMtuDiscovery === 0) return;
  const before = c.sndMss;
  env.ip.reportMtu(c.path!, mtu);
  updateSendMss(env, c);
  if (c.state === SYN_SENT) {
    // The SYN was too large for its data (Fast Open): it goes again without.
    if (!c.synDataSent || c.retransmits > 0) return;
    c.retransmitSinceUs = c.lastSentUs;
    c.retransmits = 1;
    c.synDue = true;
    env.wantOutput(c);
    return;
  }
  if (c.sndMss < before) cutAndSendAgain(env, c);
}

/** What is in flight is cut to the new size; the pieces of what was too large were all lost with it. */
function cutAndSendAgain(env: TcpEnvironment, c: TcpConnection): void {
  const sent = c.sent;
  if (sent === undefined) return;
  const loss = lossOf(c);
  sent.resegment(c.sndMss);
  loss.retransmitHint = sent.first;
  for (let i = sent.first; i < sent.end; i++) markLost(env, c, i);
  env.wantOutput(c);
}

// Packetization-layer discovery (RFC 4821)

/** The search ends when the range is this narrow. */
const PRECISION = 16;
/** After a probe was lost, and after the search ended, microseconds (RFC 4821 §7.2: minutes). */
const RETRY_US = 600_000_000;

/**
 * Several timeouts in a row: large segments may be swallowed by a router whose
 * ICMP does not come through (RFC 4821 §7.7, RFC 2923). Falls back to a size
 * that passes nearly everywhere, then to half of it each time.
 */
export function blackHoleSuspected(env: TcpEnvironment, c: TcpConnection): void {
  const s = env.settings;
  const path = c.path!;
  const least = path.isIpv4 ? 552 : 1280;
  if (s.mtuProbing === 0 || c.options.pathMtuDiscovery === 0 || path.mtu <= least) return;
  const search = c.mtuSearch;
  if (search === undefined) {
    c.mtuSearch = {
      low: Math.min(Math.max(s.mtuProbeFloor, least), path.mtu),
      high: path.mtu,
      probe: 0,
      nextUs: env.nowUs + RETRY_US,
    };
  } else {
    if (search.low <= least) return;
    search.high = search.low;
    search.low = Math.max(search.low >> 1, least);
    search.probe = 0;
  }
  env.counters.tcpMtuBlackhole++;
  const before = c.sndMss;
  updateSendMss(env, c);
  if (c.sndMss < before) cutAndSendAgain(env, c);
}

/**
 * Payload of the probe that may be sent now (RFC 4821 §7.3-7.4), or 0: the path
 * is calm, there is data enough to notice a loss at once, and the window has room.
 */
export function probeSize(
  env: TcpEnvironment,
  c: TcpConnection,
  unsent: number,
  usable: number,
): number {
  const s = env.settings;
  if (c.mtuSearch === undefined && s.mtuProbing === 2 && c.options.pathMtuDiscovery > 0) {
    const path = c.path!;
    const low = Math.min(s.mtuProbeFloor, path.mtu);
    c.mtuSearch = { low, high: path.mtu, probe: 0, nextUs: env.nowUs };
    updateSendMss(env, c);
  }
  const search = c.mtuSearch;
  if (search === undefined || search.probe > 0 || env.nowUs < search.nextUs) return 0;
  if (search.high - search.low < PRECISION) {
    // A path may get better: look again from the interface's size, later (RFC 4821 §7.2).
    search.high = c.path!.mtu;
    search.nextUs = env.nowUs + RETRY_US;
    return 0;
  }
  const grow = ((search.low + search.high + 1) >> 1) - search.low;
  const size = c.sndMss + grow;
  const needed = size + (s.dupThresh + 1) * c.sndMss;
  if (c.caState !== CA_OPEN || unsent < needed || usable < needed || c.cwnd - c.pipe < needed) {
    return 0;
  }
  search.probe = search.low + grow;
  return size;
}

/** The probe arrived: that size passes. */
export function probeArrived(env: TcpEnvironment, c: TcpConnection): void {
  const search = c.mtuSearch;
  if (search === undefined || search.probe === 0) return;
  env.counters.tcpMtuProbeSuccess++;
  search.low = search.probe;
  search.probe = 0;
  updateSendMss(env, c);
}

/** The probe was lost, which says nothing of congestion (RFC 4821 §7.5): cut up, it goes again. */
export function probeLost(env: TcpEnvironment, c: TcpConnection): void {
  const search = c.mtuSearch;
  if (search === undefined || search.probe === 0) return;
  env.counters.tcpMtuProbeFail++;
  search.high = search.probe - 1;
  search.probe = 0;
  c.sent?.resegment(c.sndMss);
  if (c.loss !== undefined && c.sent !== undefined) c.loss.retransmitHint = c.sent.first;
}
