import { type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";

/**
 * What a datagram is charged beside its bytes. A small datagram keeps a whole
 * frame; half a kilobyte is about what Linux charges for one too, so that
 * SO_RCVBUF and SO_SNDBUF mean much the same here and there.
 */
export const DATAGRAM_OVERHEAD = 512;

// Columns of an entry.
const STRIDE = 5;
const FRAME = 0;
const IP_OFFSET = 1;
const OFFSET = 2;
const LENGTH = 3;
const INTERFACE = 4;

/**
 * Received datagrams of one socket in the order they came: frames kept by
 * reference, and where in them things lie. Who sent it and to whom is read
 * again from the IP header, which stays in the frame. No object per datagram.
 */
export class DatagramQueue {
  /** Charged bytes. */
  bytes = 0;
  count = 0;
  private head = 0;
  private ring = EMPTY;

  /** Takes a reference to the frame. Offsets are absolute, in the frame memory. */
  push(
    memory: FrameMemory,
    frame: Frame,
    ipOffset: number,
    offset: number,
    length: number,
    interfaceIndex: number,
  ): void {
    const capacity = this.ring.length / STRIDE;
    if (this.count === capacity) this.grow(capacity);
    const ring = this.ring;
    let at = (this.head + this.count) * STRIDE;
    if (at >= ring.length) at -= ring.length;
    ring[at + FRAME] = frame;
    ring[at + IP_OFFSET] = ipOffset;
    ring[at + OFFSET] = offset;
    ring[at + LENGTH] = length;
    ring[at + INTERFACE] = interfaceIndex;
    memory.retain(frame, "datagram-queue");
    this.count++;
    this.bytes += length + DATAGRAM_OVERHEAD;
  }

  /** The oldest datagram's frame; `NO_FRAME` when there is none. */
  get frame(): Frame {
    return this.count === 0 ? NO_FRAME : this.ring[this.head * STRIDE + FRAME]!;
  }
  get ipOffset(): number {
    return this.ring[this.head * STRIDE + IP_OFFSET]!;
  }
  get offset(): number {
    return this.ring[this.head * STRIDE + OFFSET]!;
  }
  /** Payload bytes of the oldest datagram. */
  get length(): number {
    return this.ring[this.head * STRIDE + LENGTH]!;
  }
  get interfaceIndex(): number {
    return this.ring[this.head * STRIDE + INTERFACE]!;
  }

  /** Drops the oldest and gives its frame back. */
  shift(memory: FrameMemory): void {
    const at = this.head * STRIDE;
    this.bytes -= this.ring[at + LENGTH]! + DATAGRAM_OVERHEAD;
    memory.release(this.ring[at + FRAME]!);
    this.head++;
    if (this.head * STRIDE === this.ring.length) this.head = 0;
    this.count--;
  }

  clear(memory: FrameMemory): void {
    while (this.count > 0) this.shift(memory);
    this.ring = EMPTY;
    this.head = 0;
  }

  private grow(capacity: number): void {
    const ring = new Int32Array(Math.max(8, capacity * 2) * STRIDE);
    const first = this.ring.subarray(this.head * STRIDE);
    ring.set(first);
    ring.set(this.ring.subarray(0, this.head * STRIDE), first.length);
    this.ring = ring;
    this.head = 0;
  }
}

const EMPTY = new Int32Array(0);
