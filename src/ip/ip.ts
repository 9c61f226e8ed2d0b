/** A host's IP as a whole: what transports ask for, what interfaces hand in, what the host polls. */
import {
  IpAddress,
  IPV4_LOOPBACK,
  IPV6_ALL_NODES,
  IPV6_LOOPBACK,
  ipv4Address,
} from "../base/address.ts";
import { ENETDOWN } from "../base/errors.ts";
import type { Frame } from "../base/frame-memory.ts";
import { MacAddress } from "../base/mac.ts";
import {
  type IpSender,
  type Path,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_IGMP,
} from "../base/path.ts";
import { IpPrefix } from "../base/prefix.ts";
import { randomUnit } from "../base/random.ts";
import type { TimerTarget } from "../base/timers.ts";
import type { Transport } from "../base/transport.ts";
import { Arp } from "../link/arp.ts";
import type { Device } from "../link/device.ts";
import { LinkInterface } from "../link/interface.ts";
import { NEIGHBOR_GONE, NEIGHBOR_INCOMPLETE, NEIGHBOR_REACHABLE } from "../link/neighbor.ts";
import { NeighborCache } from "../link/neighbor-cache.ts";
import { startAddressCheck, stopAddressCheck } from "./address-check.ts";
import { InterfaceArpAddresses } from "./arp-addresses.ts";
import { IpContext, type IpOptions } from "./context.ts";
import { EchoService } from "./echo.ts";
import { forwardWaiting } from "./forward.ts";
import { IcmpTransport } from "./icmp-input.ts";
import { inputIpv4 } from "./input-ipv4.ts";
import { inputIpv6 } from "./input-ipv6.ts";
import {
  addInterfaceAddress,
  addLinkLocal,
  ageAddresses,
  removeInterfaceAddress,
} from "./interface-addresses.ts";
import { type IpHandler, IpInterface } from "./ip-interface.ts";
import { ADDRESS_DUPLICATE, ADDRESS_OPTIMISTIC, ADDRESS_TENTATIVE } from "./local-addresses.ts";
import { IgmpTransport } from "./membership-input.ts";
import { joinGroup } from "./multicast.ts";
import { IpNeighborActions } from "./neighbor-actions.ts";
import { sendOnPath, sendRunOnPath } from "./output.ts";
import { IpPath, PATH_NEIGHBOR, type PathOwner } from "./path.ts";
import { learnPathMtu, lookupPath, nextPathMtuExpiry, refreshPath } from "./path-lookup.ts";
import { reportReassemblyTimeout } from "./reassembly-input.ts";
import { RouterDiscovery } from "./router-discovery.ts";

export interface IpInterfaceOptions {
  readonly name: string;
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** Configure IPv6 from router advertisements. */
  readonly slaac: boolean;
  /** Deliver packets to any destination here (gateways, tunnels). */
  readonly acceptAnyDestination?: boolean;
}

/** 224.0.0.1, which every host hears (RFC 1112 §4). */
const ALL_SYSTEMS = ipv4Address(0xe0000001);

export class Ip implements IpSender, PathOwner, IpHandler, TimerTarget {
  readonly context: IpContext;
  readonly echo: EchoService;
  /** Told when an interface has room again or its link changed. */
  onInterfaceChange: ((iface: IpInterface) => void) | undefined = undefined;

  constructor(options: IpOptions) {
    const ip = new IpContext(options);
    this.context = ip;
    ip.pathOwner = this;
    ip.agingTimer = ip.timers.register(this);
    ip.armAging = () => ip.timers.arm(ip.agingTimer, ip.clock.now());
    ip.confirmPath = (path) => this.confirm(path);
    ip.reassembly.onTimeout = (packet) => reportReassemblyTimeout(ip, packet);
    this.echo = new EchoService(ip);
    const icmp = new IcmpTransport(ip, this.echo);
    ip.transports[PROTOCOL_ICMP] = icmp;
    ip.transports[PROTOCOL_ICMPV6] = icmp;
    ip.transports[PROTOCOL_IGMP] = new IgmpTransport(ip);
    this.addLoopback();
  }

  // What transports ask for

  send(
    path: Path,
    frame: Frame,
    protocol: number,
    tos: number,
    ttl: number,
    flags: number,
  ): number {
    return sendOnPath(this.context, path as IpPath, frame, protocol, tos, ttl, flags);
  }

  sendRun(
    path: Path,
    frames: Int32Array,
    count: number,
    protocol: number,
    tos: number,
    ttl: number,
    flags: number,
  ): number {
    return sendRunOnPath(this.context, path as IpPath, frames, count, protocol, tos, ttl, flags);
  }

  path(local: IpAddress, remote: IpAddress, boundInterface: number): Path | undefined {
    return lookupPath(this.context, local, remote, boundInterface);
  }

  confirm(path: Path): void {
    const { kind, neighbor, iface } = path as IpPath;
    if (kind !== PATH_NEIGHBOR || neighbor === undefined) return;
    if (neighbor.state !== NEIGHBOR_GONE) iface!.neighbors.confirm(neighbor, this.context.nowUs);
  }

  doubt(path: Path): void {
    const { kind, neighbor, iface } = path as IpPath;
    if (kind === PATH_NEIGHBOR && neighbor !== undefined) iface!.neighbors.doubt(neighbor);
  }

  /** Takes a path MTU that a transport has found plausible; see `IpPath.reportMtu`. */
  reportMtu(path: Path, mtuBytes: number): void {
    learnPathMtu(this.context, path as IpPath, mtuBytes);
  }

  registerTransport(protocol: number, transport: Transport | undefined): void {
    this.context.transports[protocol] = transport;
  }

  // What paths ask for

  get generation(): number {
    return this.context.generation;
  }

  refresh(path: IpPath): void {
    refreshPath(this.context, path);
  }

  learnMtu(path: IpPath, mtuBytes: number): void {
    learnPathMtu(this.context, path, mtuBytes);
  }

  sendReply(path: IpPath, frame: Frame, protocol: number, tos: number, ttl: number): void {
    sendOnPath(this.context, path, frame, protocol, tos, ttl, 0);
  }

  // Interfaces

  private addLoopback(): void {
    const ip = this.context;
    const iface = new IpInterface(1, "lo", true, this);
    this.connect(iface, ip.loopbackDevice, {});
    ip.loopback = iface;
    ip.interfaces[1] = iface;
    addInterfaceAddress(ip, iface, new IpPrefix(IPV4_LOOPBACK, 8), "static", false);
    if (ip.settings.ipv6)
      addInterfaceAddress(ip, iface, new IpPrefix(IPV6_LOOPBACK, 128), "static", false);
  }

  addInterface(device: Device, options: IpInterfaceOptions): IpInterface {
    const ip = this.context;
    const index = ip.interfaces.length;
    const iface = new IpInterface(index, options.name, false, this);
    iface.acceptAnyDestination = options.acceptAnyDestination ?? false;
    this.connect(iface, device, options);
    ip.interfaces.push(iface);
    joinGroup(ip, iface, ALL_SYSTEMS);
    if (ip.settings.ipv6) {
      joinGroup(ip, iface, IPV6_ALL_NODES);
      if (iface.link.isEthernet) addLinkLocal(ip, iface);
      if (options.slaac && iface.link.isEthernet && !ip.settings.forwarding) {
        iface.discovery = new RouterDiscovery(ip, iface);
        if (iface.isRunning) iface.discovery.start(ip.clock.now());
      }
    }
    ip.changed();
    return iface;
  }

  private connect(
    iface: IpInterface,
    device: Device,
    options: { mac?: MacAddress; mtu?: number },
  ): void {
    const ip = this.context;
    const link = new LinkInterface(device, iface, ip.memory, ip.counters, ip.random, options);
    iface.link = link;
    const actions = new IpNeighborActions(ip, iface);
    const unit = () => randomUnit(ip.random);
    iface.neighbors = new NeighborCache(
      ip.settings,
      ip.memory,
      ip.timers,
      ip.counters,
      actions,
      unit,
    );
    if (link.isEthernet) {
      iface.arp = new Arp(link, iface.neighbors, ip.replies, new InterfaceArpAddresses(ip, iface));
    }
  }

  /** Takes an interface away with its addresses and routes, and lets its device go. */
  removeInterface(iface: IpInterface): void {
    const ip = this.context;
    for (const entry of iface.addresses.slice()) removeInterfaceAddress(ip, iface, entry.address);
    ip.routes.removeWhere((route) => route.iface === iface);
    iface.reports?.close();
    iface.discovery?.close();
    iface.discovery = undefined;
    iface.neighbors.clear(true);
    iface.link.detach();
    ip.interfaces[iface.index] = undefined;
    ip.changed();
  }

  setUp(iface: IpInterface, isUp: boolean): void {
    if (iface.link.isUp === isUp) return;
    iface.link.isUp = isUp;
    this.stateChanged(iface);
  }

  private stateChanged(iface: IpInterface): void {
    const ip = this.context;
    ip.changed();
    const nowUs = ip.clock.now();
    if (!iface.isRunning) {
      iface.neighbors.clear();
      iface.discovery?.stop();
      for (const entry of iface.addresses) stopAddressCheck(ip, entry);
    } else {
      // Who is on the link now is another question than who was (RFC 5227 §2.1, RFC 4862 §5.4).
      for (const entry of iface.addresses) {
        if (entry.state === ADDRESS_DUPLICATE) continue;
        const isNew = entry.state === ADDRESS_TENTATIVE || entry.state === ADDRESS_OPTIMISTIC;
        if (!isNew && ip.settings.duplicateAddressDetection === "optimistic")
          entry.state = ADDRESS_OPTIMISTIC;
        startAddressCheck(ip, entry, nowUs);
      }
      iface.discovery?.start(nowUs);
    }
    this.onInterfaceChange?.(iface);
    ip.onWork();
  }

  /** The neighbors of an interface, for reading. */
  neighborsOf(iface: IpInterface) {
    return [...iface.neighbors].map((n) => {
      const isReachable = n.state === NEIGHBOR_REACHABLE;
      const isOld = isReachable && n.reachableUntilUs < this.context.clock.now();
      return {
        address: new IpAddress(n.w0, n.w1, n.w2, n.w3),
        mac: n.state === NEIGHBOR_INCOMPLETE ? undefined : new MacAddress(n.macHigh, n.macLow),
        state: isOld ? "stale" : n.stateName,
        isRouter: n.isRouter,
      };
    });
  }

  // What interfaces hand in

  ipv4Input(iface: IpInterface, frame: Frame, at: number, length: number, isGroup: boolean): void {
    const ip = this.context;
    ip.nowUs = ip.clock.now();
    if (iface.isLoopback) iface = this.loopedBack(frame, iface);
    ip.taker = undefined;
    inputIpv4(ip, iface, frame, at, length, isGroup);
    ip.isLooped = false;
    ip.onWork();
  }

  inputRun(frames: Int32Array, from: number, to: number, offset: number): number {
    const ip = this.context;
    const taker = ip.taker;
    if (taker?.inputRun === undefined) return from;
    const next = taker.inputRun(ip.packet, frames, from, to, offset);
    ip.counters.ipInReceives += next - from;
    ip.counters.ipInDelivers += next - from;
    return next;
  }

  ipv6Input(iface: IpInterface, frame: Frame, at: number, length: number, isGroup: boolean): void {
    const ip = this.context;
    ip.nowUs = ip.clock.now();
    if (iface.isLoopback) iface = this.loopedBack(frame, iface);
    inputIpv6(ip, iface, frame, at, length, isGroup);
    ip.isLooped = false;
    ip.onWork();
  }

  /** The interface that a packet from `lo` counts as come in by: groups and link-local addresses belong to one. */
  private loopedBack(frame: Frame, lo: IpInterface): IpInterface {
    const ip = this.context;
    const iface = ip.interface(ip.memory.interfaceIndex(frame));
    ip.isLooped = true;
    return iface ?? lo;
  }

  arpInput(iface: IpInterface, at: number, length: number): void {
    const ip = this.context;
    ip.nowUs = ip.clock.now();
    iface.arp?.input(at, length, ip.nowUs);
    ip.onWork();
  }

  linkWritable(iface: IpInterface): void {
    this.onInterfaceChange?.(iface);
    this.context.onWork();
  }

  linkChanged(iface: IpInterface): void {
    this.stateChanged(iface);
  }

  // What the host polls

  /** Delivers what stays here, then sends what input could not. True: there is more. */
  poll(nowUs: number, budget: number): boolean {
    const ip = this.context;
    ip.nowUs = nowUs;
    ip.loopbackDevice.deliver(budget);
    for (const iface of ip.interfaces) if (iface?.neighbors.hasWork) iface.neighbors.flush();
    forwardWaiting(ip, budget);
    ip.replies.drain(budget);
    return this.hasWork;
  }

  get hasWork(): boolean {
    const ip = this.context;
    return ip.loopbackDevice.length + ip.forwardRing.length + ip.replies.length > 0;
  }

  /** Routes, addresses and path MTUs end by time. */
  onTimer(nowUs: number): void {
    const ip = this.context;
    ip.nowUs = Math.max(ip.nowUs, nowUs);
    let next = Math.min(ip.routes.age(nowUs), ageAddresses(ip, nowUs));
    ip.changed();
    next = Math.min(next, nextPathMtuExpiry(ip));
    ip.timers.arm(ip.agingTimer, next);
  }

  /** Gives everything back: the host is closed. */
  close(): void {
    const ip = this.context;
    this.echo.clear(ENETDOWN);
    for (const iface of ip.interfaces) if (iface !== undefined) this.removeInterface(iface);
    ip.reassembly.clear();
    ip.forwardRing.clear();
    ip.replies.clear();
    for (const check of ip.checks.keys()) stopAddressCheck(ip, check);
    ip.timers.unregister(ip.agingTimer);
  }
}
