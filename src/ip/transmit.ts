/** From a whole IP packet to the link: the neighbor's address, or the group's. */
import { ENETUNREACH, ENOBUFS } from "../base/errors.ts";
import { type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { SEND_NO_LOOP } from "../base/path.ts";
import {
  type Neighbor,
  NEIGHBOR_DELAY,
  NEIGHBOR_GONE,
  NEIGHBOR_PROBE,
  NEIGHBOR_REACHABLE,
} from "../link/neighbor.ts";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../wire/ethernet.ts";
import type { IpContext } from "./context.ts";
import { type IpPath, PATH_DIRECT, PATH_GROUP, PATH_NEIGHBOR } from "./path.ts";

/** Gives a whole IP packet to the link. 0 or a negative errno; ownership passes. */
export function transmit(ip: IpContext, path: IpPath, frame: Frame, flags = 0): number {
  const type = path.isIpv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
  const neighbor = path.neighbor;
  if (neighbor !== undefined && isKnown(ip, neighbor)) {
    return path.iface!.link.output(frame, neighbor.macHigh, neighbor.macLow, type);
  }
  return transmitSlowly(ip, path, frame, type, flags);
}

/** A packet to this neighbor changes nothing of its state (RFC 4861 §7.3.3). */
export function isKnown(ip: IpContext, neighbor: Neighbor): boolean {
  if (neighbor.waiting !== 0) return false;
  const state = neighbor.state;
  if (state === NEIGHBOR_REACHABLE) return ip.nowUs <= neighbor.reachableUntilUs;
  return state === NEIGHBOR_DELAY || state === NEIGHBOR_PROBE;
}

function transmitSlowly(
  ip: IpContext,
  path: IpPath,
  frame: Frame,
  type: number,
  flags: number,
): number {
  const iface = path.iface!;
  if (path.kind === PATH_NEIGHBOR) {
    let neighbor = path.neighbor;
    if (neighbor === undefined || neighbor.state === NEIGHBOR_GONE) {
      const hop = path.nextHop;
      neighbor = iface.neighbors.ensure(hop.w0, hop.w1, hop.w2, hop.w3);
      path.neighbor = neighbor;
      if (neighbor === undefined) {
        ip.counters.ipOutDiscards++;
        ip.memory.release(frame);
        return -ENOBUFS;
      }
    }
    if (!iface.isRunning) return iface.link.output(frame, 0, 0, type);
    if (!iface.neighbors.use(neighbor, frame, ip.clock.now())) return 0;
    return iface.link.output(frame, neighbor.macHigh, neighbor.macLow, type);
  }
  if (path.kind === PATH_DIRECT) {
    if (path.loopInterface !== 0) ip.memory.setInterfaceIndex(frame, path.loopInterface);
    return iface.link.output(frame, 0, 0, type);
  }
  if (path.kind === PATH_GROUP) {
    if (path.loopsBack && (flags & SEND_NO_LOOP) === 0) loopCopy(ip, path, frame, type);
    return iface.link.output(frame, path.macHigh, path.macLow, type);
  }
  ip.memory.release(frame);
  return -ENETUNREACH;
}

/** A copy of a multicast or broadcast for ourselves (RFC 1112 §6.1); it counts as come in by the same interface. */
function loopCopy(ip: IpContext, path: IpPath, frame: Frame, type: number): void {
  const copy = ip.memory.copyFrame(frame);
  if (copy === NO_FRAME) {
    ip.counters.memoryFailures++;
    return;
  }
  ip.memory.setInterfaceIndex(copy, path.loopInterface);
  ip.loopback.link.output(copy, 0, 0, type);
}
