import type { TimerTarget } from "../base/timers.ts";
import { FIN_WAIT_2 } from "../tcp/state.ts";
import type { SocketEnvironment } from "./environment.ts";

/** First and longest pause between two looks at what is left, microseconds. */
const FIRST_LOOK_US = 1000;
const LONGEST_LOOK_US = 100_000;

/**
 * Waits until everything that closed sockets still had to deliver is delivered
 * and acknowledged, FIN included, or the time is over; then what is left is
 * reset. That is also the way of who only waits for the peer's FIN: it has
 * all of ours, and learns that nobody hears it any more.
 */
export class Drain implements TimerTarget {
  private readonly env: SocketEnvironment;
  private readonly deadlineUs: number;
  private readonly timerId: number;
  private readonly done: () => void;
  private pauseUs = FIRST_LOOK_US;
  private isOver = false;

  constructor(env: SocketEnvironment, timeoutUs: number, done: () => void) {
    this.env = env;
    this.deadlineUs = env.now() + timeoutUs;
    this.done = done;
    this.timerId = env.timers.register(this);
    this.arm(env.now());
  }

  private arm(nowUs: number): void {
    const atUs = Math.max(nowUs, Math.min(nowUs + this.pauseUs, this.deadlineUs));
    this.env.timers.arm(this.timerId, atUs);
    this.env.wake();
  }

  onTimer(nowUs: number): void {
    const { tcp, timers } = this.env;
    if (this.isOver) {
      timers.unregister(this.timerId);
      this.done();
      return;
    }
    if (this.isDelivering() && nowUs < this.deadlineUs) {
      this.pauseUs = Math.min(2 * this.pauseUs, LONGEST_LOOK_US);
      this.arm(nowUs);
      return;
    }
    for (const connection of [...tcp.connections()]) tcp.abort(connection);
    this.isOver = true;
    // One more turn, in which the resets go out.
    timers.arm(this.timerId, nowUs + FIRST_LOOK_US);
  }

  private isDelivering(): boolean {
    const { tcp, udp, raw } = this.env;
    if (udp.output.unsentEndpoints + raw.output.unsentEndpoints > 0) return true;
    for (const c of tcp.connections()) if (c.isOrphan && c.state !== FIN_WAIT_2) return true;
    return false;
  }
}
