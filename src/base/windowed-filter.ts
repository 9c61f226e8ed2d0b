/**
 * Smallest or largest value of a moving window, in constant space: the best
 * value and the two best that came after it, each the best of a later part of
 * the window (the idea of Kathleen Nichols, used for RTTs and delivery rates).
 * The unit of time is the caller's: microseconds, rounds, cycles.
 */
abstract class WindowedFilter {
  private v0 = 0;
  private t0 = 0;
  private v1 = 0;
  private t1 = 0;
  private v2 = 0;
  private t2 = 0;
  private isEmpty = true;
  private readonly none: number;

  constructor(none: number) {
    this.none = none;
  }

  /** The best value of the window as of the last `update`; the filter's `none` before the first. */
  get value(): number {
    return this.isEmpty ? this.none : this.v0;
  }

  protected abstract isBetterOrEqual(a: number, b: number): boolean;

  /** Forgets everything. */
  reset(): void {
    this.isEmpty = true;
  }

  /** Takes `value` seen at `time` (never going back) and answers the best of the last `window`. */
  update(value: number, time: number, window: number): number {
    if (
      this.isEmpty ||
      this.isBetterOrEqual(value, this.v0) ||
      time - this.t2 > window // even the youngest is too old
    ) {
      this.isEmpty = false;
      this.v0 = this.v1 = this.v2 = value;
      this.t0 = this.t1 = this.t2 = time;
      return value;
    }
    if (this.isBetterOrEqual(value, this.v1)) {
      this.v1 = this.v2 = value;
      this.t1 = this.t2 = time;
    } else if (this.isBetterOrEqual(value, this.v2)) {
      this.v2 = value;
      this.t2 = time;
    }
    const age = time - this.t0;
    if (age > window) {
      // The best has left the window: the others move up.
      this.shift(value, time);
      if (time - this.t0 > window) this.shift(value, time);
    } else if (this.t1 === this.t0 && age > window / 4) {
      // A quarter of the window without a second choice: take one from what comes now.
      this.v1 = this.v2 = value;
      this.t1 = this.t2 = time;
    } else if (this.t2 === this.t1 && age > window / 2) {
      this.v2 = value;
      this.t2 = time;
    }
    return this.v0;
  }

  private shift(value: number, time: number): void {
    this.v0 = this.v1;
    this.t0 = this.t1;
    this.v1 = this.v2;
    this.t1 = this.t2;
    this.v2 = value;
    this.t2 = time;
  }
}

/** Infinity before the first value. */
export class WindowedMin extends WindowedFilter {
  constructor() {
    super(Infinity);
  }
  protected isBetterOrEqual(a: number, b: number): boolean {
    return a <= b;
  }
}

/** 0 before the first value: for quantities that are never negative. */
export class WindowedMax extends WindowedFilter {
  constructor() {
    super(0);
  }
  protected isBetterOrEqual(a: number, b: number): boolean {
    return a >= b;
  }
}
