import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { FrameMemory, frameMemoryBytes, NO_FRAME } from "../base/frame-memory.ts";
import { createJsKernel } from "../base/js-kernel.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PagedBuffer } from "./paged-buffer.ts";

const OPTIONS = { smallFrames: 8, largeFrames: 2, pages: 24, reserve: 0 };
let memory: FrameMemory;
let buffer: PagedBuffer;

function fresh(): void {
  memory = new FrameMemory(createJsKernel(frameMemoryBytes(OPTIONS)), OPTIONS);
  buffer = new PagedBuffer();
}
afterEach(() => {
  buffer.clear(memory);
  expect(memory.pagesInUse).toBe(0);
});

const byteAt = (seq: number) => (Math.imul(seq, 0x9e3779b1) >>> 11) & 0xff;
const bytesFrom = (seq: number, n: number) =>
  Uint8Array.from({ length: n }, (_, i) => byteAt(seq + i));

describe("a window of a byte stream in pages", () => {
  test("an empty one holds no page", () => {
    fresh();
    expect(buffer.pageCount).toBe(0);
    buffer.advance(memory, 5, 5, 5);
    expect(memory.pagesInUse).toBe(0);
  });

  test.each([0, 1, 4095, 4096, -1, -4096, 0x7ffffffe, -0x80000000])(
    "written at %i and read back, over page ends and the wrap",
    (start) => {
      fresh();
      const data = bytesFrom(start, 10_000);
      expect(buffer.reserve(memory, start, start, data.length)).toBe(data.length);
      buffer.write(memory, start, data, 0, data.length);
      const out = new Uint8Array(10_010);
      buffer.read(memory, start, out, 10, 10_000);
      expect(out.subarray(10)).toEqual(data);
    },
  );

  test("copySumOut gives the bytes and their checksum, from odd places over page ends", () => {
    fresh();
    const start = 4000;
    const data = bytesFrom(start, 9001);
    buffer.reserve(memory, start, start, data.length);
    buffer.write(memory, start, data, 0, data.length);
    const frame = memory.alloc(20_000);
    expect(frame).not.toBe(NO_FRAME);
    const at = memory.start(frame);
    for (const [from, n] of [
      [0, 9001],
      [1, 8999],
      [95, 3],
      [96, 4097],
      [97, 4096],
      [90, 0],
    ] as const) {
      const sum = buffer.copySumOut(memory, start + from, at, n);
      expect(memory.bytes.slice(at, at + n)).toEqual(data.subarray(from, from + n));
      expect(foldSum(sum) % 0xffff).toBe(foldSum(memory.kernel.sum(at, n)) % 0xffff);
    }
    memory.release(frame);
  });

  test("reserve answers how many bytes have pages when memory runs out", () => {
    fresh();
    expect(buffer.reserve(memory, 100, 100, 30 * 4096)).toBe(24 * 4096 - 100);
    expect(buffer.reserve(memory, 100, 100 + 24 * 4096, 10)).toBe(0);
    expect(memory.failedPages).toBeGreaterThan(0);
  });

  test("advance gives pages back as the window passes them, all of them when it is empty", () => {
    fresh();
    buffer.reserve(memory, 0, 0, 4 * 4096);
    buffer.advance(memory, 0, 4095, 4 * 4096);
    expect(buffer.pageCount).toBe(4);
    buffer.advance(memory, 4095, 4096, 4 * 4096);
    expect(buffer.pageCount).toBe(3);
    buffer.advance(memory, 4096, 4 * 4096 - 1, 4 * 4096);
    expect(buffer.pageCount).toBe(1);
    buffer.advance(memory, 4 * 4096 - 1, 4 * 4096, 4 * 4096);
    expect(buffer.pageCount).toBe(0);
  });

  test("cut gives back what lies behind, and nothing else", () => {
    fresh();
    buffer.reserve(memory, 10, 10, 100);
    buffer.reserve(memory, 10, 5 * 4096, 100);
    buffer.cut(memory, 10, 110);
    expect(buffer.pageCount).toBe(1);
    buffer.cut(memory, 10, 10);
    expect(buffer.pageCount).toBe(0);
  });

  test("tail: what still fits into the last page", () => {
    fresh();
    expect(buffer.tail(100)).toBe(0);
    buffer.reserve(memory, 0, 0, 100);
    expect(buffer.tail(100)).toBe(3996);
    buffer.reserve(memory, 0, 100, 3996);
    expect(buffer.tail(4096)).toBe(0);
  });

  test("data beyond gaps in any order, against an array", () => {
    const piece = fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 6000 }));
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(piece, { minLength: 1, maxLength: 12 }),
        (base, pieces) => {
          fresh();
          const frame = memory.alloc(8000);
          const at = memory.start(frame);
          const have = new Uint8Array(26_000);
          for (const [offset, length] of pieces) {
            const seq = (base + offset) | 0;
            expect(buffer.reserve(memory, base, seq, length)).toBe(length);
            for (let i = 0; i < length; i++) memory.bytes[at + i] = byteAt(offset + i);
            buffer.copyIn(memory, seq, at, length);
            have.fill(1, offset, offset + length);
          }
          const out = new Uint8Array(1);
          for (let i = 0; i < have.length; i += 37) {
            if (have[i] === 0) continue;
            buffer.read(memory, (base + i) | 0, out, 0, 1);
            expect(out[0]).toBe(byteAt(i));
          }
          // No more pages than what they hold needs.
          const used = new Set<number>();
          have.forEach((is, i) => is && used.add((base + i) >> 12));
          expect(buffer.pageCount).toBe(used.size);
          memory.release(frame);
          buffer.clear(memory);
          expect(memory.pagesInUse).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
    fresh();
  });

  test("a stream that passes through for long never holds more than its window", () => {
    fresh();
    let from = -50_000 | 0;
    let end = from;
    const out = new Uint8Array(3000);
    for (let i = 0; i < 2000; i++) {
      const n = 1 + ((i * 7919) % 3000);
      expect(buffer.reserve(memory, from, end, n)).toBe(n);
      buffer.write(memory, end, bytesFrom(end, n), 0, n);
      end = (end + n) | 0;
      while (((end - from) | 0) > 9000) {
        const m = Math.min(3000, (end - from) | 0);
        buffer.read(memory, from, out, 0, m);
        expect(out[m - 1]).toBe(byteAt(from + m - 1));
        const to = (from + m) | 0;
        buffer.advance(memory, from, to, end);
        from = to;
      }
      expect(buffer.pageCount).toBeLessThanOrEqual(5);
    }
  });
});
