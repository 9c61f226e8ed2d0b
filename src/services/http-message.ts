/** HTTP/1.1 messages as text (RFC 9112): the head of a request read, that of a response written. */

export interface HttpRequest {
  readonly method: string;
  /** As sent: "/path?query". */
  readonly target: string;
  /** The path with percent codes decoded, without query; begins with "/". */
  readonly path: string;
  readonly query: string;
  readonly minor: number;
  /** Names in lower case; repeated fields joined with ", " (RFC 9110 §5.3). */
  readonly headers: ReadonlyMap<string, string>;
}

/** A request that cannot be served; `status` says why. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "HttpError";
    this.status = status;
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Reads the text of a head, without the empty line at its end. Throws HttpError. */
export function parseRequestHead(text: string): HttpRequest {
  const lines = text.split(/\r?\n/);
  const [method, target, version, ...rest] = lines[0].split(" ");
  const match = /^HTTP\/1\.([0-9])$/.exec(version ?? "");
  if (rest.length > 0 || target === undefined || !TOKEN.test(method)) {
    throw new HttpError(400, "the request line is malformed");
  }
  if (match === null) {
    const known = /^HTTP\/[0-9](\.[0-9])?$/.test(version ?? "");
    throw new HttpError(known ? 505 : 400, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    // No space before the colon, no folded lines (RFC 9112 §5.1, §5.2).
    if (!TOKEN.test(name)) throw new HttpError(400, "a header line is malformed");
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  const minor = Number(match[1]);
  if (minor >= 1 && !headers.has("host")) {
    throw new HttpError(400, "the Host header is missing (RFC 9112 §3.2)");
  }
  return { method, target, minor, headers, ...splitTarget(target) };
}

function splitTarget(target: string): { path: string; query: string } {
  // An absolute form is meant for proxies but must be understood (RFC 9112 §3.2.2).
  const origin = target.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = origin.indexOf("?");
  const raw = mark < 0 ? origin : origin.slice(0, mark);
  let path: string;
  try {
    path = decodeURIComponent(raw === "" ? "/" : raw);
  } catch {
    throw new HttpError(400, "the path has a malformed percent code");
  }
  if (!path.startsWith("/")) throw new HttpError(400, "the path must begin with a slash");
  return { path, query: mark < 0 ? "" : origin.slice(mark + 1) };
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  301: "Moved Permanently",
  304: "Not Modified",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  416: "Range Not Satisfiable",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  505: "HTTP Version Not Supported",
};

export function reasonPhrase(status: number): string {
  return REASONS[status] ?? "";
}

/** The head of a response, with the empty line. Line breaks in values are taken out. */
export function responseHead(
  status: number,
  headers: Iterable<readonly [string, string | number]>,
): string {
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (const [name, value] of headers) {
    text += `${name}: ${String(value).replace(/[\r\n]+/g, " ")}\r\n`;
  }
  return `${text}\r\n`;
}

/** First and last byte of a range, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What a Range header asks of `size` bytes (RFC 9110 §14.1.2): a range;
 * "unsatisfiable"; undefined for what is not one range of bytes, which means
 * the whole (§14.2).
 */
export function parseRange(
  value: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=\s*([0-9]*)-([0-9]*)\s*$/i.exec(value ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Number(match[2]);
    if (length === 0 || size === 0) return "unsatisfiable";
    return { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== "" && Number(match[2]) < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last };
}
