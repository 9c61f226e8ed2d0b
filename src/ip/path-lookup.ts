/** Finding paths and keeping them true: routes, source addresses, path MTU. */
import { type IpAddress, IPV4_LOOPBACK, IPV6_LOOPBACK } from "../base/address.ts";
import { NEVER } from "../base/timers.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import { IpPath, PATH_NEIGHBOR, PATH_NONE } from "./path.ts";
import { findWay, sourceFor } from "./way.ts";

/** RFC 8200 §5: every link carries this much. */
const IPV6_MIN_MTU = 1280;

/** See `IpSender.path`. An unspecified remote means this host (as Linux has it). */
export function lookupPath(
  ip: IpContext,
  local: IpAddress,
  remote: IpAddress,
  bound: number,
): IpPath | undefined {
  if (remote.isUnspecified) remote = remote.isIpv4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
  const zone = bound !== 0 ? bound : remote.scope;
  if (local.isUnspecified) return chosenPath(ip, local, remote, zone);
  if (local.isIpv4 !== remote.isIpv4) return undefined;
  const known = ip.paths.find(local, remote, zone);
  if (known !== undefined) return known.usable ? known : undefined;
  return findWay(ip, remote, zone) === undefined ? undefined : makePath(ip, local, remote, zone);
}

/** The path to `remote` from the address that suits it, remembered per destination. */
function chosenPath(
  ip: IpContext,
  local: IpAddress,
  remote: IpAddress,
  zone: number,
): IpPath | undefined {
  const slot = Math.imul(remote.w3 ^ (remote.w0 << 3) ^ zone, 0x9e3779b1) >>> 24;
  const chosen = ip.chosenPaths[slot];
  if (
    chosen !== undefined &&
    ip.chosenIn[slot] === ip.generation &&
    chosen.boundInterface === zone &&
    chosen.remote.equals(remote)
  ) {
    chosen.isUsed = true;
    return chosen;
  }
  const way = findWay(ip, remote, zone);
  if (way === undefined) return undefined;
  // A host without an address may still broadcast (DHCP: RFC 2131 §4.1).
  const source =
    sourceFor(ip, remote, way) ??
    (remote.isBroadcast || remote.isMulticast ? anyOf(local, remote) : undefined);
  if (source === undefined) return undefined;
  const path = ip.paths.find(source, remote, zone) ?? makePath(ip, source, remote, zone);
  if (!path.usable) return undefined;
  ip.chosenPaths[slot] = path;
  ip.chosenIn[slot] = ip.generation;
  return path;
}

function anyOf(local: IpAddress, remote: IpAddress): IpAddress | undefined {
  return local.isIpv4 === remote.isIpv4 ? local : undefined;
}

function makePath(ip: IpContext, local: IpAddress, remote: IpAddress, zone: number): IpPath {
  const first = remote.isIpv4 ? ip.random.int32() & 0xffff : ip.random.int32();
  const path = new IpPath(ip.pathOwner, local, remote, zone, first);
  ip.paths.add(path);
  refreshPath(ip, path);
  return path;
}

/** Looks the way up anew. */
export function refreshPath(ip: IpContext, path: IpPath): void {
  path.generation = ip.generation;
  const way = findWay(ip, path.remote, path.boundInterface);
  if (way === undefined || !mayUse(ip, path.local, way.iface)) {
    path.kind = PATH_NONE;
    path.neighbor = undefined;
    if (path.currentMtu === 0)
      path.currentMtu = path.interfaceMtu = path.isIpv4 ? 576 : IPV6_MIN_MTU;
    return;
  }
  const { iface, nextHop } = way;
  const sameHop = path.iface === iface && path.nextHop.equals(nextHop) && path.kind === way.kind;
  path.kind = way.kind;
  path.iface = iface;
  path.nextHop = nextHop;
  path.macHigh = way.macHigh;
  path.macLow = way.macLow;
  path.loopsBack = way.loopsBack;
  path.loopInterface = way.loopInterface;
  if (way.kind !== PATH_NEIGHBOR || !sameHop) path.neighbor = undefined;
  const { offload } = iface.link.device;
  path.checksumOffload = offload.checksum;
  path.gsoMaxBytes = offload.gsoMaxBytes;
  path.coalesces = offload.coalesces;
  // An IPv4 packet can name 65,535 bytes, an IPv6 payload as many.
  const most = path.isIpv4 ? 65_535 : 65_575;
  let mtu = Math.min(iface.mtu, most);
  if (!path.isIpv4 && iface.ipv6Mtu !== 0) mtu = Math.min(mtu, iface.ipv6Mtu);
  path.interfaceMtu = mtu;
  if (path.learntMtu !== 0 && path.learntUntilUs <= ip.nowUs) {
    path.learntMtu = 0;
    path.learntUntilUs = NEVER;
    path.mayFragment = false;
  }
  path.currentMtu = path.learntMtu !== 0 ? Math.min(mtu, path.learntMtu) : mtu;
}

/** The source is ours, or need not be. */
function mayUse(ip: IpContext, local: IpAddress, iface: IpInterface): boolean {
  if (local.isUnspecified || local.isLoopback) return true;
  if (ip.settings.acceptAnyDestination || anyAccepts(ip)) return true;
  const zone = !local.isIpv4 && local.isLinkLocal && !iface.isLoopback ? iface.index : 0;
  return ip.addresses.findUsable(local.w0, local.w1, local.w2, local.w3, zone) !== undefined;
}

function anyAccepts(ip: IpContext): boolean {
  for (const iface of ip.interfaces) if (iface?.acceptAnyDestination) return true;
  return false;
}

/**
 * A path MTU that ICMP reported: lowers the path's, not below the floor, for
 * ten minutes. An IPv4 report below the floor makes packets go without DF
 * instead (as Linux does); an IPv6 one below 1280 is only believed down to
 * that (RFC 8201 §4).
 */
export function learnPathMtu(ip: IpContext, path: IpPath, mtuBytes: number): void {
  if (path.generation !== ip.generation) refreshPath(ip, path);
  if (path.kind === PATH_NONE || mtuBytes >= path.currentMtu) return;
  const floor = Math.min(path.isIpv4 ? ip.settings.minPathMtu : IPV6_MIN_MTU, path.interfaceMtu);
  if (mtuBytes < floor) {
    mtuBytes = floor;
    if (path.isIpv4) path.mayFragment = true;
  }
  path.learntMtu = mtuBytes;
  path.currentMtu = mtuBytes;
  path.learntUntilUs = ip.clock.now() + ip.settings.pathMtuAgeUs;
  ip.timers.arm(ip.agingTimer, Math.min(ip.timers.deadline(ip.agingTimer), path.learntUntilUs));
}

/** Where a path MTU ages next, and what else `ip` has to look at by then. */
export function nextPathMtuExpiry(ip: IpContext): number {
  let next = NEVER;
  for (const path of ip.paths)
    if (path.learntUntilUs > ip.nowUs) next = Math.min(next, path.learntUntilUs);
  return next;
}
