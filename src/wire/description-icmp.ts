/** The ICMP and ICMPv6 part of a line. */
import { formatIpv4 } from "../base/address.ts";
import { describeMld } from "./description-multicast.ts";
import { describeNdp } from "./description-ndp.ts";
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HEADER,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_SOURCE_ROUTE_FAILED,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  icmpEchoId,
  icmpEchoSequence,
  icmpNextHopMtu,
  icmpPointer,
  icmpRest,
} from "./icmpv4.ts";
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_HEADER,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  icmpv6Mtu,
  icmpv6Pointer,
} from "./icmpv6.ts";
import { decodeIpv4, decodeIpv6 } from "./ip-fields.ts";
import { IPV6_HEADER } from "./ipv6.ts";
import { Ipv6Walk, WALK_UPPER, walkIpv6Extensions } from "./ipv6-extensions.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./protocol.ts";

/** "ICMP echo request, id 1, seq 2, length 64" */
export function describeIcmpv4(
  view: DataView,
  at: number,
  present: number,
  stated: number,
): string {
  if (present < ICMP_HEADER) return `ICMP [|icmp] length ${stated}`;
  return `ICMP ${icmpv4Text(view, at, present)}, length ${stated}`;
}

function icmpv4Text(view: DataView, at: number, present: number): string {
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  const quoteAt = at + ICMP_HEADER;
  const quoteLength = present - ICMP_HEADER;
  switch (type) {
    case ICMP_ECHO_REQUEST:
    case ICMP_ECHO_REPLY: {
      const name = type === ICMP_ECHO_REQUEST ? "request" : "reply";
      return `echo ${name}, id ${icmpEchoId(view, at)}, seq ${icmpEchoSequence(view, at)}`;
    }
    case ICMP_UNREACHABLE:
      return unreachableText(view, at, code, quoteAt, quoteLength);
    case ICMP_SOURCE_QUENCH:
      return "source quench";
    case ICMP_REDIRECT: {
      const quoted = decodeIpv4(view, quoteAt, quoteLength);
      const whom = quoted === undefined ? "" : ` ${quoted.destination}`;
      return `redirect${whom} to ${code === 0 ? "net" : "host"} ${formatIpv4(icmpRest(view, at))}`;
    }
    case ICMP_TIME_EXCEEDED:
      return code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
    case ICMP_PARAMETER_PROBLEM:
      return `parameter problem - octet ${icmpPointer(view, at)}`;
    default:
      return `type ${type}, code ${code}`;
  }
}

function unreachableText(
  view: DataView,
  at: number,
  code: number,
  quoteAt: number,
  quoteLength: number,
): string {
  const quoted = decodeIpv4(view, quoteAt, quoteLength);
  const whom = quoted === undefined ? "?" : quoted.destination.toString();
  switch (code) {
    case ICMP_NET_UNREACHABLE:
      return `net ${whom} unreachable`;
    case ICMP_HOST_UNREACHABLE:
      return `host ${whom} unreachable`;
    case ICMP_PROTOCOL_UNREACHABLE:
      return `${whom} protocol ${quoted?.protocol ?? "?"} unreachable`;
    case ICMP_PORT_UNREACHABLE: {
      if (quoted === undefined || quoted.fragmentOffset > 0) return `${whom} port unreachable`;
      const ports = quoteAt + quoted.headerLength;
      const room = quoteLength - quoted.headerLength;
      return `${whom} ${portText(view, ports, room, quoted.protocol)} unreachable`;
    }
    case ICMP_FRAGMENTATION_NEEDED: {
      const mtu = icmpNextHopMtu(view, at);
      return `${whom} unreachable - need to frag${mtu === 0 ? "" : ` (mtu ${mtu})`}`;
    }
    case ICMP_SOURCE_ROUTE_FAILED:
      return `${whom} unreachable - source route failed`;
    case ICMP_ADMIN_PROHIBITED:
      return `host ${whom} unreachable - admin prohibited filter`;
    default:
      return `${whom} unreachable - code ${code}`;
  }
}

/** "udp port 53" from the quoted transport header. */
function portText(view: DataView, at: number, room: number, protocol: number): string {
  const name = { [PROTOCOL_TCP]: "tcp", [PROTOCOL_UDP]: "udp" }[protocol];
  if (name === undefined || room < 4) return `protocol ${protocol} port`;
  return `${name} port ${view.getUint16(at + 2)}`;
}

/** "ICMP6, echo request, id 1, seq 2, length 64" */
export function describeIcmpv6(
  view: DataView,
  at: number,
  present: number,
  stated: number,
): string {
  if (present < ICMPV6_HEADER) return `ICMP6, [|icmp6] length ${stated}`;
  return `ICMP6, ${icmpv6Text(view, at, present)}, length ${stated}`;
}

const UNREACHABLE_V6: readonly string[] = [
  "no route",
  "prohibited",
  "beyond scope",
  "address",
  "port",
  "policy failed",
  "route rejected",
];

function icmpv6Text(view: DataView, at: number, present: number): string {
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  switch (type) {
    case ICMPV6_ECHO_REQUEST:
    case ICMPV6_ECHO_REPLY: {
      const name = type === ICMPV6_ECHO_REQUEST ? "request" : "reply";
      return `echo ${name}, id ${icmpEchoId(view, at)}, seq ${icmpEchoSequence(view, at)}`;
    }
    case ICMPV6_UNREACHABLE:
      return unreachableV6Text(view, at, present, code);
    case ICMPV6_PACKET_TOO_BIG:
      return `packet too big, mtu ${icmpv6Mtu(view, at)}`;
    case ICMPV6_TIME_EXCEEDED:
      return code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
    case ICMPV6_PARAMETER_PROBLEM:
      return `parameter problem, code ${code} - octet ${icmpv6Pointer(view, at)}`;
    default:
      return (
        describeNdp(view, at, present) ??
        describeMld(view, at, present) ??
        `type ${type}, code ${code}`
      );
  }
}

function unreachableV6Text(view: DataView, at: number, present: number, code: number): string {
  const reason = UNREACHABLE_V6[code] ?? `code ${code}`;
  const quoteAt = at + ICMPV6_HEADER;
  const quoteLength = present - ICMPV6_HEADER;
  const quoted = decodeIpv6(view, quoteAt, quoteLength);
  if (quoted === undefined) return `destination unreachable, ${reason}`;
  if (code === ICMPV6_PORT_UNREACHABLE) {
    const walk = new Ipv6Walk();
    const end = Math.min(quoteLength, IPV6_HEADER + quoted.payloadLength);
    if (walkIpv6Extensions(view, quoteAt, end, walk) === WALK_UPPER) {
      const port = portText(view, walk.offset, walk.length, walk.protocol);
      return `destination unreachable, ${quoted.destination} ${port}`;
    }
  }
  return `destination unreachable, ${reason} ${quoted.destination}`;
}
