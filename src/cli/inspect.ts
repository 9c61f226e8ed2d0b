import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { lookup } from "mrmime";
import { type WebSocket, WebSocketServer } from "ws";
import type { SocketHost } from "../sockets/socket-host.ts";
import { Failure } from "./failure.ts";
import { InspectFeed } from "./inspect-feed.ts";

export interface InspectOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Default "127.0.0.1": nobody but this machine. */
  readonly bind?: string;
}

export interface Inspector {
  /** The page's address with its token. */
  readonly url: string;
  close(): Promise<void>;
}

/** A batch goes out so often. */
const INTERVAL_MS = 100;
/** A page that has not taken so many bytes gets nothing new. */
const MOST_BUFFERED = 512 * 1024;

const PAGE = fileURLToPath(new URL("../playground/", import.meta.url));

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** Whether the page is there: it is built by `npm run playground:build`. */
export function canInspect(): boolean {
  return existsSync(join(PAGE, "index.html"));
}

/**
 * Serves the playground and streams what the hosts do to it. Only who knows
 * the token gets the stream, and only from a page of this address: names that
 * lead here from elsewhere (DNS rebinding) and pages of other origins are refused.
 */
export async function inspect(
  hosts: readonly SocketHost[],
  now: () => number,
  options: InspectOptions,
): Promise<Inspector> {
  if (!canInspect()) {
    throw new Failure("the page of --inspect is not built: npm run playground:build");
  }
  const { bind = "127.0.0.1" } = options;
  const token = randomBytes(16).toString("hex");
  const feed = new InspectFeed(
    hosts
      .map((host) => host.tcp as { tracer: SocketHost["tcp"]["tracer"] })
      .map((tcp, i) => ({
        name: hosts[i].name,
        get tracer() {
          return tcp.tracer;
        },
        set tracer(tracer) {
          tcp.tracer = tracer;
        },
      })),
    now,
  );
  const names = new Set<string>();
  const server = createServer((request, response) => {
    if (!names.has(request.headers.host ?? "")) refuse(response, 403);
    else void servePage(request, response);
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  server.on("upgrade", (request, socket, head) => {
    if (!isAllowed(request, names, token)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (page) => serveFeed(page, sockets, feed, hosts));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Failure(`port ${options.port} is in use: choose another with --inspect PORT`)
          : error,
      ),
    );
    server.listen(options.port, bind, resolve);
  });
  const { port } = server.address() as AddressInfo;
  for (const name of ["127.0.0.1", "localhost", "[::1]", bind]) names.add(`${name}:${port}`);
  const timer = setInterval(() => broadcast(sockets, feed), INTERVAL_MS);
  timer.unref();
  return {
    url: `http://${bind.includes(":") ? `[${bind}]` : bind}:${port}/#/live/${token}`,
    close: () => {
      clearInterval(timer);
      feed.stop();
      for (const page of sockets.clients) page.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function isAllowed(request: IncomingMessage, names: ReadonlySet<string>, token: string): boolean {
  const { host = "", origin = "" } = request.headers;
  if (!names.has(host) || origin !== `http://${host}`) return false;
  const url = new URL(request.url ?? "/", "http://localhost");
  const given = Buffer.from(url.searchParams.get("token") ?? "");
  const wanted = Buffer.from(token);
  return (
    url.pathname === "/trace" && given.length === wanted.length && timingSafeEqual(given, wanted)
  );
}

/** Pages that were too slow for a batch, and what they missed. */
const missed = new WeakMap<WebSocket, number>();

function serveFeed(
  page: WebSocket,
  sockets: WebSocketServer,
  feed: InspectFeed,
  hosts: readonly SocketHost[],
): void {
  sockets.clients.add(page);
  feed.start();
  const addresses = hosts.map((host) => ({
    name: host.name,
    addresses: host.interfaces.flatMap((iface) => iface.addresses.map(String)),
  }));
  page.send(JSON.stringify({ type: "hello", hosts: addresses }));
  page.on("error", () => page.terminate());
  page.on("close", () => {
    sockets.clients.delete(page);
    if (sockets.clients.size === 0) feed.stop();
  });
}

function broadcast(sockets: WebSocketServer, feed: InspectFeed): void {
  if (sockets.clients.size === 0) return;
  const batch = feed.batch();
  if (batch === undefined) return;
  const text = JSON.stringify(batch);
  for (const page of sockets.clients) {
    const behind = missed.get(page) ?? 0;
    if (page.bufferedAmount > MOST_BUFFERED) {
      missed.set(page, behind + batch.count);
      continue;
    }
    missed.set(page, 0);
    page.send(behind === 0 ? text : JSON.stringify({ ...batch, left: batch.left + behind }));
  }
}

async function servePage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405);
    return;
  }
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
  } catch {
    refuse(response, 400);
    return;
  }
  const file = join(PAGE, path.endsWith(sep) ? `${path}index.html` : path);
  if (!file.startsWith(PAGE)) {
    refuse(response, 404);
    return;
  }
  try {
    const body = await readFile(file);
    response.writeHead(200, {
      ...HEADERS,
      "content-type": `${lookup(file) ?? "application/octet-stream"}${/\.(html|js|css)$/.test(file) ? "; charset=utf-8" : ""}`,
      "content-security-policy":
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  } catch {
    refuse(response, 404);
  }
}

function refuse(response: ServerResponse, code: number): void {
  response.writeHead(code, { ...HEADERS, "content-type": "text/plain" });
  response.end(`${code}\n`);
}
