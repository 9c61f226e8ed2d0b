import type { ReceivedPacket } from "../base/received-packet.ts";
import type { IcmpError } from "../base/transport.ts";
import type { HostTransport } from "../host/host.ts";
import type { TcpStack } from "../tcp/stack.ts";
import type { UdpStack } from "../udp/stack.ts";
import type { RawStack } from "./raw/raw-stack.ts";
import type { SocketSystem } from "./socket-system.ts";

/**
 * UDP, raw sockets and the completions of all sockets as one transport of the
 * host. Registered after TCP, so that what TCP tells is delivered in the same turn.
 */
export class SocketDriver implements HostTransport {
  private readonly udp: UdpStack;
  private readonly raw: RawStack;
  private readonly system: SocketSystem;
  private readonly onClose: () => void;

  constructor(udp: UdpStack, raw: RawStack, system: SocketSystem, onClose: () => void) {
    this.udp = udp;
    this.raw = raw;
    this.system = system;
    this.onClose = onClose;
  }

  input(packet: ReceivedPacket, nowUs: number): boolean {
    return this.udp.input(packet, nowUs);
  }

  icmpError(error: IcmpError, nowUs: number): void {
    this.udp.icmpError(error, nowUs);
  }

  poll(_nowUs: number, budget: number): boolean {
    const more = this.udp.poll(budget);
    return this.raw.output.poll(budget) || more;
  }

  nextDeadline(): number {
    const isRunnable =
      this.udp.hasWork ||
      this.raw.output.hasWork ||
      this.udp.output.hasEvents ||
      this.raw.output.hasEvents ||
      this.system.hasEvents;
    return isRunnable ? 0 : Number.POSITIVE_INFINITY;
  }

  takeEvents(): boolean {
    this.udp.takeEvents();
    this.raw.output.takeEvents();
    return this.system.takeEvents();
  }

  /** Sockets that wait for something, and datagrams still to be sent. */
  live(): number {
    return this.system.liveSockets + this.udp.output.unsentEndpoints;
  }

  close(): void {
    this.onClose();
    this.udp.output.clear();
    this.raw.output.clear();
  }
}

/** TCP as a transport of the host. */
export class TcpDriver implements HostTransport {
  private readonly tcp: TcpStack;

  constructor(tcp: TcpStack) {
    this.tcp = tcp;
  }

  input(packet: ReceivedPacket, nowUs: number): boolean {
    return this.tcp.input(packet, nowUs);
  }

  icmpError(error: IcmpError, nowUs: number): void {
    this.tcp.icmpError(error, nowUs);
  }

  poll(nowUs: number, budget: number): boolean {
    return this.tcp.poll(nowUs, budget);
  }

  nextDeadline(): number {
    return this.tcp.nextDeadline();
  }

  takeEvents(): boolean {
    return this.tcp.takeEvents();
  }

  live(): number {
    return this.tcp.live();
  }

  /** The host ends: listeners and connections are given up, without a word to the peer. */
  close(): void {
    for (const listener of [...this.tcp.allListeners()]) listener.close();
    for (const connection of [...this.tcp.connections()]) this.tcp.abort(connection);
  }
}
