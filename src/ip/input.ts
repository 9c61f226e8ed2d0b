/** The way in, common part: a checked packet goes to whoever speaks its protocol. */
import type { Frame } from "../base/frame-memory.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import {
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_UNREACHABLE,
} from "../wire/icmpv4.ts";
import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";
import { PROBLEM_NEXT_HEADER } from "../wire/ipv6-extensions.ts";
import { PROTOCOL_NONE } from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import { icmpv4Error, icmpv6Error } from "./icmp-output.ts";
import type { IpInterface } from "./ip-interface.ts";

/** Hands `ip.packet` to its transport. `nextHeaderPointer` is where an IPv6 packet names the protocol. */
export function deliver(ip: IpContext, iface: IpInterface, nextHeaderPointer: number): void {
  const packet = ip.packet;
  const protocol = packet.protocol;
  const observers = ip.observers[protocol];
  const transport = ip.transports[protocol];
  if (observers !== undefined) {
    for (const observer of observers) observer(packet, ip.nowUs);
  }
  if (transport !== undefined) {
    ip.counters.ipInDelivers++;
    if (!transport.input(packet, ip.nowUs)) refusePort(ip, iface, packet);
    else if (observers === undefined && !packet.hasOptions) ip.taker = transport;
    return;
  }
  if (observers !== undefined) {
    ip.counters.ipInDelivers++;
    return;
  }
  ip.counters.ipInUnknownProtos++;
  const at = packet.ipOffset;
  const length = packet.offset - at + packet.length;
  if (packet.isIpv4) {
    // RFC 1122 §3.2.2.1
    icmpv4Error(
      ip,
      iface,
      at,
      length,
      packet.isMulticast,
      ICMP_UNREACHABLE,
      ICMP_PROTOCOL_UNREACHABLE,
      0,
    );
  } else if (protocol !== PROTOCOL_NONE) {
    // RFC 8200 §4: the pointer names the field; §4.7: "no next header" is not a problem.
    icmpv6Error(
      ip,
      iface,
      at,
      length,
      packet.isMulticast,
      ICMPV6_PARAMETER_PROBLEM,
      PROBLEM_NEXT_HEADER,
      nextHeaderPointer,
    );
  }
}

/** Nobody listens on that port (RFC 1122 §4.1.3.1, RFC 4443 §3.1). */
function refusePort(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const at = packet.ipOffset;
  const length = packet.offset - at + packet.length;
  if (packet.isIpv4) {
    icmpv4Error(
      ip,
      iface,
      at,
      length,
      packet.isMulticast,
      ICMP_UNREACHABLE,
      ICMP_PORT_UNREACHABLE,
      0,
    );
  } else {
    icmpv6Error(
      ip,
      iface,
      at,
      length,
      packet.isMulticast,
      ICMPV6_UNREACHABLE,
      ICMPV6_PORT_UNREACHABLE,
      0,
    );
  }
}

/** Keeps a packet that is not for us for the forwarder, or counts it. */
export function passOn(
  ip: IpContext,
  iface: IpInterface,
  frame: Frame,
  at: number,
  length: number,
): void {
  if (!ip.settings.forwarding || iface.isLoopback) {
    ip.counters.ipInAddrErrors++;
    ip.counters.ipInNotForwarded++;
    return;
  }
  if (!ip.forwardRing.push(frame, at, length, iface.index)) ip.counters.ipInDiscards++;
}

/** What a destination address means to us. */
export const NOT_OURS = 0;
export const OURS = 1;
/** A group we belong to, or a broadcast. */
export const OURS_AS_GROUP = 2;
/** A group that is not ours, or an address that may not be on a wire: drop. */
export const NEVER_OURS = 3;
