import { expect, test } from "vitest";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { RecordingSink } from "../../test/support/recording-sink.ts";
import { GSO_TCPV4 } from "../base/frame-memory.ts";
import { Network } from "../network/network.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import type { SwitchOptions } from "./switch.ts";

const BROADCAST = [255, 255, 255, 255, 255, 255];
const station = (n: number) => [2, 0, 0, 0, n >> 8, n & 255];

/** An Ethernet frame whose payload is filled with a mark. */
function ethernet(to: number[], from: number[], mark: number): Uint8Array {
  const bytes = new Uint8Array(60).fill(mark);
  bytes.set([...to, ...from, 0x08, 0x00]);
  return bytes;
}

function setUp(ports: number, options: SwitchOptions = {}) {
  const time = virtualTime();
  const memory = { smallFrames: 4096, largeFrames: 4, pages: 4 };
  const net = new Network({ clock: time, seed: 1, memory });
  const lan = net.switch(options);
  const hosts = Array.from(
    { length: ports },
    () => new RecordingSink(lan.port(), net.memory, () => net.now()),
  );
  const marks = () => hosts.map((host) => host.marks(14));
  return { time, net, lan, hosts, marks, memory: net.memory };
}

test("an unknown destination is flooded, a learnt one is not", () => {
  const { time, hosts, marks, memory, lan } = setUp(3);
  hosts[0].send(ethernet(station(1), station(0), 10));
  time.runSync(0);
  expect(marks()).toEqual([[], [10], [10]]);
  hosts[1].send(ethernet(station(0), station(1), 11));
  hosts[0].send(ethernet(station(1), station(0), 12));
  time.runSync(0);
  expect(marks()).toEqual([[11], [10, 12], [10]]);
  expect(lan.addresses).toBe(2);
  assertNoLeaks({ memory });
});

test("broadcast and multicast go everywhere but back, as one frame", () => {
  const { time, hosts, marks, memory } = setUp(4);
  const frames: number[] = [];
  for (const host of hosts) host.onFrame = (frame) => frames.push(frame);
  hosts[1].send(ethernet(BROADCAST, station(1), 20));
  time.runSync(0);
  hosts[1].send(ethernet([0x33, 0x33, 0, 0, 0, 1], station(1), 21));
  time.runSync(0);
  expect(marks()).toEqual([[20, 21], [], [20, 21], [20, 21]]);
  expect(new Set(frames.slice(0, 3)).size).toBe(1);
  assertNoLeaks({ memory });
});

test("a frame that several keep lives until the last lets it go", () => {
  const { time, hosts, memory } = setUp(3);
  const kept: number[] = [];
  for (const host of hosts) {
    host.onFrame = (frame) => {
      memory.retain(frame);
      kept.push(frame);
    };
  }
  hosts[0].send(ethernet(BROADCAST, station(0), 1));
  time.runSync(0);
  expect(memory.framesInUse).toBe(1);
  for (const frame of kept) memory.release(frame);
  assertNoLeaks({ memory });
});

test("a station that moves to another port is found there", () => {
  const { time, hosts, marks } = setUp(3);
  hosts[0].send(ethernet(BROADCAST, station(9), 1));
  time.runSync(0);
  hosts[1].send(ethernet(BROADCAST, station(9), 2));
  time.runSync(0);
  hosts[2].send(ethernet(station(9), station(2), 3));
  time.runSync(0);
  expect(marks()).toEqual([[2], [1, 3], [1, 2]]);
});

test("IEEE 802.1Q §8.8.3: an address is forgotten after 300 s of silence, and no sooner", () => {
  const { time, hosts, marks } = setUp(3);
  hosts[0].send(ethernet(BROADCAST, station(0), 1));
  time.runSync(200e6);
  hosts[0].send(ethernet(BROADCAST, station(0), 2));
  time.runSync(499e6);
  hosts[1].send(ethernet(station(0), station(1), 3));
  time.runSync(501e6);
  expect(marks()[2]).toEqual([1, 2]);
  hosts[1].send(ethernet(station(0), station(1), 4));
  time.runSync(501e6);
  expect(marks()[2]).toEqual([1, 2, 4]);
});

test("a flood of made-up addresses neither grows the table nor pushes out a real one", () => {
  const { time, lan, hosts, marks } = setUp(3, { addresses: 100 });
  hosts[0].send(ethernet(BROADCAST, station(0), 1));
  for (let i = 0; i < 2000; i++) {
    hosts[1].send(ethernet(station(5000), station(1000 + i), 2));
    if (i % 50 === 0) time.runSync(0);
  }
  time.runSync(0);
  expect(lan.addresses).toBe(100);
  const before = marks()[1].length;
  hosts[2].send(ethernet(station(0), station(2), 3));
  time.runSync(0);
  expect(marks()[0].at(-1)).toBe(3);
  expect(marks()[1].length).toBe(before);
  // When the made-up ones have aged, new addresses are learnt in their place.
  time.runSync(400e6);
  hosts[2].send(ethernet(BROADCAST, station(2), 4));
  hosts[1].send(ethernet(station(2), station(1), 5));
  time.runSync(400e6);
  expect(marks()[0].filter((mark) => mark === 5)).toEqual([]);
});

test("a port without a cable loses frames and is forgotten", () => {
  const { time, hosts, marks, lan, memory } = setUp(3);
  const drops: string[] = [];
  lan.onDrop = (_, reason) => drops.push(reason);
  hosts[0].send(ethernet(BROADCAST, station(0), 1));
  time.runSync(0);
  const port = hosts[0].device as import("./switch.ts").SwitchPort;
  port.down();
  expect(lan.addresses).toBe(0);
  hosts[0].send(ethernet(BROADCAST, station(0), 2));
  hosts[1].send(ethernet(station(0), station(1), 3));
  time.runSync(0);
  expect(drops).toEqual(["down"]);
  expect(marks()).toEqual([[], [1], [1, 3]]);
  port.up();
  expect(hosts[0].links).toEqual([false, true]);
  hosts[1].send(ethernet(station(0), station(1), 4));
  time.runSync(0);
  expect(marks()[0]).toEqual([4]);
  assertNoLeaks({ memory });
});

test("a sender finds no room after 64 frames and is told when there is some", () => {
  const { time, hosts, memory } = setUp(2);
  for (let i = 0; i < 64; i++) hosts[0].send(ethernet(station(1), station(0), i));
  expect(hosts[0].device.room()).toBe(0);
  time.runSync(0);
  expect(hosts[0].writables).toBe(1);
  expect(hosts[1].frames.length).toBe(64);
  assertNoLeaks({ memory });
});

test("two switches joined by a slow cable are one LAN", () => {
  const { time, net, lan, hosts, memory } = setUp(1);
  const other = net.switch();
  const cable = net.cable({ delayMs: 3, bitsPerSecond: 1e6 });
  lan.connect(cable.a);
  other.connect(cable.b);
  const far = new RecordingSink(other.port(), memory, () => net.now());
  hosts[0].send(ethernet(station(7), station(0), 1));
  time.runSync();
  expect(far.marks(14)).toEqual([1]);
  expect(far.times).toEqual([3000 + 480]);
  far.send(ethernet(station(0), station(7), 2));
  time.runSync();
  expect(hosts[0].marks(14)).toEqual([2]);
  lan.disconnect(cable.a);
  far.send(ethernet(station(0), station(7), 3));
  time.runSync();
  expect(hosts[0].marks(14)).toEqual([2]);
  assertNoLeaks({ memory });
});

test("a port with a cable's options has that cable in between", () => {
  const { time, net, lan, hosts, memory } = setUp(1);
  const far = new RecordingSink(lan.port({ delayMs: 20 }), memory, () => net.now());
  far.send(ethernet(BROADCAST, station(7), 2));
  time.runSync();
  expect(hosts[0].times).toEqual([20_000]);
  assertNoLeaks({ memory });
});

test("runts and frames to reserved addresses go nowhere", () => {
  const { time, hosts, marks, memory } = setUp(2);
  hosts[0].send(new Uint8Array(13).fill(255));
  hosts[0].send(ethernet([0x01, 0x80, 0xc2, 0, 0, 0x0e], station(0), 1));
  hosts[0].send(ethernet([0x01, 0x80, 0xc2, 0, 0, 0x10], station(0), 2));
  time.runSync(0);
  expect(marks()[1]).toEqual([2]);
  assertNoLeaks({ memory });
});

test("a trusted switch finishes frames for a device that cannot: cuts, and completes checksums", () => {
  const { time, net, lan, memory } = setUp(0, { trusted: true });
  const sent: Uint8Array[] = [];
  lan.connect(
    net.packetDevice({ medium: "ethernet", mtu: 1500, send: (bytes) => sent.push(bytes) }),
  );
  const inside = new RecordingSink(lan.port(), memory, () => net.now());
  const host = new RecordingSink(lan.port(), memory, () => net.now());
  // Ethernet, IPv4, TCP with 3,000 bytes of payload to be cut into 1,448
  const payload = 3000;
  const bytes = new Uint8Array(54 + payload).fill(0x61, 54);
  bytes.set(ethernet(BROADCAST, station(1), 0).subarray(0, 14));
  bytes.set([0x45, 0, (40 + payload) >> 8, (40 + payload) & 255, 0, 0, 0x40, 0, 64, 6], 14);
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2], 26);
  bytes.set([0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x18], 34);
  const frame = memory.allocFrom(bytes, 14);
  const at = memory.start(frame);
  memory.setGso(frame, GSO_TCPV4, 1448);
  memory.setPartialChecksum(frame, at + 34, 16);
  host.device.transmit(frame);
  time.runSync();
  expect(inside.frames.map((each) => each.length)).toEqual([54 + payload]);
  expect(sent.map((each) => each.length)).toEqual([54 + 1448, 54 + 1448, 54 + 104]);
  for (const packet of sent) {
    // Pseudo-header and segment sum up to all ones.
    let sum = 6 + (packet.length - 34);
    for (let i = 26; i < packet.length; i += 2) sum += (packet[i] << 8) | packet[i + 1];
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    expect(sum).toBe(0xffff);
  }
  net.close();
  assertNoLeaks({ memory });
});
