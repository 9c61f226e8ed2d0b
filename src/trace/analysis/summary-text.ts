import { durationText } from "../ladder/model.ts";
import type { ConnectionSummary, DirectionSummary } from "./connections.ts";

/** A connection in a dozen lines. */
export function summaryLines(s: ConnectionSummary): string[] {
  const lines = [
    `#${s.id}  ${s.client} > ${s.server}  ${durationText(s.endUs - s.startUs)}, ${s.end}`,
    `    handshake        ${s.handshakeUs === undefined ? "not captured" : durationText(s.handshakeUs)}`,
  ];
  for (const d of s.directions) lines.push(...directionLines(d));
  return lines;
}

function directionLines(d: DirectionSummary): string[] {
  const { timeout, fast, spurious, handshake } = d.retransmissions;
  const total = timeout + fast + spurious + handshake;
  const rtt =
    d.rtt.samples === 0
      ? "no sample"
      : `min ${durationText(d.rtt.minUs)}, mean ${durationText(d.rtt.meanUs)}, max ${durationText(d.rtt.maxUs)} (${d.rtt.samples} samples)`;
  return [
    `  ${d.from} > ${d.to}`,
    `    data             ${d.streamBytes} bytes in ${d.packets} packets, ${rateText(d.bytesPerSecond)}`,
    `    round trip       ${rtt}`,
    `    sent again       ${total} (timeout ${timeout}, fast ${fast}, spurious ${spurious}, handshake ${handshake})`,
    `    zero window      ${durationText(d.zeroWindowUs)} announced, ${d.windowProbes} probes, ${d.keepAlives} keep-alives`,
  ];
}

function rateText(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  if (bits === 0) return "-";
  if (bits >= 1e9) return `${(bits / 1e9).toFixed(2)} Gbit/s`;
  if (bits >= 1e6) return `${(bits / 1e6).toFixed(2)} Mbit/s`;
  return `${(bits / 1e3).toFixed(1)} kbit/s`;
}
