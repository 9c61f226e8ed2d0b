/** Neighbor discovery messages coming in (RFC 4861 §7.2, RFC 4862 §5.4). `packet` has passed the ICMPv6 checksum. */
import { IpAddress, isUnspecifiedWords } from "../base/address.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { NEIGHBOR_INCOMPLETE } from "../link/neighbor.ts";
import {
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  ICMPV6_ROUTER_ADVERTISEMENT,
  ICMPV6_ROUTER_SOLICITATION,
} from "../wire/icmpv6.ts";
import {
  findNdpOption,
  NA_OVERRIDE,
  NA_ROUTER,
  NA_SOLICITED,
  NDP_OPTION_SOURCE_LINK,
  NDP_OPTION_TARGET_LINK,
  ndpFlags,
  ndpLinkHigh,
  ndpLinkLow,
  ndpTargetWord,
  validateNdp,
} from "../wire/ndp.ts";
import { OK } from "../wire/verdict.ts";
import { addressInUse } from "./address-check.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import { ADDRESS_OPTIMISTIC, ADDRESS_TENTATIVE } from "./local-addresses.ts";
import { advertiseNeighbor, advertiseToAll } from "./ndp-output.ts";
import { routerAdvertised } from "./router-discovery.ts";

export function inputNdp(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const { view, counters } = ip;
  const at = packet.offset;
  if (!iface.link.isEthernet) return;
  if (validateNdp(view, at, packet.length, packet.ipOffset) !== OK) {
    counters.ndpInErrors++;
    return;
  }
  const type = view.getUint8(at);
  if (type === ICMPV6_NEIGHBOR_SOLICITATION) {
    counters.ndpInSolicits++;
    solicited(ip, iface, packet);
  } else if (type === ICMPV6_NEIGHBOR_ADVERTISEMENT) {
    counters.ndpInAdvertisements++;
    advertised(ip, iface, packet);
  } else if (type === ICMPV6_ROUTER_ADVERTISEMENT) {
    counters.ndpInRouterAdvertisements++;
    const linkAt = linkOption(ip, at, packet.length, NDP_OPTION_SOURCE_LINK);
    if (linkAt >= 0) {
      const neighbor = hear(ip, iface, packet, linkAt);
      if (neighbor !== undefined) neighbor.isRouter = true;
    }
    routerAdvertised(ip, iface, packet);
  } else if (type === ICMPV6_ROUTER_SOLICITATION) {
    const linkAt = linkOption(ip, at, packet.length, NDP_OPTION_SOURCE_LINK);
    if (linkAt >= 0) hear(ip, iface, packet, linkAt);
    ip.onRouterSolicitation?.(iface);
  }
  // Redirects are not followed: a host that has none loses nothing but a hop (RFC 4861 §8.3 SHOULD).
}

/** Offset of a link-layer address option that names a single station, or -1. */
function linkOption(ip: IpContext, at: number, length: number, kind: number): number {
  const optionAt = findNdpOption(ip.view, at, length, kind);
  if (optionAt < 0 || optionAt + 8 > at + length) return -1;
  return (ndpLinkHigh(ip.view, optionAt) & 0x0100) !== 0 ? -1 : optionAt;
}

/** Notes the sender's link-layer address (RFC 4861 §7.2.3). */
function hear(ip: IpContext, iface: IpInterface, packet: ReceivedPacket, linkAt: number) {
  const { source0, source1, source2, source3 } = packet;
  const neighbor = iface.neighbors.ensure(source0, source1, source2, source3);
  if (neighbor === undefined) return undefined;
  iface.neighbors.heard(neighbor, ndpLinkHigh(ip.view, linkAt), ndpLinkLow(ip.view, linkAt));
  return neighbor;
}

function solicited(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const { view } = ip;
  const at = packet.offset;
  const entry = iface.findAddress(
    ndpTargetWord(view, at, 0),
    ndpTargetWord(view, at, 1),
    ndpTargetWord(view, at, 2),
    ndpTargetWord(view, at, 3),
  );
  if (entry === undefined) return;
  const { source0, source1, source2, source3 } = packet;
  if (isUnspecifiedWords(source0, source1, source2, source3)) {
    // Somebody wants the address: defend it, or give way while neither has it (RFC 4862 §5.4.3).
    if (entry.state === ADDRESS_TENTATIVE) addressInUse(ip, entry);
    else if (entry.isUsable) advertiseToAll(ip, iface, routerFlag(ip) | NA_OVERRIDE, entry.address);
    return;
  }
  if (!entry.isUsable) return;
  const linkAt = linkOption(ip, at, packet.length, NDP_OPTION_SOURCE_LINK);
  const neighbor =
    linkAt >= 0
      ? hear(ip, iface, packet, linkAt)
      : iface.neighbors.find(source0, source1, source2, source3);
  if (linkAt < 0 && (neighbor === undefined || neighbor.state === NEIGHBOR_INCOMPLETE)) return;
  const macHigh = linkAt >= 0 ? ndpLinkHigh(view, linkAt) : neighbor!.macHigh;
  const macLow = linkAt >= 0 ? ndpLinkLow(view, linkAt) : neighbor!.macLow;
  // An address still being checked does not override (RFC 4429 §3.3).
  const override = entry.state === ADDRESS_OPTIMISTIC ? 0 : NA_OVERRIDE;
  const to = new IpAddress(source0, source1, source2, source3);
  advertiseNeighbor(
    ip,
    iface,
    routerFlag(ip) | NA_SOLICITED | override,
    to,
    entry.address,
    macHigh,
    macLow,
  );
}

function advertised(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const { view } = ip;
  const at = packet.offset;
  const t0 = ndpTargetWord(view, at, 0);
  const t1 = ndpTargetWord(view, at, 1);
  const t2 = ndpTargetWord(view, at, 2);
  const t3 = ndpTargetWord(view, at, 3);
  const own = iface.findAddress(t0, t1, t2, t3);
  if (own !== undefined) {
    addressInUse(ip, own);
    return;
  }
  const neighbor = iface.neighbors.find(t0, t1, t2, t3);
  if (neighbor === undefined) return; // RFC 4861 §7.2.5: no entry, no interest
  const flags = ndpFlags(view, at);
  const linkAt = linkOption(ip, at, packet.length, NDP_OPTION_TARGET_LINK);
  iface.neighbors.advertised(
    neighbor,
    linkAt >= 0,
    linkAt >= 0 ? ndpLinkHigh(view, linkAt) : 0,
    linkAt >= 0 ? ndpLinkLow(view, linkAt) : 0,
    (flags & NA_SOLICITED) !== 0,
    (flags & NA_OVERRIDE) !== 0,
    (flags & NA_ROUTER) !== 0,
    ip.nowUs,
  );
}

function routerFlag(ip: IpContext): number {
  return ip.settings.forwarding ? NA_ROUTER : 0;
}
