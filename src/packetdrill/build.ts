/** Inbound packets: from the script's line to the bytes that the stack gets. */
import type { IpAddress } from "../base/address.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../base/path.ts";
import { addSums, checksumOf, pseudoSumWords, sumBytes, udpChecksumOf } from "../wire/checksum.ts";
import { IPV4_HEADER, writeIpv4Header } from "../wire/ipv4.ts";
import { IPV6_HEADER, writeIpv6Header } from "../wire/ipv6.ts";
import { ACK, SYN, TCP_HEADER, writeTcpHeader } from "../wire/tcp.ts";
import type { IcmpPacket, IpInfo, TcpOption, TcpPacket, UdpPacket } from "./ast.ts";
import type { Flow } from "./flow.ts";
import { icmpNumbers } from "./icmp-names.ts";
import { optionBytes } from "./tcp-option-bytes.ts";

/** Time to live of injected packets that say nothing else. */
const DEFAULT_TTL = 255;
/** Bytes of our own packet that an ICMP error quotes behind the IP header (RFC 792). */
const QUOTED_BYTES = 8;

/** A packet that cannot be built for this IP version; the script is wrong or does not apply. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** The bytes of `< ...`, IP header first. */
export function buildTcp(packet: TcpPacket, flow: Flow): Uint8Array {
  const syn = (packet.flags & SYN) !== 0;
  const options = padded(optionBytes((packet.options ?? []).map((o) => liveOption(o, flow))));
  const headerLength = TCP_HEADER + options.length;
  const length = headerLength + packet.payloadLength;
  const bytes = new Uint8Array(ipHeaderLength(flow.remoteAddress) + length);
  const view = new DataView(bytes.buffer);
  const at = bytes.length - length;
  const sequence = packet.sequence ?? 0;
  const ack = packet.ack ?? 0;
  const hasAck = (packet.flags & ACK) !== 0;
  writeTcpHeader(
    view,
    at,
    flow.remotePort,
    flow.localPort,
    syn || packet.absolute ? sequence | 0 : flow.liveRemote(sequence) | 0,
    hasAck && !packet.ackAbsolute ? flow.liveLocal(ack) | 0 : ack | 0,
    headerLength,
    packet.flags,
    packet.window ?? 0,
    0,
    packet.urgent ?? 0,
  );
  bytes.set(options, at + TCP_HEADER);
  const sum = addSums(pseudo(flow, PROTOCOL_TCP, length), sumBytes(view, at, length));
  view.setUint16(at + 16, checksumOf(sum));
  writeIp(view, flow.remoteAddress, flow.localAddress, packet.ip, PROTOCOL_TCP, length);
  return bytes;
}

export function buildUdp(packet: UdpPacket, flow: Flow): Uint8Array {
  const length = 8 + packet.payloadLength;
  const bytes = new Uint8Array(ipHeaderLength(flow.remoteAddress) + length);
  const view = new DataView(bytes.buffer);
  const at = bytes.length - length;
  view.setUint16(at, flow.remotePort);
  view.setUint16(at + 2, flow.localPort);
  view.setUint16(at + 4, length);
  const sum = addSums(pseudo(flow, PROTOCOL_UDP, length), sumBytes(view, at, length));
  view.setUint16(at + 6, udpChecksumOf(sum));
  writeIp(view, flow.remoteAddress, flow.localAddress, packet.ip, PROTOCOL_UDP, length);
  return bytes;
}

/** An ICMP message; an error quotes the IP header and the first eight bytes of a packet of ours. */
export function buildIcmp(packet: IcmpPacket, flow: Flow): Uint8Array {
  const isIpv4 = flow.remoteAddress.isIpv4;
  const numbers = icmpNumbers(isIpv4, packet.type, packet.code);
  if (numbers === undefined) {
    const version = isIpv4 ? "ICMPv4" : "ICMPv6";
    const message = `${version} has no ${`${packet.type} ${packet.code}`.trim()}`;
    throw new BuildError(message);
  }
  // An error that names no packet is about the first: our SYN.
  const isError = !packet.type.startsWith("echo");
  const echoed = packet.echoed ?? (isError ? FIRST_PACKET : undefined);
  const quoted = echoed === undefined ? new Uint8Array(0) : quote(echoed, flow);
  const length = 8 + quoted.length;
  const bytes = new Uint8Array(ipHeaderLength(flow.remoteAddress) + length);
  const view = new DataView(bytes.buffer);
  const at = bytes.length - length;
  bytes[at] = numbers.type;
  bytes[at + 1] = numbers.code;
  // RFC 1191 §4: the low 16 bits; RFC 4443 §3.2: all 32.
  view.setUint32(at + 4, packet.id === undefined ? (packet.mtu ?? 0) : packet.id << 16);
  bytes.set(quoted, at + 8);
  const protocol = isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  const start = isIpv4 ? 0 : pseudo(flow, protocol, length);
  view.setUint16(at + 2, checksumOf(addSums(start, sumBytes(view, at, length))));
  writeIp(view, flow.remoteAddress, flow.localAddress, packet.ip, protocol, length);
  return bytes;
}

const FIRST_PACKET = { protocol: "tcp", sequence: 0, payloadLength: 0 } as const;

function quote(echoed: NonNullable<IcmpPacket["echoed"]>, flow: Flow): Uint8Array {
  const bytes = new Uint8Array(ipHeaderLength(flow.localAddress) + QUOTED_BYTES);
  const view = new DataView(bytes.buffer);
  const at = bytes.length - QUOTED_BYTES;
  view.setUint16(at, flow.localPort);
  view.setUint16(at + 2, flow.remotePort);
  const tcp = echoed.protocol === "tcp";
  if (tcp) view.setUint32(at + 4, flow.liveLocal(echoed.sequence));
  else view.setUint16(at + 4, 8 + echoed.payloadLength);
  writeIp(
    view,
    flow.localAddress,
    flow.remoteAddress,
    { tos: undefined, dscp: undefined, ecn: undefined, ttl: undefined, flowLabel: undefined },
    tcp ? PROTOCOL_TCP : PROTOCOL_UDP,
    (tcp ? TCP_HEADER : 8) + echoed.payloadLength,
  );
  return bytes;
}

function liveOption(option: TcpOption, flow: Flow): TcpOption {
  if (option.kind === "sack") {
    return {
      kind: "sack",
      blocks: option.blocks.map(({ left, right }) => ({
        left: flow.liveLocal(left),
        right: flow.liveLocal(right),
      })),
    };
  }
  if (option.kind === "timestamp" && !option.echoAbsolute) {
    return { ...option, echo: flow.liveTimestamp(option.echo) };
  }
  return option;
}

/** A header is a whole number of words; what the script leaves open ends with EOL. */
function padded(options: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((options.length + 3) & ~3);
  bytes.set(options);
  return bytes;
}

function ipHeaderLength(address: IpAddress): number {
  return address.isIpv4 ? IPV4_HEADER : IPV6_HEADER;
}

function pseudo(flow: Flow, protocol: number, length: number): number {
  const { remoteAddress: s, localAddress: d } = flow;
  return pseudoSumWords(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, protocol, length);
}

function writeIp(
  view: DataView,
  source: IpAddress,
  destination: IpAddress,
  ip: IpInfo,
  protocol: number,
  length: number,
): void {
  const ecn = typeof ip.ecn === "number" ? ip.ecn : 0;
  const tos = ip.tos ?? ((ip.dscp ?? 0) << 2) | ecn;
  const ttl = ip.ttl ?? DEFAULT_TTL;
  if (source.isIpv4) {
    writeIpv4Header(
      view,
      0,
      tos,
      IPV4_HEADER + length,
      0,
      0,
      ttl,
      protocol,
      source.w3,
      destination.w3,
    );
    return;
  }
  writeIpv6Header(
    view,
    0,
    tos,
    ip.flowLabel ?? 0,
    length,
    protocol,
    ttl,
    source.w0,
    source.w1,
    source.w2,
    source.w3,
    destination.w0,
    destination.w1,
    destination.w2,
    destination.w3,
  );
}
