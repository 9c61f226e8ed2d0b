/** Sends back what comes (RFC 862). */
import {
  type DatagramSocket,
  hasCode,
  type StreamConnection,
  type StreamListener,
} from "./faces.ts";
import { serveEach } from "./serve-each.ts";

export function serveEcho(listener: StreamListener): Promise<void> {
  return serveEach(listener, echo);
}

async function echo(connection: StreamConnection): Promise<void> {
  for (;;) {
    const chunk = await connection.read();
    if (chunk === null) return;
    await connection.write(chunk);
  }
}

export async function serveEchoUdp(socket: DatagramSocket): Promise<void> {
  for (;;) {
    try {
      const { data, address, port } = await socket.receive();
      // RFC 862 over UDP can be made to play ping-pong with another small service: those are left alone.
      if (port >= 1024) await socket.send(data, { address, port });
    } catch (error) {
      if (hasCode(error, "EBADF")) return;
      if (!(error instanceof Error) || !("code" in error)) throw error;
    }
  }
}
