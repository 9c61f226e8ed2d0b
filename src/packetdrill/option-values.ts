/** Values of socket options between a script and the socket calls. */
import type { Linger, OptionValue } from "../sockets/options/option.ts";
import type { Call, Expression } from "./ast.ts";
import { formatExpression } from "./format-expression.ts";
import { CallError, field, isEllipsis, numberValue, UnsupportedError } from "./values.ts";

/** What setsockopt is to be given. Milliseconds for timeouts, as our calls take them. */
export function optionValue(call: Call, value: Expression | undefined): OptionValue {
  if (value === undefined) throw new CallError(call.position, "setsockopt needs a value");
  if (value.kind === "string") return value.value;
  if (value.kind === "struct") {
    const onoff = field(value, "onoff");
    if (onoff !== undefined) {
      const seconds = field(value, "linger");
      return {
        on: numberValue(onoff, value.position) !== 0,
        seconds: numberValue(seconds, value.position),
      };
    }
    const timeout = timeval(value);
    if (timeout !== undefined) return timeout;
    throw new UnsupportedError(`the option value ${formatExpression(value)} is not known here`);
  }
  return numberValue(value, call.position);
}

/** `{tv_sec=1, tv_usec=0}` in milliseconds. */
function timeval(value: Expression): number | undefined {
  const seconds = field(value, "tv_sec") ?? field(value, "sec");
  if (seconds === undefined) return undefined;
  const us = field(value, "tv_usec") ?? field(value, "usec");
  return (
    numberValue(seconds, value.position) * 1000 +
    (us === undefined ? 0 : numberValue(us, value.position) / 1000)
  );
}

/** What differs between the script's value and the one getsockopt brought; undefined: nothing. */
export function compareOption(
  call: Call,
  expected: Expression | undefined,
  actual: OptionValue,
): string | undefined {
  if (expected === undefined || isEllipsis(expected)) return undefined;
  const mismatch = (want: string, got: string) => `expected value ${want}, got ${got}`;
  if (expected.kind === "string") {
    return actual === expected.value
      ? undefined
      : mismatch(JSON.stringify(expected.value), JSON.stringify(actual));
  }
  if (expected.kind === "struct") {
    const onoff = field(expected, "onoff");
    if (onoff !== undefined && typeof actual === "object" && "seconds" in actual) {
      const { on, seconds } = actual as Linger;
      const wantsOn = isEllipsis(onoff) ? on : numberValue(onoff, expected.position) !== 0;
      const linger = field(expected, "linger");
      const wants = isEllipsis(linger) ? seconds : numberValue(linger, expected.position);
      if (wantsOn === on && (wants === seconds || !on)) return undefined;
      return mismatch(formatExpression(expected), `{onoff=${on ? 1 : 0}, linger=${seconds}}`);
    }
    const timeout = timeval(expected);
    if (timeout !== undefined) {
      return timeout === actual ? undefined : mismatch(`${timeout} ms`, `${String(actual)} ms`);
    }
    throw new UnsupportedError(`the option value ${formatExpression(expected)} is not known here`);
  }
  if (expected.kind === "list") {
    if (expected.items.length === 0 || isEllipsis(expected.items[0])) return undefined;
  }
  const want = numberValue(expected, call.position);
  const got = typeof actual === "boolean" ? Number(actual) : actual;
  if (typeof got === "number" && (got | 0) === (want | 0)) return undefined;
  return mismatch(formatExpression(expected), `[${String(got)}]`);
}
