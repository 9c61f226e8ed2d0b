import type { AsyncResource } from "node:async_hooks";
import { EAGAIN } from "../../base/errors.ts";
import { MSG_MORE, SHUT_WR } from "../../sockets/constants.ts";
import type { Parked } from "../../sockets/parked.ts";
import type { StreamSocket } from "../../sockets/stream-socket.ts";
import { uvResult } from "./errno.ts";
import { type Request, UV } from "./internals.ts";
import type { NativeHandle } from "./native-handle.ts";
import { contextOf, nextTurn } from "./turns.ts";

/** How far a write has come. */
interface Progress {
  /** undefined: shut down. */
  buffers: Uint8Array[] | undefined;
  /** The buffer to go on with, and how much of it is written. */
  index: number;
  offset: number;
}

/** A write or a shutdown that could not be done at once. */
interface Entry extends Progress {
  readonly request: Request;
  /** It came from C++ and is ended there. */
  readonly isNative: boolean;
  readonly context: AsyncResource;
}

const first: Progress = { buffers: undefined, index: 0, offset: 0 };

/** Writes what the send buffer takes now: 1 when that is all, -EAGAIN, or another errno. */
export function writeNow(socket: StreamSocket, buffers: Uint8Array[]): number {
  first.buffers = buffers;
  first.index = 0;
  first.offset = 0;
  const result = push(socket, first);
  first.buffers = undefined;
  return result;
}

/** The writes of one handle that wait for room in the socket's send buffer, in order. */
export class WriteQueue {
  /** Bytes of writes from C++. */
  nativeBytes = 0;
  private readonly handle: NativeHandle;
  private readonly parked: Parked;
  private readonly onChange: () => void;
  private readonly entries: Entry[] = [];
  /** Done, but not told yet. */
  private untold = 0;
  private isWaiting = false;

  constructor(handle: NativeHandle, parked: Parked, onChange: () => void) {
    this.handle = handle;
    this.parked = parked;
    this.onChange = onChange;
  }

  /** Something waits: what comes now must wait behind it. */
  get hasEntries(): boolean {
    return this.entries.length > 0;
  }

  get isBusy(): boolean {
    return this.entries.length > 0 || this.untold > 0;
  }

  /** Takes over a write that `writeNow` has just left with -EAGAIN. */
  writeLater(socket: StreamSocket, request: Request, buffers: Uint8Array[]): void {
    this.addWrite(socket, request, buffers, first.index, first.offset);
  }

  /** Takes a write that comes after others. */
  writeBehind(socket: StreamSocket, request: Request, buffers: Uint8Array[]): void {
    this.addWrite(socket, request, buffers, 0, 0);
  }

  private addWrite(
    socket: StreamSocket,
    request: Request,
    buffers: Uint8Array[],
    index: number,
    offset: number,
  ): void {
    const context = contextOf("WRITEWRAP");
    this.add(socket, { request, isNative: false, buffers, index, offset, context });
  }

  writeNative(socket: StreamSocket, request: object, buffers: Uint8Array[]): void {
    for (const buffer of buffers) this.nativeBytes += buffer.length;
    const entry: Entry = {
      request,
      isNative: true,
      buffers,
      index: 0,
      offset: 0,
      context: contextOf("WRITEWRAP"),
    };
    if (this.entries.length === 0) {
      const result = push(socket, entry);
      if (result !== -EAGAIN) {
        this.finish(entry, result < 0 ? uvResult(result) : 0);
        return;
      }
    }
    this.add(socket, entry);
  }

  /** Ends the writing side once all that was written before is on its way; as in libuv, in the next turn. */
  shutdown(socket: StreamSocket, request: Request, isNative: boolean): void {
    const context = contextOf("SHUTDOWNWRAP");
    const entry: Entry = { request, isNative, buffers: undefined, index: 0, offset: 0, context };
    this.add(socket, entry);
    if (this.entries.length === 1) nextTurn(context, () => this.flush(socket));
  }

  /** The handle closes: what waits is told UV_ECANCELED. */
  cancel(): void {
    for (const entry of this.entries.splice(0)) this.finish(entry, UV.UV_ECANCELED!);
  }

  private add(socket: StreamSocket, entry: Entry): void {
    this.entries.push(entry);
    this.onChange();
    this.wait(socket);
  }

  /** Waits for the rest of the first buffer to be taken, then goes on. */
  private wait(socket: StreamSocket): void {
    if (this.isWaiting) return;
    const entry = this.entries[0];
    const buffer = entry?.buffers?.[entry.index];
    if (entry === undefined || buffer === undefined) return;
    this.isWaiting = true;
    const rest = buffer.length - entry.offset;
    this.parked.write(socket, buffer, entry.offset, rest, 0, (result) => {
      this.isWaiting = false;
      if (socket.closed || this.entries[0] !== entry) return;
      if (result < 0) {
        this.fail(uvResult(result));
        return;
      }
      entry.offset += result;
      this.flush(socket);
    });
  }

  private flush(socket: StreamSocket): void {
    for (;;) {
      const entry = this.entries[0];
      if (entry === undefined) return;
      if (entry.buffers === undefined) {
        this.entries.shift();
        this.tell(entry, uvResult(socket.shutdown(SHUT_WR)));
        return;
      }
      const result = push(socket, entry);
      if (result === -EAGAIN) {
        this.wait(socket);
        return;
      }
      this.entries.shift();
      this.finish(entry, result < 0 ? uvResult(result) : 0);
      // The shutdown behind it comes after its callback.
      if (this.entries[0]?.buffers === undefined) {
        const last = this.entries[0];
        if (last !== undefined) nextTurn(last.context, () => this.flush(socket));
        return;
      }
    }
  }

  /** The connection broke: nothing that waits will be written. */
  private fail(status: number): void {
    for (const entry of this.entries.splice(0)) this.finish(entry, status);
  }

  private finish(entry: Entry, status: number): void {
    this.untold++;
    nextTurn(entry.context, () => {
      this.untold--;
      this.tell(entry, status);
    });
    this.onChange();
  }

  private tell(entry: Entry, status: number): void {
    const { request } = entry;
    this.onChange();
    if (!entry.isNative) request.oncomplete?.(status, this.handle, undefined);
    else if (entry.buffers === undefined) this.handle.finishShutdown(request, status);
    else this.handle.finishWrite(request, status);
  }
}

function push(socket: StreamSocket, entry: Progress): number {
  const buffers = entry.buffers!;
  while (entry.index < buffers.length) {
    const buffer = buffers[entry.index]!;
    const length = buffer.length - entry.offset;
    // What follows at once need not leave in a segment of its own.
    const flags = entry.index + 1 < buffers.length ? MSG_MORE : 0;
    const sent =
      length === 0 ? 0 : socket.send(buffer, entry.offset, length, flags, undefined, undefined);
    if (sent < 0) return sent;
    if (sent < length) entry.offset += sent;
    else {
      entry.index++;
      entry.offset = 0;
    }
  }
  return 1;
}
