/** Reads everything and says nothing (RFC 863). */
import type { StreamListener } from "./faces.ts";
import { serveEach } from "./serve-each.ts";

export function serveDiscard(listener: StreamListener): Promise<void> {
  return serveEach(listener, async (connection) => {
    while ((await connection.read()) !== null);
  });
}
