import { EBADF, EFAULT, EINVAL, EMFILE, ENOTCONN } from "../base/errors.ts";
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  POLLERR,
  POLLHUP,
  POLLNVAL,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from "./constants.ts";
import { createSocket } from "./create.ts";
import { Descriptors } from "./descriptors.ts";
import { socketIoctl } from "./ioctl.ts";
import type { MessageHeader } from "./message.ts";
import type { OptionValue } from "./options/option.ts";
import { getOption, type OptionResult, setOption } from "./options/tables.ts";
import { receiveMessage, sendMessage } from "./scatter.ts";
import type { Socket } from "./socket.ts";
import { isPort, type SocketAddress } from "./socket-address.ts";
import type { SocketSystem } from "./socket-system.ts";

/** Where a call puts a sockaddr. */
export interface AddressResult {
  name: SocketAddress | undefined;
}

/** One entry of poll(). */
export interface PollEntry {
  readonly fd: number;
  readonly events: number;
  revents: number;
}

/**
 * The socket calls of the textbook, on descriptors, as Linux answers them: each
 * returns at once with a number >= 0 or -errno. What would block is -EAGAIN
 * (or -EINPROGRESS), whatever O_NONBLOCK says; waiting is the business of
 * `Parked` and of `host.sockets`.
 */
export class SocketCalls {
  readonly system: SocketSystem;
  readonly descriptors: Descriptors;

  constructor(system: SocketSystem) {
    this.system = system;
    this.descriptors = new Descriptors(system.settings.maxDescriptors);
  }

  /** The socket behind a descriptor. */
  lookup(fd: number): Socket | undefined {
    return this.descriptors.get(fd);
  }

  socket(domain: number, type: number, protocol = 0): number {
    const socket = createSocket(this.system, domain, type, protocol);
    if (typeof socket === "number") return socket;
    return this.install(socket, (type & SOCK_CLOEXEC) !== 0);
  }

  /** Gives a socket a descriptor; without one it is closed. */
  install(socket: Socket, closeOnExec = false): number {
    const fd = this.descriptors.add(socket);
    if (fd < 0) socket.close();
    else if (closeOnExec) this.descriptors.setCloseOnExec(fd, true);
    return fd;
  }

  bind(fd: number, address: SocketAddress): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    return isPort(address.port) ? socket.bind(address) : -EINVAL;
  }

  listen(fd: number, backlog: number): number {
    const socket = this.lookup(fd);
    return socket === undefined ? -EBADF : socket.listen(backlog);
  }

  /** A new descriptor. `flags`: SOCK_NONBLOCK, SOCK_CLOEXEC (accept4). */
  accept(fd: number, result?: AddressResult, flags = 0): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) !== 0) return -EINVAL;
    if (this.descriptors.open >= this.system.settings.maxDescriptors) return -EMFILE;
    const accepted = socket.accept();
    if (typeof accepted === "number") return accepted;
    accepted.nonblocking = (flags & SOCK_NONBLOCK) !== 0;
    if (result !== undefined) result.name = accepted.remoteName();
    return this.install(accepted, (flags & SOCK_CLOEXEC) !== 0);
  }

  /** -EINPROGRESS when the handshake has begun: poll for OUT, then read SO_ERROR, or call again. */
  connect(fd: number, address: SocketAddress): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    return isPort(address.port) ? socket.connect(address) : -EINVAL;
  }

  read(fd: number, into: Uint8Array, offset = 0, length = into.length - offset): number {
    return this.recvfrom(fd, into, offset, length, 0);
  }

  write(fd: number, data: Uint8Array, offset = 0, length = data.length - offset): number {
    return this.sendto(fd, data, offset, length, 0);
  }

  recv(fd: number, into: Uint8Array, offset = 0, length = into.length - offset, flags = 0): number {
    return this.recvfrom(fd, into, offset, length, flags);
  }

  send(fd: number, data: Uint8Array, offset = 0, length = data.length - offset, flags = 0): number {
    return this.sendto(fd, data, offset, length, flags);
  }

  recvfrom(
    fd: number,
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    result?: AddressResult,
  ): number {
    const socket = this.descriptors.get(fd);
    if (socket === undefined) return -EBADF;
    if (!inside(into, offset, length)) return -EFAULT;
    if (result === undefined) return socket.receive(into, offset, length, flags, undefined);
    const info = this.system.info.reset(false);
    const received = socket.receive(into, offset, length, flags, info);
    result.name = received < 0 ? undefined : nameOf(socket, info.address, info.port);
    return received;
  }

  sendto(
    fd: number,
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to?: SocketAddress,
  ): number {
    const socket = this.descriptors.get(fd);
    if (socket === undefined) return -EBADF;
    if (!inside(data, offset, length)) return -EFAULT;
    if (to !== undefined && !isPort(to.port)) return -EINVAL;
    return socket.send(data, offset, length, flags, to, undefined);
  }

  /** Gathers `message.buffers`. */
  sendmsg(fd: number, message: MessageHeader, flags = 0): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    return sendMessage(socket, message, flags);
  }

  /** Scatters over `message.buffers`; fills `name`, `flags`, and `control` if it is there. */
  recvmsg(fd: number, message: MessageHeader, flags = 0): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    const info = this.system.info.reset(message.control !== undefined);
    const result = receiveMessage(socket, message, flags, info);
    message.name = result < 0 ? undefined : nameOf(socket, info.address, info.port);
    message.flags = info.flags;
    if (message.control !== undefined) message.control = info.control ?? [];
    return result;
  }

  shutdown(fd: number, how: number): number {
    const socket = this.lookup(fd);
    return socket === undefined ? -EBADF : socket.shutdown(how);
  }

  close(fd: number): number {
    const socket = this.descriptors.remove(fd);
    if (socket === undefined) return -EBADF;
    if (socket.descriptors === 0) socket.close();
    return 0;
  }

  getsockopt(fd: number, level: number, option: number, result: OptionResult): number {
    const socket = this.lookup(fd);
    return socket === undefined ? -EBADF : getOption(socket, level, option, result);
  }

  setsockopt(fd: number, level: number, option: number, value: OptionValue): number {
    const socket = this.lookup(fd);
    return socket === undefined ? -EBADF : setOption(socket, level, option, value);
  }

  getsockname(fd: number, result: AddressResult): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    result.name = socket.localName();
    return 0;
  }

  getpeername(fd: number, result: AddressResult): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    const name = socket.remoteName();
    if (name === undefined) return -ENOTCONN;
    result.name = name;
    return 0;
  }

  fcntl(fd: number, command: number, argument = 0): number {
    const socket = this.lookup(fd);
    if (socket === undefined) return -EBADF;
    switch (command) {
      case F_GETFL:
        return O_RDWR | (socket.nonblocking ? O_NONBLOCK : 0);
      case F_SETFL:
        socket.nonblocking = (argument & O_NONBLOCK) !== 0;
        return 0;
      case F_GETFD:
        return this.descriptors.isCloseOnExec(fd) ? FD_CLOEXEC : 0;
      case F_SETFD:
        this.descriptors.setCloseOnExec(fd, (argument & FD_CLOEXEC) !== 0);
        return 0;
      case F_DUPFD:
      case F_DUPFD_CLOEXEC: {
        if (!Number.isInteger(argument) || argument < 0) return -EINVAL;
        const copy = this.descriptors.add(socket, argument);
        if (copy >= 0 && command === F_DUPFD_CLOEXEC) {
          this.descriptors.setCloseOnExec(copy, true);
        }
        return copy;
      }
      default:
        return -EINVAL;
    }
  }

  ioctl(fd: number, request: number, argument = 0): number {
    const socket = this.lookup(fd);
    return socket === undefined ? -EBADF : socketIoctl(socket, request, argument);
  }

  /** Fills `revents` of each entry; the number of entries that have any. Does not wait. */
  poll(entries: readonly PollEntry[]): number {
    let ready = 0;
    for (const entry of entries) {
      entry.revents = 0;
      if (entry.fd < 0) continue; // POSIX: ignored
      const socket = this.descriptors.get(entry.fd);
      entry.revents =
        socket === undefined ? POLLNVAL : socket.poll() & (entry.events | POLLERR | POLLHUP);
      if (entry.revents !== 0) ready++;
    }
    return ready;
  }

  /** Closes everything that is open. */
  closeAll(): void {
    for (const fd of this.descriptors.list()) this.close(fd);
  }
}

function inside(bytes: Uint8Array, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= bytes.length;
}

function nameOf(
  socket: Socket,
  address: SocketAddress["address"] | undefined,
  port: number,
): SocketAddress | undefined {
  return address === undefined ? undefined : { family: socket.domain, address, port };
}
