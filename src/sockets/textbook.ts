import { EAGAIN, EBADF, SocketError } from "../base/errors.ts";
import type { AddressResult, PollEntry, SocketCalls } from "./calls.ts";
import { MSG_DONTWAIT, POLLIN, SHUT_WR, SOCK_STREAM } from "./constants.ts";
import { type MessageHeader, ReceiveInfo } from "./message.ts";
import type { Completion, Operation } from "./operation.ts";
import type { OptionValue } from "./options/option.ts";
import type { Parked } from "./parked.ts";
import { gather } from "./scatter.ts";
import type { Socket } from "./socket.ts";
import type { SocketAddress } from "./socket-address.ts";
import { StreamSocket } from "./stream-socket.ts";

/**
 * The socket calls of the textbook on descriptors. Those that may wait give a
 * promise: with O_NONBLOCK or MSG_DONTWAIT it rejects with EAGAIN instead of
 * waiting. Those that never wait answer at once. Errors are SocketErrors with
 * `code`, `errno` and `syscall`.
 */
export class TextbookCalls {
  /** The same calls without waiting and without exceptions. */
  readonly calls: SocketCalls;
  /** The same calls with callbacks. */
  readonly parked: Parked;

  constructor(calls: SocketCalls, parked: Parked) {
    this.calls = calls;
    this.parked = parked;
  }

  /** A new descriptor: the lowest free number. */
  socket(domain: number, type: number, protocol = 0): number {
    return check(this.calls.socket(domain, type, protocol), "socket");
  }

  bind(fd: number, address: SocketAddress): void {
    checkNamed(this.calls.bind(fd, address), "bind", address);
  }

  listen(fd: number, backlog: number): void {
    check(this.calls.listen(fd, backlog), "listen");
  }

  /** Waits for a connection: its descriptor, and the peer's name. */
  accept(fd: number): Promise<{ readonly fd: number; readonly name: SocketAddress | undefined }> {
    return this.park(
      fd,
      "accept",
      0,
      (socket, done) => this.parked.accept(socket, done),
      () => {
        const result: AddressResult = { name: undefined };
        const made = check(this.calls.accept(fd, result), "accept");
        return { fd: made, name: result.name };
      },
      (operation) => {
        const socket = operation.accepted!;
        const made = check(this.calls.install(socket), "accept");
        return { fd: made, name: socket.remoteName() };
      },
    );
  }

  /** Resolves when the connection stands; with O_NONBLOCK rejects with EINPROGRESS. */
  connect(fd: number, address: SocketAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.calls.lookup(fd);
      if (socket === undefined) throw new SocketError(EBADF, "connect");
      if (socket.nonblocking || socket.type !== SOCK_STREAM) {
        checkNamed(this.calls.connect(fd, address), "connect", address);
        resolve();
        return;
      }
      this.parked.connect(socket, address, (result) => {
        if (result >= 0) resolve();
        else reject(namedError(result, "connect", address));
      });
    });
  }

  /** Bytes read; 0 at the end of data. */
  read(fd: number, into: Uint8Array): Promise<number> {
    return this.recv(fd, into, 0, "read");
  }

  recv(fd: number, into: Uint8Array, flags = 0, syscall = "recv"): Promise<number> {
    return this.park(
      fd,
      syscall,
      flags,
      (socket, done) => this.parked.read(socket, into, 0, into.length, flags, done),
      () => check(this.calls.recv(fd, into, 0, into.length, flags), syscall),
      resultOf,
    );
  }

  recvfrom(
    fd: number,
    into: Uint8Array,
    flags = 0,
  ): Promise<{ readonly length: number; readonly name: SocketAddress | undefined }> {
    const info = new ReceiveInfo();
    return this.park(
      fd,
      "recvfrom",
      flags,
      (socket, done) => this.parked.read(socket, into, 0, into.length, flags, done, info),
      () => {
        const result: AddressResult = { name: undefined };
        const length = this.calls.recvfrom(fd, into, 0, into.length, flags, result);
        return { length: check(length, "recvfrom"), name: result.name };
      },
      (operation) => ({ length: operation.result, name: nameOf(operation.socket, info) }),
    );
  }

  /** Fills the message's buffers in order, and its name, flags and control. */
  async recvmsg(fd: number, message: MessageHeader, flags = 0): Promise<number> {
    const socket = this.calls.lookup(fd);
    if (socket === undefined) throw new SocketError(EBADF, "recvmsg");
    for (;;) {
      const result = this.calls.recvmsg(fd, message, flags);
      if (result !== -EAGAIN || socket.nonblocking || (flags & MSG_DONTWAIT) !== 0) {
        return check(result, "recvmsg");
      }
      await this.readable(socket);
    }
  }

  private readable(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      this.parked.wait(
        socket,
        POLLIN,
        (result) => {
          if (result > 0) resolve();
          else reject(new SocketError(result === 0 ? EAGAIN : result, "recvmsg"));
        },
        socket.receiveTimeoutMs,
      );
    });
  }

  /** Bytes written: all, unless an error or SO_SNDTIMEO cut it short. */
  write(fd: number, data: Uint8Array): Promise<number> {
    return this.sendto(fd, data, 0, undefined, "write");
  }

  send(fd: number, data: Uint8Array, flags = 0): Promise<number> {
    return this.sendto(fd, data, flags, undefined, "send");
  }

  sendto(
    fd: number,
    data: Uint8Array,
    flags = 0,
    to?: SocketAddress,
    syscall = "sendto",
  ): Promise<number> {
    return this.park(
      fd,
      syscall,
      flags,
      (socket, done) => this.parked.write(socket, data, 0, data.length, flags, done, to),
      () => check(this.calls.sendto(fd, data, 0, data.length, flags, to), syscall),
      resultOf,
    );
  }

  /** Gathers the message's buffers. */
  async sendmsg(fd: number, message: MessageHeader, flags = 0): Promise<number> {
    const socket = this.calls.lookup(fd);
    if (socket === undefined) throw new SocketError(EBADF, "sendmsg");
    const result = this.calls.sendmsg(fd, message, flags);
    if (socket.nonblocking || (flags & MSG_DONTWAIT) !== 0 || result !== -EAGAIN) {
      const sent = check(result, "sendmsg");
      const data = socket instanceof StreamSocket ? gather(message.buffers) : undefined;
      if (socket.nonblocking || data === undefined || sent === data.length) return sent;
      return sent + (await this.sendto(fd, data.subarray(sent), flags, undefined, "sendmsg"));
    }
    return this.sendto(fd, gather(message.buffers), flags, message.name, "sendmsg");
  }

  shutdown(fd: number, how: number): void {
    check(this.calls.shutdown(fd, how), "shutdown");
  }

  /** Frees the number. With SO_LINGER and a blocking socket resolves when all is delivered, or the time is over. */
  close(fd: number): Promise<void> {
    const socket = this.calls.lookup(fd);
    if (socket === undefined) return Promise.reject(new SocketError(EBADF, "close"));
    const linger =
      socket instanceof StreamSocket && !socket.nonblocking && socket.descriptors === 1
        ? socket.connection.options.lingerUs
        : -1;
    if (linger <= 0 || socket.outq() <= 0) {
      this.calls.close(fd);
      return Promise.resolve();
    }
    // The number is free at once, the socket when the waiting is over.
    this.calls.descriptors.remove(fd);
    socket.shutdown(SHUT_WR);
    return new Promise((resolve) => {
      this.parked.drain(
        socket,
        () => {
          socket.close();
          resolve();
        },
        linger / 1000,
      );
    });
  }

  getsockopt(fd: number, level: number, option: number): OptionValue {
    const result = { value: 0 as OptionValue };
    check(this.calls.getsockopt(fd, level, option, result), "getsockopt");
    return result.value;
  }

  setsockopt(fd: number, level: number, option: number, value: OptionValue): void {
    check(this.calls.setsockopt(fd, level, option, value), "setsockopt");
  }

  getsockname(fd: number): SocketAddress {
    const result: AddressResult = { name: undefined };
    check(this.calls.getsockname(fd, result), "getsockname");
    return result.name!;
  }

  getpeername(fd: number): SocketAddress {
    const result: AddressResult = { name: undefined };
    check(this.calls.getpeername(fd, result), "getpeername");
    return result.name!;
  }

  fcntl(fd: number, command: number, argument = 0): number {
    return check(this.calls.fcntl(fd, command, argument), "fcntl");
  }

  ioctl(fd: number, request: number, argument = 0): number {
    return check(this.calls.ioctl(fd, request, argument), "ioctl");
  }

  /** The number of entries with `revents`; 0 when `timeoutMs` is over. Negative: no limit. */
  poll(entries: readonly PollEntry[], timeoutMs = -1): Promise<number> {
    return new Promise((resolve) => {
      this.parked.poll(this.calls, entries, timeoutMs, resolve);
    });
  }

  /** Blocking: begins an operation. Non-blocking: tries once. */
  private park<T>(
    fd: number,
    syscall: string,
    flags: number,
    begin: (socket: Socket, done: Completion) => Operation,
    once: () => T,
    finish: (operation: Operation) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const socket = this.calls.lookup(fd);
      if (socket === undefined) throw new SocketError(EBADF, syscall);
      if (socket.nonblocking || (flags & MSG_DONTWAIT) !== 0) {
        resolve(once());
        return;
      }
      begin(socket, (result, operation) => {
        if (result < 0) {
          reject(new SocketError(result, syscall));
          return;
        }
        try {
          resolve(finish(operation));
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

function resultOf(operation: Operation): number {
  return operation.result;
}

function check(result: number, syscall: string): number {
  if (result < 0) throw new SocketError(result, syscall);
  return result;
}

function checkNamed(result: number, syscall: string, address: SocketAddress): void {
  if (result < 0) throw namedError(result, syscall, address);
}

function namedError(result: number, syscall: string, address: SocketAddress): SocketError {
  const error = new SocketError(result, syscall);
  error.address = address.address.toString();
  error.port = address.port;
  return error;
}

function nameOf(socket: Socket, info: ReceiveInfo): SocketAddress | undefined {
  const { address, port } = info;
  return address === undefined ? undefined : { family: socket.domain, address, port };
}
