import { DatagramBase } from "../datagram-base.ts";
import { DatagramSocket } from "../datagram-socket.ts";
import { RawSocket } from "../raw/raw-socket.ts";
import type { Socket } from "../socket.ts";
import { StreamSocket } from "../stream-socket.ts";

export function isAny(socket: Socket): socket is Socket {
  return socket !== undefined;
}
export function isStream(socket: Socket): socket is StreamSocket {
  return socket instanceof StreamSocket;
}
/** UDP and raw sockets. */
export function isDatagram(socket: Socket): socket is DatagramBase {
  return socket instanceof DatagramBase;
}
export function isUdp(socket: Socket): socket is DatagramSocket {
  return socket instanceof DatagramSocket;
}
export function isRaw(socket: Socket): socket is RawSocket {
  return socket instanceof RawSocket;
}
export function isIpv6(socket: Socket): socket is Socket {
  return socket.isIpv6;
}
