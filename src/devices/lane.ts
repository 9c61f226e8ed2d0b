import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import type { DropObserver, DropReason } from "./drop.ts";
import { FrameLine } from "./frame-line.ts";

/** Frames that a lane without delay takes before the other end has taken them: one batch. */
const BATCH = 64;

/** Packets that wait in front of a rate limit unless another limit is set. */
const QUEUE_PACKETS = 1000;

export interface QueueOptions {
  /** Packets that may wait, the one being sent not counted. Default 1,000 when `bytes` is not set either. */
  readonly packets?: number;
  /** Bytes that may wait. */
  readonly bytes?: number;
  /** What happens when it is full: the packet is dropped (default), or the sender has to wait as it does for a network card. */
  readonly whenFull?: "drop" | "wait";
}

/** One direction of a link. */
export interface LaneOptions {
  /** Propagation delay in milliseconds. Default 0. */
  readonly delayMs?: number;
  /** Rate in bits per second; the bytes of a frame count as handed over, its link header included. Default: no limit. */
  readonly bitsPerSecond?: number;
  /** The queue in front of the rate limit. */
  readonly queue?: QueueOptions;
}

/** Who takes what a lane delivers. */
export interface LaneEnd {
  /** Takes ownership of the frame. */
  deliver(frame: Frame, timeUs: number): void;
}

/**
 * One direction of a link: a queue, a sender that needs its time for each
 * frame, and the wire on which frames are under way. It is served lazily, from
 * `transmit` and `deliver`, as if each frame had left at its own moment.
 */
export class Lane {
  /** Set by the owner: the next deadline came nearer. */
  onWork: (() => void) | undefined = undefined;
  /** Set by the owner: told of each frame dropped. */
  onDrop: DropObserver | undefined = undefined;
  // Statistics
  sentFrames = 0;
  sentBytes = 0;
  droppedFrames = 0;

  private readonly memory: FrameMemory;
  /** On the wire, by arrival time. */
  private readonly wire = new FrameLine();
  /** Waiting for the sender, by the time they came. */
  private readonly queue = new FrameLine();
  private queuedByteCount = 0;
  /** When the sender is free again. */
  private freeAtUs = 0;
  private delayUs = 0;
  private usPerByte = 0;
  private limitPackets = QUEUE_PACKETS;
  private limitBytes = Number.POSITIVE_INFINITY;
  private waits = false;
  /** Neither delay nor rate: frames go over in batches, and `room` says how many. */
  private plain = true;
  /** The sender was told that there is no room. */
  private blocked = false;

  constructor(memory: FrameMemory, options: LaneOptions) {
    this.memory = memory;
    this.configure(options);
  }

  /** Changes what the options name, from the next frame on. */
  configure(options: LaneOptions): void {
    if (options.delayMs !== undefined) this.delayUs = options.delayMs * 1000;
    if (options.bitsPerSecond !== undefined) this.usPerByte = 8e6 / options.bitsPerSecond;
    if (options.queue !== undefined) {
      const { packets, bytes, whenFull } = options.queue;
      this.limitBytes = bytes ?? Number.POSITIVE_INFINITY;
      this.limitPackets = packets ?? (bytes === undefined ? QUEUE_PACKETS : Number.POSITIVE_INFINITY);
      this.waits = whenFull === "wait";
    }
    this.plain = this.delayUs === 0 && this.usPerByte === 0;
  }

  /** Packets and bytes waiting for the sender, and packets on the wire. */
  get queuedPackets(): number {
    return this.queue.count;
  }
  get queuedBytes(): number {
    return this.queuedByteCount;
  }
  get inFlight(): number {
    return this.wire.count;
  }

  /** Frames that may be transmitted now. */
  room(nowUs: number): number {
    let room = BATCH;
    if (this.plain) {
      room = BATCH - this.wire.count;
    } else if (this.waits) {
      this.serve(nowUs);
      room = this.queuedByteCount >= this.limitBytes ? 0 : this.limitPackets - this.queue.count;
    }
    if (room > 0) return Math.min(room, BATCH);
    this.blocked = true;
    return 0;
  }

  /** Takes ownership of a frame at its beginning. */
  transmit(frame: Frame, nowUs: number): void {
    this.sentFrames++;
    this.sentBytes += this.memory.length(frame);
    if (this.usPerByte > 0 || this.queue.count > 0) {
      this.enqueue(frame, nowUs);
    } else if (this.wire.push(frame, nowUs + this.delayUs)) {
      this.onWork?.();
    }
  }

  private enqueue(frame: Frame, nowUs: number): void {
    this.serve(nowUs);
    const length = this.memory.length(frame);
    const idle = this.queue.count === 0 && this.freeAtUs <= nowUs;
    if (
      !idle &&
      (this.queue.count >= this.limitPackets || this.queuedByteCount + length > this.limitBytes)
    ) {
      this.drop(frame, "queue", nowUs);
      return;
    }
    this.queuedByteCount += length;
    this.queue.push(frame, nowUs);
    this.serve(nowUs);
    this.onWork?.();
  }

  /** Moves from the queue onto the wire what the sender has begun to send by now. */
  private serve(nowUs: number): void {
    const { queue, memory } = this;
    while (queue.count > 0) {
      const beginUs = Math.max(this.freeAtUs, queue.firstTime());
      if (beginUs > nowUs) return;
      const frame = queue.shift();
      const length = memory.length(frame);
      this.queuedByteCount -= length;
      this.freeAtUs = beginUs + length * this.usPerByte;
      this.wire.push(frame, this.freeAtUs + this.delayUs);
    }
  }

  /** When the next frame may arrive, or room for another be made; Infinity: nothing is under way. */
  nextDeadline(): number {
    const arrivalUs = this.wire.firstTime();
    if (this.queue.count === 0) return arrivalUs;
    const beginUs = Math.max(this.freeAtUs, this.queue.firstTime());
    // Nothing that begins then arrives before the delay has passed, and until then nobody looks.
    return Math.min(arrivalUs, this.blocked ? beginUs : beginUs + this.delayUs);
  }

  /** Hands over at most `budget` frames that have arrived. True: there are more. */
  deliver(nowUs: number, budget: number, end: LaneEnd): boolean {
    if (this.queue.count > 0) this.serve(nowUs);
    const { wire } = this;
    while (wire.firstTime() <= nowUs) {
      if (budget-- <= 0) return true;
      end.deliver(wire.shift(), nowUs);
    }
    return false;
  }

  /** True once when a sender that found no room may go on. */
  takeUnblocked(nowUs: number): boolean {
    if (!this.blocked) return false;
    this.blocked = false;
    return this.room(nowUs) > 0;
  }

  /** Drops everything under way. */
  clear(reason: DropReason, nowUs: number): void {
    while (this.queue.count > 0) this.drop(this.queue.shift(), reason, nowUs);
    while (this.wire.count > 0) this.drop(this.wire.shift(), reason, nowUs);
    this.queuedByteCount = 0;
    this.freeAtUs = nowUs;
  }

  drop(frame: Frame, reason: DropReason, nowUs: number): void {
    this.droppedFrames++;
    if (this.onDrop !== undefined) this.onDrop(frame, reason, nowUs);
    this.memory.release(frame);
  }
}
