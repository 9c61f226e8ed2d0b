import { beforeEach, describe, expect, test } from "vitest";
import { Counters } from "../base/counters.ts";
import { type Frame, FrameMemory, frameMemoryBytes } from "../base/frame-memory.ts";
import { createJsKernel } from "../base/js-kernel.ts";
import { Timers } from "../base/timers.ts";
import { NEIGHBOR_DEFAULTS, type Neighbor } from "./neighbor.ts";
import { NeighborCache } from "./neighbor-cache.ts";

const SECOND = 1_000_000;
const SIZES = { smallFrames: 64, largeFrames: 0, pages: 0, reserve: 0 };

let memory: FrameMemory;
let timers: Timers;
let counters: Counters;
let log: string[];
let cache: NeighborCache;
let nowUs: number;

function make(settings: Partial<typeof NEIGHBOR_DEFAULTS> = {}): NeighborCache {
  memory = new FrameMemory(createJsKernel(frameMemoryBytes(SIZES)), SIZES);
  timers = new Timers();
  counters = new Counters();
  log = [];
  nowUs = 0;
  const actions = {
    solicit: (n: Neighbor, unicast: boolean) => {
      log.push(`${nowUs / SECOND}s ${unicast ? "ask" : "who has"} ${n.w3}`);
    },
    transmit: (n: Neighbor, frame: Frame) => {
      log.push(`send to ${n.macLow}`);
      memory.release(frame);
    },
    unreachable: (n: Neighbor, frame: Frame) => {
      log.push(`unreachable ${n.w3}`);
      memory.release(frame);
    },
    lost: (n: Neighbor) => log.push(`lost ${n.w3}`),
    work: () => {},
  };
  return new NeighborCache(
    { ...NEIGHBOR_DEFAULTS, ...settings },
    memory,
    timers,
    counters,
    actions,
    () => 0.5,
  );
}

beforeEach(() => {
  cache = make();
});

function run(untilUs: number): void {
  for (;;) {
    const next = timers.nextDeadline();
    if (next > untilUs) break;
    nowUs = next;
    timers.advance(nowUs, 100);
  }
  nowUs = untilUs;
}

function sendTo(w3: number): boolean {
  const neighbor = cache.ensure(0, 0, 0xffff, w3)!;
  const frame = memory.alloc(100);
  const mayGo = cache.use(neighbor, frame, nowUs);
  if (mayGo) memory.release(frame);
  return mayGo;
}

/** A neighbor that has answered. */
function reachable(w3: number): Neighbor {
  sendTo(w3);
  const n = cache.find(0, 0, 0xffff, w3)!;
  cache.advertised(n, true, 2, w3, true, true, false, nowUs);
  cache.flush();
  log.length = 0;
  return n;
}

describe("asking", () => {
  test("RFC 4861 §7.2.2: three questions a second apart, then the packet's sender hears of it", () => {
    expect(sendTo(7)).toBe(false);
    run(10 * SECOND);
    expect(log).toEqual([
      "0s who has 7",
      "1s who has 7",
      "2s who has 7",
      "unreachable 7",
      "lost 7",
    ]);
    expect(counters.neighborUnreachable).toBe(1);
    expect(cache.size).toBe(0);
    expect([memory.framesInUse, timers.registered]).toEqual([0, 0]);
  });

  test("RFC 1122 §2.3.2.2: what waited goes out in order once the address is known, later packets behind it", () => {
    for (let i = 0; i < 3; i++) sendTo(7);
    const n = cache.find(0, 0, 0xffff, 7)!;
    cache.advertised(n, true, 2, 99, true, true, false, nowUs);
    expect(sendTo(7)).toBe(false); // must not overtake the three
    expect(cache.hasWork).toBe(true);
    cache.flush();
    expect(log).toEqual(["0s who has 7", ...Array<string>(4).fill("send to 99")]);
    expect(sendTo(7)).toBe(true);
  });

  test("a full queue drops its oldest packet and counts it", () => {
    cache = make({ neighborQueueLimit: 2 });
    for (let i = 0; i < 5; i++) sendTo(7);
    expect([counters.neighborQueueDrops, memory.framesInUse]).toEqual([3, 2]);
    cache.clear();
    expect(memory.framesInUse).toBe(0);
  });

  test("RFC 4861 §7.2.5: an answer that was not asked for gives STALE, not REACHABLE", () => {
    sendTo(7);
    const n = cache.find(0, 0, 0xffff, 7)!;
    cache.advertised(n, true, 2, 99, false, true, false, nowUs);
    expect(n.stateName).toBe("stale");
  });
});

describe("ageing, RFC 4861 §7.3", () => {
  test("REACHABLE for 30 s, then STALE on use and DELAY, then PROBE, then gone", () => {
    const n = reachable(7);
    expect(n.stateName).toBe("reachable");
    nowUs = 31 * SECOND;
    expect(sendTo(7)).toBe(true);
    expect(n.stateName).toBe("delay");
    run(36 * SECOND);
    expect(n.stateName).toBe("probe");
    run(60 * SECOND);
    expect(log).toEqual(["36s ask 7", "37s ask 7", "38s ask 7", "lost 7"]);
    expect(n.stateName).toBe("gone");
  });

  test("§7.3.1: progress above spares the question", () => {
    const n = reachable(7);
    nowUs = 31 * SECOND;
    sendTo(7);
    cache.confirm(n, nowUs);
    run(60 * SECOND);
    expect(log).toEqual([]);
    expect(n.stateName).toBe("reachable");
  });

  test("an answer to the direct question makes it REACHABLE again", () => {
    const n = reachable(7);
    nowUs = 31 * SECOND;
    sendTo(7);
    run(36 * SECOND);
    cache.advertised(n, true, 2, 7, true, false, false, nowUs);
    expect(n.stateName).toBe("reachable");
    expect(timers.registered).toBe(0);
  });

  test("§7.2.5: another address without the override flag only raises doubt", () => {
    const n = reachable(7);
    cache.advertised(n, true, 2, 1234, true, false, false, nowUs);
    expect([n.stateName, n.macLow]).toEqual(["stale", 7]);
    cache.advertised(n, true, 2, 1234, true, true, false, nowUs);
    expect([n.stateName, n.macLow]).toEqual(["reachable", 1234]);
  });

  test("§7.3.3: a router that says it is none any more is lost as a router", () => {
    const n = reachable(7);
    n.isRouter = true;
    cache.advertised(n, true, 2, 7, true, true, false, nowUs);
    expect(log).toEqual(["lost 7"]);
  });
});

describe("bounds", () => {
  test("RFC 6583: a scan of the subnet does not push out the neighbors in use", () => {
    cache = make({ neighborLimit: 8 });
    for (let i = 1; i <= 3; i++) reachable(i);
    for (let i = 100; i < 160; i++) sendTo(i);
    expect(cache.size).toBe(8);
    for (let i = 1; i <= 3; i++) expect(cache.find(0, 0, 0xffff, i)?.stateName).toBe("reachable");
    cache.clear(true);
    expect([memory.framesInUse, timers.registered]).toEqual([0, 0]);
  });

  test("the least recently used entry goes when the table is full of known neighbors", () => {
    cache = make({ neighborLimit: 4 });
    for (let i = 1; i <= 4; i++) reachable(i);
    nowUs = 40 * SECOND;
    for (const i of [1, 3, 4]) sendTo(i);
    for (const n of cache) n.isUsed = n.w3 !== 2;
    reachable(5);
    expect(cache.find(0, 0, 0xffff, 2)).toBeUndefined();
    cache.clear(true);
  });

  test("static entries neither age nor go", () => {
    cache = make({ neighborLimit: 2 });
    cache.setPermanent(0, 0, 0xffff, 1, 2, 1);
    cache.setPermanent(0, 0, 0xffff, 2, 2, 2);
    expect(cache.ensure(0, 0, 0xffff, 3)).toBeUndefined();
    expect(counters.neighborTableFull).toBe(1);
    nowUs = 1e12;
    expect(sendTo(1)).toBe(true);
    expect(cache.find(0, 0, 0xffff, 1)!.stateName).toBe("reachable");
  });
});
