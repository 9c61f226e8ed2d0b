import type { IpAddress } from "../base/address.ts";
import { NEVER } from "../base/timers.ts";
import type { IpPrefix } from "../base/prefix.ts";

/** What the table needs to know of an interface. */
export interface RouteInterface {
  readonly index: number;
  /** Administratively up. */
  readonly isUp: boolean;
  /** Up with a link below. */
  readonly isRunning: boolean;
}

/** Who made a route. */
export type RouteOrigin = "static" | "connected" | "router-advertisement" | "dhcp" | "redirect";

/** One line of the routing table; IPv4 and IPv6 share the table, IPv4 as ::ffff:0:0/96. */
export interface Route<I extends RouteInterface = RouteInterface> {
  readonly prefix: IpPrefix;
  /** Next hop; undefined when the destination is on the link. */
  readonly gateway: IpAddress | undefined;
  readonly iface: I;
  /** Of routes of equal length the lowest is used. */
  readonly metric: number;
  readonly origin: RouteOrigin;
  /** Preferred source address, when the route has one. */
  readonly source: IpAddress | undefined;
  /** When the route ends by itself (router lifetime), network clock. */
  expiresUs: number;
  /** Until then its gateway counts as silent (RFC 4861 §7.3.3): used only when there is nothing else. 0: it does not. */
  doubtfulUntilUs: number;
}

export interface RouteOptions {
  readonly metric?: number;
  readonly origin?: RouteOrigin;
  readonly source?: IpAddress;
  readonly expiresUs?: number;
}

/** Longest prefix first, then lowest metric, then first come. A leaf over words. */
export class RouteTable<I extends RouteInterface = RouteInterface> {
  private readonly routes: Route<I>[] = [];
  private readonly changed: () => void;

  /** @param changed called after each change, so that paths can be looked up anew. */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  get size(): number {
    return this.routes.length;
  }

  [Symbol.iterator](): Iterator<Route<I>> {
    return this.routes[Symbol.iterator]();
  }

  add(
    prefix: IpPrefix,
    gateway: IpAddress | undefined,
    iface: I,
    options: RouteOptions = {},
  ): Route<I> {
    const route: Route<I> = {
      prefix,
      gateway,
      iface,
      metric: options.metric ?? 0,
      origin: options.origin ?? "static",
      source: options.source,
      expiresUs: options.expiresUs ?? NEVER,
      doubtfulUntilUs: 0,
    };
    const length = prefix.length128;
    let at = 0;
    while (at < this.routes.length) {
      const other = this.routes[at]!;
      const otherLength = other.prefix.length128;
      if (otherLength < length || (otherLength === length && other.metric > route.metric)) break;
      at++;
    }
    this.routes.splice(at, 0, route);
    this.changed();
    return route;
  }

  /** Removes one route; false when it is not in the table. */
  remove(route: Route<I>): boolean {
    const index = this.routes.indexOf(route);
    if (index < 0) return false;
    this.routes.splice(index, 1);
    this.changed();
    return true;
  }

  /** Removes the routes that `matches` picks; answers how many. */
  removeWhere(matches: (route: Route<I>) => boolean): number {
    const before = this.routes.length;
    for (let i = before - 1; i >= 0; i--) {
      if (matches(this.routes[i]!)) this.routes.splice(i, 1);
    }
    const removed = before - this.routes.length;
    if (removed > 0) this.changed();
    return removed;
  }

  /**
   * The route to an address. Those over a link that is down are passed over
   * while another matches (RFC 1122 §3.3.1.5), then those whose gateway is
   * silent. `interfaceIndex` 0: any.
   */
  find(w0: number, w1: number, w2: number, w3: number, interfaceIndex = 0): Route<I> | undefined {
    let doubtful: Route<I> | undefined;
    let linkDown: Route<I> | undefined;
    for (const route of this.routes) {
      if (!route.prefix.containsWords(w0, w1, w2, w3)) continue;
      if (interfaceIndex !== 0 && route.iface.index !== interfaceIndex) continue;
      if (!route.iface.isUp) continue;
      if (!route.iface.isRunning) linkDown ??= route;
      else if (route.doubtfulUntilUs !== 0) doubtful ??= route;
      else return route;
    }
    return doubtful ?? linkDown;
  }

  /** Removes what has ended and forgets old doubts. Answers when to look again. */
  age(nowUs: number): number {
    this.removeWhere((route) => route.expiresUs <= nowUs);
    let next = NEVER;
    for (const route of this.routes) {
      if (route.doubtfulUntilUs !== 0 && route.doubtfulUntilUs <= nowUs) {
        route.doubtfulUntilUs = 0;
        this.changed();
      }
      if (route.doubtfulUntilUs !== 0) next = Math.min(next, route.doubtfulUntilUs);
      next = Math.min(next, route.expiresUs);
    }
    return next;
  }
}
