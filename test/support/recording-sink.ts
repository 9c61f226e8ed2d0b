import { type Frame, type FrameMemory, NO_FRAME } from "../../src/base/frame-memory.ts";
import type { Device, DeviceSink } from "../../src/link/device.ts";

/** A host's side of a device that writes down what it hears. */
export class RecordingSink implements DeviceSink {
  /** Frames that arrived, as bytes, and when. */
  readonly frames: Uint8Array[] = [];
  readonly times: number[] = [];
  readonly links: boolean[] = [];
  writables = 0;
  /** Called with each frame, while it is lent. */
  onFrame: ((frame: Frame) => void) | undefined = undefined;
  readonly device: Device;
  private readonly memory: FrameMemory;
  private readonly now: () => number;

  constructor(device: Device, memory: FrameMemory, now: () => number = () => 0) {
    this.device = device;
    this.memory = memory;
    this.now = now;
    device.attach(this, memory);
  }

  receive(frame: Frame): void {
    this.frames.push(this.memory.copyOut(frame));
    this.times.push(this.now());
    this.onFrame?.(frame);
  }

  writable(): void {
    this.writables++;
  }

  linkChanged(up: boolean): void {
    this.links.push(up);
  }

  /** Transmits a frame with these bytes. */
  send(bytes: Uint8Array): void {
    const frame = this.memory.allocFrom(bytes, this.device.medium === "ethernet" ? 14 : 0);
    if (frame === NO_FRAME) throw new Error("no frame is free");
    this.device.transmit(frame);
  }

  /** The first byte of each frame that arrived, or the one at `at`. */
  marks(at = 0): number[] {
    return this.frames.map((bytes) => bytes[at]);
  }
}

/** A packet of `length` bytes filled with `mark`. */
export function marked(mark: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(mark);
}
