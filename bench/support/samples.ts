/** What a benchmark gives back: its figures, one per round, and what else is worth telling. */
export interface Outcome {
  readonly samples: readonly number[];
  readonly extra?: Record<string, number | string>;
  /** Why it was not run. */
  readonly skipped?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** CPU seconds a second that this process got during the last rounds: below 1 where others ran beside it. */
export let cpuShare = 1;

/** Runs `round` several times after as many warm-ups, and collects what it answers. */
export async function rounds(
  count: number,
  round: () => number | Promise<number>,
  warmUps = 1,
): Promise<number[]> {
  for (let i = 0; i < warmUps; i++) await round();
  const samples: number[] = [];
  const { user, system } = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < count; i++) samples.push(await round());
  const cpu = process.cpuUsage({ user, system });
  cpuShare = (cpu.user + cpu.system) / 1000 / (performance.now() - start);
  return samples;
}

export const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1000;
