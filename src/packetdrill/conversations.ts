/**
 * Whose packets are whose. Scripts speak of one conversation at a time: that of the socket made
 * last, or of the connection that a listener got last; ports in a packet line name another.
 */
import type { IpAddress } from "../base/address.ts";
import type { SocketAddress } from "../sockets/socket-address.ts";
import { SYN } from "../wire/tcp.ts";
import type { Packet } from "./ast.ts";
import { Flow } from "./flow.ts";
import {
  type LiveIcmp,
  type LivePacket,
  type LiveTcp,
  type LiveUdp,
  readLivePacket,
} from "./live-packet.ts";
import { ScriptSocket } from "./script-socket.ts";

/** Remote ports for connections that listeners get. */
const FIRST_REMOTE_PORT = 40_001;

export interface ConversationOptions {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly bindPort: number;
  readonly connectPort: number;
}

export class Conversations {
  /** The socket that the script is about. */
  underTest: ScriptSocket | undefined = undefined;
  readonly icmp: LiveIcmp[] = [];
  /** Packets that belong to no conversation. */
  readonly unknown: LivePacket[] = [];
  private readonly flows: Flow[] = [];
  private readonly queues = new Map<Flow, (LiveTcp | LiveUdp)[]>();
  private readonly waiting: ScriptSocket[] = [];
  private readonly listeners: ScriptSocket[] = [];
  private nextRemotePort = FIRST_REMOTE_PORT;
  private readonly options: ConversationOptions;

  constructor(options: ConversationOptions) {
    this.options = options;
  }

  // What the calls tell

  onSocket(socket: ScriptSocket): void {
    this.underTest = socket;
    this.listeners.push(socket);
  }

  /** A socket begins to talk to somebody. */
  onConnect(socket: ScriptSocket, remote: SocketAddress): void {
    const { localAddress, bindPort } = this.options;
    const protocol = socket.isDatagram ? "udp" : "tcp";
    const localPort = socket.bound ? bindPort : 0;
    const flow = new Flow(protocol, localAddress, localPort, remote.address, remote.port, false);
    this.register(flow);
    socket.flow = flow;
    this.underTest = socket;
  }

  /** The connection behind a descriptor that accept() gave. */
  onAccept(listener: ScriptSocket, liveFd: number, remotePort: number): ScriptSocket {
    // A connection that ended in the queue has no peer's name any more: they are taken in turn.
    const index = this.waiting.findIndex(
      (child) => remotePort === 0 || child.flow?.remotePort === remotePort,
    );
    const child =
      index >= 0 ? this.waiting.splice(index, 1)[0]! : new ScriptSocket(-1, false, listener);
    child.liveFd = liveFd;
    return child;
  }

  // Packets out

  /** Takes in a packet that the stack sent; the flow it belongs to, if any. */
  emitted(
    bytes: Uint8Array,
    timeUs: number,
  ): { packet: LivePacket; flow: Flow | undefined } | undefined {
    const packet = readLivePacket(bytes, timeUs);
    if (packet === undefined) return undefined;
    if (packet.kind === "icmp") {
      this.icmp.push(packet);
      return { packet, flow: undefined };
    }
    const flow = packet.kind === "other" ? undefined : this.flowOf(packet);
    if (flow === undefined || packet.kind === "other") this.unknown.push(packet);
    else this.queues.get(flow)!.push(packet);
    return { packet, flow };
  }

  private flowOf(packet: LiveTcp | LiveUdp): Flow | undefined {
    let fresh: Flow | undefined;
    for (const flow of this.flows) {
      if (
        flow.protocol !== packet.kind ||
        flow.remotePort !== packet.destinationPort ||
        !flow.remoteAddress.equals(packet.destination)
      ) {
        continue;
      }
      if (flow.localPort === packet.sourcePort) return flow;
      if (flow.localPort === 0) fresh = flow;
    }
    // The stack chose the port.
    if (fresh !== undefined) fresh.localPort = packet.sourcePort;
    return fresh;
  }

  /** What the flow has sent and nobody has looked at. */
  queue(flow: Flow): (LiveTcp | LiveUdp)[] {
    return this.queues.get(flow)!;
  }

  /** The conversation that an outbound line is about; undefined: there is none yet. */
  outbound(packet: Packet): Flow | undefined {
    const { sourcePort, destinationPort } = packet;
    if (destinationPort !== undefined || sourcePort !== undefined) {
      const named = this.flows.findLast(
        (flow) =>
          flow.scriptRemotePort !== undefined &&
          flow.scriptRemotePort === destinationPort &&
          (flow.scriptLocalPort ?? sourcePort) === sourcePort,
      );
      if (named !== undefined) return named;
    }
    return this.underTest?.flow ?? this.underTest?.stray ?? this.flows[this.flows.length - 1];
  }

  // Packets in

  /** The conversation that an inbound line belongs to; a packet for a listener begins one. */
  inbound(packet: Packet): Flow {
    const flow = this.chooseInbound(packet);
    if (packet.sourcePort !== undefined) flow.scriptRemotePort ??= packet.sourcePort;
    if (packet.destinationPort !== undefined) flow.scriptLocalPort ??= packet.destinationPort;
    // Until the connection stands, the last SYN says where the peer's numbers begin.
    if (packet.kind === "tcp" && (packet.flags & SYN) !== 0 && !flow.established && !flow.isStray) {
      flow.remoteIsn = (packet.sequence ?? 0) | 0;
    }
    return flow;
  }

  private chooseInbound(packet: Packet): Flow {
    const { sourcePort, destinationPort } = packet;
    if (sourcePort !== undefined) {
      const named = this.flows.findLast(
        (flow) =>
          flow.scriptRemotePort === sourcePort &&
          (flow.scriptLocalPort === undefined || flow.scriptLocalPort === destinationPort),
      );
      if (named !== undefined) return named;
      const listener = this.listeners.findLast((socket) => socket.listening && !socket.closed);
      if (listener !== undefined && packet.kind === "tcp") return this.child(listener);
    }
    const socket = this.underTest;
    if (socket?.flow !== undefined) return socket.flow;
    if (packet.kind === "tcp" && socket !== undefined && socket.listening && !socket.closed) {
      return this.child(socket);
    }
    if (packet.kind === "udp" && socket?.isDatagram === true) {
      socket.flow = this.register(this.toUs("udp"));
      return socket.flow;
    }
    return this.stray(socket, packet.kind === "udp" ? "udp" : "tcp");
  }

  /** The first packet that a listener gets is a conversation of its own. */
  private child(listener: ScriptSocket): Flow {
    const child = new ScriptSocket(-1, false, listener);
    child.flow = this.register(this.toUs("tcp"));
    this.waiting.push(child);
    this.underTest = child;
    return child.flow;
  }

  /** For packets to a port that nobody listens on: their numbers are taken as they stand. */
  private stray(socket: ScriptSocket | undefined, protocol: "tcp" | "udp"): Flow {
    if (socket?.stray !== undefined) return socket.stray;
    const flow = this.register(this.toUs(protocol));
    flow.isStray = true;
    if (socket !== undefined) socket.stray = flow;
    return flow;
  }

  private toUs(protocol: "tcp" | "udp"): Flow {
    const { localAddress, remoteAddress, bindPort } = this.options;
    return new Flow(protocol, localAddress, bindPort, remoteAddress, this.nextRemotePort++, true);
  }

  private register(flow: Flow): Flow {
    this.flows.push(flow);
    this.queues.set(flow, []);
    return flow;
  }
}
