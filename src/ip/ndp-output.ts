/** Neighbor discovery messages going out: whole IPv6 packets with hop limit 255, queued for the next poll. */
import {
  type IpAddress,
  IPV6_ALL_NODES,
  IPV6_ALL_ROUTERS,
  IPV6_ANY,
  solicitedNode,
} from "../base/address.ts";
import { NO_FRAME } from "../base/frame-memory.ts";
import { multicastMacHigh, multicastMacLow } from "../base/mac.ts";
import { pseudoSumIpv6 } from "../wire/checksum.ts";
import { ETHERTYPE_IPV6 } from "../wire/ethernet.ts";
import { ICMPV6_NEIGHBOR_ADVERTISEMENT, ICMPV6_NEIGHBOR_SOLICITATION } from "../wire/icmpv6.ts";
import { writeIpv6Header } from "../wire/ipv6.ts";
import {
  NDP_LINK_OPTION,
  NDP_NEIGHBOR_SOLICITATION,
  NDP_ROUTER_SOLICITATION,
  writeNeighborMessage,
  writeRouterSolicitation,
} from "../wire/ndp.ts";
import { PROTOCOL_ICMPV6 } from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";

const HEADER = 40;

/** Asks who has `target`: its solicited-node group, or the station itself. An unspecified source checks for duplicates. */
export function solicitNeighbor(
  ip: IpContext,
  iface: IpInterface,
  source: IpAddress,
  target: IpAddress,
  isUnicast: boolean,
  macHigh: number,
  macLow: number,
): void {
  const destination = isUnicast ? target : solicitedNode(target);
  if (!isUnicast) {
    macHigh = multicastMacHigh(false);
    macLow = multicastMacLow(false, destination.w3);
  }
  const withLink = !source.isUnspecified;
  const type = ICMPV6_NEIGHBOR_SOLICITATION;
  ip.counters.ndpOutSolicits++;
  sendNeighbor(ip, iface, type, 0, source, destination, target, withLink, macHigh, macLow);
}

/** Says that `target` is here: to who asked, or (`destination` ff02::1) to all. */
export function advertiseNeighbor(
  ip: IpContext,
  iface: IpInterface,
  flags: number,
  destination: IpAddress,
  target: IpAddress,
  macHigh: number,
  macLow: number,
): void {
  ip.counters.ndpOutAdvertisements++;
  const type = ICMPV6_NEIGHBOR_ADVERTISEMENT;
  sendNeighbor(ip, iface, type, flags, target, destination, target, true, macHigh, macLow);
}

/** The same to all nodes (RFC 4861 §7.2.4, §7.2.6). */
export function advertiseToAll(
  ip: IpContext,
  iface: IpInterface,
  flags: number,
  target: IpAddress,
): void {
  const all = IPV6_ALL_NODES;
  advertiseNeighbor(
    ip,
    iface,
    flags,
    all,
    target,
    multicastMacHigh(false),
    multicastMacLow(false, all.w3),
  );
}

function sendNeighbor(
  ip: IpContext,
  iface: IpInterface,
  type: number,
  flags: number,
  source: IpAddress,
  destination: IpAddress,
  target: IpAddress,
  withLink: boolean,
  macHigh: number,
  macLow: number,
): void {
  const length = NDP_NEIGHBOR_SOLICITATION + (withLink ? NDP_LINK_OPTION : 0);
  const frame = begin(ip, source, destination, length);
  if (frame === NO_FRAME) return;
  const mac = iface.link.mac;
  writeNeighborMessage(
    ip.view,
    ip.memory.start(frame) + HEADER,
    type,
    flags,
    target.w0,
    target.w1,
    target.w2,
    target.w3,
    withLink,
    mac.high,
    mac.low,
    pseudo(source, destination, length),
  );
  ip.replies.push(iface.link, frame, macHigh, macLow, ETHERTYPE_IPV6);
  ip.onWork();
}

/** Asks the routers on the link to speak (RFC 4861 §6.3.7). */
export function solicitRouters(ip: IpContext, iface: IpInterface): void {
  const own = iface.linkLocalAddress();
  const source = own?.isUsable ? own.address : IPV6_ANY;
  const destination = IPV6_ALL_ROUTERS;
  const withLink = !source.isUnspecified && iface.link.isEthernet;
  const length = NDP_ROUTER_SOLICITATION + (withLink ? NDP_LINK_OPTION : 0);
  const frame = begin(ip, source, destination, length);
  if (frame === NO_FRAME) return;
  const { mac } = iface.link;
  const sum = pseudo(source, destination, length);
  writeRouterSolicitation(
    ip.view,
    ip.memory.start(frame) + HEADER,
    withLink,
    mac.high,
    mac.low,
    sum,
  );
  ip.counters.ndpOutRouterSolicits++;
  const low = multicastMacLow(false, destination.w3);
  ip.replies.push(iface.link, frame, multicastMacHigh(false), low, ETHERTYPE_IPV6);
  ip.onWork();
}

/** A frame with the IPv6 header of a message of `length` bytes. */
function begin(ip: IpContext, source: IpAddress, destination: IpAddress, length: number): number {
  const { memory, view, counters } = ip;
  const frame = memory.alloc(HEADER + length, true);
  if (frame === NO_FRAME) {
    counters.memoryFailures++;
    return NO_FRAME;
  }
  const at = memory.start(frame) - HEADER;
  memory.setRange(frame, at, HEADER + length);
  writeIpv6Header(
    view,
    at,
    0,
    0,
    length,
    PROTOCOL_ICMPV6,
    255,
    source.w0,
    source.w1,
    source.w2,
    source.w3,
    destination.w0,
    destination.w1,
    destination.w2,
    destination.w3,
  );
  counters.ipOutRequests++;
  counters.icmpOutMsgs++;
  return frame;
}

function pseudo(s: IpAddress, d: IpAddress, length: number): number {
  return pseudoSumIpv6(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, PROTOCOL_ICMPV6, length);
}
