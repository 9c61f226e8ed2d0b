import type { Packet } from "./ast.ts";
import { formatIp, formatTcp } from "./format.ts";

/** A packet line as the script has it, without direction and time. */
export function formatPacket(packet: Packet): string {
  const ip = formatIp(packet.ip);
  switch (packet.kind) {
    case "tcp":
      return ip + formatTcp(packet);
    case "udp":
      return `${ip}udp (${packet.payloadLength})`;
    case "icmp": {
      const { echoed } = packet;
      const quoted =
        echoed === undefined
          ? ""
          : echoed.protocol === "udp"
            ? ` [udp (${echoed.payloadLength})]`
            : ` [${echoed.sequence}:${(echoed.sequence + echoed.payloadLength) % 2 ** 32}(${echoed.payloadLength})]`;
      const mtu = packet.mtu === undefined ? "" : ` mtu ${packet.mtu}`;
      const code = packet.code === "" ? "" : ` ${packet.code}`;
      return `${ip}icmp ${packet.type}${code}${mtu}${quoted}`;
    }
    case "unsupported":
      return packet.reason;
  }
}
