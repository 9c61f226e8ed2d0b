/** The way out: an IP header in front of a transport's packet, then the link (RFC 1122 §3.3.1). */
import { EMSGSIZE, ENETUNREACH } from "../base/errors.ts";
import type { Frame } from "../base/frame-memory.ts";
import { SEND_DONT_FRAGMENT } from "../base/path.ts";
import { wirePacketLength } from "../link/offload.ts";
import { foldSum } from "../wire/checksum.ts";
import { ETHERTYPE_IPV4 } from "../wire/ethernet.ts";
import { IPV4_DF } from "../wire/ipv4.ts";
import type { IpContext } from "./context.ts";
import { sendFragments } from "./fragment.ts";
import { type IpPath, PATH_GROUP, PATH_NEIGHBOR, PATH_NONE } from "./path.ts";
import { isKnown, transmit } from "./transmit.ts";

/** See `IpSender.send`. `ttl` 0 means the default. */
export function sendOnPath(
  ip: IpContext,
  path: IpPath,
  frame: Frame,
  protocol: number,
  tos: number,
  ttl: number,
  flags: number,
): number {
  if (path.generation !== ip.generation) path.owner.refresh(path);
  const memory = ip.memory;
  const counters = ip.counters;
  counters.ipOutRequests++;
  if (path.kind === PATH_NONE) {
    counters.ipOutNoRoutes++;
    memory.release(frame);
    return -ENETUNREACH;
  }
  if (ttl === 0) ttl = defaultTtl(ip, path);
  const length = memory.length(frame) + path.headerLength;
  if (length > path.currentMtu) {
    if (length > 65_535 + (path.isIpv4 ? 0 : 40)) return tooBig(ip, frame);
    const isSuper = memory.gsoSize(frame) !== 0;
    if (!isSuper) {
      if ((flags & SEND_DONT_FRAGMENT) !== 0 && !path.mayFragment) return tooBig(ip, frame);
      return sendFragments(ip, path, frame, protocol, tos, ttl, flags);
    }
    writeHeader(ip, path, frame, length, protocol, tos, ttl, flags);
    if (wirePacketLength(memory, frame) > path.currentMtu) return tooBig(ip, frame);
    return transmit(ip, path, frame, flags);
  }
  writeHeader(ip, path, frame, length, protocol, tos, ttl, flags);
  return transmit(ip, path, frame, flags);
}

/**
 * See `IpSender.sendRun`. On the way nearly all packets go (to a neighbor known
 * to be reachable, whole, with DF) all headers of the run are the same: 16 ns a
 * packet, one by one 60.
 */
export function sendRunOnPath(
  ip: IpContext,
  path: IpPath,
  frames: Int32Array,
  count: number,
  protocol: number,
  tos: number,
  ttl: number,
  flags: number,
): number {
  if (path.generation !== ip.generation) path.owner.refresh(path);
  const memory = ip.memory;
  const neighbor = path.neighbor;
  const length = memory.length(frames[0]!) + path.headerLength;
  const isPlain =
    path.kind === PATH_NEIGHBOR &&
    path.isIpv4 &&
    length <= path.currentMtu &&
    !path.mayFragment &&
    (flags & SEND_DONT_FRAGMENT) !== 0 &&
    neighbor !== undefined &&
    isKnown(ip, neighbor);
  if (!isPlain) {
    let result = 0;
    for (let i = 0; i < count; i++) {
      const one = sendOnPath(ip, path, frames[i]!, protocol, tos, ttl, flags);
      if (one < 0) result = one;
    }
    return result;
  }
  ip.counters.ipOutRequests += count;
  const ttlProtocol = ((ttl === 0 ? defaultTtl(ip, path) : ttl) << 8) | protocol;
  const sum = foldSum(path.headerSum + tos + length + IPV4_DF + ttlProtocol);
  const word0 = ((0x4500 | tos) << 16) | length;
  const word2 = (ttlProtocol << 16) | (~sum & 0xffff);
  const source = path.local.w3;
  const destination = path.remote.w3;
  const view = ip.view;
  for (let i = 0; i < count; i++) {
    const at = memory.moveStart(frames[i]!, 20);
    view.setInt32(at, word0);
    view.setInt32(at + 4, IPV4_DF);
    view.setInt32(at + 8, word2);
    view.setInt32(at + 12, source);
    view.setInt32(at + 16, destination);
  }
  const { macHigh, macLow } = neighbor;
  return path.iface!.link.outputRun(frames, count, macHigh, macLow, ETHERTYPE_IPV4);
}

/** Prefilled per path but for six values; the checksum comes from registers (4 ns against 12 for re-reading memory). */
function writeHeader(
  ip: IpContext,
  path: IpPath,
  frame: Frame,
  length: number,
  protocol: number,
  tos: number,
  ttl: number,
  flags: number,
): void {
  const view = ip.view;
  const local = path.local;
  const remote = path.remote;
  if (path.isIpv4) {
    const at = ip.memory.moveStart(frame, 20);
    let idAndFlags: number;
    if ((flags & SEND_DONT_FRAGMENT) !== 0 && !path.mayFragment) {
      // RFC 6864 §4.1: an atomic datagram's ID means nothing. Linux's peers like it to count up in
      // what was one super-segment, which the cutting stage does.
      idAndFlags = IPV4_DF;
    } else {
      idAndFlags = path.nextId << 16;
      path.nextId = (path.nextId + 1) & 0xffff;
    }
    const ttlProtocol = (ttl << 8) | protocol;
    let sum =
      path.headerSum + tos + length + (idAndFlags >>> 16) + (idAndFlags & 0xffff) + ttlProtocol;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum += sum >>> 16;
    view.setInt32(at, ((0x4500 | tos) << 16) | length);
    view.setInt32(at + 4, idAndFlags);
    view.setInt32(at + 8, (ttlProtocol << 16) | (~sum & 0xffff));
    view.setInt32(at + 12, local.w3);
    view.setInt32(at + 16, remote.w3);
  } else {
    const at = ip.memory.moveStart(frame, 40);
    view.setInt32(at, 0x60000000 | (tos << 20));
    view.setInt32(at + 4, ((length - 40) << 16) | (protocol << 8) | ttl);
    view.setInt32(at + 8, local.w0);
    view.setInt32(at + 12, local.w1);
    view.setInt32(at + 16, local.w2);
    view.setInt32(at + 20, local.w3);
    view.setInt32(at + 24, remote.w0);
    view.setInt32(at + 28, remote.w1);
    view.setInt32(at + 32, remote.w2);
    view.setInt32(at + 36, remote.w3);
  }
}

function defaultTtl(ip: IpContext, path: IpPath): number {
  if (path.kind === PATH_GROUP && path.remote.isMulticast) return ip.settings.multicastTtl;
  return (path.isIpv4 ? 0 : path.iface!.announcedHopLimit) || ip.settings.defaultTtl;
}

function tooBig(ip: IpContext, frame: Frame): number {
  ip.counters.ipFragFails++;
  ip.memory.release(frame);
  return -EMSGSIZE;
}
