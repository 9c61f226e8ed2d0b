/** Ping: echo requests sent, and what became of each. */
import { IpAddress, IPV4_ANY, IPV6_ANY } from "../base/address.ts";
import { EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOBUFS, ETIMEDOUT } from "../base/errors.ts";
import { NO_FRAME } from "../base/frame-memory.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, SEND_DONT_FRAGMENT } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import type { TimerTarget } from "../base/timers.ts";
import type { IcmpError } from "../base/transport.ts";
import { ICMP_ECHO_REQUEST, ICMP_HEADER } from "../wire/icmpv4.ts";
import { ICMPV6_ECHO_REQUEST } from "../wire/icmpv6.ts";
import type { IpContext } from "./context.ts";
import { finishIcmp } from "./icmp-output.ts";
import { sendOnPath } from "./output.ts";
import type { IpPath } from "./path.ts";
import { lookupPath } from "./path-lookup.ts";

export interface EchoOptions {
  /** Payload bytes behind the 8-byte header. Default 56. */
  readonly size?: number;
  /** Default: the host's. */
  readonly ttl?: number;
  readonly tos?: number;
  /** Microseconds until the request counts as lost. Default 1 s. */
  readonly timeoutUs?: number;
  readonly source?: IpAddress;
  /** Interface to send by (SO_BINDTODEVICE); 0: any. */
  readonly interfaceIndex?: number;
  readonly dontFragment?: boolean;
}

/** What became of an echo request. */
export interface EchoResult {
  /** 0, or why there was no reply: ETIMEDOUT, EHOSTUNREACH, EMSGSIZE, ... */
  readonly errno: number;
  readonly sequence: number;
  readonly rttUs: number;
  /** Who answered, or reported the error. */
  readonly from: IpAddress | undefined;
  /** TTL or hop limit that the reply arrived with. */
  readonly ttl: number;
  /** Payload bytes of the reply; they were what had been sent. */
  readonly size: number;
  /** Next-hop MTU, when the errno is EMSGSIZE and a router named one. */
  readonly mtu: number;
}

interface Pending extends TimerTarget {
  readonly sequence: number;
  readonly remote: IpAddress;
  readonly path: IpPath;
  readonly size: number;
  readonly sentUs: number;
  readonly timer: number;
  readonly callback: (result: EchoResult) => void;
}

export class EchoService {
  private readonly ip: IpContext;
  private readonly id: number;
  private nextSequence = 1;
  private readonly pending = new Map<number, Pending>();
  private readonly done: { callback: (result: EchoResult) => void; result: EchoResult }[] = [];

  constructor(ip: IpContext) {
    this.ip = ip;
    this.id = ip.random.int32() & 0xffff;
  }

  /** Requests without an answer yet: they keep the process alive. */
  get waiting(): number {
    return this.pending.size + this.done.length;
  }

  /**
   * Sends one echo request. The callback comes from `takeEvents`, exactly once
   * unless the returned function cancels it.
   */
  send(
    remote: IpAddress,
    options: EchoOptions,
    callback: (result: EchoResult) => void,
  ): () => void {
    const { ip } = this;
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) & 0xffff;
    const size = options.size ?? 56;
    const local = options.source ?? (remote.isIpv4 ? IPV4_ANY : IPV6_ANY);
    const path = lookupPath(ip, local, remote, options.interfaceIndex ?? 0);
    const nowUs = ip.clock.now();
    let cancelled = false;
    const guarded = (result: EchoResult) => {
      if (!cancelled) callback(result);
    };
    const cancel = () => {
      cancelled = true;
      const pending = this.pending.get(sequence);
      if (pending?.callback === guarded) this.remove(pending);
    };
    const fail = (errno: number) => {
      this.done.push({ callback: guarded, result: { ...NO_REPLY, errno, sequence } });
      ip.onWork();
      return cancel;
    };
    if (path === undefined) return fail(ENETUNREACH);
    if (this.pending.has(sequence)) return fail(ENOBUFS);
    const isIpv4 = path.isIpv4;
    if (size < 0 || ICMP_HEADER + size > 65_535 - (isIpv4 ? 20 : 0)) return fail(EMSGSIZE);
    const { memory, view, counters } = ip;
    const frame = memory.alloc(ICMP_HEADER + size);
    if (frame === NO_FRAME) return fail(ENOBUFS);
    const at = memory.start(frame);
    memory.setRange(frame, at, ICMP_HEADER + size);
    for (let i = 0; i < size; i++) memory.bytes[at + ICMP_HEADER + i] = patternByte(sequence, i);
    view.setInt32(at, (isIpv4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST) << 24);
    view.setInt32(at + 4, (this.id << 16) | sequence);
    finishIcmp(ip, path, frame);
    const pending: Pending = {
      sequence,
      remote: path.remote,
      path,
      size,
      sentUs: nowUs,
      timer: -1,
      callback: guarded,
      onTimer: () => this.finish(pending, { ...NO_REPLY, errno: ETIMEDOUT, sequence }),
    };
    (pending as { timer: number }).timer = ip.timers.register(pending);
    ip.timers.arm(pending.timer, nowUs + (options.timeoutUs ?? 1_000_000));
    this.pending.set(sequence, pending);
    counters.icmpOutMsgs++;
    counters.icmpOutEchos++;
    const protocol = isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    const flags = options.dontFragment === true ? SEND_DONT_FRAGMENT : 0;
    const result = sendOnPath(ip, path, frame, protocol, options.tos ?? 0, options.ttl ?? 0, flags);
    if (result < 0) {
      const mtu = result === -EMSGSIZE ? path.mtu : 0;
      this.finish(pending, { ...NO_REPLY, errno: -result, sequence, mtu });
    }
    ip.onWork();
    return cancel;
  }

  /** An echo reply came in, its checksum verified. */
  replied(packet: ReceivedPacket, nowUs: number): void {
    const { view } = this.ip;
    const at = packet.offset;
    if (view.getUint16(at + 4) !== this.id) return;
    const pending = this.pending.get(view.getUint16(at + 6));
    if (pending === undefined || !this.isFrom(pending, packet)) return;
    const size = packet.length - ICMP_HEADER;
    if (size !== pending.size) return;
    const bytes = this.ip.memory.bytes;
    for (let i = 0; i < size; i++) {
      if (bytes[at + ICMP_HEADER + i] !== patternByte(pending.sequence, i)) return;
    }
    const from = new IpAddress(
      packet.source0,
      packet.source1,
      packet.source2,
      packet.source3,
      packet.scope,
    );
    this.ip.confirmPath(pending.path);
    this.finish(pending, {
      errno: 0,
      sequence: pending.sequence,
      rttUs: nowUs - pending.sentUs,
      from,
      ttl: packet.ttl,
      size,
      mtu: 0,
    });
  }

  private isFrom(pending: Pending, packet: ReceivedPacket): boolean {
    const r = pending.remote;
    if (r.isMulticast || r.isBroadcast || pending.path.loopsBack) return true;
    return (
      r.w3 === packet.source3 &&
      r.w2 === packet.source2 &&
      r.w1 === packet.source1 &&
      r.w0 === packet.source0
    );
  }

  /** An error about a request of ours. */
  failed(error: IcmpError, nowUs: number): void {
    const { view } = this.ip;
    const type = view.getUint8(error.offset);
    if (type !== (error.isIpv4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST)) return;
    if (view.getUint16(error.offset + 4) !== this.id) return;
    const pending = this.pending.get(view.getUint16(error.offset + 6));
    if (pending === undefined) return;
    const r = pending.remote;
    if (r.w3 !== error.remote3 || r.w2 !== error.remote2) return;
    if (error.errno === EMSGSIZE && error.mtu > 0) pending.path.reportMtu(error.mtu);
    this.finish(pending, {
      errno: error.errno || EHOSTUNREACH,
      sequence: pending.sequence,
      rttUs: nowUs - pending.sentUs,
      from: new IpAddress(error.reporter0, error.reporter1, error.reporter2, error.reporter3),
      ttl: 0,
      size: 0,
      mtu: error.mtu,
    });
  }

  private remove(pending: Pending): void {
    this.ip.timers.unregister(pending.timer);
    this.pending.delete(pending.sequence);
  }

  private finish(pending: Pending, result: EchoResult): void {
    if (this.pending.get(pending.sequence) !== pending) return;
    this.remove(pending);
    this.done.push({ callback: pending.callback, result });
    this.ip.onWork();
  }

  /** Hands results to their callbacks; see the core contract. */
  takeEvents(): boolean {
    if (this.done.length === 0) return false;
    for (const { callback, result } of this.done.splice(0)) callback(result);
    return true;
  }

  /** Ends all requests with an errno. */
  clear(errno: number): void {
    for (const pending of this.pending.values()) {
      this.finish(pending, { ...NO_REPLY, errno, sequence: pending.sequence });
    }
  }
}

const NO_REPLY: EchoResult = {
  errno: 0,
  sequence: 0,
  rttUs: 0,
  from: undefined,
  ttl: 0,
  size: 0,
  mtu: 0,
};

/** What the payload of a request is made of, so that a reply can be checked. */
function patternByte(sequence: number, i: number): number {
  return (sequence * 31 + i) & 0xff;
}
