/** IPv6 packets coming in (RFC 8200 §3, §4). */
import { isMulticastWords, MAPPED } from "../base/address.ts";
import { type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { ICMPV6_PARAMETER_PROBLEM } from "../wire/icmpv6.ts";
import {
  WALK_DROP,
  WALK_FRAGMENT,
  WALK_PROBLEM,
  walkIpv6Extensions,
} from "../wire/ipv6-extensions.ts";
import {
  PROTOCOL_DESTINATION_OPTIONS,
  PROTOCOL_FRAGMENT,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_ROUTING,
} from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import { icmpv6Error } from "./icmp-output.ts";
import { deliver, NEVER_OURS, NOT_OURS, OURS, OURS_AS_GROUP, passOn } from "./input.ts";
import type { IpInterface } from "./ip-interface.ts";
import { reassembleIpv6 } from "./reassembly-input.ts";

/** Reads a lent packet whose header begins at `at`; `length` may include padding. */
export function inputIpv6(
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
  if (length < 40) {
    counters.ipInTruncatedPkts++;
    return;
  }
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const total = 40 + (word1 >>> 16);
  if (word0 >>> 28 !== 6) {
    counters.ipInHdrErrors++;
    return;
  }
  if (total > length) {
    counters.ipInTruncatedPkts++;
    return;
  }
  if (!ip.settings.ipv6) {
    counters.ipInDiscards++;
    return;
  }
  const packet = ip.packet;
  const s0 = (packet.source0 = view.getInt32(at + 8));
  const s1 = (packet.source1 = view.getInt32(at + 12));
  const s2 = (packet.source2 = view.getInt32(at + 16));
  const s3 = (packet.source3 = view.getInt32(at + 20));
  const d0 = (packet.destination0 = view.getInt32(at + 24));
  const d1 = (packet.destination1 = view.getInt32(at + 28));
  const d2 = (packet.destination2 = view.getInt32(at + 32));
  const d3 = (packet.destination3 = view.getInt32(at + 36));
  // A packet like the last one that passed: same source, same destination of ours.
  const isKnown =
    d3 === iface.okDestination3 &&
    s3 === iface.okSource3 &&
    d2 === iface.okDestination2 &&
    s2 === iface.okSource2 &&
    d1 === iface.okDestination1 &&
    s1 === iface.okSource1 &&
    d0 === iface.okDestination0 &&
    s0 === iface.okSource0 &&
    ip.generation === iface.ok6Generation;
  const meaning = isKnown ? OURS : classify(ip, iface, s0, s1, s2, s3, d0, d1, d2, d3);
  if (meaning === NEVER_OURS) return;
  if (meaning === NOT_OURS) {
    if (isLinkGroup) counters.ipInAddrErrors++;
    else passOn(ip, iface, frame, at, total);
    return;
  }
  packet.frame = frame;
  packet.ipOffset = at;
  packet.isIpv4 = false;
  packet.ttl = word1 & 0xff;
  packet.tos = (word0 >>> 20) & 0xff;
  packet.interfaceIndex = iface.index;
  const isScoped =
    s0 >>> 22 === 0x3fa || d0 >>> 22 === 0x3fa || (d0 >>> 24 === 0xff && ((d0 >>> 16) & 15) <= 2);
  packet.scope = isScoped ? iface.index : 0;
  packet.isMulticast = meaning === OURS_AS_GROUP || isLinkGroup;
  const next = (word1 >>> 8) & 0xff;
  if (
    next !== PROTOCOL_HOP_BY_HOP &&
    next !== PROTOCOL_ROUTING &&
    next !== PROTOCOL_FRAGMENT &&
    next !== PROTOCOL_DESTINATION_OPTIONS
  ) {
    packet.protocol = next;
    packet.offset = at + 40;
    packet.length = total - 40;
    packet.hasOptions = false;
    deliver(ip, iface, 6);
    return;
  }
  inputExtensions(ip, iface, at, total, false);
}

/** A packet with extension headers, `ip.packet` filled as far as the fixed header goes. */
function inputExtensions(
  ip: IpContext,
  iface: IpInterface,
  at: number,
  total: number,
  isWhole: boolean,
): void {
  const walk = ip.walk;
  const packet = ip.packet;
  const status = walkIpv6Extensions(ip.view, at, total, walk);
  if (status === WALK_DROP) {
    ip.counters.ipInHdrErrors++;
    return;
  }
  if (status === WALK_PROBLEM) {
    ip.counters.ipInHdrErrors++;
    icmpv6Error(
      ip,
      iface,
      at,
      total,
      packet.isMulticast,
      ICMPV6_PARAMETER_PROBLEM,
      walk.code,
      walk.pointer,
      walk.evenIfMulticast,
    );
    return;
  }
  packet.protocol = walk.protocol;
  packet.offset = walk.offset;
  packet.length = walk.length;
  packet.hasOptions = true;
  if (status === WALK_FRAGMENT) {
    if (isWhole) {
      // Pieces inside of what was put together: nobody sends that.
      ip.counters.ipInHdrErrors++;
      return;
    }
    const whole = reassembleIpv6(ip, iface);
    if (whole === NO_FRAME) return;
    inputExtensions(
      ip,
      iface,
      packet.ipOffset,
      packet.offset - packet.ipOffset + packet.length,
      true,
    );
    ip.memory.release(whole);
    return;
  }
  deliver(ip, iface, walk.nextHeaderPointer);
}

/** Source and destination (RFC 4291 §2.5, §2.7), counted when refused. */
function classify(
  ip: IpContext,
  iface: IpInterface,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
): number {
  const counters = ip.counters;
  const isInside = iface.isLoopback || ip.isLooped;
  // Multicast, ::1 from outside, :: to a single host, and IPv4 in disguise, which would pass for an IPv4 peer here.
  if (
    s0 >>> 24 === 0xff ||
    (s0 === 0 && s1 === 0 && s2 === MAPPED) ||
    (s0 === 0 && s1 === 0 && s2 === 0 && s3 === 1 && !isInside) ||
    (s0 === 0 && s1 === 0 && s2 === 0 && s3 === 0 && d0 >>> 24 !== 0xff)
  ) {
    counters.ipInMartians++;
    counters.ipInAddrErrors++;
    return NEVER_OURS;
  }
  if (isMulticastWords(d0, d1, d2, d3)) {
    counters.ipInMcastPkts++;
    // Interface-local groups (scope 1) and scope 0 never come from outside (RFC 4291 §2.7).
    if (isInside || ((d0 >>> 16) & 15) > 1) {
      if (iface.isMember(d0, d1, d2, d3)) return OURS_AS_GROUP;
    }
    counters.ipInDiscards++;
    return NEVER_OURS;
  }
  if (d0 === 0 && d1 === 0) {
    if (d2 === 0 && d3 === 1 && isInside) return OURS;
    if (d2 === MAPPED || (d2 === 0 && d3 >>> 1 === 0)) {
      counters.ipInAddrErrors++;
      return NEVER_OURS;
    }
  }
  const isLinkLocal = d0 >>> 22 === 0x3fa;
  const zone = isLinkLocal && !isInside ? iface.index : 0;
  const isOurs =
    ip.addresses.findUsable(d0, d1, d2, d3, zone) !== undefined ||
    ((iface.acceptAnyDestination || ip.settings.acceptAnyDestination) && !isLinkLocal);
  if (!isOurs) return isLinkLocal ? (counters.ipInAddrErrors++, NEVER_OURS) : NOT_OURS;
  iface.okSource0 = s0;
  iface.okSource1 = s1;
  iface.okSource2 = s2;
  iface.okSource3 = s3;
  iface.okDestination0 = d0;
  iface.okDestination1 = d1;
  iface.okDestination2 = d2;
  iface.okDestination3 = d3;
  iface.ok6Generation = ip.generation;
  return OURS;
}
