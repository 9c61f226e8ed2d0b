import { expect, test } from "vitest";
import { Network } from "./network.ts";
import { realTime } from "./real-time.ts";

// The one file of tests that waits for real time.

const SMALL = { smallFrames: 64, largeFrames: 2, pages: 4 };

/** Spins for a while each time it is polled, and never rests until told. */
function spinner() {
  return {
    onWork: undefined as (() => void) | undefined,
    polls: 0,
    stopped: false,
    poll() {
      this.polls++;
      const end = performance.now() + 0.1;
      while (performance.now() < end) {
        // busy
      }
      return !this.stopped;
    },
    nextDeadline() {
      return this.stopped ? Number.POSITIVE_INFINITY : 0;
    },
    live: () => 0,
  };
}

/** Timers that keep this process alive. */
const activeTimers = () =>
  process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test("a 10 ms timer goes on beside work that never ends", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  const busy = spinner();
  net.add(busy);
  const fired: number[] = [];
  await new Promise<void>((resolve) => {
    const interval = setInterval(() => {
      fired.push(performance.now());
      if (fired.length < 21) return;
      clearInterval(interval);
      resolve();
    }, 10);
  });
  busy.stopped = true;
  const gaps = fired.slice(1).map((at, i) => at - fired[i]);
  gaps.sort((a, b) => a - b);
  // A burst is 4 ms; on a busy machine a single gap may be anything.
  expect(gaps[10]).toBeLessThan(20);
  expect(busy.polls).toBeGreaterThan(500);
  net.close();
});

test("alarms ring at their time, not before, and one host timer does for all", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  const beganUs = net.now();
  const rung: number[] = [];
  await new Promise<void>((resolve) => {
    net.after(30_000, () => {
      rung.push(30);
      resolve();
    });
    for (const ms of [20, 5, 10]) net.after(ms * 1000, () => rung.push(ms));
  });
  expect(rung).toEqual([5, 10, 20, 30]);
  expect(net.now() - beganUs).toBeGreaterThanOrEqual(30_000);
  net.close();
});

test("work that a call makes is done in a microtask", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  let rung = false;
  net.after(0, () => {
    rung = true;
  });
  expect(rung).toBe(false);
  await Promise.resolve();
  expect(rung).toBe(true);
  net.close();
});

test("an endless chain of answers yields to the event loop", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  let answers = 0;
  let stopped = false;
  const ask = async () => {
    while (!stopped) {
      await net.sleep(0);
      answers++;
    }
  };
  const asking = ask();
  await new Promise((resolve) => setTimeout(resolve, 10));
  stopped = true;
  await asking;
  expect(answers).toBeGreaterThan(100);
  net.close();
});

test("the process is held while something is live, and let go after", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  const before = activeTimers();
  let live = 1;
  const part = {
    onWork: undefined as (() => void) | undefined,
    poll: () => false,
    nextDeadline: () => Number.POSITIVE_INFINITY,
    live: () => live,
  };
  net.add(part);
  net.after(60e6, () => {});
  part.onWork?.();
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(activeTimers()).toBe(before + 1);
  live = 0;
  part.onWork?.();
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(activeTimers()).toBe(before);
  net.close();
});

test("a listener without any deadline holds the process too", async () => {
  const net = new Network({ clock: realTime(), seed: 1, memory: SMALL });
  const before = activeTimers();
  const part = {
    onWork: undefined as (() => void) | undefined,
    poll: () => false,
    nextDeadline: () => Number.POSITIVE_INFINITY,
    live: () => 1,
  };
  net.add(part);
  part.onWork?.();
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(activeTimers()).toBe(before + 1);
  net.close();
  expect(activeTimers()).toBe(before);
});
