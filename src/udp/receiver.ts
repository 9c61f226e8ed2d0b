import type { Counters } from "../base/counters.ts";
import { EMSGSIZE } from "../base/errors.ts";
import { CSUM_NONE, type FrameMemory } from "../base/frame-memory.ts";
import { PROTOCOL_UDP } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import type { IcmpError } from "../base/transport.ts";
import { addSums, pseudoSumWords, sumIsValid } from "../wire/checksum.ts";
import { UDP_CHECKSUM, UDP_HEADER } from "../wire/udp.ts";
import { DATAGRAM_OVERHEAD } from "./datagram-queue.ts";
import { UdpDemux, wantsMulticast } from "./demux.ts";
import { DATAGRAM_ERROR, DATAGRAM_READABLE, PMTUDISC_DONT } from "./endpoint.ts";
import { ErrorQueue, extendedErrorOf } from "./error-queue.ts";
import type { DatagramOutput } from "./output.ts";
import type { UdpSocket } from "./socket.ts";

/** The way up of UDP: datagrams and ICMP errors to their sockets. */
export class UdpReceiver {
  readonly output: DatagramOutput;
  protected readonly memory: FrameMemory;
  protected readonly counters: Counters;
  protected readonly demux = new UdpDemux();
  private readonly maxQueuedFrames: number;
  private queuedFrames = 0;
  /**
   * Asked about each datagram that no socket is for, with the length of its
   * header and payload; gateways take those to any destination. True: taken.
   */
  onUnclaimed: ((packet: ReceivedPacket, length: number) => boolean) | undefined = undefined;

  constructor(
    memory: FrameMemory,
    counters: Counters,
    output: DatagramOutput,
    maxQueuedFrames: number,
  ) {
    this.memory = memory;
    this.counters = counters;
    this.output = output;
    this.maxQueuedFrames = maxQueuedFrames;
  }

  input(packet: ReceivedPacket, _nowUs: number): boolean {
    const { memory, counters } = this;
    const at = packet.offset;
    const view = memory.view;
    if (packet.length < UDP_HEADER) {
      counters.udpInErrors++;
      return true;
    }
    const total = view.getUint16(at + 4);
    if (total < UDP_HEADER || total > packet.length) {
      counters.udpInErrors++;
      return true;
    }
    if (!this.checksumHolds(packet, total)) {
      counters.udpInCsumErrors++;
      counters.udpInErrors++;
      return true;
    }
    const sourcePort = view.getUint16(at);
    const port = view.getUint16(at + 2);
    if (packet.isMulticast) {
      this.deliverToAll(packet, port, sourcePort, total);
      return true;
    }
    const socket = this.demux.find(packet, port, sourcePort);
    if (socket === undefined) {
      if (this.onUnclaimed?.(packet, total) === true) return true;
      counters.udpNoPorts++;
      return false;
    }
    this.deliver(socket, packet, total);
    return true;
  }

  private checksumHolds(packet: ReceivedPacket, total: number): boolean {
    const { memory } = this;
    if (memory.view.getUint16(packet.offset + UDP_CHECKSUM) === 0) return packet.isIpv4;
    if (memory.checksumState(packet.frame) !== CSUM_NONE) return true;
    const pseudo = pseudoSumWords(
      packet.source0,
      packet.source1,
      packet.source2,
      packet.source3,
      packet.destination0,
      packet.destination1,
      packet.destination2,
      packet.destination3,
      PROTOCOL_UDP,
      total,
    );
    return sumIsValid(addSums(pseudo, memory.kernel.sum(packet.offset, total)));
  }

  private deliverToAll(
    packet: ReceivedPacket,
    port: number,
    sourcePort: number,
    total: number,
  ): void {
    let found = false;
    for (let s = this.demux.first(port); s !== undefined; s = s.next) {
      if (!wantsMulticast(s, packet, sourcePort)) continue;
      found = true;
      this.deliver(s, packet, total);
    }
    if (!found) this.counters.udpNoPorts++;
  }

  private deliver(socket: UdpSocket, packet: ReceivedPacket, total: number): void {
    const { counters } = this;
    const length = total - UDP_HEADER;
    const queue = socket.received;
    // As in Linux one datagram always fits an empty queue.
    if (
      (queue.count > 0 && queue.bytes + length + DATAGRAM_OVERHEAD > socket.receiveBuffer) ||
      this.queuedFrames >= this.maxQueuedFrames
    ) {
      counters.udpRcvbufErrors++;
      counters.udpInErrors++;
      socket.drops++;
      return;
    }
    queue.push(
      this.memory,
      packet.frame,
      packet.ipOffset,
      packet.offset + UDP_HEADER,
      length,
      packet.interfaceIndex,
    );
    this.queuedFrames++;
    counters.udpInDatagrams++;
    this.output.signal(socket, DATAGRAM_READABLE);
  }

  /** Drops the oldest received datagram, after it was read. */
  consume(socket: UdpSocket): void {
    socket.received.shift(this.memory);
    this.queuedFrames--;
  }

  // Errors

  /** RFC 1122 §4.1.3.3: ICMP errors reach the socket; a connected one hears of hard ones, one with RECVERR of all. */
  icmpError(error: IcmpError, _nowUs: number): void {
    const view = this.memory.view;
    const localPort = view.getUint16(error.offset);
    const remotePort = view.getUint16(error.offset + 2);
    const socket = this.errorTarget(error, localPort, remotePort);
    if (socket === undefined) return;
    if (error.mtu !== 0 && socket.mtuDiscover === PMTUDISC_DONT) return;
    if (socket.receiveErrors) {
      socket.errors ??= new ErrorQueue();
      socket.errors.push(extendedErrorOf(error, this.memory, remotePort, UDP_HEADER));
    } else if (!socket.connected || !(error.hard || error.errno === EMSGSIZE)) {
      return;
    }
    socket.error = error.errno;
    this.output.signal(socket, DATAGRAM_ERROR | DATAGRAM_READABLE);
  }

  private errorTarget(
    error: IcmpError,
    localPort: number,
    remotePort: number,
  ): UdpSocket | undefined {
    let loose: UdpSocket | undefined;
    for (let s = this.demux.first(localPort); s !== undefined; s = s.next) {
      const remote = s.remote;
      if (remote !== undefined) {
        if (
          s.remotePort === remotePort &&
          remote.w3 === error.remote3 &&
          remote.w2 === error.remote2 &&
          remote.w1 === error.remote1 &&
          remote.w0 === error.remote0
        ) {
          return s;
        }
      } else if (s.localIsUnspecified ? s.isIpv6 || error.isIpv4 : s.local.w3 === error.local3) {
        loose ??= s;
      }
    }
    return loose;
  }

  protected discardReceived(socket: UdpSocket): void {
    this.queuedFrames -= socket.received.count;
    socket.received.clear(this.memory);
  }
}
