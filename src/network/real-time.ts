import { type Clock, type Driven, STEP_DELIVERED, STEP_MORE } from "../base/pollable.ts";
import { type Macrotask, macrotask } from "./macrotask.ts";

/** How long a network may work before the event loop gets its turn, in microseconds. */
const BURST_US = 4000;

/** Longest delay of `setTimeout`. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** A clock that follows the real time, for Node and browsers; each network needs one of its own. */
export function realTime(): RealTime {
  return new RealTime();
}

const RESOLVED = Promise.resolve();

/** What `setTimeout` answers, as far as the platforms agree. */
type Timer = ReturnType<typeof setTimeout>;

/** Deno's timers are numbers, which it lets go by a call of its own. */
interface DenoTimers {
  refTimer(timer: Timer): void;
  unrefTimer(timer: Timer): void;
}

/** Whether a timer keeps the process alive; in browsers nothing does. */
function setHold(timer: Timer, holds: boolean): void {
  if (typeof timer === "object") {
    if (holds) timer.ref();
    else timer.unref();
    return;
  }
  const deno = (globalThis as { Deno?: DenoTimers }).Deno;
  if (holds) deno?.refTimer(timer);
  else deno?.unrefTimer(timer);
}

/**
 * Drives a network in real time.
 *
 * - Work that a call of the application or a device makes is done in a
 *   microtask: after the calls that belong together, before anything else.
 * - A burst of work ends 4 ms after the event loop's last turn; then timers,
 *   I/O and rendering have theirs, and the work goes on in a macrotask.
 * - Between bursts one host timer waits for the next deadline. Its resolution
 *   is the platform's, about 1 ms.
 * - The process is kept alive while the network says that something is live.
 */
export class RealTime implements Clock {
  private readonly originMs = performance.now();
  private driven: Driven | undefined;
  private running = false;
  /** A microtask or a macrotask that runs the network is on its way. */
  private scheduled = false;
  /** The time of the last look at the clock. */
  private seenUs = 0;
  /** When the burst of this turn of the event loop began; -1 before there was one. */
  private burstBeganUs = -1;
  /** Runs in the next turn of the event loop; wanted after each burst, to know that it is over. */
  private nextTurn: Macrotask | undefined;
  private timer: Timer | undefined;
  private timerAtUs = Number.POSITIVE_INFINITY;
  private timerHolds = true;
  /** An exception out of a callback goes where it would from queueMicrotask, not to a promise. */
  private readonly runInMicrotask = () => {
    try {
      this.run();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
  private readonly onTurn = () => this.turn();
  private readonly onTimer = () => this.timeout();

  /** Microseconds since this clock was made. */
  now(): number {
    this.seenUs = (performance.now() - this.originMs) * 1000;
    return this.seenUs;
  }

  attach(driven: Driven): void {
    if (this.driven !== undefined) {
      throw new Error("this clock drives a network already; make one for each network");
    }
    this.driven = driven;
  }

  wakeAt(deadlineUs: number): void {
    if (this.running || this.scheduled) return;
    if (deadlineUs <= this.seenUs) this.schedule(true);
    else this.sleep();
  }

  /** Work is due now: a microtask while the burst of this turn is not spent, else a macrotask. */
  private schedule(holds: boolean): void {
    this.scheduled = true;
    if (this.burstBeganUs < 0 || this.seenUs - this.burstBeganUs < BURST_US) {
      // Node's queueMicrotask makes an async resource for each: 130 ns more than a promise's reaction.
      void RESOLVED.then(this.runInMicrotask);
      return;
    }
    this.nextTurn ??= macrotask(this.onTurn);
    if (holds) this.nextTurn.ref?.();
    else this.nextTurn.unref?.();
  }

  private turn(): void {
    this.nextTurn = undefined;
    this.burstBeganUs = -1;
    if (this.scheduled) this.run();
  }

  private timeout(): void {
    this.timer = undefined;
    this.timerAtUs = Number.POSITIVE_INFINITY;
    if (this.running || this.scheduled) return;
    this.scheduled = true;
    this.run();
  }

  /** Steps until nothing is due, the application has something to do, or the burst is spent. */
  private run(): void {
    const driven = this.driven!;
    this.scheduled = false;
    this.running = true;
    let more = true;
    try {
      for (;;) {
        const nowUs = this.now();
        if (this.burstBeganUs < 0) {
          this.burstBeganUs = nowUs;
          if (this.nextTurn === undefined) {
            this.nextTurn = macrotask(this.onTurn);
            this.nextTurn.unref?.();
          }
        } else if (nowUs - this.burstBeganUs >= BURST_US) {
          break;
        }
        const result = driven.step(nowUs);
        more = (result & STEP_MORE) !== 0;
        // What was delivered wants an answer: promises go first.
        if (!more || (result & STEP_DELIVERED) !== 0) break;
      }
    } finally {
      this.running = false;
      if (more) this.schedule(driven.live() > 0);
      else this.sleep();
    }
  }

  /** Nothing is due: one host timer for the next deadline, or to keep the process alive. */
  private sleep(): void {
    const driven = this.driven!;
    const deadlineUs = driven.nextDeadline();
    const holds = driven.live() > 0;
    if (deadlineUs === Number.POSITIVE_INFINITY && !holds) {
      this.stopTimer();
      return;
    }
    // A timer that comes too early only looks again; setting one costs ten times as much as that.
    if (this.timer === undefined || this.timerAtUs > deadlineUs) {
      this.stopTimer();
      const delayMs = Math.ceil((deadlineUs - this.now()) / 1000);
      this.timer = setTimeout(this.onTimer, Math.min(Math.max(delayMs, 0), TIMEOUT_MAX_MS));
      this.timerAtUs = deadlineUs;
      this.timerHolds = true;
    }
    if (holds === this.timerHolds) return;
    this.timerHolds = holds;
    setHold(this.timer, holds);
  }

  private stopTimer(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerAtUs = Number.POSITIVE_INFINITY;
  }
}
