import { type IpAddress, parseAddress } from "../base/address.ts";
import type { MacAddress } from "../base/mac.ts";
import { type IpPrefix, parsePrefix } from "../base/prefix.ts";
import type { Ip } from "../ip/ip.ts";
import { addInterfaceAddress, removeInterfaceAddress } from "../ip/interface-addresses.ts";
import type { IpInterface } from "../ip/ip-interface.ts";
import type { AddressOrigin } from "../ip/local-addresses.ts";
import { joinGroup, leaveGroup } from "../ip/multicast.ts";
import type { Device } from "../link/device.ts";
import type { LinkTap } from "../link/interface.ts";

/** An address of an interface, as it stands now. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly origin: AddressOrigin;
  /** tentative, optimistic, preferred, deprecated or duplicate. */
  readonly state: string;
}

/** An entry of the neighbor cache, as it stands now. */
export interface NeighborInfo {
  readonly address: IpAddress;
  readonly mac: MacAddress | undefined;
  readonly state: string;
  readonly isRouter: boolean;
}

/** One interface of a host: what the application may see and change at run time. */
export class Interface {
  readonly device: Device;
  /** For `ip` and what stands beside it. */
  readonly ipInterface: IpInterface;
  private readonly ip: Ip;
  private isRemoved = false;

  constructor(ip: Ip, ipInterface: IpInterface, device: Device) {
    this.ip = ip;
    this.ipInterface = ipInterface;
    this.device = device;
  }

  /** Number of the interface: the scope of link-local addresses. */
  get index(): number {
    return this.ipInterface.index;
  }
  get name(): string {
    return this.ipInterface.name;
  }
  get mac(): MacAddress | undefined {
    return this.ipInterface.link.isEthernet ? this.ipInterface.link.mac : undefined;
  }
  /** Largest IP packet, bytes. */
  get mtu(): number {
    return this.ipInterface.mtu;
  }
  /** Administratively up. */
  get isUp(): boolean {
    return this.ipInterface.isUp;
  }
  /** The device has a link. */
  get linkUp(): boolean {
    return this.ipInterface.link.linkUp;
  }

  get addresses(): InterfaceAddress[] {
    return this.ipInterface.addresses.map((entry) => ({
      address: entry.address,
      prefixLength: entry.prefix.length,
      origin: entry.origin,
      state: entry.stateName,
    }));
  }

  /** Name servers that routers announced here (RFC 8106). */
  get nameServers(): IpAddress[] {
    return (this.ipInterface.discovery?.nameServers ?? []).map((server) => server.address);
  }

  get neighbors(): NeighborInfo[] {
    return this.ip.neighborsOf(this.ipInterface);
  }

  /** Adds "10.0.0.2/24" or "fd00::2/64", with the route to its subnet. Throws AddressError. */
  addAddress(prefix: string | IpPrefix, origin: AddressOrigin = "static"): void {
    this.mustExist();
    const parsed = typeof prefix === "string" ? parsePrefix(prefix) : prefix;
    addInterfaceAddress(this.ip.context, this.ipInterface, parsed, origin, true);
  }

  /** Takes an address away; connections that use it stop working. False: it was not there. */
  removeAddress(address: string | IpAddress): boolean {
    const parsed = typeof address === "string" ? parseAddress(stripPrefix(address)) : address;
    return removeInterfaceAddress(this.ip.context, this.ipInterface, parsed);
  }

  up(): void {
    this.mustExist();
    this.ip.setUp(this.ipInterface, true);
  }

  down(): void {
    this.mustExist();
    this.ip.setUp(this.ipInterface, false);
  }

  /** A static neighbor, which is neither asked for nor aged. */
  addNeighbor(address: string | IpAddress, mac: MacAddress): void {
    this.mustExist();
    const a = typeof address === "string" ? parseAddress(address) : address;
    this.ipInterface.neighbors.setPermanent(a.w0, a.w1, a.w2, a.w3, mac.high, mac.low);
  }

  /** Receive what is sent to a group; each join wants its leave. */
  joinGroup(group: string | IpAddress): void {
    this.mustExist();
    const parsed = typeof group === "string" ? parseAddress(group) : group;
    joinGroup(this.ip.context, this.ipInterface, parsed);
  }

  leaveGroup(group: string | IpAddress): boolean {
    const parsed = typeof group === "string" ? parseAddress(group) : group;
    return leaveGroup(this.ip.context, this.ipInterface, parsed);
  }

  /** Hears every frame in and out (captures); undefined ends it. */
  setTap(tap: LinkTap | undefined): void {
    this.ipInterface.link.tap = tap;
  }

  /** Takes the interface away, with its addresses and routes, and lets the device go. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.ip.removeInterface(this.ipInterface);
  }

  private mustExist(): void {
    if (this.isRemoved)
      throw new Error(`the interface ${this.name} was removed; add the device again`);
  }
}

function stripPrefix(text: string): string {
  const slash = text.indexOf("/");
  return slash < 0 ? text : text.slice(0, slash);
}
