import { foldSum, type MemoryKernel, swapSum } from "./memory-kernel.ts";

/** Whether a 16-bit word of a typed array has its low byte first on this machine. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Below this many bytes a loop over bytes is quicker than aligning for words: 13 against 23 ns at 12, but 33 against 20 at 32. */
const SHORT = 16;

/**
 * Most bytes summed as words before the total is folded: the high halves must
 * add up to less than 2^31, to stay a small integer.
 */
const BLOCK = 1 << 16;

/**
 * The kernel in plain JavaScript: the fallback where WebAssembly is missing or
 * forbidden, and the oracle for the other one. `bytes` is the size of its
 * memory, rounded up to whole words.
 */
export function createJsKernel(bytes: number): MemoryKernel {
  return new JsKernel(Math.ceil(bytes / 4) * 4);
}

class JsKernel implements MemoryKernel {
  readonly name = "js";
  readonly buffer: ArrayBuffer;
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;

  constructor(size: number) {
    this.buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Int32Array(this.buffer);
  }

  copy(dst: number, src: number, length: number): void {
    this.bytes.copyWithin(dst, src, src + length);
  }

  /** Two passes: copying and summing in one JavaScript loop is slower (304 against 262 ns for 1460 B). */
  copySum(dst: number, src: number, length: number): number {
    this.bytes.copyWithin(dst, src, src + length);
    return this.sum(src, length);
  }

  /**
   * The total is kept by address: bytes at even addresses are high bytes. For
   * a range that begins at an odd address that is the swapped sum, put right
   * at the end (RFC 1071 §2 (B)).
   */
  sum(offset: number, length: number): number {
    const bytes = this.bytes;
    const end = offset + length;
    let total = 0;
    if (length < SHORT) {
      let i = offset;
      for (; i < end - 1; i += 2) total += (bytes[i] << 8) | bytes[i + 1];
      if (i < end) total += bytes[i] << 8;
      return foldSum(total);
    }
    let start = offset;
    if ((start & 1) !== 0) total += bytes[start++];
    if ((start & 2) !== 0) {
      total += (bytes[start] << 8) | bytes[start + 1];
      start += 2;
    }
    const rest = (end - start) & 3;
    const wordsEnd = end - rest;
    for (; wordsEnd - start > BLOCK; start += BLOCK) {
      total = foldSum(total + this.sumWords(start, start + BLOCK));
    }
    total += this.sumWords(start, wordsEnd);
    if (rest >= 2) total += (bytes[wordsEnd] << 8) | bytes[wordsEnd + 1];
    if ((rest & 1) !== 0) total += bytes[end - 1] << 8;
    const folded = foldSum(total);
    return (offset & 1) !== 0 ? swapSum(folded) : folded;
  }

  /**
   * Folded sum in network order of aligned words. `a` adds whole words modulo
   * 2^32, `h` the high halves exactly; the low halves are then a - (h << 16),
   * which saves an AND per word: 210 ns for 1448 B in V8. Eight words a turn is
   * the portable choice: four are as fast in V8, sixteen run out of registers in
   * JavaScriptCore.
   */
  private sumWords(start: number, end: number): number {
    const words = this.words;
    const last = end >>> 2;
    let i = start >>> 2;
    let a = 0;
    let h = 0;
    for (const stop = i + ((last - i) & ~7); i < stop; i += 8) {
      const w0 = words[i];
      const w1 = words[i + 1];
      const w2 = words[i + 2];
      const w3 = words[i + 3];
      const w4 = words[i + 4];
      const w5 = words[i + 5];
      const w6 = words[i + 6];
      const w7 = words[i + 7];
      a = (a + w0 + w1 + w2 + w3 + w4 + w5 + w6 + w7) | 0;
      h =
        (h +
          (w0 >>> 16) +
          (w1 >>> 16) +
          (w2 >>> 16) +
          (w3 >>> 16) +
          (w4 >>> 16) +
          (w5 >>> 16) +
          (w6 >>> 16) +
          (w7 >>> 16)) |
        0;
    }
    for (; i < last; i++) {
      a = (a + words[i]) | 0;
      h = (h + (words[i] >>> 16)) | 0;
    }
    const folded = foldSum(foldSum(a - (h << 16)) + foldSum(h));
    return LITTLE_ENDIAN ? swapSum(folded) : folded;
  }
}
