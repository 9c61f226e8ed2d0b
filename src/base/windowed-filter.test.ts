import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WindowedMax, WindowedMin } from "./windowed-filter.ts";

describe("windowed filter", () => {
  test("before the first value: Infinity and 0", () => {
    expect(new WindowedMin().value).toBe(Infinity);
    expect(new WindowedMax().value).toBe(0);
  });

  test("a better value counts at once, a worse one when the better has left the window", () => {
    const min = new WindowedMin();
    min.update(50, 0, 100);
    expect(min.update(40, 10, 100)).toBe(40);
    for (let t = 20; t <= 110; t += 10) expect(min.update(60, t, 100)).toBe(40);
    expect(min.update(60, 111, 100)).toBe(60);
  });

  test("never better than the window's best, never worse than the newest, exact while it is young", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 1000 })), {
          minLength: 1,
          maxLength: 200,
        }),
        (steps) => {
          const min = new WindowedMin();
          const max = new WindowedMax();
          const seen: { at: number; value: number }[] = [];
          let at = 0;
          for (const [gap, value] of steps) {
            at += gap;
            seen.push({ at, value });
            const low = min.update(value, at, 100);
            const high = max.update(value, at, 100);
            const window = seen.filter((s) => at - s.at <= 100).map((s) => s.value);
            expect(low).toBeGreaterThanOrEqual(Math.min(...window));
            expect(low).toBeLessThanOrEqual(value);
            expect(high).toBeLessThanOrEqual(Math.max(...window));
            expect(high).toBeGreaterThanOrEqual(value);
            // Nothing has left the window yet: exact.
            expect(low).toBe(at <= 100 ? Math.min(...window) : low);
          }
        },
      ),
    );
  });
});
