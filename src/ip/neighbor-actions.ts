/** What the neighbor cache of an interface wants done: ask, send, report (RFC 4861 §7.2). */
import { IpAddress, isIpv4Words, MAPPED } from "../base/address.ts";
import type { Frame } from "../base/frame-memory.ts";
import type { Neighbor, NeighborActions } from "../link/neighbor.ts";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../wire/ethernet.ts";
import { ICMP_HOST_UNREACHABLE, ICMP_UNREACHABLE } from "../wire/icmpv4.ts";
import { ICMPV6_ADDRESS_UNREACHABLE, ICMPV6_UNREACHABLE } from "../wire/icmpv6.ts";
import type { IpContext } from "./context.ts";
import { icmpv4Error, icmpv6Error } from "./icmp-output.ts";
import type { IpInterface } from "./ip-interface.ts";
import { solicitNeighbor } from "./ndp-output.ts";
import { reportQuoted } from "./quoted.ts";

/** How long a gateway that does not answer stands back behind others. */
const DOUBT_US = 30_000_000;

export class IpNeighborActions implements NeighborActions {
  private readonly ip: IpContext;
  private readonly iface: IpInterface;

  constructor(ip: IpContext, iface: IpInterface) {
    this.ip = ip;
    this.iface = iface;
  }

  solicit(neighbor: Neighbor, unicast: boolean, frame: Frame): void {
    const { ip, iface } = this;
    const { macHigh, macLow } = neighbor;
    if (isIpv4Words(neighbor.w0, neighbor.w1, neighbor.w2)) {
      const sender = this.ipv4Source(frame);
      if (unicast) iface.arp!.request(neighbor.w3, sender, macHigh, macLow);
      else iface.arp!.request(neighbor.w3, sender);
      ip.onWork();
      return;
    }
    const target = new IpAddress(neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3, iface.index);
    const source = this.ipv6Source(frame);
    if (source !== undefined) solicitNeighbor(ip, iface, source, target, unicast, macHigh, macLow);
  }

  /** RFC 826: our address on that interface; that of the waiting packet when it is ours. */
  private ipv4Source(frame: Frame): number {
    const { ip, iface } = this;
    if (frame !== 0) {
      const word = ip.view.getInt32(ip.memory.start(frame) + 12);
      if (iface.findAddress(0, 0, MAPPED, word)?.isUsable) return word;
    }
    return iface.primaryAddress(true)?.w3 ?? 0;
  }

  /** RFC 4861 §7.2.2, the same. */
  private ipv6Source(frame: Frame): IpAddress | undefined {
    const { ip, iface } = this;
    if (frame !== 0) {
      const at = ip.memory.start(frame) + 8;
      const { view } = ip;
      const entry = iface.findAddress(
        view.getInt32(at),
        view.getInt32(at + 4),
        view.getInt32(at + 8),
        view.getInt32(at + 12),
      );
      if (entry?.isUsable) return entry.address;
    }
    const own = iface.linkLocalAddress();
    return own?.isUsable ? own.address : iface.primaryAddress(false);
  }

  transmit(neighbor: Neighbor, frame: Frame): void {
    const isIpv4 = this.ip.view.getUint8(this.ip.memory.start(frame)) >>> 4 === 4;
    const type = isIpv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    this.iface.link.output(frame, neighbor.macHigh, neighbor.macLow, type);
  }

  /** To our own transports EHOSTUNREACH; to others, whose packet we were passing on, an ICMP error (RFC 1812 §5.2.7.1). */
  unreachable(_neighbor: Neighbor, frame: Frame): void {
    const { ip, iface } = this;
    const { memory, view, icmpError: error } = ip;
    const at = memory.start(frame);
    const length = memory.length(frame);
    const isIpv4 = view.getUint8(at) >>> 4 === 4;
    const type = isIpv4 ? ICMP_UNREACHABLE : ICMPV6_UNREACHABLE;
    const code = isIpv4 ? ICMP_HOST_UNREACHABLE : ICMPV6_ADDRESS_UNREACHABLE;
    const self = iface.primaryAddress(isIpv4);
    error.reporter0 = self?.w0 ?? 0;
    error.reporter1 = self?.w1 ?? 0;
    error.reporter2 = self?.w2 ?? 0;
    error.reporter3 = self?.w3 ?? 0;
    ip.counters.ipOutDiscards++;
    if (!this.isOurs(at, isIpv4)) {
      if (isIpv4) icmpv4Error(ip, iface, at, length, false, type, code, 0);
      else icmpv6Error(ip, iface, at, length, false, type, code, 0);
    } else {
      reportQuoted(ip, isIpv4, at, length, type, code, 0, iface.index);
    }
    memory.release(frame);
  }

  private isOurs(at: number, isIpv4: boolean): boolean {
    const { addresses, view } = this.ip;
    if (isIpv4) return addresses.findUsable(0, 0, MAPPED, view.getInt32(at + 12)) !== undefined;
    const w0 = view.getInt32(at + 8);
    return (
      addresses.findUsable(
        w0,
        view.getInt32(at + 12),
        view.getInt32(at + 16),
        view.getInt32(at + 20),
      ) !== undefined
    );
  }

  /** A gateway that does not answer: other routes first, for a while (RFC 4861 §7.3.3, RFC 1122 §3.3.1.4). */
  lost(neighbor: Neighbor): void {
    const { ip, iface } = this;
    let changed = false;
    for (const route of ip.routes) {
      const gateway = route.gateway;
      if (gateway === undefined || route.iface !== iface) continue;
      if (
        gateway.w3 !== neighbor.w3 ||
        gateway.w2 !== neighbor.w2 ||
        gateway.w1 !== neighbor.w1 ||
        gateway.w0 !== neighbor.w0
      )
        continue;
      route.doubtfulUntilUs = ip.clock.now() + DOUBT_US;
      changed = true;
    }
    if (!changed) return;
    ip.changed();
    ip.armAging();
  }

  work(): void {
    this.ip.onWork();
  }
}
