/** The resolver's queries over sockets. */
import type { DnsTransport, Nameserver } from "./dns-exchange.ts";
import { DnsMessageReader, withLength } from "./dns-server.ts";
import { type DatagramSocket, hasCode, type StreamConnection } from "./faces.ts";

export interface DnsSockets {
  /** A UDP socket on a random port, connected to the server, so that it hears nobody else. */
  udp(server: Nameserver): Promise<DatagramSocket>;
  connect(server: Nameserver, timeoutMs: number): Promise<StreamConnection>;
  /** Microseconds of the network's clock. */
  now(): number;
}

export function dnsTransport(sockets: DnsSockets): DnsTransport {
  return {
    async udp(server, query, accepts, timeoutMs) {
      const deadlineUs = sockets.now() + timeoutMs * 1000;
      const socket = await sockets.udp(server);
      try {
        await socket.send(query);
        for (;;) {
          const leftMs = (deadlineUs - sockets.now()) / 1000;
          if (leftMs <= 0) return undefined;
          const { data } = await socket.receive({ timeout: leftMs });
          // What does not fit may be forged: it is ignored, and the waiting goes on (RFC 5452 §9.1).
          if (accepts(data)) return data;
        }
      } catch (error) {
        if (hasCode(error, "ETIMEDOUT")) return undefined;
        throw error;
      } finally {
        socket.close();
      }
    },
    async tcp(server, query, timeoutMs) {
      let connection: StreamConnection | undefined;
      try {
        connection = await sockets.connect(server, timeoutMs);
        await connection.write(withLength(query));
        const reply = await new DnsMessageReader(connection).next(timeoutMs);
        await connection.close();
        return reply;
      } catch (error) {
        connection?.abort();
        if (hasCode(error, "ETIMEDOUT")) return undefined;
        throw error;
      }
    },
  };
}
