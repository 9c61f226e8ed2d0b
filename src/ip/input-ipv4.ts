/** IPv4 packets coming in, checked in the order of RFC 1122 §3.2.1. */
import { MAPPED } from "../base/address.ts";
import { CSUM_NONE, type Frame, NO_FRAME } from "../base/frame-memory.ts";
import {
  ICMP_PARAMETER_PROBLEM,
  ICMP_SOURCE_ROUTE_FAILED,
  ICMP_UNREACHABLE,
} from "../wire/icmpv4.ts";
import { ipv4HeaderSum } from "../wire/ipv4.ts";
import {
  checkIpv4Options,
  IPV4_OPTIONS_FINE,
  IPV4_OPTIONS_SOURCE_ROUTE,
} from "../wire/ipv4-options.ts";
import type { IpContext } from "./context.ts";
import { icmpv4Error } from "./icmp-output.ts";
import { deliver, NEVER_OURS, NOT_OURS, OURS, OURS_AS_GROUP, passOn } from "./input.ts";
import type { IpInterface } from "./ip-interface.ts";
import { reassembleIpv4 } from "./reassembly-input.ts";

/** Reads a lent packet whose header begins at `at`; `length` may include padding. */
export function inputIpv4(
  ip: IpContext,
  iface: IpInterface,
  frame: Frame,
  at: number,
  length: number,
  isLinkGroup: boolean,
): void {
  const view = ip.view;
  const counters = ip.counters;
  counters.ipInReceives++;
  if (length < 20) {
    counters.ipInTruncatedPkts++;
    return;
  }
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const word2 = view.getInt32(at + 8);
  const source = view.getInt32(at + 12);
  const destination = view.getInt32(at + 16);
  const header = (word0 >>> 22) & 0x3c;
  const total = word0 & 0xffff;
  if (word0 >>> 28 !== 4 || header < 20 || total < header) {
    counters.ipInHdrErrors++;
    return;
  }
  if (total > length) {
    counters.ipInTruncatedPkts++;
    return;
  }
  if (ip.memory.checksumState(frame) === CSUM_NONE) {
    let sum: number;
    if (header === 20) {
      sum =
        (word0 >>> 16) +
        (word0 & 0xffff) +
        (word1 >>> 16) +
        (word1 & 0xffff) +
        (word2 >>> 16) +
        (word2 & 0xffff) +
        (source >>> 16) +
        (source & 0xffff) +
        (destination >>> 16) +
        (destination & 0xffff);
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = (sum & 0xffff) + (sum >>> 16);
    } else {
      sum = ipv4HeaderSum(view, at, header);
    }
    if (sum !== 0xffff) {
      counters.ipInCsumErrors++;
      counters.ipInHdrErrors++;
      return;
    }
  }
  // A packet like the last one that passed: same source, same destination of ours.
  let meaning = OURS;
  if (
    destination !== iface.okDestination ||
    source !== iface.okSource ||
    ip.generation !== iface.okGeneration ||
    isLinkGroup
  ) {
    meaning = classify(ip, iface, source, destination, isLinkGroup);
    if (meaning === NEVER_OURS) return;
  }
  if (
    header !== 20 &&
    !acceptOptions(ip, iface, at, total, isLinkGroup || meaning === OURS_AS_GROUP)
  )
    return;
  if (meaning === NOT_OURS) {
    passOn(ip, iface, frame, at, total);
    return;
  }
  const packet = ip.packet;
  packet.frame = frame;
  packet.ipOffset = at;
  packet.offset = at + header;
  packet.length = total - header;
  packet.isIpv4 = true;
  packet.protocol = (word2 >>> 16) & 0xff;
  packet.ttl = word2 >>> 24;
  packet.tos = (word0 >>> 16) & 0xff;
  packet.source0 = 0;
  packet.source1 = 0;
  packet.source2 = MAPPED;
  packet.source3 = source;
  packet.destination0 = 0;
  packet.destination1 = 0;
  packet.destination2 = MAPPED;
  packet.destination3 = destination;
  packet.interfaceIndex = iface.index;
  packet.scope = 0;
  packet.isMulticast = meaning === OURS_AS_GROUP;
  packet.hasOptions = header !== 20;
  if ((word1 & 0x3fff) !== 0) {
    const whole = reassembleIpv4(ip, iface, word1);
    if (whole === NO_FRAME) return;
    deliver(ip, iface, 0);
    ip.taker = undefined;
    ip.memory.release(whole);
    return;
  }
  deliver(ip, iface, 0);
}

/** Source and destination addresses (RFC 1122 §3.2.1.3), counted when refused. */
function classify(
  ip: IpContext,
  iface: IpInterface,
  source: number,
  destination: number,
  isLinkGroup: boolean,
): number {
  const counters = ip.counters;
  const isInside = iface.isLoopback || ip.isLooped;
  const destinationTop = destination >>> 28;
  const isBroadcast = destination === -1 || iface.isSubnetBroadcast(destination);
  const isMulticast = destinationTop === 0xe;
  // Sources that are no host: multicast and above, broadcast, loopback from outside, ourselves from outside.
  const isNobody = source === 0 && (isBroadcast || isMulticast); // DHCP, IGMP
  if (
    source >>> 28 >= 0xe ||
    (source >>> 24 === 0 && !isNobody) ||
    (!isInside && source >>> 24 === 127) ||
    iface.isSubnetBroadcast(source) ||
    (!isInside && ip.addresses.findUsable(0, 0, MAPPED, source) !== undefined)
  ) {
    counters.ipInMartians++;
    counters.ipInAddrErrors++;
    return NEVER_OURS;
  }
  if (isBroadcast) {
    counters.ipInBcastPkts++;
    return OURS_AS_GROUP;
  }
  if (isMulticast) {
    counters.ipInMcastPkts++;
    if (iface.isMember(0, 0, MAPPED, destination)) return OURS_AS_GROUP;
    counters.ipInDiscards++;
    return NEVER_OURS;
  }
  if (
    destinationTop === 0xf ||
    destination >>> 24 === 0 ||
    (!isInside && destination >>> 24 === 127) ||
    // RFC 1122 §3.3.6: link-layer broadcast with a unicast destination inside.
    isLinkGroup
  ) {
    counters.ipInAddrErrors++;
    return NEVER_OURS;
  }
  const isOurs =
    (isInside && destination >>> 24 === 127) ||
    ip.addresses.findUsable(0, 0, MAPPED, destination) !== undefined ||
    iface.acceptAnyDestination ||
    ip.settings.acceptAnyDestination;
  if (!isOurs) return NOT_OURS;
  iface.okSource = source;
  iface.okDestination = destination;
  iface.okGeneration = ip.generation;
  return OURS;
}

/** Options are read for errors only; source routes are refused (RFC 7126 §4.3, §4.4). False: drop. */
function acceptOptions(
  ip: IpContext,
  iface: IpInterface,
  at: number,
  total: number,
  isGroup: boolean,
): boolean {
  const result = checkIpv4Options(ip.view, at);
  if (result === IPV4_OPTIONS_FINE) return true;
  if (result === IPV4_OPTIONS_SOURCE_ROUTE) {
    ip.counters.ipInSourceRoutes++;
    ip.counters.ipInDiscards++;
    icmpv4Error(ip, iface, at, total, isGroup, ICMP_UNREACHABLE, ICMP_SOURCE_ROUTE_FAILED, 0);
  } else {
    ip.counters.ipInHdrErrors++;
    icmpv4Error(ip, iface, at, total, isGroup, ICMP_PARAMETER_PROBLEM, 0, result << 24);
  }
  return false;
}
