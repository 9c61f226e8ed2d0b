import { IPV4_ANY, IPV6_ANY, IpAddress, parseAddress, tryParseAddress } from "../base/address.ts";
import { EINVAL, ENETDOWN, ENOENT, SocketError } from "../base/errors.ts";
import { PortTable } from "../base/port-table.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../base/path.ts";
import { Host, type HostOptions } from "../host/host.ts";
import { TcpStack } from "../tcp/stack.ts";
import { UdpStack } from "../udp/stack.ts";
import { SocketCalls } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP } from "./constants.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import { type DialOptions, dial } from "./dial.ts";
import { Drain } from "./drain.ts";
import type { SocketSettings } from "./environment.ts";
import { HostEnvironment } from "./host-environment.ts";
import { Listener } from "./listener.ts";
import { applyOptions, type CommonOptions, type StreamOptions } from "./option-names.ts";
import { Parked } from "./parked.ts";
import { type PingOptions, type PingReply, ping } from "./ping.ts";
import { RawStack } from "./raw/raw-stack.ts";
import type { Resolver } from "./resolver.ts";
import type { SocketAddress } from "./socket-address.ts";
import { SocketDriver } from "./socket-driver.ts";
import { SocketSystem } from "./socket-system.ts";
import { StreamSocket } from "./stream-socket.ts";
import { TextbookCalls } from "./textbook.ts";
import { UdpSocket } from "./udp-socket.ts";
import type { AbortSignalLike } from "./waiting.ts";

export interface SocketHostOptions extends HostOptions {
  readonly sockets?: Partial<SocketSettings>;
}

export interface ConnectOptions extends StreamOptions {
  /** A name, or an address as text. */
  readonly host?: string;
  /** An address; instead of `host`. */
  readonly address?: string | IpAddress;
  readonly port: number;
  /** 4 or 6: only addresses of this family. */
  readonly family?: 4 | 6;
  readonly localAddress?: string | IpAddress;
  readonly localPort?: number;
  readonly signal?: AbortSignalLike;
  /** Milliseconds for resolving and connecting together. Default: as TCP gives up. */
  readonly timeout?: number;
}

export interface ListenOptions extends StreamOptions {
  /** 0: any free port; `listener.localPort` tells which. */
  readonly port: number;
  /** Default: every address of the host, IPv4 and IPv6. */
  readonly address?: string | IpAddress;
  /** Connections that may wait to be accepted. Default 511. */
  readonly backlog?: number;
  /** Take connections to any destination that the interface delivers. */
  readonly anyDestination?: boolean;
}

export interface UdpOptions extends CommonOptions {
  readonly port?: number;
  readonly address?: string | IpAddress;
  /** Default: 4 for an IPv4 address, else 6 (which takes IPv4 too). */
  readonly family?: 4 | 6;
  readonly broadcast?: boolean;
}

/** A host with sockets: what an application works with. */
export class SocketHost extends Host {
  readonly tcp: TcpStack;
  readonly udpStack: UdpStack;
  /** The calls of the textbook, with promises. */
  readonly sockets: TextbookCalls;
  /** The same calls, synchronous and with errnos. */
  readonly calls: SocketCalls;
  /** The same calls with callbacks. */
  readonly parked: Parked;
  readonly system: SocketSystem;
  /** Turns names into addresses; undefined: only addresses are understood. */
  resolver: Resolver | undefined = undefined;

  constructor(options: SocketHostOptions) {
    super(options);
    const { memory, counters, random, timers, ip } = this;
    const { defaultTtl, firstPort, lastPort, tcp: settings } = this.config;
    const ports = () => new PortTable({ random, firstPort, lastPort });
    const isBroadcast = (address: IpAddress) => this.isBroadcastAddress(address);
    this.tcp = new TcpStack({ memory, ip, timers, random, counters, settings });
    this.tcp.onWork = () => this.markWork();
    const udpPorts = ports();
    this.udpStack = new UdpStack({ memory, ip, counters, ports: udpPorts, isBroadcast });
    const observers = new Map<number, () => void>();
    const raw = new RawStack({
      memory,
      ip,
      counters,
      isBroadcast,
      observe: (protocol, observer) => observers.set(protocol, this.observe(protocol, observer)),
      unobserve: (protocol) => {
        observers.get(protocol)?.();
        observers.delete(protocol);
      },
    });
    const env = new HostEnvironment(this, this.tcp, this.udpStack, raw, ports(), udpPorts);
    this.system = new SocketSystem(env, { defaultTtl, ...options.sockets });
    this.calls = new SocketCalls(this.system);
    this.parked = new Parked(this.system);
    this.sockets = new TextbookCalls(this.calls, this.parked);
    this.registerTransport(PROTOCOL_TCP, this.tcp);
    const driver = new SocketDriver(this.udpStack, raw, this.system, () => {
      this.calls.closeAll();
      this.tcp.takeEvents();
      this.system.end();
    });
    this.registerTransport(PROTOCOL_UDP, driver);
  }

  /** Opens a TCP connection. Rejects with a SocketError: ECONNREFUSED, ETIMEDOUT, ENETUNREACH, ENOENT ... */
  async connect(options: ConnectOptions): Promise<Connection> {
    const { port, signal, timeout, localAddress } = options;
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new SocketError(EINVAL, "connect", `port ${port}: give a whole number, 1 to 65535`);
    }
    this.mustLive("connect");
    const startUs = this.clock.now();
    const addresses = await this.addressesOf(options);
    const spentMs = (this.clock.now() - startUs) / 1000;
    const dialOptions: DialOptions = {
      ...options,
      local: localAddress === undefined ? undefined : this.addressOf(localAddress),
      signal,
      timeout: timeout === undefined ? undefined : Math.max(0, timeout - spentMs),
    };
    this.mustLive("connect");
    return dial(this.system, this.parked, addresses, port, dialOptions);
  }

  private async addressesOf(options: ConnectOptions): Promise<readonly IpAddress[]> {
    const { host, address, family, signal, timeout } = options;
    const named = address ?? host;
    if (named === undefined) {
      throw new SocketError(EINVAL, "connect", "say where to: give host or address");
    }
    const literal = named instanceof IpAddress ? named : this.tryAddress(named);
    if (literal !== undefined) return [literal];
    if (host === undefined) throw new SocketError(EINVAL, "connect", `"${named}" is no address`);
    const found = await this.resolve(host, {
      ...(family && { family }),
      ...(signal && { signal }),
      ...(timeout !== undefined && { timeout }),
    });
    if (found.length === 0) throw new SocketError(ENOENT, "resolve", `"${host}" has no address`);
    return found;
  }

  /** The addresses of a name, best first. Needs a resolver; addresses as text need none. */
  async resolve(
    name: string,
    options: { family?: 4 | 6; signal?: AbortSignalLike; timeout?: number } = {},
  ): Promise<readonly IpAddress[]> {
    const literal = this.tryAddress(name);
    if (literal !== undefined) return [literal];
    if (this.resolver === undefined) {
      const text = `"${name}" is no address, and this host has no resolver; set host.resolver`;
      throw new SocketError(ENOENT, "resolve", text);
    }
    return this.resolver.lookup(name, options);
  }

  /** Listens for TCP connections. Rejects with EADDRINUSE, EADDRNOTAVAIL ... */
  async listen(options: ListenOptions): Promise<Listener> {
    const address = options.address === undefined ? undefined : this.addressOf(options.address);
    const domain = address?.isIpv4 || !this.hasIpv6 ? AF_INET : AF_INET6;
    this.mustLive("listen");
    const socket = new StreamSocket(this.system, domain, IPPROTO_TCP);
    try {
      // A server that starts again must not wait for TIME-WAIT (RFC 1122 §4.2.2.13).
      applyOptions(socket, { reuseAddress: true, ...options });
      socket.anyDestination = options.anyDestination ?? false;
      const local = address ?? (domain === AF_INET6 ? IPV6_ANY : IPV4_ANY);
      const name = { family: domain, address: local, port: options.port };
      this.check(socket.bind(name), "listen", name);
      this.check(socket.listen(options.backlog ?? 511), "listen", name);
    } catch (error) {
      socket.close();
      throw error;
    }
    return new Listener(socket, this.parked);
  }

  /** A UDP socket, bound when a port or address is given, else with the first send. */
  async udp(options: UdpOptions = {}): Promise<UdpSocket> {
    const address = options.address === undefined ? undefined : this.addressOf(options.address);
    const family = options.family ?? (address?.isIpv4 || !this.hasIpv6 ? 4 : 6);
    const domain = family === 4 ? AF_INET : AF_INET6;
    this.mustLive("socket");
    const socket = new DatagramSocket(this.system, domain, IPPROTO_UDP);
    try {
      applyOptions(socket, options);
      if (options.broadcast) socket.endpoint.broadcast = true;
      if (address !== undefined || options.port !== undefined) {
        const local = address ?? (domain === AF_INET6 ? IPV6_ANY : IPV4_ANY);
        const name = { family: domain, address: local, port: options.port ?? 0 };
        this.check(socket.bind(name), "bind", name);
      }
    } catch (error) {
      socket.close();
      throw error;
    }
    return new UdpSocket(socket, this.parked, (to, port) => {
      return { family: domain, address: this.addressOf(to), port };
    });
  }

  /** Sends one ICMP echo request. */
  async ping(target: string | IpAddress, options: PingOptions = {}): Promise<PingReply> {
    this.mustLive("ping");
    const address = target instanceof IpAddress ? target : (await this.resolve(target, options))[0];
    if (address === undefined) {
      throw new SocketError(ENOENT, "ping", `"${String(target)}" has no address`);
    }
    return ping(this, address, options);
  }

  /**
   * Ends the host: all sockets are closed, and what they wrote is still
   * delivered, for `timeout` milliseconds at most (default 10,000); what is
   * left then is reset. Resolves when the host is gone.
   */
  close(options: { readonly timeout?: number } = {}): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      this.isDraining = true;
      this.calls.closeAll();
      for (const socket of this.system.sockets()) socket.close();
      new Drain(this.system.env, (options.timeout ?? 10_000) * 1000, () => {
        this.system.post({
          deliver: () => {
            this.isDraining = false;
            this.destroy();
            resolve();
          },
        });
      });
    });
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private closing: Promise<void> | undefined = undefined;
  private isDraining = false;

  /** A close under way keeps the process alive, or its promise would never settle. */
  override live(): number {
    return super.live() + (this.isDraining ? 1 : 0);
  }

  get hasIpv6(): boolean {
    return this.config.ipv6;
  }

  /** An address from text; `fe80::1%eth0` may name the interface. Throws AddressError. */
  private addressOf(address: string | IpAddress): IpAddress {
    if (address instanceof IpAddress) return address;
    return this.tryAddress(address) ?? parseAddress(address);
  }

  private tryAddress(text: string): IpAddress | undefined {
    const percent = text.indexOf("%");
    if (percent < 0) return tryParseAddress(text);
    const zone = text.slice(percent + 1);
    const iface = this.interface(zone);
    if (iface === undefined) return tryParseAddress(text);
    return tryParseAddress(text.slice(0, percent))?.withScope(iface.index);
  }

  private mustLive(syscall: string): void {
    if (this.system.ended) throw new SocketError(ENETDOWN, syscall, "the host was closed");
  }

  private check(result: number, syscall: string, name: SocketAddress): void {
    if (result >= 0) return;
    const error = new SocketError(result, syscall);
    error.address = name.address.toString();
    error.port = name.port;
    throw error;
  }
}
