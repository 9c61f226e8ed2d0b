import { describe, expect, it } from "vitest";
import type { StreamConnection, StreamListener } from "./faces.ts";
import { HttpError, parseRange, parseRequestHead } from "./http-message.ts";
import { type HttpServerOptions, serveHttp } from "./http-server.ts";
import { type FileStore, staticFiles } from "./static-files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** The peer's end of a connection: what it sends, piece by piece, and what it got. */
class Wire implements StreamConnection {
  readonly remoteAddress = "10.0.0.9";
  readonly remotePort = 40_000;
  got = "";
  aborted = false;
  private readonly pieces: Uint8Array[];

  constructor(pieces: readonly string[]) {
    this.pieces = pieces.map(bytes);
  }
  async read(): Promise<Uint8Array | null> {
    return this.pieces.shift() ?? null;
  }
  async write(data: Uint8Array | string): Promise<void> {
    this.got += typeof data === "string" ? data : text(data);
  }
  closeWrite(): void {}
  async close(): Promise<void> {}
  abort(): void {
    this.aborted = true;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let piece = await this.read(); piece !== null; piece = await this.read()) yield piece;
  }
}

const FILES: Record<string, string> = {
  "/index.html": "<p>hello",
  "/data.bin": "0123456789",
  "/sub/a b.txt": "space",
};

const store: FileStore = {
  async open(path) {
    if (path === "/" || path === "/sub" || path === "/sub/") {
      return { kind: "folder", list: async () => ["<odd>.txt", "a b.txt"] };
    }
    const content = FILES[path];
    if (content === undefined) return undefined;
    return {
      kind: "file",
      size: content.length,
      etag: '"v1"',
      lastModified: "Thu, 01 Jan 2026 00:00:00 GMT",
      async read(into, position) {
        const piece = bytes(content.slice(position, position + into.length));
        into.set(piece);
        return piece.length;
      },
      async close() {},
    };
  },
};

/** What a connection gets back for what it sends. */
async function talk(sent: readonly string[], options: HttpServerOptions = {}): Promise<string> {
  const wire = new Wire(sent);
  const listener: StreamListener = {
    close() {},
    async *[Symbol.asyncIterator]() {
      yield wire;
    },
  };
  const types = (path: string) => (path.endsWith(".html") ? "text/html" : undefined);
  await serveHttp(listener, staticFiles(store, { contentType: types }), options);
  for (let i = 0; i < 200; i++) await Promise.resolve();
  expect(wire.aborted).toBe(false);
  return wire.got;
}

const get = (path: string, ...headers: string[]) =>
  `${["GET", path, "HTTP/1.1\r\nHost: x\r\n"].join(" ")}${headers.map((line) => `${line}\r\n`).join("")}\r\n`;

/** Status, headers and body of the only response. */
async function ask(request: string) {
  const reply = await talk([request]);
  const end = reply.indexOf("\r\n\r\n");
  const [line, ...rest] = reply.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(rest.map((header) => header.split(": ", 2)));
  return { status: Number(line.split(" ")[1]), headers, body: reply.slice(end + 4) };
}

describe("static files", () => {
  it("GET gives the file with type, length and tags; / is index.html", async () => {
    const reply = await ask(get("/"));
    expect(reply).toMatchObject({ status: 200, body: "<p>hello" });
    expect(reply.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-length": "8",
      etag: '"v1"',
      "accept-ranges": "bytes",
      connection: "keep-alive",
    });
  });

  it("RFC 9110 §9.3.2: HEAD gives the same head and no body", async () => {
    const reply = await ask(get("/data.bin").replace("GET", "HEAD"));
    expect(reply).toMatchObject({ status: 200, body: "" });
    expect(reply.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": "10",
    });
  });

  it("RFC 9110 §14: one range gives 206, one beyond the end 416, several the whole", async () => {
    const part = await ask(get("/data.bin", "Range: bytes=2-4"));
    expect(part).toMatchObject({ status: 206, body: "234" });
    expect(part.headers["content-range"]).toBe("bytes 2-4/10");
    expect(await ask(get("/data.bin", "Range: bytes=-3"))).toMatchObject({ body: "789" });
    expect(await ask(get("/data.bin", "Range: bytes=8-"))).toMatchObject({ body: "89" });
    const beyond = await ask(get("/data.bin", "Range: bytes=10-"));
    expect(beyond.status).toBe(416);
    expect(beyond.headers["content-range"]).toBe("bytes */10");
    expect(await ask(get("/data.bin", "Range: bytes=1-2,4-5"))).toMatchObject({ status: 200 });
    const stale = await ask(get("/data.bin", "Range: bytes=2-4", 'If-Range: "v0"'));
    expect(stale.status).toBe(200);
  });

  it("RFC 9110 §13.1.2: 304 for what the asker has", async () => {
    const reply = await ask(get("/data.bin", 'If-None-Match: "v0", "v1"'));
    expect(reply).toMatchObject({ status: 304, body: "" });
  });

  it("sends folders without slash to the one with, lists them, escapes names", async () => {
    expect((await ask(get("/sub?x=1"))).headers.location).toBe("/sub/?x=1");
    const { body } = await ask(get("/sub/"));
    expect(body).toContain('<a href="a%20b.txt">a b.txt</a>');
    expect(body).toContain("&#60;odd&#62;.txt");
    expect(await ask(get("/sub/a%20b.txt"))).toMatchObject({ status: 200, body: "space" });
  });

  it("refuses what leads out, what is not there, and other methods", async () => {
    for (const path of ["/../etc/passwd", "/%2e%2e/x", "/sub/..", "/a%5cb", "/a%00"]) {
      expect((await ask(get(path))).status).toBe(400);
    }
    expect((await ask(get("/none"))).status).toBe(404);
    const post = await ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    expect(post.status).toBe(405);
    expect(post.headers.allow).toBe("GET, HEAD");
  });
});

describe("connections", () => {
  const count = (reply: string) => reply.split("HTTP/1.1 200 OK").length - 1;

  it("RFC 9112 §9.3: go on with the next request, however the bytes are cut", async () => {
    const two = get("/data.bin") + get("/");
    expect(count(await talk([two]))).toBe(2);
    expect(count(await talk([...two]))).toBe(2);
  });

  it("RFC 9112 §9.3: end after Connection: close and after HTTP/1.0", async () => {
    expect(count(await talk([get("/", "Connection: close") + get("/")]))).toBe(1);
    expect(count(await talk([`GET / HTTP/1.0\r\n\r\n${get("/")}`]))).toBe(1);
    expect(count(await talk([`GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${get("/")}`]))).toBe(
      2,
    );
  });

  it("skip the body of a request that has one", async () => {
    const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    expect(count(await talk([`${post}ab`, `cde${get("/")}`]))).toBe(1);
    expect(count(await talk([`${post.replace("5", "99999999")}ab`, get("/")]))).toBe(0);
  });

  it("answer nonsense with 400 or 431 and end", async () => {
    const status = async (request: string) => (await ask(request)).status;
    expect(await status("hello\r\n\r\n")).toBe(400);
    expect(await status("GET / HTTP/1.1\r\n\r\n")).toBe(400);
    expect(await status("GET / HTTP/2.0\r\n\r\n")).toBe(505);
    expect(await status("GET / HTTP/1.1\r\nHost : x\r\n\r\n")).toBe(400);
    expect(await status("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(400);
    expect(await status(`GET / HTTP/1.1\r\nX: ${"y".repeat(20_000)}`)).toBe(431);
  });

  it("tell of each request", async () => {
    const seen: unknown[] = [];
    const onRequest = (request: { path: string }, status: number, length: number) =>
      seen.push([request.path, status, length]);
    await talk([get("/none") + get("/data.bin")], { onRequest });
    expect(seen).toEqual([
      ["/none", 404, 22],
      ["/data.bin", 200, 10],
    ]);
  });
});

it("reads a head: case of names, repeated fields, absolute target (RFC 9112 §3.2.2)", () => {
  const request = parseRequestHead(
    "GET http://host/a%20b?q=1 HTTP/1.1\r\nHost: x\r\nAccept: a\r\naccept:\tb \r\nEmpty:",
  );
  expect(request).toMatchObject({ method: "GET", path: "/a b", query: "q=1", minor: 1 });
  expect(request.headers.get("accept")).toBe("a, b");
  expect(request.headers.get("empty")).toBe("");
  expect(() => parseRequestHead("GET /")).toThrow(HttpError);
});

it.each([
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=5-99", { first: 5, last: 9 }],
  ["bytes=-99", { first: 0, last: 9 }],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", undefined],
  ["bytes=-", undefined],
  ["lines=1-2", undefined],
  [undefined, undefined],
])("RFC 9110 §14.1.2: %s of 10 bytes", (value, range) => {
  expect(parseRange(value, 10)).toEqual(range);
});
