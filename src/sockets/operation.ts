import type { TimerTarget } from "../base/timers.ts";
import type { ReceiveInfo } from "./message.ts";
import type { Socket } from "./socket.ts";
import type { SocketAddress } from "./socket-address.ts";

export const OPERATION_ACCEPT = 1;
export const OPERATION_CONNECT = 2;
export const OPERATION_READ = 3;
export const OPERATION_WRITE = 4;
export const OPERATION_POLL = 5;
/** close() with SO_LINGER. */
export const OPERATION_LINGER = 6;
/** A read whose buffer is made when it is known how large it must be. */
export const OPERATION_CHUNK = 7;
/** The same for a datagram: the buffer is as long as it is. */
export const OPERATION_DATAGRAM = 8;

/** Called from takeEvents, never from inside the call that began the operation. `result` is >= 0 or -errno. */
export type Completion = (result: number, operation: Operation) => void;

/** What stands in the queue of completions. */
export interface Deliverable {
  deliver(): void;
}

export const NO_BYTES = new Uint8Array(0);

/**
 * A call that waits: one object per call, in the list of its socket until it
 * completes, then in the queue of completions, then with its callback.
 */
export class Operation implements TimerTarget, Deliverable {
  readonly kind: number;
  readonly socket: Socket;
  readonly callback: Completion;
  result = 0;
  /** ACCEPT: the new socket. */
  accepted: Socket | undefined = undefined;

  buffer: Uint8Array = NO_BYTES;
  offset = 0;
  length = 0;
  /** Bytes moved so far. */
  done = 0;
  flags = 0;
  /** WRITE: it has begun the connection, and waits for its handshake as well. */
  opens = false;
  /** POLL: bits waited for. */
  mask = 0;
  to: SocketAddress | undefined = undefined;
  info: ReceiveInfo | undefined = undefined;

  /** Next in the socket's list. */
  next: Operation | undefined = undefined;
  settled = false;
  timerId = -1;
  /** -errno that a timeout reports; a transfer reports the bytes moved if any. */
  timeoutResult = 0;

  constructor(kind: number, socket: Socket, callback: Completion) {
    this.kind = kind;
    this.socket = socket;
    this.callback = callback;
  }

  deliver(): void {
    this.callback(this.result, this);
  }

  onTimer(_nowUs: number): void {
    const result = this.done > 0 ? this.done : this.timeoutResult;
    this.socket.system.settle(this, result);
  }
}
