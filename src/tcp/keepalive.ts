import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { CLOSE_WAIT, ESTABLISHED } from "./state.ts";
import { rearm } from "./timer-arm.ts";

/** When the next keep-alive probe is due (RFC 9293 §3.8.4): after an idle time, then at intervals. */
export function keepAliveDue(c: TcpConnection): number {
  const o = c.options;
  return c.keepAliveProbes === 0
    ? Math.max(c.lastReceivedUs, c.lastSentUs) + o.keepAliveIdleUs
    : c.keepAliveAtUs + o.keepAliveIntervalUs;
}

/** Starts or stops the keep-alive timer, by the socket's option. */
export function armKeepAlive(env: TcpEnvironment, c: TcpConnection): void {
  if (!c.options.keepAlive || (c.state !== ESTABLISHED && c.state !== CLOSE_WAIT)) return;
  c.lifeAtUs = keepAliveDue(c);
  rearm(env, c);
}
