import { createServer, type Server, type Socket } from "node:net";
import type { Connection } from "../../sockets/connection.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";

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

export interface PublishReport {
  readonly client: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error: string | undefined;
}

export interface Published {
  readonly address: string;
  readonly port: number;
  /** Stops listening and lets open connections end, at most for `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

/**
 * Makes a virtual server reachable from the real machine: each connection to
 * a port of the machine is carried over a connection of `host` into the
 * virtual network, with half-close, back-pressure, resets and errors both ways.
 */
export async function publish(host: SocketHost, options: PublishOptions): Promise<Published> {
  const open = new Set<Socket>();
  const { to, limit = 1024 } = options;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (open.size >= limit) {
      socket.resetAndDestroy();
      return;
    }
    open.add(socket);
    socket.on("error", () => {}); // told by the pumps
    const client = `${socket.remoteAddress}:${socket.remotePort}`;
    carry(host, socket, to)
      .then((report) => options.onConnection?.({ client, ...report }))
      .finally(() => open.delete(socket));
  });
  await listen(server, options.port, options.bind ?? "127.0.0.1");
  const where = server.address() as { address: string; port: number };
  return {
    address: where.address,
    port: where.port,
    close: (timeoutMs = 5000) => close(server, open, timeoutMs),
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
      for (const socket of open) socket.resetAndDestroy();
    }, timeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** One connection, carried until both directions are over. */
async function carry(
  host: SocketHost,
  socket: Socket,
  to: { host: string; port: number },
): Promise<Omit<PublishReport, "client">> {
  let bytesIn = 0;
  let bytesOut = 0;
  let inner: Connection;
  try {
    inner = await host.connect({ host: to.host, port: to.port });
  } catch (error) {
    socket.resetAndDestroy();
    return { bytesIn, bytesOut, error: (error as Error).message };
  }
  const inward = async () => {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      bytesIn += chunk.length;
      await inner.write(chunk as Uint8Array);
    }
    await inner.closeWrite();
  };
  const outward = async () => {
    for (;;) {
      const chunk = await inner.read();
      if (chunk === null) break;
      bytesOut += chunk.length;
      if (!socket.write(chunk)) await drained(socket);
    }
    socket.end();
  };
  try {
    await Promise.all([inward(), outward()]);
    await inner.close();
    return { bytesIn, bytesOut, error: undefined };
  } catch (error) {
    // One side broke: the other one hears of it as a reset.
    inner.abort();
    socket.resetAndDestroy();
    return { bytesIn, bytesOut, error: (error as Error).message };
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      socket.off("drain", done);
      socket.off("close", gone);
      if (error) reject(error);
      else resolve();
    };
    const done = () => finish();
    const gone = () => finish(new Error("the client closed the connection"));
    socket.once("drain", done);
    socket.once("close", gone);
    if (socket.destroyed) gone();
  });
}
