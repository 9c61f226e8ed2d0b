import { EINVAL, ENOTTY } from "../base/errors.ts";
import { FIONBIO, SIOCATMARK, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD } from "./constants.ts";
import type { Socket } from "./socket.ts";
import { StreamSocket } from "./stream-socket.ts";

/** ioctl(2) for sockets: what the call's pointer would receive (or 0), else -errno. */
export function socketIoctl(socket: Socket, request: number, argument: number): number {
  switch (request) {
    case SIOCINQ:
      return socket.inq();
    case SIOCOUTQ:
      return socket.outq();
    case SIOCOUTQNSD:
      if (!(socket instanceof StreamSocket)) return -ENOTTY;
      return socket.isListening ? -EINVAL : socket.connection.unsentBytes;
    case SIOCATMARK:
      return socket instanceof StreamSocket ? (socket.isAtMark ? 1 : 0) : -ENOTTY;
    case FIONBIO:
      socket.nonblocking = argument !== 0;
      return 0;
    default:
      return -ENOTTY;
  }
}
