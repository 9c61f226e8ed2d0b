import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import type { Path } from "../base/path.ts";
import { DATAGRAM_OVERHEAD } from "./datagram-queue.ts";

// Columns of an entry.
const STRIDE = 5;
const FRAME = 0;
const CHARGE = 1;
const PROTOCOL = 2;
const TOS_TTL = 3;
const FLAGS = 4;

/** Datagrams of one socket that wait for room on their way out: finished frames and where they go. */
export class SendQueue {
  /** Charged bytes. */
  bytes = 0;
  count = 0;
  private head = 0;
  private ring = EMPTY;
  private paths: (Path | undefined)[] = [];

  push(
    path: Path,
    frame: Frame,
    length: number,
    protocol: number,
    tos: number,
    ttl: number,
    flags: number,
  ): void {
    const capacity = this.ring.length / STRIDE;
    if (this.count === capacity) this.grow(capacity);
    let place = this.head + this.count;
    if (place >= this.paths.length) place -= this.paths.length;
    const ring = this.ring;
    const at = place * STRIDE;
    const charge = length + DATAGRAM_OVERHEAD;
    ring[at + FRAME] = frame;
    ring[at + CHARGE] = charge;
    ring[at + PROTOCOL] = protocol;
    ring[at + TOS_TTL] = (tos << 8) | ttl;
    ring[at + FLAGS] = flags;
    this.paths[place] = path;
    this.count++;
    this.bytes += charge;
  }

  // The oldest entry.
  get path(): Path {
    return this.paths[this.head]!;
  }
  get frame(): Frame {
    return this.ring[this.head * STRIDE + FRAME]!;
  }
  get protocol(): number {
    return this.ring[this.head * STRIDE + PROTOCOL]!;
  }
  get tos(): number {
    return this.ring[this.head * STRIDE + TOS_TTL]! >>> 8;
  }
  get ttl(): number {
    return this.ring[this.head * STRIDE + TOS_TTL]! & 0xff;
  }
  get flags(): number {
    return this.ring[this.head * STRIDE + FLAGS]!;
  }

  /** Forgets the oldest entry, whose frame was handed on. */
  shift(): void {
    this.bytes -= this.ring[this.head * STRIDE + CHARGE]!;
    this.paths[this.head] = undefined;
    this.head++;
    if (this.head === this.paths.length) this.head = 0;
    this.count--;
  }

  clear(memory: FrameMemory): void {
    while (this.count > 0) {
      memory.release(this.frame);
      this.shift();
    }
  }

  private grow(capacity: number): void {
    const size = Math.max(4, capacity * 2);
    const ring = new Int32Array(size * STRIDE);
    const paths = new Array<Path | undefined>(size).fill(undefined);
    for (let i = 0; i < this.count; i++) {
      const from = (this.head + i) % capacity;
      for (let c = 0; c < STRIDE; c++) ring[i * STRIDE + c] = this.ring[from * STRIDE + c]!;
      paths[i] = this.paths[from];
    }
    this.ring = ring;
    this.paths = paths;
    this.head = 0;
  }
}

const EMPTY = new Int32Array(0);
