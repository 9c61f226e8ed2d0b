import type { ControllerFactory } from "./controller.ts";
import { Cubic } from "./cubic.ts";
import { Reno } from "./reno.ts";

const factories = new Map<string, ControllerFactory>([
  ["reno", (settings) => new Reno(settings)],
  ["cubic", (settings) => new Cubic(settings)],
]);

/**
 * Makes an algorithm available under `name` (as TCP_CONGESTION takes it), for
 * every host of this process; a name registered before is replaced for new
 * connections.
 */
export function registerCongestionControl(name: string, factory: ControllerFactory): void {
  factories.set(name, factory);
}

/** The factory of that name; undefined if there is none (ENOENT to the caller of setsockopt). */
export function congestionControl(name: string): ControllerFactory | undefined {
  return factories.get(name);
}

/** All names, in the order of registration. */
export function congestionControlNames(): string[] {
  return [...factories.keys()];
}
