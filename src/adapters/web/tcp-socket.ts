import type { Connection } from "../../sockets/connection.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { byteStreams, type ByteStreams, settling } from "./byte-streams.ts";
import { familyOf, invalidState, networkError, portOf, sizeOf } from "./errors.ts";

/** https://wicg.github.io/direct-sockets/#dom-tcpsocketoptions */
export interface TCPSocketOptions {
  readonly sendBufferSize?: number;
  readonly receiveBufferSize?: number;
  readonly noDelay?: boolean;
  /** Milliseconds of silence before the first keep-alive probe, at least 1000. Default: no probes. */
  readonly keepAliveDelay?: number;
  readonly dnsQueryType?: "ipv4" | "ipv6";
}

export interface TCPSocketOpenInfo {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface TCPSocket {
  /** Rejects with NetworkError, whose `cause` is the socket error. */
  readonly opened: Promise<TCPSocketOpenInfo>;
  /** Resolves when both streams are over in good order; rejects with what broke them. */
  readonly closed: Promise<void>;
  /** Cancels and aborts both streams. Rejects with InvalidStateError while one is locked or nothing is open. */
  close(): Promise<void>;
}

/** The state behind a TCPSocket, whether it connected or was accepted. */
export class OpenTcp implements TCPSocket {
  readonly opened: Promise<TCPSocketOpenInfo>;
  readonly closed: Promise<void>;
  private info: TCPSocketOpenInfo | undefined = undefined;

  constructor(connecting: Promise<Connection>) {
    const closed = settling();
    this.closed = closed.promise;
    this.opened = connecting.then(
      (connection) => {
        const streams = byteStreams(connection, networkError);
        void finish(connection, streams).then(closed.resolve, closed.reject);
        this.info = infoOf(connection, streams);
        return this.info;
      },
      (error: unknown) => {
        const reason = networkError(error);
        closed.reject(reason);
        throw reason;
      },
    );
    this.opened.catch(() => {});
  }

  async close(): Promise<void> {
    const { info } = this;
    if (info === undefined) throw invalidState("the socket is not open; wait for `opened`");
    if (info.readable.locked || info.writable.locked) {
      throw invalidState("a stream of the socket is locked; release its reader and writer first");
    }
    await Promise.all([info.readable.cancel(), info.writable.abort()]).catch(() => {});
    return this.closed;
  }
}

/** Waits for both directions, then lets the connection go. */
async function finish(connection: Connection, streams: ByteStreams): Promise<void> {
  try {
    await Promise.all([streams.readEnded, streams.writeEnded]);
  } catch (error) {
    connection.abort();
    throw error;
  }
  await connection.close();
}

function infoOf(connection: Connection, streams: ByteStreams): TCPSocketOpenInfo {
  const { readable, writable } = streams;
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  return { readable, writable, remoteAddress, remotePort, localAddress, localPort };
}

export type TCPSocketClass = new (
  remoteAddress: string,
  remotePort: number,
  options?: TCPSocketOptions,
) => TCPSocket;

/** The class of a host: `new TCPSocket("10.0.0.2", 80)`. */
export function tcpSocketClass(host: SocketHost): TCPSocketClass {
  return class TCPSocket extends OpenTcp {
    constructor(remoteAddress: string, remotePort: number, options: TCPSocketOptions = {}) {
      const port = portOf(remotePort, "remotePort", 1);
      const { noDelay, keepAliveDelay, dnsQueryType } = options;
      if (keepAliveDelay !== undefined && !(keepAliveDelay >= 1000)) {
        throw new TypeError(`keepAliveDelay is ${keepAliveDelay}: give milliseconds, 1000 or more`);
      }
      const sendBuffer = sizeOf(options.sendBufferSize, "sendBufferSize");
      const receiveBuffer = sizeOf(options.receiveBufferSize, "receiveBufferSize");
      const family = familyOf(dnsQueryType);
      super(
        host.connect({
          host: String(remoteAddress),
          port,
          noDelay: noDelay ?? false,
          ...(family !== undefined && { family }),
          ...(sendBuffer !== undefined && { sendBuffer }),
          ...(receiveBuffer !== undefined && { receiveBuffer }),
          ...(keepAliveDelay !== undefined && { keepAlive: true, keepAliveIdle: keepAliveDelay }),
        }),
      );
    }
  };
}
