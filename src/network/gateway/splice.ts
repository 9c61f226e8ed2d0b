import type { Socket } from "node:net";
import type { Connection } from "../../sockets/connection.ts";

export interface SpliceReport {
  /** Bytes from the real network into the virtual one, and back. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error: string | undefined;
}

/**
 * Carries bytes between a connection of a host and a socket of the operating
 * system until both directions are over: an end on one side is a half-close on
 * the other, what cannot be written is not read, and when one side breaks the
 * other one hears of it as a reset. The promise does not reject.
 */
export async function splice(inner: Connection, socket: Socket): Promise<SpliceReport> {
  let bytesIn = 0;
  let bytesOut = 0;
  // Told by the iterator and by `drained`.
  socket.on("error", NOTHING);
  const inward = async () => {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      bytesIn += (chunk as Uint8Array).length;
      await inner.write(chunk as Uint8Array);
    }
    if (!socket.readableEnded) throw new Error("the connection to the real network was cut");
    inner.closeWrite();
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
    await both(inward(), outward(), () => {
      // The other direction waits for a side that will not come back.
      inner.abort();
      resetSocket(socket);
    });
    await inner.close();
    return { bytesIn, bytesOut, error: undefined };
  } catch (error) {
    inner.abort();
    resetSocket(socket);
    return { bytesIn, bytesOut, error: (error as Error).message };
  }
}

const NOTHING = () => {};

async function both(
  first: Promise<void>,
  second: Promise<void>,
  onFailure: () => void,
): Promise<void> {
  const results = await Promise.allSettled(
    [first, second].map((one) =>
      one.catch((error: Error) => {
        onFailure();
        throw error;
      }),
    ),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** RST if there is still a connection to reset. */
export function resetSocket(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
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
    const gone = () => finish(socket.errored ?? new Error("the peer closed the connection"));
    socket.once("drain", done);
    socket.once("close", gone);
    if (socket.destroyed) gone();
  });
}
