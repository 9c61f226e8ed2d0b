/** Passing on packets for others (RFC 1812 §5.2, RFC 8200): what `forwarding: true` adds to a host. */
import { IpAddress, MAPPED } from "../base/address.ts";
import { type Frame, GSO_NONE, NO_FRAME } from "../base/frame-memory.ts";
import { wirePacketLength } from "../link/offload.ts";
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_NET_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  ICMP_TTL_EXCEEDED,
  ICMP_UNREACHABLE,
} from "../wire/icmpv4.ts";
import {
  ICMPV6_BEYOND_SCOPE,
  ICMPV6_HOP_LIMIT_EXCEEDED,
  ICMPV6_NO_ROUTE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";
import { decrementIpv4Ttl, ipv4DontFragment, ipv4HeaderLength } from "../wire/ipv4.ts";
import type { IpContext } from "./context.ts";
import { fragmentForwarded } from "./forward-fragment.ts";
import { icmpv4Error, icmpv6Error } from "./icmp-output.ts";
import type { IpInterface } from "./ip-interface.ts";
import { IpPath, PATH_DIRECT, PATH_NEIGHBOR } from "./path.ts";
import { refreshPath } from "./path-lookup.ts";
import { transmit } from "./transmit.ts";

/** Sends what waits to be passed on, at most `budget`; answers how many were handled. */
export function forwardWaiting(ip: IpContext, budget: number): number {
  const ring = ip.forwardRing;
  const count = Math.min(ring.length, budget);
  for (let i = 0; i < count; i++) {
    const { frame, at, packetLength } = ring;
    const iface = ip.interface(ring.interfaceIndex);
    ring.shift();
    if (iface === undefined) ip.memory.release(frame);
    else if (ip.view.getUint8(at) >>> 4 === 4) forwardIpv4(ip, iface, frame, at, packetLength);
    else forwardIpv6(ip, iface, frame, at, packetLength);
  }
  return count;
}

/** A path by destination alone; its source is nobody's. */
function forwardPath(ip: IpContext, w0: number, w1: number, w2: number, w3: number): IpPath {
  const slot = Math.imul(w3 ^ w2 ^ (w1 << 1) ^ (w0 << 3), 0x9e3779b1) >>> 24;
  let path = ip.forwardPaths[slot];
  const r = path?.remote;
  if (r === undefined || r.w3 !== w3 || r.w2 !== w2 || r.w1 !== w1 || r.w0 !== w0) {
    const isIpv4 = w2 === MAPPED && w0 === 0 && w1 === 0;
    const any = new IpAddress(0, 0, isIpv4 ? MAPPED : 0, 0);
    path = new IpPath(ip.pathOwner, any, new IpAddress(w0, w1, w2, w3), 0, 0);
    ip.forwardPaths[slot] = path;
  }
  if (path!.generation !== ip.generation) refreshPath(ip, path!);
  return path!;
}

function canForward(path: IpPath): boolean {
  if (path.kind !== PATH_NEIGHBOR && path.kind !== PATH_DIRECT) return false;
  return !path.iface!.isLoopback;
}

function forwardIpv4(
  ip: IpContext,
  iface: IpInterface,
  lent: Frame,
  at: number,
  length: number,
): void {
  const { view, memory, counters } = ip;
  const source = view.getInt32(at + 12);
  const destination = view.getInt32(at + 16);
  // Link-local addresses stay on their link (RFC 3927 §2.7).
  if (source >>> 16 === 0xa9fe || destination >>> 16 === 0xa9fe) return drop(ip, lent);
  if (view.getUint8(at + 8) <= 1) {
    icmpv4Error(ip, iface, at, length, false, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, 0);
    counters.ipInHdrErrors++;
    return drop(ip, lent);
  }
  const path = forwardPath(ip, 0, 0, MAPPED, destination);
  if (!canForward(path)) {
    counters.ipOutNoRoutes++;
    icmpv4Error(ip, iface, at, length, false, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, 0);
    return drop(ip, lent);
  }
  const frame = own(ip, lent, at, length);
  if (frame === NO_FRAME) return;
  const start = memory.start(frame);
  decrementIpv4Ttl(view, start);
  if (wirePacketLength(memory, frame) > path.currentMtu) {
    if (ipv4DontFragment(view, start) || memory.gsoType(frame) !== GSO_NONE) {
      // RFC 1191 §4: with the MTU that would fit.
      counters.ipFragFails++;
      const code = ICMP_FRAGMENTATION_NEEDED;
      icmpv4Error(
        ip,
        iface,
        start,
        memory.length(frame),
        false,
        ICMP_UNREACHABLE,
        code,
        path.currentMtu,
      );
      return drop(ip, frame);
    }
    counters.ipForwDatagrams++;
    fragmentForwarded(ip, path, frame, ipv4HeaderLength(view, start));
    return;
  }
  counters.ipForwDatagrams++;
  transmit(ip, path, frame);
}

function forwardIpv6(
  ip: IpContext,
  iface: IpInterface,
  lent: Frame,
  at: number,
  length: number,
): void {
  const { view, memory, counters } = ip;
  const s0 = view.getInt32(at + 8);
  if (s0 >>> 22 === 0x3fa) {
    // RFC 4291 §2.5.6, RFC 4443 §3.1
    const code = ICMPV6_BEYOND_SCOPE;
    icmpv6Error(ip, iface, at, length, false, ICMPV6_UNREACHABLE, code, 0);
    return drop(ip, lent);
  }
  if (view.getUint8(at + 7) <= 1) {
    icmpv6Error(ip, iface, at, length, false, ICMPV6_TIME_EXCEEDED, ICMPV6_HOP_LIMIT_EXCEEDED, 0);
    counters.ipInHdrErrors++;
    return drop(ip, lent);
  }
  const path = forwardPath(
    ip,
    view.getInt32(at + 24),
    view.getInt32(at + 28),
    view.getInt32(at + 32),
    view.getInt32(at + 36),
  );
  if (!canForward(path)) {
    counters.ipOutNoRoutes++;
    icmpv6Error(ip, iface, at, length, false, ICMPV6_UNREACHABLE, ICMPV6_NO_ROUTE, 0);
    return drop(ip, lent);
  }
  const frame = own(ip, lent, at, length);
  if (frame === NO_FRAME) return;
  const start = memory.start(frame);
  if (wirePacketLength(memory, frame) > path.currentMtu) {
    counters.ipFragFails++;
    icmpv6Error(
      ip,
      iface,
      start,
      memory.length(frame),
      false,
      ICMPV6_PACKET_TOO_BIG,
      0,
      path.currentMtu,
      true,
    );
    return drop(ip, frame);
  }
  view.setUint8(start + 7, view.getUint8(start + 7) - 1);
  counters.ipForwDatagrams++;
  transmit(ip, path, frame);
}

/** The frame cut down to its IP packet, ours alone: no copy when nobody else holds it any more. */
function own(ip: IpContext, lent: Frame, at: number, length: number): Frame {
  const { memory } = ip;
  const offset = at - memory.start(lent);
  const frame = memory.writable(lent);
  if (frame === NO_FRAME) {
    ip.counters.memoryFailures++;
    ip.counters.ipInDiscards++;
    return NO_FRAME;
  }
  memory.setRange(frame, memory.start(frame) + offset, length);
  return frame;
}

function drop(ip: IpContext, frame: Frame): void {
  ip.memory.release(frame);
}
