import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import type { Device, DeviceOffload, DeviceSink } from "./device.ts";

/**
 * The device under a host's `lo`: what is sent comes back in the next poll
 * through a bounded ring, so that a host talking to itself never re-enters.
 * Frames stay in trusted memory: checksums are left partial and
 * super-segments whole.
 */
export class LoopbackDevice implements Device {
  readonly name = "lo";
  readonly medium = "ip";
  readonly mac = undefined;
  readonly mtu: number;
  readonly headroom = 0;
  readonly linkUp = true;
  readonly offload: DeviceOffload;
  private sink: DeviceSink | undefined = undefined;
  private memory: FrameMemory | undefined = undefined;
  private readonly ring: Int32Array;
  private head = 0;
  private count = 0;
  private isStarved = false;

  private readonly onWork: () => void;

  /** @param onWork called when there is something to deliver. */
  constructor(onWork: () => void, mtu: number, ringSize: number) {
    this.onWork = onWork;
    this.mtu = mtu;
    this.ring = new Int32Array(ringSize);
    // An IP packet can name at most 65,535 bytes; 120 is the largest pair of headers.
    this.offload = { checksum: true, gsoMaxBytes: 65_535 - 120, coalesces: true };
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    this.sink = sink;
    this.memory = memory;
  }

  detach(): void {
    while (this.count > 0) this.memory!.release(this.take());
    this.sink = undefined;
  }

  get length(): number {
    return this.count;
  }

  room(): number {
    const room = this.ring.length - this.count;
    if (room === 0) this.isStarved = true;
    return room;
  }

  transmit(frame: Frame): void {
    if (this.count === this.ring.length) {
      this.memory!.release(frame);
      return;
    }
    this.ring[(this.head + this.count++) % this.ring.length] = frame;
    this.onWork();
  }

  private take(): Frame {
    const frame = this.ring[this.head]!;
    this.head = (this.head + 1) % this.ring.length;
    this.count--;
    return frame;
  }

  /** Delivers what is in the ring now, at most `budget`; answers how many were delivered. */
  deliver(budget: number): number {
    const count = Math.min(this.count, budget);
    for (let i = 0; i < count; i++) {
      const frame = this.take();
      this.sink?.receive(frame);
      this.memory!.release(frame);
    }
    if (this.isStarved && count > 0) {
      this.isStarved = false;
      this.sink?.writable();
    }
    return count;
  }
}
