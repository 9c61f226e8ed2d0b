import { type FrameMemory, NO_PAGE, PAGE_SIZE } from "../base/frame-memory.ts";
import { combineSums } from "../base/memory-kernel.ts";

const PAGE_BITS = 12;
const PAGE_MASK = PAGE_SIZE - 1;

/**
 * A window of a byte stream in pages of the shared memory. Bytes are addressed
 * by their sequence number: page `seq >>> 12` of the stream lies in slot
 * `(seq >>> 12) & mask` of a small ring of page offsets. 2^32 is a multiple of
 * the page size, so the wrap of the sequence space needs no care. Pages are
 * attached when first written and go back to the pool when the window has
 * passed them: an idle connection holds none (a quiet one has no ring either).
 */
export class PagedBuffer {
  private pages: number[] = NO_PAGES;
  private mask = -1;
  private held = 0;

  /** Pages attached now. */
  get pageCount(): number {
    return this.held;
  }

  /**
   * Makes pages for the `length` bytes from `seq` on, where the window begins
   * at `from` (at or before `seq`). Answers how many of the bytes have pages:
   * fewer than asked for when memory runs out.
   */
  reserve(memory: FrameMemory, from: number, seq: number, length: number): number {
    if (length <= 0) return 0;
    const first = seq >>> PAGE_BITS;
    const count = (((seq & PAGE_MASK) + length - 1) >>> PAGE_BITS) + 1;
    const behind = (first - (from >>> PAGE_BITS)) & 0xfffff;
    if (behind + count > this.mask + 1) this.grow(from, behind + count);
    const pages = this.pages;
    const mask = this.mask;
    for (let i = 0; i < count; i++) {
      const slot = (first + i) & mask;
      if (pages[slot] === NO_PAGE) {
        const page = memory.allocPage();
        if (page === NO_PAGE) return i === 0 ? 0 : (i << PAGE_BITS) - (seq & PAGE_MASK);
        pages[slot] = page;
        this.held++;
      }
    }
    return length;
  }

  private grow(from: number, needed: number): void {
    let capacity = Math.max(4, (this.mask + 1) * 2);
    while (capacity < needed) capacity *= 2;
    const grown: number[] = new Array(capacity).fill(NO_PAGE);
    const first = from >>> PAGE_BITS;
    for (let i = 0; i <= this.mask; i++) {
      grown[(first + i) & (capacity - 1)] = this.pages[(first + i) & this.mask]!;
    }
    this.pages = grown;
    this.mask = capacity - 1;
  }

  /** Bytes that fit behind `seq` into the page that holds the byte before it. */
  tail(seq: number): number {
    return this.held === 0 ? 0 : -seq & PAGE_MASK;
  }

  /** Copies bytes of the application in; the pages must be there. */
  write(
    memory: FrameMemory,
    seq: number,
    source: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const bytes = memory.bytes;
    while (length > 0) {
      const at = seq & PAGE_MASK;
      const n = Math.min(length, PAGE_SIZE - at);
      const to = this.pages[(seq >>> PAGE_BITS) & this.mask]! + at;
      if (n <= 16) for (let i = 0; i < n; i++) bytes[to + i] = source[offset + i]!;
      else if (n === source.length) bytes.set(source, to);
      else bytes.set(source.subarray(offset, offset + n), to);
      seq = (seq + n) | 0;
      offset += n;
      length -= n;
    }
  }

  /** Copies bytes from elsewhere in the memory (a frame) in; the pages must be there. */
  copyIn(memory: FrameMemory, seq: number, source: number, length: number): void {
    const kernel = memory.kernel;
    while (length > 0) {
      const at = seq & PAGE_MASK;
      const n = Math.min(length, PAGE_SIZE - at);
      kernel.copy(this.pages[(seq >>> PAGE_BITS) & this.mask]! + at, source, n);
      seq = (seq + n) | 0;
      source += n;
      length -= n;
    }
  }

  /** Copies bytes from elsewhere in the memory in, and sums them on the way (folded, not inverted). */
  copySumIn(memory: FrameMemory, seq: number, source: number, length: number): number {
    const kernel = memory.kernel;
    const at = seq & PAGE_MASK;
    const page = this.pages[(seq >>> PAGE_BITS) & this.mask]!;
    if (at + length <= PAGE_SIZE) return kernel.copySum(page + at, source, length);
    let n = PAGE_SIZE - at;
    let sum = kernel.copySum(page + at, source, n);
    let done = n;
    while (done < length) {
      seq = (seq + n) | 0;
      n = Math.min(length - done, PAGE_SIZE);
      const to = this.pages[(seq >>> PAGE_BITS) & this.mask]!;
      sum = combineSums(sum, kernel.copySum(to, source + done, n), (done & 1) === 1);
      done += n;
    }
    return sum;
  }

  /** Copies bytes out to the application. */
  read(memory: FrameMemory, seq: number, target: Uint8Array, offset: number, length: number): void {
    const bytes = memory.bytes;
    while (length > 0) {
      const at = seq & PAGE_MASK;
      const n = Math.min(length, PAGE_SIZE - at);
      const from = this.pages[(seq >>> PAGE_BITS) & this.mask]! + at;
      if (n <= 16) for (let i = 0; i < n; i++) target[offset + i] = bytes[from + i]!;
      else target.set(bytes.subarray(from, from + n), offset);
      seq = (seq + n) | 0;
      offset += n;
      length -= n;
    }
  }

  /** Copies bytes out into a frame and sums them on the way (folded, not inverted). */
  copySumOut(memory: FrameMemory, seq: number, target: number, length: number): number {
    const kernel = memory.kernel;
    const at = seq & PAGE_MASK;
    const page = this.pages[(seq >>> PAGE_BITS) & this.mask]!;
    if (at + length <= PAGE_SIZE) return kernel.copySum(target, page + at, length);
    let n = PAGE_SIZE - at;
    let sum = kernel.copySum(target, page + at, n);
    let done = n;
    while (done < length) {
      seq = (seq + n) | 0;
      n = Math.min(length - done, PAGE_SIZE);
      const part = kernel.copySum(target + done, this.pages[(seq >>> PAGE_BITS) & this.mask]!, n);
      sum = combineSums(sum, part, (done & 1) === 1);
      done += n;
    }
    return sum;
  }

  /** Copies bytes out into a frame without summing them. */
  copyOut(memory: FrameMemory, seq: number, target: number, length: number): void {
    const kernel = memory.kernel;
    while (length > 0) {
      const at = seq & PAGE_MASK;
      const n = Math.min(length, PAGE_SIZE - at);
      kernel.copy(target, this.pages[(seq >>> PAGE_BITS) & this.mask]! + at, n);
      seq = (seq + n) | 0;
      target += n;
      length -= n;
    }
  }

  /** The window's beginning moves from `from` to `to`: gives back the pages that lie wholly before it. `end` is where the window's bytes end; an empty window keeps no page. */
  advance(memory: FrameMemory, from: number, to: number, end: number): void {
    if (this.held === 0) return;
    let page = from >>> PAGE_BITS;
    const last = to >>> PAGE_BITS;
    while (page !== last) {
      this.drop(memory, page & this.mask);
      page = (page + 1) & 0xfffff;
    }
    if (to === end && this.held > 0) {
      // Nothing is left; the page that the next byte will go to is given back too.
      this.drop(memory, last & this.mask);
    }
  }

  /** Gives back the pages that lie wholly behind `end`, in a window that begins at `from`. */
  cut(memory: FrameMemory, from: number, end: number): void {
    const first = from >>> PAGE_BITS;
    const kept = from === end ? 0 : ((((end - 1) >>> PAGE_BITS) - first) & 0xfffff) + 1;
    for (let i = kept; i <= this.mask; i++) this.drop(memory, (first + i) & this.mask);
  }

  private drop(memory: FrameMemory, slot: number): void {
    const page = this.pages[slot]!;
    if (page === NO_PAGE) return;
    this.pages[slot] = NO_PAGE;
    this.held--;
    memory.freePage(page);
  }

  /** Gives every page back. */
  clear(memory: FrameMemory): void {
    for (let slot = 0; slot <= this.mask; slot++) this.drop(memory, slot);
    this.pages = NO_PAGES;
    this.mask = -1;
  }
}

// A plain array of small integers: 16 + 8 n bytes, where the smallest typed array takes over 100.
const NO_PAGES: number[] = [];
