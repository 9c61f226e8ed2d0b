import type { IpAddress } from "../../base/address.ts";
import { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH, EOPNOTSUPP } from "../../base/errors.ts";
import type { SendOptions } from "../../udp/stack.ts";
import { AF_INET6, AF_UNSPEC, MSG_OOB, SOCK_RAW } from "../constants.ts";
import { DatagramBase } from "../datagram-base.ts";
import { ADDRESS_OTHER } from "../environment.ts";
import type { ControlMessage } from "../message.ts";
import { sendOptionsOf } from "../send-options.ts";
import type { SocketAddress } from "../socket-address.ts";
import type { SocketSystem } from "../socket-system.ts";
import type { RawEndpoint } from "./raw-stack.ts";

/** SOCK_RAW: packets of one protocol. The port of an address is ignored, as in Linux. */
export class RawSocket extends DatagramBase {
  override readonly type = SOCK_RAW;
  override readonly endpoint: RawEndpoint;

  constructor(system: SocketSystem, domain: number, protocol: number) {
    super(system, domain, protocol);
    this.endpoint = system.env.raw.create(domain === AF_INET6, protocol);
    this.endpoint.owner = this;
    system.adopt(this);
    this.setActive(true);
  }

  override bind(to: SocketAddress): number {
    if (!this.fits(to)) return -EAFNOSUPPORT;
    const { address } = to;
    if (this.isIpv6 === address.isIpv4) return -EINVAL;
    if (!address.isUnspecified && this.system.env.kindOf(address) === ADDRESS_OTHER) {
      return -EADDRNOTAVAIL;
    }
    this.endpoint.setLocal(address);
    this.endpoint.device = this.device || address.scope;
    return 0;
  }

  override connect(to: SocketAddress): number {
    const { endpoint } = this;
    if (to.family === AF_UNSPEC) {
      endpoint.remote = undefined;
      if (endpoint.localFromConnect) endpoint.setLocal(endpoint.anyAddress);
      endpoint.localFromConnect = false;
      return 0;
    }
    if (!this.fits(to)) return -EAFNOSUPPORT;
    const path = this.system.env.raw.path(endpoint, to.address, undefined);
    if (path === undefined) return -ENETUNREACH;
    if (endpoint.localIsUnspecified) {
      endpoint.setLocal(path.local);
      endpoint.localFromConnect = true;
    }
    endpoint.remote = to.address;
    return 0;
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
    this.endpoint.device = this.device || this.endpoint.device;
    const { env } = this.system;
    const remote: IpAddress | undefined = to?.address;
    const result = env.raw.send(this.endpoint, data, offset, length, remote, options);
    if (result >= 0) env.wake();
    return result;
  }

  protected override consume(): void {
    this.endpoint.received.shift(this.system.env.memory);
  }

  protected override sourcePort(): number {
    return 0;
  }

  override localName(): SocketAddress {
    return this.name(this.endpoint.local, this.protocol);
  }

  override remoteName(): SocketAddress | undefined {
    const { remote } = this.endpoint;
    return remote === undefined ? undefined : this.name(remote, 0);
  }

  protected override release(): void {
    this.leaveAll();
    this.system.env.raw.close(this.endpoint);
  }
}
