import type { Scenario } from "./scenario.ts";
import { threeWayHandshake } from "./three-way-handshake.ts";

/** All scenarios, in the order of the course. */
export const SCENARIOS: readonly Scenario[] = [threeWayHandshake];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
