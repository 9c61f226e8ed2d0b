import type { Server, Socket } from "node:net";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { listenKernel } from "./kernel-sockets.ts";
import { resetSocket, splice, type SpliceReport } from "./splice.ts";

export interface PublishOptions {
  /** Where the real machine listens. Default 127.0.0.1: only the machine itself gets in. */
  readonly bind?: string;
  /** 0: a free port. */
  readonly port: number;
  /** The virtual address and port behind it. */
  readonly to: { readonly host: string; readonly port: number };
  /** Most connections at once; more are refused. Default 1024. */
  readonly limit?: number;
  /** Told of each connection when it is over. */
  readonly onConnection?: (report: PublishReport) => void;
}

export interface PublishReport extends SpliceReport {
  readonly client: string;
}

export interface Published {
  readonly address: string;
  readonly port: number;
  /** Stops listening and lets open connections end, at most for `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
  /** The port by itself does not keep the process alive. */
  unref(): void;
}

/**
 * Makes a virtual server reachable from the real machine: each connection to
 * a port of the machine is carried over a connection of `host` into the
 * virtual network, with half-close, back-pressure, resets and errors both ways.
 */
export async function publish(host: SocketHost, options: PublishOptions): Promise<Published> {
  const open = new Set<Socket>();
  const { to, limit = 1024 } = options;
  const server = listenKernel((socket) => {
    if (open.size >= limit) {
      socket.resetAndDestroy();
      return;
    }
    open.add(socket);
    socket.on("error", () => {}); // splice() tells
    const client = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on("close", () => open.delete(socket));
    void carry(host, socket, to).then((report) => options.onConnection?.({ client, ...report }));
  });
  await listen(server, options.port, options.bind ?? "127.0.0.1");
  const where = server.address() as { address: string; port: number };
  return {
    address: where.address,
    port: where.port,
    close: (timeoutMs = 5000) => close(server, open, timeoutMs),
    unref: () => void server.unref(),
  };
}

function listen(server: Server, port: number, bind: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, bind, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server, open: Set<Socket>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const socket of open) resetSocket(socket);
    }, timeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function carry(
  host: SocketHost,
  socket: Socket,
  to: PublishOptions["to"],
): Promise<SpliceReport> {
  try {
    const inner = await host.connect({ host: to.host, port: to.port });
    return await splice(inner, socket);
  } catch (error) {
    resetSocket(socket);
    return { bytesIn: 0, bytesOut: 0, error: (error as Error).message };
  }
}
