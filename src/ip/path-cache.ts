import { hashAddressWords, type IpAddress } from "../base/address.ts";
import type { IpPath } from "./path.ts";

/**
 * The paths in use, by (local, remote, bound interface): chained hash buckets,
 * bounded, least recently asked for goes first (second chance). A path that is
 * evicted while a connection holds it goes on working; only new connections
 * to the same pair get another object.
 */
export class PathCache {
  private buckets: (IpPath | undefined)[] = new Array<IpPath | undefined>(64).fill(undefined);
  private readonly order: IpPath[] = [];
  private hand = 0;
  private readonly limit: number;
  private readonly seed: number;

  /** @param seed secret, against chosen collisions. */
  constructor(limit: number, seed: number) {
    this.limit = Math.max(1, limit);
    this.seed = seed;
  }

  get size(): number {
    return this.order.length;
  }

  [Symbol.iterator](): Iterator<IpPath> {
    return this.order[Symbol.iterator]();
  }

  find(local: IpAddress, remote: IpAddress, bound: number): IpPath | undefined {
    return this.findWords(
      local.w0,
      local.w1,
      local.w2,
      local.w3,
      remote.w0,
      remote.w1,
      remote.w2,
      remote.w3,
      bound,
    );
  }

  findWords(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    bound: number,
  ): IpPath | undefined {
    let path = this.buckets[this.slot(l2 ^ l3, r0, r1, r2, r3)];
    while (path !== undefined) {
      const r = path.remote;
      const l = path.local;
      if (
        r.w3 === r3 &&
        l.w3 === l3 &&
        r.w2 === r2 &&
        l.w2 === l2 &&
        r.w1 === r1 &&
        l.w1 === l1 &&
        r.w0 === r0 &&
        l.w0 === l0 &&
        path.boundInterface === bound
      ) {
        path.isUsed = true;
        return path;
      }
      path = path.next;
    }
    return undefined;
  }

  add(path: IpPath): void {
    if (this.order.length >= this.limit) this.evict(path);
    else {
      this.order.push(path);
      if (this.order.length > this.buckets.length) this.grow();
      else this.link(path);
    }
  }

  private evict(path: IpPath): void {
    for (;;) {
      if (this.hand >= this.order.length) this.hand = 0;
      const old = this.order[this.hand]!;
      if (old.isUsed) {
        old.isUsed = false;
        this.hand++;
        continue;
      }
      this.unlink(old);
      this.order[this.hand++] = path;
      this.link(path);
      return;
    }
  }

  private link(path: IpPath): void {
    const slot = this.slotOf(path);
    path.next = this.buckets[slot];
    this.buckets[slot] = path;
  }

  private unlink(path: IpPath): void {
    const slot = this.slotOf(path);
    let at = this.buckets[slot];
    if (at === path) this.buckets[slot] = path.next;
    else {
      while (at!.next !== path) at = at!.next;
      at!.next = path.next;
    }
    path.next = undefined;
  }

  private grow(): void {
    this.buckets = new Array<IpPath | undefined>(this.buckets.length * 2).fill(undefined);
    for (const path of this.order) this.link(path);
  }

  private slotOf(path: IpPath): number {
    const { local, remote } = path;
    return this.slot(local.w2 ^ local.w3, remote.w0, remote.w1, remote.w2, remote.w3);
  }

  private slot(local: number, r0: number, r1: number, r2: number, r3: number): number {
    return (
      hashAddressWords(r0, r1, r2, r3 ^ Math.imul(local, 0x85ebca6b), this.seed) &
      (this.buckets.length - 1)
    );
  }
}
