import { afterEach, describe, expect, test } from "vitest";
import { type PeerOptions, TcpPeer } from "../../test/support/tcp-peer.ts";
import type { TcpOption } from "../wire/tcp-options-fields.ts";
import type { TcpSettings } from "./settings.ts";

/** Options: RFC 9293 §3.2, RFC 7323 §3 to §5. */

let t: TcpPeer;
afterEach(() => t.end());

const ts = (val: number, ecr: number): TcpOption[] => [
  { kind: "nop" },
  { kind: "nop" },
  { kind: "timestamps", val, ecr },
];

/** Established with timestamps; the peer's clock stands at 1000. */
function stamped(tcp: Partial<TcpSettings> = {}, peer: PeerOptions = {}): TcpPeer {
  t = new TcpPeer({ ...peer, tcp });
  t.listen();
  t.in("S", { seq: 0, options: [{ kind: "mss", mss: 1460 }, ...ts(1000, 0)] });
  t.next = 1;
  t.timestamps = 1000;
  t.in("A");
  t.accept();
  t.ignore();
  return t;
}

const other = (number: number, ...data: number[]): TcpOption => ({
  kind: "other",
  number,
  data: Uint8Array.from(data),
});

describe("RFC 9293 §3.2: options", () => {
  test("MUST-4: end of list, no-operation and MSS are understood", () => {
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: [{ kind: "nop" }, { kind: "mss", mss: 700 }, { kind: "eol" }] });
    t.next = 1;
    t.in("A");
    t.accept();
    t.send(2000);
    expect(t.segments().at(-1)!.length).toBeLessThanOrEqual(700);
    expect(t.c.sndMss).toBe(700);
  });

  test("MUST-4: what stands behind the end of list is not looked at", () => {
    t = new TcpPeer();
    t.listen();
    const rest: TcpOption = { kind: "rest", bytes: Uint8Array.of(2, 4, 0x01, 0x00, 0, 0, 0) };
    t.in("S", { seq: 0, options: [{ kind: "eol" }, rest] });
    t.next = 1;
    t.in("A");
    t.accept();
    expect(t.c.sndMss).toBe(536);
  });

  test("MUST-5: an option may come in any segment", () => {
    stamped();
    t.in("A", { data: 10, options: [{ kind: "nop" }, { kind: "nop" }, ...ts(1001, t.lastTsVal)] });
    t.in("FA", { options: ts(1002, t.lastTsVal) });
    expect(t.state).toBe("CLOSE-WAIT");
  });

  test("MUST-6, MUST-68: an option that nobody knows is passed over by its length", () => {
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: [other(200, 1, 2, 3), other(201), { kind: "mss", mss: 900 }] });
    t.next = 1;
    t.in("A", { options: [other(77, 9)] });
    t.accept();
    expect(t.c.sndMss).toBe(900);
  });

  test.each<[string, number[]]>([
    ["length 0", [77, 0, 1, 1]],
    ["length 1", [77, 1, 1, 1]],
    ["a length beyond the header", [77, 40, 1, 1]],
    ["a kind without a length at the very end", [1, 1, 1, 77]],
    ["an MSS of the wrong length", [2, 3, 5, 0]],
    ["a window scale of the wrong length", [3, 2, 1, 1]],
    ["SACK of a length that fits no blocks", [5, 7, 0, 0, 0, 0, 0, 0]],
    ["timestamps too short", [8, 4, 0, 0]],
  ])("MUST-7: illegal: %s: the segment is taken all the same", (_, bytes) => {
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: [{ kind: "rest", bytes: Uint8Array.from(bytes) }] });
    expect(t.out()).toEqual(["SA 0 ack 1"]);
    t.next = 1;
    t.in("A", { options: [{ kind: "rest", bytes: Uint8Array.from(bytes) }], data: 10 });
    t.accept();
    expect(t.read()).toBe(10);
  });

  test("MUST-64: options need not be aligned", () => {
    t = new TcpPeer();
    t.listen();
    t.in("S", {
      seq: 0,
      options: [
        { kind: "nop" },
        { kind: "mss", mss: 800 },
        { kind: "timestamps", val: 5, ecr: 0 },
        { kind: "nop" },
      ],
    });
    const [synAck] = t.segments();
    expect(synAck!.timestamps!.ecr).toBe(5);
    t.next = 1;
    t.in("A", {
      options: [
        { kind: "timestamps", val: 6, ecr: synAck!.timestamps!.val },
        { kind: "nop" },
        { kind: "nop" },
      ],
    });
    t.accept();
    expect(t.c.tsRecent).toBe(6);
  });

  test("MUST-69: our own headers are padded with zeros to 32 bits", () => {
    for (const optionLayout of ["linux", "freebsd"] as const) {
      t = new TcpPeer({ tcp: { optionLayout } });
      t.connect();
      const [syn] = t.segments();
      const header = (syn!.packet[20 + 12]! >> 4) * 4;
      expect(header % 4).toBe(0);
      expect(syn!.packet.length).toBe(20 + header);
      expect(syn!.options.some((o) => o.kind === "rest")).toBe(false);
      if (optionLayout === "linux") t.end();
    }
  });

  test("reserved bits are ignored, and sent as zero", () => {
    t = new TcpPeer();
    t.establish();
    t.in("A", { data: 10, reserved: 7 });
    t.run(100);
    const [ack] = t.segments();
    expect(ack!.ack).toBe(11);
    expect(ack!.packet[20 + 12]! & 0x0f).toBe(0);
  });
});

describe("RFC 7323 §3: timestamps", () => {
  test("§3.2: offered in the SYN with TSecr 0, used only when both sides offer them", () => {
    t = new TcpPeer();
    t.connect();
    expect(t.segments()[0]!.timestamps!.ecr).toBe(0);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    t.next = 1;
    t.send(10);
    for (const s of t.segments()) expect(s.timestamps).toBeUndefined();
  });

  test("§3.2: once in use they are in every segment, RST included where there is one", () => {
    stamped();
    t.send(10);
    t.in("A", { data: 10 });
    t.run(100);
    t.abort();
    const sent = t.segments();
    expect(sent.map((s) => s.flags)).toEqual(["PA", "A", "RA"]);
    for (const s of sent) expect(s.timestamps).toBeDefined();
  });

  test("§3.2: TSecr echoes what was received", () => {
    stamped();
    t.timestamps = 1234;
    t.in("A", { data: 2000 - 600 });
    t.run(100);
    expect(t.segments().at(-1)!.timestamps!.ecr).toBe(1234);
  });

  test("§5.4: our clock ticks once a millisecond", () => {
    stamped();
    t.send(1);
    const [first] = t.segments();
    t.in("A");
    t.run(500);
    t.send(1);
    const [second] = t.segments();
    expect(second!.timestamps!.val - first!.timestamps!.val).toBe(500);
  });

  test("§7.1: clocks of different peers do not start alike", () => {
    t = new TcpPeer();
    t.listen();
    const vals = ["10.0.0.2", "10.0.0.3"].map((source) => {
      t.in("S", { seq: 0, source, options: ts(1, 0) });
      return t.segments()[0]!.timestamps!.val;
    });
    expect(vals[0]).not.toBe(vals[1]);
  });

  test("§4.3 (2): TS.Recent follows only what stands at or before the last ACK sent", () => {
    stamped();
    t.timestamps = 1010;
    t.in("A", { data: 100 });
    expect(t.c.tsRecent).toBe(1010);
    // Not acknowledged yet: the next one does not replace it, so that the delay counts.
    t.timestamps = 1020;
    t.in("A", { data: 100 });
    expect(t.c.tsRecent).toBe(1010);
    t.run(100);
    expect(t.segments().at(-1)!.timestamps!.ecr).toBe(1010);
    t.timestamps = 1030;
    t.in("A", { data: 100 });
    expect(t.c.tsRecent).toBe(1030);
  });

  test("§4.3: a segment beyond a gap does not, the one that fills the gap does", () => {
    stamped();
    t.timestamps = 1050;
    t.in("A", { seq: 101, data: 100 });
    expect(t.c.tsRecent).toBe(1000);
    expect(t.segments().at(-1)!.timestamps!.ecr).toBe(1000);
    t.timestamps = 1040;
    t.in("A", { seq: 1, data: 100 });
    expect(t.segments().at(-1)!.timestamps!.ecr).toBe(1040);
  });

  test("§4.1: a round trip is measured from the echo of a retransmission", () => {
    stamped({ tlp: false, frto: false });
    t.send(100);
    t.run(250);
    const sent = t.segments();
    expect(sent).toHaveLength(2);
    t.run(40);
    t.in("A");
    // 40 to 41 ms, where Karn's algorithm alone would allow no sample.
    expect(t.c.srttUs).toBeGreaterThan(0);
    expect(t.c.minRttUs).toBeLessThan(100_000);
  });

  test("§3.2: a segment without the option, once it is in use: taken (as others do)", () => {
    stamped();
    t.in("A", { data: 10, options: [] });
    expect(t.read()).toBe(10);
  });
});

describe("RFC 7323 §5: PAWS", () => {
  test("§5.3 R1: an older timestamp: an ACK, and the segment is dropped", () => {
    stamped();
    t.timestamps = 999;
    t.in("A", { data: 10 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    expect(t.tcp.readable(t.c)).toBe(0);
    expect(t.counters.tcpPawsEstab).toBe(1);
  });

  test("§5.3 R1: the same timestamp is taken", () => {
    stamped();
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
  });

  test("§5.2: timestamps are compared modulo 2^32", () => {
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: ts(0x7ffffff0, 0) });
    t.next = 1;
    t.timestamps = 0x7ffffff0;
    t.in("A");
    t.accept();
    t.timestamps = -0x7ffffff0;
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
    t.timestamps = 0x7ffffff0;
    t.in("A", { data: 10 });
    expect(t.tcp.readable(t.c)).toBe(0);
  });

  test("§5.2: PAWS does not apply to RST", () => {
    stamped();
    t.in("R", { seq: 1, options: ts(5, 0) });
    expect(t.state).toBe("CLOSED");
  });

  test("§5.5: after 24 days without a segment TS.Recent is worth nothing", () => {
    stamped();
    t.run(25 * 86_400_000);
    t.timestamps = 5;
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
    expect(t.c.tsRecent).toBe(5);
  });
});
