import type { ReceivedPacket } from "../base/received-packet.ts";
import { FIN } from "../wire/tcp.ts";
import { startWindow } from "./congestion-state.ts";
import { TCP_EVENT_WRITABLE, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { cookieMatches } from "./fast-open.ts";
import type { TcpListener } from "./listener.ts";
import { receiveData } from "./receive.ts";
import type { Segment } from "./segment.ts";

/**
 * A SYN with the Fast Open option (RFC 7413 §4.1.2, §4.2.2): a request gets a
 * cookie; data with a good cookie is taken, and the connection may be accepted
 * before the handshake is complete.
 */
export function inputFastOpen(
  env: TcpEnvironment,
  listener: TcpListener,
  c: TcpConnection,
  packet: ReceivedPacket,
  seg: Segment,
): void {
  const o = seg.options;
  if ((env.settings.fastOpen & 2) === 0 || listener.fastOpenLimit <= 0) return;
  const key = listener.options.fastOpenKey;
  const cookie = env.fastOpen.cookieFor(packet, key);
  const noCookie = listener.options.fastOpenNoCookie || (env.settings.fastOpen & 0x200) !== 0;
  const isGood =
    o.fastOpenLength === cookie.length && cookieMatches(env.memory.view, o.fastOpenAt, cookie);
  if (!isGood && !noCookie) {
    if (o.fastOpenAt < 0) return;
    if (o.fastOpenLength > 0) env.counters.tcpFastOpenPassiveFail++;
    else env.counters.tcpFastOpenCookieReqd++;
    c.fastOpenCookie = { bytes: cookie, experimental: o.fastOpenExperimental };
    return;
  }
  if (!listener.beginFastOpen(c)) {
    env.counters.tcpFastOpenListenOverflow++;
    return;
  }
  env.counters.tcpFastOpenPassive++;
  c.fastOpenPassive = true;
  c.sndWnd = seg.rawWindow;
  startWindow(env, c);
  // The announced window is set with the SYN-ACK; until then what the buffer holds.
  c.rcvAdv = (c.rcvNxt + Math.min(c.rcvBufSize, 0xffff)) | 0;
  if (seg.length > 0) {
    c.synDataAcked = true;
    seg.seq = c.rcvNxt;
    receiveData(env, c, seg);
  }
  if ((seg.flags & FIN) !== 0) {
    c.finSeen = true;
    c.finSeq = c.rcvNxt;
  }
  // The SYN-ACK acknowledges it.
  c.ackFlags = 0;
  env.notify(c, TCP_EVENT_WRITABLE);
}
