import type { ReceivedPacket } from "../base/received-packet.ts";
import { ACK, SYN } from "../wire/tcp.ts";
import type { TcpEnvironment } from "./environment.ts";
import { establish } from "./establish.ts";
import { openPassive, startSequence } from "./passive-open.ts";
import { inputSynchronized } from "./input-synchronized.ts";
import type { TcpListener } from "./listener.ts";
import { updateSendMss } from "./mss.ts";
import { replyTo } from "./replies.ts";
import {
  REPLY_ACK,
  REPLY_FLAGS,
  REPLY_HAS_TIMESTAMPS,
  REPLY_SEQ,
  REPLY_SYN,
  REPLY_TS_ECR,
  REPLY_TS_VAL,
} from "./reply-ring.ts";
import type { Segment } from "./segment.ts";
import { shiftFor } from "./window.ts";

/**
 * SYN cookies (RFC 4987 §3.6): when the SYN queue is full, what we must know
 * of a SYN is put into our sequence number, and the queue is not needed. 5 bits
 * of time, 3 of MSS, 24 of a keyed hash; window scale and SACK travel in the
 * low bits of our timestamp, if the peer has timestamps.
 */
const MSS_TABLE = [536, 1220, 1300, 1360, 1400, 1440, 1460, 8960] as const;
/** A cookie is good for this and the next period. */
const PERIOD_US = 64_000_000;
const TS_BITS = 6;

function cookieHash(
  env: TcpEnvironment,
  packet: ReceivedPacket,
  ports: number,
  irs: number,
  time: number,
): number {
  return env.secret
    .begin()
    .word(packet.source0)
    .word(packet.source1)
    .word(packet.source2)
    .word(packet.source3)
    .word(packet.destination0)
    .word(packet.destination1)
    .word(packet.destination2)
    .word(packet.destination3)
    .word(ports)
    .word(irs)
    .word(time)
    .word(3)
    .finish();
}

const period = (env: TcpEnvironment): number => Math.floor(env.nowUs / PERIOD_US);

/** Answers a SYN without keeping anything of it. */
export function answerWithCookie(
  env: TcpEnvironment,
  packet: ReceivedPacket,
  seg: Segment,
  ports: number,
): void {
  const at = replyTo(env, packet, ports);
  if (at < 0) return;
  const o = seg.options;
  const s = env.settings;
  const mss = o.mss > 0 ? o.mss : s.defaultMss;
  let index = 0;
  while (index + 1 < MSS_TABLE.length && MSS_TABLE[index + 1]! <= mss) index++;
  const time = period(env);
  const hash = cookieHash(env, packet, ports, seg.seq, time);
  const rows = env.replies.rows;
  rows[at + REPLY_SEQ] = ((time & 31) << 27) | (index << 24) | (hash & 0xffffff);
  rows[at + REPLY_ACK] = (seg.seq + 1) | 0;
  let flags = SYN | ACK | (Math.min(s.receiveBuffer, 0xffff) << 16);
  if (o.hasTimestamps && s.timestamps) {
    flags |= REPLY_HAS_TIMESTAMPS;
    const scaled = o.windowScale >= 0 && s.windowScaling;
    const sack = o.sackPermitted && s.sack;
    const bits = (scaled ? Math.min(o.windowScale, 14) : 15) | (sack ? 16 : 0);
    const now = Math.floor(env.nowUs / 1000);
    let tsVal = (now & ~((1 << TS_BITS) - 1)) | bits;
    if (tsVal > now) tsVal -= 1 << TS_BITS;
    rows[at + REPLY_TS_VAL] = tsVal;
    rows[at + REPLY_TS_ECR] = o.tsVal;
    const shift = shiftFor(s.receiveBufferMax);
    rows[at + REPLY_SYN] = ((scaled ? shift + 1 : 0) << 16) | (sack ? 0x200000 : 0);
  }
  rows[at + REPLY_FLAGS] = flags;
  env.counters.tcpSyncookiesSent++;
}

/** The ACK of a cookie makes the connection that the SYN asked for. False: it is no cookie of ours. */
export function acceptCookie(
  env: TcpEnvironment,
  listener: TcpListener,
  packet: ReceivedPacket,
  seg: Segment,
  ports: number,
): boolean {
  if (env.settings.synCookies === 0 || env.counters.tcpSyncookiesSent === 0) return false;
  const cookie = (seg.ack - 1) | 0;
  const irs = (seg.seq - 1) | 0;
  const now = period(env);
  const age = (now - (cookie >>> 27)) & 31;
  const hash = cookieHash(env, packet, ports, irs, now - age);
  if (age > 1 || ((hash ^ cookie) & 0xffffff) !== 0) {
    env.counters.tcpSyncookiesFailed++;
    return false;
  }
  if (!listener.hasRoom()) {
    env.counters.tcpListenOverflows++;
    return true;
  }
  const c = openPassive(env, listener, packet, ports);
  if (c === undefined) return true;
  env.counters.tcpSyncookiesRecv++;
  const s = env.settings;
  c.iss = cookie;
  startSequence(c);
  c.irs = irs;
  c.rcvNxt = seg.seq;
  c.rcvRead = seg.seq;
  c.lastAckSent = seg.seq;
  c.rcvAdv = (seg.seq + Math.min(s.receiveBuffer, 0xffff)) | 0;
  c.peerMss = MSS_TABLE[(cookie >>> 24) & 7]!;
  if (seg.options.hasTimestamps) {
    // Our timestamps began at 0 for it, and the options came back in their low bits.
    const bits = seg.options.tsEcr & ((1 << TS_BITS) - 1);
    c.timestampsOn = true;
    c.tsRecent = seg.options.tsVal;
    c.tsRecentUs = env.nowUs;
    c.sackOn = (bits & 16) !== 0;
    c.scalingOn = (bits & 15) !== 15;
    if (c.scalingOn) {
      c.sndWscale = bits & 15;
      c.rcvWscale = shiftFor(s.receiveBufferMax);
    }
  }
  updateSendMss(env, c);
  c.sndWnd = seg.rawWindow << c.sndWscale;
  c.sndMaxWnd = c.sndWnd;
  establish(env, c, seg);
  listener.connectionReady(c);
  // Data and FIN that came with it.
  inputSynchronized(env, c, seg);
  return true;
}
