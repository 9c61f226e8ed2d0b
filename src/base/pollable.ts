/**
 * What a network drives: hosts, cables, switches, anything with work to do or
 * a time to wait for. This is the core contract's outer face (docs/architecture.md).
 */
export interface Pollable {
  /**
   * Does what is due at `nowUs`, at most about `budget` frames of it.
   * True: there is more to do now. Never calls back into the application.
   */
  poll(nowUs: number, budget: number): boolean;
  /** When the next work is due, in microseconds of the network's clock. Infinity: nothing; at or before now: runnable. */
  nextDeadline(): number;
  /** Set by the network; called at most once between two polls, when a call from outside made work. */
  onWork: (() => void) | undefined;
  /** Hands readiness and completions to the application, in order. True when any was handed over. Never called from inside `poll` or `input`. */
  takeEvents?(): boolean;
  /** What keeps the process alive: 0 when this may be forgotten. */
  live?(): number;
}

/** The time of a network, in float64 microseconds since it began. Driven from outside. */
export interface Clock {
  /** Never goes back. */
  now(): number;
  /** Connects the network; called once, by its constructor. `wake` runs what is due. */
  attach(driven: Driven): void;
  /** Wants a wake-up at that time; a later call replaces an earlier one. At or before now: as soon as possible. Infinity: none. */
  wakeAt(deadlineUs: number): void;
}

/** What a clock drives: the network. */
export interface Driven {
  /** Polls everything due at `nowUs` once. */
  step(nowUs: number): StepResult;
  nextDeadline(): number;
  live(): number;
}

/** Nothing more is due at this time. */
export const STEP_IDLE = 0;
/** More is due now. */
export const STEP_MORE = 1;
/** Flag: events were handed to the application, whose promises should settle before time moves on. */
export const STEP_DELIVERED = 2;
export type StepResult = number;
