import type { ReceivedPacket } from "../base/received-packet.ts";
import type { IcmpError } from "../base/transport.ts";
import type { HostTransport } from "../host/host.ts";
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

  destroy(): void {
    this.onClose();
    this.udp.output.clear();
    this.raw.output.clear();
  }
}
