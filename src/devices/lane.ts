import { FLOAT_ZERO } from "../base/float.ts";
import { type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import { randomUnit, SeededRandom } from "../base/random.ts";
import { Codel, type CodelOptions, type CodelQueue } from "./codel.ts";
import type { DeviceContext } from "./context.ts";
import type { DropObserver, DropReason } from "./drop.ts";
import { markCongestion } from "./ecn.ts";
import { FrameLine } from "./frame-line.ts";
import { Impairer, type ImpairerTarget, type ImpairmentOptions } from "./impairment.ts";

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
  /** Keep the queue short by CoDel (RFC 8289). Default false. */
  readonly codel?: boolean | CodelOptions;
  /** Mark ECN-capable packets that find more than this many packets waiting, as switches for DCTCP do (RFC 8257 §3.1). */
  readonly markAbovePackets?: number;
}

/** One direction of a link. */
export interface LaneOptions extends ImpairmentOptions {
  /** Propagation delay in milliseconds. Default 0. */
  readonly delayMs?: number;
  /** By how much the delay of a packet may differ, in milliseconds: at most so much either way, or the standard deviation of a normal distribution. */
  readonly jitterMs?: number;
  readonly jitterDistribution?: "uniform" | "normal";
  /** Whether jitter may change the order of packets. Default false: who is late delays those behind. */
  readonly jitterReorders?: boolean;
  /** Rate in bits per second; the bytes of a frame count as handed over, its link header included. Default: no limit. */
  readonly bitsPerSecond?: number;
  /** The queue in front of the rate limit. */
  readonly queue?: QueueOptions;
}

/** Who takes what a lane delivers. */
export interface LaneEnd {
  /** Takes ownership of the first `count` frames. */
  deliver(frames: Int32Array, count: number, timeUs: number): void;
}

/**
 * One direction of a link: a queue, a sender that needs its time for each
 * frame, and the wire on which frames are under way. It is served lazily, from
 * `transmit` and `deliver`, as if each frame had left at its own moment.
 */
export class Lane implements CodelQueue, ImpairerTarget {
  /** Set by the owner: the next deadline came nearer. */
  onWork: (() => void) | undefined = undefined;
  /** Set by the owner: told of each frame dropped. */
  onDrop: DropObserver | undefined = undefined;
  // Statistics
  sentFrames = 0;
  sentBytes = FLOAT_ZERO;
  droppedFrames = 0;
  /** Marked with "congestion experienced" instead of dropped. */
  markedFrames = 0;

  private readonly memory: FrameMemory;
  /** The frames that are being handed over. */
  private readonly run = new Int32Array(BATCH);
  /** On the wire, by arrival time. */
  private readonly wire = new FrameLine();
  /** Waiting for the sender, by the time they came. */
  private readonly queue = new FrameLine();
  private queuedByteCount = 0;
  /** When the sender is free again. */
  private freeAtUs = FLOAT_ZERO;
  private delayUs = 0;
  private usPerByte = 0;
  private limitPackets = QUEUE_PACKETS;
  private limitBytes = Number.POSITIVE_INFINITY;
  private waits = false;
  private codel: Codel | undefined = undefined;
  private markAbove = Number.POSITIVE_INFINITY;
  private jitterUs = 0;
  private leastDelayUs = 0;
  private isNormal = false;
  private jitterReorders = false;
  private lastArrivalUs = FLOAT_ZERO;
  private readonly isEthernet: boolean;
  private readonly impairer: Impairer;
  private readonly random: SeededRandom;
  /** Packets pass the impairer; set once there is anything for it to do. */
  private impaired = false;
  /** Neither delay nor rate: frames go over in batches, and `room` says how many. */
  private plain = true;
  /** The sender was told that there is no room. */
  private blocked = false;

  constructor(context: DeviceContext, medium: "ethernet" | "ip", options: LaneOptions) {
    this.memory = context.memory;
    this.isEthernet = medium === "ethernet";
    this.random = new SeededRandom(context.random.int32());
    this.impairer = new Impairer(this.memory, context.random, this.isEthernet ? 14 : 0, this);
    this.configure(options);
  }

  /** Changes what the options name, from the next frame on; the rest stays. */
  configure(options: LaneOptions): void {
    if (options.delayMs !== undefined) this.delayUs = options.delayMs * 1000;
    if (options.jitterMs !== undefined) this.jitterUs = options.jitterMs * 1000;
    if (options.jitterDistribution !== undefined) {
      this.isNormal = options.jitterDistribution === "normal";
    }
    if (options.jitterReorders !== undefined) this.jitterReorders = options.jitterReorders;
    if (options.bitsPerSecond !== undefined) {
      if (!(options.bitsPerSecond > 0)) {
        throw new RangeError(`bitsPerSecond is ${options.bitsPerSecond}: to stop a link, cut it`);
      }
      this.usPerByte = 8e6 / options.bitsPerSecond;
    }
    if (options.queue !== undefined) this.configureQueue(options.queue);
    this.impairer.configure(options);
    this.impaired ||=
      (options.loss ?? options.burst ?? options.corrupt ?? options.duplicate ?? options.reorder) !==
      undefined;
    this.leastDelayUs = this.isNormal ? 0 : Math.max(0, this.delayUs - this.jitterUs);
    this.plain = this.delayUs === 0 && this.usPerByte === 0 && this.jitterUs === 0;
  }

  private configureQueue(options: QueueOptions): void {
    const { packets, bytes, whenFull, codel } = options;
    this.limitBytes = bytes ?? Number.POSITIVE_INFINITY;
    this.limitPackets = packets ?? (bytes === undefined ? QUEUE_PACKETS : Number.POSITIVE_INFINITY);
    this.waits = whenFull === "wait";
    this.codel = codel ? new Codel(codel === true ? {} : codel) : undefined;
    this.markAbove = options.markAbovePackets ?? Number.POSITIVE_INFINITY;
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
    if (this.plain && !this.impaired && this.queue.count === 0) {
      if (this.wire.push(frame, nowUs)) this.onWork?.();
      return;
    }
    const deadlineUs = this.nextDeadline();
    if (this.impaired) this.impairer.pass(frame, nowUs);
    else this.admit(frame, nowUs);
    if (this.nextDeadline() < deadlineUs) this.onWork?.();
  }

  /** The same for the first `count` of `frames`. */
  transmitRun(frames: Int32Array, count: number, nowUs: number): void {
    if (!this.plain || this.impaired || this.queue.count > 0) {
      for (let i = 0; i < count; i++) this.transmit(frames[i]!, nowUs);
      return;
    }
    const { memory, wire } = this;
    let isFirst = false;
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      bytes += memory.length(frame);
      if (wire.push(frame, nowUs)) isFirst = true;
    }
    this.sentFrames += count;
    this.sentBytes += bytes;
    if (isFirst) this.onWork?.();
  }

  /** A frame that nothing happened to goes into the queue, or onto the wire where there is none. */
  admit(frame: Frame, nowUs: number): void {
    if (this.usPerByte > 0 || this.queue.count > 0) this.enqueue(frame, nowUs);
    else this.wire.push(frame, this.arrivalUs(nowUs));
  }

  private enqueue(frame: Frame, nowUs: number): void {
    this.serve(nowUs);
    const { queue } = this;
    const length = this.memory.length(frame);
    const isIdle = queue.count === 0 && this.freeAtUs <= nowUs;
    if (
      !isIdle &&
      (queue.count >= this.limitPackets || this.queuedByteCount + length > this.limitBytes)
    ) {
      this.drop(frame, "queue", nowUs);
      return;
    }
    if (queue.count > this.markAbove) frame = this.mark(frame) || frame;
    this.queuedByteCount += length;
    queue.push(frame, nowUs);
    this.serve(nowUs);
  }

  /** Moves from the queue onto the wire what the sender has begun to send by now. */
  private serve(nowUs: number): void {
    const { queue, memory, codel } = this;
    while (queue.count > 0) {
      const beginUs = Math.max(this.freeAtUs, queue.firstTime());
      if (beginUs > nowUs) return;
      const frame = codel === undefined ? this.pop() : codel.dequeue(this, beginUs);
      if (frame === NO_FRAME) return;
      this.freeAtUs = beginUs + memory.length(frame) * this.usPerByte;
      this.wire.push(frame, this.arrivalUs(this.freeAtUs));
    }
  }

  /** When what has left by then arrives: after the delay, and its jitter. */
  private arrivalUs(leftUs: number): number {
    if (this.jitterUs === 0) return leftUs + this.delayUs;
    const jitterUs = this.jitterUs * (this.isNormal ? normal(this.random) : uniform(this.random));
    const arrivalUs = leftUs + Math.max(0, this.delayUs + jitterUs);
    if (this.jitterReorders) return arrivalUs;
    this.lastArrivalUs = Math.max(this.lastArrivalUs, arrivalUs);
    return this.lastArrivalUs;
  }

  // The queue, as CoDel sees it

  pop(): Frame {
    if (this.queue.count === 0) return NO_FRAME;
    const frame = this.queue.shift();
    this.queuedByteCount -= this.memory.length(frame);
    return frame;
  }

  firstTime(): number {
    return this.queue.firstTime();
  }

  dropByCodel(frame: Frame, nowUs: number): void {
    this.drop(frame, "codel", nowUs);
  }

  mark(frame: Frame): Frame {
    const marked = markCongestion(this.memory, frame, this.isEthernet);
    if (marked !== NO_FRAME) this.markedFrames++;
    return marked;
  }

  /** When the next frame may arrive, or room for another be made; Infinity: nothing is under way. */
  nextDeadline(): number {
    let deadlineUs = this.wire.firstTime();
    if (this.impaired) deadlineUs = Math.min(deadlineUs, this.impairer.nextDeadline());
    if (this.queue.count === 0) return deadlineUs;
    const beginUs = Math.max(this.freeAtUs, this.queue.firstTime());
    // Nothing that begins then arrives before the delay has passed, and until then nobody looks.
    return Math.min(deadlineUs, this.blocked ? beginUs : beginUs + this.leastDelayUs);
  }

  /** Hands over at most `budget` frames that have arrived. True: there are more. */
  deliver(nowUs: number, budget: number, end: LaneEnd): boolean {
    if (this.impaired) this.impairer.releaseDue(nowUs);
    if (this.queue.count > 0) this.serve(nowUs);
    const { wire } = this;
    const run = this.run;
    let count = 0;
    while (wire.firstTime() <= nowUs && count < budget && count < BATCH) {
      run[count++] = wire.shift();
    }
    if (count > 0) end.deliver(run, count, nowUs);
    return wire.firstTime() <= nowUs;
  }

  /** True once when a sender that found no room may go on. */
  takeUnblocked(nowUs: number): boolean {
    if (!this.blocked) return false;
    this.blocked = false;
    return this.room(nowUs) > 0;
  }

  /** Drops everything under way. */
  clear(reason: DropReason, nowUs: number): void {
    this.impairer.clear(reason, nowUs);
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

/** -1 <= result < 1 */
function uniform(random: SeededRandom): number {
  return 2 * randomUnit(random) - 1;
}

/** Normally distributed with mean 0 and standard deviation 1 (Box and Muller). */
function normal(random: SeededRandom): number {
  const radius = Math.sqrt(-2 * Math.log(1 - randomUnit(random)));
  return radius * Math.cos(2 * Math.PI * randomUnit(random));
}
