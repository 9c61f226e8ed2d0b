import { lookup as contentType } from "mrmime";
import { folder } from "../adapters/node/folder.ts";
import { serveChargen } from "../services/chargen.ts";
import { serveDiscard } from "../services/discard.ts";
import { serveEcho, serveEchoUdp } from "../services/echo.ts";
import { serveHttp } from "../services/http-server.ts";
import { staticFiles } from "../services/static-files.ts";
import type { Listener } from "../sockets/listener.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { Failure } from "./failure.ts";

/** `http:80=DIR`, `echo:7`, `discard:9`, `chargen:19`. */
export interface ServiceRequest {
  readonly name: "http" | "echo" | "discard" | "chargen";
  readonly port: number;
  readonly folder: string | undefined;
}

const NAMES = ["http", "echo", "discard", "chargen"];

export function parseService(text: string): ServiceRequest {
  const match = /^([a-z]+):(\d+)(?:=(.+))?$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || !NAMES.includes(match[1]!) || port < 1 || port > 65_535) {
    throw new Failure(
      `--serve ${text}: write NAME:PORT with one of ${NAMES.join(", ")}; http takes a folder, http:80=DIR`,
    );
  }
  const name = match[1] as ServiceRequest["name"];
  if ((name === "http") !== (match[3] !== undefined)) {
    throw new Failure(
      name === "http"
        ? `--serve ${text}: name the folder to serve, http:${port}=DIR`
        : `--serve ${text}: only http takes a folder`,
    );
  }
  return { name, port, folder: match[3] };
}

/** Starts a service on a host; answers its listeners. `log` hears a line per request. */
export async function startService(
  host: SocketHost,
  request: ServiceRequest,
  log: (line: string) => void,
): Promise<Listener[]> {
  const { name, port } = request;
  const listener = await host.listen({ port });
  switch (name) {
    case "http": {
      const files = await folder(request.folder!).catch(() => {
        throw new Failure(`the folder ${request.folder} cannot be read`);
      });
      void serveHttp(listener, staticFiles(files, { contentType }), {
        date: () => new Date().toUTCString(),
        onRequest: (r, status, bytes, c) =>
          log(`${c.remoteAddress} ${r.method} ${r.path} ${status} ${bytes} bytes`),
      });
      break;
    }
    case "echo": {
      void serveEcho(listener);
      void serveEchoUdp(await host.udp({ port }));
      break;
    }
    case "discard":
      void serveDiscard(listener);
      break;
    default:
      void serveChargen(listener);
  }
  return [listener];
}
