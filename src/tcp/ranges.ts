import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";

/**
 * Disjoint ranges of sequence numbers in order, each with the time (a running
 * number) it last grew: what a receiver holds beyond a gap (RFC 2018 §4), and
 * what a sender knows to have arrived there (the scoreboard of RFC 6675 §3).
 */
export class Ranges {
  private starts = new Int32Array(8);
  private ends = new Int32Array(8);
  private stamps = new Float64Array(8);
  private clock = 0;
  /** How many ranges there are. */
  count = 0;
  /** Index of the range that the last `add` grew or made. */
  last = 0;

  start(index: number): number {
    return this.starts[index]!;
  }

  end(index: number): number {
    return this.ends[index]!;
  }

  /** Running number of the last growth of a range: greater is more recent. */
  stamp(index: number): number {
    return this.stamps[index]!;
  }

  /** Index of the first range that ends after `seq`; `count` when there is none. */
  indexAfter(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqLeq(this.ends[middle]!, seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** True when every number of [start, end) is in one range. */
  covers(start: number, end: number): boolean {
    const index = this.indexAfter(start);
    return (
      index < this.count && seqLeq(this.starts[index]!, start) && seqGeq(this.ends[index]!, end)
    );
  }

  /** True when any number of [start, end) is in a range. */
  touches(start: number, end: number): boolean {
    const index = this.indexAfter(start);
    return index < this.count && seqLt(this.starts[index]!, end);
  }

  /** Adds [start, end), merging what it touches. False: `limit` ranges are there and this would be one more. */
  add(start: number, end: number, limit: number): boolean {
    // First range that ends at or after start: it or the following may be merged.
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqLt(this.ends[middle]!, start)) low = middle + 1;
      else high = middle;
    }
    const index = low;
    if (index === this.count || seqGt(this.starts[index]!, end)) {
      if (this.count >= limit) return false;
      this.insert(index, start, end);
      return true;
    }
    if (seqLt(start, this.starts[index]!)) this.starts[index] = start;
    let next = index + 1;
    let farthest = seqGt(end, this.ends[index]!) ? end : this.ends[index]!;
    while (next < this.count && seqLeq(this.starts[next]!, farthest)) {
      if (seqGt(this.ends[next]!, farthest)) farthest = this.ends[next]!;
      next++;
    }
    this.ends[index] = farthest;
    this.stamps[index] = ++this.clock;
    this.last = index;
    if (next > index + 1) this.removeRange(index + 1, next);
    return true;
  }

  private insert(index: number, start: number, end: number): void {
    if (this.count === this.starts.length) this.grow();
    this.starts.copyWithin(index + 1, index, this.count);
    this.ends.copyWithin(index + 1, index, this.count);
    this.stamps.copyWithin(index + 1, index, this.count);
    this.starts[index] = start;
    this.ends[index] = end;
    this.stamps[index] = ++this.clock;
    this.last = index;
    this.count++;
  }

  private removeRange(from: number, to: number): void {
    this.starts.copyWithin(from, to, this.count);
    this.ends.copyWithin(from, to, this.count);
    this.stamps.copyWithin(from, to, this.count);
    this.count -= to - from;
  }

  /** Forgets everything before `seq`. */
  trim(seq: number): void {
    let gone = 0;
    while (gone < this.count && seqLeq(this.ends[gone]!, seq)) gone++;
    if (gone > 0) this.removeRange(0, gone);
    if (this.count > 0 && seqLt(this.starts[0]!, seq)) this.starts[0] = seq;
  }

  /** Forgets the highest range; for a receiver that must give memory back. */
  pop(): void {
    if (this.count > 0) this.count--;
  }

  clear(): void {
    this.count = 0;
  }

  private grow(): void {
    const capacity = this.starts.length * 2;
    const starts = new Int32Array(capacity);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Int32Array(capacity);
    ends.set(this.ends);
    this.ends = ends;
    const stamps = new Float64Array(capacity);
    stamps.set(this.stamps);
    this.stamps = stamps;
  }
}
