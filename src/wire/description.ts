/** One line per frame, as tcpdump would write it. For traces, ladders and failing tests. */
import type { IpAddress } from "../base/address.ts";
import { formatMac } from "../base/mac.ts";
import { ARP_REPLY, ARP_REQUEST } from "./arp.ts";
import { viewOf } from "./bytes.ts";
import { sumIsValid } from "./checksum.ts";
import { describeIcmpv4, describeIcmpv6 } from "./description-icmp.ts";
import { describeIgmp } from "./description-multicast.ts";
import { describeTcp, describeUdp, type Endpoints } from "./description-transport.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./ethernet.ts";
import { decodeArp, decodeEthernet } from "./ethernet-fields.ts";
import { decodeIpv4, decodeIpv6 } from "./ip-fields.ts";
import { ipv4HeaderSum } from "./ipv4.ts";
import { IPV6_HEADER } from "./ipv6.ts";
import {
  Ipv6Walk,
  WALK_DROP,
  WALK_FRAGMENT,
  WALK_PROBLEM,
  walkIpv6Extensions,
} from "./ipv6-extensions.ts";
import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_IGMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "./protocol.ts";

/**
 * Describes a frame ("ethernet") or an IP packet ("ip") of any content in one line, for example
 * `IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1000, win 65535, options [mss 1460], length 0`.
 * Never throws. Transport checksums are not looked at: offload may still owe them.
 */
export function describe(bytes: Uint8Array, medium: "ethernet" | "ip"): string {
  const view = viewOf(bytes);
  return medium === "ethernet"
    ? describeEthernetAt(view, 0, bytes.length)
    : describeIpAt(view, 0, bytes.length);
}

/** The same for `length` bytes at `at` of a larger memory. */
export function describeAt(
  view: DataView,
  at: number,
  length: number,
  medium: "ethernet" | "ip",
): string {
  return medium === "ethernet"
    ? describeEthernetAt(view, at, length)
    : describeIpAt(view, at, length);
}

function describeEthernetAt(view: DataView, at: number, length: number): string {
  const header = decodeEthernet(view, at, length);
  if (header === undefined) return `[|ether] length ${length}`;
  const tag = header.vlan === undefined ? "" : `vlan ${header.vlan}, `;
  const payloadAt = at + header.headerLength;
  const payloadLength = length - header.headerLength;
  switch (header.type) {
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
      return tag + describeIpAt(view, payloadAt, payloadLength);
    case ETHERTYPE_ARP:
      return tag + describeArpAt(view, payloadAt, payloadLength);
    default: {
      const type = `ethertype 0x${header.type.toString(16).padStart(4, "0")}`;
      return `${tag}${header.source} > ${header.destination}, ${type}, length ${length}`;
    }
  }
}

function describeArpAt(view: DataView, at: number, length: number): string {
  const arp = decodeArp(view, at, length);
  if (arp === undefined) return `ARP, [|arp] length ${length}`;
  // Ethernet pads ARP to its minimum; the padding is not ARP's length.
  const end = ", length 28";
  if (arp.operation === ARP_REPLY) {
    return `ARP, Reply ${arp.senderIp} is-at ${arp.senderMac}${end}`;
  }
  if (arp.operation !== ARP_REQUEST) return `ARP, operation ${arp.operation}${end}`;
  if (arp.senderIp.isUnspecified) return `ARP, Probe ${arp.targetIp}${end}`;
  if (arp.senderIp.equals(arp.targetIp)) {
    return `ARP, Announcement ${arp.senderIp} at ${formatMac(arp.senderMac.high, arp.senderMac.low)}${end}`;
  }
  return `ARP, Request who-has ${arp.targetIp} tell ${arp.senderIp}${end}`;
}

function describeIpAt(view: DataView, at: number, length: number): string {
  if (length === 0) return "[|ip] length 0";
  const version = view.getUint8(at) >>> 4;
  if (version === 4) return describeIpv4At(view, at, length);
  if (version === 6) return describeIpv6At(view, at, length);
  return `IP version ${version}, length ${length}`;
}

/** ECN field in words, as a trace of congestion wants it; nothing for plain packets. */
function ecnNote(trafficClass: number): string {
  return ["", " [ECT(1)]", " [ECT(0)]", " [CE]"][trafficClass & 3];
}

function describeIpv4At(view: DataView, at: number, length: number): string {
  const header = decodeIpv4(view, at, length);
  if (header === undefined) return `IP [|ip] length ${length}`;
  const { source, destination, protocol, headerLength, totalLength } = header;
  const badSum = sumIsValid(ipv4HeaderSum(view, at, headerLength)) ? "" : " [bad ip cksum]";
  const family = `IP${badSum}${ecnNote(header.tos)}`;
  if (totalLength < headerLength) {
    return `${family} ${source} > ${destination}: bad length ${totalLength}`;
  }
  const present = Math.min(length, totalLength) - headerLength;
  const stated = totalLength - headerLength;
  const payloadAt = at + headerLength;
  const more = header.moreFragments ? "+" : "";
  const fragment =
    header.fragmentOffset === 0 && !header.moreFragments
      ? ""
      : ` (frag ${header.identification}:${stated}@${header.fragmentOffset}${more})`;
  const ends = { family, source, destination };
  if (header.fragmentOffset > 0) {
    return `${family} ${source} > ${destination}: ${protocolName(protocol)}${fragment}`;
  }
  return upper(view, payloadAt, present, stated, protocol, ends) + fragment;
}

function describeIpv6At(view: DataView, at: number, length: number): string {
  const header = decodeIpv6(view, at, length);
  if (header === undefined) return `IP6 [|ip6] length ${length}`;
  const { source, destination } = header;
  const family = `IP6${ecnNote(header.trafficClass)}`;
  const whole = IPV6_HEADER + header.payloadLength;
  const present = Math.min(length, whole);
  const walk = new Ipv6Walk();
  const status = walkIpv6Extensions(view, at, present, walk);
  const head = `${family} ${source} > ${destination}:`;
  if (status === WALK_DROP) return `${head} bad extension headers, length ${whole - IPV6_HEADER}`;
  if (status === WALK_PROBLEM) return `${head} parameter problem at ${walk.pointer}`;
  const stated = whole - (walk.offset - at);
  if (status === WALK_FRAGMENT) {
    const more = walk.moreFragments ? "+" : "";
    const id = (walk.fragmentId >>> 0).toString(16);
    const note = ` (frag 0x${id}:${stated}@${walk.fragmentOffset}${more})`;
    if (walk.fragmentOffset > 0) return `${head} ${protocolName(walk.protocol)}${note}`;
    const ends = { family, source, destination };
    return upper(view, walk.offset, walk.length, stated, walk.protocol, ends) + note;
  }
  const ends = { family, source, destination };
  return upper(view, walk.offset, walk.length, stated, walk.protocol, ends);
}

function upper(
  view: DataView,
  at: number,
  present: number,
  stated: number,
  protocol: number,
  ends: Endpoints,
): string {
  const head = `${ends.family} ${ends.source} > ${ends.destination}:`;
  switch (protocol) {
    case PROTOCOL_TCP:
      return describeTcp(view, at, present, stated, ends);
    case PROTOCOL_UDP:
      return describeUdp(view, at, present, ends);
    case PROTOCOL_ICMP:
      return `${head} ${describeIcmpv4(view, at, present, stated)}`;
    case PROTOCOL_ICMPV6:
      return `${head} ${describeIcmpv6(view, at, present, stated)}`;
    case PROTOCOL_IGMP:
      return `${head} ${describeIgmp(view, at, present)}`;
    default:
      return `${head} ${protocolName(protocol)}, length ${stated}`;
  }
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTOCOL_ICMP]: "ICMP",
  [PROTOCOL_IGMP]: "igmp",
  [PROTOCOL_TCP]: "tcp",
  [PROTOCOL_UDP]: "udp",
  [PROTOCOL_ICMPV6]: "ICMP6",
  50: "ESP",
  51: "AH",
  59: "no next header",
};

function protocolName(protocol: number): string {
  return PROTOCOL_NAMES[protocol] ?? `ip-proto-${protocol}`;
}

/** For callers that print an address and port the way these lines do. */
export function describeEndpoint(address: IpAddress, port: number): string {
  return `${address}.${port}`;
}
