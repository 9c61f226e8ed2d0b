import { NO_FRAME } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP, SEND_DONT_FRAGMENT } from "../base/path.ts";
import { NEVER } from "../base/timers.ts";
import { ACK, PSH, TCP_CHECKSUM, TCP_HEADER } from "../wire/tcp.ts";
import { TIMESTAMPS_ALIGNED, TIMESTAMPS_LENGTH } from "../wire/tcp-options.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { isPushed } from "./push.ts";
import { timestampNow } from "./timestamps.ts";
import { selectWindow } from "./window.ts";

/** Most segments of one run: what a device without delay takes at once. */
export const RUN_MAX = 64;

/** The frames of the run that is being made; handed over before the call ends. */
const frames = new Int32Array(RUN_MAX);

const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/**
 * Whether segments of this connection differ in nothing but their numbers, so
 * that several can be written in one go: no SACK block, ECN or urgent data to
 * say, no super-segments, nobody who wants to see each.
 */
export function canRun(env: TcpEnvironment, c: TcpConnection): boolean {
  return (
    c.outOfOrder === undefined &&
    c.dsackStart === c.dsackEnd &&
    !c.ecnOn &&
    !c.urgentOut &&
    !c.path!.checksumOffload &&
    env.tracer === undefined
  );
}

/**
 * Writes `count` full segments of new data from SND.NXT on and hands them to
 * IP together: what they have in common is computed once. One by one, through
 * `emitSegment`, a segment costs 90 ns more. Answers how many there were
 * frames for; SND.NXT and the retransmission queue are the caller's.
 */
export function emitDataRun(env: TcpEnvironment, c: TcpConnection, count: number): number {
  const memory = env.memory;
  const view = memory.view;
  const buffer = c.sndBuf;
  const length = c.sndMss;
  const headerLength = c.timestampsOn ? TCP_HEADER + TIMESTAMPS_LENGTH : TCP_HEADER;
  const ports = (c.localPort << 16) | c.remotePort;
  const ack = c.rcvNxt;
  const plain = (headerLength << 26) | (ACK << 16) | selectWindow(env.settings, c);
  const tsVal = c.timestampsOn ? timestampNow(c, env.nowUs) : 0;
  const tsEcr = c.tsRecent;
  const common = commonSum(c, headerLength + length, tsVal) + halves(ack);
  let seq = c.sndNxt;
  let made = 0;
  while (made < count) {
    const frame = memory.alloc(headerLength + length);
    if (frame === NO_FRAME) {
      env.noFrame();
      break;
    }
    frames[made++] = frame;
    const at = memory.start(frame);
    memory.setRange(frame, at, headerLength + length);
    const end = (seq + length) | 0;
    const word3 = isPushed(c, seq, end) ? plain | (PSH << 16) : plain;
    view.setInt32(at, ports);
    view.setInt32(at + 4, seq);
    view.setInt32(at + 8, ack);
    view.setInt32(at + 12, word3);
    if (headerLength !== TCP_HEADER) {
      view.setInt32(at + TCP_HEADER, TIMESTAMPS_ALIGNED);
      view.setInt32(at + TCP_HEADER + 4, tsVal);
      view.setInt32(at + TCP_HEADER + 8, tsEcr);
    }
    const total =
      common +
      halves(seq) +
      halves(word3) +
      buffer.copySumOut(memory, seq, at + headerLength, length);
    view.setInt32(at + TCP_CHECKSUM, (~foldSum(total) & 0xffff) << 16);
    seq = end;
  }
  if (made > 0) {
    c.lastAckSent = ack;
    c.ackFlags = 0;
    c.delayedAckAtUs = NEVER;
    sendRun(env, c, made);
  }
  return made;
}

/**
 * Writes `count` ACKs, each for `step` bytes more than the one before, from
 * Last.ACK.sent on: those owed for a batch (RFC 5681 §4.2).
 */
export function emitAckRun(
  env: TcpEnvironment,
  c: TcpConnection,
  count: number,
  step: number,
): void {
  const memory = env.memory;
  const view = memory.view;
  const headerLength = c.timestampsOn ? TCP_HEADER + TIMESTAMPS_LENGTH : TCP_HEADER;
  const ports = (c.localPort << 16) | c.remotePort;
  const seq = c.sndNxt;
  const rcvNxt = c.rcvNxt;
  const tsVal = c.timestampsOn ? timestampNow(c, env.nowUs) : 0;
  const tsEcr = c.tsRecent;
  const common = commonSum(c, headerLength, tsVal) + halves(seq);
  let ack = c.lastAckSent;
  let made = 0;
  while (made < count) {
    const frame = memory.alloc(headerLength, true);
    if (frame === NO_FRAME) {
      env.noFrame();
      break;
    }
    frames[made++] = frame;
    ack = (ack + step) | 0;
    c.rcvNxt = ack; // the window is that of an ACK sent when this was the next number
    const word3 = (headerLength << 26) | (ACK << 16) | selectWindow(env.settings, c);
    const at = memory.start(frame);
    memory.setRange(frame, at, headerLength);
    view.setInt32(at, ports);
    view.setInt32(at + 4, seq);
    view.setInt32(at + 8, ack);
    view.setInt32(at + 12, word3);
    if (headerLength !== TCP_HEADER) {
      view.setInt32(at + TCP_HEADER, TIMESTAMPS_ALIGNED);
      view.setInt32(at + TCP_HEADER + 4, tsVal);
      view.setInt32(at + TCP_HEADER + 8, tsEcr);
    }
    const total = common + halves(ack) + halves(word3);
    view.setInt32(at + TCP_CHECKSUM, (~foldSum(total) & 0xffff) << 16);
  }
  c.rcvNxt = rcvNxt;
  if (made === 0) return;
  c.lastAckSent = ack;
  sendRun(env, c, made);
}

/** Sum of the pseudo-header and of the header words that all segments of a run share. */
function commonSum(c: TcpConnection, length: number, tsVal: number): number {
  const fixed =
    c.path!.pseudoSum + PROTOCOL_TCP + length + halves((c.localPort << 16) | c.remotePort);
  if (!c.timestampsOn) return fixed;
  return fixed + 0x0101 + 0x080a + halves(tsVal) + halves(c.tsRecent);
}

function sendRun(env: TcpEnvironment, c: TcpConnection, count: number): void {
  c.segsOut += count;
  env.counters.tcpOutSegs += count;
  const o = c.options;
  const df = o.pathMtuDiscovery > 0 ? SEND_DONT_FRAGMENT : 0;
  const result = env.ip.sendRun(c.path!, frames, count, PROTOCOL_TCP, o.tos, o.ttl, df);
  if (result < 0) c.softError = -result;
}
