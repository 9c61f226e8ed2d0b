import { CSUM_NONE, type FrameMemory, GSO_NONE } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { PSH, TCP_HEADER } from "../wire/tcp.ts";
import { acknowledgePlain } from "./ack-predicted.ts";
import { ACK_NOW, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { scheduleAck } from "./receive.ts";
import { rearm } from "./timer-arm.ts";

const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/** Sum of the option words of a header, and whether two headers have the same. */
function optionSum(view: DataView, at: number, headerLength: number): number {
  let sum = 0;
  for (let i = TCP_HEADER; i < headerLength; i += 4) sum += halves(view.getInt32(at + i));
  return sum;
}

function sameOptions(view: DataView, a: number, b: number, headerLength: number): boolean {
  for (let i = TCP_HEADER; i < headerLength; i += 4) {
    if (view.getInt32(a + i) !== view.getInt32(b + i)) return false;
  }
  return true;
}

/**
 * Segments that came behind one that went the short way (`env.predicted`), in
 * frames alike up to their TCP headers: as far as they only carry its stream or
 * its acknowledgements on, they are taken together, and what is to be done
 * once is done once (a data segment costs 45 ns beside its copy, by itself 160;
 * an ACK 20, by itself 130). `offset` is where in each frame TCP begins.
 * Answers the index of the first that was not taken.
 */
export function inputRun(
  env: TcpEnvironment,
  packet: ReceivedPacket,
  frames: Int32Array,
  from: number,
  to: number,
  offset: number,
): number {
  const c = env.predicted;
  if (c === undefined) return from;
  const word3 = env.memory.view.getInt32(packet.offset + 12);
  const headerLength = (word3 >>> 28) << 2;
  const next =
    packet.length > headerLength
      ? dataRun(env, c, packet, headerLength, frames, from, to, offset)
      : ackRun(env, c, packet, headerLength, frames, from, to, offset);
  env.counters.tcpInSegs += next - from;
  c.segsIn += next - from;
  return next;
}

function dataRun(
  env: TcpEnvironment,
  c: TcpConnection,
  packet: ReceivedPacket,
  headerLength: number,
  frames: Int32Array,
  from: number,
  to: number,
  offset: number,
): number {
  const memory = env.memory;
  const view = memory.view;
  const buffer = c.rcvBuf;
  const first = packet.offset;
  const length = packet.length - headerLength;
  const isVerified = memory.checksumState(packet.frame) !== CSUM_NONE;
  const start = c.rcvNxt;
  const most = Math.min(to, from + Math.floor(((c.rcvAdv - start) | 0) / length));
  const end = alikeData(memory, frames, from, most, offset, first, headerLength, start, length);
  const ready = buffer.reserve(memory, c.rcvRead, start, (end - from) * length);
  const common =
    c.path!.pseudoSum +
    PROTOCOL_TCP +
    packet.length +
    halves(view.getInt32(first)) +
    halves(view.getInt32(first + 8)) +
    optionSum(view, first, headerLength);
  let seq = start;
  let i = from;
  while (i < end && ((seq + length - start) | 0) <= ready) {
    const at = memory.start(frames[i]!) + offset;
    if (isVerified) {
      buffer.copyIn(memory, seq, at + headerLength, length);
    } else {
      const total =
        common +
        halves(seq) +
        halves(view.getInt32(at + 12)) +
        halves(view.getInt32(at + 16)) +
        buffer.copySumIn(memory, seq, at + headerLength, length);
      if (foldSum(total) !== 0xffff) break;
    }
    seq = (seq + length) | 0;
    i++;
  }
  if (i === from) return from;
  c.rcvNxt = seq;
  c.bytesReceived += (seq - start) | 0;
  c.quickAcks = Math.max(0, c.quickAcks - (i - from - 1));
  const isSuper = memory.gsoType(packet.frame) !== GSO_NONE;
  const duties = c.ackFlags;
  scheduleAck(env, c, isSuper ? Math.min(length, memory.gsoSize(packet.frame)) : length);
  if ((c.ackFlags & ACK_NOW) !== 0) env.wantOutput(c);
  else if (c.ackFlags !== duties) rearm(env, c);
  return i;
}

/** How far the frames carry on from `seq` with headers like the one at `first`; PSH may differ. */
function alikeData(
  memory: FrameMemory,
  frames: Int32Array,
  from: number,
  to: number,
  offset: number,
  first: number,
  headerLength: number,
  seq: number,
  length: number,
): number {
  const view = memory.view;
  const ports = view.getInt32(first);
  const ack = view.getInt32(first + 8);
  const plain = view.getInt32(first + 12) | (PSH << 16);
  for (let i = from; i < to; i++) {
    const at = memory.start(frames[i]!) + offset;
    if (
      view.getInt32(at) !== ports ||
      view.getInt32(at + 4) !== seq ||
      view.getInt32(at + 8) !== ack ||
      (view.getInt32(at + 12) | (PSH << 16)) !== plain ||
      !sameOptions(view, at, first, headerLength)
    ) {
      return i;
    }
    seq = (seq + length) | 0;
  }
  return Math.max(from, to);
}

/** ACKs that only move on count as their last: what they acknowledge one by one it acknowledges too. */
function ackRun(
  env: TcpEnvironment,
  c: TcpConnection,
  packet: ReceivedPacket,
  headerLength: number,
  frames: Int32Array,
  from: number,
  to: number,
  offset: number,
): number {
  const memory = env.memory;
  const view = memory.view;
  const first = packet.offset;
  const ports = view.getInt32(first);
  const seq = view.getInt32(first + 4);
  const flags = view.getInt32(first + 12) >>> 16;
  const isVerified = memory.checksumState(packet.frame) !== CSUM_NONE;
  const common =
    c.path!.pseudoSum +
    PROTOCOL_TCP +
    packet.length +
    halves(ports) +
    halves(seq) +
    optionSum(view, first, headerLength);
  const sndNxt = c.sndNxt;
  let ack = c.sndUna;
  let window = 0;
  let i = from;
  for (; i < to; i++) {
    const at = memory.start(frames[i]!) + offset;
    const next = view.getInt32(at + 8);
    const word3 = view.getInt32(at + 12);
    if (
      view.getInt32(at) !== ports ||
      view.getInt32(at + 4) !== seq ||
      word3 >>> 16 !== flags ||
      ((next - ack) | 0) <= 0 ||
      ((sndNxt - next) | 0) < 0 ||
      !sameOptions(view, at, first, headerLength)
    ) {
      break;
    }
    if (!isVerified) {
      const total = common + halves(next) + halves(word3) + halves(view.getInt32(at + 16));
      if (foldSum(total) !== 0xffff) break;
    }
    ack = next;
    window = word3 & 0xffff;
  }
  const last = i === from || c.sent === undefined ? -1 : c.sent.lastPlain(ack);
  if (last < 0) return from;
  acknowledgePlain(env, c, seq, ack, window << c.sndWscale, last);
  return i;
}
