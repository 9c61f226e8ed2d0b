import type { Counters } from "../base/counters.ts";
import type { Frame, FrameMemory } from "../base/frame-memory.ts";

/** Where a reply goes: an interface (a, b, c are MAC high, low and type) or a path (protocol, tos, ttl). */
export interface ReplyTarget {
  /** Ownership of the frame passes. */
  sendReply(frame: Frame, a: number, b: number, c: number): void;
}

/**
 * Replies that belong to no connection (ARP, echo, ICMP errors, neighbor
 * discovery). Input may not transmit, so it puts them here and poll sends
 * them. Bounded: what does not fit is dropped and counted.
 */
export class ReplyRing {
  private readonly memory: FrameMemory;
  private readonly counters: Counters;
  private readonly frames: Int32Array;
  private readonly words: Int32Array;
  private readonly targets: (ReplyTarget | undefined)[];
  private head = 0;
  private count = 0;

  constructor(size: number, memory: FrameMemory, counters: Counters) {
    this.memory = memory;
    this.counters = counters;
    this.frames = new Int32Array(size);
    this.words = new Int32Array(size * 3);
    this.targets = new Array<ReplyTarget | undefined>(size).fill(undefined);
  }

  get length(): number {
    return this.count;
  }

  /** Takes ownership of the frame. */
  push(target: ReplyTarget, frame: Frame, a: number, b: number, c: number): void {
    const size = this.frames.length;
    if (this.count === size) {
      this.counters.replyRingDrops++;
      this.memory.release(frame);
      return;
    }
    const at = (this.head + this.count++) % size;
    this.frames[at] = frame;
    this.targets[at] = target;
    this.words[at * 3] = a;
    this.words[at * 3 + 1] = b;
    this.words[at * 3 + 2] = c;
  }

  /** Sends what is in the ring now, at most `budget`; answers how many were sent. */
  drain(budget: number): number {
    let sent = 0;
    for (let left = Math.min(this.count, budget); left > 0; left--, sent++) {
      const at = this.head;
      this.head = (at + 1) % this.frames.length;
      this.count--;
      const target = this.targets[at]!;
      this.targets[at] = undefined;
      const words = this.words;
      target.sendReply(this.frames[at]!, words[at * 3]!, words[at * 3 + 1]!, words[at * 3 + 2]!);
    }
    return sent;
  }

  /** Drops everything: the host is closed. */
  clear(): void {
    while (this.count > 0) {
      this.memory.release(this.frames[this.head]!);
      this.targets[this.head] = undefined;
      this.head = (this.head + 1) % this.frames.length;
      this.count--;
    }
  }
}
