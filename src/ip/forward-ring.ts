import type { Frame, FrameMemory } from "../base/frame-memory.ts";

/** Packets for others that came in and wait for the next poll, which may transmit. Bounded. */
export class ForwardRing {
  private readonly memory: FrameMemory;
  /** Frame, offset of the IP header, length of the packet, index of the interface. */
  private readonly rows: Int32Array;
  private head = 0;
  private count = 0;

  constructor(size: number, memory: FrameMemory) {
    this.memory = memory;
    this.rows = new Int32Array(Math.max(1, size) * 4);
  }

  get length(): number {
    return this.count;
  }

  /** Keeps a lent frame. False: there is no room. */
  push(frame: Frame, at: number, length: number, interfaceIndex: number): boolean {
    const size = this.rows.length >> 2;
    if (this.count === size) return false;
    this.memory.retain(frame, "forward");
    const row = ((this.head + this.count++) % size) << 2;
    this.rows[row] = frame;
    this.rows[row + 1] = at;
    this.rows[row + 2] = length;
    this.rows[row + 3] = interfaceIndex;
    return true;
  }

  // The oldest packet
  get frame(): Frame {
    return this.rows[this.head << 2]!;
  }
  get at(): number {
    return this.rows[(this.head << 2) + 1]!;
  }
  get packetLength(): number {
    return this.rows[(this.head << 2) + 2]!;
  }
  get interfaceIndex(): number {
    return this.rows[(this.head << 2) + 3]!;
  }

  /** Takes the oldest out; the reference is the caller's. */
  shift(): void {
    this.head = (this.head + 1) % (this.rows.length >> 2);
    this.count--;
  }

  clear(): void {
    while (this.count > 0) {
      this.memory.release(this.frame);
      this.shift();
    }
  }
}
