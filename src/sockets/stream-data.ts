import {
  EAGAIN,
  EALREADY,
  EINPROGRESS,
  EINVAL,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from "../base/errors.ts";
import {
  RECEIVE_DISCARD,
  RECEIVE_PEEK,
  SEND_MORE,
  SEND_RECORD,
  SEND_URGENT,
} from "../tcp/calls.ts";
import type { TcpConnection } from "../tcp/connection.ts";
import {
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  LAST_ACK,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "../tcp/state.ts";
import {
  AF_UNSPEC,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_FASTOPEN,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
  SOL_TCP,
  TCP_CM_INQ,
} from "./constants.ts";
import type { ControlMessage, ReceiveInfo } from "./message.ts";
import type { SocketAddress } from "./socket-address.ts";
import { CONNECTED, IDLE, LISTENING, READ_SHUT, StreamBase, WRITE_SHUT } from "./stream-base.ts";
import { bytesToMark, receiveUrgent, urgentByteIsThere } from "./urgent.ts";

/** The data of a stream socket, and what can be said of it: send, receive, poll, queues, errors. */
export abstract class StreamData extends StreamBase {
  override send(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress | undefined,
    _control: readonly ControlMessage[] | undefined,
  ): number {
    if ((flags & MSG_FASTOPEN) !== 0 && to !== undefined) {
      return this.sendFastOpen(data, offset, length, flags, to);
    }
    if (to !== undefined && this.phase === IDLE && this.connectsImplicitly) {
      return this.sendAndConnect(data, offset, length, to);
    }
    // A connected stream ignores an address, as Linux does.
    if (this.phase === IDLE && this.connection.path === undefined) return -EPIPE;
    if (this.phase === LISTENING) return -EPIPE;
    const c = this.connection;
    let sendFlags = 0;
    if (flags !== 0) {
      if ((flags & MSG_MORE) !== 0) sendFlags |= SEND_MORE;
      if ((flags & MSG_OOB) !== 0) sendFlags |= SEND_URGENT;
      if ((flags & MSG_EOR) !== 0) sendFlags |= SEND_RECORD;
    }
    if (c.state === SYN_SENT || c.state === SYN_RECEIVED) {
      if (c.synDeferred) {
        const { tcp } = this.system.env;
        if (length === 0) {
          // Nothing to carry: an ordinary connect, with the cookie in its SYN.
          tcp.sendDeferredSyn(c);
          return -EINPROGRESS;
        }
        length = Math.min(length, tcp.synDataRoom(c));
      } else if (!c.fastOpenPassive) return -EAGAIN;
    }
    return this.system.env.tcp.send(c, data, offset, length, sendFlags);
  }

  /**
   * MSG_FASTOPEN (RFC 7413): connect and the first data in one call. The bytes
   * that the SYN takes, or -EINPROGRESS when it has to ask for a cookie first.
   */
  private sendFastOpen(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress,
  ): number {
    if ((this.system.env.tcp.settings.fastOpen & 1) === 0) return -EOPNOTSUPP;
    if (to.family === AF_UNSPEC) return -EOPNOTSUPP;
    const now = this.connection;
    if (this.phase === CONNECTED || now.synDeferred || now.state >= ESTABLISHED) {
      return this.send(data, offset, length, flags & ~MSG_FASTOPEN, undefined, undefined);
    }
    if (now.state === SYN_SENT || now.state === SYN_RECEIVED) return -EALREADY;
    const { options } = this.connection;
    const wasOn = options.fastOpenConnect;
    this.change((o) => (o.fastOpenConnect = true));
    const result = this.connect(to);
    this.connection.options.fastOpenConnect = wasOn;
    if (result < 0) return result;
    return this.send(data, offset, length, flags & ~MSG_FASTOPEN, undefined, undefined);
  }

  private get connectsImplicitly(): boolean {
    const { fastOpenRule } = this.system.env.tcp.settings;
    const { path, options } = this.connection;
    return fastOpenRule === "freebsd" && options.fastOpen > 0 && path === undefined;
  }

  /**
   * FreeBSD's way to the same: on a socket with TCP_FASTOPEN sendto connects.
   * All bytes wait in the send buffer; what a SYN with a cookie can take goes with it.
   */
  private sendAndConnect(
    data: Uint8Array,
    offset: number,
    length: number,
    to: SocketAddress,
  ): number {
    this.change((o) => (o.fastOpenConnect = true));
    const result = this.connect(to);
    if (result < 0 && result !== -EINPROGRESS) return result;
    return this.system.env.tcp.send(this.connection, data, offset, length, 0);
  }

  override receive(
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    info: ReceiveInfo | undefined,
  ): number {
    if (this.phase === LISTENING) return -ENOTCONN;
    if ((flags & MSG_ERRQUEUE) !== 0) return -EAGAIN;
    if (this.phase === IDLE && this.connection.path === undefined) return -ENOTCONN;
    const c = this.connection;
    let receiveFlags = 0;
    if (flags !== 0) {
      if ((flags & MSG_OOB) !== 0) return this.receiveOob(into, offset, length, flags);
      if ((flags & MSG_PEEK) !== 0) receiveFlags |= RECEIVE_PEEK;
      if ((flags & MSG_TRUNC) !== 0) receiveFlags |= RECEIVE_DISCARD;
    }
    const { tcp } = this.system.env;
    if (c.urgentIn) {
      const toMark = bytesToMark(c);
      if (toMark > 0) length = Math.min(length, toMark);
      else if (toMark === 0 && !c.options.oobInline && urgentByteIsThere(c)) {
        // Reading passes the mark: the byte is out of band and gone.
        tcp.receive(c, into, offset, 1, RECEIVE_DISCARD);
      }
    }
    const result = tcp.receive(c, into, offset, length, receiveFlags);
    if (info !== undefined && info.wantsControl && c.options.inq && result >= 0) {
      info.addControl({ level: SOL_TCP, type: TCP_CM_INQ, value: readableHint(c) });
    }
    return result;
  }

  private receiveOob(into: Uint8Array, offset: number, length: number, flags: number): number {
    const c = this.connection;
    const { memory } = this.system.env;
    const result = receiveUrgent(memory, c, this.oobReadUp === c.rcvUp, into, offset, length);
    if (result > 0 && (flags & MSG_PEEK) === 0) this.oobReadUp = c.rcvUp;
    return result;
  }

  /** Linux's tcp_poll and inet_csk_listen_poll. */
  override poll(): number {
    if (this.phase === LISTENING) return this.listener!.pending > 0 ? POLLIN | POLLRDNORM : 0;
    const c = this.connection;
    const { tcp } = this.system.env;
    // To the application TIME-WAIT is over: nothing more will come or go.
    const closed = c.state === CLOSED || c.state === TIME_WAIT;
    const wasOpen = closed && c.path !== undefined;
    const readEnd = this.is(READ_SHUT) || c.finReceived || wasOpen;
    const writeEnd = this.is(WRITE_SHUT) || c.finQueued || wasOpen;
    let bits = 0;
    if (closed || (readEnd && writeEnd)) bits |= POLLHUP;
    if (readEnd) bits |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (c.synDeferred) {
      bits |= POLLOUT | POLLWRNORM;
    } else if (c.state !== SYN_SENT && (c.state !== SYN_RECEIVED || c.fastOpenPassive)) {
      const readable = tcp.readable(c);
      if (readable > 0 && readable >= this.receiveLowWater) bits |= POLLIN | POLLRDNORM;
      if (writeEnd || closed || tcp.isWritable(c)) bits |= POLLOUT | POLLWRNORM;
      if (urgentByteIsThere(c) && this.oobReadUp !== c.rcvUp) bits |= POLLPRI;
    }
    if (c.error !== 0) bits |= POLLERR;
    return bits;
  }

  override get receiveLowWater(): number {
    const c = this.connection;
    return Math.min(c.options.receiveLowWater, Math.max(1, c.rcvBufSize >> 1));
  }

  override inq(): number {
    if (this.phase === LISTENING) return -EINVAL;
    const c = this.connection;
    const readable = this.system.env.tcp.readable(c);
    if (!c.urgentIn || c.options.oobInline) return readable;
    const toMark = bytesToMark(c);
    return toMark >= 0 ? Math.min(readable, toMark) : readable;
  }

  override outq(): number {
    if (this.phase === LISTENING) return -EINVAL;
    const c = this.connection;
    if (c.state <= SYN_RECEIVED) return 0;
    // A FIN on its way counts for one, as in Linux.
    const finOut = c.state === FIN_WAIT_1 || c.state === CLOSING || c.state === LAST_ACK ? 1 : 0;
    return this.system.env.tcp.outq(c) + finOut;
  }

  /** SIOCATMARK: the next byte is the urgent one. */
  get isAtMark(): boolean {
    const c = this.connection;
    return bytesToMark(c) === 0;
  }

  override takeError(): number {
    this.finalError ||= this.connection.error;
    return this.system.env.tcp.takeError(this.connection);
  }

  override restoreError(errno: number): void {
    this.connection.error = errno;
  }
}

/** Bytes to read; 1 for the end of data, so that the application comes once more (Linux). */
function readableHint(c: TcpConnection): number {
  return c.readableBytes === 0 && c.finReceived ? 1 : c.readableBytes;
}
