import type { IpAddress } from "../base/address.ts";
import { EOPNOTSUPP } from "../base/errors.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";
import type { ControlMessage, ReceiveInfo } from "./message.ts";
import type { Operation } from "./operation.ts";
import type { SocketAddress } from "./socket-address.ts";
import type { SocketSystem } from "./socket-system.ts";

const SOCKET_NONBLOCKING = 1;
const SOCKET_CLOSED = 2;
const SOCKET_V6_ONLY = 4;
const SOCKET_REUSE_ADDRESS = 8;
const SOCKET_REUSE_PORT = 16;
/** Counts among what keeps the process alive. */
const SOCKET_ACTIVE = 32;
const SOCKET_REFERENCED = 64;
/** The first flag that a kind of socket may use for itself. */
export const SOCKET_FIRST_FREE = 256;

/**
 * What stands behind a descriptor. All calls return at once: a number >= 0 or
 * -errno, -EAGAIN for what would block. Waiting is the business of the parked
 * operations, whose list hangs here.
 */
export abstract class Socket {
  readonly system: SocketSystem;
  readonly domain: number;
  abstract readonly type: number;
  readonly protocol: number;
  /** SO_RCVTIMEO and SO_SNDTIMEO in milliseconds; 0: none. */
  receiveTimeoutMs = 0;
  sendTimeoutMs = 0;
  /** SO_BINDTODEVICE; 0: none. */
  device = 0;
  /** Operations that wait, the first to come first. */
  waiting: Operation | undefined = undefined;
  /** Neighbours in the system's list of sockets. */
  nextSocket: Socket | undefined = undefined;
  previousSocket: Socket | undefined = undefined;
  /** Descriptors that refer to this socket. */
  descriptors = 0;
  /** SOCKET_*: all flags in one word, since a million idle sockets carry each field. */
  private bits = SOCKET_REFERENCED;

  constructor(system: SocketSystem, domain: number, protocol: number) {
    this.system = system;
    this.domain = domain;
    this.protocol = protocol;
    this.v6only = domain === AF_INET6 && system.settings.v6only;
  }

  protected is(flag: number): boolean {
    return (this.bits & flag) !== 0;
  }
  protected put(flag: number, on: boolean): void {
    this.bits = on ? this.bits | flag : this.bits & ~flag;
  }

  /** O_NONBLOCK. */
  get nonblocking(): boolean {
    return this.is(SOCKET_NONBLOCKING);
  }
  set nonblocking(on: boolean) {
    this.put(SOCKET_NONBLOCKING, on);
  }
  get closed(): boolean {
    return this.is(SOCKET_CLOSED);
  }
  /** IPV6_V6ONLY. */
  get v6only(): boolean {
    return this.is(SOCKET_V6_ONLY);
  }
  set v6only(on: boolean) {
    this.put(SOCKET_V6_ONLY, on);
  }
  get reuseAddress(): boolean {
    return this.is(SOCKET_REUSE_ADDRESS);
  }
  set reuseAddress(on: boolean) {
    this.put(SOCKET_REUSE_ADDRESS, on);
  }
  get reusePort(): boolean {
    return this.is(SOCKET_REUSE_PORT);
  }
  set reusePort(on: boolean) {
    this.put(SOCKET_REUSE_PORT, on);
  }

  get isIpv6(): boolean {
    return this.domain === AF_INET6;
  }

  abstract bind(address: SocketAddress): number;
  /** 0, -EINPROGRESS, or what went wrong. */
  abstract connect(address: SocketAddress): number;
  /** Result of a connect() under way: -EINPROGRESS until it is known; reports an error once. */
  /** The handshake of a connection is under way. */
  get isOpening(): boolean {
    return false;
  }

  /** A write waits for that handshake. */
  noteWaitingWriter(): void {}

  connectResult(): number {
    return 0;
  }
  listen(_backlog: number): number {
    return -EOPNOTSUPP;
  }
  /** A new socket, or -errno. */
  accept(): Socket | number {
    return -EOPNOTSUPP;
  }
  abstract send(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress | undefined,
    control: readonly ControlMessage[] | undefined,
  ): number;
  abstract receive(
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    info: ReceiveInfo | undefined,
  ): number;
  abstract shutdown(how: number): number;
  /** Poll bits that hold now. */
  abstract poll(): number;
  abstract localName(): SocketAddress;
  /** undefined: not connected. */
  abstract remoteName(): SocketAddress | undefined;
  /** Bytes that the next read finds (SIOCINQ), and that are not yet delivered (SIOCOUTQ); -errno where that makes no sense. */
  abstract inq(): number;
  abstract outq(): number;
  /** Reads and clears the pending error (SO_ERROR): positive errno or 0. */
  abstract takeError(): number;
  /** Puts an error back that a call found after it had moved bytes, for the next call. */
  abstract restoreError(errno: number): void;
  /** IP_RECVERR, IPV6_RECVERR. */
  get receiveErrors(): boolean {
    return false;
  }
  setReceiveErrors(_on: boolean): void {}
  /** Bytes that make it readable (SO_RCVLOWAT). */
  get receiveLowWater(): number {
    return 1;
  }
  /** Gives up what the socket holds; data still to be delivered goes on by itself. */
  protected abstract release(): void;

  /** Nobody refers to the socket any more. Waiting operations are told (-EBADF). */
  close(): void {
    if (this.closed) return;
    this.put(SOCKET_CLOSED, true);
    this.release();
    this.setActive(false);
    this.system.abandon(this);
  }

  /** As a sockaddr of this socket's family. */
  protected name(address: IpAddress, port: number): SocketAddress {
    return { family: this.domain, address, port };
  }

  /** Has something to wait for: it listens, connects, is connected or bound. */
  protected setActive(active: boolean): void {
    if (active === this.is(SOCKET_ACTIVE)) return;
    this.put(SOCKET_ACTIVE, active);
    if (this.isReferenced) this.system.liveSockets += active ? 1 : -1;
  }

  /** Whether the socket keeps the process alive while it has something to wait for. Default true. */
  setReferenced(referenced: boolean): void {
    if (referenced === this.isReferenced) return;
    this.put(SOCKET_REFERENCED, referenced);
    if (!this.is(SOCKET_ACTIVE)) return;
    this.system.liveSockets += referenced ? 1 : -1;
    this.system.env.wake();
  }
  get isReferenced(): boolean {
    return this.is(SOCKET_REFERENCED);
  }

  /** Is an address of this family one the socket can use? AF_INET sockets take AF_INET, AF_INET6 sockets AF_INET6. */
  protected fits(address: SocketAddress): boolean {
    return address.family === this.domain && (this.domain !== AF_INET || address.address.isIpv4);
  }
}
