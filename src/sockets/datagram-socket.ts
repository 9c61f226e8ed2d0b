import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from "../base/address.ts";
import {
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  EOPNOTSUPP,
} from "../base/errors.ts";
import { PORT_REUSE_ADDRESS, PORT_REUSE_PORT, PORT_V6_ONLY } from "../base/port-table.ts";
import type { SendOptions } from "../udp/stack.ts";
import type { UdpSocket } from "../udp/socket.ts";
import { UDP_HEADER } from "../wire/udp.ts";
import { AF_INET6, AF_UNSPEC, MSG_MORE, MSG_OOB, SOCK_DGRAM } from "./constants.ts";
import { DatagramBase } from "./datagram-base.ts";
import { ADDRESS_OTHER } from "./environment.ts";
import type { ControlMessage } from "./message.ts";
import { sendOptionsOf } from "./send-options.ts";
import type { SocketAddress } from "./socket-address.ts";
import type { SocketSystem } from "./socket-system.ts";

/** A datagram being put together from several sends (MSG_MORE, UDP_CORK). */
interface Corked {
  bytes: Uint8Array;
  length: number;
  readonly to: SocketAddress | undefined;
  readonly options: SendOptions | undefined;
}

/** SOCK_DGRAM: UDP with the manners of Linux's socket calls. */
export class DatagramSocket extends DatagramBase {
  override readonly type = SOCK_DGRAM;
  override readonly endpoint: UdpSocket;
  /** UDP_CORK. */
  cork = false;
  private corked: Corked | undefined = undefined;

  constructor(system: SocketSystem, domain: number, protocol: number) {
    super(system, domain, protocol);
    this.endpoint = system.env.udp.create(domain === AF_INET6);
    this.endpoint.owner = this;
    system.adopt(this);
  }

  get isBound(): boolean {
    return this.endpoint.binding !== 0;
  }

  override bind(to: SocketAddress): number {
    const { address } = to;
    if (!(to.family === AF_UNSPEC && !this.isIpv6 && address.isUnspecified) && !this.fits(to)) {
      return -EAFNOSUPPORT;
    }
    if (this.isBound) return -EINVAL;
    if (address.isIpv4 && this.isIpv6 && this.v6only) return -EINVAL;
    if (!address.isUnspecified && this.system.env.kindOf(address) === ADDRESS_OTHER) {
      return -EADDRNOTAVAIL;
    }
    if (address.isIpv6 && address.isLinkLocal) {
      const result = this.bindScope(address);
      if (result < 0) return result;
    }
    return this.take(address, to.port);
  }

  /** A link-local address means one interface (RFC 4007 §6). */
  private bindScope(address: IpAddress): number {
    const scope = address.scope || this.device;
    if (scope === 0 || (this.device !== 0 && this.device !== scope)) return -EINVAL;
    this.device = scope;
    return 0;
  }

  private take(address: IpAddress, port: number): number {
    const { endpoint } = this;
    endpoint.device = this.device;
    endpoint.v6only = this.v6only;
    endpoint.reusePort = this.reusePort;
    const flags =
      (this.reuseAddress ? PORT_REUSE_ADDRESS : 0) |
      (this.reusePort ? PORT_REUSE_PORT : 0) |
      (this.v6only ? PORT_V6_ONLY : 0);
    const result = this.system.env.udp.bind(endpoint, address, port, flags);
    if (result === 0) this.setActive(true);
    return result;
  }

  /** A socket that sends or connects without bind() gets a port. */
  private ensureBound(): number {
    return this.isBound ? 0 : this.take(this.endpoint.local, 0);
  }

  override connect(to: SocketAddress): number {
    const { udp } = this.system.env;
    if (to.family === AF_UNSPEC) {
      udp.disconnect(this.endpoint);
      return 0;
    }
    if (!this.fits(to)) return -EAFNOSUPPORT;
    const remote = this.remoteOf(to.address);
    if (typeof remote === "number") return remote;
    const bound = this.ensureBound();
    if (bound < 0) return bound;
    return udp.connect(this.endpoint, remote, to.port);
  }

  private remoteOf(address: IpAddress): IpAddress | number {
    if (address.isIpv4 && this.isIpv6 && this.v6only) return -ENETUNREACH;
    if (address.isUnspecified) return address.isIpv4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
    if (address.isIpv6 && address.isLinkLocal && address.scope === 0) {
      return this.device === 0 ? -EINVAL : address.withScope(this.device);
    }
    return address;
  }

  override send(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress | undefined,
    control: readonly ControlMessage[] | undefined,
  ): number {
    if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (to !== undefined && !this.fits(to)) return -EAFNOSUPPORT;
    let options: SendOptions | undefined;
    if (control !== undefined && control.length > 0) {
      const parsed = sendOptionsOf(control);
      if (typeof parsed === "number") return parsed;
      options = parsed;
    }
    if ((flags & MSG_MORE) !== 0 || this.cork || this.corked !== undefined) {
      return this.sendCorked(data, offset, length, flags, to, options);
    }
    return this.sendNow(data, offset, length, to, options);
  }

  private sendNow(
    data: Uint8Array,
    offset: number,
    length: number,
    to: SocketAddress | undefined,
    options: SendOptions | undefined,
  ): number {
    const { env } = this.system;
    const { endpoint } = this;
    let remote: IpAddress | undefined;
    if (to !== undefined) {
      const found = this.remoteOf(to.address);
      if (typeof found === "number") return found;
      remote = found;
    } else if (!endpoint.connected) {
      return -EDESTADDRREQ;
    }
    if (endpoint.binding === 0) {
      const bound = this.ensureBound();
      if (bound < 0) return bound;
    }
    const result = env.udp.send(endpoint, data, offset, length, remote, to?.port ?? 0, options);
    if (result >= 0) env.wake();
    return result;
  }

  /** MSG_MORE and UDP_CORK: adds to the datagram, and sends it with the first send that wants no more. */
  private sendCorked(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress | undefined,
    options: SendOptions | undefined,
  ): number {
    const corked = (this.corked ??= { bytes: new Uint8Array(1024), length: 0, to, options });
    const total = corked.length + length;
    if (total > 65535 - UDP_HEADER) {
      this.corked = undefined;
      return -EMSGSIZE;
    }
    if (total > corked.bytes.length) {
      const bytes = new Uint8Array(Math.max(total, corked.bytes.length * 2));
      bytes.set(corked.bytes.subarray(0, corked.length));
      corked.bytes = bytes;
    }
    corked.bytes.set(data.subarray(offset, offset + length), corked.length);
    corked.length = total;
    if ((flags & MSG_MORE) !== 0 || this.cork) return length;
    const result = this.uncork();
    return result < 0 ? result : length;
  }

  /** Sends what was put together so far. */
  uncork(): number {
    const { corked } = this;
    if (corked === undefined) return 0;
    this.corked = undefined;
    return this.sendNow(corked.bytes, 0, corked.length, corked.to, corked.options);
  }

  protected override consume(): void {
    this.system.env.udp.consume(this.endpoint);
  }

  protected override sourcePort(payloadOffset: number): number {
    return this.system.env.memory.view.getUint16(payloadOffset - UDP_HEADER);
  }

  override localName(): SocketAddress {
    return this.name(this.endpoint.local, this.endpoint.localPort);
  }

  override remoteName(): SocketAddress | undefined {
    const { remote, remotePort } = this.endpoint;
    return remote === undefined ? undefined : this.name(remote, remotePort);
  }

  protected override release(): void {
    this.corked = undefined;
    this.leaveAll();
    this.system.env.udp.close(this.endpoint);
  }
}
