import { CSUM_NONE, GSO_NONE } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { seqLeq } from "../base/sequence.ts";
import { ACK, PSH, TCP_HEADER } from "../wire/tcp.ts";
import { TIMESTAMPS_ALIGNED, TIMESTAMPS_LENGTH } from "../wire/tcp-options.ts";
import { acknowledgePlain, isQuiet } from "./ack-predicted.ts";
import { ACK_NOW, TCP_EVENT_READABLE, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { scheduleAck } from "./receive.ts";
import { ESTABLISHED } from "./state.ts";
import { rearm } from "./timer-arm.ts";

const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/** Header length and flags of an ACK, in the upper half of the fourth word. */
const PLAIN = ((TCP_HEADER >> 2) << 12) | ACK;
const WITH_TIMESTAMPS = (((TCP_HEADER + TIMESTAMPS_LENGTH) >> 2) << 12) | ACK;

/**
 * Header prediction (Van Jacobson; RFC 7323 Appendix F.4): the next data in
 * order on an established connection that says nothing else, or an ACK in order. Payload is
 * summed while it is copied to its place and counts only if the sum is right.
 * False: nothing has happened, the segment goes the whole way of RFC 9293
 * §3.10.7.4 (which leads to the same, see the tests).
 */
export function inputPredicted(
  env: TcpEnvironment,
  c: TcpConnection,
  packet: ReceivedPacket,
): boolean {
  const memory = env.memory;
  const view = memory.view;
  const at = packet.offset;
  const word3 = view.getInt32(at + 12);
  const timestampsOn = c.timestampsOn;
  if (((word3 >>> 16) & ~PSH) !== (timestampsOn ? WITH_TIMESTAMPS : PLAIN)) return false;
  const headerLength = timestampsOn ? TCP_HEADER + TIMESTAMPS_LENGTH : TCP_HEADER;
  const length = packet.length - headerLength;
  const seq = view.getInt32(at + 4);
  const ack = view.getInt32(at + 8);
  if (
    length < 0 ||
    seq !== c.rcvNxt ||
    c.state !== ESTABLISHED ||
    c.outOfOrder !== undefined ||
    !isQuiet(c) ||
    env.tracer !== undefined
  ) {
    return false;
  }
  let optionSum = 0;
  let tsVal = 0;
  if (timestampsOn) {
    if (view.getInt32(at + TCP_HEADER) !== TIMESTAMPS_ALIGNED) return false;
    tsVal = view.getInt32(at + TCP_HEADER + 4);
    if (((tsVal - c.tsRecent) | 0) < 0) return false;
    optionSum = 0x0101 + 0x080a + halves(tsVal) + halves(view.getInt32(at + TCP_HEADER + 8));
  }
  let total =
    c.path!.pseudoSum +
    PROTOCOL_TCP +
    packet.length +
    halves(view.getInt32(at)) +
    halves(seq) +
    halves(ack) +
    halves(word3) +
    halves(view.getInt32(at + 16)) +
    optionSum;
  const window = (word3 & 0xffff) << c.sndWscale;
  const isVerified = memory.checksumState(packet.frame) !== CSUM_NONE;
  // A duplicate, or for part of a segment, or for one that has a history: not here.
  const advances = ack !== c.sndUna;
  const last = advances && c.sent !== undefined ? c.sent.lastPlain(ack) : -1;
  if (advances && last < 0) return false;
  if (length === 0) {
    if (!advances || (!isVerified && foldSum(total) !== 0xffff)) return false;
    noteArrival(env, c, seq, tsVal);
    acknowledgePlain(env, c, seq, ack, window, last);
    return true;
  }
  if (
    (!advances && window !== c.sndWnd) ||
    length > ((c.rcvAdv - seq) | 0) ||
    c.finSeen ||
    c.readShutdown
  ) {
    return false;
  }
  const buffer = c.rcvBuf;
  if (buffer.reserve(memory, c.rcvRead, seq, length) < length) return false;
  if (isVerified) {
    buffer.copyIn(memory, seq, at + headerLength, length);
  } else {
    total += buffer.copySumIn(memory, seq, at + headerLength, length);
    // The bytes beyond RCV.NXT are nobody's yet: what is written there is simply written again.
    if (foldSum(total) !== 0xffff) return false;
  }
  noteArrival(env, c, seq, tsVal);
  if (advances) {
    acknowledgePlain(env, c, seq, ack, window, last);
  } else {
    c.sndWl1 = seq;
    c.sndWl2 = ack;
  }
  c.rcvNxt = (seq + length) | 0;
  c.bytesReceived += length;
  const gsoSize = memory.gsoType(packet.frame) === GSO_NONE ? 0 : memory.gsoSize(packet.frame);
  const duties = c.ackFlags;
  scheduleAck(env, c, gsoSize > 0 && gsoSize < length ? gsoSize : length);
  if ((c.ackFlags & ACK_NOW) !== 0) env.wantOutput(c);
  else if (c.ackFlags !== duties) rearm(env, c);
  env.notify(c, TCP_EVENT_READABLE);
  return true;
}

function noteArrival(env: TcpEnvironment, c: TcpConnection, seq: number, tsVal: number): void {
  c.segsIn++;
  c.lastReceivedUs = env.nowUs;
  c.keepAliveProbes = 0;
  // RFC 7323 §4.3 (2)
  if (c.timestampsOn && seqLeq(seq, c.lastAckSent)) {
    c.tsRecent = tsVal;
    c.tsRecentUs = env.nowUs;
  }
}
