import { IPV4_ANY, IPV6_ANY, type IpAddress } from "../base/address.ts";
import type { Counters } from "../base/counters.ts";
import {
  EACCES,
  EAGAIN,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  EPIPE,
} from "../base/errors.ts";
import { type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import {
  type IpSender,
  type Path,
  PROTOCOL_UDP,
  SEND_DONT_FRAGMENT,
  SEND_NO_LOOP,
} from "../base/path.ts";
import type { PortTable } from "../base/port-table.ts";
import type { Transport } from "../base/transport.ts";
import { addSums, foldSum, udpChecksumOf } from "../wire/checksum.ts";
import { UDP_CHECKSUM, UDP_HEADER, writeUdpHeader } from "../wire/udp.ts";
import { copyIn } from "./copy.ts";
import {
  PMTUDISC_DO,
  PMTUDISC_DONT,
  PMTUDISC_INTERFACE,
  PMTUDISC_OMIT,
  PMTUDISC_PROBE,
} from "./endpoint.ts";
import { ERROR_ORIGIN_LOCAL, ErrorQueue } from "./error-queue.ts";
import { DatagramOutput } from "./output.ts";
import { UdpReceiver } from "./receiver.ts";
import { UdpSocket } from "./socket.ts";

export interface UdpStackOptions {
  readonly memory: FrameMemory;
  readonly ip: IpSender;
  readonly counters: Counters;
  readonly ports: PortTable;
  /** Is this a broadcast address of one of our subnets (or 255.255.255.255)? Sending there needs SO_BROADCAST. */
  readonly isBroadcast: (address: IpAddress) => boolean;
  /** Received frames that all sockets together may keep. Default half of the memory's small frames. */
  readonly maxQueuedFrames?: number;
}

/** A datagram's way out, beside its destination: what a control message may set for this one. */
export interface SendOptions {
  tos: number;
  ttl: number;
  /** Source address (PKTINFO); undefined: the socket's, or by route. */
  source: IpAddress | undefined;
  interfaceIndex: number;
}

/** UDP (RFC 768, RFC 1122 §4.1) of one host. */
export class UdpStack extends UdpReceiver implements Transport {
  private readonly ip: IpSender;
  private readonly ports: PortTable;
  private readonly isBroadcast: (address: IpAddress) => boolean;
  /** Sockets that are bound: for leak checks. */
  bound = 0;

  constructor(options: UdpStackOptions) {
    super(
      options.memory,
      options.counters,
      new DatagramOutput(options.memory, options.ip, options.counters),
      options.maxQueuedFrames ?? options.memory.smallFrames >> 1,
    );
    this.ip = options.ip;
    this.ports = options.ports;
    this.isBroadcast = options.isBroadcast;
  }

  create(isIpv6: boolean): UdpSocket {
    return new UdpSocket(isIpv6);
  }

  /** Takes an address that is the host's or unspecified, and a port, 0 for any. 0 or -EADDRINUSE. */
  bind(socket: UdpSocket, local: IpAddress, port: number, flags: number): number {
    const { w0, w1, w2, w3 } = local;
    const handle = this.ports.bind(w0, w1, w2, w3, port, socket.device, flags);
    if (handle < 0) return handle;
    socket.binding = handle;
    socket.localPort = this.ports.port(handle);
    socket.setLocal(local);
    this.demux.add(socket);
    this.bound++;
    return 0;
  }

  /** Fixes the peer; datagrams of others are no longer heard. The socket is bound. 0 or -errno. */
  connect(socket: UdpSocket, remote: IpAddress, port: number): number {
    if (!socket.broadcast && this.isBroadcast(remote)) return -EACCES;
    if (socket.localFromConnect) socket.setLocal(socket.anyAddress);
    const path = this.pathTo(socket, remote, undefined);
    if (path === undefined) return -ENETUNREACH;
    if (socket.localIsUnspecified) {
      socket.setLocal(path.local);
      socket.localFromConnect = true;
    }
    socket.remote = remote;
    socket.remotePort = port;
    socket.path = path;
    return 0;
  }

  /** Undoes connect(): what connect(AF_UNSPEC) does. */
  disconnect(socket: UdpSocket): void {
    socket.remote = undefined;
    socket.remotePort = 0;
    socket.path = undefined;
    if (socket.localFromConnect) {
      socket.localFromConnect = false;
      socket.setLocal(socket.anyAddress);
    }
  }

  /** Unbinds and drops what was received; what is still to be sent goes out. */
  close(socket: UdpSocket): void {
    socket.closed = true;
    socket.owner = undefined;
    this.discardReceived(socket);
    socket.errors = undefined;
    if (socket.binding !== 0) {
      this.demux.remove(socket);
      this.ports.release(socket.binding);
      socket.binding = 0;
      this.bound--;
    }
  }

  /**
   * Queues one datagram; it goes out with the next poll. Answers the payload's
   * length or -errno; -EAGAIN when the send buffer is full. `remote` undefined:
   * to the connected peer. The socket is bound.
   */
  send(
    socket: UdpSocket,
    data: Uint8Array,
    offset: number,
    length: number,
    remote: IpAddress | undefined,
    remotePort: number,
    options: SendOptions | undefined,
  ): number {
    if (socket.error !== 0) {
      const error = socket.error;
      socket.error = 0;
      return -error;
    }
    if (socket.shutdownWrite) return -EPIPE;
    let path: Path | undefined;
    if (remote === undefined) {
      remote = socket.remote;
      if (remote === undefined) return -EDESTADDRREQ;
      remotePort = socket.remotePort;
      path = socket.path;
      if (options !== undefined || path === undefined || !path.usable) {
        path = this.pathTo(socket, remote, options);
      }
    } else {
      if (remotePort === 0) return -EINVAL;
      path = this.pathFor(socket, remote, options);
    }
    if (path === undefined) return -ENETUNREACH;
    if (!socket.broadcast && this.isBroadcastPath(socket, path)) return -EACCES;
    const total = length + UDP_HEADER;
    if (total + (path.isIpv4 ? path.headerLength : 0) > 65535) return -EMSGSIZE;
    let flags = fragmentFlags(socket.mtuDiscover, total, path);
    if (flags < 0) {
      if (socket.receiveErrors) reportTooBig(socket, path, remotePort);
      return flags;
    }
    if (!socket.multicastLoop) flags |= SEND_NO_LOOP;
    if (socket.unsent.bytes >= socket.sendBuffer) {
      socket.wantsRoom = true;
      return -EAGAIN;
    }
    const frame = this.memory.alloc(total);
    if (frame === NO_FRAME) {
      this.counters.memoryFailures++;
      this.counters.udpSndbufErrors++;
      return -ENOBUFS;
    }
    const start = this.memory.start(frame);
    this.memory.setRange(frame, start, total);
    copyIn(this.memory, start + UDP_HEADER, data, offset, length);
    writeUdpHeader(this.memory.view, start, socket.localPort, remotePort, total, 0);
    this.finishChecksum(socket, path, frame, start, total, remotePort);

    let tos = socket.tos;
    let ttl = remote.isMulticast ? socket.multicastTtl : socket.ttl;
    if (options !== undefined) {
      if (options.tos >= 0) tos = options.tos;
      if (options.ttl >= 0) ttl = options.ttl;
    }
    if (ttl < 0) ttl = 0; // the host's, or what a router announced
    socket.unsent.push(path, frame, length, PROTOCOL_UDP, tos, ttl, flags);
    this.output.enlist(socket);
    this.counters.udpOutDatagrams++;
    return length;
  }

  private finishChecksum(
    socket: UdpSocket,
    path: Path,
    frame: number,
    start: number,
    total: number,
    remotePort: number,
  ): void {
    // RFC 768: no checksum is for IPv4 alone (RFC 8200 §8.1).
    if (socket.noChecksum && path.isIpv4) return;
    const pseudo = foldSum(path.pseudoSum + PROTOCOL_UDP + total);
    if (path.checksumOffload) {
      this.memory.view.setUint16(start + UDP_CHECKSUM, pseudo);
      this.memory.setPartialChecksum(frame, start, UDP_CHECKSUM);
      return;
    }
    // The header's words from registers; the payload by the kernel.
    const header = foldSum(pseudo + socket.localPort + remotePort + total);
    const payload = this.memory.kernel.sum(start + UDP_HEADER, total - UDP_HEADER);
    this.memory.view.setUint16(start + UDP_CHECKSUM, udpChecksumOf(addSums(header, payload)));
  }

  /** The path for an unconnected send; the last one is kept, since most go where the last one went. */
  private pathFor(
    socket: UdpSocket,
    remote: IpAddress,
    options: SendOptions | undefined,
  ): Path | undefined {
    const last = socket.path;
    if (
      options === undefined &&
      last !== undefined &&
      last.usable &&
      !socket.connected &&
      (last.remote === remote || last.remote.equals(remote))
    ) {
      return last;
    }
    const path = this.pathTo(socket, remote, options);
    if (path !== undefined && options === undefined && !socket.connected) socket.path = path;
    return path;
  }

  private pathTo(
    socket: UdpSocket,
    remote: IpAddress,
    options: SendOptions | undefined,
  ): Path | undefined {
    const any = remote.isIpv4 ? IPV4_ANY : IPV6_ANY;
    let device = socket.device;
    let local = socket.localIsUnspecified ? any : socket.local;
    if (remote.isMulticast && socket.multicastInterface !== 0 && device === 0) {
      device = socket.multicastInterface;
    }
    if (options !== undefined) {
      if (options.source !== undefined) local = options.source;
      if (options.interfaceIndex !== 0) device = options.interfaceIndex;
    }
    // Bound to a group or a broadcast address: that is nobody's source.
    if (local.isMulticast || (local.isIpv4 && this.isBroadcast(local))) {
      local = any;
    }
    if (local.isIpv4 !== remote.isIpv4) return undefined;
    return this.ip.path(local, remote, device);
  }

  private isBroadcastPath(socket: UdpSocket, path: Path): boolean {
    if (socket.checkedPath !== path) {
      socket.checkedPath = path;
      socket.checkedIsBroadcast = path.isIpv4 && this.isBroadcast(path.remote);
    }
    return socket.checkedIsBroadcast;
  }

  /** True when a poll would send. */
  get hasWork(): boolean {
    return this.output.hasWork;
  }

  poll(budget: number): boolean {
    return this.output.poll(budget);
  }

  takeEvents(): boolean {
    return this.output.takeEvents();
  }
}

/** `SEND_DONT_FRAGMENT` or not (IP_MTU_DISCOVER), or -EMSGSIZE. */
export function fragmentFlags(mode: number, length: number, path: Path): number {
  if (mode === PMTUDISC_DONT || mode === PMTUDISC_OMIT) return 0;
  const size = length + path.headerLength;
  if (mode === PMTUDISC_PROBE || mode === PMTUDISC_INTERFACE) {
    return size > path.interfaceMtu ? -EMSGSIZE : SEND_DONT_FRAGMENT;
  }
  if (size <= path.mtu) return SEND_DONT_FRAGMENT;
  return mode === PMTUDISC_DO ? -EMSGSIZE : 0;
}

/** With RECVERR the error queue tells the MTU that a datagram was too large for, as in Linux. */
function reportTooBig(socket: UdpSocket, path: Path, remotePort: number): void {
  socket.errors ??= new ErrorQueue();
  socket.errors.push({
    errno: EMSGSIZE,
    origin: ERROR_ORIGIN_LOCAL,
    type: 0,
    code: 0,
    info: path.mtu,
    offender: undefined,
    destination: path.remote,
    destinationPort: remotePort,
    payload: new Uint8Array(0),
  });
}
