import { expect, test } from "vitest";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { marked, RecordingSink } from "../../test/support/recording-sink.ts";
import { FrameMemory, frameMemoryBytes } from "../base/frame-memory.ts";
import { createKernel } from "../kernel/create-kernel.ts";
import { PacketDevice, type PacketDeviceOptions } from "./packet-device.ts";

function setUp(options: Partial<PacketDeviceOptions> = {}) {
  const sizes = { smallFrames: 8, largeFrames: 1, pages: 1, reserve: 0 };
  const memory = new FrameMemory(createKernel(frameMemoryBytes(sizes)), sizes);
  const sent: Uint8Array[] = [];
  const send = (bytes: Uint8Array): unknown => sent.push(bytes);
  const device = new PacketDevice({ medium: "ethernet", mtu: 1500, send, ...options });
  return { memory, sent, device };
}

test("what the host transmits comes out as bytes that stay as they are", () => {
  const { memory, sent, device } = setUp();
  const host = new RecordingSink(device, memory);
  host.send(marked(1));
  host.send(marked(2));
  expect(sent).toEqual([marked(1), marked(2)]);
  expect(sent[0].buffer.byteLength).toBe(100);
  assertNoLeaks({ memory });
});

test("what is received is copied, lent to the host and released", () => {
  const { memory, device } = setUp();
  const host = new RecordingSink(device, memory);
  const buffer = marked(1);
  expect(device.receive(buffer)).toBe(true);
  buffer.fill(9);
  expect(host.frames).toEqual([marked(1)]);
  assertNoLeaks({ memory });
});

test("send that answers false is not called again before writable", () => {
  const { memory, device } = setUp({ send: () => false });
  const host = new RecordingSink(device, memory);
  expect(device.room()).toBeGreaterThan(0);
  host.send(marked(1));
  expect(device.room()).toBe(0);
  expect(host.writables).toBe(0);
  device.writable();
  device.writable();
  expect(host.writables).toBe(1);
  expect(device.room()).toBeGreaterThan(0);
});

test("a packet handed in from inside send reaches the host later, not within transmit", async () => {
  const { memory, device } = setUp({ send: (bytes) => device.receive(bytes) });
  const host = new RecordingSink(device, memory);
  host.send(marked(1));
  expect(host.frames).toEqual([]);
  await Promise.resolve();
  expect(host.frames).toEqual([marked(1)]);
  assertNoLeaks({ memory });
});

test("what cannot be taken is dropped and counted", () => {
  const { memory, device } = setUp();
  expect(device.receive(marked(1))).toBe(false); // no host
  const host = new RecordingSink(device, memory);
  expect(device.receive(marked(1, 1523))).toBe(false); // too long, with two VLAN tags too
  host.onFrame = (frame) => memory.retain(frame);
  for (let i = 0; i < 8; i++) expect(device.receive(marked(i))).toBe(true);
  expect(device.receive(marked(8))).toBe(false); // no frame free
  expect(device.dropped).toBe(3);
});

test("the link goes down and up, and down for good when closed", () => {
  let closed = 0;
  const { memory, sent, device } = setUp({ linkUp: false, close: () => void closed++ });
  const host = new RecordingSink(device, memory);
  host.send(marked(1));
  device.setLink(true);
  host.send(marked(2));
  device.close();
  device.close();
  device.setLink(true);
  host.send(marked(3));
  expect(device.receive(marked(4))).toBe(false);
  expect(sent).toEqual([marked(2)]);
  expect(host.links).toEqual([true, false]);
  expect(device.linkUp).toBe(false);
  expect(closed).toBe(1);
  assertNoLeaks({ memory });
});

test("an MTU that IP cannot use is refused", () => {
  expect(() => setUp({ mtu: 60 })).toThrow("at least 68");
});
