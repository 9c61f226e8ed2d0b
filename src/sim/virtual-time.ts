import { type Clock, type Driven, STEP_DELIVERED } from "../base/pollable.ts";
import { afterPromises, macrotask } from "../network/macrotask.ts";

/** Steps at one instant after which a simulation is taken to be stuck in a circle. */
const STEPS_PER_INSTANT = 1_000_000;

/**
 * Turns of the event loop granted to work outside the simulation (a file being
 * read) before nothing scheduled is taken for a deadlock.
 */
const TURNS_BEFORE_DEADLOCK = 20;

/** Steps that delivered something between two turns of the event loop: about 1 ms. */
const STEPS_PER_TURN = 256;

/** A clock that stands still until it is moved, from one thing that happens to the next. */
export function virtualTime(): VirtualTime {
  return new VirtualTime();
}

/**
 * A clock for simulations and tests. It jumps from deadline to deadline, so an
 * hour of idle time costs nothing, and a run with the same seed replays
 * exactly. After a step that handed events to the application, promises settle
 * before the time moves on.
 */
export class VirtualTime implements Clock {
  private driven: Driven | undefined;
  private timeUs = 0;
  private stepsHere = 0;
  private settledSteps = 0;
  private running = false;

  /** Microseconds since the start. */
  now(): number {
    return this.timeUs;
  }

  attach(driven: Driven): void {
    if (this.driven !== undefined) {
      throw new Error("this virtual time drives a network already; make one for each network");
    }
    this.driven = driven;
  }

  /** Nothing to do: whoever moves this clock asks for the next deadline itself. */
  wakeAt(): void {}

  /** When the next thing happens; Infinity: never. */
  nextDeadline(): number {
    return this.network().nextDeadline();
  }

  /**
   * Runs until the given time, in microseconds since the start (`untilMs` in
   * milliseconds), everything due at that time included. Without one: until
   * nothing is scheduled any more.
   */
  async run(
    until: number | { readonly untilMs: number } = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const untilUs = typeof until === "number" ? until : until.untilMs * 1000;
    await this.exclusively(async () => {
      // What was called before the run comes first; what promises do at its end belongs to it.
      do {
        await settled();
        while (await this.advanceOnce(untilUs)) {
          // one step a turn
        }
        await settled();
      } while (this.isDueBy(untilUs));
    });
    this.finish(untilUs);
  }

  /** Runs for that many milliseconds. */
  advance(ms: number): Promise<void> {
    return this.run(this.timeUs + ms * 1000);
  }

  /**
   * Runs until the promise settles, and answers what it brought. Throws when
   * nothing is scheduled that could settle it, or at `timeoutMs` from now.
   */
  async settle<T>(promise: PromiseLike<T>, timeoutMs = Number.POSITIVE_INFINITY): Promise<T> {
    let done = false;
    const finished = () => {
      done = true;
    };
    promise.then(finished, finished);
    const untilUs = this.timeUs + timeoutMs * 1000;
    await this.exclusively(async () => {
      let idleTurns = 0;
      await settled();
      while (!done) {
        if (await this.advanceOnce(untilUs)) {
          idleTurns = 0;
          continue;
        }
        if (this.nextDeadline() !== Number.POSITIVE_INFINITY) {
          throw new Error(`the promise did not settle within ${timeoutMs} ms of virtual time`);
        }
        if (++idleTurns > TURNS_BEFORE_DEADLOCK) {
          throw new Error(
            `deadlock: nothing is scheduled at ${this.timeUs / 1000} ms that could settle the promise`,
          );
        }
        await settled();
      }
    });
    return promise;
  }

  /** The same as `run`, without ever letting promises settle: for programs made of callbacks alone. */
  runSync(untilUs = Number.POSITIVE_INFINITY): void {
    this.exclusivelySync(() => {
      while (this.stepOnce(untilUs) >= 0) {
        // go on
      }
    });
    this.finish(untilUs);
  }

  /**
   * Makes one step: what is due now or, when nothing is, what is due next.
   * False when nothing is scheduled. Promises settle when the caller awaits.
   */
  step(): boolean {
    return this.stepOnce(Number.POSITIVE_INFINITY) >= 0;
  }

  /** One step, and the promises it settled. False: nothing is due by then. */
  private async advanceOnce(untilUs: number): Promise<boolean> {
    for (;;) {
      const result = this.stepOnce(untilUs);
      if (result < 0) return false;
      if (result & STEP_DELIVERED) {
        // Now and then the event loop gets its turn: timers, files, signals.
        if (++this.settledSteps % STEPS_PER_TURN === 0) await settled();
        else await promisesSettled();
        return true;
      }
    }
  }

  private isDueBy(untilUs: number): boolean {
    const deadlineUs = this.nextDeadline();
    return deadlineUs !== Number.POSITIVE_INFINITY && deadlineUs <= untilUs;
  }

  /** The step's result, or -1 when nothing is due at or before `untilUs`. */
  private stepOnce(untilUs: number): number {
    const network = this.network();
    if (!this.isDueBy(untilUs)) return -1;
    const deadlineUs = network.nextDeadline();
    if (deadlineUs > this.timeUs) {
      this.timeUs = deadlineUs;
      this.stepsHere = 0;
    } else if (++this.stepsHere > STEPS_PER_INSTANT) {
      throw new Error(
        `time stands still at ${this.timeUs} us: something asks to be polled again and again`,
      );
    }
    return network.step(this.timeUs);
  }

  private finish(untilUs: number): void {
    if (untilUs !== Number.POSITIVE_INFINITY && untilUs > this.timeUs) this.timeUs = untilUs;
    this.stepsHere = 0;
  }

  private network(): Driven {
    if (this.driven === undefined) {
      throw new Error("this virtual time drives nothing: pass it to new Network({ clock })");
    }
    return this.driven;
  }

  private async exclusively(body: () => Promise<void>): Promise<void> {
    this.enter();
    try {
      await body();
    } finally {
      this.running = false;
    }
  }

  private exclusivelySync(body: () => void): void {
    this.enter();
    try {
      body();
    } finally {
      this.running = false;
    }
  }

  private enter(): void {
    if (this.running) {
      throw new Error(
        "this virtual time is running already: await that run first; inside it, wait with network.sleep",
      );
    }
    this.running = true;
  }
}

/**
 * All promises that can settle now have, however long their chains: a whole
 * turn of the event loop, which is the cheapest thing that is sure to be
 * enough (0.9 us in Node).
 */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    macrotask(resolve);
  });
}

/** The same as far as promises go, without a turn of the event loop. Only within a promise's reaction. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    afterPromises(resolve);
  });
}
