import { IpAddress, ipv4Address, isLinkLocalWords } from "../base/address.ts";
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EINVAL,
  ENODEV,
  ENOTCONN,
  EOPNOTSUPP,
} from "../base/errors.ts";
import { copyOut } from "../udp/copy.ts";
import type { DatagramEndpoint, DatagramOwner } from "../udp/endpoint.ts";
import type { DatagramQueue } from "../udp/datagram-queue.ts";
import {
  AF_INET6,
  IP_PKTINFO,
  IP_RECVERR,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  IPV6_TCLASS,
  MSG_ERRQUEUE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
  SHUT_RD,
  SHUT_RDWR,
} from "./constants.ts";
import type { ReceiveInfo } from "./message.ts";
import { Socket } from "./socket.ts";

/** What UDP and raw sockets have in common as sockets. */
export abstract class DatagramBase extends Socket implements DatagramOwner {
  abstract readonly endpoint: DatagramEndpoint;
  // Which control messages to give with each datagram.
  receivePacketInfo = false;
  receiveTtl = false;
  receiveTos = false;
  /** The source of the datagram before; most come from the same one, and an object is dear. */
  private lastSource: IpAddress | undefined = undefined;

  /** Gives the oldest datagram back, after it was read. */
  protected abstract consume(): void;
  /** Source port of a datagram whose payload begins there. */
  protected abstract sourcePort(payloadOffset: number): number;

  override receive(
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    info: ReceiveInfo | undefined,
  ): number {
    if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if ((flags & MSG_ERRQUEUE) !== 0) return this.receiveError(into, offset, length, info);
    const { endpoint } = this;
    if (endpoint.error !== 0) return -this.takeError();
    const queue = endpoint.received;
    if (queue.count === 0) return endpoint.shutdownRead ? 0 : -EAGAIN;
    const full = queue.length;
    const copied = full < length ? full : length;
    copyOut(this.system.env.memory, queue.offset, into, offset, copied);
    if (info !== undefined) {
      if (copied < full) info.flags |= MSG_TRUNC;
      info.address = this.sourceOf(queue);
      info.port = this.sourcePort(queue.offset);
      if (info.wantsControl) this.addControl(queue, info);
    }
    if ((flags & MSG_PEEK) === 0) this.consume();
    return (flags & MSG_TRUNC) !== 0 ? full : copied;
  }

  private sourceOf(queue: DatagramQueue): IpAddress {
    const view = this.system.env.memory.view;
    const ip = queue.ipOffset;
    const last = this.lastSource;
    if (view.getUint8(ip) >>> 4 === 4) {
      const word = view.getInt32(ip + 12);
      if (last !== undefined && last.w3 === word && last.isIpv4) return last;
      return (this.lastSource = ipv4Address(word));
    }
    const w0 = view.getInt32(ip + 8);
    const w1 = view.getInt32(ip + 12);
    const w2 = view.getInt32(ip + 16);
    const w3 = view.getInt32(ip + 20);
    const scope = isLinkLocalWords(w0, w1, w2, w3) ? queue.interfaceIndex : 0;
    if (
      last !== undefined &&
      last.w3 === w3 &&
      last.w2 === w2 &&
      last.w1 === w1 &&
      last.w0 === w0 &&
      last.scope === scope
    ) {
      return last;
    }
    return (this.lastSource = new IpAddress(w0, w1, w2, w3, scope));
  }

  private addControl(queue: DatagramQueue, info: ReceiveInfo): void {
    const view = this.system.env.memory.view;
    const ip = queue.ipOffset;
    const isIpv4 = view.getUint8(ip) >>> 4 === 4;
    const level = isIpv4 && this.domain !== AF_INET6 ? IPPROTO_IP : IPPROTO_IPV6;
    const v6 = level === IPPROTO_IPV6;
    if (this.receivePacketInfo) {
      const address = isIpv4
        ? ipv4Address(view.getInt32(ip + 16))
        : new IpAddress(
            view.getInt32(ip + 24),
            view.getInt32(ip + 28),
            view.getInt32(ip + 32),
            view.getInt32(ip + 36),
          );
      const type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
      info.addControl({ level, type, address, interfaceIndex: queue.interfaceIndex });
    }
    if (this.receiveTtl) {
      const value = view.getUint8(ip + (isIpv4 ? 8 : 7));
      info.addControl({ level, type: v6 ? IPV6_HOPLIMIT : IP_TTL, value });
    }
    if (this.receiveTos) {
      const value = isIpv4 ? view.getUint8(ip + 1) : (view.getUint16(ip) >>> 4) & 0xff;
      info.addControl({ level, type: v6 ? IPV6_TCLASS : IP_TOS, value });
    }
  }

  /** MSG_ERRQUEUE: the payload that was sent, where to, and as a control message what became of it. */
  private receiveError(
    into: Uint8Array,
    offset: number,
    length: number,
    info: ReceiveInfo | undefined,
  ): number {
    const error = this.endpoint.errors?.shift();
    if (error === undefined) return -EAGAIN;
    const { payload } = error;
    const copied = Math.min(length, payload.length);
    into.set(copied === payload.length ? payload : payload.subarray(0, copied), offset);
    if (info !== undefined) {
      info.flags |= MSG_ERRQUEUE | (copied < payload.length ? MSG_TRUNC : 0);
      info.address = error.destination;
      info.port = error.destinationPort;
      if (info.wantsControl) {
        const v6 = this.isIpv6;
        info.addControl({
          level: v6 ? IPPROTO_IPV6 : IPPROTO_IP,
          type: v6 ? IPV6_RECVERR : IP_RECVERR,
          error,
        });
      }
    }
    // The pending error was this one's; what is next in the queue takes its place.
    this.endpoint.error = this.endpoint.errors?.peek()?.errno ?? 0;
    return copied;
  }

  override shutdown(how: number): number {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    const { endpoint } = this;
    if (how !== SHUT_RD) endpoint.shutdownWrite = true;
    if (how === SHUT_RD || how === SHUT_RDWR) endpoint.shutdownRead = true;
    this.system.wakeSocket(this);
    // Linux shuts an unconnected socket down too, and says that it was not connected.
    return endpoint.connected ? 0 : -ENOTCONN;
  }

  /** Linux's datagram_poll. */
  override poll(): number {
    const { endpoint } = this;
    let bits = 0;
    if (endpoint.error !== 0 || (endpoint.errors !== undefined && endpoint.errors.count > 0)) {
      bits |= POLLERR;
    }
    if (endpoint.shutdownRead) bits |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (endpoint.shutdownRead && endpoint.shutdownWrite) bits |= POLLHUP;
    if (endpoint.received.count > 0) bits |= POLLIN | POLLRDNORM;
    if (endpoint.unsent.bytes < endpoint.sendBuffer >> 1) {
      bits |= POLLOUT | POLLWRNORM | POLLWRBAND;
    } else {
      endpoint.wantsRoom = true;
    }
    return bits;
  }

  override inq(): number {
    const { received } = this.endpoint;
    return received.count === 0 ? 0 : received.length;
  }

  override outq(): number {
    return this.endpoint.unsent.bytes;
  }

  override takeError(): number {
    const { error } = this.endpoint;
    this.endpoint.error = 0;
    return error;
  }

  override restoreError(errno: number): void {
    this.endpoint.error = errno;
  }

  override get receiveErrors(): boolean {
    return this.endpoint.receiveErrors;
  }
  override setReceiveErrors(on: boolean): void {
    this.endpoint.receiveErrors = on;
    if (!on) this.endpoint.errors = undefined;
  }

  // Multicast

  /** IP_ADD_MEMBERSHIP. `interfaceIndex` 0: the host chooses. 0 or -errno. */
  join(group: IpAddress, interfaceIndex: number): number {
    if (!group.isMulticast || group.isIpv4 === this.isIpv6) return -EINVAL;
    const { env } = this.system;
    if (interfaceIndex !== 0 && env.interfaceName(interfaceIndex) === undefined) return -ENODEV;
    const list = (this.endpoint.memberships ??= []);
    if (list.some((m) => m.interfaceIndex === interfaceIndex && m.group.equals(group))) {
      return -EADDRINUSE;
    }
    const result = env.joinGroup(group, interfaceIndex);
    if (result < 0) return result;
    list.push({ group, interfaceIndex });
    return 0;
  }

  leave(group: IpAddress, interfaceIndex: number): number {
    const list = this.endpoint.memberships;
    const at =
      list?.findIndex(
        (m) =>
          (interfaceIndex === 0 || m.interfaceIndex === interfaceIndex) && m.group.equals(group),
      ) ?? -1;
    if (at < 0) return -EADDRNOTAVAIL;
    const [gone] = list!.splice(at, 1);
    this.system.env.leaveGroup(group, gone!.interfaceIndex);
    return 0;
  }

  protected leaveAll(): void {
    for (const m of this.endpoint.memberships ?? []) {
      this.system.env.leaveGroup(m.group, m.interfaceIndex);
    }
    this.endpoint.memberships = undefined;
  }

  datagramEvents(_bits: number): void {
    if (this.waiting !== undefined) this.system.wakeSocket(this);
  }
}
