/** Why segments were sent again: known to the trace, wanted on the packets. */
import { decodeFrame } from "../wire/frame-fields.ts";
import type { Trace } from "./events.ts";
import type { PacketLog } from "./packet-log.ts";

/** Names the segment that a host sent at a time. */
export function reasonKey(host: string, timeUs: number, seq: number, length: number): string {
  return `${host} ${timeUs} ${seq >>> 0} ${length}`;
}

export function reasonsOf(trace: Trace): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const event of trace.events()) {
    if (event.name !== "tcp:segment_sent" || event.reason === undefined) continue;
    reasons.set(reasonKey(event.host, event.timeUs, event.seq, event.length), event.reason);
  }
  return reasons;
}

const COMMENTS: Readonly<Record<string, string>> = {
  rto: "retransmission: RTO",
  fast: "retransmission: fast",
  "tail-loss-probe": "retransmission: tail loss probe",
  syn: "retransmission: SYN",
  "keep-alive": "keep-alive",
  "window-probe": "zero-window probe",
};

/** Writes into the comments of captured packets why they were sent again. Answers how many. */
export function commentRetransmissions(log: PacketLog, trace: Trace): number {
  const reasons = reasonsOf(trace);
  if (reasons.size === 0) return 0;
  let count = 0;
  for (let i = 0; i < log.count; i++) {
    if (log.direction(i) !== "out") continue;
    const { host, medium } = log.interfaces[log.interfaceId(i)];
    const bytes = log.bytes(i);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { tcp, payloadLength } = decodeFrame(view, 0, bytes.length, medium);
    if (tcp === undefined) continue;
    const reason = reasons.get(reasonKey(host, log.timeUs(i), tcp.sequence, payloadLength));
    if (reason === undefined) continue;
    log.remark(i, COMMENTS[reason] ?? reason);
    count++;
  }
  return count;
}
