import type { IpAddress } from "../base/address.ts";
import type { Frame } from "../base/frame-memory.ts";
import type { Arp } from "../link/arp.ts";
import type { LinkInterface, LinkUpper } from "../link/interface.ts";
import type { NeighborCache } from "../link/neighbor-cache.ts";
import type { LocalAddress } from "./local-addresses.ts";

/** Who reads what an interface receives: `ip` as a whole. */
export interface IpHandler {
  ipv4Input(iface: IpInterface, frame: Frame, at: number, length: number, isGroup: boolean): void;
  inputRun(frames: Int32Array, from: number, to: number, offset: number): number;
  ipv6Input(iface: IpInterface, frame: Frame, at: number, length: number, isGroup: boolean): void;
  arpInput(iface: IpInterface, at: number, length: number): void;
  linkWritable(iface: IpInterface): void;
  linkChanged(iface: IpInterface, up: boolean): void;
}

/** A group that this host belongs to on an interface, and how many asked for it. */
export interface GroupMembership {
  readonly group: IpAddress;
  users: number;
  /** Reports still to be sent, and when the next is due. */
  reportsLeft: number;
  reportAtUs: number;
  /** The next report answers a query; else it tells of joining or leaving. */
  isAnswer: boolean;
  /** Left: the reports to send are of that. */
  isLeaving: boolean;
}

/** What the membership reporter and router discovery are to an interface; `ip` makes them. */
interface Closable {
  close(): void;
}

/** Reports group membership; see multicast.ts. */
export interface MembershipReports extends Closable {
  changed(nowUs: number): void;
}

/** Solicits routers; see router-discovery.ts. */
export interface Discovery extends Closable {
  readonly nameServers: { readonly address: IpAddress; untilUs: number }[];
  start(nowUs: number): void;
  heard(): void;
  stop(): void;
}

/** What IP knows of one interface. */
export class IpInterface implements LinkUpper {
  readonly index: number;
  readonly name: string;
  readonly isLoopback: boolean;
  /** Set right after construction: link and interface point at each other. */
  link!: LinkInterface;
  neighbors!: NeighborCache;
  arp: Arp | undefined = undefined;
  readonly addresses: LocalAddress[] = [];
  readonly groups: GroupMembership[] = [];
  reports: MembershipReports | undefined = undefined;
  /** Absent unless the interface configures itself (SLAAC). */
  discovery: Discovery | undefined = undefined;
  /** MTU for IPv6 when a router announced a smaller one (RFC 4861 §6.3.4). */
  ipv6Mtu = 0;
  /** Hop limit that a router announced; 0: none. */
  announcedHopLimit = 0;
  acceptAnyDestination = false;
  /** The pair of IPv4 addresses that last passed all checks as unicast to us, and the generation that was valid in. */
  okSource = 0;
  okDestination = 0;
  okGeneration = -1;
  /** The same for IPv6: source, destination. */
  okSource0 = 0;
  okSource1 = 0;
  okSource2 = 0;
  okSource3 = 0;
  okDestination0 = 0;
  okDestination1 = 0;
  okDestination2 = 0;
  okDestination3 = 0;
  ok6Generation = -1;
  private readonly handler: IpHandler;

  constructor(index: number, name: string, isLoopback: boolean, handler: IpHandler) {
    this.index = index;
    this.name = name;
    this.isLoopback = isLoopback;
    this.handler = handler;
  }

  get isUp(): boolean {
    return this.link.isUp;
  }
  get isRunning(): boolean {
    return this.link.isRunning;
  }
  get mtu(): number {
    return this.link.mtu;
  }

  ipv4Input(frame: Frame, at: number, length: number, isLinkMulticast: boolean): void {
    this.handler.ipv4Input(this, frame, at, length, isLinkMulticast);
  }
  inputRun(frames: Int32Array, from: number, to: number, offset: number): number {
    return this.handler.inputRun(frames, from, to, offset);
  }
  ipv6Input(frame: Frame, at: number, length: number, isLinkMulticast: boolean): void {
    this.handler.ipv6Input(this, frame, at, length, isLinkMulticast);
  }
  arpInput(at: number, length: number): void {
    this.handler.arpInput(this, at, length);
  }
  linkWritable(): void {
    this.handler.linkWritable(this);
  }
  linkChanged(up: boolean): void {
    this.handler.linkChanged(this, up);
  }

  /** The address on this interface with these words, usable or not. */
  findAddress(w0: number, w1: number, w2: number, w3: number): LocalAddress | undefined {
    for (const entry of this.addresses) {
      const a = entry.address;
      if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return entry;
    }
    return undefined;
  }

  /** The IPv4 word is the broadcast address of one of this interface's subnets. */
  isSubnetBroadcast(word: number): boolean {
    if (word === 0) return false;
    for (const entry of this.addresses) if (entry.broadcast === word) return true;
    return false;
  }

  /** The first usable address of a family; a global one before a link-local one. */
  primaryAddress(isIpv4: boolean): IpAddress | undefined {
    let linkLocal: IpAddress | undefined;
    for (const entry of this.addresses) {
      if (entry.address.isIpv4 !== isIpv4 || !entry.isUsable) continue;
      if (!entry.address.isLinkLocal) return entry.address;
      linkLocal ??= entry.address;
    }
    return linkLocal;
  }

  /** This interface's IPv6 link-local address, the source of neighbor and router discovery. */
  linkLocalAddress(): LocalAddress | undefined {
    for (const entry of this.addresses) {
      if (!entry.address.isIpv4 && entry.address.isLinkLocal) return entry;
    }
    return undefined;
  }

  isMember(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const membership of this.groups) {
      if (membership.isLeaving) continue;
      const a = membership.group;
      if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return true;
    }
    return false;
  }
}
