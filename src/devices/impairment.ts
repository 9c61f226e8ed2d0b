import {
  CSUM_NONE,
  CSUM_PARTIAL,
  type Frame,
  type FrameMemory,
  NO_FRAME,
} from "../base/frame-memory.ts";
import { type RandomSource, randomBetween, randomUnit, SeededRandom } from "../base/random.ts";
import { completeChecksum } from "../link/offload.ts";
import type { DropReason } from "./drop.ts";

/**
 * Which packets something happens to: each with this probability; those with
 * these numbers, counted from 0 in one direction; or those that a function
 * picks, which may read the frame but not keep or change it.
 */
export type PacketChoice =
  | number
  | readonly number[]
  | ((index: number, frame: Frame, memory: FrameMemory) => boolean);

/** Losses in bursts, after Gilbert and Elliott: a line that is good or bad, and may change with each packet. */
export interface BurstOptions {
  /** Probability that a good line turns bad. */
  readonly enterBad: number;
  /** Probability that a bad line turns good; a burst lasts 1/leaveBad packets on average. */
  readonly leaveBad: number;
  /** Loss while the line is good. Default 0. */
  readonly lossInGood?: number;
  /** Loss while the line is bad. Default 1. */
  readonly lossInBad?: number;
}

export interface ReorderOptions {
  /** Which packets are held back. */
  readonly packets: PacketChoice;
  /** How many later ones overtake it. Default 1. */
  readonly distance?: number;
  /** When too few come, it goes on after so many milliseconds. Default 50. */
  readonly holdMs?: number;
}

/** What happens to packets before they reach the queue, in this order. */
export interface ImpairmentOptions {
  /** Packets that are lost. */
  readonly loss?: PacketChoice;
  /** Packets that are lost in bursts, besides. */
  readonly burst?: BurstOptions | false;
  /** Packets of which one bit behind the link header is turned over. */
  readonly corrupt?: PacketChoice;
  /** Packets that arrive twice. */
  readonly duplicate?: PacketChoice;
  /** Packets that others overtake. */
  readonly reorder?: ReorderOptions | false;
}

/** Where packets go on from here. */
export interface ImpairerTarget {
  admit(frame: Frame, nowUs: number): void;
  drop(frame: Frame, reason: DropReason, nowUs: number): void;
}

/** A packet held back, and how many have yet to overtake it. */
interface Held {
  readonly frame: Frame;
  left: number;
  readonly deadlineUs: number;
}

type Chooser = (index: number, frame: Frame) => boolean;

const NEVER_CHOSEN: Chooser = () => false;

// What random numbers are for; each has a stream of its own, so that switching one kind of
// impairment on does not change whom another kind hits.
const LOSS = 1;
const BURST = 2;
const CORRUPT = 3;
const DUPLICATE = 4;
const REORDER = 5;

/** Loses, corrupts, duplicates and reorders the packets of one direction. */
export class Impairer {
  private readonly memory: FrameMemory;
  private readonly linkHeader: number;
  private readonly seed: number;
  private readonly streams: (SeededRandom | undefined)[] = [];
  private readonly target: ImpairerTarget;
  private index = 0;
  private loss = NEVER_CHOSEN;
  private burst: BurstOptions | undefined = undefined;
  private isBad = false;
  private corrupt = NEVER_CHOSEN;
  private duplicate = NEVER_CHOSEN;
  private reorder = NEVER_CHOSEN;
  private distance = 1;
  private holdUs = 0;
  private held: Held[] = [];

  /** `linkHeader`: bytes at the front that are never corrupted, since a real link's check sequence guards them. */
  constructor(
    memory: FrameMemory,
    random: RandomSource,
    linkHeader: number,
    target: ImpairerTarget,
  ) {
    this.memory = memory;
    this.linkHeader = linkHeader;
    this.seed = random.int32();
    this.target = target;
  }

  /** Changes what the options name; what they leave out stays. */
  configure(options: ImpairmentOptions): void {
    if (options.loss !== undefined) this.loss = this.chooser(options.loss, LOSS);
    if (options.burst !== undefined) {
      this.burst = options.burst || undefined;
      this.isBad = false;
    }
    if (options.corrupt !== undefined) this.corrupt = this.chooser(options.corrupt, CORRUPT);
    if (options.duplicate !== undefined)
      this.duplicate = this.chooser(options.duplicate, DUPLICATE);
    if (options.reorder !== undefined) {
      const { packets = 0, distance = 1, holdMs = 50 } = options.reorder || {};
      this.reorder = this.chooser(packets, REORDER);
      this.distance = distance;
      this.holdUs = holdMs * 1000;
    }
  }

  /** Packets held back now. */
  get holding(): number {
    return this.held.length;
  }

  /** Takes a packet over; it goes on to the target, now or later, or is dropped. */
  pass(frame: Frame, nowUs: number): void {
    const { target, memory } = this;
    const index = this.index++;
    // Both are asked each time, so that the numbers they draw do not depend on each other.
    const lost = this.loss(index, frame);
    if (this.lostInBurst() || lost) {
      target.drop(frame, "loss", nowUs);
      return;
    }
    if (this.corrupt(index, frame)) {
      const changed = this.corrupted(frame);
      if (changed === NO_FRAME) {
        target.drop(frame, "memory", nowUs);
        return;
      }
      frame = changed;
    }
    const twice = this.duplicate(index, frame);
    if (twice) memory.retain(frame, "duplicate");
    if (this.reorder(index, frame)) {
      this.held.push({ frame, left: this.distance, deadlineUs: nowUs + this.holdUs });
    } else {
      this.go(frame, nowUs);
    }
    if (twice) this.go(frame, nowUs);
  }

  /** Lets go on whom nobody overtook in time. */
  releaseDue(nowUs: number): void {
    while (this.held.length > 0 && this.nextDeadline() <= nowUs) {
      const at = this.held.findIndex((each) => each.deadlineUs <= nowUs);
      const [due] = this.held.splice(at, 1);
      this.target.admit(due.frame, nowUs);
    }
  }

  nextDeadline(): number {
    let deadlineUs = Number.POSITIVE_INFINITY;
    for (const each of this.held) deadlineUs = Math.min(deadlineUs, each.deadlineUs);
    return deadlineUs;
  }

  clear(reason: DropReason, nowUs: number): void {
    for (const { frame } of this.held.splice(0)) this.target.drop(frame, reason, nowUs);
  }

  /** A packet goes on, and with it those that wait for it to overtake them. */
  private go(frame: Frame, nowUs: number): void {
    this.target.admit(frame, nowUs);
    if (this.held.length === 0) return;
    const overtaken = this.held.filter((each) => --each.left <= 0);
    if (overtaken.length === 0) return;
    this.held = this.held.filter((each) => each.left > 0);
    for (const each of overtaken) this.target.admit(each.frame, nowUs);
  }

  private lostInBurst(): boolean {
    const { burst } = this;
    if (burst === undefined) return false;
    const random = this.stream(BURST);
    if (randomUnit(random) < (this.isBad ? burst.leaveBad : burst.enterBad))
      this.isBad = !this.isBad;
    return randomUnit(random) < (this.isBad ? (burst.lossInBad ?? 1) : (burst.lossInGood ?? 0));
  }

  /** The frame with one bit turned over: a copy when others hold it too. `NO_FRAME`: no memory, the frame stays the caller's. */
  private corrupted(frame: Frame): Frame {
    const { memory } = this;
    const bytes = memory.length(frame) - this.linkHeader;
    if (bytes <= 0) return frame;
    if (memory.references(frame) > 1) {
      const copy = memory.copyFrame(frame);
      if (copy === NO_FRAME) return NO_FRAME;
      memory.release(frame);
      frame = copy;
    }
    if (memory.checksumState(frame) === CSUM_PARTIAL) completeChecksum(memory, frame);
    memory.setChecksumState(frame, CSUM_NONE);
    const bit = randomBetween(this.stream(CORRUPT), 0, 8 * bytes);
    const at = memory.start(frame) + this.linkHeader + (bit >>> 3);
    memory.bytes[at] ^= 1 << (bit & 7);
    return frame;
  }

  private chooser(choice: PacketChoice, purpose: number): Chooser {
    if (typeof choice === "function") {
      return (index, frame) => choice(index, frame, this.memory);
    }
    if (typeof choice !== "number") {
      const chosen = new Set(choice);
      return (index) => chosen.has(index);
    }
    if (!(choice >= 0 && choice <= 1)) {
      throw new RangeError(`${choice} is not a probability: give a number from 0 to 1`);
    }
    if (choice === 0) return NEVER_CHOSEN;
    const random = this.stream(purpose);
    return () => randomUnit(random) < choice;
  }

  private stream(purpose: number): SeededRandom {
    this.streams[purpose] ??= new SeededRandom(this.seed ^ Math.imul(purpose, 0x9e3779b9));
    return this.streams[purpose];
  }
}
