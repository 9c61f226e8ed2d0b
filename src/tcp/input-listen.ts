import type { ReceivedPacket } from "../base/received-packet.ts";
import { ACK, CWR, ECE, FIN, RST, SYN } from "../wire/tcp.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { inputFastOpen } from "./input-fast-open.ts";
import { takeSynOptions } from "./establish.ts";
import { initialSequence, timestampStart } from "./isn.ts";
import { setState } from "./lifecycle.ts";
import type { TcpListener } from "./listener.ts";
import { openPassive, startSequence } from "./passive-open.ts";
import { replyReset } from "./replies.ts";
import type { Segment } from "./segment.ts";
import { SYN_RECEIVED } from "./state.ts";
import { acceptCookie, answerWithCookie } from "./syn-cookies.ts";
import { DROP_BACKLOG, DROP_STATE } from "../base/trace.ts";

/** RFC 9293 §3.10.7.2: a segment for a port on which somebody listens. */
export function inputListen(
  env: TcpEnvironment,
  listener: TcpListener,
  packet: ReceivedPacket,
  seg: Segment,
  ports: number,
): void {
  const flags = seg.flags;
  // First: RST is ignored.
  if ((flags & RST) !== 0) return;
  // Second: ACK. Nothing was sent that it could acknowledge, except a cookie.
  if ((flags & ACK) !== 0) {
    if ((flags & SYN) === 0 && acceptCookie(env, listener, packet, seg, ports)) return;
    replyReset(env, packet, ports, seg);
    return;
  }
  // Third: SYN.
  if ((flags & SYN) === 0) return;
  if ((flags & FIN) !== 0 && env.settings.dropSynFin !== "never") {
    env.tracer?.drop(env.nowUs, undefined, DROP_STATE);
    return;
  }
  // MUST-57: a SYN to a broadcast or multicast address is discarded.
  if (packet.isMulticast) return;
  const cookies = env.settings.synCookies;
  if (!listener.hasRoom()) {
    env.counters.tcpListenOverflows++;
    env.counters.tcpListenDrops++;
    env.tracer?.drop(env.nowUs, undefined, DROP_BACKLOG);
    return;
  }
  if (cookies === 2 || !listener.hasSynRoom()) {
    if (cookies === 0) {
      env.counters.tcpListenDrops++;
      env.tracer?.drop(env.nowUs, undefined, DROP_BACKLOG);
    } else {
      answerWithCookie(env, packet, seg, ports);
    }
    return;
  }
  const c = openPassive(env, listener, packet, ports);
  if (c === undefined) {
    env.counters.tcpListenDrops++;
    return;
  }
  takeSyn(env, c, seg);
  c.iss = c.options.isn ?? initialSequence(env, c.path!, c.localPort, c.remotePort);
  startSequence(c);
  listener.addHalfOpen(c);
  setState(env, c, SYN_RECEIVED);
  if (seg.options.fastOpenAt >= 0 || seg.length > 0) {
    inputFastOpen(env, listener, c, packet, seg);
  }
  if (listener.holdSyns) {
    c.isHeld = true;
    listener.hold(c);
    return;
  }
  c.synDue = true;
  env.wantOutput(c);
}

/** RCV.NXT and the options from the peer's SYN. */
function takeSyn(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  c.irs = seg.seq;
  c.rcvNxt = (seg.seq + 1) | 0;
  c.rcvRead = c.rcvNxt;
  c.rcvAdv = c.rcvNxt;
  c.lastAckSent = c.rcvNxt;
  c.lastReceivedUs = env.nowUs;
  c.sndWnd = seg.rawWindow;
  c.sndMaxWnd = seg.rawWindow;
  c.sndWl1 = seg.seq;
  c.ecnOn = env.settings.ecn > 0 && (seg.flags & (ECE | CWR)) === (ECE | CWR);
  takeSynOptions(env, c, seg);
  if (c.timestampsOn) c.tsOffset = timestampStart(env, c.path!);
}
