/** Expressions of a script as numbers, lists and structures. */
import type { Expression, Position } from "./ast.ts";
import { formatExpression } from "./format-expression.ts";
import { symbol } from "./symbols.ts";

/** A call that cannot be made as it is written. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly position: Position;
  constructor(position: Position, message: string) {
    super(message);
    this.position = position;
  }
}

/** A call, option or constant that this stack has no counterpart for: the script is skipped. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

export function isEllipsis(expression: Expression | undefined): boolean {
  return expression?.kind === "ellipsis";
}

/** The number an expression means. Throws CallError for what is none, UnsupportedError for an unknown word. */
export function numberValue(expression: Expression | undefined, position: Position): number {
  switch (expression?.kind) {
    case "int":
      return expression.value;
    case "word": {
      const value = symbol(expression.name);
      if (value === undefined)
        throw new UnsupportedError(`the constant ${expression.name} is not known here`);
      return value;
    }
    case "or":
      // Unsigned, since EPOLLET is the sign bit.
      return expression.parts.reduce((bits, part) => bits | numberValue(part, position), 0) >>> 0;
    case "apply":
      // htons and its kin change what memory holds, not the number.
      if (/^(?:htons|htonl|ntohs|ntohl)$/.test(expression.name)) {
        return numberValue(expression.args[0], position);
      }
      break;
    case "list":
      if (expression.items.length === 1) return numberValue(expression.items[0], position);
      break;
    default:
  }
  const what = expression === undefined ? "nothing" : formatExpression(expression);
  throw new CallError(expression?.position ?? position, `expected a number, got ${what}`);
}

/** A field of a structure; undefined when it has no such field. */
export function field(expression: Expression | undefined, name: string): Expression | undefined {
  if (expression?.kind !== "struct") return undefined;
  for (const item of expression.items) {
    if (item.kind === "field" && item.name === name) return item.value;
  }
  return undefined;
}

/** The items of `[...]`; nothing for anything else. */
export function listItems(expression: Expression | undefined): readonly Expression[] {
  return expression?.kind === "list" ? expression.items : [];
}
