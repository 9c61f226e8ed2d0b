/** Addresses of interfaces, added and removed at run time. */
import { IpAddress, linkLocalFromMac, solicitedNode } from "../base/address.ts";
import { IpPrefix } from "../base/prefix.ts";
import { initialState, startAddressCheck, stopAddressCheck } from "./address-check.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import { type AddressOrigin, LocalAddress } from "./local-addresses.ts";
import { joinGroup, leaveGroup } from "./multicast.ts";

/**
 * Gives an interface an address, begins to check and announce it, joins its
 * solicited-node group, and (`isOnLink`) makes the route to its subnet. The
 * address that is there already is answered as it is.
 */
export function addInterfaceAddress(
  ip: IpContext,
  iface: IpInterface,
  prefix: IpPrefix,
  origin: AddressOrigin,
  isOnLink: boolean,
): LocalAddress {
  const { address } = prefix;
  const known = iface.findAddress(address.w0, address.w1, address.w2, address.w3);
  if (known !== undefined) return known;
  const entry = new LocalAddress(
    prefix,
    iface.index,
    origin,
    initialState(ip, iface.link.isEthernet),
  );
  iface.addresses.push(entry);
  ip.addresses.add(entry);
  if (!address.isIpv4 && iface.link.isEthernet) joinGroup(ip, iface, solicitedNode(address));
  if (isOnLink && prefix.length128 < 128 && (address.isIpv4 || !address.isLinkLocal)) {
    ip.routes.add(new IpPrefix(prefix.network, prefix.length), undefined, iface, {
      origin: "connected",
    });
  }
  ip.changed();
  startAddressCheck(ip, entry, ip.clock.now());
  return entry;
}

/** Takes an address away, with its subnet's route when no other address shares it. False: it was not there. */
export function removeInterfaceAddress(
  ip: IpContext,
  iface: IpInterface,
  address: IpAddress,
): boolean {
  const entry = iface.findAddress(address.w0, address.w1, address.w2, address.w3);
  if (entry === undefined) return false;
  stopAddressCheck(ip, entry);
  iface.addresses.splice(iface.addresses.indexOf(entry), 1);
  ip.addresses.remove(entry);
  if (!address.isIpv4 && iface.link.isEthernet) leaveGroup(ip, iface, solicitedNode(address));
  const { prefix } = entry;
  const isShared = iface.addresses.some(
    (other) => other.prefix.length === prefix.length && other.prefix.network.equals(prefix.network),
  );
  if (!isShared) {
    ip.routes.removeWhere(
      (route) =>
        route.origin === "connected" &&
        route.iface === iface &&
        route.prefix.length === prefix.length &&
        route.prefix.address.equals(prefix.network),
    );
  }
  ip.changed();
  return true;
}

/** The automatic fe80:: address of an Ethernet interface (RFC 4862 §5.3, identifier from the MAC: RFC 4291, appendix A). */
export function addLinkLocal(ip: IpContext, iface: IpInterface): void {
  const { mac } = iface.link;
  const address = linkLocalFromMac(mac.high, mac.low);
  addInterfaceAddress(ip, iface, new IpPrefix(address, 64), "link-local", false);
}

/** Moves the addresses of all interfaces along: preferred, deprecated, gone (RFC 4862 §5.5.4). Answers when to look again. */
export function ageAddresses(ip: IpContext, nowUs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const iface of ip.interfaces) {
    if (iface === undefined) continue;
    for (const entry of iface.addresses.slice()) {
      if (entry.validUntilUs <= nowUs) removeInterfaceAddress(ip, iface, entry.address);
      else if (entry.preferredUntilUs <= nowUs) {
        if (entry.deprecate()) ip.changed();
        next = Math.min(next, entry.validUntilUs);
      } else next = Math.min(next, entry.preferredUntilUs, entry.validUntilUs);
    }
    const servers = iface.discovery?.nameServers;
    if (servers === undefined) continue;
    for (let i = servers.length - 1; i >= 0; i--)
      if (servers[i]!.untilUs <= nowUs) servers.splice(i, 1);
    for (const server of servers) next = Math.min(next, server.untilUs);
  }
  return next;
}
