import type { Socket } from "node:dgram";
import { type IpAddress, IpAddress as Address, ipv4Address } from "../../base/address.ts";
import type { ReceivedPacket } from "../../base/received-packet.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import type { UdpSocket } from "../../udp/socket.ts";
import { UDP_HEADER } from "../../wire/udp.ts";
import { udpKernel } from "./kernel-sockets.ts";
import type { GatewayLimits } from "./limits.ts";

/** Datagrams that wait for the kernel's socket to be there. */
const MAX_EARLY = 16;

interface Flow {
  readonly key: string;
  readonly inside: IpAddress;
  readonly insidePort: number;
  /** What answers look to come from: not bound, only a source. */
  readonly endpoint: UdpSocket;
  readonly outside: Socket;
  isConnected: boolean;
  early: Uint8Array[];
  lastMs: number;
}

export interface UdpNatOptions {
  readonly limits: GatewayLimits;
  /** Where a destination is in the real network; undefined: it may not be reached. */
  readonly outside: (address: IpAddress, port: number) => string | undefined;
}

/**
 * UDP from the virtual network to the real one: each pair of addresses and
 * ports has a connected socket of the operating system, so that only the
 * destination's answers come back. Flows end by silence.
 */
export class UdpNat {
  private readonly host: SocketHost;
  private readonly options: UdpNatOptions;
  /** In the order of their last use. */
  private readonly flows = new Map<string, Flow>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(host: SocketHost, options: UdpNatOptions) {
    this.host = host;
    this.options = options;
    host.udpStack.onUnclaimed = (packet, length) => this.take(packet, length);
    this.sweeper = setInterval(() => this.sweep(), Math.max(10, options.limits.udpIdleMs / 8));
    this.sweeper.unref();
  }

  get flowCount(): number {
    return this.flows.size;
  }

  /** A datagram from inside. Called while packets are taken in: nothing is sent inside from here. */
  private take(packet: ReceivedPacket, length: number): boolean {
    if (packet.isMulticast) return false;
    const { memory } = this.host;
    const { view } = memory;
    const sourcePort = view.getUint16(packet.offset);
    const port = view.getUint16(packet.offset + 2);
    const key =
      `${packet.source0} ${packet.source1} ${packet.source2} ${packet.source3} ${sourcePort} ` +
      `${packet.destination0} ${packet.destination1} ${packet.destination2} ${packet.destination3} ${port}`;
    let flow = this.flows.get(key);
    if (flow === undefined) {
      const destination = wordsOf(packet, false);
      const target = this.options.outside(destination, port);
      if (target === undefined) return false;
      flow = this.open(key, wordsOf(packet, true), sourcePort, destination, port, target);
    } else {
      this.flows.delete(key);
      this.flows.set(key, flow);
    }
    flow.lastMs = Date.now();
    const from = packet.offset + UDP_HEADER;
    const data = memory.bytes.slice(from, packet.offset + length);
    if (flow.isConnected) flow.outside.send(data, () => {});
    else if (flow.early.length < MAX_EARLY) flow.early.push(data);
    return true;
  }

  private open(
    key: string,
    inside: IpAddress,
    insidePort: number,
    destination: IpAddress,
    port: number,
    target: string,
  ): Flow {
    if (this.flows.size >= this.options.limits.udpFlows) {
      const [oldest] = this.flows.values();
      if (oldest !== undefined) this.end(oldest);
    }
    const endpoint = this.host.udpStack.create(!destination.isIpv4);
    endpoint.setLocal(destination);
    endpoint.localPort = port;
    const outside = udpKernel(target.includes(":") ? "udp6" : "udp4");
    const flow: Flow = {
      key,
      inside,
      insidePort,
      endpoint,
      outside,
      isConnected: false,
      early: [],
      lastMs: 0,
    };
    this.flows.set(key, flow);
    outside.on("error", () => {
      // ECONNREFUSED and its kin: outside nobody is there. The next datagram tries again.
      if (!flow.isConnected) this.end(flow);
    });
    outside.on("message", (data) => this.answer(flow, data));
    outside.connect(port, target, () => {
      flow.isConnected = true;
      for (const waiting of flow.early) outside.send(waiting, () => {});
      flow.early = [];
    });
    outside.unref();
    return flow;
  }

  private answer(flow: Flow, data: Uint8Array): void {
    flow.lastMs = Date.now();
    const { udpStack } = this.host;
    udpStack.send(flow.endpoint, data, 0, data.length, flow.inside, flow.insidePort, undefined);
    this.host.markWork();
  }

  private sweep(): void {
    const oldest = Date.now() - this.options.limits.udpIdleMs;
    for (const flow of this.flows.values()) if (flow.lastMs < oldest) this.end(flow);
  }

  private end(flow: Flow): void {
    this.flows.delete(flow.key);
    flow.outside.removeAllListeners("message");
    try {
      flow.outside.close();
    } catch {
      // Its connect() failed and closed it.
    }
  }

  close(): void {
    clearInterval(this.sweeper);
    this.host.udpStack.onUnclaimed = undefined;
    for (const flow of [...this.flows.values()]) this.end(flow);
  }
}

function wordsOf(p: ReceivedPacket, isSource: boolean): IpAddress {
  if (p.isIpv4) return ipv4Address(isSource ? p.source3 : p.destination3);
  return isSource
    ? new Address(p.source0, p.source1, p.source2, p.source3, p.scope)
    : new Address(p.destination0, p.destination1, p.destination2, p.destination3);
}
