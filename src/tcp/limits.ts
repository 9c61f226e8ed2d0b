import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/** Nothing is sent or waits to be. */
const IDLE = 0;
const BUSY = 1;
/** The peer's window holds data back. */
const WINDOW = 2;
/** The send buffer is full, and all of it is on its way. */
const BUFFER = 3;

/**
 * How long a connection had data on its way or waiting, and how much of that
 * time the peer's window or the send buffer was what held it back (TCP_INFO's
 * busy_time, rwnd_limited, sndbuf_limited). Attached with the first data.
 */
export class SendLimits {
  private kind = IDLE;
  private sinceUs = 0.5;
  private busyTotalUs = 0.5;
  private windowTotalUs = 0.5;
  private bufferTotalUs = 0.5;

  become(kind: number, nowUs: number): void {
    if (kind === this.kind) return;
    this.busyTotalUs = this.busyUs(nowUs) + 0.5;
    this.windowTotalUs = this.windowUs(nowUs) + 0.5;
    this.bufferTotalUs = this.bufferUs(nowUs) + 0.5;
    this.kind = kind;
    this.sinceUs = nowUs;
  }

  busyUs(nowUs: number): number {
    return this.busyTotalUs - 0.5 + (this.kind === IDLE ? 0 : nowUs - this.sinceUs);
  }

  windowUs(nowUs: number): number {
    return this.windowTotalUs - 0.5 + (this.kind === WINDOW ? nowUs - this.sinceUs : 0);
  }

  bufferUs(nowUs: number): number {
    return this.bufferTotalUs - 0.5 + (this.kind === BUFFER ? nowUs - this.sinceUs : 0);
  }
}

/** Notes what holds the connection back now; called when it has sent what it may. */
export function noteLimits(env: TcpEnvironment, c: TcpConnection): void {
  const unsent = c.unsentBytes;
  const isIdle = c.sent === undefined && unsent <= 0;
  if (isIdle && c.limits === undefined) return;
  const limits = c.limits ?? (c.limits = new SendLimits());
  const usable = (c.sndUna + c.sndWnd - c.sndNxt) | 0;
  let kind = BUSY;
  if (isIdle) kind = IDLE;
  else if (unsent <= 0) kind = c.sendBlocked ? BUFFER : BUSY;
  else if (usable < Math.min(unsent, c.sndMss)) kind = WINDOW;
  limits.become(kind, env.nowUs);
}
