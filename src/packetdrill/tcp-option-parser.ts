import type { SackBlock, TcpOption } from "./ast.ts";
import type { TokenStream } from "./token-stream.ts";

const U16 = 0xffff;
const U32 = 0xffffffff;

/** Options of other protocols' suites: read over, so that the script can be skipped by name. */
const FOREIGN =
  /^(?:ECN|AccECN[01]?|exp-.*|exp|ace[01]|ACCECN[01]?|TARR|mp_.*|mp[a-z]+|add_addr(?:ess)?|remove_addr(?:ess)?|dss|dsn4|dsn8|ssn|AO|tcp_ao|MP_.*)$/;

/** The raw kind that marks an option read over; RFC 4727's second experiment is never sent by us. */
export const FOREIGN_OPTION_TEXT = "foreign ";

/** `<...>` is undefined; no list at all is the empty one. */
export function parseTcpOptionList(stream: TokenStream): TcpOption[] | undefined {
  if (!stream.takeChar("<")) return [];
  if (stream.at("ellipsis") && stream.atChar(">", 1)) {
    stream.next();
    stream.next();
    return undefined;
  }
  const position = stream.position();
  const options: TcpOption[] = [];
  if (stream.takeChar(">")) return options;
  do options.push(parseTcpOption(stream));
  while (stream.takeChar(","));
  stream.expectChar(">", "or ',' in the TCP options");
  const length = options.reduce((sum, option) => sum + optionLength(option), 0);
  if (length > 40) {
    stream.fail(
      `the TCP options at ${position.line}:${position.column} have ${length} bytes, 40 is the most`,
    );
  }
  return options;
}

/** Bytes on the wire. */
export function optionLength(option: TcpOption): number {
  switch (option.kind) {
    case "nop":
    case "eol":
      return 1;
    case "sackOK":
      return 2;
    case "mss":
      return 4;
    case "wscale":
      return 3;
    case "sack":
      return 2 + 8 * option.blocks.length;
    case "timestamp":
      return 10;
    case "fastopen":
      return (option.experimental ? 4 : 2) + option.cookie.length;
    case "md5":
      return 18;
    case "raw":
      return option.bytes.length;
  }
}

function parseTcpOption(stream: TokenStream): TcpOption {
  if (stream.at("hex") || stream.atChar("[")) return parseRaw(stream);
  const name = stream.expectWord("a TCP option").text;
  switch (name) {
    case "nop":
    case "eol":
    case "sackOK":
      return { kind: name };
    case "mss":
      return { kind: "mss", value: stream.integer("an MSS", U16) };
    case "wscale":
      return { kind: "wscale", value: stream.integer("a window scale", 255) };
    case "sack":
      return { kind: "sack", blocks: parseSack(stream) };
    case "TS":
      return parseTimestamp(stream);
    case "FO":
    case "FOEXP": {
      const cookie = isHexToken(stream) ? parseHex(stream) : new Uint8Array(0);
      return { kind: "fastopen", cookie, experimental: name === "FOEXP" };
    }
    case "md5": {
      if (stream.take("word", "valid")) return { kind: "md5", digest: undefined };
      const digest = isHexToken(stream) ? parseHex(stream) : new Uint8Array(16);
      if (digest.length !== 16) stream.fail("an MD5 digest has 16 bytes");
      return { kind: "md5", digest };
    }
    // kind 42 0102: number, then the data in hexadecimal.
    case "gen":
    case "generic":
    case "kind":
    case "unknown":
      return parseGeneric(stream);
    default:
  }
  if (FOREIGN.test(name)) {
    let text = FOREIGN_OPTION_TEXT + name;
    while (!stream.atChar(",") && !stream.atChar(">") && !stream.at("end")) {
      text += ` ${stream.next().text}`;
    }
    return { kind: "raw", bytes: new Uint8Array([254, 2]), text };
  }
  return stream.fail(`unknown TCP option '${name}'`);
}

function parseSack(stream: TokenStream): SackBlock[] {
  const blocks: SackBlock[] = [];
  do {
    const left = stream.integer("the left edge of a SACK block", U32);
    stream.expectChar(":", "between the edges of a SACK block");
    blocks.push({ left, right: stream.integer("the right edge of a SACK block", U32) });
  } while (stream.at("int"));
  return blocks;
}

function parseTimestamp(stream: TokenStream): TcpOption {
  if (!stream.take("word", "val")) stream.fail(`expected 'val', got ${stream.describe()}`);
  const value = stream.take("ellipsis") ? undefined : stream.integer("a timestamp", U32);
  if (!stream.take("word", "ecr")) stream.fail(`expected 'ecr', got ${stream.describe()}`);
  const echo = stream.integer("an echoed timestamp", U32);
  return { kind: "timestamp", value, echo, echoAbsolute: stream.takeChar("!") };
}

function parseGeneric(stream: TokenStream): TcpOption {
  const kind = stream.integer("an option kind", 255);
  const data = isHexToken(stream) ? parseHex(stream) : new Uint8Array(0);
  const bytes = new Uint8Array(2 + data.length);
  bytes.set([kind, bytes.length]);
  bytes.set(data, 2);
  return { kind: "raw", bytes, text: `kind ${kind} ${hexText(data)}`.trim() };
}

/** `0xfd0400ff`, or `[0xfd, 4, 0, 0xff]`. */
function parseRaw(stream: TokenStream): TcpOption {
  let bytes: Uint8Array;
  if (stream.takeChar("[")) {
    const list: number[] = [];
    do list.push(stream.integer("a byte", 255));
    while (stream.takeChar(","));
    stream.expectChar("]", "after the bytes");
    bytes = Uint8Array.from(list);
  } else bytes = parseHex(stream);
  return { kind: "raw", bytes, text: `0x${hexText(bytes)}` };
}

function isHexToken(stream: TokenStream): boolean {
  return stream.at("int") || stream.at("hex") || stream.at("word");
}

function parseHex(stream: TokenStream): Uint8Array {
  const text = stream.peek().text.replace(/^0x/, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) {
    stream.fail(`'${stream.peek().text}' is not an even number of hexadecimal digits`);
  }
  stream.next();
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
