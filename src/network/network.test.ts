import { expect, test } from "vitest";
import type { Pollable } from "../base/pollable.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import { Network } from "./network.ts";

const SMALL = { smallFrames: 64, largeFrames: 2, pages: 4 };

/** Writes its name into a log whenever it is polled. */
class Probe implements Pollable {
  onWork: (() => void) | undefined = undefined;
  deadlineUs = Number.POSITIVE_INFINITY;
  liveCount = 0;
  polls = 0;
  events: (() => void)[] = [];
  onPoll: ((nowUs: number) => boolean | undefined) | undefined = undefined;
  readonly name: string;
  readonly log: string[];

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  poll(nowUs: number): boolean {
    this.polls++;
    this.log.push(`${this.name}@${nowUs}`);
    if (this.deadlineUs <= nowUs) this.deadlineUs = Number.POSITIVE_INFINITY;
    return this.onPoll?.(nowUs) ?? false;
  }

  nextDeadline(): number {
    return this.deadlineUs;
  }

  takeEvents(): boolean {
    if (this.events.length === 0) return false;
    for (const event of this.events.splice(0)) event();
    return true;
  }

  live(): number {
    return this.liveCount;
  }
}

function setUp(names: string) {
  const time = virtualTime();
  const net = new Network({ clock: time, seed: 1, memory: SMALL });
  const log: string[] = [];
  const probes = [...names].map((name) => new Probe(name, log));
  return { time, net, log, probes };
}

test("those due at the same time are polled in the order of their creation", () => {
  const { time, net, log, probes } = setUp("abcd");
  [30, 10, 20, 10].forEach((at, i) => {
    probes[i].deadlineUs = at;
  });
  for (const probe of probes) net.add(probe);
  time.runSync(100);
  expect(log).toEqual(["b@10", "d@10", "c@20", "a@30"]);
  expect(time.now()).toBe(100);
});

test("work made for another is done in the same step, unless it had its turn", () => {
  const { time, net, log, probes } = setUp("abc");
  const [a, b, c] = probes;
  for (const probe of probes) net.add(probe);
  b.onPoll = () => {
    a.onWork?.();
    c.onWork?.();
    return false;
  };
  c.onPoll = () => {
    b.onPoll = undefined;
    b.onWork?.();
    return false;
  };
  b.onWork?.();
  time.step();
  expect(log).toEqual(["b@0", "a@0", "c@0"]);
  time.step();
  expect(log).toEqual(["b@0", "a@0", "c@0", "b@0"]);
  expect(time.step()).toBe(false);
});

test("a pollable with more to do gets its turn once a step", () => {
  const { time, net, log, probes } = setUp("ab");
  for (const probe of probes) net.add(probe);
  let rest = 3;
  probes[0].onPoll = () => --rest > 0;
  probes[0].onWork?.();
  probes[1].onWork?.();
  time.step();
  expect(log).toEqual(["a@0", "b@0"]);
  time.runSync(0);
  expect(log).toEqual(["a@0", "b@0", "a@0", "a@0"]);
});

test("ten thousand idle pollables are not polled", () => {
  const { time, net, log, probes } = setUp("a");
  const idle = Array.from({ length: 10_000 }, () => new Probe("idle", log));
  for (const probe of idle) net.add(probe);
  net.add(probes[0]);
  probes[0].onWork?.();
  time.runSync();
  expect(log).toEqual(["a@0"]);
});

test("events are handed out after everyone was polled", () => {
  const { time, net, log, probes } = setUp("ab");
  for (const probe of probes) net.add(probe);
  probes[0].events.push(() => log.push("event of a"));
  for (const probe of probes) probe.onWork?.();
  time.runSync(0);
  expect(log).toEqual(["a@0", "b@0", "event of a"]);
});

test("an exception out of one callback does not lose the events of others", () => {
  const { time, net, log, probes } = setUp("ab");
  for (const probe of probes) net.add(probe);
  probes[0].events.push(() => {
    throw new Error("thrown by the application");
  });
  probes[1].events.push(() => log.push("event of b"));
  for (const probe of probes) probe.onWork?.();
  expect(() => time.runSync(0)).toThrow("thrown by the application");
  time.runSync(0);
  expect(log).toContain("event of b");
});

test("a step inside a step is refused", () => {
  const { time, net, probes } = setUp("a");
  net.add(probes[0]);
  let error: unknown;
  probes[0].events.push(() => {
    try {
      net.step(0);
    } catch (caught) {
      error = caught;
    }
  });
  probes[0].onWork?.();
  time.runSync(0);
  expect(String(error)).toContain("step was called from within a step");
});

test("a removed pollable is not polled any more, even when it was due", () => {
  const { time, net, log, probes } = setUp("ab");
  for (const probe of probes) net.add(probe);
  probes[0].onPoll = () => {
    net.remove(probes[1]);
    return false;
  };
  for (const probe of probes) probe.onWork?.();
  time.runSync(0);
  expect(log).toEqual(["a@0"]);
  expect(probes[1].onWork).toBeUndefined();
});

test("live is the sum over the parts and follows what they say after a poll", () => {
  const { time, net, probes } = setUp("ab");
  probes[0].liveCount = 2;
  for (const probe of probes) net.add(probe);
  expect(net.live()).toBe(2);
  probes[1].liveCount = 1;
  probes[1].onWork?.();
  time.runSync(0);
  expect(net.live()).toBe(3);
  net.remove(probes[0]);
  expect(net.live()).toBe(1);
});

test("the same seed gives each part the same numbers; another seed others", () => {
  const draw = (seed: number) => {
    const net = new Network({ clock: virtualTime(), seed, memory: SMALL });
    return [net.fork(), net.fork()].map((random) => random.int32());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(7)[0]).not.toBe(draw(7)[1]);
});

test("without a seed the numbers cannot be foreseen", () => {
  const draw = () => {
    const random = new Network({ clock: virtualTime(), memory: SMALL }).fork();
    return Array.from({ length: 300 }, () => random.int32());
  };
  expect(new Set([...draw(), ...draw()]).size).toBeGreaterThan(590);
});

test("alarms ring in order, once, and not when cancelled", () => {
  const { time, net, log } = setUp("");
  net.after(20, () => log.push("20"));
  const cancelled = net.after(10, () => log.push("cancelled"));
  net.after(10, () => {
    log.push("10");
    other.cancel();
  });
  const other = net.after(10, () => log.push("other"));
  cancelled.cancel();
  time.runSync();
  expect(log).toEqual(["10", "20"]);
  expect(time.now()).toBe(20);
  expect(net.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
});

test("a closed network does nothing more and says so", () => {
  const { time, net, log, probes } = setUp("a");
  net.add(probes[0]);
  net.after(10, () => log.push("alarm"));
  probes[0].onWork?.();
  net.close();
  time.runSync(100);
  expect(log).toEqual([]);
  expect(() => net.add(probes[0])).toThrow("closed");
});
