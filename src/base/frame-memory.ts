import type { MemoryKernel } from "./memory-kernel.ts";

/**
 * The one memory of a thread in which all packets and socket buffers live.
 *
 * A frame is an integer handle. Its row in a side table says where the packet
 * starts, how long it is, who else holds it and what is known of its checksum,
 * so that a packet crosses layers, hosts and cables without an object or a
 * typed-array view being made (a view costs 15-50 ns, an integer 1).
 *
 * Rules (docs/architecture.md, "Frames"):
 * - `transmit(frame)` hands ownership over, `input(frame)` lends.
 * - Who keeps a frame longer than the call takes a reference (`retain`).
 * - Who modifies needs the only reference (`writable`), else copies.
 */
export type Frame = number;

/** No frame: what `alloc` answers when the memory is exhausted. */
export const NO_FRAME = 0;

/** No page: what `allocPage` answers when the memory is exhausted. */
export const NO_PAGE = 0;

/** The checksum in the bytes is complete and nobody has verified it. */
export const CSUM_NONE = 0;
/** The checksum field holds the pseudo-header sum only; `csumStart` and `csumOffset` say how to complete it. */
export const CSUM_PARTIAL = 1;
/** The bytes are known to be what the sender meant: a checksum was verified, or the frame never left this thread's trust. */
export const CSUM_VERIFIED = 2;

export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
export const GSO_UDP = 5;

/**
 * Where a transport header begins inside a fresh frame. What is below is
 * headroom for the IP header (up to 60), the link header (14, or 18 with a
 * VLAN tag) and what a device puts in front (10 for virtio-net). A multiple of
 * 4, so that IP and TCP headers are aligned and Ethernet starts at 2 mod 4.
 */
export const TRANSPORT_OFFSET = 128;

/** Slot sizes; the payload of a frame is limited by slot minus `TRANSPORT_OFFSET`. */
const SMALL_SLOT = 2048;
const LARGE_SLOT = 65536 + 1024;

/** Payload bytes of a buffer page. */
export const PAGE_SIZE = 4096;
/**
 * Distance of two pages. Native copies of 4 KB and more fall to a third of
 * their speed when source and destination lie within 60 bytes of each other
 * modulo 4096, so pages are staggered by a cache line.
 */
const PAGE_STRIDE = PAGE_SIZE + 64;

// Columns of a frame's row; 16 words are one cache line.
const ROW = 4; // log2
const START = 0;
const LENGTH = 1;
const REFS = 2;
const CSUM_STATE = 3;
const CSUM_START = 4;
const CSUM_OFFSET = 5;
const GSO_TYPE = 6;
const GSO_SIZE = 7;
const INTERFACE = 8;
const SLOT = 9;
const SLOT_END = 10;
const MARK = 11;

export interface FrameMemoryOptions {
  /** Frames of the 2 KB class. Default 32,768. */
  readonly smallFrames?: number;
  /** Frames of the 64 KB class. Default 512. */
  readonly largeFrames?: number;
  /** 4 KB buffer pages for sockets. Default 36,864 (144 MB). */
  readonly pages?: number;
  /** Frames of each class that only urgent callers (ACK, RST, retransmission) get. Default 64 small, 4 large, or an eighth; at most half. */
  readonly reserve?: number;
}

/** Bytes of memory that a kernel for these options must have. */
export function frameMemoryBytes(options: FrameMemoryOptions = {}): number {
  const { small, large, pages } = sizes(options);
  return SMALL_SLOT * (small + 1) + LARGE_SLOT * large + PAGE_STRIDE * pages;
}

function sizes(options: FrameMemoryOptions) {
  return {
    small: options.smallFrames ?? 32_768,
    large: options.largeFrames ?? 512,
    pages: options.pages ?? 36_864,
  };
}

export class FrameMemory {
  readonly kernel: MemoryKernel;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Frames of the small and the large class, and pages, that this memory has. */
  readonly smallFrames: number;
  readonly largeFrames: number;
  readonly pages: number;
  /** Allocations that failed since the start, for the counters. */
  failedFrames = 0;
  failedPages = 0;
  /** Set by tests: records a label for each reference taken, so that a leak names its holder. */
  holders: Map<Frame, string[]> | undefined = undefined;

  private readonly rows: Int32Array;
  private readonly freeSmall: Int32Array;
  private readonly freeLarge: Int32Array;
  private readonly freePages: Int32Array;
  private freeSmallCount: number;
  private freeLargeCount: number;
  private freePageCount: number;
  private readonly reserveSmall: number;
  private readonly reserveLarge: number;

  constructor(kernel: MemoryKernel, options: FrameMemoryOptions = {}) {
    const { small, large, pages } = sizes(options);
    if (kernel.buffer.byteLength < frameMemoryBytes(options)) {
      throw new RangeError(
        `the kernel's memory has ${kernel.buffer.byteLength} bytes, these options need ${frameMemoryBytes(options)}`,
      );
    }
    this.kernel = kernel;
    this.bytes = new Uint8Array(kernel.buffer);
    this.view = new DataView(kernel.buffer);
    this.smallFrames = small;
    this.largeFrames = large;
    this.pages = pages;
    this.reserveSmall = Math.min(options.reserve ?? Math.min(64, small >> 3), small >> 1);
    this.reserveLarge = Math.min(options.reserve ?? Math.min(4, large >> 3), large >> 1);
    // Handle 0 and slot 0 stay unused, so that 0 can mean "none" for both.
    this.rows = new Int32Array((small + large + 1) << ROW);
    this.freeSmall = new Int32Array(small);
    this.freeLarge = new Int32Array(large);
    this.freePages = new Int32Array(pages);
    let offset = SMALL_SLOT;
    let handle = 1;
    for (let i = 0; i < small; i++, handle++, offset += SMALL_SLOT) {
      this.freeSmall[small - 1 - i] = handle;
      this.initRow(handle, offset, SMALL_SLOT);
    }
    for (let i = 0; i < large; i++, handle++, offset += LARGE_SLOT) {
      this.freeLarge[large - 1 - i] = handle;
      this.initRow(handle, offset, LARGE_SLOT);
    }
    for (let i = 0; i < pages; i++, offset += PAGE_STRIDE) {
      this.freePages[pages - 1 - i] = offset;
    }
    this.freeSmallCount = small;
    this.freeLargeCount = large;
    this.freePageCount = pages;
  }

  private initRow(handle: Frame, offset: number, size: number): void {
    this.rows[(handle << ROW) + SLOT] = offset;
    this.rows[(handle << ROW) + SLOT_END] = offset + size;
  }

  // Frames

  /**
   * A frame whose packet may be up to `length` bytes from its transport header
   * on, with one reference, empty, starting at `TRANSPORT_OFFSET`. `urgent`
   * callers may use the reserve. Answers `NO_FRAME` when there is none.
   */
  alloc(length: number, urgent = false): Frame {
    let frame: Frame;
    if (length <= SMALL_SLOT - TRANSPORT_OFFSET) {
      if (this.freeSmallCount <= (urgent ? 0 : this.reserveSmall)) {
        this.failedFrames++;
        return NO_FRAME;
      }
      frame = this.freeSmall[--this.freeSmallCount]!;
    } else if (
      length <= LARGE_SLOT - TRANSPORT_OFFSET &&
      this.freeLargeCount > (urgent ? 0 : this.reserveLarge)
    ) {
      frame = this.freeLarge[--this.freeLargeCount]!;
    } else {
      this.failedFrames++;
      return NO_FRAME;
    }
    const row = frame << ROW;
    const rows = this.rows;
    rows[row + START] = rows[row + SLOT]! + TRANSPORT_OFFSET;
    rows[row + LENGTH] = 0;
    rows[row + REFS] = 1;
    rows[row + CSUM_STATE] = CSUM_NONE;
    rows[row + GSO_TYPE] = GSO_NONE;
    rows[row + GSO_SIZE] = 0;
    rows[row + INTERFACE] = 0;
    rows[row + MARK] = 0;
    if (this.holders !== undefined) this.note(frame, "alloc");
    return frame;
  }

  /**
   * A frame with a copy of foreign bytes: the one copy at the edge of the
   * stack. `headerLength` is the link header's length, so that what follows it
   * is aligned. `NO_FRAME` when there is none or the bytes do not fit.
   */
  allocFrom(source: Uint8Array, headerLength = 0): Frame {
    const frame = this.alloc(source.length);
    if (frame === NO_FRAME) return frame;
    // The link header lies in the headroom: TRANSPORT_OFFSET - 64 leaves the
    // IP header at a multiple of 4 and room for a device's own header.
    const start = this.rows[(frame << ROW) + SLOT]! + TRANSPORT_OFFSET - 64 - headerLength;
    this.bytes.set(source, start);
    this.setRange(frame, start, source.length);
    return frame;
  }

  /** Takes another reference: for who keeps a lent frame beyond the call. */
  retain(frame: Frame, holder?: string): void {
    this.rows[(frame << ROW) + REFS]!++;
    if (this.holders !== undefined) this.note(frame, holder ?? "retain");
  }

  /** Gives one reference back; the last one frees the frame. */
  release(frame: Frame): void {
    const row = frame << ROW;
    const refs = --this.rows[row + REFS]!;
    if (refs > 0) return;
    if (refs < 0) {
      this.rows[row + REFS] = 0;
      throw new Error(`frame ${frame} released more often than it was held`);
    }
    if (this.holders !== undefined) this.holders.delete(frame);
    if (frame <= this.smallFrames) this.freeSmall[this.freeSmallCount++] = frame;
    else this.freeLarge[this.freeLargeCount++] = frame;
  }

  private note(frame: Frame, holder: string): void {
    const list = this.holders!.get(frame);
    if (list === undefined) this.holders!.set(frame, [holder]);
    else list.push(holder);
  }

  /**
   * The frame itself when the caller holds the only reference, else a copy
   * (and the caller's reference on the original is given back). `NO_FRAME`
   * when there is no room for the copy; the original is then released too.
   */
  writable(frame: Frame): Frame {
    if (this.rows[(frame << ROW) + REFS] === 1) return frame;
    const copy = this.copyFrame(frame);
    this.release(frame);
    return copy;
  }

  /** A frame of the same bytes, at the same place in its slot, with the same marks. */
  copyFrame(frame: Frame): Frame {
    const rows = this.rows;
    const from = frame << ROW;
    const slot = rows[from + SLOT]!;
    const copy = this.alloc(rows[from + START]! + rows[from + LENGTH]! - slot - TRANSPORT_OFFSET);
    if (copy === NO_FRAME) return copy;
    const to = copy << ROW;
    const shift = rows[to + SLOT]! - slot;
    rows[to + START] = rows[from + START]! + shift;
    rows[to + LENGTH] = rows[from + LENGTH]!;
    rows[to + CSUM_STATE] = rows[from + CSUM_STATE]!;
    rows[to + CSUM_START] = rows[from + CSUM_START]! + shift;
    rows[to + CSUM_OFFSET] = rows[from + CSUM_OFFSET]!;
    rows[to + GSO_TYPE] = rows[from + GSO_TYPE]!;
    rows[to + GSO_SIZE] = rows[from + GSO_SIZE]!;
    rows[to + INTERFACE] = rows[from + INTERFACE]!;
    rows[to + MARK] = rows[from + MARK]!;
    this.kernel.copy(rows[to + START]!, rows[from + START]!, rows[from + LENGTH]!);
    return copy;
  }

  /** Where the packet begins, as an offset into `bytes` and `view`. */
  start(frame: Frame): number {
    return this.rows[(frame << ROW) + START]!;
  }

  /** Length of the packet in bytes. */
  length(frame: Frame): number {
    return this.rows[(frame << ROW) + LENGTH]!;
  }

  setRange(frame: Frame, start: number, length: number): void {
    this.rows[(frame << ROW) + START] = start;
    this.rows[(frame << ROW) + LENGTH] = length;
  }

  /** Grows (positive) or shrinks (negative) the packet at its front; answers the new start. */
  moveStart(frame: Frame, by: number): number {
    const row = frame << ROW;
    this.rows[row + LENGTH]! += by;
    return (this.rows[row + START]! -= by);
  }

  /** Bytes free in front of the packet. */
  headroom(frame: Frame): number {
    return this.rows[(frame << ROW) + START]! - this.rows[(frame << ROW) + SLOT]!;
  }

  /** Bytes free behind the packet. */
  tailroom(frame: Frame): number {
    const row = frame << ROW;
    return this.rows[row + SLOT_END]! - this.rows[row + START]! - this.rows[row + LENGTH]!;
  }

  references(frame: Frame): number {
    return this.rows[(frame << ROW) + REFS]!;
  }

  checksumState(frame: Frame): number {
    return this.rows[(frame << ROW) + CSUM_STATE]!;
  }

  setChecksumState(frame: Frame, state: number): void {
    this.rows[(frame << ROW) + CSUM_STATE] = state;
  }

  /**
   * Marks the transport checksum as partial: the field `offset` bytes behind
   * `start` (absolute) holds the folded pseudo-header sum, not inverted.
   */
  setPartialChecksum(frame: Frame, start: number, offset: number): void {
    const row = frame << ROW;
    this.rows[row + CSUM_STATE] = CSUM_PARTIAL;
    this.rows[row + CSUM_START] = start;
    this.rows[row + CSUM_OFFSET] = offset;
  }

  checksumStart(frame: Frame): number {
    return this.rows[(frame << ROW) + CSUM_START]!;
  }

  checksumOffset(frame: Frame): number {
    return this.rows[(frame << ROW) + CSUM_OFFSET]!;
  }

  /** Marks a super-segment: `size` payload bytes in each packet it is to be cut into. */
  setGso(frame: Frame, type: number, size: number): void {
    this.rows[(frame << ROW) + GSO_TYPE] = type;
    this.rows[(frame << ROW) + GSO_SIZE] = size;
  }

  gsoType(frame: Frame): number {
    return this.rows[(frame << ROW) + GSO_TYPE]!;
  }

  gsoSize(frame: Frame): number {
    return this.rows[(frame << ROW) + GSO_SIZE]!;
  }

  /** The interface the frame came in by, as its host numbers them. */
  interfaceIndex(frame: Frame): number {
    return this.rows[(frame << ROW) + INTERFACE]!;
  }

  setInterfaceIndex(frame: Frame, index: number): void {
    this.rows[(frame << ROW) + INTERFACE] = index;
  }

  /** A word for who holds the frame (a trace's packet number); 0 in a fresh frame. */
  mark(frame: Frame): number {
    return this.rows[(frame << ROW) + MARK]!;
  }

  setMark(frame: Frame, mark: number): void {
    this.rows[(frame << ROW) + MARK] = mark;
  }

  /** A copy of the packet's bytes, for tools and tests. */
  copyOut(frame: Frame): Uint8Array {
    const start = this.start(frame);
    return this.bytes.slice(start, start + this.length(frame));
  }

  get framesInUse(): number {
    return this.smallFrames - this.freeSmallCount + this.largeFrames - this.freeLargeCount;
  }

  // Pages

  /** The offset of a free 4 KB page, or `NO_PAGE`. Last in, first out: a page just freed is still in the cache. */
  allocPage(): number {
    if (this.freePageCount === 0) {
      this.failedPages++;
      return NO_PAGE;
    }
    return this.freePages[--this.freePageCount]!;
  }

  freePage(page: number): void {
    this.freePages[this.freePageCount++] = page;
  }

  get pagesInUse(): number {
    return this.pages - this.freePageCount;
  }

  get pagesFree(): number {
    return this.freePageCount;
  }
}
