import type { PortHandle, PortTable } from "../base/port-table.ts";
import type { Timers, TimerTarget } from "../base/timers.ts";

/**
 * Ports that connections in TIME-WAIT still hold: bind() without SO_REUSEADDR
 * finds them taken (RFC 9293 §3.10.1 leaves it open, Linux decides so), while
 * connect() asks the 4-tuple alone. All wait equally long, so a ring in order
 * of time and one timer do.
 */
export class TimeWaitPorts implements TimerTarget {
  private readonly ports: PortTable;
  private readonly timers: Timers;
  private readonly durationUs: number;
  private readonly limit: number;
  private handles = new Int32Array(64);
  private expiries = new Float64Array(64);
  private head = 0;
  private count = 0;
  private timerId = -1;

  constructor(ports: PortTable, timers: Timers, durationUs: number, limit: number) {
    this.ports = ports;
    this.timers = timers;
    this.durationUs = durationUs;
    this.limit = limit;
  }

  /** Takes over the caller's hold of a port, and gives it back in time; at once past the limit. */
  hold(handle: PortHandle, nowUs: number): void {
    if (this.count >= this.limit) {
      this.ports.release(handle);
      return;
    }
    if (this.count === this.handles.length) this.grow();
    const at = (this.head + this.count++) & (this.handles.length - 1);
    this.handles[at] = handle;
    this.expiries[at] = nowUs + this.durationUs;
    if (this.timerId < 0) this.timerId = this.timers.register(this);
    if (this.count === 1) this.timers.arm(this.timerId, this.expiries[at]!);
  }

  onTimer(nowUs: number): void {
    while (this.count > 0 && this.expiries[this.head]! <= nowUs) this.shift();
    this.rest();
  }

  /** Gives all back: the host ends. */
  clear(): void {
    while (this.count > 0) this.shift();
    this.rest();
  }

  private shift(): void {
    this.ports.release(this.handles[this.head]!);
    this.head = (this.head + 1) & (this.handles.length - 1);
    this.count--;
  }

  private rest(): void {
    if (this.timerId < 0) return;
    if (this.count > 0) {
      this.timers.arm(this.timerId, this.expiries[this.head]!);
    } else {
      this.timers.unregister(this.timerId);
      this.timerId = -1;
    }
  }

  private grow(): void {
    const capacity = this.handles.length * 2;
    const handles = new Int32Array(capacity);
    const expiries = new Float64Array(capacity);
    for (let i = 0; i < this.count; i++) {
      const from = (this.head + i) & (this.handles.length - 1);
      handles[i] = this.handles[from]!;
      expiries[i] = this.expiries[from]!;
    }
    this.handles = handles;
    this.expiries = expiries;
    this.head = 0;
  }
}
