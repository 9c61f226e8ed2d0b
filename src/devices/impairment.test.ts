import { expect, test } from "vitest";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { marked, RecordingSink } from "../../test/support/recording-sink.ts";
import { CSUM_NONE } from "../base/frame-memory.ts";
import { Network } from "../network/network.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import type { CableOptions } from "./cable.ts";
import { PacketDevice } from "./packet-device.ts";

const MEMORY = { smallFrames: 16_384, largeFrames: 4, pages: 4 };

function setUp(options: CableOptions = {}, seed = 1) {
  const time = virtualTime();
  const net = new Network({ clock: time, seed, memory: MEMORY });
  const cable = net.cable({ medium: "ip", ...options });
  const a = new RecordingSink(cable.a, net.memory, () => net.now());
  const b = new RecordingSink(cable.b, net.memory, () => net.now());
  /** Sends packets numbered from 0, one a millisecond. */
  const sendMany = (count: number, length = 100) => {
    for (let i = 0; i < count; i++) {
      const bytes = marked(0, length);
      new DataView(bytes.buffer).setUint32(0, i);
      a.send(bytes);
      time.runSync(time.now() + 1000);
    }
    time.runSync();
  };
  const numbers = () => b.frames.map((bytes) => new DataView(bytes.buffer).getUint32(0));
  return { time, net, cable, a, b, memory: net.memory, sendMany, numbers };
}

/** 0 to n-1 without those given. */
const range = (n: number, ...without: number[]) =>
  Array.from({ length: n }, (_, i) => i).filter((i) => !without.includes(i));

test("loss by packet number loses those and no other", () => {
  const drops: string[] = [];
  const { sendMany, numbers, memory } = setUp({
    aToB: { loss: [0, 3, 4] },
    onDrop: (_, reason, timeUs) => drops.push(`${reason}@${timeUs}`),
  });
  sendMany(8);
  expect(numbers()).toEqual(range(8, 0, 3, 4));
  expect(drops).toEqual(["loss@0", "loss@3000", "loss@4000"]);
  assertNoLeaks({ memory });
});

test("loss by a function of the packet", () => {
  const { sendMany, numbers } = setUp({
    loss: (index, frame, memory) =>
      index > 2 && memory.view.getUint32(memory.start(frame)) % 2 === 0,
  });
  sendMany(8);
  expect(numbers()).toEqual([0, 1, 2, 3, 5, 7]);
});

test("loss with a probability comes near it, and is the same for the same seed", () => {
  const run = (seed: number) => {
    const { sendMany, numbers, memory } = setUp({ loss: 0.1 }, seed);
    sendMany(5000);
    assertNoLeaks({ memory });
    return numbers();
  };
  const arrived = run(1);
  // 500 +- 5 standard deviations of 21
  expect(5000 - arrived.length).toBeGreaterThan(394);
  expect(5000 - arrived.length).toBeLessThan(606);
  expect(run(1)).toEqual(arrived);
  expect(run(2)).not.toEqual(arrived);
});

test("each direction is impaired on its own", () => {
  const { time, a, b } = setUp({ aToB: { loss: 1 } });
  a.send(marked(1));
  b.send(marked(2));
  time.runSync();
  expect(b.frames.length).toBe(0);
  expect(a.marks()).toEqual([2]);
});

test("Gilbert-Elliott: losses come in bursts of the mean length asked for", () => {
  const { sendMany, numbers, memory } = setUp({ burst: { enterBad: 0.01, leaveBad: 0.2 } });
  sendMany(20_000);
  const arrived = new Set(numbers());
  const lost = range(20_000).filter((i) => !arrived.has(i));
  const bursts = lost.filter((i) => i === 0 || arrived.has(i - 1)).length;
  expect(lost.length / bursts).toBeGreaterThan(4);
  expect(lost.length / bursts).toBeLessThan(6.2);
  // In the long run bad for enterBad / (enterBad + leaveBad) of the time: 4.8 %.
  expect(lost.length / 20_000).toBeGreaterThan(0.03);
  expect(lost.length / 20_000).toBeLessThan(0.07);
  assertNoLeaks({ memory });
});

test("a duplicate arrives right after its original", () => {
  const { sendMany, numbers, memory } = setUp({ duplicate: [1, 3], delayMs: 5 });
  sendMany(5);
  expect(numbers()).toEqual([0, 1, 1, 2, 3, 3, 4]);
  assertNoLeaks({ memory });
});

test("corruption turns one bit over, behind the link header", () => {
  for (const medium of ["ip", "ethernet"] as const) {
    const { time, a, b, memory } = setUp({ medium, corrupt: 1 });
    for (let i = 0; i < 200; i++) a.send(marked(0, 60));
    time.runSync();
    const at = new Set<number>();
    for (const bytes of b.frames) {
      const changed = range(60).filter((i) => bytes[i] !== 0);
      expect(changed.length).toBe(1);
      const bits = bytes[changed[0]];
      expect(bits & (bits - 1)).toBe(0);
      at.add(changed[0]);
    }
    expect(Math.min(...at)).toBe(medium === "ip" ? 0 : 14);
    expect(Math.max(...at)).toBe(59);
    assertNoLeaks({ memory });
  }
});

test("corruption leaves the frame alone that others hold too", () => {
  const { time, a, b, memory } = setUp({ corrupt: [0] });
  const kept = memory.allocFrom(marked(7));
  memory.retain(kept);
  a.device.transmit(kept);
  time.runSync();
  expect(memory.copyOut(kept)).toEqual(marked(7));
  expect(b.frames[0]).not.toEqual(marked(7));
  memory.release(kept);
  assertNoLeaks({ memory });
});

test("a corrupted frame is not trusted any more", () => {
  const { time, a, b, memory } = setUp({ corrupt: 1, trusted: true });
  const states: number[] = [];
  b.onFrame = (frame) => states.push(memory.checksumState(frame));
  const frame = memory.allocFrom(marked(1, 60));
  memory.setPartialChecksum(frame, memory.start(frame) + 20, 16);
  a.device.transmit(frame);
  time.runSync();
  expect(states).toEqual([CSUM_NONE]);
});

test("reordering lets as many overtake as asked for", () => {
  const { sendMany, numbers, memory } = setUp({ reorder: { packets: [1, 6], distance: 3 } });
  sendMany(12);
  expect(numbers()).toEqual([0, 2, 3, 4, 1, 5, 7, 8, 9, 6, 10, 11]);
  assertNoLeaks({ memory });
});

test("a packet held back goes on by itself when nobody follows", () => {
  const { time, a, b } = setUp({ reorder: { packets: [0], distance: 3, holdMs: 20 }, delayMs: 1 });
  a.send(marked(1));
  time.runSync();
  expect(b.times).toEqual([21_000]);
});

test("jitter keeps the order unless told otherwise", () => {
  for (const jitterReorders of [false, true]) {
    const { sendMany, numbers, b } = setUp({ delayMs: 20, jitterMs: 10, jitterReorders });
    sendMany(500);
    const arrived = numbers();
    const delays = b.times.map((at, i) => at - arrived[i] * 1000);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(30_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(10_000);
    const sorted = arrived.toSorted((x, y) => x - y);
    expect(sorted).toEqual(range(500));
    expect(arrived.join() === sorted.join()).toBe(!jitterReorders);
  }
});

test("normal jitter has the standard deviation asked for", () => {
  const { sendMany, numbers, b } = setUp({
    delayMs: 100,
    jitterMs: 10,
    jitterDistribution: "normal",
    jitterReorders: true,
  });
  sendMany(4000);
  const sent = numbers();
  const delays = b.times.map((at, i) => at / 1000 - sent[i]);
  const mean = delays.reduce((sum, each) => sum + each, 0) / delays.length;
  const variance = delays.reduce((sum, each) => sum + (each - mean) ** 2, 0) / delays.length;
  expect(mean).toBeGreaterThan(99);
  expect(mean).toBeLessThan(101);
  expect(Math.sqrt(variance)).toBeGreaterThan(9);
  expect(Math.sqrt(variance)).toBeLessThan(11);
});

test("switching one impairment on does not change whom another hits", () => {
  const run = (options: CableOptions) => {
    const { sendMany, numbers } = setUp({ loss: 0.2, ...options });
    sendMany(300);
    return [...new Set(numbers())].sort((x, y) => x - y);
  };
  expect(run({ duplicate: 0.3, jitterMs: 5 })).toEqual(run({}));
});

test("all at once: every packet arrives or is told as dropped, nothing leaks", () => {
  const drops = new Map<string, number>();
  let duplicates = 0;
  const { sendMany, b, memory } = setUp({
    loss: 0.05,
    burst: { enterBad: 0.01, leaveBad: 0.3 },
    corrupt: 0.05,
    duplicate: (index) => index % 20 === 0 && ++duplicates > 0,
    reorder: { packets: 0.05, distance: 4 },
    delayMs: 10,
    jitterMs: 5,
    bitsPerSecond: 1e6,
    queue: { packets: 20, codel: true },
    onDrop: (_, reason) => drops.set(reason, (drops.get(reason) ?? 0) + 1),
  });
  sendMany(3000, 200);
  expect([...drops.keys()].sort()).toEqual(["codel", "loss", "queue"]);
  const dropped = [...drops.values()].reduce((sum, each) => sum + each, 0);
  expect(duplicates).toBeGreaterThan(100);
  expect(b.frames.length + dropped).toBe(3000 + duplicates);
  assertNoLeaks({ memory });
});

test("settings can be changed on the way, and switched off", () => {
  const { cable, sendMany, numbers } = setUp({ loss: 1 });
  sendMany(3);
  cable.configure({ loss: 0, delayMs: 3 }, "aToB");
  sendMany(3);
  expect(numbers()).toEqual([0, 1, 2]);
});

test("a probability outside 0 to 1 is refused", () => {
  expect(() => setUp({ loss: 5 })).toThrow("0 to 1");
});

test("cutting the cable lets go of what was held back", () => {
  const { cable, a, memory } = setUp({ reorder: { packets: 1, distance: 9 } });
  a.send(marked(1));
  expect(memory.framesInUse).toBe(1);
  cable.down();
  assertNoLeaks({ memory });
});

test("a bad line in front of any device", () => {
  const time = virtualTime();
  const net = new Network({ clock: time, seed: 1, memory: MEMORY });
  const sent: string[] = [];
  const device = new PacketDevice({
    medium: "ip",
    mtu: 1500,
    send: (bytes) => sent.push(`${bytes[0]}@${net.now()}`),
  });
  const impaired = net.impair(device, {
    delayMs: 10,
    out: { loss: [1] },
    in: { duplicate: [0], delayMs: 20 },
  });
  const host = new RecordingSink(impaired, net.memory, () => net.now());
  for (let i = 0; i < 3; i++) host.send(marked(i));
  device.receive(marked(9));
  time.runSync();
  expect(sent).toEqual(["0@10000", "2@10000"]);
  expect(host.marks()).toEqual([9, 9]);
  expect(host.times).toEqual([20_000, 20_000]);
  device.setLink(false);
  expect(host.links).toEqual([false]);
  assertNoLeaks({ memory: net.memory });
});

test("a bad line waits for a device that has no room", () => {
  const time = virtualTime();
  const net = new Network({ clock: time, seed: 1, memory: MEMORY });
  const sent: number[] = [];
  const device = new PacketDevice({
    medium: "ip",
    mtu: 1500,
    send: (bytes) => {
      sent.push(bytes[0]);
      return false;
    },
  });
  const impaired = net.impair(device, { delayMs: 1 });
  const host = new RecordingSink(impaired, net.memory);
  for (let i = 0; i < 100; i++) host.send(marked(i));
  time.runSync();
  // The device said no after the first: what its room() promised before that is all it got.
  expect(sent.length).toBeLessThanOrEqual(64);
  const before = sent.length;
  device.writable();
  time.runSync();
  expect(sent.length).toBeGreaterThan(before);
  expect(sent).toEqual(range(sent.length));
  net.close();
  assertNoLeaks({ memory: net.memory });
});
