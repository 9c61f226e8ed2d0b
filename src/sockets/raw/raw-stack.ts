import { IPV4_ANY, IPV6_ANY, type IpAddress } from "../../base/address.ts";
import type { Counters } from "../../base/counters.ts";
import {
  EACCES,
  EAGAIN,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  EPIPE,
} from "../../base/errors.ts";
import { type FrameMemory, NO_FRAME } from "../../base/frame-memory.ts";
import {
  type IpSender,
  type Path,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  SEND_NO_LOOP,
} from "../../base/path.ts";
import type { ReceivedPacket } from "../../base/received-packet.ts";
import { copyIn } from "../../udp/copy.ts";
import { DATAGRAM_OVERHEAD } from "../../udp/datagram-queue.ts";
import { DATAGRAM_READABLE, DatagramEndpoint } from "../../udp/endpoint.ts";
import { DatagramOutput } from "../../udp/output.ts";
import { fragmentFlags, type SendOptions } from "../../udp/stack.ts";
import { addSums, checksumOf, foldSum } from "../../wire/checksum.ts";
import { ICMPV6_CHECKSUM } from "../../wire/icmpv6.ts";

/** Hears a protocol's packets beside its transport; only lent. */
export type PacketObserver = (packet: ReceivedPacket, nowUs: number) => void;

export interface RawStackOptions {
  readonly memory: FrameMemory;
  readonly ip: IpSender;
  readonly counters: Counters;
  readonly isBroadcast: (address: IpAddress) => boolean;
  /** Starts and stops handing over a protocol's packets. */
  readonly observe: (protocol: number, observer: PacketObserver) => void;
  readonly unobserve: (protocol: number, observer: PacketObserver) => void;
}

/** The control block of one raw socket. */
export class RawEndpoint extends DatagramEndpoint {
  readonly protocol: number;
  /** ICMP_FILTER and ICMP6_FILTER: a bit that is set keeps that type out. */
  readonly filter = new Int32Array(8);

  constructor(isIpv6: boolean, protocol: number) {
    super(isIpv6);
    this.protocol = protocol;
  }
}

/** Raw sockets of one host: IP payload as it is, both ways (RFC 3542 §3). */
export class RawStack {
  readonly output: DatagramOutput;
  private readonly options: RawStackOptions;
  private readonly memory: FrameMemory;
  private readonly sockets: RawEndpoint[] = [];
  private readonly observer: PacketObserver = (packet) => this.input(packet);

  constructor(options: RawStackOptions) {
    this.options = options;
    this.memory = options.memory;
    this.output = new DatagramOutput(options.memory, options.ip, options.counters);
  }

  create(isIpv6: boolean, protocol: number): RawEndpoint {
    const endpoint = new RawEndpoint(isIpv6, protocol);
    if (!this.sockets.some((s) => s.protocol === protocol)) {
      this.options.observe(protocol, this.observer);
    }
    this.sockets.push(endpoint);
    return endpoint;
  }

  close(endpoint: RawEndpoint): void {
    if (endpoint.closed) return;
    endpoint.closed = true;
    endpoint.owner = undefined;
    endpoint.received.clear(this.memory);
    this.sockets.splice(this.sockets.indexOf(endpoint), 1);
    if (!this.sockets.some((s) => s.protocol === endpoint.protocol)) {
      this.options.unobserve(endpoint.protocol, this.observer);
    }
  }

  get count(): number {
    return this.sockets.length;
  }

  /** Each socket that the packet concerns gets it; IPv4 with its IP header, IPv6 without. */
  private input(packet: ReceivedPacket): void {
    for (const s of this.sockets) {
      if (s.protocol !== packet.protocol || s.isIpv6 === packet.isIpv4) continue;
      if (!concerns(s, packet)) continue;
      if (isFiltered(s, this.memory.view.getUint8(packet.offset))) continue;
      const offset = packet.isIpv4 ? packet.ipOffset : packet.offset;
      const length = packet.offset + packet.length - offset;
      if (s.received.count > 0 && s.received.bytes + length + DATAGRAM_OVERHEAD > s.receiveBuffer) {
        s.drops++;
        this.options.counters.ipInDiscards++;
        continue;
      }
      s.received.push(
        this.memory,
        packet.frame,
        packet.ipOffset,
        offset,
        length,
        packet.interfaceIndex,
      );
      this.output.signal(s, DATAGRAM_READABLE);
    }
  }

  path(
    endpoint: RawEndpoint,
    remote: IpAddress,
    options: SendOptions | undefined,
  ): Path | undefined {
    const any = remote.isIpv4 ? IPV4_ANY : IPV6_ANY;
    let local = endpoint.localIsUnspecified ? any : endpoint.local;
    let device = endpoint.device;
    if (remote.isMulticast && endpoint.multicastInterface !== 0 && device === 0) {
      device = endpoint.multicastInterface;
    }
    if (options?.source !== undefined) local = options.source;
    if (options !== undefined && options.interfaceIndex !== 0) device = options.interfaceIndex;
    return this.options.ip.path(local, remote, device);
  }

  /** Queues one packet; `data` begins with the transport header. Its length or -errno. */
  send(
    endpoint: RawEndpoint,
    data: Uint8Array,
    offset: number,
    length: number,
    remote: IpAddress | undefined,
    options: SendOptions | undefined,
  ): number {
    if (endpoint.error !== 0) {
      const { error } = endpoint;
      endpoint.error = 0;
      return -error;
    }
    if (endpoint.shutdownWrite) return -EPIPE;
    const to = remote ?? endpoint.remote;
    if (to === undefined) return -EDESTADDRREQ;
    if (to.isIpv4 === endpoint.isIpv6) return -EINVAL;
    const path = this.path(endpoint, to, options);
    if (path === undefined) return -ENETUNREACH;
    if (!endpoint.broadcast && this.options.isBroadcast(to)) return -EACCES;
    if (length + (path.isIpv4 ? path.headerLength : 0) > 65535) return -EMSGSIZE;
    let flags = fragmentFlags(endpoint.mtuDiscover, length, path);
    if (flags < 0) return flags;
    if (!endpoint.multicastLoop) flags |= SEND_NO_LOOP;
    if (endpoint.unsent.bytes >= endpoint.sendBuffer) {
      endpoint.wantsRoom = true;
      return -EAGAIN;
    }
    const frame = this.memory.alloc(length);
    if (frame === NO_FRAME) return -ENOBUFS;
    const start = this.memory.start(frame);
    this.memory.setRange(frame, start, length);
    copyIn(this.memory, start, data, offset, length);
    if (endpoint.protocol === PROTOCOL_ICMPV6) this.addChecksum(path, start, length);
    let { tos } = endpoint;
    let ttl = to.isMulticast ? endpoint.multicastTtl : endpoint.ttl;
    if (options !== undefined) {
      if (options.tos >= 0) tos = options.tos;
      if (options.ttl >= 0) ttl = options.ttl;
    }
    if (ttl < 0) ttl = 0; // the host's, or what a router announced
    endpoint.unsent.push(path, frame, length, endpoint.protocol, tos, ttl, flags);
    this.output.enlist(endpoint);
    return length;
  }

  /** RFC 3542 §3.1: the checksum of ICMPv6 is the stack's to compute, since it covers the source address. */
  private addChecksum(path: Path, start: number, length: number): void {
    if (length < ICMPV6_CHECKSUM + 2) return;
    const { view, kernel } = this.memory;
    view.setUint16(start + ICMPV6_CHECKSUM, 0);
    const pseudo = foldSum(path.pseudoSum + PROTOCOL_ICMPV6 + length);
    const sum = addSums(pseudo, kernel.sum(start, length));
    view.setUint16(start + ICMPV6_CHECKSUM, checksumOf(sum));
  }
}

function concerns(s: RawEndpoint, packet: ReceivedPacket): boolean {
  if (s.device !== 0 && s.device !== packet.interfaceIndex) return false;
  const { remote } = s;
  if (
    remote !== undefined &&
    (remote.w3 !== packet.source3 ||
      remote.w2 !== packet.source2 ||
      remote.w1 !== packet.source1 ||
      remote.w0 !== packet.source0)
  ) {
    return false;
  }
  if (packet.isMulticast) {
    return s.hearsGroup(
      packet.destination0,
      packet.destination1,
      packet.destination2,
      packet.destination3,
      packet.interfaceIndex,
    );
  }
  const { local } = s;
  return (
    s.localIsUnspecified ||
    (local.w3 === packet.destination3 &&
      local.w2 === packet.destination2 &&
      local.w1 === packet.destination1 &&
      local.w0 === packet.destination0)
  );
}

function isFiltered(s: RawEndpoint, type: number): boolean {
  if (s.protocol !== PROTOCOL_ICMP && s.protocol !== PROTOCOL_ICMPV6) return false;
  return ((s.filter[type >>> 5]! >>> (type & 31)) & 1) !== 0;
}
