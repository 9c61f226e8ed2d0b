/** Tokens of the Python subset inside `%{ }%`. A newline inside brackets is a blank, as in Python. */
export interface CodeToken {
  readonly kind: "number" | "string" | "name" | "op" | "newline" | "end";
  readonly text: string;
  /** Line inside the block, from 1. */
  readonly line: number;
}

const TOKEN =
  /(?<blank>[ \t\r]+|#[^\n]*|\\\n)|(?<newline>\n|;)|(?<number>0[xX][0-9a-fA-F]+|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+)|(?<string>[rbuf]?(?:"""[^]*?"""|'''[^]*?'''|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'))|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<op>\*\*=?|\/\/=?|<<=?|>>=?|[<>=!+\-*/%&|^]=|[<>+\-*/%&|^~=(),[\].:])/y;

export function tokenizeCode(text: string): CodeToken[] {
  const tokens: CodeToken[] = [];
  let line = 1;
  let depth = 0;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`cannot read '${text.slice(at, at + 10)}'`);
    const groups = match.groups!;
    const raw = match[0];
    if (groups.newline !== undefined) {
      if (depth === 0) tokens.push({ kind: "newline", text: raw, line });
    } else if (groups.number !== undefined) tokens.push({ kind: "number", text: raw, line });
    else if (groups.string !== undefined) {
      tokens.push({ kind: "string", text: stringValue(raw), line });
    } else if (groups.name !== undefined) tokens.push({ kind: "name", text: raw, line });
    else if (groups.op !== undefined) {
      if ("([".includes(raw)) depth++;
      else if (")]".includes(raw)) depth--;
      tokens.push({ kind: "op", text: raw, line });
    }
    for (const char of raw) if (char === "\n") line++;
  }
  tokens.push({ kind: "newline", text: "\n", line }, { kind: "end", text: "", line });
  return tokens;
}

function stringValue(raw: string): string {
  const body = raw.replace(/^[rbuf]/, "");
  const quote = body.startsWith('"""') || body.startsWith("'''") ? 3 : 1;
  const inner = body.slice(quote, -quote);
  if (raw.startsWith("r")) return inner;
  return inner.replace(/\\(n|t|r|[^])/g, (_, c: string) => ({ n: "\n", t: "\t", r: "\r" })[c] ?? c);
}
