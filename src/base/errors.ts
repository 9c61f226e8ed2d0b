/** Linux's error numbers, as packetdrill scripts and Node's `errno` know them. */
export const EPERM = 1;
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
export const EMFILE = 24;
export const ENOTTY = 25;
export const EPIPE = 32;
export const ENOTSOCK = 88;
export const EDESTADDRREQ = 89;
export const EMSGSIZE = 90;
export const EPROTOTYPE = 91;
export const ENOPROTOOPT = 92;
export const EPROTONOSUPPORT = 93;
export const ESOCKTNOSUPPORT = 94;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const EISCONN = 106;
export const ENOTCONN = 107;
export const ESHUTDOWN = 108;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTDOWN = 112;
export const EHOSTUNREACH = 113;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const ECANCELED = 125;
export const EPROTO = 71;
export const ENOENT = 2;

const TABLE: readonly (readonly [number, string, string])[] = [
  [EPERM, "EPERM", "the operation is not permitted"],
  [ENOENT, "ENOENT", "there is no such thing"],
  [EINTR, "EINTR", "the call was interrupted; call it again"],
  [EBADF, "EBADF", "the descriptor is not open; it was closed or never made"],
  [EAGAIN, "EAGAIN", "the call would block; wait with poll, or clear O_NONBLOCK"],
  [ENOMEM, "ENOMEM", "the stack's memory is used up; give FrameMemory more pages or close sockets"],
  [EACCES, "EACCES", "this needs a permission or an option (SO_BROADCAST for broadcasts)"],
  [EFAULT, "EFAULT", "the buffer or address given is not usable"],
  [EBUSY, "EBUSY", "it is in use"],
  [ENODEV, "ENODEV", "there is no such interface"],
  [EINVAL, "EINVAL", "an argument is invalid, or the socket is in the wrong state for this call"],
  [EMFILE, "EMFILE", "no descriptor is free; close some or raise the host's limit"],
  [ENOTTY, "ENOTTY", "the request does not apply to this kind of descriptor"],
  [EPIPE, "EPIPE", "this side was shut down for writing; nothing more can be sent"],
  [EPROTO, "EPROTO", "the peer broke the protocol"],
  [ENOTSOCK, "ENOTSOCK", "the descriptor is not a socket"],
  [EDESTADDRREQ, "EDESTADDRREQ", "name a destination, or connect the socket first"],
  [
    EMSGSIZE,
    "EMSGSIZE",
    "the message is larger than the path or the protocol takes; send less at once",
  ],
  [EPROTOTYPE, "EPROTOTYPE", "the protocol does not fit the socket type"],
  [ENOPROTOOPT, "ENOPROTOOPT", "this option is not known at this level"],
  [EPROTONOSUPPORT, "EPROTONOSUPPORT", "the protocol is not supported"],
  [ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", "the socket type is not supported"],
  [EOPNOTSUPP, "EOPNOTSUPP", "this kind of socket does not support the call"],
  [EAFNOSUPPORT, "EAFNOSUPPORT", "the address family is not supported here"],
  [EADDRINUSE, "EADDRINUSE", "the address and port are taken; choose another or set SO_REUSEADDR"],
  [EADDRNOTAVAIL, "EADDRNOTAVAIL", "the address is not one of this host's, or no port is free"],
  [ENETDOWN, "ENETDOWN", "the interface is down"],
  [ENETUNREACH, "ENETUNREACH", "no route leads there; add an address, a route or a gateway"],
  [ECONNABORTED, "ECONNABORTED", "the connection was aborted on this side"],
  [ECONNRESET, "ECONNRESET", "the peer reset the connection"],
  [ENOBUFS, "ENOBUFS", "no buffer is free; try again, or give FrameMemory more frames"],
  [EISCONN, "EISCONN", "the socket is connected already"],
  [ENOTCONN, "ENOTCONN", "the socket is not connected"],
  [ESHUTDOWN, "ESHUTDOWN", "this side was shut down"],
  [ETIMEDOUT, "ETIMEDOUT", "the peer did not answer in time"],
  [ECONNREFUSED, "ECONNREFUSED", "nobody listens at that address and port"],
  [EHOSTDOWN, "EHOSTDOWN", "the host is down"],
  [
    EHOSTUNREACH,
    "EHOSTUNREACH",
    "the host did not answer on its link, or a router says it is out of reach",
  ],
  [EALREADY, "EALREADY", "a connection attempt is already under way"],
  [
    EINPROGRESS,
    "EINPROGRESS",
    "the connection attempt has begun; poll for OUT, then read SO_ERROR",
  ],
  [ECANCELED, "ECANCELED", "the operation was cancelled"],
];

const NAMES = new Map(TABLE.map(([errno, name]) => [errno, name]));
const TEXTS = new Map(TABLE.map(([errno, , text]) => [errno, text]));

/** `ECONNREFUSED` for 111; `E111` for a number without a name here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** 111 for `ECONNREFUSED`; undefined for an unknown name. */
export function errnoNumber(name: string): number | undefined {
  return TABLE.find(([, known]) => known === name)?.[0];
}

/**
 * What a socket call throws or rejects with: `code` as Node and POSIX name it,
 * `errno` as Linux numbers it (negative, as Node reports it), `syscall` the call.
 */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  address?: string;
  port?: number;

  constructor(errno: number, syscall: string, detail?: string) {
    const code = errnoName(Math.abs(errno));
    const text = TEXTS.get(Math.abs(errno)) ?? "the call failed";
    super(`${syscall} ${code}: ${detail ?? text}`);
    this.code = code;
    this.errno = -Math.abs(errno);
    this.syscall = syscall;
  }
}
