/** Routers and what they advertise: default routes, prefixes, addresses, MTU, name servers (RFC 4861 §6.3, RFC 4862 §5.5). */
import { IpAddress, linkLocalFromMac } from "../base/address.ts";
import { IpPrefix } from "../base/prefix.ts";
import { randomUnit } from "../base/random.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { NEVER, type TimerTarget } from "../base/timers.ts";
import {
  NDP_OPTION_MTU,
  NDP_OPTION_PREFIX,
  NDP_OPTION_RDNSS,
  NDP_ROUTER_ADVERTISEMENT,
} from "../wire/ndp.ts";
import type { IpContext } from "./context.ts";
import { addInterfaceAddress } from "./interface-addresses.ts";
import type { Discovery, IpInterface } from "./ip-interface.ts";
import { ADDRESS_DEPRECATED, ADDRESS_PREFERRED } from "./local-addresses.ts";
import { solicitRouters } from "./ndp-output.ts";

/** RFC 4861 §10. */
const MAX_SOLICITATIONS = 3;
const SOLICITATION_INTERVAL_US = 4_000_000;
const MAX_DELAY_US = 1_000_000;
/** RFC 4862 §5.5.3 (e): an advertisement cannot shorten a lifetime below two hours. */
const TWO_HOURS_US = 7_200_000_000;
/** Routers learnt this way stand behind those given by hand. */
const ROUTE_METRIC = 1024;

/** A name server that a router announced (RFC 8106 §5.1). */
export interface AnnouncedNameServer {
  readonly address: IpAddress;
  untilUs: number;
}

/** Router discovery on one interface. */
export class RouterDiscovery implements TimerTarget, Discovery {
  readonly ip: IpContext;
  readonly iface: IpInterface;
  readonly nameServers: AnnouncedNameServer[] = [];
  private readonly timer: number;
  private sent = 0;

  constructor(ip: IpContext, iface: IpInterface) {
    this.ip = ip;
    this.iface = iface;
    this.timer = ip.timers.register(this);
  }

  /** Begins to solicit, again when the link comes back. */
  start(nowUs: number): void {
    this.sent = 0;
    const isStrict = this.ip.settings.duplicateAddressDetection === "strict";
    const delayUs = isStrict ? randomUnit(this.ip.random) * MAX_DELAY_US : 0;
    this.ip.timers.arm(this.timer, nowUs + delayUs);
    this.ip.onWork();
  }

  /** A router has spoken: enough asked (RFC 4861 §6.3.7). */
  heard(): void {
    this.ip.timers.arm(this.timer, NEVER);
  }

  stop(): void {
    this.ip.timers.arm(this.timer, NEVER);
  }

  close(): void {
    this.ip.timers.unregister(this.timer);
  }

  onTimer(nowUs: number): void {
    solicitRouters(this.ip, this.iface);
    if (++this.sent < MAX_SOLICITATIONS) {
      this.ip.timers.arm(this.timer, nowUs + SOLICITATION_INTERVAL_US);
    }
  }
}

/** Reads a router advertisement that has passed `validateNdp`. */
export function routerAdvertised(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const discovery = iface.discovery;
  if (discovery === undefined || ip.settings.forwarding) return;
  discovery.heard();
  const { view, nowUs } = ip;
  const at = packet.offset;
  const hopLimit = view.getUint8(at + 4);
  if (hopLimit !== 0) iface.announcedHopLimit = hopLimit;
  const reachableMs = view.getUint32(at + 8);
  const retransMs = view.getUint32(at + 12);
  if (reachableMs !== 0 && reachableMs <= 3_600_000)
    iface.neighbors.reachableTimeUs = reachableMs * 1000;
  if (retransMs !== 0) iface.neighbors.retransTimeUs = retransMs * 1000;
  const router = new IpAddress(
    packet.source0,
    packet.source1,
    packet.source2,
    packet.source3,
    iface.index,
  );
  setDefaultRouter(ip, iface, router, view.getUint16(at + 6), nowUs);
  const end = at + packet.length;
  for (let i = at + NDP_ROUTER_ADVERTISEMENT; i < end; ) {
    const size = view.getUint8(i + 1) << 3;
    const kind = view.getUint8(i);
    if (kind === NDP_OPTION_PREFIX && size === 32) readPrefix(ip, iface, i, nowUs);
    else if (kind === NDP_OPTION_MTU && size === 8) setMtu(ip, iface, view.getUint32(i + 4));
    else if (kind === NDP_OPTION_RDNSS && size >= 24)
      readNameServers(ip, iface, discovery, i, size, nowUs);
    i += size;
  }
  ip.armAging();
}

/** RFC 4861 §6.3.4: the default router list, as routes with a lifetime. */
function setDefaultRouter(
  ip: IpContext,
  iface: IpInterface,
  router: IpAddress,
  lifetimeSeconds: number,
  nowUs: number,
): void {
  const isDefault = (route: { origin: string; iface: IpInterface; prefix: IpPrefix }) =>
    route.origin === "router-advertisement" && route.iface === iface && route.prefix.length === 0;
  let count = 0;
  for (const route of ip.routes) {
    if (!isDefault(route)) continue;
    count++;
    if (!route.gateway!.equals(router)) continue;
    if (lifetimeSeconds === 0) {
      ip.routes.remove(route);
      return;
    }
    route.expiresUs = nowUs + lifetimeSeconds * 1e6;
    route.doubtfulUntilUs = 0;
    return;
  }
  if (lifetimeSeconds === 0 || count >= ip.settings.routerLimit) return;
  ip.routes.add(new IpPrefix(new IpAddress(0, 0, 0, 0), 0), router, iface, {
    metric: ROUTE_METRIC,
    origin: "router-advertisement",
    expiresUs: nowUs + lifetimeSeconds * 1e6,
  });
}

function setMtu(ip: IpContext, iface: IpInterface, mtu: number): void {
  if (mtu < 1280 || mtu > iface.mtu || iface.ipv6Mtu === mtu) return;
  iface.ipv6Mtu = mtu;
  ip.changed();
}

/** A prefix information option at `i`: on-link route (RFC 4861 §6.3.4) and address (RFC 4862 §5.5.3). */
function readPrefix(ip: IpContext, iface: IpInterface, i: number, nowUs: number): void {
  const { view } = ip;
  const length = view.getUint8(i + 2);
  const flags = view.getUint8(i + 3);
  const validSeconds = view.getUint32(i + 4);
  const preferredSeconds = view.getUint32(i + 8);
  const base = new IpAddress(
    view.getInt32(i + 16),
    view.getInt32(i + 20),
    view.getInt32(i + 24),
    view.getInt32(i + 28),
  );
  if (length > 128 || base.isLinkLocal || base.isMulticast || base.isIpv4 || base.isUnspecified)
    return;
  const prefix = new IpPrefix(new IpPrefix(base, length).network, length);
  if ((flags & 0x80) !== 0)
    setOnLink(ip, iface, prefix, until(validSeconds, nowUs), validSeconds === 0);
  if ((flags & 0x40) === 0 || preferredSeconds > validSeconds || length !== 64) return;
  const validUntil = until(validSeconds, nowUs);
  const preferredUntil = until(preferredSeconds, nowUs);
  const id = linkLocalFromMac(iface.link.mac.high, iface.link.mac.low);
  const network = prefix.address;
  const known = iface.findAddress(network.w0, network.w1, id.w2, id.w3);
  if (known !== undefined) {
    if (known.origin !== "slaac") return;
    known.preferredUntilUs = preferredUntil;
    const remaining = known.validUntilUs - nowUs;
    if (validUntil - nowUs > TWO_HOURS_US || validUntil > known.validUntilUs) {
      known.validUntilUs = validUntil;
    } else if (remaining > TWO_HOURS_US) {
      known.validUntilUs = nowUs + TWO_HOURS_US;
    }
    if (preferredUntil > nowUs && known.state === ADDRESS_DEPRECATED) {
      known.state = ADDRESS_PREFERRED;
      ip.changed();
    }
    return;
  }
  const automatic = iface.addresses.filter((entry) => entry.origin === "slaac").length;
  if (validSeconds === 0 || automatic >= ip.settings.slaacAddressLimit) return;
  const address = new IpPrefix(new IpAddress(network.w0, network.w1, id.w2, id.w3), length);
  const entry = addInterfaceAddress(ip, iface, address, "slaac", false);
  entry.validUntilUs = validUntil;
  entry.preferredUntilUs = preferredUntil;
}

function setOnLink(
  ip: IpContext,
  iface: IpInterface,
  prefix: IpPrefix,
  expiresUs: number,
  isOver: boolean,
): void {
  for (const route of ip.routes) {
    if (route.origin !== "router-advertisement" || route.iface !== iface) continue;
    if (route.prefix.length !== prefix.length || !route.prefix.address.equals(prefix.address))
      continue;
    if (isOver) ip.routes.remove(route);
    else route.expiresUs = expiresUs;
    return;
  }
  if (
    isOver ||
    [...ip.routes].filter((r) => r.origin === "router-advertisement").length >=
      2 * ip.settings.routerLimit
  )
    return;
  ip.routes.add(prefix, undefined, iface, {
    metric: 256,
    origin: "router-advertisement",
    expiresUs,
  });
}

function readNameServers(
  ip: IpContext,
  iface: IpInterface,
  discovery: Discovery,
  i: number,
  size: number,
  nowUs: number,
): void {
  const { view } = ip;
  const seconds = view.getUint32(i + 4);
  const servers = discovery.nameServers;
  for (let at = i + 8; at + 16 <= i + size; at += 16) {
    const bare = new IpAddress(
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
    const address = bare.isLinkLocal ? bare.withScope(iface.index) : bare;
    const index = servers.findIndex((known) => known.address.equals(address));
    if (seconds === 0) {
      if (index >= 0) servers.splice(index, 1);
    } else if (index >= 0) servers[index]!.untilUs = until(seconds, nowUs);
    else if (servers.length < 8) servers.push({ address, untilUs: until(seconds, nowUs) });
  }
}

function until(seconds: number, nowUs: number): number {
  return seconds === 0xffffffff ? NEVER : nowUs + seconds * 1e6;
}
