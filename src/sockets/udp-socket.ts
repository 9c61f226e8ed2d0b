import type { IpAddress } from "../base/address.ts";
import { EAGAIN, EBADF, ECANCELED, SocketError } from "../base/errors.ts";
import type { DatagramSocket } from "./datagram-socket.ts";
import { type ControlMessage, ReceiveInfo } from "./message.ts";
import { getNamedOption, setNamedOption } from "./option-names.ts";
import type { OptionValue } from "./options/option.ts";
import type { Parked } from "./parked.ts";
import type { SocketAddress } from "./socket-address.ts";
import { encodeUtf8 } from "./utf8.ts";
import { onAbort, reasonOf, timeoutError, type WaitOptions } from "./waiting.ts";

/** One datagram received. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly address: string;
  readonly port: number;
  /** What IP_PKTINFO, IP_RECVTTL and their kin ask for. */
  readonly control: readonly ControlMessage[];
}

/** Turns text or an address into what the socket sends to. */
export type AddressParser = (address: string | IpAddress, port: number) => SocketAddress;

const SENT = Promise.resolve();

/** A UDP socket with promises. */
export class UdpSocket {
  readonly socket: DatagramSocket;
  private readonly parked: Parked;
  private readonly parse: AddressParser;
  private lastText = "";
  private lastAddress: SocketAddress | undefined = undefined;

  constructor(socket: DatagramSocket, parked: Parked, parse: AddressParser) {
    this.socket = socket;
    this.parked = parked;
    this.parse = parse;
  }

  get localAddress(): string {
    return this.socket.localName().address.toString();
  }
  get localPort(): number {
    return this.socket.localName().port;
  }
  get remoteAddress(): string | undefined {
    return this.socket.remoteName()?.address.toString();
  }
  get remotePort(): number | undefined {
    return this.socket.remoteName()?.port;
  }

  /** Fixes the peer: `send` needs no address, and others are not heard. Nothing is sent. */
  connect(address: string | IpAddress, port: number): void {
    const result = this.socket.connect(this.parse(address, port));
    if (result < 0) throw this.error(result, "connect");
  }

  /**
   * Sends one datagram; resolves when it is in the send buffer. An error that
   * an earlier one met (ECONNREFUSED, once connected) rejects this call instead.
   */
  send(
    data: Uint8Array | string,
    to?: { readonly address: string | IpAddress; readonly port: number },
    options?: WaitOptions,
  ): Promise<void> {
    const { socket } = this;
    const bytes = typeof data === "string" ? encodeUtf8(data) : data;
    let name: SocketAddress | undefined;
    try {
      name = to && this.nameOf(to.address, to.port);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!socket.closed && !socket.system.isBusy(socket, false) && !options?.signal?.aborted) {
      const result = socket.send(bytes, 0, bytes.length, 0, name, undefined);
      if (result >= 0) return SENT;
      if (result !== -EAGAIN) return Promise.reject(this.error(result, "send"));
    }
    return new Promise((resolve, reject) => {
      if (options?.signal?.aborted) {
        reject(options.signal.reason);
        return;
      }
      if (socket.closed) {
        reject(new SocketError(EBADF, "send"));
        return;
      }
      const operation = this.parked.write(
        socket,
        bytes,
        0,
        bytes.length,
        0,
        (result) => {
          off();
          if (result >= 0) resolve();
          else reject(this.failure(result, "send", options));
        },
        name,
        options?.timeout ?? 0,
      );
      const off = onAbort(operation, options?.signal);
    });
  }

  private nameOf(address: string | IpAddress, port: number): SocketAddress {
    const last = this.lastAddress;
    if (last !== undefined && address === this.lastText && last.port === port) return last;
    const name = this.parse(address, port);
    if (typeof address === "string") {
      this.lastText = address;
      this.lastAddress = name;
    }
    return name;
  }

  /** The next datagram. Rejects with the pending error if there is one. */
  receive(options?: WaitOptions): Promise<Datagram> {
    const { socket } = this;
    if (!socket.closed && !socket.system.isBusy(socket, true) && !options?.signal?.aborted) {
      const length = socket.inq();
      if (length > 0 || socket.endpoint.received.count > 0) {
        const buffer = new Uint8Array(length);
        const info = new ReceiveInfo().reset(true);
        const result = socket.receive(buffer, 0, length, 0, info);
        if (result >= 0) return Promise.resolve(datagramOf(buffer, info));
        if (result !== -EAGAIN) return Promise.reject(this.error(result, "receive"));
      }
    }
    return new Promise((resolve, reject) => {
      if (options?.signal?.aborted) {
        reject(options.signal.reason);
        return;
      }
      if (socket.closed) {
        reject(new SocketError(EBADF, "receive"));
        return;
      }
      const info = new ReceiveInfo().reset(true);
      const operation = this.parked.readDatagram(
        socket,
        info,
        (result, op) => {
          off();
          if (result >= 0) resolve(datagramOf(op.buffer, info));
          else reject(this.failure(result, "receive", options));
        },
        options?.timeout ?? 0,
      );
      const off = onAbort(operation, options?.signal);
    });
  }

  /** Datagrams as they come, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, void, undefined> {
    while (!this.socket.closed) {
      let datagram: Datagram;
      try {
        datagram = await this.receive();
      } catch (error) {
        if (this.socket.closed && error instanceof SocketError && error.errno === -EBADF) return;
        throw error;
      }
      yield datagram;
    }
  }

  /** Hears a group too; `interfaceIndex` 0: the host chooses. */
  join(group: string | IpAddress, interfaceIndex = 0): void {
    const result = this.socket.join(this.parse(group, 0).address, interfaceIndex);
    if (result < 0) throw this.error(result, "setsockopt");
  }
  leave(group: string | IpAddress, interfaceIndex = 0): void {
    const result = this.socket.leave(this.parse(group, 0).address, interfaceIndex);
    if (result < 0) throw this.error(result, "setsockopt");
  }

  /** What was sent still goes out. Pending calls reject with EBADF. */
  close(): void {
    this.socket.close();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  setOption(name: string, value: OptionValue): void {
    setNamedOption(this.socket, name, value);
  }
  getOption(name: string): OptionValue {
    return getNamedOption(this.socket, name);
  }

  ref(): this {
    this.socket.setReferenced(true);
    return this;
  }
  unref(): this {
    this.socket.setReferenced(false);
    return this;
  }

  private failure(result: number, syscall: string, options: WaitOptions | undefined): unknown {
    if (result === -EAGAIN) return timeoutError(syscall, options?.timeout ?? 0);
    if (result === -ECANCELED) return reasonOf(result, syscall, options?.signal);
    return this.error(result, syscall);
  }

  private error(result: number, syscall: string): SocketError {
    return new SocketError(result, syscall);
  }
}

function datagramOf(data: Uint8Array, info: ReceiveInfo): Datagram {
  return {
    data,
    address: info.address?.toString() ?? "",
    port: info.port,
    control: info.control ?? [],
  };
}
