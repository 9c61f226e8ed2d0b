import { expect, test } from "vitest";
import { CSUM_NONE, CSUM_PARTIAL, GSO_TCPV4 } from "../base/frame-memory.ts";
import { Network } from "../network/network.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { marked, RecordingSink } from "../../test/support/recording-sink.ts";
import type { CableOptions } from "./cable.ts";

function setUp(options: CableOptions = {}) {
  const time = virtualTime();
  const memory = { smallFrames: 4096, largeFrames: 4, pages: 4 };
  const net = new Network({ clock: time, seed: 1, memory });
  const cable = net.cable(options);
  const a = new RecordingSink(cable.a, net.memory, () => net.now());
  const b = new RecordingSink(cable.b, net.memory, () => net.now());
  return { time, net, cable, a, b, memory: net.memory };
}

test("frames cross both ways in order, without a copy, and are released", () => {
  const { time, a, b, memory } = setUp();
  const sent: number[] = [];
  b.onFrame = (frame) => sent.push(frame);
  const frame = memory.allocFrom(marked(1), 14);
  a.device.transmit(frame);
  a.send(marked(2));
  b.send(marked(3));
  time.runSync(0);
  expect(b.marks()).toEqual([1, 2]);
  expect(sent[0]).toBe(frame);
  expect(a.marks()).toEqual([3]);
  assertNoLeaks({ memory });
});

test("a sink that keeps a frame keeps it", () => {
  const { time, a, b, memory } = setUp();
  b.onFrame = (frame) => memory.retain(frame);
  a.send(marked(1));
  time.runSync(0);
  expect(memory.framesInUse).toBe(1);
});

test("room counts down from 64 and the sender is told once when there is some again", () => {
  const { time, a, b, memory } = setUp();
  expect(a.device.room()).toBe(64);
  for (let i = 0; i < 64; i++) a.send(marked(i));
  expect(a.device.room()).toBe(0);
  expect(a.writables).toBe(0);
  time.runSync(0);
  expect(a.writables).toBe(1);
  expect(b.frames.length).toBe(64);
  expect(a.device.room()).toBe(64);
  time.runSync(0);
  expect(a.writables).toBe(1);
  assertNoLeaks({ memory });
});

test("a delay holds each direction for its own time", () => {
  const { time, a, b } = setUp({ aToB: { delayMs: 10 }, bToA: { delayMs: 2.5 } });
  a.send(marked(1));
  b.send(marked(2));
  time.runSync(1000);
  a.send(marked(3));
  time.runSync();
  expect(b.times).toEqual([10_000, 11_000]);
  expect(a.times).toEqual([2500]);
});

test("a rate gives every frame its time on the wire", () => {
  // 1,000 bytes at 8 Mbit/s take 1 ms.
  const { time, a, b } = setUp({ bitsPerSecond: 8e6, delayMs: 5 });
  for (let i = 0; i < 4; i++) a.send(marked(i, 1000));
  a.send(marked(4, 500));
  time.runSync();
  expect(b.times).toEqual([6000, 7000, 8000, 9000, 9500]);
});

test("a full queue drops the newest, by packets", () => {
  const drops: string[] = [];
  const { time, a, b, memory } = setUp({
    bitsPerSecond: 8e6,
    queue: { packets: 2 },
    onDrop: (_, reason, timeUs) => drops.push(`${reason}@${timeUs}`),
  });
  for (let i = 0; i < 5; i++) a.send(marked(i, 1000)); // one being sent, two waiting
  time.runSync(1500); // the second is being sent now
  a.send(marked(5, 1000));
  a.send(marked(6, 1000));
  time.runSync();
  expect(b.marks()).toEqual([0, 1, 2, 5]);
  expect(drops).toEqual(["queue@0", "queue@0", "queue@1500"]);
  assertNoLeaks({ memory });
});

test("a full queue drops the newest, by bytes", () => {
  const { time, a, b } = setUp({ bitsPerSecond: 8e6, queue: { bytes: 1500 } });
  a.send(marked(0, 1000));
  a.send(marked(1, 1000)); // waits
  a.send(marked(2, 1000)); // does not fit
  a.send(marked(3, 500)); // fits
  time.runSync();
  expect(b.marks()).toEqual([0, 1, 3]);
});

test("a queue that lets the sender wait drops nothing", () => {
  const { time, a, b } = setUp({ bitsPerSecond: 8e6, queue: { packets: 2, whenFull: "wait" } });
  let sent = 0;
  const send = () => {
    while (sent < 10 && a.device.room() > 0) a.send(marked(sent++, 1000));
  };
  a.writable = send;
  send();
  expect(sent).toBe(3);
  time.runSync();
  expect(b.marks()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(b.times.at(-1)).toBe(10_000);
});

test("a cut loses what is under way, tells both ends, and heals", () => {
  const drops: string[] = [];
  const { time, cable, a, b, memory } = setUp({
    delayMs: 10,
    onDrop: (_, reason) => drops.push(reason),
  });
  a.send(marked(1));
  time.runSync(5000);
  cable.down();
  expect(a.device.linkUp).toBe(false);
  a.send(marked(2));
  time.runSync(50_000);
  expect(drops).toEqual(["down", "down"]);
  expect(b.frames.length).toBe(0);
  cable.up();
  a.send(marked(3));
  time.runSync();
  expect(b.marks()).toEqual([3]);
  expect(a.links).toEqual([false, true]);
  expect(b.links).toEqual([false, true]);
  assertNoLeaks({ memory });
});

test("frames longer than the MTU are dropped; the link header is not counted", () => {
  const { time, cable, a, b, memory } = setUp({ mtu: 600 });
  a.send(marked(1, 614));
  a.send(marked(2, 623));
  time.runSync();
  expect(b.marks()).toEqual([1]);
  expect(cable.a.lane.droppedFrames).toBe(1);
  assertNoLeaks({ memory });
});

test("frames for nobody are dropped and released", () => {
  const { time, cable, a, b, memory } = setUp();
  b.device.detach();
  a.send(marked(1));
  time.runSync();
  expect(cable.a.lane.droppedFrames).toBe(1);
  assertNoLeaks({ memory });
});

test("an ordinary cable completes a partial checksum; a trusted one leaves it", () => {
  for (const trusted of [false, true]) {
    const { time, a, b, memory } = setUp({ trusted });
    const states: number[] = [];
    b.onFrame = (frame) => states.push(memory.checksumState(frame));
    const packet = new Uint8Array(60).fill(7, 34);
    packet[50] = 0x12; // the pseudo-header's sum in the field
    packet[51] = 0x34;
    const frame = memory.allocFrom(packet, 14);
    memory.setPartialChecksum(frame, memory.start(frame) + 34, 16);
    a.device.transmit(frame);
    time.runSync();
    expect(states).toEqual([trusted ? CSUM_PARTIAL : CSUM_NONE]);
    const out = b.frames[0];
    const field = (out[50] << 8) | out[51];
    // 12 words of 0x0707 beside the field, plus 0x1234
    const sum = 12 * 0x0707 + 0x1234;
    const folded = (sum & 0xffff) + (sum >>> 16);
    expect(field).toBe(trusted ? 0x1234 : ~folded & 0xffff);
  }
});

test("a super-segment passes a trusted cable only", () => {
  for (const trusted of [false, true]) {
    const { time, a, b, memory } = setUp({ trusted });
    const frame = memory.allocFrom(marked(1, 20_000), 14);
    memory.setGso(frame, GSO_TCPV4, 1448);
    a.device.transmit(frame);
    time.runSync();
    expect(b.frames.length).toBe(trusted ? 1 : 0);
    assertNoLeaks({ memory });
  }
});

test("a tap sees what leaves and what arrives", () => {
  const { time, cable, a } = setUp({ delayMs: 1 });
  const seen: string[] = [];
  cable.a.tap = (_, direction, timeUs) => seen.push(`a ${direction} ${timeUs}`);
  cable.b.tap = (_, direction, timeUs) => seen.push(`b ${direction} ${timeUs}`);
  a.send(marked(1));
  time.runSync();
  expect(seen).toEqual(["a out 0", "b in 1000"]);
});

test("closing releases what is under way and leaves the network", () => {
  const { time, net, cable, a, memory } = setUp({ delayMs: 1, bitsPerSecond: 1e6 });
  for (let i = 0; i < 10; i++) a.send(marked(i));
  cable.close();
  assertNoLeaks({ memory });
  expect(net.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  time.runSync(1000);
});

test("two different frame memories cannot be joined", () => {
  const { net } = setUp();
  const other = new Network({
    clock: virtualTime(),
    seed: 1,
    memory: { smallFrames: 8, largeFrames: 1, pages: 1 },
  });
  const cable = net.cable();
  expect(() => new RecordingSink(cable.a, other.memory)).toThrow("frame memory");
});
