/** Reads a packetdrill script, in Google's dialect and FreeBSD's; both at once, they do not clash. */
import {
  type Action,
  type Call,
  type EventTime,
  type Expression,
  type Script,
  ScriptError,
  type ScriptEvent,
  type ScriptOption,
} from "./ast.ts";
import { type Definitions, type Token, tokenize } from "./lexer.ts";
import { parsePacket } from "./packet-parser.ts";
import { TokenStream } from "./token-stream.ts";

export interface ParseOptions {
  /** `-D NAME=VALUE`. */
  readonly definitions?: Definitions;
  /** What `#ifdef` takes as defined: `Linux` or `FreeBSD`. */
  readonly platform?: string;
}

/** The script as data. Throws ScriptError with line and column. */
export function parseScript(text: string, options: ParseOptions = {}): Script {
  const definitions = new Map(options.definitions ?? []);
  let stream = new TokenStream(tokenize(text, definitions, options.platform));
  const scriptOptions = parseOptions(stream, text);
  // Definitions in the script reach the words behind them; the command line's win.
  const inner = scriptOptions.filter((option) => option.name === "define");
  if (inner.length > 0) {
    for (const { value, position } of inner) {
      const equals = value.indexOf("=");
      if (equals < 1) throw new ScriptError(position, "--define needs NAME=VALUE");
      const name = value.slice(0, equals);
      if (!definitions.has(name)) definitions.set(name, value.slice(equals + 1));
    }
    stream = new TokenStream(tokenize(text, definitions, options.platform));
    // Read again past the options only: the names defined there are replaced by now.
    parseOptions(stream, text);
  }
  return parseBody(stream, scriptOptions);
}

function parseBody(stream: TokenStream, options: readonly ScriptOption[]): Script {
  const first = stream.at("command") ? parseCommand(stream) : undefined;
  const events: ScriptEvent[] = [];
  while (!stream.at("end")) {
    if (stream.at("command")) {
      const cleanup = parseCommand(stream);
      if (!stream.at("end")) stream.fail("only the first and the last command may have no time");
      if (events.length === 0) stream.fail("the script has no events");
      return { options, init: first, events, cleanup };
    }
    events.push(parseEvent(stream));
  }
  if (events.length === 0) stream.fail("the script has no events");
  return { options, init: first, events, cleanup: undefined };
}

function parseCommand(stream: TokenStream) {
  const position = stream.position();
  return { kind: "command" as const, text: stream.next().text, position };
}

/** Options at the top; a value is all that stands without a blank between. */
function parseOptions(stream: TokenStream, text: string): ScriptOption[] {
  const options: ScriptOption[] = [];
  while (stream.at("option")) {
    const position = stream.position();
    const name = stream.next().text;
    let value = "";
    if (stream.takeChar("=")) {
      const start = stream.peek();
      if (!isOptionValue(start)) stream.fail(`--${name}= needs a value`);
      let last = stream.next();
      if (start.kind === "string") value = start.text;
      while (stream.peek().start === last.end && !stream.at("end") && !stream.at("option")) {
        last = stream.next();
      }
      if (last !== start || start.kind !== "string") value = text.slice(start.start, last.end);
    }
    options.push({ name, value, position });
  }
  return options;
}

function isOptionValue(token: Token): boolean {
  return token.kind !== "end" && token.kind !== "option" && token.kind !== "char";
}

function parseEvent(stream: TokenStream): ScriptEvent {
  const position = stream.position();
  const time = parseTime(stream);
  const action = parseAction(stream);
  const outbound = isOutbound(action);
  if (time.kind === "any" && !outbound) {
    throw new ScriptError(position, "the time '*' is for outbound packets only");
  }
  if (time.kind.endsWith("range")) {
    if (!outbound) throw new ScriptError(position, "a time range is for outbound packets only");
    if (time.endUs < time.startUs) throw new ScriptError(position, "the time range runs backwards");
  }
  return { time, action, position };
}

function isOutbound(action: Action): boolean {
  return "inbound" in action && !action.inbound;
}

function parseTime(stream: TokenStream): EventTime {
  if (stream.takeChar("*")) return { kind: "any", startUs: 0, endUs: 0 };
  if (stream.takeChar("+")) {
    const startUs = parseSeconds(stream);
    if (!stream.takeChar("~")) return { kind: "relative", startUs, endUs: startUs };
    stream.expectChar("+", "before the end of a relative time range");
    return { kind: "relative-range", startUs, endUs: parseSeconds(stream) };
  }
  const startUs = parseSeconds(stream);
  if (!stream.takeChar("~")) return { kind: "absolute", startUs, endUs: startUs };
  return { kind: "absolute-range", startUs, endUs: parseSeconds(stream) };
}

function parseSeconds(stream: TokenStream): number {
  const token = stream.take("float") ?? stream.take("int");
  if (token === undefined) return stream.fail(`expected a time, got ${stream.describe()}`);
  const seconds = Number(token.text);
  if (seconds < 0) {
    throw new ScriptError({ line: token.line, column: token.column }, "a time cannot be negative");
  }
  return Math.round(seconds * 1e6);
}

function parseAction(stream: TokenStream): Action {
  const position = stream.position();
  if (stream.atChar("<") || stream.atChar(">")) return parsePacket(stream);
  if (stream.at("command")) return parseCommand(stream);
  if (stream.at("code")) return { kind: "code", text: stream.next().text, position };
  if (stream.at("ellipsis") || stream.at("word")) return parseCall(stream);
  return stream.fail(`expected a packet, a call, a command or code, got ${stream.describe()}`);
}

function parseCall(stream: TokenStream): Call {
  const endUs = stream.take("ellipsis") ? parseSeconds(stream) : undefined;
  const position = stream.position();
  const name = stream.expectWord("the name of a call").text;
  stream.expectChar("(", `after ${name}`);
  const args = parseList(stream, ")");
  stream.expectChar("=", `and a result after ${name}(...)`);
  const result = parseExpression(stream);
  const errno = stream.take("word")?.text ?? "";
  return { kind: "call", name, args, result, errno, note: parseNote(stream), endUs, position };
}

/** `(Operation now in progress)`: for people. */
function parseNote(stream: TokenStream): string {
  if (!stream.takeChar("(")) return "";
  const words: string[] = [];
  for (let depth = 1; ; ) {
    if (stream.at("end")) stream.fail("this note is not closed");
    if (stream.atChar("(")) depth++;
    if (stream.atChar(")") && --depth === 0) break;
    words.push(stream.next().text);
  }
  stream.next();
  return words.join(" ");
}

/** Expressions up to `close`, which is taken too. */
function parseList(stream: TokenStream, close: string): Expression[] {
  const items: Expression[] = [];
  if (stream.takeChar(close)) return items;
  do items.push(parseExpression(stream));
  while (stream.takeChar(","));
  stream.expectChar(close, "or ','");
  return items;
}

export function parseExpression(stream: TokenStream): Expression {
  const position = stream.position();
  const first = parsePrimary(stream);
  if (!stream.atChar("|")) return first;
  const parts = [first];
  while (stream.takeChar("|")) parts.push(parsePrimary(stream));
  return { kind: "or", parts, position };
}

function parsePrimary(stream: TokenStream): Expression {
  const position = stream.position();
  const token = stream.peek();
  switch (token.kind) {
    case "ellipsis":
      stream.next();
      return { kind: "ellipsis", position };
    case "int":
    case "hex": {
      stream.next();
      const big = BigInt(token.text);
      const value = Number(big);
      const hex = token.kind === "hex";
      return Number.isSafeInteger(value)
        ? { kind: "int", value, hex, position }
        : { kind: "int", value, big, hex, position };
    }
    case "string":
      return parseString(stream);
    case "word":
      return parseWord(stream);
    case "ipv4":
    case "ipv6":
      stream.next();
      return { kind: "string", value: token.text, more: false, position };
    default:
  }
  if (stream.takeChar("[")) return { kind: "list", items: parseList(stream, "]"), position };
  if (stream.takeChar("{")) return { kind: "struct", items: parseList(stream, "}"), position };
  if (stream.takeChar("(")) {
    const inner = parseExpression(stream);
    stream.expectChar(")", "to close the parenthesis");
    return inner;
  }
  return stream.fail(`expected a value, got ${stream.describe()}`);
}

function parseString(stream: TokenStream): Expression {
  const position = stream.position();
  let value = "";
  while (stream.at("string")) value += unescapeString(stream.next().text);
  return { kind: "string", value, more: stream.take("ellipsis") !== undefined, position };
}

function unescapeString(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^])/g, (_, code: string) => {
    if (code[0] === "x") return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
    return { n: "\n", r: "\r", t: "\t" }[code] ?? code;
  });
}

function parseWord(stream: TokenStream): Expression {
  const position = stream.position();
  const name = stream.next().text;
  if (stream.takeChar("(")) {
    const args = parseList(stream, ")");
    if (!stream.takeChar("=")) return { kind: "apply", name, args, position };
    return { kind: "field", name, args, value: parseExpression(stream), position };
  }
  if (stream.takeChar("=")) {
    return { kind: "field", name, args: undefined, value: parseExpression(stream), position };
  }
  return { kind: "word", name, position };
}
