import { lossOf, markLost } from "./recovery/queue.ts";
import type { TcpConnection } from "./connection.ts";
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
  if (c.sndMss >= before) return;
  const sent = c.sent;
  if (sent === undefined) return;
  const loss = lossOf(c);
  sent.resegment(c.sndMss);
  loss.retransmitHint = sent.first;
  // The pieces of a segment that was too large were all lost with it.
  for (let i = sent.first; i < sent.end; i++) markLost(env, c, i);
  env.wantOutput(c);
}
