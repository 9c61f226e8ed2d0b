import type { ActResult, Text, Value } from "./scenario.ts";
import { Stage, type StageOptions } from "./stage.ts";

/** Where a scenario is played: it opens a stage for each act and notes what came out. */
export class Theatre {
  readonly settings: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly acts: ActResult[] = [];
  readonly values: Record<string, Value> = {};
  private steps = 0;

  constructor(settings: Readonly<Record<string, number>>, seed: number) {
    this.settings = settings;
    this.seed = seed;
  }

  /** One run on a network of its own. */
  async act<T>(
    title: Text,
    play: (stage: Stage) => Promise<T>,
    options: StageOptions = {},
  ): Promise<T> {
    const stage = new Stage(this.seed + this.acts.length, this.steps, options);
    try {
      return await play(stage);
    } finally {
      const result = stage.finish(title);
      this.steps += result.steps.length;
      this.acts.push(result);
    }
  }

  /** Notes a value of the run: shown at its end, held by its test. */
  note(name: string, value: Value): void {
    this.values[name] = value;
  }
}
