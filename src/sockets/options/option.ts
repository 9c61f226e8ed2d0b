import type { IpAddress } from "../../base/address.ts";
import { EINVAL, ENOPROTOOPT } from "../../base/errors.ts";
import type { TcpInfo } from "../../tcp/info.ts";
import type { Socket } from "../socket.ts";

/** SO_LINGER: close() waits up to `seconds` for the data to be delivered; 0 seconds: it resets. */
export interface Linger {
  readonly on: boolean;
  readonly seconds: number;
}

/** IP_ADD_MEMBERSHIP and its kin. */
export interface GroupRequest {
  readonly group: IpAddress;
  /** Index; 0: the host chooses. */
  readonly interfaceIndex?: number;
  /** IPv4 may name the interface by one of its addresses. */
  readonly interfaceAddress?: IpAddress;
}

/** Numbers for most; booleans are taken for flags. SO_RCVTIMEO and SO_SNDTIMEO are milliseconds. */
export type OptionValue =
  | number
  | boolean
  | string
  | Linger
  | GroupRequest
  | IpAddress
  | Int32Array
  | TcpInfo;

/** What a getter gives when there is no value to give. */
export class OptionFailure {
  readonly errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

/** One option: a row of its level's table. A missing `get` or `set` is -ENOPROTOOPT. */
export interface OptionRow {
  readonly name: string;
  readonly option: number;
  readonly get?: (socket: Socket) => OptionValue | OptionFailure;
  /** 0 or -errno. */
  readonly set?: (socket: Socket, value: OptionValue) => number;
}

export type OptionTable = ReadonlyMap<number, OptionRow>;

export function table(rows: readonly OptionRow[]): OptionTable {
  return new Map(rows.map((row) => [row.option, row]));
}

/** A number from what the application gave; NaN for what is none. */
export function numberOf(value: OptionValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return Number.NaN;
}

/** A row for a flag: any number but 0 is on. */
export function flag<S extends Socket>(
  name: string,
  option: number,
  applies: (socket: Socket) => socket is S,
  get: (socket: S) => boolean,
  // biome-ignore lint/suspicious/noConfusingVoidType: a setter that cannot fail returns nothing
  set?: (socket: S, on: boolean) => number | void,
): OptionRow {
  return {
    name,
    option,
    get: (socket) => (applies(socket) ? (get(socket) ? 1 : 0) : new OptionFailure(ENOPROTOOPT)),
    ...(set && {
      set: (socket: Socket, value: OptionValue) => {
        if (!applies(socket)) return -ENOPROTOOPT;
        const number = numberOf(value);
        if (Number.isNaN(number)) return -EINVAL;
        return set(socket, number !== 0) ?? 0;
      },
    }),
  };
}

/** A row for a whole number between two limits, both included; others are -EINVAL. */
export function integer<S extends Socket>(
  name: string,
  option: number,
  applies: (socket: Socket) => socket is S,
  least: number,
  most: number,
  get: (socket: S) => number | OptionFailure,
  // biome-ignore lint/suspicious/noConfusingVoidType: a setter that cannot fail returns nothing
  set?: (socket: S, value: number) => number | void,
): OptionRow {
  return {
    name,
    option,
    get: (socket) => (applies(socket) ? get(socket) : new OptionFailure(ENOPROTOOPT)),
    ...(set && {
      set: (socket: Socket, value: OptionValue) => {
        if (!applies(socket)) return -ENOPROTOOPT;
        const number = numberOf(value);
        if (!Number.isInteger(number) || number < least || number > most) return -EINVAL;
        return set(socket, number) ?? 0;
      },
    }),
  };
}

/** A row for what can only be read. */
export function readOnly(
  name: string,
  option: number,
  get: (socket: Socket) => OptionValue | OptionFailure,
): OptionRow {
  return { name, option, get };
}
