import type { AsyncResource } from "node:async_hooks";
import { IPV4_ANY, type IpAddress } from "../../base/address.ts";
import { EAGAIN } from "../../base/errors.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IPPROTO_UDP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  POLLIN,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from "../../sockets/constants.ts";
import { DatagramSocket } from "../../sockets/datagram-socket.ts";
import { ReceiveInfo } from "../../sockets/message.ts";
import type { OptionValue } from "../../sockets/options/option.ts";
import { getOption, type OptionResult, setOption } from "../../sockets/options/tables.ts";
import type { SocketAddress } from "../../sockets/socket-address.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { uvResult } from "./errno.ts";
import { type Request, UV } from "./internals.ts";
import { Memberships } from "./memberships.ts";
import { addressFrom, addressText, fillName, type NameResult } from "./names.ts";
import { systemErrorContext } from "./system-error.ts";
import { contextOf, nextTurn, whenClosed } from "./turns.ts";

const REUSE_ADDRESS = 4; // UV_UDP_REUSEADDR
const REUSE_PORT = 8; // UV_UDP_REUSEPORT
const IPV6_ONLY = 1; // UV_UDP_IPV6ONLY

export type Lookup = (address: string | undefined, callback: (...args: unknown[]) => void) => void;
export type UdpType = "udp4" | "udp6";

/** What stands under Node's `dgram.Socket` in place of a kernel socket: the calls of libuv's UDP handle. */
export class UdpHandle {
  readonly host: SocketHost;
  /** Set by dgram: turns a name into an address. */
  lookup: Lookup;
  onmessage:
    | ((status: number, handle: UdpHandle, data: Buffer | undefined, from?: object) => void)
    | undefined = undefined;
  onerror: unknown = undefined;
  private readonly domain: number;
  private readonly isIpv6: boolean;
  private socket: DatagramSocket | undefined = undefined;
  private readonly context: AsyncResource = contextOf("UDPWRAP");
  private readonly info = new ReceiveInfo();
  private readonly memberships = new Memberships();
  private isReferenced = true;
  private isClosed = false;
  /** The end of closing was told. */
  private isGone = false;
  private isReceiving = false;
  private isTurnDue = false;
  private isWaiting = false;
  private queuedBytes = 0;
  private queuedCount = 0;

  constructor(host: SocketHost, type: UdpType, lookup: Lookup) {
    this.host = host;
    this.lookup = lookup;
    this.isIpv6 = type === "udp6";
    this.domain = this.isIpv6 ? AF_INET6 : AF_INET;
  }

  getAsyncId(): number {
    return this.context.asyncId();
  }

  get fd(): number {
    return -1;
  }

  // Opening

  private socketOf(): DatagramSocket {
    this.socket ??= new DatagramSocket(this.host.system, this.domain, IPPROTO_UDP);
    return this.socket;
  }

  /** libuv makes and binds the socket when a call needs it. */
  private bound(): DatagramSocket | number {
    if (this.isClosed) return UV.UV_EBADF!;
    if (this.socket !== undefined) return this.socket;
    const result = this.bind(this.isIpv6 ? "::" : "0.0.0.0", 0, 0);
    return result === 0 ? this.socket! : result;
  }

  bind(text: string, port: number, flags: number): number {
    if (this.isClosed) return UV.UV_EBADF!;
    const address = this.address(text);
    if (address === undefined) return UV.UV_EINVAL!;
    if ((flags & IPV6_ONLY) !== 0 && !this.isIpv6) return UV.UV_EINVAL!;
    if (this.isIpv6 && !this.host.hasIpv6) return UV.UV_EAFNOSUPPORT!;
    const socket = this.socketOf();
    if ((flags & IPV6_ONLY) !== 0) socket.v6only = true;
    if ((flags & REUSE_ADDRESS) !== 0) socket.reuseAddress = true;
    if ((flags & REUSE_PORT) !== 0) socket.reusePort = true;
    const result = socket.bind({ family: this.domain, address, port });
    this.updateHold();
    return uvResult(result);
  }
  bind6(text: string, port: number, flags: number): number {
    return this.bind(text, port, flags);
  }

  open(): number {
    return UV.UV_ENOTSUP!;
  }

  connect(text: string, port: number): number {
    const address = this.address(text);
    if (address === undefined) return UV.UV_EINVAL!;
    const socket = this.bound();
    if (typeof socket === "number") return socket;
    return uvResult(socket.connect({ family: this.domain, address, port }));
  }
  connect6(text: string, port: number): number {
    return this.connect(text, port);
  }

  disconnect(): number {
    if (this.socket === undefined) return UV.UV_ENOTCONN!;
    return uvResult(this.socket.connect({ family: AF_UNSPEC, address: IPV4_ANY, port: 0 }));
  }

  private address(text: string): IpAddress | undefined {
    const address = addressFrom(this.host, text);
    return address === undefined || (!this.isIpv6 && !address.isIpv4) ? undefined : address;
  }

  getsockname(out: NameResult): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    fillName(this.host, out, this.socket.localName(), this.isIpv6);
    return 0;
  }

  getpeername(out: NameResult): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    const name = this.socket.remoteName();
    if (name === undefined) return UV.UV_ENOTCONN!;
    fillName(this.host, out, name, this.isIpv6);
    return 0;
  }

  // Sending

  /**
   * `send(request, list, count, port, address, wantsCallback)`, on a connected
   * socket without port and address. One more than the bytes sent, 0 when
   * `oncomplete` will tell, or an error.
   */
  send(request: Request, list: Uint8Array[], count: number, ...rest: unknown[]): number {
    const socket = this.bound();
    if (typeof socket === "number") return socket;
    let to: SocketAddress | undefined;
    if (rest.length > 1) {
      const [port, text] = rest as [number, string];
      const address = this.address(text);
      if (address === undefined) return UV.UV_EINVAL!;
      to = { family: this.domain, address, port };
    }
    const data = count === 1 ? bytesOf(list[0]!) : Buffer.concat(list.slice(0, count).map(bytesOf));
    const result =
      this.queuedCount > 0 ? -EAGAIN : socket.send(data, 0, data.length, 0, to, undefined);
    if (result >= 0) return result + 1;
    if (result !== -EAGAIN) return uvResult(result);
    this.sendLater(socket, request, data, to);
    return 0;
  }
  send6(request: Request, list: Uint8Array[], count: number, ...rest: unknown[]): number {
    return this.send(request, list, count, ...rest);
  }

  private sendLater(
    socket: DatagramSocket,
    request: Request,
    data: Uint8Array,
    to: SocketAddress | undefined,
  ): void {
    const context = contextOf("UDPSENDWRAP");
    this.queuedBytes += data.length;
    this.queuedCount++;
    this.updateHold();
    const write = this.host.parked.write.bind(this.host.parked);
    write(
      socket,
      data,
      0,
      data.length,
      0,
      (result) => {
        nextTurn(context, () => {
          this.queuedBytes -= data.length;
          this.queuedCount--;
          this.updateHold();
          const status = this.isClosed ? UV.UV_ECANCELED! : Math.min(0, uvResult(result));
          request.oncomplete?.(status, Math.max(0, result));
        });
      },
      to,
    );
  }

  getSendQueueSize(): number {
    return this.queuedBytes;
  }
  getSendQueueCount(): number {
    return this.queuedCount;
  }

  // Receiving

  recvStart(): number {
    const socket = this.bound();
    if (typeof socket === "number") return socket;
    this.isReceiving = true;
    this.updateHold();
    this.awaitData();
    return 0;
  }

  recvStop(): number {
    this.isReceiving = false;
    this.updateHold();
    return 0;
  }

  private awaitData(): void {
    if (!this.isReceiving || this.isTurnDue || this.isWaiting) return;
    if (this.socket!.poll() & POLLIN) {
      this.receiveLater();
      return;
    }
    this.isWaiting = true;
    this.host.parked.wait(this.socket!, POLLIN, () => {
      this.isWaiting = false;
      if (!this.isClosed && this.isReceiving) this.receiveLater();
    });
  }

  private receiveLater(): void {
    this.isTurnDue = true;
    nextTurn(this.context, this.receiveTurn);
  }

  private readonly receiveTurn = (): void => {
    this.isTurnDue = false;
    const { socket, info } = this;
    if (this.isClosed || !this.isReceiving || socket === undefined) return;
    const data = Buffer.allocUnsafeSlow(Math.max(0, socket.inq()));
    info.reset(this.memberships.isFiltering);
    const result = socket.receive(data, 0, data.length, 0, info);
    if (result >= 0 && info.address !== undefined) {
      if (this.memberships.admits(info)) {
        const address = addressText(this.host, info.address, this.isIpv6);
        const from = { address, family: this.isIpv6 ? "IPv6" : "IPv4", port: info.port };
        this.onmessage?.(result, this, data, from);
      }
    } else if (result < 0 && result !== -EAGAIN) {
      this.onmessage?.(uvResult(result), this, undefined);
    }
    if (!this.isClosed) this.awaitData();
  };

  // Options

  private set(level: number, option: number, value: OptionValue): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    return uvResult(setOption(this.socket, level, option, value));
  }

  setBroadcast(on: number): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    this.socket.endpoint.broadcast = on !== 0;
    return 0;
  }

  setTTL(ttl: number): number {
    if (ttl < 1 || ttl > 255) return UV.UV_EINVAL!;
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    this.socket.endpoint.ttl = Math.trunc(ttl);
    return 0;
  }

  setMulticastTTL(ttl: number): number {
    if (ttl < -1 || ttl > 255) return UV.UV_EINVAL!;
    return this.isIpv6
      ? this.set(SOL_IPV6, IPV6_MULTICAST_HOPS, Math.trunc(ttl))
      : this.set(SOL_IP, IP_MULTICAST_TTL, Math.trunc(ttl));
  }

  setMulticastLoopback(on: number): number {
    return this.isIpv6
      ? this.set(SOL_IPV6, IPV6_MULTICAST_LOOP, on)
      : this.set(SOL_IP, IP_MULTICAST_LOOP, on);
  }

  /** IPv4: by an address of the interface; IPv6: `::%eth0`. */
  setMulticastInterface(text: string): number {
    const address = this.address(text);
    if (address === undefined || address.isIpv4 === this.isIpv6) return UV.UV_EINVAL!;
    if (this.isIpv6) return this.set(SOL_IPV6, IPV6_MULTICAST_IF, address.scope);
    return this.set(SOL_IP, IP_MULTICAST_IF, address);
  }

  addMembership(group: string, iface?: string): number {
    return this.member(group, iface, (socket, address, index) =>
      this.memberships.join(socket, address, index),
    );
  }

  dropMembership(group: string, iface?: string): number {
    return this.member(group, iface, (socket, address, index) =>
      this.memberships.leave(socket, address, index),
    );
  }

  addSourceSpecificMembership(source: string, group: string, iface?: string): number {
    const from = this.address(source);
    if (from === undefined) return UV.UV_EINVAL!;
    return this.member(group, iface, (socket, address, index) =>
      this.memberships.joinSource(socket, from, address, index),
    );
  }

  dropSourceSpecificMembership(source: string, group: string, iface?: string): number {
    const from = this.address(source);
    if (from === undefined) return UV.UV_EINVAL!;
    return this.member(group, iface, (socket, address, index) =>
      this.memberships.leaveSource(socket, from, address, index),
    );
  }

  private member(
    group: string,
    iface: string | undefined,
    change: (socket: DatagramSocket, group: IpAddress, interfaceIndex: number) => number,
  ): number {
    const socket = this.bound();
    if (typeof socket === "number") return socket;
    const address = this.address(group);
    if (address === undefined) return UV.UV_EINVAL!;
    let index = 0;
    if (iface !== undefined && iface !== null) {
      const local = this.address(iface);
      if (local === undefined) return UV.UV_EINVAL!;
      index = local.scope || (local.isUnspecified ? 0 : this.host.system.env.interfaceOf(local));
      if (index === 0 && !local.isUnspecified) return UV.UV_ENODEV!;
    }
    return uvResult(change(socket, address, index));
  }

  /** Sets (0: reads) a buffer's size; undefined with `context` filled after an error. */
  bufferSize(size: number, isReceive: boolean, context: object): number | undefined {
    const name = isReceive ? "uv_recv_buffer_size" : "uv_send_buffer_size";
    const option = isReceive ? SO_RCVBUF : SO_SNDBUF;
    let result = 0;
    const value: OptionResult = { value: 0 };
    if ((size | 0) !== size) result = UV.UV_EINVAL!;
    else if (this.socket === undefined || this.isClosed) result = UV.UV_EBADF!;
    else if (size !== 0) result = uvResult(setOption(this.socket, SOL_SOCKET, option, size));
    else result = uvResult(getOption(this.socket, SOL_SOCKET, option, value));
    if (result >= 0) return size !== 0 ? size : Number(value.value);
    Object.assign(context, systemErrorContext(result, name));
    return undefined;
  }

  // Closing, and what keeps the process alive

  close(callback?: () => void): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.socket?.close();
    whenClosed(this.context, () => {
      this.isGone = true;
      callback?.call(this);
    });
  }

  ref(): void {
    this.isReferenced = true;
    this.updateHold();
  }
  unref(): void {
    this.isReferenced = false;
    this.updateHold();
  }
  hasRef(): boolean {
    return this.isReferenced && !this.isGone;
  }

  private updateHold(): void {
    if (this.isClosed) return;
    this.socket?.setReferenced(this.isReferenced && (this.isReceiving || this.queuedCount > 0));
  }
}

function bytesOf(view: Uint8Array): Uint8Array {
  return view instanceof Uint8Array
    ? view
    : Buffer.from(
        (view as ArrayBufferView).buffer,
        (view as ArrayBufferView).byteOffset,
        (view as ArrayBufferView).byteLength,
      );
}
