import { EMFILE } from "../base/errors.ts";
import type { Socket } from "./socket.ts";

/** The descriptors of one host: the lowest free number is given next (POSIX). */
export class Descriptors {
  private readonly limit: number;
  private readonly sockets: (Socket | undefined)[] = [];
  private readonly closeOnExec = new Set<number>();
  /** Every number below is taken. */
  private lowestFree = 0;
  open = 0;

  /** Numbers from 0 to `limit` - 1. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** The descriptor, or -EMFILE. `least`: the smallest number that will do (F_DUPFD). */
  add(socket: Socket, least = 0): number {
    let fd = Math.max(this.lowestFree, least);
    while (fd < this.sockets.length && this.sockets[fd] !== undefined) fd++;
    if (fd >= this.limit) return -EMFILE;
    while (this.sockets.length < fd) this.sockets.push(undefined);
    this.sockets[fd] = socket;
    if (least <= this.lowestFree) this.lowestFree = fd + 1;
    socket.descriptors++;
    this.open++;
    return fd;
  }

  get(fd: number): Socket | undefined {
    return this.sockets[fd];
  }

  /** Frees the number; the socket, if it was one. */
  remove(fd: number): Socket | undefined {
    const socket = this.sockets[fd];
    if (socket === undefined) return undefined;
    this.sockets[fd] = undefined;
    this.closeOnExec.delete(fd);
    if (fd < this.lowestFree) this.lowestFree = fd;
    socket.descriptors--;
    this.open--;
    return socket;
  }

  /** FD_CLOEXEC is remembered and means nothing: nobody executes here. */
  setCloseOnExec(fd: number, on: boolean): void {
    if (on) this.closeOnExec.add(fd);
    else this.closeOnExec.delete(fd);
  }
  isCloseOnExec(fd: number): boolean {
    return this.closeOnExec.has(fd);
  }

  /** Open descriptors, for leak reports and the end of a host. */
  list(): number[] {
    return this.sockets.flatMap((socket, fd) => (socket === undefined ? [] : [fd]));
  }
}
