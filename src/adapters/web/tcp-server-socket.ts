import type { Listener } from "../../sockets/listener.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { settling } from "./byte-streams.ts";
import { invalidState, networkError, portOf } from "./errors.ts";
import { OpenTcp, type TCPSocket } from "./tcp-socket.ts";

/** https://wicg.github.io/direct-sockets/#dom-tcpserversocketoptions */
export interface TCPServerSocketOptions {
  /** Default: a free port. */
  readonly localPort?: number;
  readonly backlog?: number;
  /** Only for the address "::". Default false: IPv4 is taken too. */
  readonly ipv6Only?: boolean;
}

export interface TCPServerSocketOpenInfo {
  readonly readable: ReadableStream<TCPSocket>;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface TCPServerSocket {
  readonly opened: Promise<TCPServerSocketOpenInfo>;
  readonly closed: Promise<void>;
  /** Stops listening. Rejects with InvalidStateError while the stream is locked or nothing is open. */
  close(): Promise<void>;
}

export type TCPServerSocketClass = new (
  localAddress: string,
  options?: TCPServerSocketOptions,
) => TCPServerSocket;

/** The class of a host: `new TCPServerSocket("::", { localPort: 80 })`. */
export function tcpServerSocketClass(host: SocketHost): TCPServerSocketClass {
  return class TCPServerSocket {
    readonly opened: Promise<TCPServerSocketOpenInfo>;
    readonly closed: Promise<void>;
    /** Internal. */
    #info: TCPServerSocketOpenInfo | undefined = undefined;

    constructor(localAddress: string, options: TCPServerSocketOptions = {}) {
      const { backlog, ipv6Only } = options;
      const port = options.localPort === undefined ? 0 : portOf(options.localPort, "localPort", 1);
      if (ipv6Only !== undefined && localAddress !== "::") {
        throw new TypeError('ipv6Only goes with the address "::" alone');
      }
      if (backlog !== undefined && !(backlog > 0)) {
        throw new TypeError(`backlog is ${backlog}: give a number, more than 0`);
      }
      const closed = settling();
      this.closed = closed.promise;
      const listening = host.listen({
        port,
        address: String(localAddress),
        ...(backlog !== undefined && { backlog }),
        ...(ipv6Only !== undefined && { ipv6Only }),
      });
      this.opened = listening.then(
        (listener) => {
          const { localAddress: address, localPort } = listener;
          const readable = connections(listener, closed.resolve, closed.reject);
          this.#info = { readable, localAddress: address, localPort };
          return this.#info;
        },
        (error: unknown) => {
          const reason = networkError(error);
          closed.reject(reason);
          throw reason;
        },
      );
      this.opened.catch(() => {});
    }

    /** Stops listening. Rejects with InvalidStateError while the stream is locked or nothing is open. */
    async close(): Promise<void> {
      const info = this.#info;
      if (info === undefined) throw invalidState("the server is not open; wait for `opened`");
      if (info.readable.locked) {
        throw invalidState("the stream of connections is locked; release its reader first");
      }
      await info.readable.cancel().catch(() => {});
      return this.closed;
    }
  };
}

function connections(
  listener: Listener,
  resolve: () => void,
  reject: (reason: unknown) => void,
): ReadableStream<TCPSocket> {
  return new ReadableStream<TCPSocket>(
    {
      async pull(controller) {
        try {
          const connection = await listener.accept();
          controller.enqueue(new OpenTcp(Promise.resolve(connection)));
        } catch (error) {
          if (listener.isClosed) return;
          const reason = networkError(error);
          reject(reason);
          controller.error(reason);
        }
      },
      cancel() {
        listener.close();
        resolve();
      },
    },
    // Connections wait in the accept queue, where the backlog bounds them.
    { highWaterMark: 0 },
  );
}
