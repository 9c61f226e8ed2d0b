import type { Frame } from "../base/frame-memory.ts";

/**
 * Frames under way, ordered by the time each is due; those due at the same
 * time stay in the order they came. A ring that grows, because frames nearly
 * always come in order: one that is due earlier is moved forward from the end.
 */
export class FrameLine {
  count = 0;
  private frames = new Int32Array(64);
  private times = new Float64Array(64);
  private head = 0;

  /** Takes a frame in; true when it is the first in the line now. */
  push(frame: Frame, timeUs: number): boolean {
    if (this.count === this.frames.length) this.grow();
    const { frames, times, head } = this;
    const mask = frames.length - 1;
    let index = this.count++;
    while (index > 0) {
      const previous = (head + index - 1) & mask;
      if (times[previous] <= timeUs) break;
      frames[(previous + 1) & mask] = frames[previous];
      times[(previous + 1) & mask] = times[previous];
      index--;
    }
    frames[(head + index) & mask] = frame;
    times[(head + index) & mask] = timeUs;
    return index === 0;
  }

  /** When the first is due; Infinity when the line is empty. */
  firstTime(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.times[this.head];
  }

  /** The first frame, which stays. Only when there is one. */
  first(): Frame {
    return this.frames[this.head];
  }

  /** Takes the first frame out. Only when there is one. */
  shift(): Frame {
    const frame = this.frames[this.head];
    this.head = (this.head + 1) & (this.frames.length - 1);
    this.count--;
    return frame;
  }

  private grow(): void {
    const { frames, times, head, count } = this;
    this.frames = new Int32Array(count * 2);
    this.times = new Float64Array(count * 2);
    const tail = count - head;
    this.frames.set(frames.subarray(head), 0);
    this.frames.set(frames.subarray(0, head), tail);
    this.times.set(times.subarray(head), 0);
    this.times.set(times.subarray(0, head), tail);
    this.head = 0;
  }
}
