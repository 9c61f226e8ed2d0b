import fc from "fast-check";
import { expect, test } from "vitest";
import { createJsKernel } from "./js-kernel.ts";
import { combineSums, foldSum, swapSum } from "./memory-kernel.ts";

const kernel = createJsKernel(4096);
const memory = new Uint8Array(kernel.buffer);

test("RFC 1071 §2: folding carries around the end", () => {
  expect(foldSum(0)).toBe(0);
  expect(foldSum(0xffff)).toBe(0xffff);
  expect(foldSum(0x10000)).toBe(1);
  expect(foldSum(0x1ffff)).toBe(1);
  expect(foldSum(0xffff_ffff)).toBe(0xffff);
  expect(foldSum(-1)).toBe(0xffff);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (total) => {
      // The one representative of total modulo 65,535 that is not 0.
      expect(foldSum(total)).toBe(((total - 1) % 0xffff) + 1);
    }),
  );
});

test("RFC 1071 §2 (B): swapping twice is nothing", () => {
  expect(swapSum(0x1234)).toBe(0x3412);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), (sum) => {
      expect(swapSum(swapSum(sum))).toBe(sum);
    }),
  );
});

test("RFC 1071 §2 (A), (B): the sums of two ranges combine to the sum of both, wherever the cut is", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(300),
      fc.nat(15),
      (bytes, cutAt, offset) => {
        const cut = Math.min(cutAt, bytes.length);
        memory.set(bytes, offset);
        const a = kernel.sum(offset, cut);
        const b = kernel.sum(offset + cut, bytes.length - cut);
        expect(combineSums(a, b, (cut & 1) === 1)).toBe(kernel.sum(offset, bytes.length));
      },
    ),
    { numRuns: 500 },
  );
});
