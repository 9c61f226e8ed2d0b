/** Files over HTTP: GET and HEAD with ranges (RFC 9110 §14), from anything that has files. */
import { HttpError, type HttpRequest, parseRange } from "./http-message.ts";
import type { HttpHandler, HttpResponse } from "./http-server.ts";

/** Where the files are. Paths begin with "/", have no "." or ".." and no backslash in them. */
export interface FileStore {
  /** undefined: there is nothing at this path. */
  open(path: string): Promise<OpenFile | FileFolder | undefined>;
}

export interface OpenFile {
  readonly kind: "file";
  readonly size: number;
  /** When it was changed, as an HTTP date; and a tag that changes with the content, in quotes. */
  readonly lastModified?: string;
  readonly etag?: string;
  /** Reads at a position; the number of bytes, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

export interface FileFolder {
  readonly kind: "folder";
  /** Names in it; folders end with a slash. */
  list(): Promise<readonly string[]>;
}

export interface StaticFileOptions {
  /** The content type for a path; undefined: bytes of any kind. */
  readonly contentType?: (path: string) => string | undefined;
  /** Whether a folder without index.html shows what is in it. Default true. */
  readonly listing?: boolean;
}

/** Bytes per piece: large enough that the waiting between pieces does not count. */
const PIECE = 256 * 1024;

/** A handler for `serveHttp` that serves what is in the store. */
export function staticFiles(store: FileStore, options: StaticFileOptions = {}): HttpHandler {
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return {
        status: 405,
        headers: { allow: "GET, HEAD", "content-type": "text/plain" },
        body: "405 only GET and HEAD are served here\n",
      };
    }
    const path = cleanPath(request.path);
    const found = await store.open(path);
    if (found === undefined) throw new HttpError(404, `there is no ${path}`);
    if (found.kind === "file") return sendFile(request, path, found, options);
    if (!path.endsWith("/")) {
      const to = `${encodePath(path)}/${request.query === "" ? "" : `?${request.query}`}`;
      return { status: 301, headers: { location: to } };
    }
    const index = await store.open(`${path}index.html`);
    if (index?.kind === "file") return sendFile(request, `${path}index.html`, index, options);
    if (options.listing === false) throw new HttpError(404, `there is no ${path}index.html`);
    return listing(path, await found.list());
  };
}

/** The path as a store may see it. Throws HttpError for what tries to leave it. */
function cleanPath(path: string): string {
  const parts = path.split("/");
  if (path.includes("\\") || path.includes("\0") || parts.includes("..")) {
    throw new HttpError(400, "the path leads out of what is served");
  }
  const kept = parts.filter((part) => part !== "" && part !== ".");
  const last = parts[parts.length - 1];
  const folder = kept.length > 0 && (last === "" || last === ".");
  return `/${kept.join("/")}${folder ? "/" : ""}`;
}

function sendFile(
  request: HttpRequest,
  path: string,
  file: OpenFile,
  options: StaticFileOptions,
): HttpResponse | Promise<HttpResponse> {
  const type = options.contentType?.(path) ?? "application/octet-stream";
  const headers: Record<string, string | number> = {
    "content-type":
      type.startsWith("text/") && !type.includes(";") ? `${type}; charset=utf-8` : type,
    "accept-ranges": "bytes",
  };
  if (file.lastModified !== undefined) headers["last-modified"] = file.lastModified;
  if (file.etag !== undefined) headers.etag = file.etag;
  if (isKnown(request, file)) return closing(file, { status: 304, headers });
  const range = rangeHolds(request, file)
    ? parseRange(request.headers.get("range"), file.size)
    : undefined;
  if (range === "unsatisfiable") {
    headers["content-range"] = `bytes */${file.size}`;
    return closing(file, { status: 416, headers });
  }
  const first = range?.first ?? 0;
  const length = range === undefined ? file.size : range.last - first + 1;
  if (range !== undefined) {
    headers["content-range"] = `bytes ${first}-${range.last}/${file.size}`;
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD") {
    return closing(file, { status, headers, length, body: NOTHING });
  }
  return { status, headers, length, body: pieces(file, first, length) };
}

async function closing(file: OpenFile, response: HttpResponse): Promise<HttpResponse> {
  await file.close();
  return response;
}

/** Stands for the body of a HEAD request, which is never asked for. */
const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

async function* pieces(
  file: OpenFile,
  first: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(Math.min(PIECE, length));
  try {
    for (let done = 0; done < length; ) {
      const want = Math.min(buffer.length, length - done);
      const got = await file.read(buffer.subarray(0, want), first + done);
      if (got === 0) return; // it became shorter while it was read
      yield buffer.subarray(0, got);
      done += got;
    }
  } finally {
    await file.close();
  }
}

/** The asker has this very content (RFC 9110 §13.1.2, §13.1.3). */
function isKnown(request: HttpRequest, file: OpenFile): boolean {
  const tags = request.headers.get("if-none-match");
  if (tags !== undefined) {
    if (tags === "*") return true;
    return tags.split(/\s*,\s*/).some((tag) => tag.replace(/^W\//, "") === file.etag);
  }
  // Compared as text: it is our own header that comes back, and services have no calendar.
  const since = request.headers.get("if-modified-since");
  return since !== undefined && since === file.lastModified;
}

/** A range with If-Range only counts while the content is the same (RFC 9110 §13.1.5). */
function rangeHolds(request: HttpRequest, file: OpenFile): boolean {
  const condition = request.headers.get("if-range");
  return condition === undefined || condition === file.etag || condition === file.lastModified;
}

function listing(path: string, names: readonly string[]): HttpResponse {
  const up = path === "/" ? [] : ["../"];
  const rows = [...up, ...names]
    .map((name) => `<li><a href="${escapeHtml(encodePath(name))}">${escapeHtml(name)}</a></li>`)
    .join("\n");
  const title = escapeHtml(path);
  return {
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html>\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n${rows}\n</ul>\n`,
  };
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
