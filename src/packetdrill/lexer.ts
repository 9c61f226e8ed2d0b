/**
 * Tokens of a packetdrill script. The longest match wins, so that `0...0.2`, `+.1`, `P.` and the
 * cookie `1234abcd` come out right; words go through a table of definitions.
 */
import { type Position, ScriptError } from "./ast.ts";

export type TokenKind =
  | "option"
  | "float"
  | "int"
  | "hex"
  | "word"
  | "string"
  | "command"
  | "code"
  | "ipv4"
  | "ipv6"
  | "ellipsis"
  | "char"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written; without delimiters for strings, commands, code and options. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** Offset of the first character, and of the one after the last. */
  readonly start: number;
  readonly end: number;
}

export type Definitions = ReadonlyMap<string, string>;

const SEGMENT = "[0-9a-fA-F]{1,4}";
const DOTTED = "[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+";
/** IPv6 text always holds `::` or eight groups, else `1:1001` would be one. */
const IPV6 = [
  `::ffff:(?:0{1,4}:)?${DOTTED}`,
  `(?:${SEGMENT}:){1,4}:${DOTTED}`,
  `(?:${SEGMENT}:){7}${SEGMENT}`,
  `(?:${SEGMENT}(?::${SEGMENT})*)?::(?:${SEGMENT}(?::${SEGMENT})*)?`,
].join("|");

/** In order of preference among matches of the same length. */
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["ellipsis", /[.][.][.]/y],
  ["option", /--[a-zA-Z0-9_]+/y],
  ["float", /-?[0-9]*[.][0-9]+/y],
  ["int", /-?[0-9]+/y],
  ["hex", /0x[0-9a-fA-F]+/y],
  ["word", /[a-zA-Z0-9_]+/y],
  ["string", /"(?:\\[^]|[^"\\])*"/y],
  ["command", /`(?:\\[^]|[^`\\])*`/y],
  ["code", /%\{(?:[^}]|\}(?!%))*\}%/y],
  ["ipv4", new RegExp(DOTTED, "y")],
  ["ipv6", new RegExp(IPV6, "y")],
];

const BLANK = /(?:[ \t\r\n\f\v]+|\/\/[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/y;

/** Line and column of offsets that only grow. */
class Cursor {
  private line = 1;
  private lineStart = 0;
  private scanned = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  at(offset: number): Position {
    for (; this.scanned < offset; this.scanned++) {
      if (this.text.charCodeAt(this.scanned) === 10) {
        this.line++;
        this.lineStart = this.scanned + 1;
      }
    }
    return { line: this.line, column: offset - this.lineStart + 1 };
  }
}

/**
 * Blanks out what `#ifdef NAME ... #else ... #endif` excludes, keeping every line where it is.
 * `defined` knows the platform's name (any case) and the definitions.
 */
function preprocess(text: string, defined: (name: string) => boolean): string {
  if (!text.includes("#ifdef") && !text.includes("#ifndef")) return text;
  const stack: { keep: boolean; line: number }[] = [];
  const out: string[] = [];
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    const match = /^\s*#\s*(ifdef|ifndef|else|endif)\b\s*([A-Za-z0-9_]*)/.exec(line);
    const position = { line: index + 1, column: line.length - line.trimStart().length + 1 };
    if (match === null) {
      out.push(stack.every((entry) => entry.keep) ? line : "");
      return;
    }
    out.push("");
    const top = stack[stack.length - 1];
    if (match[1] === "ifdef" || match[1] === "ifndef") {
      if (match[2] === "") throw new ScriptError(position, `#${match[1]} needs a name`);
      stack.push({ keep: defined(match[2]) === (match[1] === "ifdef"), line: index + 1 });
    } else if (top === undefined) {
      throw new ScriptError(position, `#${match[1]} without #ifdef`);
    } else if (match[1] === "else") top.keep = !top.keep;
    else stack.pop();
  });
  const open = stack[stack.length - 1];
  if (open !== undefined) {
    throw new ScriptError({ line: open.line, column: 1 }, "#ifdef without #endif");
  }
  return out.join("\n");
}

/**
 * All tokens of a script, an `end` token last. A defined word is replaced by its value: a quoted
 * value is a string, one in backticks a command, a number a number, anything else a word.
 *
 * @param platform what `#ifdef` counts as defined besides the definitions, any case
 */
export function tokenize(script: string, definitions: Definitions, platform = ""): Token[] {
  const text = preprocess(
    script,
    (name) => definitions.has(name) || name.toLowerCase() === platform.toLowerCase(),
  );
  const cursor = new Cursor(text);
  const tokens: Token[] = [];
  let offset = 0;
  for (;;) {
    BLANK.lastIndex = offset;
    if (BLANK.test(text)) offset = BLANK.lastIndex;
    const { line, column } = cursor.at(offset);
    if (offset >= text.length) {
      tokens.push({ kind: "end", text: "", line, column, start: offset, end: offset });
      return tokens;
    }
    let best: TokenKind | undefined;
    let end = offset;
    for (const [kind, pattern] of RULES) {
      pattern.lastIndex = offset;
      if (pattern.test(text) && pattern.lastIndex > end) {
        best = kind;
        end = pattern.lastIndex;
      }
    }
    if (best === undefined) {
      const char = text[offset]!;
      const what = unterminated(text, offset);
      if (what !== undefined) throw new ScriptError({ line, column }, `${what} is not closed`);
      best = "char";
      end = offset + char.length;
    }
    tokens.push(makeToken(best, text.slice(offset, end), line, column, offset, end, definitions));
    offset = end;
  }
}

function unterminated(text: string, offset: number): string | undefined {
  if (text[offset] === '"') return "this string";
  if (text[offset] === "`") return "this command";
  if (text.startsWith("%{", offset)) return "this code";
  if (text.startsWith("/*", offset)) return "this comment";
  return undefined;
}

function makeToken(
  kind: TokenKind,
  raw: string,
  line: number,
  column: number,
  start: number,
  end: number,
  definitions: Definitions,
): Token {
  const token = (k: TokenKind, t: string): Token => ({
    kind: k,
    text: t,
    line,
    column,
    start,
    end,
  });
  switch (kind) {
    case "option":
      return token(kind, raw.slice(2));
    case "string":
    case "command":
      return token(kind, raw.slice(1, -1));
    case "code":
      return token(kind, raw.slice(2, -2));
    case "word": {
      const value = definitions.get(raw);
      if (value === undefined) return token(kind, raw);
      if (/^".*"$/s.test(value)) return token("string", value.slice(1, -1));
      if (/^`.*`$/s.test(value)) return token("command", value.slice(1, -1));
      if (/^-?[0-9]+$/.test(value)) return token("int", value);
      if (/^0x[0-9a-fA-F]+$/.test(value)) return token("hex", value);
      return token("word", value);
    }
    default:
      return token(kind, raw);
  }
}
