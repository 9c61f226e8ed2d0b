import type { Call, Expression } from "./ast.ts";

/** An expression as a script writes it. */
export function formatExpression(e: Expression): string {
  const list = (items: readonly Expression[]) => items.map(formatExpression).join(", ");
  switch (e.kind) {
    case "ellipsis":
      return "...";
    case "int":
      return e.hex ? `0x${(e.big ?? BigInt(e.value)).toString(16)}` : String(e.big ?? e.value);
    case "string":
      return JSON.stringify(e.value) + (e.more ? "..." : "");
    case "word":
      return e.name;
    case "or":
      return e.parts.map(formatExpression).join("|");
    case "list":
      return `[${list(e.items)}]`;
    case "struct":
      return `{${list(e.items)}}`;
    case "field":
      return `${e.name}${e.args === undefined ? "" : `(${list(e.args)})`}=${formatExpression(e.value)}`;
    case "apply":
      return `${e.name}(${list(e.args)})`;
  }
}

/** `read(4, ..., 1000)`, without the result. */
export function formatCall(call: Call): string {
  return `${call.name}(${call.args.map(formatExpression).join(", ")})`;
}
