import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  seqAdd,
  seqBetween,
  seqDiff,
  seqGeq,
  seqGt,
  seqLeq,
  seqLt,
  seqMax,
  seqMin,
} from "./sequence.ts";

const seq = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const step = fc.integer({ min: 1, max: 2 ** 31 - 1 });

describe("RFC 9293 §3.4: sequence numbers modulo 2^32", () => {
  test("a number is before every number up to 2^31 - 1 ahead, across both wraps", () => {
    fc.assert(
      fc.property(seq, step, (a, n) => {
        const b = seqAdd(a, n);
        expect([seqLt(a, b), seqLeq(a, b), seqGt(a, b), seqGeq(a, b)]).toEqual([
          true,
          true,
          false,
          false,
        ]);
        expect([seqLt(b, a), seqLeq(b, a), seqGt(b, a), seqGeq(b, a)]).toEqual([
          false,
          false,
          true,
          true,
        ]);
        expect(seqDiff(b, a)).toBe(n);
        expect(seqDiff(a, b)).toBe(-n);
        expect(seqMax(a, b)).toBe(b);
        expect(seqMax(b, a)).toBe(b);
        expect(seqMin(a, b)).toBe(a);
        expect(seqMin(b, a)).toBe(a);
      }),
    );
  });

  test("a number is neither before nor after itself", () => {
    fc.assert(
      fc.property(seq, (a) => {
        expect([seqLt(a, a), seqLeq(a, a), seqGt(a, a), seqGeq(a, a)]).toEqual([
          false,
          true,
          false,
          true,
        ]);
      }),
    );
  });

  test("4294967295 is before 0, and 2147483647 before 2147483648", () => {
    expect(seqLt(-1, 0)).toBe(true);
    expect(seqLt(0x7fffffff, 0x80000000 | 0)).toBe(true);
    expect(seqAdd(0x7fffffff, 1)).toBe(-(2 ** 31));
  });

  test("§3.4: a window holds its left edge and not its right one", () => {
    fc.assert(
      fc.property(seq, fc.nat(2 ** 30), fc.nat(2 ** 31), (left, size, offset) => {
        expect(seqBetween(seqAdd(left, offset), left, seqAdd(left, size))).toBe(offset < size);
      }),
    );
    expect(seqBetween(5, 5, 5)).toBe(false);
  });
});
