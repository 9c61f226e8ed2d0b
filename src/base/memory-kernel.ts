/**
 * The kernel: copying and checksumming inside the one memory of a thread, the
 * two loops that touch every byte. Two implementations: WebAssembly SIMD
 * (src/kernel), and JavaScript (js-kernel.ts) for where WebAssembly is missing
 * or forbidden. Offsets and lengths are bytes, of any alignment, and are not
 * checked: the range must lie inside `buffer`.
 */
export interface MemoryKernel {
  /** The memory that offsets refer to; fixed size for its whole life. */
  readonly buffer: ArrayBuffer;
  readonly name: "wasm-simd" | "js";
  /** memmove inside the memory: the ranges may overlap. */
  copy(dst: number, src: number, length: number): void;
  /**
   * Folded 16-bit ones' complement sum (RFC 1071), not inverted, of the bytes
   * taken as big-endian 16-bit words starting at `offset`; an odd tail is
   * padded with a zero byte. 0..0xffff, and 0 only when every byte is 0.
   */
  sum(offset: number, length: number): number;
  /** `copy` and `sum` of the same bytes in one pass; the ranges must not overlap. */
  copySum(dst: number, src: number, length: number): number;
}

/**
 * Folds a total of 16-bit words, taken as 32 bits without sign, to 16 bits
 * with end-around carry (RFC 1071 §2). Totals of folded sums and words may be
 * added freely up to 65,537 of them before folding.
 */
export const foldSum = (total: number): number => {
  const folded = (total >>> 16) + (total & 0xffff);
  return (folded >>> 16) + (folded & 0xffff);
};

/** Exchanges the two bytes of a folded sum: the sum of the same bytes begun one byte later (RFC 1071 §2 (B)). */
export const swapSum = (sum: number): number => ((sum & 0xff) << 8) | (sum >>> 8);

/**
 * The folded sum of two ranges one behind the other, from the folded sum of
 * each. After a range of odd length the bytes of the second sit in the other
 * half of their words, so its sum is swapped (RFC 1071 §2 (B)).
 */
export const combineSums = (a: number, b: number, aLengthIsOdd: boolean): number =>
  foldSum(a + (aLengthIsOdd ? swapSum(b) : b));
