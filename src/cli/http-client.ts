import type { Connection } from "../sockets/connection.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { Failure } from "./failure.ts";

export interface FetchedHttp {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, when the server says. */
  readonly length: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  abort(): void;
}

const MAX_HEAD = 64 * 1024;

/** One GET over a connection of its own, as HTTP/1.0 knows it: no chunks, the end is the end. */
export async function fetchHttp(host: SocketHost, url: URL): Promise<FetchedHttp> {
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const connection = await host.connect({ host: name, port: Number(url.port || 80) });
  await connection.write(
    `GET ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\nUser-Agent: fullduplex\r\nConnection: close\r\n\r\n`,
  );
  let held = Buffer.alloc(0);
  for (;;) {
    const end = held.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [first = "", ...lines] = held.subarray(0, end).toString("latin1").split("\r\n");
      const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first);
      if (match === null) throw new Failure("the answer is not HTTP/1");
      const headers = new Map(
        lines.map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
        }),
      );
      const told = headers.get("content-length");
      const length = told === undefined ? undefined : Number(told);
      return {
        status: Number(match[1]),
        reason: match[2]!,
        headers,
        length,
        body: bodyOf(connection, held.subarray(end + 4), length),
        abort: () => connection.abort(),
      };
    }
    if (held.length > MAX_HEAD) throw new Failure("the answer's head does not end");
    const chunk = await connection.read();
    if (chunk === null) throw new Failure("the server closed the connection without an answer");
    held = Buffer.concat([held, chunk]);
  }
}

async function* bodyOf(
  connection: Connection,
  first: Uint8Array,
  length: number | undefined,
): AsyncGenerator<Uint8Array> {
  let left = length ?? Number.POSITIVE_INFINITY;
  let chunk: Uint8Array | null = first;
  while (chunk !== null && left > 0) {
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    if (part.length > 0) yield part;
    chunk = left > 0 ? await connection.read() : null;
  }
  await connection.close();
  if (length !== undefined && left > 0) {
    throw new Failure(`the connection ended ${left} bytes before the end of the file`);
  }
}
