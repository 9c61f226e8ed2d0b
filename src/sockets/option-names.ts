import { EINVAL, ENOPROTOOPT, SocketError } from "../base/errors.ts";
import { IP_OPTIONS } from "./options/ip-level.ts";
import { IPV6_OPTIONS } from "./options/ipv6-level.ts";
import { OptionFailure, type OptionRow, type OptionValue } from "./options/option.ts";
import { SOCKET_OPTIONS } from "./options/socket-level.ts";
import { TCP_OPTIONS } from "./options/tcp-level.ts";
import { UDP_OPTIONS } from "./options/udp-level.ts";
import type { Socket } from "./socket.ts";
import { StreamSocket } from "./stream-socket.ts";

const ROWS: ReadonlyMap<string, OptionRow> = new Map(
  [SOCKET_OPTIONS, IP_OPTIONS, IPV6_OPTIONS, TCP_OPTIONS, UDP_OPTIONS].flatMap((t) =>
    [...t.values()].map((row) => [row.name, row] as const),
  ),
);

/** Sets an option by its name in C (`TCP_NODELAY`, `SO_RCVBUF`). Throws a SocketError. */
export function setNamedOption(socket: Socket, name: string, value: OptionValue): void {
  const row = ROWS.get(name);
  if (row?.set === undefined) throw unknownOption(name, "setsockopt");
  const result = row.set(socket, value);
  if (result < 0) throw new SocketError(result, "setsockopt");
}

/** Reads an option by its name in C. Throws a SocketError. */
export function getNamedOption(socket: Socket, name: string): OptionValue {
  const row = ROWS.get(name);
  if (row?.get === undefined) throw unknownOption(name, "getsockopt");
  const value = row.get(socket);
  if (value instanceof OptionFailure) throw new SocketError(value.errno, "getsockopt");
  return value;
}

function unknownOption(name: string, syscall: string): SocketError {
  return new SocketError(ENOPROTOOPT, syscall, `${name} is not an option that can be used here`);
}

/** Options that connect(), listen() and udp() take by friendlier names. */
export interface CommonOptions {
  readonly reuseAddress?: boolean;
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
  /** Name of the interface to be bound to. */
  readonly interface?: string;
  /** Bytes. For TCP exactly what the buffer holds, and no tuning. */
  readonly receiveBuffer?: number;
  readonly sendBuffer?: number;
  readonly ttl?: number;
  readonly tos?: number;
  /** False: does not keep the process alive. */
  readonly referenced?: boolean;
}

export interface StreamOptions extends CommonOptions {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Milliseconds of silence before the first probe, and between probes. */
  readonly keepAliveIdle?: number;
  readonly keepAliveInterval?: number;
  readonly keepAliveCount?: number;
  /** Milliseconds that data may stay unacknowledged (RFC 5482). */
  readonly userTimeout?: number;
  readonly congestionControl?: string;
  readonly maxSegment?: number;
  /** Initial sequence number, for examples and tests; RFC 6528 chooses otherwise. */
  readonly isn?: number;
}

type Setter = (socket: Socket, value: never) => number | undefined;

function named(name: string): (socket: Socket, value: OptionValue) => number | undefined {
  return (socket, value) => ROWS.get(name)!.set!(socket, value);
}

const SETTERS: Readonly<Record<keyof StreamOptions, Setter>> = {
  reuseAddress: named("SO_REUSEADDR"),
  reusePort: named("SO_REUSEPORT"),
  ipv6Only: (socket, value: boolean) => {
    socket.v6only = value;
    return 0;
  },
  interface: named("SO_BINDTODEVICE"),
  receiveBuffer: named("SO_RCVBUF"),
  sendBuffer: named("SO_SNDBUF"),
  ttl: named("IP_TTL"),
  tos: named("IP_TOS"),
  referenced: (socket, value: boolean) => {
    socket.setReferenced(value);
    return 0;
  },
  noDelay: named("TCP_NODELAY"),
  keepAlive: named("SO_KEEPALIVE"),
  keepAliveIdle: (socket, ms: number) => change(socket, (o) => (o.keepAliveIdleUs = ms * 1000)),
  keepAliveInterval: (socket, ms: number) =>
    change(socket, (o) => (o.keepAliveIntervalUs = ms * 1000)),
  keepAliveCount: named("TCP_KEEPCNT"),
  userTimeout: named("TCP_USER_TIMEOUT"),
  congestionControl: named("TCP_CONGESTION"),
  maxSegment: named("TCP_MAXSEG"),
  isn: (socket, value: number) => change(socket, (o) => (o.isn = value | 0)),
};

function change(socket: Socket, edit: Parameters<StreamSocket["change"]>[0]): number {
  if (!(socket instanceof StreamSocket)) return -EINVAL;
  socket.change(edit);
  return 0;
}

/** Applies what is given, in the table's order. Throws a SocketError that names the option. */
export function applyOptions(socket: Socket, options: StreamOptions): void {
  for (const key of Object.keys(SETTERS) as (keyof StreamOptions)[]) {
    const value = options[key];
    if (value === undefined) continue;
    const result = SETTERS[key](socket, value as never) ?? 0;
    if (result < 0) {
      throw new SocketError(result, "setsockopt", `option ${key}: ${String(value)} is refused`);
    }
  }
}
