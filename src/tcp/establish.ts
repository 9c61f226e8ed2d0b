import { seqGt, seqLeq } from "../base/sequence.ts";
import { RST } from "../wire/tcp.ts";
import { takeRttSample } from "./ack.ts";
import { startWindow } from "./congestion-state.ts";
import {
  TCP_EVENT_CONNECTED,
  TCP_EVENT_WRITABLE,
  type TcpConnection,
  TIMER_NONE,
} from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { armKeepAlive } from "./keepalive.ts";
import { setState } from "./lifecycle.ts";
import { announcedMss, defaultMss, updateSendMss } from "./mss.ts";
import { releaseSynData } from "./receive.ts";
import { armRto } from "./retransmission-timer.ts";
import { fallBackAfterSynTimeout } from "./rtt.ts";
import type { Segment } from "./segment.ts";
import { ESTABLISHED, FIN_WAIT_1 } from "./state.ts";
import { NEVER } from "../base/timers.ts";
import { timestampNow } from "./timestamps.ts";
import { roundBuffers, shiftFor } from "./window.ts";

/** Takes what the peer's SYN offers, as far as we want it too (RFC 9293 §3.7.1, RFC 7323 §1.3, RFC 2018 §2). */
export function takeSynOptions(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const s = env.settings;
  const o = seg.options;
  const path = c.path!;
  const offers = !c.options.noOptions;
  c.peerMss = o.mss > 0 ? Math.max(o.mss, s.minMss) : defaultMss(env, path);
  c.scalingOn = s.windowScaling && offers && o.windowScale >= 0;
  // RFC 7323 §2.3: a shift above 14 is used as 14.
  c.sndWscale = c.scalingOn ? Math.min(o.windowScale, 14) : 0;
  if (c.scalingOn) c.rcvWscale = ownShift(env, c);
  else c.rcvWscale = 0;
  c.sackOn = s.sack && offers && o.sackPermitted;
  c.timestampsOn = s.timestamps && offers && o.hasTimestamps;
  if (c.timestampsOn) {
    c.tsRecent = o.tsVal;
    c.tsRecentUs = env.nowUs;
  }
  updateSendMss(env, c);
  roundBuffers(s, c, Math.min(c.peerMss, announcedMss(env, c)));
}

/** The shift that we offer. */
export function ownShift(env: TcpEnvironment, c: TcpConnection): number {
  const s = env.settings;
  if (s.windowScale >= 0) return Math.min(s.windowScale, 14);
  return shiftFor(Math.max(s.receiveBufferMax, c.rcvBufSize));
}

/**
 * SYN-RECEIVED, fifth (RFC 9293 §3.10.7.4): the ACK of our SYN. False: it is
 * not that, or there is no room for one more accepted connection yet.
 */
export function completeHandshake(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  if (!(seqGt(seg.ack, c.sndUna) && seqLeq(seg.ack, c.sndNxt))) {
    env.replyFor(c, seg.ack, RST);
    return false;
  }
  const listener = c.listener;
  if (listener !== undefined && seg.length === 0 && isDeferred(env, c)) return false;
  if (listener !== undefined && !c.fastOpenPassive && !listener.hasRoom()) {
    env.counters.tcpListenOverflows++;
    return false;
  }
  measureHandshake(env, c, seg);
  establish(env, c, seg);
  releaseSynData(env, c);
  if (listener !== undefined) {
    listener.connectionReady(c);
    if (c.fastOpenPassive) c.listener = undefined;
  }
  c.fastOpenPassive = false;
  return true;
}

/** TCP_DEFER_ACCEPT: a bare ACK does not complete the handshake before that time; data does. */
function isDeferred(env: TcpEnvironment, c: TcpConnection): boolean {
  const deferUs = c.options.deferAcceptUs;
  if (deferUs <= 0 || c.fastOpenPassive) return false;
  if (c.deferSinceUs < 0) c.deferSinceUs = env.nowUs;
  return env.nowUs - c.deferSinceUs < deferUs;
}

/** The SYN's own round trip, if it was sent once, or its timestamp (RFC 6298 §3, §5.7). */
export function measureHandshake(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const sinceSentUs = env.nowUs - c.lastSentUs;
  if (c.retransmits === 0) {
    takeRttSample(env, c, sinceSentUs);
    return;
  }
  if (c.timestampsOn && seg.options.hasTimestamps && seg.options.tsEcr !== 0) {
    const ms = (timestampNow(c, env.nowUs) - seg.options.tsEcr) | 0;
    // An echo of an earlier SYN may mean that the first answer was lost: then it
    // counts the timeouts too, and says nothing of the path.
    if (ms >= 0 && ms <= Math.floor(sinceSentUs / 1000) + 1) {
      takeRttSample(env, c, Math.max(1, ms) * 1000);
      return;
    }
  }
  fallBackAfterSynTimeout(c, env.rto);
}

/** Enters ESTABLISHED: our SYN is acknowledged by `seg`. */
export function establish(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  c.sndUna = (c.iss + 1) | 0;
  c.deliveredSegments++;
  c.sndWl1 = seg.seq;
  c.sndWl2 = seg.ack;
  if (!c.fastOpenPassive) startWindow(env, c);
  // RFC 5681 §3.1 and RFC 6298 §5.7: a SYN lost twice means an initial window of one segment.
  if (c.retransmits > 1) c.cwnd = c.sndMss;
  c.retransmits = 0;
  c.timerKind = TIMER_NONE;
  c.timerAtUs = NEVER;
  c.lifeAtUs = NEVER;
  setState(env, c, c.finQueued ? FIN_WAIT_1 : ESTABLISHED);
  if (c.sent !== undefined) armRto(env, c);
  armKeepAlive(env, c);
  env.notify(c, TCP_EVENT_CONNECTED | TCP_EVENT_WRITABLE);
  env.wantOutput(c);
}
