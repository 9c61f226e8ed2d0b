/** `fullduplex/scenarios`: the worked examples of the textbook, run on the real stack. */
export { actLadder } from "./ladder.ts";
export { findScenario, SCENARIOS } from "./registry.ts";
export { type RunOptions, runScenario } from "./run.ts";
export type {
  ActResult,
  Exhibit,
  Scenario,
  ScenarioResult,
  Series,
  Setting,
  Step,
  Text,
  Value,
} from "./scenario.ts";
