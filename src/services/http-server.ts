/** A small HTTP/1.1 server over connections: requests one after the other, each given to a handler. */
import { encodeUtf8 } from "../sockets/utf8.ts";
import { hasCode, type StreamConnection, type StreamListener } from "./faces.ts";
import { HttpError, type HttpRequest, parseRequestHead, responseHead } from "./http-message.ts";
import { serveEach } from "./serve-each.ts";

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Whole, or piece by piece with `length` told. A piece may be reused once the next one is asked for. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Bytes of a body that comes piece by piece. */
  readonly length?: number;
}

export type HttpHandler = (
  request: HttpRequest,
  connection: StreamConnection,
) => HttpResponse | Promise<HttpResponse>;

export interface HttpServerOptions {
  /** Wait for the next request on an open connection, ms. Default 15,000. */
  readonly idleTimeoutMs?: number;
  /** Wait for a peer that takes nothing, ms. Default 60,000. */
  readonly writeTimeoutMs?: number;
  /** The time for the Date header; without a clock there must be none (RFC 9110 §6.6.1). */
  readonly date?: () => string;
  /** Told of each request when its response is written, with the bytes of its body. */
  readonly onRequest?: (
    request: HttpRequest,
    status: number,
    bodyBytes: number,
    connection: StreamConnection,
  ) => void;
}

/** Longest head of a request, bytes. */
const MAX_HEAD = 16 * 1024;
/** Longest body of a request that is read and thrown away to keep the connection, bytes. */
const MAX_SKIPPED_BODY = 64 * 1024;

/** Serves each connection until the listener is closed. */
export function serveHttp(
  listener: StreamListener,
  handler: HttpHandler,
  options: HttpServerOptions = {},
): Promise<void> {
  return serveEach(listener, (connection) =>
    new HttpConnection(connection, handler, options).run(),
  );
}

class HttpConnection {
  private readonly connection: StreamConnection;
  private readonly handler: HttpHandler;
  private readonly options: HttpServerOptions;
  private readonly idleMs: number;
  private readonly writeMs: number;
  private held = new Uint8Array(0);

  constructor(connection: StreamConnection, handler: HttpHandler, options: HttpServerOptions) {
    this.connection = connection;
    this.handler = handler;
    this.options = options;
    this.idleMs = options.idleTimeoutMs ?? 15_000;
    this.writeMs = options.writeTimeoutMs ?? 60_000;
  }

  async run(): Promise<void> {
    while (await this.serveOne());
    await this.finish();
  }

  /** One request and its response; false when it was the last. */
  private async serveOne(): Promise<boolean> {
    let request: HttpRequest | undefined;
    let keep = false;
    try {
      const head = await this.readHead();
      if (head === undefined) return false;
      request = parseRequestHead(head);
      keep = (await this.skipBody(request)) && keepsAlive(request);
    } catch (error) {
      if (hasCode(error, "ETIMEDOUT") && request === undefined) return false; // idle
      // Where the next request begins is not known any more.
      return this.respond(request, errorResponse(error), false);
    }
    let response: HttpResponse;
    try {
      response = await this.handler(request, this.connection);
    } catch (error) {
      response = errorResponse(error);
    }
    return this.respond(request, response, keep);
  }

  /** FIN, then what the peer still sends is read: bytes unread at a close would reset the connection under the response. */
  private async finish(): Promise<void> {
    this.connection.closeWrite();
    for (let left = MAX_SKIPPED_BODY; left > 0; ) {
      const chunk = await this.connection.read({ timeout: 2000 });
      if (chunk === null) break;
      left -= chunk.length;
    }
  }

  /** The text of the next head; undefined when the peer has no more. */
  private async readHead(): Promise<string | undefined> {
    for (let searched = 0; ; ) {
      const end = headEnd(this.held, searched);
      if (end > 0) {
        const text = latin1(this.held, end).replace(/(\r?\n)+$/, "");
        this.held = this.held.slice(end);
        // An empty line in front of a request is let pass (RFC 9112 §2.2).
        if (text === "") {
          searched = 0;
          continue;
        }
        return text;
      }
      if (this.held.length > MAX_HEAD) {
        throw new HttpError(431, `a request's head may have ${MAX_HEAD} bytes`);
      }
      searched = Math.max(0, this.held.length - 3);
      const chunk = await this.connection.read({ timeout: this.idleMs });
      if (chunk === null) return undefined;
      this.hold(chunk);
    }
  }

  private hold(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.held.length + chunk.length);
    joined.set(this.held);
    joined.set(chunk, this.held.length);
    this.held = joined;
  }

  /** Bodies are of no use here: a short one is skipped, anything else ends the connection. False: ends it. */
  private async skipBody(request: HttpRequest): Promise<boolean> {
    if (request.headers.has("transfer-encoding")) return false;
    const text = request.headers.get("content-length") ?? "0";
    if (!/^[0-9]{1,15}$/.test(text)) throw new HttpError(400, "Content-Length is not a number");
    let left = Number(text);
    if (left > MAX_SKIPPED_BODY) return false;
    while (left > this.held.length) {
      left -= this.held.length;
      const chunk = await this.connection.read({ timeout: this.idleMs });
      if (chunk === null) return false;
      this.held = chunk.slice();
    }
    this.held = this.held.slice(left);
    return true;
  }

  /** Writes the response; false when the connection cannot go on after it. */
  private async respond(
    request: HttpRequest | undefined,
    response: HttpResponse,
    keep: boolean,
  ): Promise<boolean> {
    const { connection } = this;
    const { status, body } = response;
    const isWhole = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const bytes = typeof body === "string" ? encodeUtf8(body) : body;
    const length = isWhole ? ((bytes as Uint8Array | undefined)?.length ?? 0) : response.length;
    // Without a length only the end of the connection says where the body ends.
    const goOn = keep && length !== undefined;
    const headers: [string, string | number][] = Object.entries(response.headers ?? {});
    if (this.options.date !== undefined) headers.push(["date", this.options.date()]);
    if (length !== undefined && status !== 304) headers.push(["content-length", length]);
    headers.push(["connection", goOn ? "keep-alive" : "close"]);
    const waiting = { timeout: this.writeMs };
    await connection.write(responseHead(status, headers), waiting);
    let sent = 0;
    if (request?.method !== "HEAD" && bytes !== undefined) {
      if (bytes instanceof Uint8Array) {
        await connection.write(bytes, waiting);
        sent = bytes.length;
      } else {
        for await (const piece of bytes as AsyncIterable<Uint8Array>) {
          await connection.write(piece, waiting);
          sent += piece.length;
        }
        // A short body would make the peer take the next response for its rest.
        if (length !== undefined && sent !== length)
          throw new Error("the body has another length than told");
      }
    }
    if (request !== undefined) this.options.onRequest?.(request, status, sent, connection);
    return goOn;
  }
}

/** What an HttpError is to the peer; anything else is thrown on. */
function errorResponse(error: unknown): HttpResponse {
  if (!(error instanceof HttpError)) throw error;
  return {
    status: error.status,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: `${error.status} ${error.message}\n`,
  };
}

/** RFC 9112 §9.3. */
function keepsAlive(request: HttpRequest): boolean {
  const options = (request.headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/);
  if (options.includes("close")) return false;
  return request.minor >= 1 || options.includes("keep-alive");
}

/** Offset behind the empty line that ends a head, 0 when there is none yet. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== 10) continue;
    // An empty line: two line feeds, with or without a carriage return between; or one at the very front.
    if (at === 0 || (at === 1 && bytes[0] === 13)) return at + 1;
    if (bytes[at - 1] === 10) return at + 1;
    if (bytes[at - 1] === 13 && bytes[at - 2] === 10) return at + 1;
  }
  return 0;
}

function latin1(bytes: Uint8Array, length: number): string {
  let text = "";
  for (let at = 0; at < length; at++) text += String.fromCharCode(bytes[at]);
  return text;
}
