import { GSO_TCPV4, GSO_TCPV6, NO_FRAME, type Frame } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP, SEND_DONT_FRAGMENT } from "../base/path.ts";
import { NEVER } from "../base/timers.ts";
import { TRACE_OUT } from "../base/trace.ts";
import { ACK, CWR, ECE, FIN, TCP_CHECKSUM, TCP_HEADER, URG } from "../wire/tcp.ts";
import {
  TIMESTAMPS_ALIGNED,
  TIMESTAMPS_LENGTH,
  writeSackBlock,
  writeSackHead,
} from "../wire/tcp-options.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { timestampNow } from "./timestamps.ts";
import { selectWindow } from "./window.ts";

/** Low two bits of the traffic class (RFC 3168 §5). */
const ECT0 = 2;

/** Sum of the 16-bit halves of a word. */
const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/**
 * Writes one segment into a frame and hands it to IP: the header, the options
 * of a synchronized connection, and `length` bytes of the send buffer from
 * `seq` on. With more than one MSS it is a super-segment that a later stage
 * cuts. Everything that rides on it (ACK, window, SACK, ECN echo) is done with.
 *
 * @param fresh this is data sent for the first time (ECN-capable, RFC 3168 §6.1.5)
 * @returns false: no frame was free, nothing happened
 */
export function emitSegment(
  env: TcpEnvironment,
  c: TcpConnection,
  seq: number,
  length: number,
  flags: number,
  fresh: boolean,
): boolean {
  const memory = env.memory;
  const path = c.path!;
  // Blocks that would make a full segment too long go in an ACK of their own.
  const owedBlocks = (flags & ACK) !== 0 ? sackBlockCount(c) : 0;
  const sackBlocks = length > 0 && length + 4 + 8 * owedBlocks > c.sndMss ? 0 : owedBlocks;
  let headerLength = TCP_HEADER;
  if (c.timestampsOn) headerLength += TIMESTAMPS_LENGTH;
  if (sackBlocks > 0) headerLength += 4 + 8 * sackBlocks;
  const frame = memory.alloc(headerLength + length, length === 0 || !fresh);
  if (frame === NO_FRAME) {
    env.noFrame();
    return false;
  }
  const at = memory.start(frame);
  const view = memory.view;
  memory.setRange(frame, at, headerLength + length);

  if (c.ecnOn) {
    if (c.ecnEchoDue) flags |= ECE;
    if (c.cwrDue && length > 0 && (fresh || env.settings.cwrOnRetransmission)) {
      flags |= CWR;
      c.cwrDue = false;
    }
  }
  let urgentPointer = 0;
  if (c.urgentOut) {
    const ahead = (c.sndUp - seq) | 0;
    if (ahead > 0) {
      flags |= URG;
      urgentPointer = Math.min(ahead - (env.settings.urgentToLast ? 1 : 0), 0xffff);
    }
  }
  const window = selectWindow(env.settings, c);
  const ports = (c.localPort << 16) | c.remotePort;
  const ack = (flags & ACK) !== 0 ? c.rcvNxt : 0;
  const word3 = (headerLength << 26) | (flags << 16) | window;
  view.setInt32(at, ports);
  view.setInt32(at + 4, seq);
  view.setInt32(at + 8, ack);
  view.setInt32(at + 12, word3);
  view.setInt32(at + 16, urgentPointer);
  // The header is summed from the values at hand: 4 ns, reading it back 12-20.
  let total =
    path.pseudoSum +
    PROTOCOL_TCP +
    headerLength +
    length +
    halves(ports) +
    halves(seq) +
    halves(ack) +
    halves(word3) +
    urgentPointer;
  let option = at + TCP_HEADER;
  if (c.timestampsOn) {
    const tsVal = timestampNow(c, env.nowUs);
    view.setInt32(option, TIMESTAMPS_ALIGNED);
    view.setInt32(option + 4, tsVal);
    view.setInt32(option + 8, c.tsRecent);
    total += 0x0101 + 0x080a + halves(tsVal) + halves(c.tsRecent);
    option += TIMESTAMPS_LENGTH;
  }
  if (sackBlocks > 0) {
    const end = writeSackBlocks(c, view, option, sackBlocks);
    total += memory.kernel.sum(option, end - option);
    option = end;
  }
  if (path.checksumOffload) {
    if (length > 0) c.sndBuf.copyOut(memory, seq, option, length);
    view.setUint16(
      at + TCP_CHECKSUM,
      foldSum(path.pseudoSum + PROTOCOL_TCP + headerLength + length),
    );
    memory.setPartialChecksum(frame, at, TCP_CHECKSUM);
    if (length > c.sndMss) memory.setGso(frame, path.isIpv4 ? GSO_TCPV4 : GSO_TCPV6, c.sndMss);
  } else {
    if (length > 0) total += c.sndBuf.copySumOut(memory, seq, option, length);
    view.setUint16(at + TCP_CHECKSUM, ~foldSum(total) & 0xffff);
  }
  const wire = length > c.sndMss ? Math.ceil(length / c.sndMss) : 1;
  c.segsOut += wire;
  env.counters.tcpOutSegs += wire;
  env.tracer?.segment(env.nowUs, c, TRACE_OUT, seq, ack, flags, length, window, env.reason);
  if ((flags & ACK) !== 0 && sackBlocks === owedBlocks) acknowledged(c);
  const tos = c.ecnOn && fresh && length > 0 ? (c.options.tos & ~3) | ECT0 : c.options.tos;
  send(env, c, frame, tos);
  return true;
}

/** What an ACK that goes out settles. */
function acknowledged(c: TcpConnection): void {
  c.lastAckSent = c.rcvNxt;
  c.ackFlags = 0;
  c.gapFilled = false;
  c.delayedAckAtUs = NEVER;
  c.dsackStart = c.dsackEnd;
}

/** Hands a finished frame to IP; an error is remembered as a soft one (RFC 9293 §3.9.2.2). */
export function send(env: TcpEnvironment, c: TcpConnection, frame: Frame, tos: number): void {
  const df = c.options.pathMtuDiscovery > 0 ? SEND_DONT_FRAGMENT : 0;
  const result = env.ip.send(c.path!, frame, PROTOCOL_TCP, tos, c.options.ttl, df);
  if (result < 0) c.softError = -result;
}

/** A pure ACK with all that is due. */
export function emitAck(env: TcpEnvironment, c: TcpConnection): boolean {
  if (env.settings.repeatFin && c.finSent && c.sndUna !== c.sndNxt) {
    return emitSegment(env, c, (c.sndNxt - 1) | 0, 0, ACK | FIN, false);
  }
  return emitSegment(env, c, c.sndNxt, 0, ACK, false);
}

/** An ACK that names an earlier number than RCV.NXT: one of several owed for a batch (RFC 5681 §4.2). */
export function emitAckOf(env: TcpEnvironment, c: TcpConnection, ack: number): boolean {
  const rcvNxt = c.rcvNxt;
  c.rcvNxt = ack;
  const sent = emitSegment(env, c, c.sndNxt, 0, ACK, false);
  c.rcvNxt = rcvNxt;
  return sent;
}

/** Header bytes beyond the fixed 20 that every segment of this connection carries. */
export function fixedOptionBytes(c: TcpConnection): number {
  return c.timestampsOn ? TIMESTAMPS_LENGTH : 0;
}

function sackBlockCount(c: TcpConnection): number {
  if (!c.sackOn) return 0;
  let count = c.outOfOrder === undefined ? 0 : c.outOfOrder.count;
  if (c.dsackStart !== c.dsackEnd) count++;
  if (count === 0) return 0;
  return Math.min(count, c.timestampsOn ? 3 : 4);
}

/**
 * RFC 2018 §4: first the block that holds what arrived last, then the others
 * by how recently they grew; a D-SACK stands before all (RFC 2883 §4).
 */
function writeSackBlocks(c: TcpConnection, view: DataView, at: number, count: number): number {
  let end = writeSackHead(view, at, count);
  if (c.dsackStart !== c.dsackEnd) {
    end = writeSackBlock(view, end, c.dsackStart, c.dsackEnd);
    count--;
  }
  const ranges = c.outOfOrder;
  if (ranges === undefined) return end;
  let newerThan = Number.POSITIVE_INFINITY;
  for (let n = 0; n < count; n++) {
    let best = -1;
    for (let i = 0; i < ranges.count; i++) {
      const stamp = ranges.stamp(i);
      if (stamp < newerThan && (best < 0 || stamp > ranges.stamp(best))) best = i;
    }
    if (best < 0) break;
    newerThan = ranges.stamp(best);
    end = writeSackBlock(view, end, ranges.start(best), ranges.end(best));
  }
  return end;
}
