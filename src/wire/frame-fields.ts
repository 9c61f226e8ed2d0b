/** A whole frame as objects, and whole packets from fields: for tests, scripts and traces. */
import type { IpAddress } from "../base/address.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./ethernet.ts";
import {
  type ArpPacket,
  decodeArp,
  decodeEthernet,
  type EthernetHeader,
} from "./ethernet-fields.ts";
import { decodeIcmp, type IcmpMessage } from "./icmp-fields.ts";
import { decodeIpv4, decodeIpv6, encodeIp, type Ipv4Header, type Ipv6Header } from "./ip-fields.ts";
import { IPV6_HEADER } from "./ipv6.ts";
import { Ipv6Walk, WALK_FRAGMENT, WALK_UPPER, walkIpv6Extensions } from "./ipv6-extensions.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "./protocol.ts";
import { decodeTcp, encodeTcp, type TcpFields, type TcpHeader } from "./tcp-fields.ts";
import { UDP_HEADER } from "./udp.ts";
import { decodeUdp, encodeUdp, type UdpFields, type UdpHeader } from "./udp-fields.ts";

/** What was recognized; everything deeper than the first malformed header is missing. */
export interface DecodedFrame {
  ethernet?: EthernetHeader;
  arp?: ArpPacket;
  ipv4?: Ipv4Header;
  ipv6?: Ipv6Header;
  source?: IpAddress;
  destination?: IpAddress;
  /** Upper protocol, behind IPv6 extension headers; -1 if not reached. */
  protocol: number;
  /** A piece of a datagram; only the first has transport fields. */
  isFragment: boolean;
  /** Absolute offset and bytes present of the transport message; length 0 if not reached. */
  transportAt: number;
  transportLength: number;
  tcp?: TcpHeader;
  udp?: UdpHeader;
  icmp?: IcmpMessage;
  /** Absolute offset and bytes present of the TCP, UDP or other IP payload. */
  payloadAt: number;
  payloadLength: number;
}

/** Decodes `length` bytes at `at`. Padding behind the IP packet is left out. */
export function decodeFrame(
  view: DataView,
  at: number,
  length: number,
  medium: "ethernet" | "ip",
): DecodedFrame {
  const frame: DecodedFrame = {
    protocol: -1,
    isFragment: false,
    transportAt: at,
    transportLength: 0,
    payloadAt: at,
    payloadLength: 0,
  };
  if (medium === "ip") {
    decodeIp(frame, view, at, length);
    return frame;
  }
  const ethernet = decodeEthernet(view, at, length);
  if (ethernet === undefined) return frame;
  frame.ethernet = ethernet;
  const ipAt = at + ethernet.headerLength;
  const ipLength = length - ethernet.headerLength;
  if (ethernet.type === ETHERTYPE_ARP) frame.arp = decodeArp(view, ipAt, ipLength);
  if (ethernet.type === ETHERTYPE_IPV4 || ethernet.type === ETHERTYPE_IPV6) {
    decodeIp(frame, view, ipAt, ipLength);
  }
  return frame;
}

function decodeIp(frame: DecodedFrame, view: DataView, at: number, length: number): void {
  const ipv4 = decodeIpv4(view, at, length);
  if (ipv4 !== undefined) {
    frame.ipv4 = ipv4;
    frame.source = ipv4.source;
    frame.destination = ipv4.destination;
    if (ipv4.totalLength < ipv4.headerLength) return;
    frame.isFragment = ipv4.moreFragments || ipv4.fragmentOffset > 0;
    frame.protocol = ipv4.protocol;
    const present = Math.min(length, ipv4.totalLength) - ipv4.headerLength;
    decodeTransport(frame, view, at + ipv4.headerLength, present, ipv4.fragmentOffset === 0);
    return;
  }
  const ipv6 = decodeIpv6(view, at, length);
  if (ipv6 === undefined) return;
  frame.ipv6 = ipv6;
  frame.source = ipv6.source;
  frame.destination = ipv6.destination;
  const walk = new Ipv6Walk();
  const present = Math.min(length, IPV6_HEADER + ipv6.payloadLength);
  const status = walkIpv6Extensions(view, at, present, walk);
  if (status !== WALK_UPPER && status !== WALK_FRAGMENT) return;
  frame.isFragment = status === WALK_FRAGMENT;
  frame.protocol = walk.protocol;
  decodeTransport(frame, view, walk.offset, walk.length, walk.fragmentOffset === 0);
}

function decodeTransport(
  frame: DecodedFrame,
  view: DataView,
  at: number,
  length: number,
  first: boolean,
): void {
  frame.transportAt = at;
  frame.transportLength = length;
  frame.payloadAt = at;
  frame.payloadLength = length;
  if (!first) return;
  if (frame.protocol === PROTOCOL_TCP) {
    frame.tcp = decodeTcp(view, at, length);
    if (frame.tcp === undefined) return;
    frame.payloadAt = at + frame.tcp.headerLength;
    frame.payloadLength = frame.tcp.payloadLength;
  } else if (frame.protocol === PROTOCOL_UDP) {
    frame.udp = decodeUdp(view, at, length);
    if (frame.udp === undefined) return;
    frame.payloadAt = at + UDP_HEADER;
    // A stated length that is too short or too long gives way to the bytes there are.
    frame.payloadLength = Math.max(0, Math.min(length, frame.udp.length) - UDP_HEADER);
  } else if (frame.protocol === PROTOCOL_ICMP || frame.protocol === PROTOCOL_ICMPV6) {
    frame.icmp = decodeIcmp(view, at, length);
  }
}

/** What the IP header of a built packet may have besides addresses. */
export interface PacketIp {
  source: IpAddress;
  destination: IpAddress;
  /** TTL or hop limit, 64. */
  ttl?: number;
  /** TOS or traffic class, 0. */
  tos?: number;
}

/** An IP packet of either family around a TCP segment, all checksums right. */
export function encodeTcpPacket(ip: PacketIp, tcp: TcpFields, payload?: Uint8Array): Uint8Array {
  const segment = encodeTcp(tcp, payload, ip.source, ip.destination);
  return encodeIp({ ...ip, protocol: PROTOCOL_TCP }, segment);
}

/** An IP packet of either family around a UDP datagram, all checksums right. */
export function encodeUdpPacket(ip: PacketIp, udp: UdpFields, payload: Uint8Array): Uint8Array {
  const datagram = encodeUdp(udp, payload, ip.source, ip.destination);
  return encodeIp({ ...ip, protocol: PROTOCOL_UDP }, datagram);
}
