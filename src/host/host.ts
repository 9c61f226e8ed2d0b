/** The composition root: one host with its memory, time, interfaces, IP and transports. */
import { type IpAddress, parseAddress } from "../base/address.ts";
import { Counters } from "../base/counters.ts";
import { EBUSY, SocketError } from "../base/errors.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import { type MacAddress, parseMac } from "../base/mac.ts";
import type { Pollable } from "../base/pollable.ts";
import type { RandomSource } from "../base/random.ts";
import { Timers } from "../base/timers.ts";
import type { Transport } from "../base/transport.ts";
import type { RawObserver } from "../ip/context.ts";
import type { EchoOptions, EchoResult } from "../ip/echo.ts";
import { Ip } from "../ip/ip.ts";
import type { Device } from "../link/device.ts";
import { hostConfig, type HostConfig, type HostConfigOptions } from "./config.ts";
import { Interface } from "./interface.ts";
import { Routes } from "./routes.ts";

export interface HostOptions {
  /** Default "host". */
  readonly name?: string;
  /** Shared by all hosts of the thread that exchange frames. */
  readonly memory: FrameMemory;
  /** Secure on a real network, seeded in a simulation. */
  readonly random: RandomSource;
  /** The network's time in microseconds; read once per packet, so it should be cached within a batch. */
  readonly clock: { now(): number };
  readonly config?: HostConfigOptions;
}

export interface InterfaceOptions {
  /** Default "eth0", "eth1", ...; "tun0" for devices without Ethernet. */
  readonly name?: string;
  /** "10.0.0.2/24", "fd00::2/64". */
  readonly addresses?: readonly string[];
  /** Default router, one of each family at most. */
  readonly gateway?: string | readonly string[];
  readonly mac?: string | MacAddress;
  /** At most the device's. */
  readonly mtu?: number;
  /** Configure IPv6 from router advertisements. Default: only when no addresses are given. */
  readonly slaac?: boolean;
  /** Deliver packets to any destination that comes in here: gateways and tunnels. */
  readonly acceptAnyDestination?: boolean;
}

/** A transport with work of its own: TCP, UDP. */
export interface HostTransport extends Transport {
  /** True: there is more to do now. */
  poll(nowUs: number, budget: number): boolean;
  /** Infinity: none; timers registered with the host's `timers` need not be named here. */
  nextDeadline?(): number;
  takeEvents(): boolean;
  live?(): number;
  /** The host is closed: let everything go at once. */
  destroy?(): void;
}

export class Host implements Pollable {
  readonly name: string;
  readonly memory: FrameMemory;
  readonly random: RandomSource;
  readonly clock: { now(): number };
  readonly config: HostConfig;
  readonly counters = new Counters();
  readonly timers = new Timers();
  readonly ip: Ip;
  readonly routes: Routes;
  onWork: (() => void) | undefined = undefined;
  private readonly transports: HostTransport[] = [];
  private readonly byIndex: (Interface | undefined)[] = [];
  /** There is something to poll for now. */
  private isRunnable = false;
  private isPolling = false;
  private isClosed = false;

  constructor(options: HostOptions) {
    this.name = options.name ?? "host";
    this.memory = options.memory;
    this.random = options.random;
    this.clock = options.clock;
    this.config = hostConfig(options.config);
    this.ip = new Ip({
      clock: this.clock,
      memory: this.memory,
      timers: this.timers,
      random: this.random,
      counters: this.counters,
      settings: this.config,
      onWork: () => this.markWork(),
    });
    this.routes = new Routes(this.ip);
    const lo = this.ip.context.loopback;
    this.byIndex[lo.index] = new Interface(this.ip, lo, lo.link.device);
  }

  // Interfaces and addresses

  /** Puts an interface on a device and gives it its addresses. Throws AddressError and SocketError. */
  addInterface(device: Device, options: InterfaceOptions = {}): Interface {
    const { mac } = options;
    if (options.name !== undefined && this.interface(options.name) !== undefined) {
      throw new SocketError(
        EBUSY,
        "addInterface",
        `${this.name} has an interface ${options.name} already`,
      );
    }
    const iface = this.ip.addInterface(device, {
      name: options.name ?? this.freeName(device.medium === "ethernet" ? "eth" : "tun"),
      slaac: options.slaac ?? (options.addresses ?? []).length === 0,
      acceptAnyDestination: options.acceptAnyDestination ?? false,
      ...(mac === undefined ? {} : { mac: typeof mac === "string" ? parseMac(mac) : mac }),
      ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
    });
    const made = new Interface(this.ip, iface, device);
    this.byIndex[iface.index] = made;
    try {
      for (const address of options.addresses ?? []) made.addAddress(address);
      const { gateway } = options;
      const gateways =
        gateway === undefined ? [] : typeof gateway === "string" ? [gateway] : gateway;
      for (const text of gateways) this.addGateway(iface.index, parseAddress(text));
    } catch (error) {
      made.remove();
      this.byIndex[iface.index] = undefined;
      throw error;
    }
    this.markWork();
    return made;
  }

  private addGateway(index: number, gateway: IpAddress): void {
    this.routes.add({ destination: "default", gateway, interface: index });
  }

  private freeName(stem: string): string {
    for (let i = 0; ; i++) {
      const name = `${stem}${i}`;
      if (this.interface(name) === undefined) return name;
    }
  }

  /** All interfaces, `lo` first. */
  get interfaces(): Interface[] {
    return this.byIndex.filter(
      (iface) => iface !== undefined && this.ip.context.interface(iface.index) !== undefined,
    ) as Interface[];
  }

  /** By name or number. */
  interface(which: string | number): Interface | undefined {
    return this.interfaces.find((iface) => iface.name === which || iface.index === which);
  }

  /** The address may be bound to: it is on one of the interfaces, or a loopback address. */
  isLocalAddress(address: IpAddress): boolean {
    if (address.isLoopback) return true;
    const { w0, w1, w2, w3 } = address;
    return this.ip.context.addresses.findUsable(w0, w1, w2, w3, address.scope) !== undefined;
  }

  /** The limited broadcast address or that of one of our subnets. */
  isBroadcastAddress(address: IpAddress): boolean {
    if (address.isBroadcast) return true;
    if (!address.isIpv4) return false;
    return this.ip.context.interfaces.some(
      (iface) => iface?.isSubnetBroadcast(address.w3) === true,
    );
  }

  // Transports and raw access

  /** Plugs a transport in; its `poll`, `takeEvents` and `live` become part of the host's. */
  registerTransport(protocol: number, transport: HostTransport): void {
    this.ip.registerTransport(protocol, transport);
    if (!this.transports.includes(transport)) this.transports.push(transport);
  }

  /** Hears every packet of a protocol that is delivered to this host (raw sockets). Answers how to end it. */
  observe(protocol: number, observer: RawObserver): () => void {
    const { observers } = this.ip.context;
    const list = (observers[protocol] ??= []);
    list.push(observer);
    return () => {
      const index = list.indexOf(observer);
      if (index >= 0) list.splice(index, 1);
      if (list.length === 0 && observers[protocol] === list) observers[protocol] = undefined;
    };
  }

  /** Sends one echo request; the callback comes once, from `takeEvents`. Answers how to cancel it. */
  echo(
    address: IpAddress,
    options: EchoOptions,
    callback: (result: EchoResult) => void,
  ): () => void {
    return this.ip.echo.send(address, options, callback);
  }

  // The core contract

  /** A call from outside, or a frame that came in, made work. */
  markWork(): void {
    if (this.isRunnable) return;
    this.isRunnable = true;
    if (!this.isPolling) this.onWork?.();
  }

  poll(nowUs: number, budget: number): boolean {
    this.isPolling = true;
    this.ip.context.nowUs = nowUs;
    let more = this.timers.advance(nowUs, budget);
    this.ip.poll(nowUs, budget);
    this.isRunnable = false;
    for (const transport of this.transports) {
      if (transport.poll(nowUs, budget)) more = true;
    }
    this.isPolling = false;
    if (more || this.ip.hasWork) this.isRunnable = true;
    return this.isRunnable;
  }

  nextDeadline(): number {
    if (this.isRunnable) return Number.NEGATIVE_INFINITY;
    let next = this.timers.nextDeadline();
    for (const transport of this.transports) {
      if (transport.nextDeadline !== undefined) next = Math.min(next, transport.nextDeadline());
    }
    return next;
  }

  takeEvents(): boolean {
    let delivered = this.ip.echo.takeEvents();
    for (const transport of this.transports) if (transport.takeEvents()) delivered = true;
    return delivered;
  }

  /** Pings under way count, ARP and ageing do not. */
  live(): number {
    let live = this.ip.echo.waiting;
    for (const transport of this.transports) live += transport.live?.() ?? 0;
    return live;
  }

  /** Lets everything go at once: devices, frames, timers. Draining comes before, in the sockets. */
  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const transport of this.transports) transport.destroy?.();
    this.ip.close();
    this.markWork();
  }
}
