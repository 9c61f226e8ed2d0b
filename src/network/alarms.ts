import type { Pollable } from "../base/pollable.ts";
import { NEVER, Timers, type TimerTarget } from "../base/timers.ts";

/** A callback at a time of the network's clock, as `Network.after` makes it. */
export class Alarm implements TimerTarget {
  id = -1;
  readonly callback: () => void;
  private readonly owner: Alarms;

  constructor(owner: Alarms, callback: () => void) {
    this.owner = owner;
    this.callback = callback;
  }

  onTimer(): void {
    this.owner.ring(this);
  }

  /** Does nothing when it has happened already. */
  cancel(): void {
    this.owner.cancel(this);
  }
}

/**
 * Timeouts for whoever stands above the stack: adapters and applications take
 * their time from the network's clock too, so that they work in virtual time.
 * They do not keep the process alive.
 */
export class Alarms implements Pollable {
  onWork: (() => void) | undefined = undefined;
  private timers = new Timers();
  private rung: Alarm[] = [];

  set(deadlineUs: number, callback: () => void): Alarm {
    const alarm = new Alarm(this, callback);
    alarm.id = this.timers.register(alarm);
    this.timers.arm(alarm.id, deadlineUs);
    this.onWork?.();
    return alarm;
  }

  /** Alarms that have not rung. */
  get pending(): number {
    return this.timers.registered;
  }

  ring(alarm: Alarm): void {
    this.free(alarm);
    this.rung.push(alarm);
  }

  cancel(alarm: Alarm): void {
    if (alarm.id >= 0) this.free(alarm);
    const at = this.rung.indexOf(alarm);
    if (at >= 0) this.rung.splice(at, 1);
  }

  clear(): void {
    this.timers = new Timers();
    this.rung = [];
  }

  poll(nowUs: number, budget: number): boolean {
    return this.timers.advance(nowUs, budget);
  }

  nextDeadline(): number {
    return this.timers.nextDeadline();
  }

  takeEvents(): boolean {
    if (this.rung.length === 0) return false;
    // One by one, so that a callback may cancel an alarm that rang with it.
    while (this.rung.length > 0) this.rung.shift()!.callback();
    return true;
  }

  private free(alarm: Alarm): void {
    this.timers.arm(alarm.id, NEVER);
    this.timers.unregister(alarm.id);
    alarm.id = -1;
  }
}
