import { EAGAIN, EBADF, ECANCELED, ECONNABORTED, SocketError } from "../base/errors.ts";
import { NO_BYTES, OPERATION_CHUNK, OPERATION_WRITE, Operation } from "./operation.ts";
import type { StreamSocket } from "./stream-socket.ts";
import { onAbort, reasonOf, timeoutError, type WaitOptions } from "./waiting.ts";

const SYSCALL = (kind: number) => (kind === OPERATION_WRITE ? "write" : "read");

/**
 * A read or write of a connection that waits, with its promise. A connection
 * uses the same object again and again: a request-response exchange then makes
 * a promise per wait and nothing else (an Operation and two closures for each
 * cost 13 % of the time in garbage collection).
 */
export class Transfer extends Operation {
  isFree = true;
  private resolve: (value: unknown) => void = nothing;
  private reject: (reason: unknown) => void = nothing;
  private options: WaitOptions | undefined = undefined;
  private off: () => void = nothing;
  private readonly executor = (
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) => {
    this.resolve = resolve;
    this.reject = reject;
  };

  constructor(kind: number, socket: StreamSocket) {
    super(kind, socket, nothing);
  }

  /** Begins; the promise is as the kind has it. */
  start(
    buffer: Uint8Array,
    offset: number,
    length: number,
    options: WaitOptions | undefined,
  ): Promise<unknown> {
    this.isFree = false;
    this.settled = false;
    this.done = 0;
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
    const promise = new Promise(this.executor);
    const { system } = this.socket;
    system.begin(this);
    if (options !== undefined) {
      this.options = options;
      if (options.timeout !== undefined) system.limit(this, options.timeout * 1000, -EAGAIN);
      this.off = onAbort(this, options.signal);
    }
    return promise;
  }

  override deliver(): void {
    const { kind, result, buffer, done, length, resolve, reject, options } = this;
    this.off();
    this.off = nothing;
    this.options = undefined;
    this.buffer = NO_BYTES;
    this.isFree = true;
    if (kind === OPERATION_WRITE) {
      if (result === length) resolve(undefined);
      else reject(this.writeFailure(result, done, length, options));
    } else if (result >= 0) {
      resolve(kind !== OPERATION_CHUNK ? result : result > 0 ? buffer : null);
    } else if (result === -EBADF && !(this.socket as StreamSocket).wasAborted) {
      // Closed by ourselves: to the reader that is the end.
      resolve(kind === OPERATION_CHUNK ? null : 0);
    } else {
      reject(this.failure(result, options));
    }
  }

  private failure(result: number, options: WaitOptions | undefined): unknown {
    const syscall = SYSCALL(this.kind);
    if (result === -EBADF && (this.socket as StreamSocket).wasAborted) {
      return new SocketError(ECONNABORTED, syscall);
    }
    if (result === -EAGAIN) return timeoutError(syscall, options?.timeout ?? 0);
    if (result === -ECANCELED) return reasonOf(result, syscall, options?.signal);
    return new SocketError(result, syscall);
  }

  /** Not everything could be written: the reason is the socket's error, or the limit that was set. */
  private writeFailure(
    result: number,
    done: number,
    length: number,
    options: WaitOptions | undefined,
  ): unknown {
    if (result < 0) return this.failure(result, options);
    if (this.socket.closed) return this.failure(-EBADF, options);
    const errno = this.socket.takeError();
    if (errno !== 0) return new SocketError(errno, "write");
    if (options?.signal?.aborted) return options.signal.reason;
    return timeoutError(`write (${done} of ${length} bytes)`, options?.timeout ?? 0);
  }
}

function nothing(): void {}
