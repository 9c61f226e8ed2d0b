import type { IpAddress } from "../base/address.ts";
import type { Counters } from "../base/counters.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { IpSender } from "../base/path.ts";
import type { PortTable } from "../base/port-table.ts";
import type { RandomSource } from "../base/random.ts";
import type { Timers } from "../base/timers.ts";
import type { TcpStack } from "../tcp/stack.ts";
import type { UdpStack } from "../udp/stack.ts";
import type { RawStack } from "./raw/raw-stack.ts";

/** What an address is to this host. */
export const ADDRESS_OTHER = 0;
export const ADDRESS_LOCAL = 1;
export const ADDRESS_BROADCAST = 2;
export const ADDRESS_MULTICAST = 3;
export type AddressKind = 0 | 1 | 2 | 3;

/** What the sockets need of the host they live on. */
export interface SocketEnvironment {
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
  /** Microseconds of the network's clock. */
  now(): number;
  /** Tells the driver that a call made work. */
  wake(): void;
  kindOf(address: IpAddress): AddressKind;
  /** The index of an interface by name, 0 when there is none. */
  interfaceIndex(name: string): number;
  /** The name of an interface by index; undefined when there is none. */
  interfaceName(index: number): string | undefined;
  /** The interface that has this address; 0: none. */
  interfaceOf(address: IpAddress): number;
  /** Makes an interface (0: chosen by route) hear a group; counted. 0 or -errno. */
  joinGroup(group: IpAddress, interfaceIndex: number): number;
  leaveGroup(group: IpAddress, interfaceIndex: number): void;
}

export interface SocketSettings {
  /** Most descriptors open at once. Default 1,048,576. */
  readonly maxDescriptors: number;
  /** Largest SO_RCVBUF and SO_SNDBUF that an application may set, bytes. */
  readonly maxReceiveBuffer: number;
  readonly maxSendBuffer: number;
  /** TTL and hop limit of sockets that set none. Default 64. */
  readonly defaultTtl: number;
  /** IPV6_V6ONLY of new sockets. Default false, as Linux. */
  readonly v6only: boolean;
}

export const DEFAULT_SOCKET_SETTINGS: SocketSettings = {
  maxDescriptors: 1_048_576,
  maxReceiveBuffer: 16 * 1024 * 1024,
  maxSendBuffer: 16 * 1024 * 1024,
  defaultTtl: 64,
  v6only: false,
};
