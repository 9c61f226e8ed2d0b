import { type Position, ScriptError } from "./ast.ts";
import type { Token, TokenKind } from "./lexer.ts";

/** A reader over tokens: the parsers' common ground. */
export class TokenStream {
  private index = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  /** The token `ahead` places on; the last one is `end` for ever. */
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    if (this.index < this.tokens.length - 1) this.index++;
    return token;
  }

  position(): Position {
    const { line, column } = this.peek();
    return { line, column };
  }

  at(kind: TokenKind, text?: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === kind && (text === undefined || token.text === text);
  }

  atChar(char: string, ahead = 0): boolean {
    return this.at("char", char, ahead);
  }

  atWord(text?: string, ahead = 0): boolean {
    return this.at("word", text, ahead);
  }

  /** Takes the token if it is there. */
  take(kind: TokenKind, text?: string): Token | undefined {
    return this.at(kind, text) ? this.next() : undefined;
  }

  takeChar(char: string): boolean {
    return this.take("char", char) !== undefined;
  }

  expectChar(char: string, where: string): void {
    if (!this.takeChar(char)) this.fail(`expected '${char}' ${where}, got ${this.describe()}`);
  }

  expectWord(where: string): Token {
    return this.take("word") ?? this.fail(`expected ${where}, got ${this.describe()}`);
  }

  /** An unsigned integer up to `limit`, decimal or hexadecimal. */
  integer(what: string, limit: number): number {
    const token = this.peek();
    if (token.kind !== "int" && token.kind !== "hex") {
      return this.fail(`expected ${what}, got ${this.describe()}`);
    }
    const value = Number(token.text);
    if (value < 0 || value > limit) return this.fail(`${what} is out of range: ${token.text}`);
    this.next();
    return value;
  }

  describe(): string {
    const token = this.peek();
    return token.kind === "end" ? "the end of the script" : `'${token.text}'`;
  }

  fail(detail: string): never {
    throw new ScriptError(this.position(), detail);
  }
}
