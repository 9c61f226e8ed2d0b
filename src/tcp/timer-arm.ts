import { NEVER } from "../base/timers.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/**
 * A connection has one entry in the host's timers, at the earliest of its own
 * deadlines. To be called after any of them was moved.
 */
export function rearm(env: TcpEnvironment, c: TcpConnection): void {
  let at = c.timerAtUs;
  env.tracer?.timerSet(env.nowUs, c, c.timerKind, at);
  if (c.delayedAckAtUs < at) at = c.delayedAckAtUs;
  if (c.lifeAtUs < at) at = c.lifeAtUs;
  if (c.sendAtUs < at) at = c.sendAtUs;
  if (c.overrideAtUs < at) at = c.overrideAtUs;
  if (c.timerId < 0) {
    if (at === NEVER) return;
    c.timerId = env.timers.register(c);
  }
  env.timers.arm(c.timerId, at);
}
