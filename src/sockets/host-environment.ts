import { IPV4_ANY, IPV6_ANY, type IpAddress } from "../base/address.ts";
import type { Counters } from "../base/counters.ts";
import { EADDRNOTAVAIL, ENODEV } from "../base/errors.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { IpSender } from "../base/path.ts";
import type { PortTable } from "../base/port-table.ts";
import type { RandomSource } from "../base/random.ts";
import type { Timers } from "../base/timers.ts";
import type { Host } from "../host/host.ts";
import type { Interface } from "../host/interface.ts";
import type { TcpStack } from "../tcp/stack.ts";
import type { UdpStack } from "../udp/stack.ts";
import {
  ADDRESS_BROADCAST,
  ADDRESS_LOCAL,
  ADDRESS_MULTICAST,
  ADDRESS_OTHER,
  type AddressKind,
  type SocketEnvironment,
} from "./environment.ts";
import type { RawStack } from "./raw/raw-stack.ts";

/** A host as the sockets see it. */
export class HostEnvironment implements SocketEnvironment {
  readonly memory: FrameMemory;
  readonly counters: Counters;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly ip: IpSender;
  readonly tcp: TcpStack;
  readonly udp: UdpStack;
  readonly raw: RawStack;
  readonly tcpPorts: PortTable;
  readonly udpPorts: PortTable;
  private readonly host: Host;

  constructor(
    host: Host,
    tcp: TcpStack,
    udp: UdpStack,
    raw: RawStack,
    tcpPorts: PortTable,
    udpPorts: PortTable,
  ) {
    this.host = host;
    this.memory = host.memory;
    this.counters = host.counters;
    this.timers = host.timers;
    this.random = host.random;
    this.ip = host.ip;
    this.tcp = tcp;
    this.udp = udp;
    this.raw = raw;
    this.tcpPorts = tcpPorts;
    this.udpPorts = udpPorts;
  }

  now(): number {
    return this.host.clock.now();
  }

  wake(): void {
    this.host.markWork();
  }

  kindOf(address: IpAddress): AddressKind {
    if (address.isMulticast) return ADDRESS_MULTICAST;
    if (this.host.isLocalAddress(address)) return ADDRESS_LOCAL;
    return this.host.isBroadcastAddress(address) ? ADDRESS_BROADCAST : ADDRESS_OTHER;
  }

  interfaceIndex(name: string): number {
    return this.host.interface(name)?.index ?? 0;
  }

  interfaceName(index: number): string | undefined {
    return this.host.interface(index)?.name;
  }

  interfaceOf(address: IpAddress): number {
    const found = this.host.interfaces.find((iface) =>
      iface.addresses.some((entry) => entry.address.equals(address.withScope(entry.address.scope))),
    );
    return found?.index ?? 0;
  }

  joinGroup(group: IpAddress, interfaceIndex: number): number {
    const iface = this.groupInterface(group, interfaceIndex);
    if (iface === undefined) return interfaceIndex === 0 ? -ENODEV : -EADDRNOTAVAIL;
    iface.joinGroup(group);
    return 0;
  }

  leaveGroup(group: IpAddress, interfaceIndex: number): void {
    this.groupInterface(group, interfaceIndex)?.leaveGroup(group);
  }

  /** The interface for a group: the one named, else the one that multicast to it leaves by. */
  private groupInterface(group: IpAddress, index: number): Interface | undefined {
    const chosen = index || group.scope;
    if (chosen !== 0) return this.host.interface(chosen);
    const local = this.ip.path(group.isIpv4 ? IPV4_ANY : IPV6_ANY, group, 0)?.local;
    return local === undefined ? undefined : this.host.interface(this.interfaceOf(local));
  }
}
