/** Reads everything and says nothing (RFC 863). */
import type { StreamConnection, StreamListener } from "./faces.ts";
import { serveEach } from "./serve-each.ts";

export function serveDiscard(listener: StreamListener): Promise<void> {
  return serveEach(listener, discard);
}

/** Reads until the end of data. */
export async function discard(connection: StreamConnection): Promise<void> {
  while ((await connection.read()) !== null);
}
