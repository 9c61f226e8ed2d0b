import { isIpv4Words } from "../base/address.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import type { UdpSocket } from "./socket.ts";

/** Finds the sockets that a datagram is for: a chain per local port, the newest first. */
export class UdpDemux {
  private readonly chains = new Map<number, UdpSocket>();

  add(socket: UdpSocket): void {
    socket.next = this.chains.get(socket.localPort);
    this.chains.set(socket.localPort, socket);
  }

  remove(socket: UdpSocket): void {
    let at = this.chains.get(socket.localPort);
    if (at === socket) {
      if (socket.next === undefined) this.chains.delete(socket.localPort);
      else this.chains.set(socket.localPort, socket.next);
    } else {
      while (at !== undefined && at.next !== socket) at = at.next;
      if (at !== undefined) at.next = socket.next;
    }
    socket.next = undefined;
  }

  first(port: number): UdpSocket | undefined {
    return this.chains.get(port);
  }

  /**
   * The socket for a unicast datagram: a connected one first, then one bound
   * to the address, then an IPv4 wildcard, then an IPv6 wildcard unless
   * V6ONLY; each time rather one bound to the interface. Of equals the newest,
   * or with SO_REUSEPORT one by hash, the same for each flow.
   */
  find(packet: ReceivedPacket, localPort: number, remotePort: number): UdpSocket | undefined {
    let best: UdpSocket | undefined;
    let bestScore = 0;
    let equals = 0;
    for (let s = this.chains.get(localPort); s !== undefined; s = s.next) {
      const score = scoreOf(s, packet, remotePort);
      if (score === 0) continue;
      if (score > bestScore) {
        best = s;
        bestScore = score;
        equals = 1;
      } else if (score === bestScore && s.reusePort && best!.reusePort) {
        equals++;
      }
    }
    if (equals < 2) return best;
    let choice = flowHash(packet, localPort, remotePort) % equals;
    for (let s = this.chains.get(localPort); s !== undefined; s = s.next) {
      if (s.reusePort && scoreOf(s, packet, remotePort) === bestScore && choice-- === 0) return s;
    }
    return best;
  }
}

/** 0: not for this socket. */
export function scoreOf(s: UdpSocket, packet: ReceivedPacket, remotePort: number): number {
  let score = 1;
  if (s.localIsUnspecified) {
    if (s.isIpv6) {
      if (s.v6only && packet.isIpv4) return 0;
    } else {
      if (!packet.isIpv4) return 0;
      score = 2;
    }
  } else {
    const a = s.local;
    if (
      a.w3 !== packet.destination3 ||
      a.w2 !== packet.destination2 ||
      a.w1 !== packet.destination1 ||
      a.w0 !== packet.destination0
    ) {
      return 0;
    }
    score = 8;
  }
  const remote = s.remote;
  if (remote !== undefined) {
    if (
      s.remotePort !== remotePort ||
      remote.w3 !== packet.source3 ||
      remote.w2 !== packet.source2 ||
      remote.w1 !== packet.source1 ||
      remote.w0 !== packet.source0
    ) {
      return 0;
    }
    score += 16;
  }
  if (s.device !== 0) {
    if (s.device !== packet.interfaceIndex) return 0;
    score += 4;
  }
  return score;
}

/** Does a broadcast or multicast datagram concern the socket? Each one that it does gets it (RFC 1122 §4.1.3.3). */
export function wantsMulticast(s: UdpSocket, packet: ReceivedPacket, remotePort: number): boolean {
  if (scoreOf(s, packet, remotePort) === 0) return false;
  const { destination0: w0, destination1: w1, destination2: w2, destination3: w3 } = packet;
  const multicast = isIpv4Words(w0, w1, w2) ? w3 >>> 28 === 0xe : w0 >>> 24 === 0xff;
  return !multicast || s.hearsGroup(w0, w1, w2, w3, packet.interfaceIndex);
}

function flowHash(packet: ReceivedPacket, localPort: number, remotePort: number): number {
  let h = Math.imul(packet.source3 ^ Math.imul(packet.source0 ^ packet.source2, 31), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ packet.source1 ^ ((localPort << 16) | remotePort), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
