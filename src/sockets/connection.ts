import { EAGAIN, EBADF, ECONNABORTED, SocketError } from "../base/errors.ts";
import type { TcpInfo } from "../tcp/info.ts";
import { readChunk } from "./attempt.ts";
import { SHUT_WR } from "./constants.ts";
import { NO_BYTES, OPERATION_CHUNK, OPERATION_READ, OPERATION_WRITE } from "./operation.ts";
import { getNamedOption, setNamedOption } from "./option-names.ts";
import type { OptionValue } from "./options/option.ts";
import type { Parked } from "./parked.ts";
import type { StreamSocket } from "./stream-socket.ts";
import { Transfer } from "./transfer.ts";
import { encodeUtf8 } from "./utf8.ts";
import type { WaitOptions } from "./waiting.ts";

const WRITTEN = Promise.resolve();
const END = Promise.resolve(null);

/**
 * A TCP connection with promises. Reading gives the bytes in order until the
 * end of data; writing waits until the bytes are in the send buffer. What has
 * been asked for settles in the order asked; every promise settles.
 */
export class Connection {
  /** The socket below, for the calls of the lower floors. */
  readonly socket: StreamSocket;
  private readonly parked: Parked;
  private closedPromise: Promise<void> | undefined = undefined;
  private reader: Transfer | undefined = undefined;
  private writer: Transfer | undefined = undefined;

  constructor(socket: StreamSocket, parked: Parked) {
    this.socket = socket;
    this.parked = parked;
  }

  get localAddress(): string {
    return this.socket.localName().address.toString();
  }
  get localPort(): number {
    return this.socket.localName().port;
  }
  get remoteAddress(): string {
    return this.socket.peerName().address.toString();
  }
  get remotePort(): number {
    return this.socket.peerName().port;
  }

  // Reading

  /** The next bytes, up to 64 KB, in a buffer of their own; null at the end of data. */
  read(options?: WaitOptions): Promise<Uint8Array | null> {
    const { socket } = this;
    if (this.isFree(true) && !options?.signal?.aborted) {
      const chunk = readChunk(socket);
      if (typeof chunk !== "number") return Promise.resolve(chunk);
      if (chunk === 0) return END;
      if (chunk !== -EAGAIN) return Promise.reject(new SocketError(chunk, "read"));
    }
    const refused = this.refuse("read", options);
    if (refused !== undefined) return refused;
    return this.transfer(OPERATION_CHUNK, NO_BYTES, 0, 0, options) as Promise<Uint8Array | null>;
  }

  /** Reads into `buffer`, as much as is there: the number of bytes, 0 at the end of data. The buffer is the stack's until then. */
  readInto(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    const { socket } = this;
    if (this.isFree(true) && !options?.signal?.aborted) {
      const result = socket.receive(buffer, 0, buffer.length, 0, undefined);
      if (result >= 0) return Promise.resolve(result);
      if (result !== -EAGAIN) return Promise.reject(new SocketError(result, "read"));
    }
    const refused = this.refuse("read", options);
    if (refused !== undefined) return refused;
    return this.transfer(OPERATION_READ, buffer, 0, buffer.length, options) as Promise<number>;
  }

  /** The bytes as they come, until the end of data. Leaving the loop early closes the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = await this.read();
        if (chunk === null) return;
        yield chunk;
      }
    } finally {
      if (!this.socket.hasReadAll) await this.close();
    }
  }

  // Writing

  /** Hands over bytes, or text as UTF-8; resolves when all are in the send buffer. Bytes must not change until then. */
  write(data: Uint8Array | string, options?: WaitOptions): Promise<void> {
    const { socket } = this;
    const bytes = typeof data === "string" ? encodeUtf8(data) : data;
    let done = 0;
    if (this.isFree(false) && !options?.signal?.aborted) {
      const result = socket.send(bytes, 0, bytes.length, 0, undefined, undefined);
      if (result === bytes.length) return WRITTEN;
      if (result < 0 && result !== -EAGAIN) {
        return Promise.reject(new SocketError(result, "write"));
      }
      done = Math.max(0, result);
    }
    const refused = this.refuse("write", options);
    if (refused !== undefined) return refused;
    const length = bytes.length - done;
    return this.transfer(OPERATION_WRITE, bytes, done, length, options) as Promise<void>;
  }

  /** The waiting part of a read or write: the connection's own object for it, or another when that is busy. */
  private transfer(
    kind: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    options: WaitOptions | undefined,
  ): Promise<unknown> {
    const own = kind === OPERATION_WRITE ? this.writer : this.reader;
    if (own !== undefined && own.isFree && own.kind === kind) {
      return own.start(buffer, offset, length, options);
    }
    const made = new Transfer(kind, this.socket);
    if (kind === OPERATION_WRITE) this.writer = made;
    else this.reader = made;
    return made.start(buffer, offset, length, options);
  }

  /** Says that no more will be written: FIN after what is in the send buffer. Reading goes on. */
  closeWrite(): void {
    if (this.socket.closed) throw new SocketError(EBADF, "shutdown");
    const result = this.socket.shutdown(SHUT_WR);
    if (result < 0) throw new SocketError(result, "shutdown");
  }

  // Ending

  /**
   * Gives the connection up in good order: what was written is still
   * delivered, then FIN; unread data makes it a reset (RFC 9293 SHLD-3).
   * Resolves at once, or with SO_LINGER when all is acknowledged or the time is over.
   */
  close(): Promise<void> {
    const { socket } = this;
    if (socket.closed) return WRITTEN;
    const { lingerUs } = socket.connection.options;
    if (lingerUs > 0 && socket.outq() > 0) {
      socket.shutdown(SHUT_WR);
      return new Promise((resolve) => {
        this.parked.drain(
          socket,
          (result) => {
            if (result === 1) socket.abort();
            socket.close();
            resolve();
          },
          lingerUs / 1000,
        );
      });
    }
    socket.close();
    return WRITTEN;
  }

  /** Ends it at once with RST; pending reads and writes reject with ECONNABORTED. */
  abort(): void {
    const { socket } = this;
    if (socket.closed) return;
    socket.abort();
    socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when the connection is over on both sides and delivered; rejects with what broke it. */
  get closed(): Promise<void> {
    this.closedPromise ??= new Promise((resolve, reject) => {
      const { socket } = this;
      const settle = () => {
        const errno = socket.finalError;
        if (errno === 0 || errno === ECONNABORTED)
          resolve(); // or it was our own wish
        else reject(new SocketError(errno, "connection"));
      };
      if (socket.isGone) settle();
      else socket.onGone = settle;
    });
    return this.closedPromise;
  }

  // Options

  /** By its name in C: `setOption("TCP_NODELAY", true)`. */
  setOption(name: string, value: OptionValue): void {
    setNamedOption(this.socket, name, value);
  }
  getOption(name: string): OptionValue {
    return getNamedOption(this.socket, name);
  }

  /** State, round-trip times, windows, counters: what TCP_INFO tells. */
  info(): TcpInfo {
    return this.socket.info();
  }

  /** Whether it keeps the process alive; it does unless told otherwise. */
  ref(): this {
    this.socket.setReferenced(true);
    return this;
  }
  unref(): this {
    this.socket.setReferenced(false);
    return this;
  }

  /** May an operation of this direction go ahead at once? */
  private isFree(reading: boolean): boolean {
    const { socket } = this;
    return (
      !socket.closed && (socket.waiting === undefined || !socket.system.isBusy(socket, reading))
    );
  }

  /** A rejection for what cannot even begin. */
  private refuse(syscall: string, options: WaitOptions | undefined): Promise<never> | undefined {
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (!this.socket.closed) return undefined;
    const errno = this.socket.wasAborted ? ECONNABORTED : EBADF;
    return Promise.reject(new SocketError(errno, syscall));
  }
}
