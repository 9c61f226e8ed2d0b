import { TCP } from "./internals.ts";
import { define } from "./net-hooks.ts";
import { TcpHandle } from "./tcp-handle.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string, Method>;

/**
 * Moves methods of our handles to TCP's prototype, where they serve both kinds
 * of handles: a program that wraps them there sees the calls of all sockets.
 */
export function shareWithTcp(names: readonly string[]): void {
  const ours = TcpHandle.prototype as unknown as Methods;
  const theirs = TCP.prototype as unknown as Methods;
  for (const name of names) {
    const own = ours[name]!;
    const native = theirs[name]!;
    delete ours[name];
    define(theirs, name, function (this: unknown, ...args: unknown[]) {
      return (this instanceof TcpHandle ? own : native).apply(this, args);
    });
  }
}
