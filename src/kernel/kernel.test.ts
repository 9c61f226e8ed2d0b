import vm from "node:vm";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createJsKernel } from "../base/js-kernel.ts";
import type { MemoryKernel } from "../base/memory-kernel.ts";
import { createKernel } from "./create-kernel.ts";
import { createWasmKernel } from "./wasm-kernel.ts";

const SIZE = 8 << 20;

/** RFC 1071 §1 said as slowly as possible, on numbers that cannot overflow. */
function naiveSum(bytes: Uint8Array, offset: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += bytes[offset + i] * (i % 2 === 0 ? 256 : 1);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

/** Bytes that repeat from run to run. */
function fill(bytes: Uint8Array): void {
  let state = 0x2545f491;
  for (let i = 0; i < bytes.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
}

function need(kernel: MemoryKernel | undefined): MemoryKernel {
  if (kernel === undefined) throw new Error("this engine has WebAssembly SIMD, yet no kernel came");
  return kernel;
}

describe.each([
  ["wasm-simd", need(createWasmKernel(SIZE))],
  ["js", createJsKernel(SIZE)],
] as const)("%s kernel", (name, kernel) => {
  const bytes = new Uint8Array(kernel.buffer);
  fill(bytes);

  test("says what it is and has the memory asked for", () => {
    expect(kernel.name).toBe(name);
    expect(kernel.buffer.byteLength).toBe(SIZE);
  });

  test("RFC 1071 §3: the worked example", () => {
    const example = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    bytes.set(example, 64);
    expect(kernel.sum(64, 8)).toBe(0xddf2);
    bytes.set(example, 129);
    expect(kernel.sum(129, 8)).toBe(0xddf2);
  });

  test("sums every offset 0..15 and length 0..200 as the byte loop does", () => {
    for (let offset = 0; offset < 16; offset++) {
      for (let length = 0; length <= 200; length++) {
        const at = 1024 + offset;
        const sum = kernel.sum(at, length);
        if (sum !== naiveSum(bytes, at, length)) {
          expect.fail(`offset ${offset} length ${length}: ${sum}`);
        }
      }
    }
  });

  test("copySum: sums, copies and touches nothing else, every offset 0..15 and length 0..200", () => {
    for (let offset = 0; offset < 16; offset++) {
      for (let length = 0; length <= 200; length++) {
        const src = 1024 + offset;
        const dst = 4096 + ((offset * 7 + length) & 15);
        const before = bytes.slice(0, 8192);
        const sum = kernel.copySum(dst, src, length);
        const expected = before.slice();
        expected.copyWithin(dst, src, src + length);
        if (sum !== naiveSum(before, src, length)) {
          expect.fail(`offset ${offset} length ${length}: ${sum}`);
        }
        if (Buffer.compare(expected, bytes.subarray(0, 8192)) !== 0) {
          expect.fail(`offset ${offset} length ${length}: the memory differs`);
        }
      }
    }
  });

  test("sums and copies long ranges of any alignment", () => {
    const range = fc.record({
      src: fc.nat(1 << 20),
      dst: fc.integer({ min: 4 << 20, max: 5 << 20 }),
      length: fc.oneof(fc.nat(5000), fc.nat(400_000)),
    });
    fc.assert(
      fc.property(range, ({ src, dst, length }) => {
        const expected = naiveSum(bytes, src, length);
        expect(kernel.sum(src, length)).toBe(expected);
        expect(kernel.copySum(dst, src, length)).toBe(expected);
        const from = bytes.subarray(src, src + length);
        expect(Buffer.compare(from, bytes.subarray(dst, dst + length))).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test("copy is memmove: overlapping ranges in both directions", () => {
    const range = fc.record({
      src: fc.integer({ min: 1000, max: 1300 }),
      dst: fc.integer({ min: 1000, max: 1300 }),
      length: fc.oneof(fc.nat(40), fc.nat(3000)),
    });
    fc.assert(
      fc.property(range, ({ src, dst, length }) => {
        const expected = bytes.slice(0, 8192);
        expected.copyWithin(dst, src, src + length);
        kernel.copy(dst, src, length);
        expect(Buffer.compare(expected, bytes.subarray(0, 8192))).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("reaches the first and the last byte of its memory and nothing beyond", () => {
    for (let length = 0; length <= 200; length++) {
      const last = SIZE - length;
      expect(kernel.sum(0, length)).toBe(naiveSum(bytes, 0, length));
      expect(kernel.sum(last, length)).toBe(naiveSum(bytes, last, length));
      expect(kernel.copySum(last, 0, length)).toBe(naiveSum(bytes, 0, length));
      expect(kernel.copySum(0, last, length)).toBe(naiveSum(bytes, last, length));
      kernel.copy(last, 0, length);
      kernel.copy(0, last, length);
    }
  });

  test("no total overflows: megabytes of 0xff sum to 0xffff, or less an odd tail", () => {
    const saved = bytes.slice();
    bytes.fill(0xff);
    expect(kernel.sum(0, SIZE)).toBe(0xffff);
    expect(kernel.sum(1, SIZE - 1)).toBe(0xff00);
    expect(kernel.copySum(SIZE / 2, 1, SIZE / 2 - 1)).toBe(0xff00);
    bytes.set(saved);
    expect(kernel.sum(3, SIZE - 3)).toBe(naiveSum(bytes, 3, SIZE - 3));
  });

  test("0 is the sum of zeros alone: one byte anywhere shows", () => {
    bytes.fill(0, 2048, 2048 + 512);
    for (let length = 0; length <= 300; length++) expect(kernel.sum(2048, length)).toBe(0);
    for (let i = 0; i < 300; i++) {
      bytes[2048 + i] = 1;
      expect(kernel.sum(2048, 300)).toBe(i % 2 === 0 ? 0x100 : 1);
      bytes[2048 + i] = 0;
    }
  });
});

describe("createKernel", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test("takes WebAssembly SIMD where there is one, of at least the size asked for", () => {
    const kernel = createKernel(100_001);
    expect(kernel.name).toBe("wasm-simd");
    expect(kernel.buffer.byteLength).toBeGreaterThanOrEqual(100_001);
  });

  test("two kernels have two memories", () => {
    const [a, b] = [createKernel(64), createKernel(64)];
    new Uint8Array(a.buffer).fill(1);
    expect(b.sum(0, 64)).toBe(0);
    expect(a.sum(0, 64)).not.toBe(0);
  });

  test("falls back to JavaScript without WebAssembly", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(createWasmKernel(64)).toBeUndefined();
    const kernel = createKernel(1001);
    expect(kernel.name).toBe("js");
    expect(kernel.buffer.byteLength).toBeGreaterThanOrEqual(1001);
  });

  test("falls back to JavaScript where a policy forbids compiling WebAssembly", () => {
    const context = vm.createContext({}, { codeGeneration: { wasm: false } });
    vi.stubGlobal("WebAssembly", vm.runInContext("WebAssembly", context));
    expect(createWasmKernel(64)).toBeUndefined();
    expect(createKernel(64).name).toBe("js");
  });

  test("does not answer with a kernel smaller than asked when memory runs out", () => {
    expect(createWasmKernel(2 ** 33)).toBeUndefined();
  });
});
