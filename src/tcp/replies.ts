import { IpAddress } from "../base/address.ts";
import { NO_FRAME } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP, SEND_DONT_FRAGMENT } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { ACK, FIN, RST, SYN, TCP_CHECKSUM, TCP_HEADER, writeTcpHeader } from "../wire/tcp.ts";
import { writeTimestamps } from "../wire/tcp-options.ts";
import { writeSynOptions } from "./emit-syn.ts";
import type { TcpEnvironment } from "./environment.ts";
import {
  REPLY_ACK,
  REPLY_FLAGS,
  REPLY_HAS_TIMESTAMPS,
  REPLY_LOCAL,
  REPLY_PORTS,
  REPLY_REMOTE,
  REPLY_SCOPE,
  REPLY_SEQ,
  REPLY_SYN,
  REPLY_TS_ECR,
  REPLY_TS_VAL,
} from "./reply-ring.ts";
import type { Segment } from "./segment.ts";

/**
 * A row for a reply to this packet, addresses and ports exchanged; -1 when the
 * ring is full (counted).
 */
export function replyTo(env: TcpEnvironment, packet: ReceivedPacket, ports: number): number {
  const at = env.replies.push();
  if (at < 0) {
    env.counters.replyRingDrops++;
    return at;
  }
  const rows = env.replies.rows;
  rows[at + REPLY_LOCAL] = packet.destination0;
  rows[at + REPLY_LOCAL + 1] = packet.destination1;
  rows[at + REPLY_LOCAL + 2] = packet.destination2;
  rows[at + REPLY_LOCAL + 3] = packet.destination3;
  rows[at + REPLY_REMOTE] = packet.source0;
  rows[at + REPLY_REMOTE + 1] = packet.source1;
  rows[at + REPLY_REMOTE + 2] = packet.source2;
  rows[at + REPLY_REMOTE + 3] = packet.source3;
  rows[at + REPLY_PORTS] = ports;
  rows[at + REPLY_SCOPE] = packet.scope;
  return at;
}

/** RST for a segment that has no connection (RFC 9293 §3.10.7.1, §3.5.2 group 1). Never in answer to RST. */
export function replyReset(
  env: TcpEnvironment,
  packet: ReceivedPacket,
  ports: number,
  seg: Segment,
): void {
  if ((seg.flags & RST) !== 0 || packet.isMulticast) return;
  const at = replyTo(env, packet, ports);
  if (at < 0) return;
  const rows = env.replies.rows;
  if ((seg.flags & ACK) !== 0) {
    rows[at + REPLY_SEQ] = seg.ack;
    rows[at + REPLY_FLAGS] = RST;
  } else {
    const length = seg.length + (seg.flags & SYN ? 1 : 0) + (seg.flags & FIN ? 1 : 0);
    rows[at + REPLY_ACK] = (seg.seq + length) | 0;
    rows[at + REPLY_FLAGS] = RST | ACK;
  }
}

/** Sends the waiting replies, as far as there is room; what is left waits for the device's word or for a frame. */
export function sendReplies(env: TcpEnvironment): void {
  const ring = env.replies;
  const rows = ring.rows;
  while (ring.length > 0) {
    const at = ring.first;
    const scope = rows[at + REPLY_SCOPE]!;
    const local = addressAt(rows, at + REPLY_LOCAL, scope);
    const remote = addressAt(rows, at + REPLY_REMOTE, scope);
    const path = env.ip.path(local, remote, 0);
    if (path === undefined) {
      env.counters.ipOutNoRoutes++;
      ring.shift();
      continue;
    }
    if (path.room() <= 0) return;
    const frame = env.memory.alloc(TCP_HEADER + 40, true);
    if (frame === NO_FRAME) {
      env.noFrame();
      return;
    }
    const word = rows[at + REPLY_FLAGS]!;
    const flags = word & 0x1ff;
    const view = env.memory.view;
    const start = env.memory.start(frame);
    let end = start + TCP_HEADER;
    if ((flags & SYN) !== 0) {
      const syn = rows[at + REPLY_SYN]!;
      end = writeSynOptions(
        view,
        end,
        {
          mss: path.interfaceMtu - path.headerLength - TCP_HEADER,
          windowScale: ((syn >>> 16) & 0x1f) - 1,
          sack: (syn & 0x200000) !== 0,
          timestamps: (word & REPLY_HAS_TIMESTAMPS) !== 0,
          tsVal: rows[at + REPLY_TS_VAL]!,
          tsEcr: rows[at + REPLY_TS_ECR]!,
          fastOpen: undefined,
        },
        env.settings.optionLayout,
      );
    } else if ((word & REPLY_HAS_TIMESTAMPS) !== 0) {
      end = writeTimestamps(view, end, rows[at + REPLY_TS_VAL]!, rows[at + REPLY_TS_ECR]!);
    }
    const ports = rows[at + REPLY_PORTS]!;
    const length = end - start;
    writeTcpHeader(
      view,
      start,
      ports >>> 16,
      ports & 0xffff,
      rows[at + REPLY_SEQ]!,
      rows[at + REPLY_ACK]!,
      length,
      flags,
      word >>> 16,
      0,
      0,
    );
    const sum = env.memory.kernel.sum(start, length) + path.pseudoSum + PROTOCOL_TCP + length;
    view.setUint16(start + TCP_CHECKSUM, ~foldSum(sum) & 0xffff);
    env.memory.setRange(frame, start, length);
    env.counters.tcpOutSegs++;
    if ((flags & RST) !== 0) env.counters.tcpOutRsts++;
    env.tracer?.reply(env.nowUs, path, ports, rows[at + REPLY_SEQ]!, rows[at + REPLY_ACK]!, flags);
    const fields = rows[at + REPLY_SYN]! & 0xffff;
    const ttl = fields === 0 ? env.settings.ttl : fields & 0xff;
    const tos = fields === 0 ? env.settings.tos : fields >>> 8;
    env.ip.send(path, frame, PROTOCOL_TCP, tos, ttl, SEND_DONT_FRAGMENT);
    ring.shift();
  }
}

function addressAt(rows: Int32Array, at: number, scope: number): IpAddress {
  return new IpAddress(rows[at]!, rows[at + 1]!, rows[at + 2]!, rows[at + 3]!, scope);
}
