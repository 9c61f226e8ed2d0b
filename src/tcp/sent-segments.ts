import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";

/** The peer's SACK covers it. */
export const SACKED = 1;
/** Declared lost: it no longer counts as in flight. */
export const LOST = 2;
/** Sent again, and that copy is not declared lost: it counts as in flight. LOST without this waits to be sent again. */
export const RETRANSMITTED = 4;
/** Was ever sent again: no RTT sample without timestamps (Karn, RFC 6298 §3). */
export const EVER_RETRANSMITTED = 8;
/** A FIN is its last sequence number. */
export const HAS_FIN = 16;
/** PSH was set. */
export const HAS_PUSH = 32;
/** Sent while the application had no more to send (delivery rate estimation). */
export const APP_LIMITED = 64;
/** An MTU probe: its loss says nothing of congestion (RFC 4821 §7.5). */
export const MTU_PROBE = 128;

const NONE = -1;

// Integer columns of a record.
const START = 0;
const END = 1;
const FLAGS = 2;
/** Links of the list ordered by time of last transmission (RFC 8985 §6.2's order). */
const OLDER = 3;
const NEWER = 4;
/** Bytes in flight with it, itself included, and bytes lost over the connection's life, when it was last sent. */
const IN_FLIGHT = 5;
const LOST_BEFORE = 6;
const INTS = 3; // log2 of the record's size
// Number columns.
const SENT = 0;
const DELIVERED = 1;
const DELIVERED_AT = 2;
const FIRST_SENT = 3;
const NUMBERS = 2; // log2

/**
 * The retransmission queue: one record for each segment that was sent and is
 * not acknowledged yet, in a ring ordered by sequence number and, through
 * links, by the time it was last sent. Records are at most one MSS, also when
 * a super-segment carried several, so that loss and SACK never have to split
 * one. A record's index stays valid while it is in the queue.
 *
 * Per record: 32 bytes of integers and 32 of times. No cost depends on how
 * many records there are, except finding one by its number (a binary search).
 */
export class SentSegments {
  private ints: Int32Array;
  private numbers: Float64Array;
  private mask: number;
  /** Running index of the oldest record, and of the next to be made. */
  private head = 0;
  private tail = 0;
  private oldest = NONE;
  private newest = NONE;

  constructor(capacity = 16) {
    this.ints = new Int32Array(capacity << INTS);
    this.numbers = new Float64Array(capacity << NUMBERS);
    this.mask = capacity - 1;
  }

  get count(): number {
    return this.tail - this.head;
  }

  get capacity(): number {
    return this.mask + 1;
  }

  /** Running indexes: the queue is `first <= i < end`. */
  get first(): number {
    return this.head;
  }

  get end(): number {
    return this.tail;
  }

  start(i: number): number {
    return this.ints[((i & this.mask) << INTS) + START]!;
  }

  endOf(i: number): number {
    return this.ints[((i & this.mask) << INTS) + END]!;
  }

  length(i: number): number {
    const at = (i & this.mask) << INTS;
    return (this.ints[at + END]! - this.ints[at + START]!) | 0;
  }

  flags(i: number): number {
    return this.ints[((i & this.mask) << INTS) + FLAGS]!;
  }

  setFlags(i: number, flags: number): void {
    this.ints[((i & this.mask) << INTS) + FLAGS] = flags;
  }

  /** When it was last sent. */
  sentUs(i: number): number {
    return this.numbers[((i & this.mask) << NUMBERS) + SENT]!;
  }

  /** What had been delivered when it was last sent, when that was, and when the first segment of that flight was sent. */
  delivered(i: number): number {
    return this.numbers[((i & this.mask) << NUMBERS) + DELIVERED]!;
  }

  deliveredUs(i: number): number {
    return this.numbers[((i & this.mask) << NUMBERS) + DELIVERED_AT]!;
  }

  firstSentUs(i: number): number {
    return this.numbers[((i & this.mask) << NUMBERS) + FIRST_SENT]!;
  }

  inFlight(i: number): number {
    return this.ints[((i & this.mask) << INTS) + IN_FLIGHT]!;
  }

  lostBefore(i: number): number {
    return this.ints[((i & this.mask) << INTS) + LOST_BEFORE]!;
  }

  /** Keeps what rate estimation wants to know when the record is delivered. */
  setRate(
    i: number,
    delivered: number,
    deliveredUs: number,
    firstSentUs: number,
    inFlight: number,
    lostBefore: number,
  ): void {
    const at = (i & this.mask) << NUMBERS;
    this.numbers[at + DELIVERED] = delivered;
    this.numbers[at + DELIVERED_AT] = deliveredUs;
    this.numbers[at + FIRST_SENT] = firstSentUs;
    this.ints[((i & this.mask) << INTS) + IN_FLIGHT] = inFlight;
    this.ints[((i & this.mask) << INTS) + LOST_BEFORE] = lostBefore | 0;
  }

  /** The record last sent earliest of all, and its successor in that order; -1: none. */
  get firstByTime(): number {
    return this.oldest;
  }

  nextByTime(i: number): number {
    return this.ints[((i & this.mask) << INTS) + NEWER]!;
  }

  /** Adds a record behind the others. */
  append(start: number, end: number, flags: number, sentUs: number): number {
    if (this.tail - this.head > this.mask) this.grow();
    const i = this.tail++;
    const at = (i & this.mask) << INTS;
    this.ints[at + START] = start;
    this.ints[at + END] = end;
    this.ints[at + FLAGS] = flags;
    this.numbers[((i & this.mask) << NUMBERS) + SENT] = sentUs;
    this.linkNewest(i);
    return i;
  }

  /** Notes that a record was sent again. */
  resent(i: number, sentUs: number): void {
    this.numbers[((i & this.mask) << NUMBERS) + SENT] = sentUs;
    this.unlink(i);
    this.linkNewest(i);
  }

  /** Takes a record out of the order by time: SACKed, nothing is waited for. */
  unlink(i: number): void {
    const at = (i & this.mask) << INTS;
    const older = this.ints[at + OLDER]!;
    const newer = this.ints[at + NEWER]!;
    if (older === i) return; // not linked
    if (older === NONE) this.oldest = newer;
    else this.ints[((older & this.mask) << INTS) + NEWER] = newer;
    if (newer === NONE) this.newest = older;
    else this.ints[((newer & this.mask) << INTS) + OLDER] = older;
    this.ints[at + OLDER] = i;
  }

  private linkNewest(i: number): void {
    const at = (i & this.mask) << INTS;
    this.ints[at + OLDER] = this.newest;
    this.ints[at + NEWER] = NONE;
    if (this.newest === NONE) this.oldest = i;
    else this.ints[((this.newest & this.mask) << INTS) + NEWER] = i;
    this.newest = i;
  }

  /** Puts a record back into the order by time, as the oldest: the peer took its SACK back. */
  relinkOldest(i: number): void {
    const at = (i & this.mask) << INTS;
    if (this.ints[at + OLDER] !== i) return;
    this.ints[at + OLDER] = NONE;
    this.ints[at + NEWER] = this.oldest;
    if (this.oldest === NONE) this.newest = i;
    else this.ints[((this.oldest & this.mask) << INTS) + OLDER] = i;
    this.oldest = i;
  }

  /**
   * The last of the records that `ack` acknowledges, when it ends with one and
   * nothing special is known of any (never sent again, not SACKed, not lost);
   * else -1. Then their order by time is that of their numbers.
   */
  lastPlain(ack: number): number {
    const { ints, mask, tail } = this;
    for (let i = this.head; i < tail; i++) {
      const at = (i & mask) << INTS;
      if ((ints[at + FLAGS]! & ~(HAS_PUSH | APP_LIMITED)) !== 0) return -1;
      const ahead = (ack - ints[at + END]!) | 0;
      if (ahead <= 0) return ahead === 0 ? i : -1;
    }
    return -1;
  }

  /** Removes the records up to the one that `lastPlain` answered. */
  shiftThrough(last: number): void {
    this.head = last + 1;
    if (this.head === this.tail) {
      this.rewind();
      return;
    }
    this.oldest = this.ints[((last & this.mask) << INTS) + NEWER]!;
    if (this.oldest === NONE) this.newest = NONE;
    else this.ints[((this.oldest & this.mask) << INTS) + OLDER] = NONE;
  }

  /** Removes the first record: all of it was acknowledged. */
  shift(): void {
    this.unlink(this.head);
    this.head++;
    if (this.head === this.tail) this.rewind();
  }

  /** Cuts the front of the first record: part of it was acknowledged. */
  trimFirst(start: number): void {
    this.ints[((this.head & this.mask) << INTS) + START] = start;
  }

  /** Index of the first record that ends after `seq`; `end` when there is none. */
  find(seq: number): number {
    let low = this.head;
    let high = this.tail;
    while (low < high) {
      const middle = low + ((high - low) >>> 1);
      if (seqLeq(this.endOf(middle), seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Cuts the records so that none is longer than `mss` any more: after the
   * path MTU fell. A FIN stays with the last piece. O(n), and rare.
   */
  resegment(mss: number): void {
    const old = new SentSegments(this.mask + 1);
    old.ints.set(this.ints);
    old.numbers.set(this.numbers);
    old.head = this.head;
    old.tail = this.tail;
    const order: number[] = [];
    for (let i = this.oldest; i !== NONE; i = old.nextByTime(i)) order.push(i);
    const firstPiece = new Map<number, number>();
    const pieces = new Map<number, number>();
    this.rewind();
    for (let i = old.head; i < old.tail; i++) {
      const flags = old.flags(i);
      const fin = flags & HAS_FIN;
      const dataEnd = (old.endOf(i) - (fin ? 1 : 0)) | 0;
      let start = old.start(i);
      firstPiece.set(i, this.tail);
      do {
        const end = seqLt((start + mss) | 0, dataEnd) ? (start + mss) | 0 : dataEnd;
        const isLast = end === dataEnd;
        const kept = isLast ? flags : flags & ~(HAS_FIN | HAS_PUSH);
        if (this.tail - this.head > this.mask) this.grow();
        const j = this.tail++;
        const at = (j & this.mask) << INTS;
        this.ints[at + START] = start;
        this.ints[at + END] = isLast ? old.endOf(i) : end;
        this.ints[at + FLAGS] = kept;
        this.ints[at + OLDER] = j; // not linked
        this.numbers[((j & this.mask) << NUMBERS) + SENT] = old.sentUs(i);
        this.setRate(
          j,
          old.delivered(i),
          old.deliveredUs(i),
          old.firstSentUs(i),
          old.inFlight(i),
          old.lostBefore(i),
        );
        start = end;
      } while (seqLt(start, dataEnd));
      pieces.set(i, this.tail - firstPiece.get(i)!);
    }
    for (const i of order) {
      const first = firstPiece.get(i)!;
      for (let j = first; j < first + pieces.get(i)!; j++) this.linkNewest(j);
    }
  }

  /** Forgets every record; running indexes begin anew. */
  private rewind(): void {
    this.head = 0;
    this.tail = 0;
    this.oldest = NONE;
    this.newest = NONE;
  }

  private grow(): void {
    const capacity = (this.mask + 1) * 2;
    const ints = new Int32Array(capacity << INTS);
    const numbers = new Float64Array(capacity << NUMBERS);
    for (let i = this.head; i < this.tail; i++) {
      const from = i & this.mask;
      const to = i & (capacity - 1);
      for (let k = 0; k < 1 << INTS; k++) ints[(to << INTS) + k] = this.ints[(from << INTS) + k]!;
      for (let k = 0; k < 1 << NUMBERS; k++) {
        numbers[(to << NUMBERS) + k] = this.numbers[(from << NUMBERS) + k]!;
      }
    }
    this.ints = ints;
    this.numbers = numbers;
    this.mask = capacity - 1;
  }

  /** Checks the order of the ring; for tests. */
  isOrdered(): boolean {
    for (let i = this.head; i + 1 < this.tail; i++) {
      if (this.endOf(i) !== this.start(i + 1) || seqGeq(this.start(i), this.endOf(i))) return false;
    }
    return this.count === 0 || seqGt(this.endOf(this.tail - 1), this.start(this.head));
  }
}
