/** The next hop: where a packet to an address goes (RFC 1122 §3.3.1, RFC 4861 §5.2). */
import { type IpAddress, IPV4_LOOPBACK, IPV6_LOOPBACK } from "../base/address.ts";
import { MAC_BROADCAST, multicastMac } from "../base/mac.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import type { LocalAddress } from "./local-addresses.ts";
import { PATH_DIRECT, PATH_GROUP, PATH_NEIGHBOR } from "./path.ts";
import { chooseSource } from "./source-address.ts";

export interface Way {
  readonly kind: number;
  readonly iface: IpInterface;
  readonly nextHop: IpAddress;
  /** For PATH_GROUP. */
  readonly macHigh: number;
  readonly macLow: number;
  readonly loopsBack: boolean;
  /** The interface whose address is meant, when the packet stays here. */
  readonly loopInterface: number;
  /** Preferred source of the route. */
  readonly source: IpAddress | undefined;
}

/**
 * The way to an address, by interface `bound` unless 0; undefined when there
 * is none.
 */
export function findWay(ip: IpContext, remote: IpAddress, bound: number): Way | undefined {
  const { w0, w1, w2, w3 } = remote;
  const zone = bound !== 0 ? bound : remote.scope;
  if (remote.isMulticast) {
    const iface = groupInterface(ip, remote, zone);
    return iface && groupWay(iface, remote, multicastMac(remote), iface.isMember(w0, w1, w2, w3));
  }
  if (remote.isBroadcast) {
    const iface = groupInterface(ip, remote, zone);
    return iface && groupWay(iface, remote, MAC_BROADCAST, true);
  }
  const isScoped = !remote.isIpv4 && remote.isLinkLocal;
  const own = remote.isLoopback
    ? undefined
    : ip.addresses.findUsable(w0, w1, w2, w3, isScoped ? zone : 0);
  if (own !== undefined || remote.isLoopback) {
    return way(PATH_DIRECT, ip.loopback, remote, isScoped && own ? own.interfaceIndex : 0);
  }
  if (isScoped) {
    const iface = zone !== 0 ? ip.interface(zone) : onlyInterface(ip);
    if (iface === undefined || !iface.isUp) return undefined;
    return way(iface.link.isEthernet ? PATH_NEIGHBOR : PATH_DIRECT, iface, remote, 0);
  }
  const route = ip.routes.find(w0, w1, w2, w3, bound);
  if (route === undefined) return undefined;
  const iface = route.iface;
  if (remote.isIpv4 && route.gateway === undefined && iface.isSubnetBroadcast(w3)) {
    return groupWay(iface, remote, MAC_BROADCAST, true);
  }
  const nextHop = route.gateway ?? remote;
  const kind = iface.link.isEthernet ? PATH_NEIGHBOR : PATH_DIRECT;
  return way(kind, iface, nextHop, 0, route.source);
}

function way(
  kind: number,
  iface: IpInterface,
  nextHop: IpAddress,
  loopInterface: number,
  source?: IpAddress,
): Way {
  return { kind, iface, nextHop, macHigh: 0, macLow: 0, loopsBack: false, loopInterface, source };
}

function groupWay(
  iface: IpInterface,
  remote: IpAddress,
  mac: { high: number; low: number },
  loopsBack: boolean,
): Way | undefined {
  if (!iface.isUp) return undefined;
  return {
    kind: PATH_GROUP,
    iface,
    nextHop: remote,
    macHigh: mac.high,
    macLow: mac.low,
    loopsBack: loopsBack && !iface.isLoopback,
    loopInterface: iface.index,
    source: undefined,
  };
}

/** The interface for a group or a broadcast: the one named, the routed one, or the first that runs. */
function groupInterface(ip: IpContext, group: IpAddress, zone: number): IpInterface | undefined {
  if (zone !== 0) return ip.interface(zone);
  const routed = ip.routes.find(group.w0, group.w1, group.w2, group.w3)?.iface;
  if (routed !== undefined) return routed;
  let first: IpInterface | undefined;
  for (const iface of ip.interfaces) {
    if (iface === undefined || iface.isLoopback || !iface.isUp) continue;
    if (iface.isRunning && iface.primaryAddress(group.isIpv4) !== undefined) return iface;
    first ??= iface;
  }
  return first;
}

/** The interface besides `lo` when there is exactly one: then a link-local address needs no scope. */
export function onlyInterface(ip: IpContext): IpInterface | undefined {
  let only: IpInterface | undefined;
  for (const iface of ip.interfaces) {
    if (iface === undefined || iface.isLoopback) continue;
    if (only !== undefined) return undefined;
    only = iface;
  }
  return only;
}

/** Our address for packets on this way; undefined when there is none of the family. */
export function sourceFor(ip: IpContext, remote: IpAddress, found: Way): IpAddress | undefined {
  if (found.iface.isLoopback) {
    if (remote.isLoopback) return remote.isIpv4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
    return remote;
  }
  if (found.source !== undefined) return found.source;
  const here = chooseSource(found.iface.addresses, remote, found.nextHop, found.iface.index);
  if (here !== undefined && (remote.isIpv4 || remote.isLinkLocal || !here.isLinkLocal)) return here;
  // An interface without a fitting address borrows one (RFC 1122 §3.3.4.2, weak model).
  const others = chooseSource(
    otherAddresses(ip, found.iface),
    remote,
    found.nextHop,
    found.iface.index,
  );
  return remote.isLinkLocal ? here : (others ?? here);
}

function* otherAddresses(ip: IpContext, except: IpInterface): Generator<LocalAddress> {
  for (const iface of ip.interfaces) {
    if (iface === undefined || iface === except || iface.isLoopback) continue;
    for (const entry of iface.addresses) if (!entry.address.isLinkLocal) yield entry;
  }
}
