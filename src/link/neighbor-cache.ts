/**
 * Who has an address: the neighbors of one interface, with the states of
 * RFC 4861 §7.3.2, used for IPv4 (over ARP) and IPv6 (over neighbor discovery)
 * alike. A leaf: it knows no packet format and no interface; what it wants
 * done it asks of `NeighborActions`.
 */
import type { Counters } from "../base/counters.ts";
import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import { NEVER, type Timers } from "../base/timers.ts";
import {
  Neighbor,
  NEIGHBOR_DELAY,
  NEIGHBOR_GONE,
  NEIGHBOR_INCOMPLETE,
  NEIGHBOR_PROBE,
  NEIGHBOR_REACHABLE,
  NEIGHBOR_STALE,
  type NeighborActions,
  type NeighborSettings,
} from "./neighbor.ts";

export class NeighborCache {
  readonly settings: NeighborSettings;
  /** RFC 4861 §6.3.4: a router may announce other values. */
  reachableTimeUs: number;
  retransTimeUs: number;
  private readonly memory: FrameMemory;
  private readonly timers: Timers;
  private readonly counters: Counters;
  private readonly actions: NeighborActions;
  private readonly unit: () => number;
  /** Hash buckets of neighbors; the table is small and looked at once per path, not per packet. */
  private readonly buckets: Neighbor[][];
  private readonly order: Neighbor[] = [];
  private hand = 0;
  private ready: Neighbor[] = [];
  /** Time of the last use of an entry, near enough to tell which have grown old. */
  private lastUs = 0;

  /** @param unit 0 <= unit() < 1, for the random factor of RFC 4861 §6.3.2. */
  constructor(
    settings: NeighborSettings,
    memory: FrameMemory,
    timers: Timers,
    counters: Counters,
    actions: NeighborActions,
    unit: () => number,
  ) {
    this.settings = settings;
    this.reachableTimeUs = settings.reachableTimeUs;
    this.retransTimeUs = settings.retransTimeUs;
    this.memory = memory;
    this.timers = timers;
    this.counters = counters;
    this.actions = actions;
    this.unit = unit;
    this.buckets = Array.from({ length: 256 }, () => []);
  }

  get size(): number {
    return this.order.length;
  }

  [Symbol.iterator](): Iterator<Neighbor> {
    return this.order[Symbol.iterator]();
  }

  find(w0: number, w1: number, w2: number, w3: number): Neighbor | undefined {
    for (const n of this.bucket(w0, w1, w2, w3)) {
      if (n.w3 === w3 && n.w2 === w2 && n.w1 === w1 && n.w0 === w0) return n;
    }
    return undefined;
  }

  /** The entry for an address, made when missing; undefined when the table is full of entries in use. */
  ensure(w0: number, w1: number, w2: number, w3: number): Neighbor | undefined {
    const known = this.find(w0, w1, w2, w3);
    if (known !== undefined) {
      known.isUsed = true;
      return known;
    }
    if (this.order.length >= this.settings.neighborLimit && !this.evict()) {
      this.counters.neighborTableFull++;
      return undefined;
    }
    const neighbor = new Neighbor(this, w0, w1, w2, w3);
    neighbor.state = NEIGHBOR_INCOMPLETE;
    this.bucket(w0, w1, w2, w3).push(neighbor);
    this.order.push(neighbor);
    return neighbor;
  }

  /**
   * A packet for a neighbor that is not simply REACHABLE. True: its address may
   * be used now. False: the packet waits here and ownership has passed.
   */
  use(neighbor: Neighbor, frame: Frame, nowUs: number): boolean {
    neighbor.isUsed = true;
    this.lastUs = nowUs;
    if (neighbor.state === NEIGHBOR_INCOMPLETE) {
      this.wait(neighbor, frame);
      if (neighbor.probesSent === 0) this.startAsking(neighbor, nowUs);
      return false;
    }
    if (neighbor.state === NEIGHBOR_REACHABLE && nowUs > neighbor.reachableUntilUs) {
      if (!neighbor.isPermanent) neighbor.state = NEIGHBOR_STALE;
    }
    if (neighbor.state === NEIGHBOR_STALE) {
      neighbor.state = NEIGHBOR_DELAY;
      this.arm(neighbor, nowUs + this.settings.delayFirstProbeUs);
    }
    if (neighbor.waiting > 0) {
      // Others wait for the next flush; nothing overtakes them.
      this.wait(neighbor, frame);
      return false;
    }
    return true;
  }

  private wait(neighbor: Neighbor, frame: Frame): void {
    const queue = (neighbor.queue ??= []);
    if (queue.length >= this.settings.neighborQueueLimit) {
      this.memory.release(queue.shift()!);
      this.counters.neighborQueueDrops++;
    }
    queue.push(frame);
    neighbor.waiting = queue.length;
  }

  private startAsking(neighbor: Neighbor, nowUs: number): void {
    neighbor.probesSent = 1;
    this.arm(neighbor, nowUs + this.retransTimeUs);
    this.actions.solicit(neighbor, false, neighbor.queue?.[0] ?? 0);
  }

  /**
   * An advertisement (ARP reply) about a neighbor in the table, RFC 4861
   * §7.2.5. `hasMac` false: it named no link-layer address.
   */
  advertised(
    neighbor: Neighbor,
    hasMac: boolean,
    macHigh: number,
    macLow: number,
    solicited: boolean,
    override: boolean,
    isRouter: boolean,
    nowUs: number,
  ): void {
    if (neighbor.isPermanent) return;
    if (neighbor.state === NEIGHBOR_INCOMPLETE) {
      if (!hasMac) return;
      neighbor.macHigh = macHigh;
      neighbor.macLow = macLow;
      neighbor.isRouter = isRouter;
      if (solicited) this.makeReachable(neighbor, nowUs);
      else this.settle(neighbor, NEIGHBOR_STALE);
      this.wake(neighbor);
      return;
    }
    const differs = hasMac && (neighbor.macHigh !== macHigh || neighbor.macLow !== macLow);
    if (differs && !override) {
      if (neighbor.state === NEIGHBOR_REACHABLE) neighbor.state = NEIGHBOR_STALE;
      return;
    }
    if (differs) {
      neighbor.macHigh = macHigh;
      neighbor.macLow = macLow;
    }
    if (solicited) this.makeReachable(neighbor, nowUs);
    else if (differs) this.settle(neighbor, NEIGHBOR_STALE);
    const wasRouter = neighbor.isRouter;
    neighbor.isRouter = isRouter;
    if (wasRouter && !isRouter) this.actions.lost(neighbor);
  }

  /**
   * A packet told the link-layer address of its sender (a solicitation, an ARP
   * request, a router advertisement): makes or updates the entry, RFC 4861 §7.2.3.
   */
  heard(neighbor: Neighbor, macHigh: number, macLow: number): void {
    if (neighbor.isPermanent) return;
    const isNew = neighbor.state === NEIGHBOR_INCOMPLETE;
    if (!isNew && neighbor.macHigh === macHigh && neighbor.macLow === macLow) return;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    this.settle(neighbor, NEIGHBOR_STALE);
    if (isNew) this.wake(neighbor);
  }

  /** A static entry, which neither ages nor is asked for. */
  setPermanent(w0: number, w1: number, w2: number, w3: number, macHigh: number, macLow: number) {
    const neighbor = this.ensure(w0, w1, w2, w3);
    if (neighbor === undefined) return undefined;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    neighbor.isPermanent = true;
    this.settle(neighbor, NEIGHBOR_REACHABLE);
    neighbor.reachableUntilUs = NEVER;
    this.wake(neighbor);
    return neighbor;
  }

  /** Progress above proves that packets arrive there (RFC 4861 §7.3.1). */
  confirm(neighbor: Neighbor, nowUs: number): void {
    const state = neighbor.state;
    if (state === NEIGHBOR_GONE || state === NEIGHBOR_INCOMPLETE || neighbor.isPermanent) return;
    if (state === NEIGHBOR_REACHABLE) {
      // Only worth a store when the confirmation moves by something.
      if (neighbor.reachableUntilUs - nowUs > this.reachableTimeUs >> 2) return;
    }
    this.makeReachable(neighbor, nowUs);
  }

  /** The layer above hears nothing from there: the next packet asks whether the neighbor still is. */
  doubt(neighbor: Neighbor): void {
    if (neighbor.state === NEIGHBOR_REACHABLE && !neighbor.isPermanent) {
      neighbor.state = NEIGHBOR_STALE;
    }
  }

  private makeReachable(neighbor: Neighbor, nowUs: number): void {
    this.settle(neighbor, NEIGHBOR_REACHABLE);
    neighbor.reachableUntilUs = nowUs + this.reachableTimeUs * (0.5 + this.unit());
  }

  private settle(neighbor: Neighbor, state: number): void {
    neighbor.state = state;
    neighbor.probesSent = 0;
    this.disarm(neighbor);
  }

  private wake(neighbor: Neighbor): void {
    if (neighbor.waiting === 0) return;
    this.ready.push(neighbor);
    this.actions.work();
  }

  get hasWork(): boolean {
    return this.ready.length > 0;
  }

  /** Sends what waited for neighbors that have answered; called from poll. */
  flush(): void {
    if (this.ready.length === 0) return;
    const ready = this.ready;
    this.ready = [];
    for (const neighbor of ready) {
      const queue = neighbor.queue;
      if (queue === undefined) continue;
      neighbor.queue = undefined;
      neighbor.waiting = 0;
      for (const frame of queue) this.actions.transmit(neighbor, frame);
    }
  }

  /** The timer of an entry: ask again, begin to probe, or give up (RFC 4861 §7.3.3). */
  expire(neighbor: Neighbor, nowUs: number): void {
    if (neighbor.state === NEIGHBOR_INCOMPLETE) {
      if (neighbor.probesSent >= this.settings.maxMulticastSolicits) return this.fail(neighbor);
      neighbor.probesSent++;
      this.arm(neighbor, nowUs + this.retransTimeUs);
      this.actions.solicit(neighbor, false, neighbor.queue?.[0] ?? 0);
      return;
    }
    if (neighbor.state === NEIGHBOR_DELAY) {
      neighbor.state = NEIGHBOR_PROBE;
      neighbor.probesSent = 0;
    }
    if (neighbor.state !== NEIGHBOR_PROBE) return;
    if (neighbor.probesSent >= this.settings.maxUnicastSolicits) return this.fail(neighbor);
    neighbor.probesSent++;
    this.arm(neighbor, nowUs + this.retransTimeUs);
    this.actions.solicit(neighbor, true, 0);
  }

  private fail(neighbor: Neighbor): void {
    this.counters.neighborUnreachable++;
    const queue = neighbor.queue;
    neighbor.queue = undefined;
    this.remove(neighbor);
    if (queue !== undefined) {
      for (const frame of queue) this.actions.unreachable(neighbor, frame);
    }
    this.actions.lost(neighbor);
  }

  /** Forgets an entry; packets that wait for it are dropped and counted. */
  remove(neighbor: Neighbor): void {
    if (neighbor.state === NEIGHBOR_GONE) return;
    this.dropQueue(neighbor);
    if (neighbor.timer >= 0) this.timers.unregister(neighbor.timer);
    neighbor.timer = -1;
    neighbor.state = NEIGHBOR_GONE;
    const bucket = this.bucket(neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3);
    bucket.splice(bucket.indexOf(neighbor), 1);
    this.order.splice(this.order.indexOf(neighbor), 1);
  }

  /** Forgets everything: the link or the interface went down. Static entries stay unless `all`. */
  clear(all = false): void {
    for (const neighbor of this.order.slice()) {
      if (all || !neighbor.isPermanent) this.remove(neighbor);
      else this.dropQueue(neighbor);
    }
  }

  private dropQueue(neighbor: Neighbor): void {
    if (neighbor.queue !== undefined) {
      for (const frame of neighbor.queue) this.memory.release(frame);
      this.counters.neighborQueueDrops += neighbor.queue.length;
    }
    neighbor.queue = undefined;
    neighbor.waiting = 0;
  }

  /**
   * Makes room for one entry. Addresses that are being asked for may hold half
   * of the table, so that a scan of the subnet cannot push out the neighbors
   * in use (RFC 6583 §6); beyond that the oldest of them goes. Otherwise
   * second chance: the first entry that was not used since the hand came by.
   */
  private evict(): boolean {
    let asking = 0;
    let oldest: Neighbor | undefined;
    for (const n of this.order) {
      if (n.state !== NEIGHBOR_INCOMPLETE) continue;
      asking++;
      oldest ??= n;
    }
    if (oldest !== undefined && asking * 2 > this.order.length) {
      this.remove(oldest);
      return true;
    }
    const count = this.order.length;
    for (let step = 0; step < 3 * count; step++) {
      if (this.hand >= count) this.hand = 0;
      const n = this.order[this.hand]!;
      // Paths use a REACHABLE entry without leaving a mark, so it counts as used at first.
      const isFresh = n.state === NEIGHBOR_REACHABLE && n.reachableUntilUs > this.lastUs;
      const isUsed = n.isUsed || (isFresh && step < 2 * count);
      if (!isUsed && !n.isPermanent && n.waiting === 0) {
        this.remove(n);
        return true;
      }
      n.isUsed = false;
      this.hand++;
    }
    return false;
  }

  private arm(neighbor: Neighbor, deadlineUs: number): void {
    if (neighbor.timer < 0) neighbor.timer = this.timers.register(neighbor);
    this.timers.arm(neighbor.timer, deadlineUs);
  }

  private disarm(neighbor: Neighbor): void {
    if (neighbor.timer < 0) return;
    this.timers.unregister(neighbor.timer);
    neighbor.timer = -1;
  }

  private bucket(w0: number, w1: number, w2: number, w3: number): Neighbor[] {
    const mixed = Math.imul(w3 ^ (w2 >>> 7) ^ w1 ^ w0, 0x9e3779b1);
    return this.buckets[mixed >>> 24]!;
  }
}
