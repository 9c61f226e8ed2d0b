import { expect, test } from "vitest";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { marked, RecordingSink } from "../../test/support/recording-sink.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { Network } from "../network/network.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import type { CableOptions } from "./cable.ts";

/** An IPv4 packet of 1,000 bytes with these ECN bits and a correct header checksum. */
function ipv4Packet(ecn: number): Uint8Array {
  const bytes = marked(0x5a, 1000);
  bytes.set([0x45, 0x28 | ecn, 3, 0xe8, 1, 2, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
  const sum = ~headerSum(bytes) & 0xffff;
  bytes[10] = sum >>> 8;
  bytes[11] = sum;
  return bytes;
}

/** An IPv6 packet of 1,000 bytes with these ECN bits, DSCP 10 and flow label 0xabcde. */
function ipv6Packet(ecn: number): Uint8Array {
  const bytes = marked(0x5a, 1000);
  bytes.set([0x62, 0x80 | (ecn << 4) | 0xa, 0xbc, 0xde, 3, 0xc0, 6, 64]);
  return bytes;
}

function headerSum(bytes: Uint8Array, at = 0): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (bytes[at + i] << 8) | bytes[at + i + 1];
  return foldSum(sum);
}

function setUp(options: CableOptions) {
  const time = virtualTime();
  const memory = { smallFrames: 8192, largeFrames: 4, pages: 4 };
  const net = new Network({ clock: time, seed: 1, memory });
  const drops: number[] = [];
  // 1,000 bytes take 1 ms.
  const cable = net.cable({
    medium: "ip",
    bitsPerSecond: 8e6,
    onDrop: (_, reason, timeUs) => reason === "codel" && drops.push(timeUs / 1000),
    ...options,
  });
  const a = new RecordingSink(cable.a, net.memory);
  const b = new RecordingSink(cable.b, net.memory, () => net.now());
  /** Sends a packet every `everyUs` for `ms` milliseconds. */
  const overload = (everyUs: number, ms: number, packet: (i: number) => Uint8Array) => {
    for (let i = 0; i * everyUs < ms * 1000; i++) {
      time.runSync(i * everyUs);
      a.send(packet(i));
    }
    time.runSync();
  };
  return { time, cable, a, b, drops, overload, memory: net.memory };
}

test("RFC 8289 §5.3-5.6: the first drop after an interval above target, then faster with the square root", () => {
  const { overload, drops, memory } = setUp({ queue: { codel: true } });
  // A fifth too much: packet k leaves at k ms and has waited for k/5 ms. From
  // the 25th on that is 5 ms or more, so 100 ms later the first one is dropped.
  overload(800, 450, () => ipv4Packet(0));
  // Then after 100/sqrt(1) ms, after 100/sqrt(2) more, 100/sqrt(3), 100/sqrt(4)
  expect(drops.slice(0, 5)).toEqual([125, 225, 296, 354, 404]);
  assertNoLeaks({ memory });
});

test("RFC 8289 §3.2: a burst that drains within the interval is let through", () => {
  const { overload, b, drops } = setUp({ queue: { codel: true } });
  overload(10, 0.9, () => ipv4Packet(0)); // 90 packets at once
  expect(drops).toEqual([]);
  expect(b.frames.length).toBe(90);
});

test("a standing queue is kept near the target when the sender gives way", () => {
  const { time, cable, a, b, memory } = setUp({ delayMs: 10, queue: { codel: true } });
  // A sender with a window that it halves on loss and grows by one a round trip.
  let window = 40;
  let flying = 0;
  let acked = 0;
  let waits: number[] = [];
  const send = () => {
    while (flying < Math.floor(window)) {
      flying++;
      a.send(ipv4Packet(0));
    }
  };
  cable.onDrop = () => {
    flying--;
    window = Math.max(1, window / 2);
  };
  b.onFrame = () => {
    flying--;
    acked++;
    window += 1 / window;
    waits.push(cable.a.lane.queuedPackets);
  };
  for (let ms = 0; ms < 10_000; ms++) {
    if (ms === 2000) waits = [];
    send();
    time.runSync(ms * 1000);
  }
  time.runSync();
  waits.sort((x, y) => x - y);
  // 1 ms a packet. Without CoDel the queue would stand at its limit of 1,000.
  expect(waits[waits.length >> 1]).toBeLessThan(15);
  expect(acked).toBeGreaterThan(8500);
  assertNoLeaks({ memory });
});

test("RFC 3168 §5: ECN-capable packets are marked instead, at the same times", () => {
  for (const packet of [ipv4Packet, ipv6Packet]) {
    const { overload, b, cable, drops, memory } = setUp({ queue: { codel: { ecn: true } } });
    overload(800, 450, (i) => packet(1 + (i & 1)));
    expect(drops).toEqual([]);
    const ecnOf = (bytes: Uint8Array) => (packet === ipv4Packet ? bytes[1] : bytes[1] >>> 4) & 3;
    const marks = b.frames.map((bytes, i) => (ecnOf(bytes) === 3 ? i : -1)).filter((i) => i >= 0);
    // Packet i leaves at i ms.
    expect(marks.slice(0, 5)).toEqual([125, 225, 296, 354, 404]);
    expect(cable.a.lane.markedFrames).toBe(marks.length);
    // Nothing else has changed; the header checksum is what the whole packet's would be.
    b.frames.forEach((bytes, i) => {
      const original = packet(marks.includes(i) ? 3 : 1 + (i & 1));
      expect(Buffer.compare(bytes, original)).toBe(0);
    });
    assertNoLeaks({ memory });
  }
});

test("RFC 3168 §5: packets that are not ECN-capable are dropped all the same", () => {
  const { overload, drops } = setUp({ queue: { codel: { ecn: true } } });
  overload(800, 450, () => ipv4Packet(0));
  expect(drops.slice(0, 3)).toEqual([125, 225, 296]);
});

test("RFC 8257 §3.1: packets that find more than K waiting are marked", () => {
  const { a, b, time, memory } = setUp({ medium: "ethernet", queue: { markAbovePackets: 4 } });
  for (let i = 0; i < 8; i++) {
    const frame = new Uint8Array(1018);
    frame.set([0x81, 0, 0, 5, 0x08, 0x00], 12); // a VLAN tag in front of IPv4
    frame.set(ipv4Packet(2), 18);
    a.send(frame);
  }
  time.runSync();
  // One is being sent, the next five find 0 to 4 waiting.
  expect(b.frames.map((bytes) => bytes[19] & 3)).toEqual([2, 2, 2, 2, 2, 2, 3, 3]);
  expect(headerSum(b.frames[7], 18)).toBe(0xffff);
  assertNoLeaks({ memory });
});

test("marking a packet that others hold changes a copy", () => {
  const { a, b, time, memory } = setUp({ queue: { markAbovePackets: 0 } });
  a.send(ipv4Packet(2));
  a.send(ipv4Packet(2));
  const kept = memory.allocFrom(ipv4Packet(2));
  memory.retain(kept);
  a.device.transmit(kept);
  time.runSync();
  expect(b.frames[2][1] & 3).toBe(3);
  expect(memory.copyOut(kept)).toEqual(ipv4Packet(2));
  memory.release(kept);
  assertNoLeaks({ memory });
});
