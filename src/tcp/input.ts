import type { ReceivedPacket } from "../base/received-packet.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { CSUM_NONE, GSO_NONE } from "../base/frame-memory.ts";
import { PROTOCOL_TCP } from "../base/path.ts";
import { seqGt } from "../base/sequence.ts";
import { ACK, FIN, RST, SYN, TCP_HEADER } from "../wire/tcp.ts";
import { parseTcpOptions } from "../wire/tcp-options.ts";
import { NOBODY } from "./demux.ts";
import type { TcpEnvironment } from "./environment.ts";
import { inputPredicted } from "./input-predicted.ts";
import { inputListen } from "./input-listen.ts";
import { inputSynSent } from "./input-syn-sent.ts";
import { inputSynchronized } from "./input-synchronized.ts";
import type { TcpListener } from "./listener.ts";
import { replyReset, replyTo } from "./replies.ts";
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
import { SYN_SENT } from "./state.ts";
import { DROP_CHECKSUM, DROP_HEADER, DROP_STATE } from "../base/trace.ts";
import { TW_RCV_NXT, TW_SND_NXT, TW_TS_OFFSET, TW_TS_RECENT, TW_WINDOW } from "./time-wait.ts";

/** Finds who listens at an address and port. */
export interface ListenerTable {
  find(packet: ReceivedPacket, port: number): TcpListener | undefined;
}

const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/** SEGMENT ARRIVES (RFC 9293 §3.10.7): checks the header and finds the connection. */
export function input(env: TcpEnvironment, listeners: ListenerTable, packet: ReceivedPacket): void {
  const counters = env.counters;
  counters.tcpInSegs++;
  env.predicted = undefined;
  if (packet.length < TCP_HEADER) {
    dropHeader(env);
    return;
  }
  const view = env.memory.view;
  const at = packet.offset;
  const ports = (view.getUint16(at + 2) << 16) | view.getUint16(at);
  const id = env.demux.find(
    packet.destination0,
    packet.destination1,
    packet.destination2,
    packet.destination3,
    packet.source0,
    packet.source1,
    packet.source2,
    packet.source3,
    ports,
    packet.scope,
  );
  if (id > NOBODY) {
    const c = env.demux.connections[id]!;
    if (inputPredicted(env, c, packet)) {
      env.predicted = c;
      return;
    }
  }
  const seg = env.segment;
  if (!readSegment(env, packet, seg)) return;
  const s = env.settings;
  if (s.dropSynFin === "always" && (seg.flags & (SYN | FIN)) === (SYN | FIN)) {
    env.tracer?.drop(env.nowUs, undefined, DROP_STATE);
    return;
  }
  if (id > NOBODY) {
    const c = env.demux.connections[id]!;
    c.segsIn++;
    env.tracer?.segment(env.nowUs, c, 0, seg.seq, seg.ack, seg.flags, seg.length, seg.rawWindow, 0);
    if (c.state === SYN_SENT) inputSynSent(env, c, packet, seg);
    else inputSynchronized(env, c, seg);
    return;
  }
  if (id < NOBODY && !inputTimeWait(env, -id - 1, packet, seg, ports)) return;
  const listener = listeners.find(packet, ports >>> 16);
  if (listener !== undefined) {
    inputListen(env, listener, packet, seg, ports);
    return;
  }
  counters.tcpInNoPorts++;
  replyReset(env, packet, ports, seg);
}

function dropHeader(env: TcpEnvironment): void {
  env.counters.tcpInErrs++;
  env.tracer?.drop(env.nowUs, undefined, DROP_HEADER);
}

/** Header, checksum and options into `seg`. False: dropped and counted. */
function readSegment(env: TcpEnvironment, packet: ReceivedPacket, seg: Segment): boolean {
  const memory = env.memory;
  const view = memory.view;
  const at = packet.offset;
  const length = packet.length;
  const headerLength = (view.getUint8(at + 12) >>> 4) << 2;
  if (headerLength < TCP_HEADER || headerLength > length) {
    dropHeader(env);
    return false;
  }
  if (memory.checksumState(packet.frame) === CSUM_NONE) {
    const pseudo = packet.isIpv4
      ? halves(packet.source3) + halves(packet.destination3)
      : halves(packet.source0) +
        halves(packet.source1) +
        halves(packet.source2) +
        halves(packet.source3) +
        halves(packet.destination0) +
        halves(packet.destination1) +
        halves(packet.destination2) +
        halves(packet.destination3);
    if (foldSum(memory.kernel.sum(at, length) + pseudo + PROTOCOL_TCP + length) !== 0xffff) {
      env.counters.tcpInErrs++;
      env.counters.tcpInCsumErrors++;
      env.tracer?.drop(env.nowUs, undefined, DROP_CHECKSUM);
      return false;
    }
  }
  seg.seq = view.getInt32(at + 4);
  seg.ack = view.getInt32(at + 8);
  const word = view.getInt32(at + 12);
  seg.flags = (word >>> 16) & 0x1ff;
  seg.rawWindow = word & 0xffff;
  seg.urgentPointer = view.getUint16(at + 18);
  seg.headerLength = headerLength;
  seg.payload = at + headerLength;
  seg.length = length - headerLength;
  seg.ecn = packet.tos & 3;
  seg.wireSegments = 1;
  if (memory.gsoType(packet.frame) !== GSO_NONE) {
    const size = memory.gsoSize(packet.frame);
    if (size > 0) seg.wireSegments = Math.max(1, Math.ceil(seg.length / size));
  }
  parseTcpOptions(view, at + TCP_HEADER, headerLength - TCP_HEADER, seg.options);
  return true;
}

/**
 * RFC 9293 §3.10.7.4 for TIME-WAIT, over the compact record. True: the record
 * is gone and the segment, a new SYN, goes on to a listener (RFC 1122
 * §4.2.2.13, RFC 6191).
 */
function inputTimeWait(
  env: TcpEnvironment,
  record: number,
  packet: ReceivedPacket,
  seg: Segment,
  ports: number,
): boolean {
  const t = env.demux.timeWait;
  const s = env.settings;
  const rcvNxt = t.get(record, TW_RCV_NXT);
  const hasTimestamps = (t.get(record, TW_WINDOW) & 0x10000) !== 0 && seg.options.hasTimestamps;
  const tsDelta = (seg.options.tsVal - t.get(record, TW_TS_RECENT)) | 0;
  if ((seg.flags & RST) !== 0) {
    // RFC 1337: an old RST must not end TIME-WAIT early.
    if (!s.ignoreRstInTimeWait && seg.seq === rcvNxt) removeTimeWait(env, record);
    return false;
  }
  if ((seg.flags & (SYN | ACK)) === SYN && s.timeWaitReuse) {
    if (hasTimestamps ? tsDelta > 0 : seqGt(seg.seq, rcvNxt)) {
      env.counters.tcpTimeWaitRecycled++;
      removeTimeWait(env, record);
      return true;
    }
  }
  if (s.timeWaitNeedsAck && (seg.flags & ACK) === 0) return false;
  if (hasTimestamps && tsDelta < 0) {
    env.counters.tcpPawsEstab++;
  } else if ((seg.flags & FIN) !== 0) {
    // The peer sends its FIN again: our ACK was lost. The 2 MSL begin anew.
    t.restart(record, env.nowUs + 2 * s.mslUs);
  }
  const isPure = seg.length === 0 && (seg.flags & (SYN | FIN)) === 0 && seg.seq === rcvNxt;
  if (isPure) return false;
  const at = replyTo(env, packet, ports);
  if (at < 0) return false;
  const rows = env.replies.rows;
  rows[at + REPLY_SEQ] = t.get(record, TW_SND_NXT);
  rows[at + REPLY_ACK] = rcvNxt;
  const window = t.get(record, TW_WINDOW);
  rows[at + REPLY_FLAGS] = ACK | ((window & 0xffff) << 16);
  rows[at + REPLY_SYN] = ((window >>> 17) & 0xff) | (((window >>> 25) & 0x3f) << 10);
  if ((window & 0x10000) !== 0) {
    rows[at + REPLY_FLAGS]! |= REPLY_HAS_TIMESTAMPS;
    rows[at + REPLY_TS_VAL] = (Math.floor(env.nowUs / 1000) + t.get(record, TW_TS_OFFSET)) | 0;
    rows[at + REPLY_TS_ECR] = t.get(record, TW_TS_RECENT);
  }
  return false;
}

export function removeTimeWait(env: TcpEnvironment, record: number): void {
  env.demux.removeTimeWait(record);
  env.demux.timeWait.remove(record);
}
