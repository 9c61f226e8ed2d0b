import { ECONNREFUSED } from "../base/errors.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { seqGt, seqLeq } from "../base/sequence.ts";
import { ACK, CWR, ECE, FIN, RST, SYN } from "../wire/tcp.ts";
import { processAck, updateSendWindow } from "./ack.ts";
import { ACK_NOW, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { establish, measureHandshake, takeSynOptions } from "./establish.ts";
import { setState, terminate } from "./lifecycle.ts";
import { noteFin, reachFin } from "./input-synchronized.ts";
import { markLost } from "./recovery/queue.ts";
import { delayAck, holdSynData, receiveData } from "./receive.ts";
import { replyReset } from "./replies.ts";
import type { Segment } from "./segment.ts";
import { SYN_RECEIVED } from "./state.ts";
import { timestampNow } from "./timestamps.ts";

/** RFC 9293 §3.10.7.3: a segment for a connection in SYN-SENT. */
export function inputSynSent(
  env: TcpEnvironment,
  c: TcpConnection,
  packet: ReceivedPacket,
  seg: Segment,
): void {
  const flags = seg.flags;
  const hasAck = (flags & ACK) !== 0;
  // First: ACK.
  if (hasAck && !(seqGt(seg.ack, c.iss) && seqLeq(seg.ack, c.sndNxt))) {
    replyReset(env, packet, (c.localPort << 16) | c.remotePort, seg);
    return;
  }
  if (hasAck && hasForeignEcho(env, c, seg)) {
    if ((flags & RST) === 0) replyReset(env, packet, (c.localPort << 16) | c.remotePort, seg);
    return;
  }
  // Second: RST.
  if ((flags & RST) !== 0) {
    if (hasAck) terminate(env, c, ECONNREFUSED);
    return;
  }
  // Fourth: SYN.
  if ((flags & SYN) === 0) return;
  c.irs = seg.seq;
  c.rcvNxt = (seg.seq + 1) | 0;
  c.rcvRead = c.rcvNxt;
  c.lastAckSent = c.rcvNxt;
  const edge = c.rcvAdvOffered;
  c.rcvAdv = (c.rcvNxt + edge) | 0;
  c.lastReceivedUs = env.nowUs;
  takeSynOptions(env, c, seg);
  if (hasAck) {
    c.ecnOn = c.ecnOn && (flags & (ECE | CWR)) === ECE;
    measureHandshake(env, c, seg);
    c.sndWl1 = (seg.seq - 1) | 0;
    if (c.fastOpenCookie !== undefined || c.synDataSent) takeCookie(env, c, seg);
    establish(env, c, seg);
    c.sndWl1 = (seg.seq - 1) | 0;
    updateSendWindow(c, seg);
    if (c.sent !== undefined) synDataAnswered(env, c, seg);
    if (c.writerWaits && seg.length === 0) {
      delayAck(env, c);
      c.dataCameMs = (env.nowUs / 1000) & 0x7fffffff;
    } else c.ackFlags |= ACK_NOW;
    if (seg.length > 0) {
      seg.seq = c.rcvNxt;
      receiveData(env, c, seg);
    }
    if ((seg.flags & FIN) !== 0) {
      noteFin(c, c.rcvNxt);
      reachFin(env, c);
    }
    env.wantOutput(c);
    return;
  }
  // Simultaneous open: our SYN again, with the ACK of theirs.
  c.ecnOn = env.settings.ecn > 0 && (flags & (ECE | CWR)) === (ECE | CWR);
  c.sndWl1 = seg.seq;
  c.sndWl2 = c.iss;
  c.sndWnd = seg.rawWindow;
  c.sndMaxWnd = seg.rawWindow;
  setState(env, c, SYN_RECEIVED);
  // Text waits until the connection is established.
  if (seg.length > 0 && env.settings.keepSynData) holdSynData(env, c, seg.payload, seg.length);
  c.synDue = true;
  c.retransmits = 0;
  env.wantOutput(c);
}

/** An echo of a timestamp that no SYN of ours had: an answer to someone else's (RFC 7323 §3.2). */
function hasForeignEcho(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  const o = seg.options;
  if (!c.timestampsOn || !o.hasTimestamps || o.tsEcr === 0) return false;
  const now = timestampNow(c, env.nowUs);
  const first = timestampNow(c, c.retransmits === 0 ? c.lastSentUs : c.retransmitSinceUs);
  return ((o.tsEcr - first) | 0) < 0 || ((now - o.tsEcr) | 0) < 0;
}

/** The server gave a cookie, or a new one (RFC 7413 §4.1.3.2). */
function takeCookie(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const o = seg.options;
  const remote = c.path!.remote;
  // One that was not asked for is not kept; RFC 7413 §4.1.1: 4 to 16 bytes, and an even number.
  const length = o.fastOpenAt < 0 ? 0 : o.fastOpenLength;
  if (c.fastOpenCookie !== undefined) {
    if (length >= 4 && length <= 16 && (length & 1) === 0) {
      const at = o.fastOpenAt;
      const bytes = env.memory.bytes.slice(at, at + length);
      env.fastOpen.remember(remote, { bytes, experimental: o.fastOpenExperimental }, o.mss, 0);
      return;
    }
    const forUs = env.settings.fastOpenPathDisableUs;
    const took = c.synDataSent && seqGt(seg.ack, (c.iss + 1) | 0);
    if (forUs > 0 && !took) env.fastOpen.disablePath(remote, env.nowUs + forUs);
  }
  // Asked for a cookie, and the first SYN got no answer to that: the server may know the
  // option by the number that it had before RFC 7413.
  const inVain = c.fastOpenCookie !== undefined && !c.synDataSent && c.retransmits === 0;
  const tried = !inVain ? 0 : c.fastOpenCookie!.experimental ? 2 : 1;
  env.fastOpen.remember(remote, undefined, o.mss, tried);
}

/** What of the SYN's data the server took; the rest goes again at once, as ordinary data. */
function synDataAnswered(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  if (seqGt(seg.ack, c.sndUna)) {
    env.fastOpen.worked();
    c.synDataAcked = seg.ack === c.sndNxt;
    processAck(env, c, seg);
    // SYN and data were one segment.
    if (c.synDataAcked) c.deliveredSegments--;
  } else {
    env.counters.tcpFastOpenActiveFail++;
  }
  const sent = c.sent;
  if (sent === undefined) return;
  // Longer than a segment when the server's MSS is smaller than was thought.
  sent.resegment(c.sndMss);
  for (let i = sent.first; i < sent.end; i++) markLost(env, c, i);
}
