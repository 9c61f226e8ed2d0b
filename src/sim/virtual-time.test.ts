import { expect, test } from "vitest";
import { Network } from "../network/network.ts";
import { virtualTime } from "./virtual-time.ts";

const SMALL = { smallFrames: 64, largeFrames: 2, pages: 4 };

function setUp() {
  const time = virtualTime();
  return { time, net: new Network({ clock: time, seed: 1, memory: SMALL }) };
}

test("run moves to each deadline and ends at the time asked for", async () => {
  const { time, net } = setUp();
  const rung: number[] = [];
  for (const at of [5, 1, 3, 9]) net.after(at * 1000, () => rung.push(net.now()));
  await time.run({ untilMs: 4 });
  expect(rung).toEqual([1000, 3000]);
  expect(time.now()).toBe(4000);
  await time.advance(1);
  expect(rung).toEqual([1000, 3000, 5000]);
  await time.run();
  expect(time.now()).toBe(9000);
});

test("promises settle before time moves on, however long the chain", async () => {
  const { time, net } = setUp();
  const seen: number[] = [];
  const app = async () => {
    await net.sleep(10);
    for (let i = 0; i < 50; i++) await Promise.resolve();
    seen.push(net.now());
    await net.sleep(10);
    seen.push(net.now());
  };
  net.after(15_000, () => seen.push(net.now()));
  const done = app();
  await time.run({ untilMs: 100 });
  expect(seen).toEqual([10_000, 15_000, 20_000]);
  await done;
});

test("what a promise does at the end of a run belongs to the run", async () => {
  const { time, net } = setUp();
  const seen: number[] = [];
  const part = {
    onWork: undefined as (() => void) | undefined,
    poll() {
      queueMicrotask(() => net.after(0, () => seen.push(net.now())));
      return false;
    },
    nextDeadline: () => Number.POSITIVE_INFINITY,
  };
  net.add(part);
  part.onWork?.();
  await time.run({ untilMs: 1 });
  expect(seen).toEqual([0]);
});

test("settle answers the promise's value at the time it settled", async () => {
  const { time, net } = setUp();
  net.after(60_000_000, () => {});
  const value = await time.settle(net.sleep(25).then(() => "done"));
  expect(value).toBe("done");
  expect(time.now()).toBe(25_000);
});

test("settle passes a rejection on", async () => {
  const { time, net } = setUp();
  const failing = net.sleep(1).then(() => {
    throw new Error("refused");
  });
  await expect(time.settle(failing)).rejects.toThrow("refused");
});

test("settle says deadlock when nothing is scheduled", async () => {
  const { time, net } = setUp();
  net.after(1000, () => {});
  await expect(time.settle(new Promise(() => {}))).rejects.toThrow(
    "deadlock: nothing is scheduled at 1 ms",
  );
  // and can be used again
  await time.settle(net.sleep(1));
  expect(time.now()).toBe(2000);
});

test("settle gives up after the time allowed", async () => {
  const { time, net } = setUp();
  const tick = () => void net.after(1000, tick);
  tick();
  await expect(time.settle(new Promise(() => {}), 20)).rejects.toThrow("within 20 ms");
});

test("runSync never lets a promise settle", async () => {
  const { time, net } = setUp();
  let settled = false;
  void net.sleep(1).then(() => {
    settled = true;
  });
  time.runSync(50_000);
  expect(settled).toBe(false);
  expect(time.now()).toBe(50_000);
  await Promise.resolve();
  expect(settled).toBe(true);
});

test("two runs at once are refused", async () => {
  const { time, net } = setUp();
  net.after(1000, () => {});
  const first = time.run();
  await expect(time.run()).rejects.toThrow("running already");
  await first;
});

test("a pollable that never rests is reported, not waited for", () => {
  const { time, net } = setUp();
  const spinner = {
    onWork: undefined,
    poll: () => true,
    nextDeadline: () => 0,
  };
  net.add(spinner);
  expect(() => time.runSync(1)).toThrow("time stands still");
});

test("a virtual time drives one network only", () => {
  const { time } = setUp();
  expect(() => new Network({ clock: time, seed: 1, memory: SMALL })).toThrow("already");
});
