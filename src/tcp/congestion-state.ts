import { type Controller, INFINITE_SSTHRESH } from "./congestion/controller.ts";
import { DeliveryRate } from "./congestion/delivery-rate.ts";
import { congestionControl, isEager } from "./congestion/registry.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/**
 * The controller of a connection, made when its first decision is due: a
 * loss-based one has nothing to say before the window is full, so a connection
 * that only ever sends a little carries none.
 */
export function attachController(env: TcpEnvironment, c: TcpConnection): Controller {
  if (c.controller !== undefined) return c.controller;
  const s = env.settings;
  const factory = congestionControl(c.options.congestionControl) ?? congestionControl("reno")!;
  const controller = factory({
    abcLimit: s.abcLimit > 0 ? s.abcLimit : Number.POSITIVE_INFINITY,
    hystart: s.hystart,
    abeBeta: s.abeBeta,
  });
  c.controller = controller;
  c.rate ??= new DeliveryRate();
  controller.init(c, env.nowUs);
  return controller;
}

/** TCP_CONGESTION: another algorithm takes over with the window as it is. False: no such name. */
export function changeController(env: TcpEnvironment, c: TcpConnection, name: string): boolean {
  if (congestionControl(name) === undefined) return false;
  c.options = { ...c.options, congestionControl: name };
  if (c.controller !== undefined) {
    c.controller = undefined;
    c.pacingRate = 0;
    attachController(env, c);
  }
  return true;
}

/** RFC 6928: min(10 MSS, max(2 MSS, 14600)), as a count of segments; RFC 5681 §3.1 when the setting is 0. */
export function initialCwnd(env: TcpEnvironment, c: TcpConnection): number {
  const segments = env.settings.initialWindow;
  if (segments > 0) return segments * c.sndMss;
  if (c.sndMss > 2190) return 2 * c.sndMss;
  return (c.sndMss > 1095 ? 3 : 4) * c.sndMss;
}

/** The window when data begins to flow. */
export function startWindow(env: TcpEnvironment, c: TcpConnection): void {
  c.cwnd = initialCwnd(env, c);
  c.ssthresh = INFINITE_SSTHRESH;
  c.maxPipeSeq = c.sndUna;
  if (isEager(c.options.congestionControl)) attachController(env, c);
}
