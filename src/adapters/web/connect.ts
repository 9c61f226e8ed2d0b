import type { Connection } from "../../sockets/connection.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { byteStreams, settling } from "./byte-streams.ts";
import { portOf } from "./errors.ts";

/** https://sockets-api.proposal.wintertc.org/ */
export interface SocketAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface SocketOptions {
  /** "off" unless the adapter was given TLS. */
  readonly secureTransport?: "off" | "on" | "starttls";
  /** Default false: the end of the peer's data ends our side too. */
  readonly allowHalfOpen?: boolean;
}

export interface SocketInfo {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly alpn: string | null;
}

/** What a socket's promises reject with. `cause` is the error of the stack, with its `code`. */
export class SocketError extends TypeError {
  override readonly name = "SocketError";
  constructor(message: string, options?: ErrorOptions) {
    super(`SocketError: ${message}`, options);
  }
}

/** The WinterTC socket: its streams are there at once, and wait for the connection. */
export class Socket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;
  readonly opened: Promise<SocketInfo>;
  readonly closed: Promise<void>;
  readonly upgraded = false;
  readonly secureTransport = "off";
  private readonly connecting: Promise<Connection>;
  private readonly settle: { resolve(): void; reject(reason: unknown): void };
  private isClosing = false;

  constructor(connecting: Promise<Connection>, options: SocketOptions) {
    const closed = settling();
    this.settle = closed;
    this.closed = closed.promise;
    this.connecting = connecting;
    const streams = connecting.then((connection) => byteStreams(connection, socketError));
    this.opened = connecting.then(
      (c) => ({
        remoteAddress: hostAndPort(c.remoteAddress, c.remotePort),
        localAddress: hostAndPort(c.localAddress, c.localPort),
        alpn: null,
      }),
      (error: unknown) => {
        const reason = socketError(error);
        closed.reject(reason);
        throw reason;
      },
    );
    this.opened.catch(() => {});
    const inner = streams.then((made) => ({
      ...made,
      reader: made.readable.getReader({ mode: "byob" }),
      writer: made.writable.getWriter(),
    }));
    inner.catch(() => {});
    this.readable = readableOf(inner);
    this.writable = writableOf(inner);
    inner
      .then(async ({ readEnded, writeEnded, writer }) => {
        if (!options.allowHalfOpen) {
          void readEnded.then(
            () => writer.close().catch(() => {}),
            () => {},
          );
        }
        await Promise.all([readEnded, writeEnded]);
        await (await connecting).close();
      })
      .then(closed.resolve, closed.reject);
  }

  /** Ends both sides: what was written is still delivered. */
  close(_reason?: unknown): Promise<void> {
    if (!this.isClosing) {
      this.isClosing = true;
      this.connecting.then(
        (connection) => connection.close().then(this.settle.resolve, this.settle.reject),
        () => {},
      );
    }
    return this.closed;
  }

  /** There is no TLS in the stack; programs that need it bring it (see docs). */
  startTls(): never {
    throw noTls();
  }
}

type Inner = Promise<{
  reader: ReadableStreamBYOBReader;
  writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;
}>;

/** Bytes of the connection once it is there. */
function readableOf(inner: Inner): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 65_536,
    async pull(controller: ReadableByteStreamController) {
      const request = controller.byobRequest!;
      const view = request.view!;
      let reader: ReadableStreamBYOBReader;
      try {
        ({ reader } = await inner);
      } catch (error) {
        controller.error(socketError(error));
        return;
      }
      // The view's memory goes to the inner stream and comes back filled.
      const { done, value } = await reader.read(
        new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength),
      );
      if (done) controller.close();
      if (value === undefined) request.respond(0);
      else request.respondWithNewView(value);
    },
    async cancel(reason: unknown) {
      await (await inner).reader.cancel(reason);
    },
  } as UnderlyingByteSource);
}

function writableOf(inner: Inner): WritableStream<ArrayBuffer | ArrayBufferView> {
  return new WritableStream({
    async write(chunk) {
      const { writer } = await inner.catch((error: unknown) => {
        throw socketError(error);
      });
      await writer.write(chunk);
    },
    async close() {
      await (await inner).writer.close();
    },
    async abort(reason) {
      await (await inner).writer.abort(reason);
    },
  });
}

function socketError(error: unknown): SocketError {
  if (error instanceof SocketError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SocketError(message, { cause: error });
}

function noTls(): SocketError {
  return new SocketError(
    "this socket has no TLS: use secureTransport off, and in Node tls.connect({ socket }) of fullduplex/node",
  );
}

function hostAndPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `connect("db.example:5432")`, `connect({ hostname, port })`: the function of a host. */
export function connectFunction(host: SocketHost) {
  return function connect(address: string | SocketAddress, options: SocketOptions = {}): Socket {
    const { hostname, port } = typeof address === "string" ? parse(address) : address;
    if (typeof hostname !== "string" || hostname === "") {
      throw new SocketError(`hostname is ${String(hostname)}: give a name or an address`);
    }
    const { secureTransport = "off" } = options;
    if (!["off", "on", "starttls"].includes(secureTransport)) {
      throw new TypeError(`secureTransport is ${secureTransport}: give "off", "on" or "starttls"`);
    }
    if (secureTransport !== "off") throw noTls();
    return new Socket(host.connect({ host: hostname, port: portOf(port, "port", 1) }), options);
  };
}

function parse(text: string): SocketAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) {
    throw new SocketError(`"${text}" is no address: write NAME:PORT, or [ADDRESS]:PORT for IPv6`);
  }
  return { hostname: match[1] ?? match[2]!, port: Number(match[3]) };
}
