import { IpAddress } from "../base/address.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { IcmpError } from "../base/transport.ts";

/** Where an entry of the error queue comes from (Linux's SO_EE_ORIGIN_*). */
export const ERROR_ORIGIN_LOCAL = 1;
export const ERROR_ORIGIN_ICMP = 2;
export const ERROR_ORIGIN_ICMP6 = 3;

/** One error as recvmsg(MSG_ERRQUEUE) tells it: Linux's sock_extended_err and what was sent. */
export interface ExtendedError {
  /** Positive. */
  readonly errno: number;
  readonly origin: number;
  readonly type: number;
  readonly code: number;
  /** The MTU for EMSGSIZE, else 0. */
  readonly info: number;
  /** Who reported it; undefined for local errors. */
  readonly offender: IpAddress | undefined;
  /** Where the datagram went. */
  readonly destination: IpAddress;
  readonly destinationPort: number;
  /** As much of the payload as the report quotes. */
  readonly payload: Uint8Array;
}

/** Errors kept per socket; beyond, the newest is dropped. */
const LIMIT = 64;

/** The errors of a socket with IP_RECVERR or IPV6_RECVERR, oldest first. */
export class ErrorQueue {
  private readonly list: ExtendedError[] = [];

  get count(): number {
    return this.list.length;
  }

  push(error: ExtendedError): boolean {
    if (this.list.length >= LIMIT) return false;
    this.list.push(error);
    return true;
  }

  peek(): ExtendedError | undefined {
    return this.list[0];
  }

  shift(): ExtendedError | undefined {
    return this.list.shift();
  }
}

/** The entry for an ICMP error; the quoted payload begins `headerLength` bytes into the transport header. */
export function extendedErrorOf(
  error: IcmpError,
  memory: FrameMemory,
  remotePort: number,
  headerLength: number,
): ExtendedError {
  const start = error.offset + Math.min(headerLength, error.length);
  return {
    errno: error.errno,
    origin: error.isIpv4 ? ERROR_ORIGIN_ICMP : ERROR_ORIGIN_ICMP6,
    type: error.type,
    code: error.code,
    info: error.mtu,
    offender: new IpAddress(error.reporter0, error.reporter1, error.reporter2, error.reporter3),
    destination: new IpAddress(error.remote0, error.remote1, error.remote2, error.remote3),
    destinationPort: remotePort,
    payload: memory.bytes.slice(start, error.offset + error.length),
  };
}
