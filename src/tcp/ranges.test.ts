import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ranges } from "./ranges.ts";

const all = (ranges: Ranges) =>
  Array.from({ length: ranges.count }, (_, i) => [ranges.start(i), ranges.end(i)]);

describe("ranges of sequence numbers", () => {
  test("kept apart and in order, also across the wrap", () => {
    const r = new Ranges();
    r.add(10, 20, 9);
    r.add(-20, -10, 9);
    r.add(30, 40, 9);
    expect(all(r)).toEqual([
      [-20, -10],
      [10, 20],
      [30, 40],
    ]);
    const high = new Ranges();
    high.add(0x7ffffff0, 0x7ffffff8, 9);
    high.add(-0x7ffffff0, -0x7fffffe0, 9);
    high.add(0x7ffffffc, -0x7ffffff8, 9);
    expect(all(high)).toEqual([
      [0x7ffffff0, 0x7ffffff8],
      [0x7ffffffc, -0x7ffffff8],
      [-0x7ffffff0, -0x7fffffe0],
    ]);
  });

  test("what touches is joined", () => {
    const r = new Ranges();
    r.add(10, 20, 9);
    r.add(30, 40, 9);
    r.add(20, 30, 9);
    expect(all(r)).toEqual([[10, 40]]);
  });

  test("no more than the limit, but growing and joining always work", () => {
    const r = new Ranges();
    expect(r.add(10, 20, 2)).toBe(true);
    expect(r.add(30, 40, 2)).toBe(true);
    expect(r.add(50, 60, 2)).toBe(false);
    expect(r.add(40, 45, 2)).toBe(true);
    expect(r.add(15, 35, 2)).toBe(true);
    expect(all(r)).toEqual([[10, 45]]);
  });

  test("RFC 2018 §4: stamps tell which grew last", () => {
    const r = new Ranges();
    r.add(10, 20, 9);
    r.add(30, 40, 9);
    expect(r.last).toBe(1);
    r.add(5, 10, 9);
    expect(r.last).toBe(0);
    expect(r.stamp(0)).toBeGreaterThan(r.stamp(1));
  });

  test("pop and clear", () => {
    const r = new Ranges();
    r.add(10, 20, 9);
    r.add(30, 40, 9);
    r.pop();
    expect(all(r)).toEqual([[10, 20]]);
    r.clear();
    r.pop();
    expect(r.count).toBe(0);
  });

  test("against a set of numbers, from anywhere in the sequence space", () => {
    const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }), fc.boolean());
    fc.assert(
      fc.property(fc.integer(), fc.array(range, { maxLength: 30 }), (base, calls) => {
        const at = (n: number) => (base + n) | 0;
        const r = new Ranges();
        const model = new Set<number>();
        for (const [start, length, isTrim] of calls) {
          const end = start + length;
          let isCovered = true;
          let isTouched = false;
          for (let i = start; i < end; i++) {
            if (model.has(i)) isTouched = true;
            else isCovered = false;
          }
          expect(r.covers(at(start), at(end))).toBe(isCovered);
          expect(r.touches(at(start), at(end))).toBe(isTouched);
          if (isTrim) {
            r.trim(at(start));
            for (const n of model) if (n < start) model.delete(n);
          } else {
            r.add(at(start), at(end), 1000);
            for (let i = start; i < end; i++) model.add(i);
          }
          const expected: number[][] = [];
          for (let i = 0; i < 100; i++) {
            if (!model.has(i)) continue;
            const last = expected.at(-1);
            if (last !== undefined && last[1] === at(i)) last[1] = at(i + 1);
            else expected.push([at(i), at(i + 1)]);
          }
          expect(all(r)).toEqual(expected);
          for (let n = 0; n < 100; n += 7) {
            const index = expected.findIndex(([, e]) => ((e! - at(n)) | 0) > 0);
            expect(r.indexAfter(at(n))).toBe(index < 0 ? expected.length : index);
          }
        }
      }),
    );
  });
});
