/** One neighbor of an interface and what is set and done about it; see neighbor-cache.ts. */
import type { Frame } from "../base/frame-memory.ts";
import type { TimerTarget } from "../base/timers.ts";

/** Not in the table: never looked up, failed, or evicted. Who holds the object looks it up anew. */
export const NEIGHBOR_GONE = 0;
/** Being asked for; packets wait. */
export const NEIGHBOR_INCOMPLETE = 1;
/** Known to answer until `reachableUntilUs`. */
export const NEIGHBOR_REACHABLE = 2;
/** Known, not confirmed of late; used until the first packet asks the question. */
export const NEIGHBOR_STALE = 3;
/** Used while stale; waiting for a sign from above before asking. */
export const NEIGHBOR_DELAY = 4;
/** Being asked directly. */
export const NEIGHBOR_PROBE = 5;

const STATE_NAMES = ["gone", "incomplete", "reachable", "stale", "delay", "probe"];

export interface NeighborSettings {
  /** Entries per interface. When full, the least recently used one that nobody waits for goes. */
  readonly neighborLimit: number;
  /** Packets that wait for one neighbor; a further one replaces the oldest. */
  readonly neighborQueueLimit: number;
  /** How long a confirmation counts, before the random factor 0.5 to 1.5 (RFC 4861 §10 REACHABLE_TIME). */
  readonly reachableTimeUs: number;
  /** Between two solicitations (RFC 4861 §10 RETRANS_TIMER; RFC 1122 §2.3.2.1: at most one a second). */
  readonly retransTimeUs: number;
  /** Wait for a sign from above before probing (DELAY_FIRST_PROBE_TIME). */
  readonly delayFirstProbeUs: number;
  /** Solicitations to the group, and to the neighbor itself, before giving up. */
  readonly maxMulticastSolicits: number;
  readonly maxUnicastSolicits: number;
}

export const NEIGHBOR_DEFAULTS: NeighborSettings = {
  neighborLimit: 1024,
  neighborQueueLimit: 64,
  reachableTimeUs: 30_000_000,
  retransTimeUs: 1_000_000,
  delayFirstProbeUs: 5_000_000,
  maxMulticastSolicits: 3,
  maxUnicastSolicits: 3,
};

/** What the cache asks of the interface it belongs to. */
export interface NeighborActions {
  /** Ask for the neighbor: by multicast or broadcast, or the neighbor itself. `frame` is the oldest waiting packet, or 0: its source is the one to ask with (RFC 4861 §7.2.2). */
  solicit(neighbor: Neighbor, unicast: boolean, frame: Frame): void;
  /** The address is known: send what waited. Ownership of the frame passes. */
  transmit(neighbor: Neighbor, frame: Frame): void;
  /** Nobody answered. Ownership of the frame passes; its sender wants to hear of it. */
  unreachable(neighbor: Neighbor, frame: Frame): void;
  /** A neighbor is gone that was a router or did not answer (RFC 4861 §7.3.3). */
  lost(neighbor: Neighbor): void;
  /** There is something for `flush`. */
  work(): void;
}

/** Who looks after a neighbor: the cache. */
interface NeighborOwner {
  expire(neighbor: Neighbor, nowUs: number): void;
}

/** One neighbor. Paths keep a pointer to it and read it for each packet. */
export class Neighbor implements TimerTarget {
  state = NEIGHBOR_GONE;
  reachableUntilUs = 0;
  macHigh = 0;
  macLow = 0;
  /** Packets waiting for the address, or, once it is known, for the next `flush`. */
  waiting = 0;
  isRouter = false;
  /** Use since the eviction hand last came by. */
  isUsed = true;
  /** Never ages (a static entry). */
  isPermanent = false;
  probesSent = 0;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  private readonly owner: NeighborOwner;
  queue: Frame[] | undefined = undefined;
  timer = -1;

  constructor(owner: NeighborOwner, w0: number, w1: number, w2: number, w3: number) {
    this.owner = owner;
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }

  get stateName(): string {
    return STATE_NAMES[this.state]!;
  }

  onTimer(nowUs: number): void {
    this.owner.expire(this, nowUs);
  }
}
