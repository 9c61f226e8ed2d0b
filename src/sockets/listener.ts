import { EAGAIN, EBADF, ECANCELED, SocketError } from "../base/errors.ts";
import { Connection } from "./connection.ts";
import { getNamedOption, setNamedOption } from "./option-names.ts";
import type { OptionValue } from "./options/option.ts";
import type { Parked } from "./parked.ts";
import { StreamSocket } from "./stream-socket.ts";
import { onAbort, reasonOf, timeoutError, type WaitOptions } from "./waiting.ts";

/** A listening socket with promises. Connections wait in the accept queue until they are asked for; none is lost. */
export class Listener {
  readonly socket: StreamSocket;
  private readonly parked: Parked;

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
  get isClosed(): boolean {
    return this.socket.closed;
  }

  /** The next connection. Rejects with EBADF when the listener is or gets closed. */
  accept(options?: WaitOptions): Promise<Connection> {
    const { socket } = this;
    if (socket.waiting === undefined && !socket.closed && !options?.signal?.aborted) {
      const accepted = socket.accept();
      if (typeof accepted !== "number") {
        return Promise.resolve(new Connection(accepted, this.parked));
      }
      if (accepted !== -EAGAIN) return Promise.reject(new SocketError(accepted, "accept"));
    }
    return new Promise((resolve, reject) => {
      if (options?.signal?.aborted) {
        reject(options.signal.reason);
        return;
      }
      if (socket.closed) {
        reject(new SocketError(EBADF, "accept"));
        return;
      }
      const operation = this.parked.accept(
        socket,
        (result, op) => {
          off();
          if (op.accepted instanceof StreamSocket) {
            resolve(new Connection(op.accepted, this.parked));
          } else if (result === -EAGAIN) {
            reject(timeoutError("accept", options?.timeout ?? 0));
          } else if (result === -ECANCELED) {
            reject(reasonOf(result, "accept", options?.signal));
          } else {
            reject(new SocketError(result, "accept"));
          }
        },
        options?.timeout ?? 0,
      );
      const off = onAbort(operation, options?.signal);
    });
  }

  /** Connections as they come, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection, void, undefined> {
    while (!this.socket.closed) {
      let connection: Connection;
      try {
        connection = await this.accept();
      } catch (error) {
        if (this.socket.closed && error instanceof SocketError && error.errno === -EBADF) return;
        throw error;
      }
      yield connection;
    }
  }

  /** Stops listening. Connections that nobody accepted are reset; accepted ones go on. */
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
}
