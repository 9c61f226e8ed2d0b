/** What one benchmark answers: the runs' figures, in its unit. */
export interface Runs {
  readonly unit: string;
  readonly higherIsBetter: boolean;
  readonly runs: readonly number[];
  /** Said beside the figure. */
  readonly note?: string;
}

export type Benchmark = () => Promise<Runs | { readonly skipped: string }>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Bytes that repeat only after a megabyte, from a seed. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}
