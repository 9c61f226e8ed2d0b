import {
  EAFNOSUPPORT,
  EINVAL,
  ENETDOWN,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from "../base/errors.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
} from "./constants.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import { RawSocket } from "./raw/raw-socket.ts";
import type { Socket } from "./socket.ts";
import type { SocketSystem } from "./socket-system.ts";
import { StreamSocket } from "./stream-socket.ts";

/** socket(2) without the descriptor: a socket or -errno. */
export function createSocket(
  system: SocketSystem,
  domain: number,
  typeAndFlags: number,
  protocol: number,
): Socket | number {
  const type = typeAndFlags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (type < 0 || type > 15) return -EINVAL;
  if (domain !== AF_INET && domain !== AF_INET6) return -EAFNOSUPPORT;
  if (system.ended) return -ENETDOWN;
  const socket = make(system, domain, type, protocol);
  if (typeof socket !== "number") socket.nonblocking = (typeAndFlags & SOCK_NONBLOCK) !== 0;
  return socket;
}

function make(
  system: SocketSystem,
  domain: number,
  type: number,
  protocol: number,
): Socket | number {
  switch (type) {
    case SOCK_STREAM:
      if (protocol !== IPPROTO_IP && protocol !== IPPROTO_TCP) return -EPROTONOSUPPORT;
      return new StreamSocket(system, domain, IPPROTO_TCP);
    case SOCK_DGRAM:
      if (protocol !== IPPROTO_IP && protocol !== IPPROTO_UDP) return -EPROTONOSUPPORT;
      return new DatagramSocket(system, domain, IPPROTO_UDP);
    case SOCK_RAW:
      if (protocol !== (domain === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
        return -EPROTONOSUPPORT;
      }
      return new RawSocket(system, domain, protocol);
    default:
      return -ESOCKTNOSUPPORT;
  }
}
