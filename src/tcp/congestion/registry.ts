import { Bbr } from "./bbr.ts";
import { Bic } from "./bic.ts";
import type { ControllerFactory } from "./controller.ts";
import { Cubic } from "./cubic.ts";
import { Dctcp } from "./dctcp.ts";
import { Reno } from "./reno.ts";
import { Vegas } from "./vegas.ts";
import { Westwood } from "./westwood.ts";

/** Those that pace, own the window or echo marks by their own rule: they must see a connection from its start. */
const eager = new Set(["bbr", "dctcp"]);

const factories = new Map<string, ControllerFactory>([
  ["reno", (settings) => new Reno(settings)],
  ["cubic", (settings) => new Cubic(settings)],
  ["bic", (settings) => new Bic(settings)],
  ["westwood", (settings) => new Westwood(settings)],
  ["vegas", (settings) => new Vegas(settings)],
  ["bbr", () => new Bbr()],
  ["dctcp", (settings) => new Dctcp(settings)],
]);

/**
 * Makes an algorithm available under `name` (as TCP_CONGESTION takes it), for
 * every host of this process; a name registered before is replaced for new
 * connections.
 */
export function registerCongestionControl(name: string, factory: ControllerFactory): void {
  factories.set(name, factory);
  // Nothing is known of it: it sees everything.
  eager.add(name);
}

/** Whether its controller is made with the connection, not only once the window is full. */
export function isEager(name: string): boolean {
  return eager.has(name);
}

/** The factory of that name; undefined if there is none (ENOENT to the caller of setsockopt). */
export function congestionControl(name: string): ControllerFactory | undefined {
  return factories.get(name);
}

/** All names, in the order of registration. */
export function congestionControlNames(): string[] {
  return [...factories.keys()];
}
