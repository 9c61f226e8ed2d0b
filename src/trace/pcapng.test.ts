import { describe, expect, it } from "vitest";
import { parseAddress } from "../base/address.ts";
import { encodeTcpPacket } from "../wire/frame-fields.ts";
import { ACK, SYN } from "../wire/tcp.ts";
import { PacketLog, packetsOfHost } from "./packet-log.ts";
import { CaptureFormatError, readCapture } from "./pcap-reader.ts";
import { pcapngBytes, PcapngWriter } from "./pcapng-writer.ts";

const IP = { source: parseAddress("10.0.0.1"), destination: parseAddress("10.0.0.2") };
const packet = (sequence: number, length = 0) =>
  encodeTcpPacket(
    IP,
    { sourcePort: 4000, destinationPort: 80, sequence, flags: length > 0 ? ACK : SYN },
    new Uint8Array(length),
  );

function sample(): PacketLog {
  const log = new PacketLog();
  log.epochUs = Date.UTC(2024, 1, 29) * 1000;
  const a = log.addInterface({ name: "a.eth0", medium: "ip", host: "a" });
  const b = log.addInterface({ name: "b.eth0", medium: "ip", host: "b" });
  const one = packet(1, 3);
  log.packet(a, 0.125, "out", one, 0, one.length);
  log.packet(b, 1000.5, "in", one, 0, one.length);
  log.remark(0, "retransmission: RTO");
  log.remark(0, "한글도 된다");
  return log;
}

describe("pcapng", () => {
  it("comes back with names, nanoseconds, directions and comments", () => {
    const back = readCapture(pcapngBytes(sample()));
    expect(back.interfaces).toMatchObject([
      { name: "a.eth0", host: "a", medium: "ip" },
      { name: "b.eth0", host: "b" },
    ]);
    const [first, second] = [...back.packets()];
    expect(first.comments).toEqual(["retransmission: RTO", "한글도 된다"]);
    expect([first.direction, second.direction]).toEqual(["out", "in"]);
    expect(back.epochUs).toBe(Date.UTC(2024, 1, 29) * 1000);
    // 125 ns beside 1.7 * 10^18 of them.
    expect([first.timeUs, second.timeUs]).toEqual([0.125, 1000.5]);
    expect(first.bytes).toEqual(packet(1, 3));
  });

  it("live: is the same file, and comments still find a packet that is not handed out", () => {
    const parts: Uint8Array[] = [];
    const writer = new PcapngWriter((bytes) => parts.push(bytes));
    const id = writer.addInterface({ name: "tap0", medium: "ip", host: "" });
    const bytes = packet(1, 3);
    writer.packet(id, 5, "out", bytes, 0, bytes.length);
    writer.packet(id, 6, undefined, packet(2, 3), 0, bytes.length);
    expect(writer.comment(id, bytes, 0, bytes.length, "dropped by link: loss")).toBe(true);
    expect(writer.comment(id, bytes, 0, bytes.length, "retransmission: RTO")).toBe(true);
    writer.flush();
    expect(writer.comment(id, bytes, 0, bytes.length, "too late")).toBe(false);
    const back = readCapture(concat(parts));
    const [first, second] = [...back.packets()];
    expect([...first.comments].sort()).toEqual(["dropped by link: loss", "retransmission: RTO"]);
    expect([first.direction, second.direction, second.comments]).toEqual(["out", undefined, []]);
    expect([first.bytes, second.bytes]).toEqual([bytes, packet(2, 3)]);
    expect([first.timeUs, second.timeUs]).toEqual([5, 6]);
  });

  it("live: with today's date, in nanoseconds, in chunks", () => {
    const parts: Uint8Array[] = [];
    const epochUs = Date.UTC(2026, 10, 20) * 1000;
    const writer = new PcapngWriter((chunk) => parts.push(chunk), { epochUs, chunkBytes: 1000 });
    const id = writer.addInterface({ name: "tap0", medium: "ip", host: "" });
    for (let i = 0; i < 100; i++) {
      const bytes = packet(i, i);
      writer.packet(id, 4_294_967.295 * i, "in", bytes, 0, bytes.length);
    }
    writer.flush();
    expect(parts.length).toBeGreaterThan(10);
    const back = readCapture(concat(parts));
    expect([back.count, back.epochUs]).toEqual([100, epochUs]);
    for (let i = 0; i < 100; i++) {
      expect(back.timeUs(i)).toBeCloseTo(4_294_967.295 * i, 3);
      expect(back.bytes(i)).toEqual(packet(i, i));
    }
  });

  it("keeps no more than the snap length, and says how long the packet was", () => {
    const log = new PacketLog();
    const id = log.addInterface({ name: "x", medium: "ip", host: "", snapLength: 40 });
    log.packet(id, 0, "out", packet(1, 500), 0, 540);
    const [kept] = [...readCapture(pcapngBytes(log)).packets()];
    expect([kept.bytes.length, kept.originalLength]).toEqual([40, 540]);
  });

  it("cut off in the middle of a block gives what is whole", () => {
    const file = pcapngBytes(sample());
    expect(readCapture(file.subarray(0, file.length - 7)).count).toBe(1);
  });

  it("one host's packets alone, with their comments", () => {
    const one = packetsOfHost(sample(), "a");
    expect([one.count, one.interfaces.length, one.comments(0).length]).toEqual([1, 1, 2]);
  });
});

describe("classic pcap", () => {
  it.each([
    ["little-endian, microseconds", true, 0xa1b2c3d4, 250, 250],
    ["big-endian, microseconds", false, 0xa1b2c3d4, 250, 250],
    ["little-endian, nanoseconds", true, 0xa1b23c4d, 250, 0.25],
  ])("%s", (_, little, magic, fraction, timeUs) => {
    const bytes = packet(7, 10);
    const file = new Uint8Array(24 + 16 + bytes.length);
    const view = new DataView(file.buffer);
    view.setUint32(0, magic, little);
    view.setUint32(20, 101, little);
    view.setUint32(24, 1_700_000_000, little);
    view.setUint32(28, fraction, little);
    view.setUint32(32, bytes.length, little);
    view.setUint32(36, bytes.length, little);
    file.set(bytes, 40);
    const log = readCapture(file);
    expect(log.count).toBe(1);
    expect([log.epochUs, log.timeUs(0)]).toEqual([1_700_000_000e6, timeUs]);
    expect(log.bytes(0)).toEqual(bytes);
  });
});

describe("what is no capture", () => {
  it("is refused with a sentence", () => {
    expect(() => readCapture(new Uint8Array(0))).toThrow(CaptureFormatError);
    expect(() => readCapture(new Uint8Array(100).fill(1))).toThrow(/neither pcapng nor pcap/);
  });
});

describe("a full log", () => {
  it("keeps what it has and counts what it missed", () => {
    const log = new PacketLog({ limitBytes: 100 });
    const id = log.addInterface({ name: "x", medium: "ip", host: "" });
    for (let i = 0; i < 4; i++) log.packet(id, i, "out", new Uint8Array(40), 0, 40);
    expect([log.count, log.missed]).toEqual([2, 2]);
  });
});

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
