/** A small authoritative DNS server, over UDP and TCP (RFC 7766). */
import { type DnsZone, respond } from "./dns-zone.ts";
import {
  type DatagramSocket,
  hasCode,
  type StreamConnection,
  type StreamListener,
} from "./faces.ts";

/** An idle connection is closed after this (RFC 7766 §6.2.3: "in the order of a few seconds"). */
const IDLE_MS = 10_000;

/** What a connection's bytes add up to: messages with their length in front (RFC 1035 §4.2.2). */
export class DnsMessageReader {
  private readonly connection: StreamConnection;
  private held = new Uint8Array(0);

  constructor(connection: StreamConnection) {
    this.connection = connection;
  }

  /** The next message; undefined at the end of data. Rejects with ETIMEDOUT. */
  async next(timeout: number): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.held.length >= 2) {
        const end = 2 + ((this.held[0] << 8) | this.held[1]);
        if (this.held.length >= end) {
          const message = this.held.slice(2, end);
          this.held = this.held.slice(end);
          return message;
        }
      }
      const chunk = await this.connection.read({ timeout });
      if (chunk === null) return undefined;
      const joined = new Uint8Array(this.held.length + chunk.length);
      joined.set(this.held);
      joined.set(chunk, this.held.length);
      this.held = joined;
    }
  }
}

/** A message with its length in front, in one piece (RFC 7766 §8). */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2);
  framed[0] = message.length >>> 8;
  framed[1] = message.length & 255;
  framed.set(message, 2);
  return framed;
}

/** Answers the queries of a UDP socket until it is closed. */
export async function serveDnsUdp(
  zones: readonly DnsZone[],
  socket: DatagramSocket,
): Promise<void> {
  for (;;) {
    try {
      const { data, address, port } = await socket.receive();
      const reply = respond(zones, data, true);
      if (reply !== undefined) await socket.send(reply, { address, port });
    } catch (error) {
      if (hasCode(error, "EBADF")) return;
      // Errors of the network (nobody listens there any more) concern one asker only.
      if (!(error instanceof Error) || !("code" in error)) throw error;
    }
  }
}

/** Answers the queries of each connection until the listener is closed. */
export async function serveDnsTcp(
  zones: readonly DnsZone[],
  listener: StreamListener,
): Promise<void> {
  for await (const connection of listener) void serveConnection(zones, connection);
}

async function serveConnection(
  zones: readonly DnsZone[],
  connection: StreamConnection,
): Promise<void> {
  const reader = new DnsMessageReader(connection);
  try {
    for (;;) {
      const query = await reader.next(IDLE_MS);
      if (query === undefined) break;
      const reply = respond(zones, query, false);
      if (reply === undefined) break;
      await connection.write(withLength(reply));
    }
    await connection.close();
  } catch {
    // It timed out or was reset: nobody waits for more.
    connection.abort();
  }
}
