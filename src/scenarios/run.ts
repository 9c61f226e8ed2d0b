import type { Scenario, ScenarioResult } from "./scenario.ts";
import { Theatre } from "./theatre.ts";

export interface RunOptions {
  /** Values for the scenario's settings. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Default 1; a run with the same seed is the same run. */
  readonly seed?: number;
}

/** Plays a scenario on the real stack in virtual time. */
export async function runScenario(
  scenario: Scenario,
  options: RunOptions = {},
): Promise<ScenarioResult> {
  const settings: Record<string, number> = {};
  for (const [name, setting] of Object.entries(scenario.settings ?? {})) {
    settings[name] = setting.value;
  }
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    if (!(name in settings)) {
      const known = Object.keys(settings).join(", ") || "none";
      throw new RangeError(`${scenario.name} has no setting "${name}"; it has: ${known}`);
    }
    settings[name] = value;
  }
  const theatre = new Theatre(settings, options.seed ?? 1);
  await scenario.play(theatre);
  return { scenario, settings, acts: theatre.acts, values: theatre.values };
}
