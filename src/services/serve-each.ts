import type { StreamConnection, StreamListener } from "./faces.ts";

/**
 * Gives each connection of a listener to `handler`, all at once, and closes it
 * afterwards; one that breaks concerns nobody else. Resolves when the listener
 * is closed.
 */
export async function serveEach(
  listener: StreamListener,
  handler: (connection: StreamConnection) => Promise<void>,
): Promise<void> {
  for await (const connection of listener) {
    handler(connection)
      .then(() => connection.close())
      .catch(() => connection.abort());
  }
}
