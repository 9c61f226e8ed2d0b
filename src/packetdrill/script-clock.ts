import { type Clock, type Driven, STEP_MORE } from "../base/pollable.ts";

/** Steps at one instant after which the stack is taken to be stuck in a circle. */
const STEPS_PER_INSTANT = 100_000;

/**
 * Virtual time in the order that scripts need: at an instant where a timer is due and the script
 * acts too, the script goes first.
 */
export class ScriptClock implements Clock {
  private driven: Driven | undefined;
  private timeUs = 0;

  now(): number {
    return this.timeUs;
  }

  attach(driven: Driven): void {
    this.driven = driven;
  }

  /** Nothing to do: the script asks for the next deadline itself. */
  wakeAt(): void {}

  /** Runs all that is due before `untilUs`, then stands at that time with what is due there still to come. */
  runBefore(untilUs: number): void {
    for (let next = this.next(); next < untilUs; next = this.next()) this.stepAt(next);
    if (untilUs > this.timeUs) this.timeUs = untilUs;
  }

  /** Runs all that is due by now. */
  drain(): void {
    let steps = 0;
    for (let next = this.next(); next <= this.timeUs; next = this.next()) {
      if (++steps > STEPS_PER_INSTANT) {
        throw new Error(`the stack asks to be polled again and again at ${this.timeUs} us`);
      }
      this.stepAt(next);
    }
  }

  /**
   * Goes on to the next instant at which something is due and runs it, but not beyond `limitUs`,
   * where it stops and answers false.
   */
  advance(limitUs: number): boolean {
    const next = this.next();
    if (next > limitUs) {
      if (limitUs > this.timeUs && limitUs !== Number.POSITIVE_INFINITY) this.timeUs = limitUs;
      return false;
    }
    this.stepAt(next);
    this.drain();
    return true;
  }

  private next(): number {
    return this.driven!.nextDeadline();
  }

  private stepAt(deadlineUs: number): void {
    if (deadlineUs > this.timeUs) this.timeUs = deadlineUs;
    let steps = 0;
    while ((this.driven!.step(this.timeUs) & STEP_MORE) !== 0) {
      if (++steps > STEPS_PER_INSTANT) {
        throw new Error(`the stack asks to be polled again and again at ${this.timeUs} us`);
      }
    }
  }
}
