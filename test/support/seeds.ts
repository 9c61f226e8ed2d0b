/** True in `npm run test:long`, where each seeded test runs its full number of seeds. */
export const longRun = process.env.FULLDUPLEX_LONG === "1";

/**
 * The seeds of a test: `usual` of them in `npm test`, `full` in `npm run
 * test:long`. `FULLDUPLEX_SEED=n` replays one alone, as a failed test's title
 * says. Use with `test.each(seeds(20, 200))("seed %i: ...", (seed) => ...)`.
 */
export function seeds(usual: number, full: number): number[] {
  const one = process.env.FULLDUPLEX_SEED;
  if (one !== undefined && one !== "") {
    const seed = Number(one);
    if (!Number.isSafeInteger(seed)) {
      throw new Error(`FULLDUPLEX_SEED must be a whole number, not ${JSON.stringify(one)}`);
    }
    return [seed];
  }
  return Array.from({ length: longRun ? full : usual }, (_, index) => index + 1);
}
