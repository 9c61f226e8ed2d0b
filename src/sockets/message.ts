import type { IpAddress } from "../base/address.ts";
import type { ExtendedError } from "../udp/error-queue.ts";
import type { SocketAddress } from "./socket-address.ts";

/** One control message (RFC 3542 §4): `level` and `type` as Linux numbers them, and what they speak of. */
export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  /** TTL, hop limit, type of service, bytes waiting (TCP_INQ). */
  readonly value?: number;
  /** PKTINFO: the local address, and the interface. */
  readonly address?: IpAddress;
  readonly interfaceIndex?: number;
  /** RECVERR. */
  readonly error?: ExtendedError;
}

/** What sendmsg and recvmsg take: the parts of a msghdr. */
export interface MessageHeader {
  /** sendmsg: where to. recvmsg: filled with where from. */
  name?: SocketAddress | undefined;
  /** Data is gathered from these, or scattered over them, in order. */
  buffers: readonly Uint8Array[];
  /** sendmsg: sent along. recvmsg: filled when present. */
  control?: ControlMessage[] | undefined;
  /** recvmsg: MSG_TRUNC, MSG_ERRQUEUE... of what was received. */
  flags?: number;
}

/** What a receive tells beside the bytes; reused from call to call. */
export class ReceiveInfo {
  /** MSG_TRUNC, MSG_EOR, MSG_ERRQUEUE. */
  flags = 0;
  address: IpAddress | undefined = undefined;
  port = 0;
  /** Set by the caller: collect control messages into `control`. */
  wantsControl = false;
  control: ControlMessage[] | undefined = undefined;

  reset(wantsControl: boolean): this {
    this.flags = 0;
    this.address = undefined;
    this.port = 0;
    this.wantsControl = wantsControl;
    this.control = undefined;
    return this;
  }

  addControl(message: ControlMessage): void {
    if (this.control === undefined) this.control = [message];
    else this.control.push(message);
  }
}
