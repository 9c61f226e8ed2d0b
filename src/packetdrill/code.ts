/**
 * The Python that packetdrill scripts put between `%{` and `}%`: assert, print, assignments and
 * expressions over the fields of TCP_INFO. No control flow; anything else is a CodeError.
 */
import { type CodeToken, tokenizeCode } from "./code-lexer.ts";

export type CodeValue = number | string | boolean | undefined | readonly CodeValue[];

/** An assertion that failed, or code outside the subset. `line` counts inside the block, from 1. */
export class CodeError extends Error {
  override readonly name = "CodeError";
  readonly line: number;
  /** True: the code was read and an assertion in it did not hold. */
  readonly assertion: boolean;

  constructor(message: string, line: number, assertion = false) {
    super(message);
    this.line = line;
    this.assertion = assertion;
  }
}

/** Looks a name up that no assignment made; undefined: unknown. */
export type NameLookup = (name: string) => CodeValue;

/** Runs blocks one after the other; what one assigns the next ones see. */
export class CodeRunner {
  private readonly variables = new Map<string, CodeValue>();
  private readonly print: (line: string) => void;
  private lookup: NameLookup = () => undefined;
  private tokens: readonly CodeToken[] = [];
  private index = 0;
  /** Names and values that the assertion under way has read, for its message. */
  private readonly seen = new Map<string, CodeValue>();

  constructor(print: (line: string) => void = () => {}) {
    this.print = print;
  }

  /** Throws CodeError. */
  run(text: string, lookup: NameLookup): void {
    this.lookup = lookup;
    try {
      this.tokens = tokenizeCode(text);
    } catch (error) {
      throw new CodeError((error as Error).message, 1);
    }
    this.index = 0;
    while (this.peek().kind !== "end") {
      if (this.peek().kind === "newline") this.index++;
      else this.statement();
    }
  }

  // Statements

  private statement(): void {
    const token = this.peek();
    this.seen.clear();
    if (this.takeName("assert")) this.assertStatement(token.line);
    else if (this.takeName("print")) this.printStatement();
    else if (this.takeName("pass")) this.index += 0;
    else if (token.kind === "name" && FORBIDDEN.has(token.text)) {
      throw new CodeError(`'${token.text}' is outside the subset of Python known here`, token.line);
    } else this.assignmentOrExpression();
    if (this.peek().kind !== "newline") this.unexpected();
    this.index++;
  }

  private assertStatement(line: number): void {
    const from = this.index;
    const value = this.expression();
    const text = this.textOf(from, this.index);
    const read = [...this.seen].map(([name, got]) => `${name} is ${format(got)}`).join(", ");
    let message: CodeValue;
    if (this.takeOp(",")) message = this.expression();
    if (truth(value)) return;
    let detail = `assert ${text} failed`;
    if (read !== "") detail += ` (${read})`;
    if (message !== undefined) detail += `: ${format(message)}`;
    throw new CodeError(detail, line, true);
  }

  private printStatement(): void {
    const parts: CodeValue[] = [];
    const ends = () => this.peek().kind === "newline";
    while (!ends()) {
      parts.push(this.expression());
      if (!this.takeOp(",")) break;
    }
    // print(a, b) came out as one tuple.
    const list = parts.length === 1 && Array.isArray(parts[0]) ? parts[0] : parts;
    this.print(list.map(format).join(" "));
  }

  private assignmentOrExpression(): void {
    const target = this.peek();
    const op = this.tokens[this.index + 1]!;
    if (
      target.kind === "name" &&
      op.kind === "op" &&
      /^(?:[-+*/%&|^]|\/\/|<<|>>)?=$/.test(op.text)
    ) {
      this.index += 2;
      const value = this.expression();
      const binary = op.text.slice(0, -1);
      this.variables.set(
        target.text,
        binary === "" ? value : operate(binary, this.value(target), value, target.line),
      );
      return;
    }
    this.expression();
  }

  // Expressions, loosest first

  private expression(): CodeValue {
    const value = this.disjunction();
    if (!this.takeName("if")) return value;
    const condition = this.disjunction();
    if (!this.takeName("else")) this.unexpected();
    const other = this.expression();
    return truth(condition) ? value : other;
  }

  private disjunction(): CodeValue {
    let value = this.conjunction();
    while (this.takeName("or")) {
      const right = this.conjunction();
      value = truth(value) ? value : right;
    }
    return value;
  }

  private conjunction(): CodeValue {
    let value = this.negation();
    while (this.takeName("and")) {
      const right = this.negation();
      value = truth(value) ? right : value;
    }
    return value;
  }

  private negation(): CodeValue {
    return this.takeName("not") ? !truth(this.negation()) : this.comparison();
  }

  /** Chained, as in `2 <= a < 4`. */
  private comparison(): CodeValue {
    let left = this.binary(0);
    let result: CodeValue;
    for (;;) {
      const token = this.peek();
      let op = token.text;
      if (token.kind === "name" && op === "not" && this.tokens[this.index + 1]?.text === "in") {
        op = "not in";
        this.index++;
      } else if (token.kind === "name" ? op !== "in" && op !== "is" : !COMPARISONS.has(op)) {
        return result === undefined ? left : result;
      }
      this.index++;
      if (op === "is" && this.takeName("not")) op = "!=";
      const right = this.binary(0);
      const holds = compare(op, left, right, token.line);
      result = result === undefined ? holds : truth(result) && holds;
      left = right;
    }
  }

  private binary(level: number): CodeValue {
    const operators = BINARY[level];
    if (operators === undefined) return this.unary();
    let value = this.binary(level + 1);
    for (;;) {
      const token = this.peek();
      if (token.kind !== "op" || !operators.includes(token.text)) return value;
      this.index++;
      value = operate(token.text, value, this.binary(level + 1), token.line);
    }
  }

  private unary(): CodeValue {
    const token = this.peek();
    if (this.takeOp("-")) return -number(this.unary(), token.line);
    if (this.takeOp("+")) return number(this.unary(), token.line);
    if (this.takeOp("~")) return -number(this.unary(), token.line) - 1;
    const base = this.primary();
    if (!this.takeOp("**")) return base;
    return number(base, token.line) ** number(this.unary(), token.line);
  }

  private primary(): CodeValue {
    const token = this.peek();
    this.index++;
    if (token.kind === "number") return Number(token.text);
    if (token.kind === "string") {
      let text = token.text;
      while (this.peek().kind === "string") text += this.tokens[this.index++]!.text;
      return text;
    }
    if (token.kind === "name") {
      if (token.text === "True") return true;
      if (token.text === "False") return false;
      if (token.text === "None") return undefined;
      if (this.peek().kind === "op" && this.peek().text === "(") return this.call(token);
      return this.value(token);
    }
    if (token.kind === "op" && (token.text === "(" || token.text === "[")) {
      return this.bracketed(token.text === "(" ? ")" : "]");
    }
    this.index--;
    return this.unexpected();
  }

  /** A parenthesized value, or a tuple or list. */
  private bracketed(close: string): CodeValue {
    const items: CodeValue[] = [];
    let isTuple = close === "]";
    while (!this.takeOp(close)) {
      items.push(this.expression());
      if (this.takeOp(",")) isTuple = true;
      else if (this.peek().text !== close) this.unexpected();
    }
    return isTuple || items.length !== 1 ? items : items[0];
  }

  private call(name: CodeToken): CodeValue {
    this.index++;
    const args = this.bracketed(")");
    const list = Array.isArray(args) ? (args as readonly CodeValue[]) : [args];
    const apply = FUNCTIONS[name.text];
    if (apply === undefined) {
      throw new CodeError(`there is no function ${name.text} here`, name.line);
    }
    return apply(list, name.line);
  }

  private value(token: CodeToken): CodeValue {
    const value = this.variables.has(token.text)
      ? this.variables.get(token.text)
      : this.lookup(token.text);
    if (value === undefined && !this.variables.has(token.text)) {
      throw new CodeError(`the name ${token.text} is not known`, token.line);
    }
    if (token.text.startsWith("tcpi_") || this.variables.has(token.text)) {
      this.seen.set(token.text, value);
    }
    return value;
  }

  // Tokens

  private peek(): CodeToken {
    return this.tokens[this.index]!;
  }

  private takeName(text: string): boolean {
    const token = this.peek();
    if (token.kind !== "name" || token.text !== text) return false;
    this.index++;
    return true;
  }

  private takeOp(text: string): boolean {
    const token = this.peek();
    if (token.kind !== "op" || token.text !== text) return false;
    this.index++;
    return true;
  }

  private textOf(from: number, to: number): string {
    return this.tokens
      .slice(from, to)
      .map((token) => (token.kind === "string" ? JSON.stringify(token.text) : token.text))
      .join(" ");
  }

  private unexpected(): never {
    const token = this.peek();
    const what = token.kind === "newline" || token.kind === "end" ? "the end" : `'${token.text}'`;
    throw new CodeError(`did not expect ${what} here`, token.line);
  }
}

const FORBIDDEN = new Set(
  "if for while def class import from return with try lambda global del raise yield exec".split(
    " ",
  ),
);
const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">="]);
const BINARY = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%"]];

const FUNCTIONS: Readonly<Record<string, (args: readonly CodeValue[], line: number) => CodeValue>> =
  {
    abs: ([value], line) => Math.abs(number(value, line)),
    min: (args, line) => Math.min(...args.map((arg) => number(arg, line))),
    max: (args, line) => Math.max(...args.map((arg) => number(arg, line))),
    int: ([value], line) => Math.trunc(number(value, line)),
    float: ([value], line) => number(value, line),
    round: ([value], line) => Math.round(number(value, line)),
    str: ([value]) => format(value),
    len: ([value]) => (value as string).length,
    hex: ([value], line) => `0x${number(value, line).toString(16)}`,
  };

function truth(value: CodeValue): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function number(value: CodeValue, line: number): number {
  const result = typeof value === "boolean" ? Number(value) : value;
  if (typeof result === "number") return result;
  if (typeof result === "string" && result.trim() !== "" && !Number.isNaN(Number(result))) {
    return Number(result);
  }
  throw new CodeError(`${format(value)} is not a number`, line);
}

function compare(op: string, left: CodeValue, right: CodeValue, line: number): boolean {
  if (op === "in" || op === "not in") {
    const inside = Array.isArray(right)
      ? right.some((item: CodeValue) => equal(left, item))
      : String(right).includes(String(left));
    return inside === (op === "in");
  }
  if (op === "==" || op === "is") return equal(left, right);
  if (op === "!=") return !equal(left, right);
  const a = number(left, line);
  const b = number(right, line);
  if (op === "<") return a < b;
  if (op === "<=") return a <= b;
  if (op === ">") return a > b;
  return a >= b;
}

function equal(left: CodeValue, right: CodeValue): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, i) => equal(item, right[i]));
  }
  const plain = (value: CodeValue) => (typeof value === "boolean" ? Number(value) : value);
  return plain(left) === plain(right);
}

function operate(op: string, left: CodeValue, right: CodeValue, line: number): CodeValue {
  if (op === "%" && typeof left === "string") return interpolate(left, right, line);
  if (op === "+" && typeof left === "string") return left + format(right);
  const a = number(left, line);
  const b = number(right, line);
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
    case "//":
    case "%":
      if (b === 0) throw new CodeError("division by zero", line);
      return op === "/" ? a / b : op === "//" ? Math.floor(a / b) : a - b * Math.floor(a / b);
    default:
  }
  // Beyond 32 bits JavaScript's own operators would cut the value.
  const x = BigInt(Math.trunc(a));
  const y = BigInt(Math.trunc(b));
  const wide = { "&": x & y, "|": x | y, "^": x ^ y, "<<": x << y, ">>": x >> y }[op];
  if (wide === undefined) throw new CodeError(`no operator ${op} here`, line);
  return Number(wide);
}

/** Python's `"%d of %s" % (a, b)`. */
function interpolate(pattern: string, args: CodeValue, line: number): string {
  const list = Array.isArray(args) ? (args as readonly CodeValue[]) : [args];
  let next = 0;
  return pattern.replace(
    /%(-?0?)([0-9]*)(?:\.([0-9]+))?([diuxXfgsr%])/g,
    (_, flags: string, width: string, precision: string | undefined, type: string) => {
      if (type === "%") return "%";
      if (next >= list.length) throw new CodeError("not enough values for the format", line);
      const value = list[next++];
      let text: string;
      if ("diu".includes(type)) text = String(Math.trunc(number(value, line)));
      else if (type === "x" || type === "X") text = number(value, line).toString(16);
      else if (type === "f") text = number(value, line).toFixed(Number(precision ?? 6));
      else text = format(value);
      if (type === "X") text = text.toUpperCase();
      if (flags.includes("-")) return text.padEnd(Number(width));
      return text.padStart(Number(width), flags.includes("0") ? "0" : " ");
    },
  );
}

function format(value: CodeValue): string {
  if (value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `(${value.map(format).join(", ")})`;
  return String(value);
}
