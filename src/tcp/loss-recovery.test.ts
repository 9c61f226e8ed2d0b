import { afterEach, describe, expect, test } from "vitest";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import type { TcpOption } from "../wire/tcp-options-fields.ts";
import type { TcpSettings } from "./settings.ts";

/** Loss and its repair at a sender: RFC 5681, 6582, 6675, 3042, 8985, 5682, 3522, 4015, 2018 §8. */

let t: TcpPeer;
afterEach(() => t.end());

const MSS = 1000;

/** A peer with MSS 1000; with SACK unless told otherwise; Reno, ten segments as first window, RTT 100 ms. */
function open(tcp: Partial<TcpSettings> = {}, sack = true): TcpPeer {
  t = new TcpPeer({ tcp: { congestionControl: "reno", ...tcp } });
  const options: TcpOption[] = [{ kind: "mss", mss: MSS }];
  if (sack) options.push({ kind: "sackOK" });
  t.connect();
  t.run(100);
  t.ignore();
  t.in("SA", { seq: 0, ack: 1, options });
  t.next = 1;
  t.ignore();
  return t;
}

/** Sends ten segments, which the test may lose. */
function tenInFlight(): void {
  t.send(40 * MSS);
  expect(t.segments()).toHaveLength(10);
  t.run(100);
}

/** Number of the segment (0 is the first) that begins at a sequence number. */
const numbers = () =>
  t
    .segments()
    .filter((s) => s.length > 0)
    .map((s) => (s.seq - 1) / MSS);
const at = (n: number) => 1 + n * MSS;
const hole = (...blocks: [number, number][]): TcpOption[] => [
  { kind: "nop" },
  { kind: "nop" },
  {
    kind: "sack",
    blocks: blocks.map(([from, to]) => [at(from) + t.hostIss, at(to) + t.hostIss]),
  },
];

describe("RFC 5681 §3.2, RFC 6582: without SACK", () => {
  const reno = { frto: false, tlp: false, rack: false };

  test("§3.2 step 2: the third duplicate ACK sends the first segment again", () => {
    open(reno, false);
    tenInFlight();
    t.in("A", { ack: 1 });
    t.in("A", { ack: 1 });
    // RFC 3042: the first two let a new segment out each.
    expect(numbers()).toEqual([10, 11]);
    t.in("A", { ack: 1 });
    expect(numbers()[0]).toBe(0);
  });

  test("RFC 3042: limited transmit can be switched off", () => {
    open({ ...reno, limitedTransmit: false }, false);
    tenInFlight();
    t.in("A", { ack: 1 });
    t.in("A", { ack: 1 });
    expect(numbers()).toEqual([]);
  });

  test("§3.2 step 2: ssthresh is half of what was in flight", () => {
    open(reno, false);
    tenInFlight();
    for (let i = 0; i < 3; i++) t.in("A", { ack: 1 });
    expect(t.c.ssthresh).toBeLessThanOrEqual(6 * MSS);
    expect(t.c.ssthresh).toBeGreaterThanOrEqual(4 * MSS);
  });

  test("a segment with data or another window is no duplicate ACK", () => {
    open(reno, false);
    tenInFlight();
    for (let i = 0; i < 3; i++) t.in("A", { ack: 1, data: 10 });
    for (let i = 0; i < 3; i++) t.in("A", { ack: 1, window: 60_000 - i });
    expect(numbers()).toEqual([]);
  });

  test("RFC 6582 §3.2 step 3: a partial ACK sends the next hole again, without more duplicates", () => {
    open(reno, false);
    tenInFlight();
    for (let i = 0; i < 3; i++) t.in("A", { ack: 1 });
    t.ignore();
    t.in("A", { ack: at(4) });
    expect(numbers()).toContain(4);
  });

  test("RFC 6582 §3.2: a full ACK ends the recovery with cwnd at ssthresh", () => {
    open(reno, false);
    tenInFlight();
    for (let i = 0; i < 5; i++) t.in("A", { ack: 1 });
    t.in("A", { ack: t.seen });
    expect(t.c.cwnd).toBeLessThanOrEqual(t.c.ssthresh + 2 * MSS);
    expect(t.tcp.info(t.c).caState).toBe(0);
  });

  test("RFC 6582 §3.2: duplicates of the full ACK do not begin another recovery", () => {
    open(reno, false);
    tenInFlight();
    for (let i = 0; i < 5; i++) t.in("A", { ack: 1 });
    t.in("A", { ack: t.seen });
    const una = (t.c.sndUna - t.c.iss) | 0;
    t.ignore();
    for (let i = 0; i < 5; i++) t.in("A", { ack: una });
    expect(numbers().filter((n) => at(n) < una)).toEqual([]);
  });

  test("RFC 5681 §2: duplicates count for one ACK number only", () => {
    open(reno, false);
    tenInFlight();
    for (let n = 0; n < 6; n++) {
      t.in("A", { ack: at(n) });
      t.in("A", { ack: at(n) });
    }
    expect(numbers().every((n) => n >= 10)).toBe(true);
  });
});

describe("RFC 6675, RFC 8985: with SACK", () => {
  const only = { frto: false, tlp: false };

  test("RFC 8985 §6.2: what was sent before segments that have arrived is lost, and only that", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([1, 2]) });
    t.in("A", { ack: 1, options: hole([1, 3]) });
    t.ignore();
    t.in("A", { ack: 1, options: hole([1, 4]) });
    expect(numbers()[0]).toBe(0);
  });

  test("several holes are all sent again in one recovery, as cwnd allows", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([9, 10], [5, 8], [1, 4]) });
    const again: number[] = numbers();
    // 0, 4 and 8 are missing.
    for (let i = 0; i < 10; i++) {
      t.run(10);
      t.in("A", { ack: 1, options: hole([9, 10], [5, 8], [1, 4]) });
      again.push(...numbers());
    }
    expect(again.filter((n) => n < 10)).toEqual([0, 4, 8]);
  });

  test("what was SACKed is not sent again after a timeout", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([1, 10]) });
    t.run(5000);
    const again = numbers();
    expect(again.length).toBeGreaterThan(0);
    // Pieces of the first, after a smaller path MTU was suspected, are well too.
    expect(again.every((n) => n < 1 || n >= 10)).toBe(true);
  });

  test("RFC 8985 §6.2: a retransmission that is lost too is found by what was sent after it", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([1, 4]) });
    expect(numbers()[0]).toBe(0);
    t.run(60);
    t.in("A", { ack: 1, options: hole([1, 10]) });
    const later = numbers();
    expect(later.length).toBeGreaterThan(0);
    t.run(100);
    // What was sent after the retransmission has arrived, the retransmission has not.
    t.in("A", { ack: 1, options: hole([1, (later.at(-1) ?? 10) + 1]) });
    t.run(40);
    expect(numbers()).toContain(0);
  });

  test("RFC 8985 §6.2: a little reordering is waited out", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([1, 2]) });
    t.in("A", { ack: at(2) });
    t.run(10);
    expect(numbers().filter((n) => n < 10)).toEqual([]);
    expect(t.tcp.info(t.c).caState).toBe(0);
  });

  test("RFC 2018 §8: a receiver that took its SACK back: at the timeout all is sent again", () => {
    open(only);
    t.send(4 * MSS);
    t.run(100);
    t.in("A", { ack: 1, options: hole([1, 4]) });
    t.run(50);
    t.ignore();
    // It acknowledges up to the SACKed part, and no more: the rest is gone.
    t.in("A", { ack: at(1) });
    t.run(3000);
    expect(numbers()).toContain(1);
    t.in("A", { ack: at(4) });
    expect(t.tcp.outq(t.c)).toBe(0);
  });

  test("SACK blocks that cannot be are ignored", () => {
    open(only);
    tenInFlight();
    t.in("A", { ack: 1, options: hole([5, 5]) });
    t.in("A", { ack: 1, options: hole([7, 3]) });
    t.in("A", { ack: 1, options: hole([50, 60]) });
    t.in("A", { ack: 1, options: hole([5, 60]) });
    expect(t.tcp.info(t.c).sackedSegments).toBe(0);
    expect(t.state).toBe("ESTABLISHED");
  });

  test("parts of segments may be SACKed: only whole ones count", () => {
    open(only);
    tenInFlight();
    const half: TcpOption[] = [
      { kind: "nop" },
      { kind: "nop" },
      { kind: "sack", blocks: [[at(2) + 500 + t.hostIss, at(4) + 500 + t.hostIss]] },
    ];
    t.in("A", { ack: 1, options: half });
    expect(t.tcp.info(t.c).sackedSegments).toBe(1);
  });
});

describe("RFC 8985 §7: tail loss probe", () => {
  test("§7.2, §7.3: after 2 SRTT without an ACK the last segment goes again", () => {
    open({ tlp: true });
    t.send(3 * MSS);
    t.ignore();
    const from = t.nowMs;
    t.run(250);
    const probes = t.segments();
    expect(probes.map((s) => s.seq)).toEqual([at(2)]);
    expect(probes[0]!.atMs - from).toBeGreaterThanOrEqual(200);
    expect(probes[0]!.atMs - from).toBeLessThan(210);
  });

  test("§7.3: with new data to send that is the probe", () => {
    open({ tlp: true, initialWindow: 2 });
    t.send(5 * MSS);
    expect(numbers()).toEqual([0, 1]);
    t.run(250);
    expect(numbers()).toEqual([2]);
  });

  test("§7.3: one probe, then the timeout", () => {
    open({ tlp: true });
    t.send(3 * MSS);
    t.ignore();
    t.run(2000);
    const [probe, ...rest] = numbers();
    expect(probe).toBe(2);
    expect(rest[0]).toBe(0);
  });

  test("§7.4: a D-SACK for the probe: nothing was lost, no reduction", () => {
    open({ tlp: true });
    t.send(3 * MSS);
    const cwnd = t.c.cwnd;
    t.run(250);
    t.in("A", { ack: at(3), options: hole([2, 3]) });
    t.run(200);
    expect(t.c.cwnd).toBeGreaterThanOrEqual(cwnd);
  });

  test("§7.4: no D-SACK for the probe: it repaired a loss, the window answers for it", () => {
    open({ tlp: true });
    tenInFlight();
    t.in("A", { ack: at(9) });
    t.run(100);
    t.in("A", { ack: t.seen - 1000 });
    t.in("A", { ack: t.seen });
    t.send(3 * MSS);
    t.in("A", { ack: t.seen });
    t.send(4 * MSS);
    t.ignore();
    const before = t.c.cwnd;
    t.run(450);
    expect(t.counters.tcpLossProbes).toBeGreaterThan(0);
    t.in("A", { ack: t.seen });
    // Not before something sent later is acknowledged: a D-SACK could still come.
    expect(t.counters.tcpLossProbeRecovery).toBe(0);
    t.send(MSS);
    t.in("A", { ack: t.seen });
    expect(t.counters.tcpLossProbeRecovery).toBe(1);
    expect(t.c.ssthresh).toBeLessThan(before);
  });
});

describe("RFC 5682: F-RTO", () => {
  test("§3.1: the timeout was needless: originals are SACKed or acknowledged: nothing more is sent again", () => {
    open({ frto: true, tlp: false });
    tenInFlight();
    t.run(500);
    expect(numbers()[0]).toBe(0);
    // The ACKs were late: the original of segment 0, then of the others.
    t.in("A", { ack: at(1) });
    expect(numbers().every((n) => n >= 10)).toBe(true);
    t.in("A", { ack: at(2) });
    t.in("A", { ack: at(3) });
    expect(numbers().every((n) => n >= 10)).toBe(true);
    expect(t.counters.tcpSpuriousRtos).toBe(1);
    expect(t.c.cwnd).toBeGreaterThanOrEqual(9 * MSS);
  });

  test("§3.1: the timeout was right: after the probe with new data the rest goes again", () => {
    open({ frto: true, tlp: false });
    tenInFlight();
    t.run(500);
    expect(numbers()[0]).toBe(0);
    t.in("A", { ack: at(1) });
    const probes = numbers();
    expect(probes.length).toBeGreaterThan(0);
    expect(probes.every((n) => n >= 10)).toBe(true);
    // The new data arrives, the old has not: duplicates that SACK only what came after the timeout.
    t.in("A", { ack: at(1), options: hole([10, 11]) });
    expect(numbers()).toContain(1);
    expect(t.counters.tcpSpuriousRtos).toBe(0);
  });

  test("§3.1: without new data to probe with, recovery goes on as usual", () => {
    open({ frto: true, tlp: false });
    t.send(5 * MSS);
    t.ignore();
    t.run(1000);
    t.ignore();
    t.in("A", { ack: at(1) });
    expect(numbers()).toContain(1);
  });

  test("§3.1: nor while the peer's window has no room for new data", () => {
    open({ frto: true, tlp: false });
    t.window = 5 * MSS;
    t.in("A", { ack: 1 });
    t.send(20 * MSS);
    t.ignore();
    t.run(1000);
    t.ignore();
    t.in("A", { ack: at(1), window: 4 * MSS });
    expect(numbers()).toContain(1);
  });
});

describe("RFC 3522, RFC 4015: Eifel", () => {
  test("the echo of an original's timestamp undoes the reduction", () => {
    t = new TcpPeer({ tcp: { congestionControl: "reno", tlp: false, frto: false } });
    t.listen();
    t.in("S", {
      seq: 0,
      options: [
        { kind: "mss", mss: MSS },
        { kind: "timestamps", val: 500, ecr: 0 },
      ],
    });
    t.next = 1;
    t.timestamps = 501;
    t.run(100);
    t.in("A");
    t.accept();
    const cwnd = t.c.cwnd;
    t.send(5000);
    const original = t.segments()[0]!.timestamps!.val;
    t.run(600);
    expect(t.segments().length).toBeGreaterThan(0);
    expect(t.c.cwnd).toBeLessThan(cwnd);
    const mss = t.c.sndMss;
    t.in("A", {
      ack: 1 + mss,
      options: [{ kind: "nop" }, { kind: "nop" }, { kind: "timestamps", val: 502, ecr: original }],
    });
    expect(t.counters.tcpSpuriousRtos).toBe(1);
    expect(t.c.cwnd).toBeGreaterThanOrEqual(cwnd);
  });
});

describe("RFC 3168, SHLD-8: ECN", () => {
  function ecn(): void {
    t = new TcpPeer({ tcp: { ecn: 1, congestionControl: "reno", tlp: false } });
    t.connect();
    expect(t.segments()[0]!.flags).toBe("SEC");
    t.in("SAE", { seq: 0, ack: 1, options: [{ kind: "mss", mss: MSS }] });
    t.next = 1;
    t.ignore();
  }

  test("§6.1.1: asked for with ECE and CWR, granted with ECE", () => {
    ecn();
    t.send(MSS);
    expect(t.segments()[0]!.tos & 3).toBe(2);
  });

  test("§6.1.2: an echo halves the window once per round trip, and CWR tells of it", () => {
    ecn();
    t.send(10 * MSS);
    t.ignore();
    t.in("AE", { ack: at(1) });
    t.send(10 * MSS);
    const ssthresh = t.c.ssthresh;
    expect(ssthresh).toBeLessThanOrEqual(6 * MSS);
    t.in("AE", { ack: at(5) });
    expect(t.c.ssthresh).toBe(ssthresh);
    t.in("AE", { ack: at(9) });
    const fresh = t.segments().filter((s) => s.length > 0);
    expect(fresh[0]!.flags).toContain("C");
    expect(fresh.slice(1).every((s) => !s.flags.includes("C"))).toBe(true);
  });

  test("§6.1.3: a mark is echoed in every ACK until CWR comes", () => {
    ecn();
    t.in("A", { data: 100, tos: 3 });
    t.run(100);
    t.in("A", { data: 100, tos: 2 });
    t.run(100);
    expect(t.segments().map((s) => s.flags)).toEqual(["AE", "AE"]);
    t.in("AC", { data: 100, tos: 2 });
    t.run(100);
    expect(t.segments().map((s) => s.flags)).toEqual(["A"]);
  });

  test("§6.1.4, §6.1.5: neither pure ACKs nor retransmissions are ECN-capable", () => {
    ecn();
    t.in("A", { data: 100 });
    t.run(100);
    expect(t.segments()[0]!.tos & 3).toBe(0);
    t.send(100);
    t.ignore();
    t.run(2000);
    expect(t.segments()[0]!.tos & 3).toBe(0);
  });

  test("§6.1.1.1: an ECN-setup SYN that is not answered is followed by a plain one", () => {
    t = new TcpPeer({ tcp: { ecn: 1 } });
    t.connect();
    t.run(4000);
    const flags = t.segments().map((s) => s.flags);
    expect(flags[0]).toBe("SEC");
    expect(flags.at(-1)).toBe("S");
  });
});

describe("RFC 5681 §4.1, RFC 6928: the window at the start and after a pause", () => {
  test("RFC 6928: ten segments", () => {
    open();
    t.send(30 * MSS);
    expect(t.segments()).toHaveLength(10);
  });

  test("RFC 5681 §3.1: or by its own rule", () => {
    open({ initialWindow: 0 });
    t.send(30 * MSS);
    expect(t.segments()).toHaveLength(4);
  });

  test("RFC 5681 §3.1: after a SYN lost twice it is one segment", () => {
    t = new TcpPeer();
    t.connect();
    t.run(3500);
    t.ignore();
    t.in("SA", { seq: 0, ack: 1, options: [{ kind: "mss", mss: MSS }] });
    t.next = 1;
    t.ignore();
    t.send(30 * MSS);
    expect(t.segments()).toHaveLength(1);
  });

  test("MUST-19, RFC 5681 §3.1: slow start: one segment more for each that is acknowledged", () => {
    open({ hystart: false });
    t.send(60 * MSS);
    t.ignore();
    t.run(100);
    for (let n = 1; n <= 10; n++) t.in("A", { ack: at(n) });
    expect(t.segments()).toHaveLength(20);
  });

  test("RFC 5681 §4.1: after an idle time longer than the RTO the window is the initial one again", () => {
    open({ hystart: false });
    t.send(60 * MSS);
    t.run(100);
    for (let n = 1; n <= 10; n++) t.in("A", { ack: at(n) });
    t.run(100);
    for (let n = 11; n <= 60; n++) t.in("A", { ack: Math.min(at(n), t.seen) });
    t.in("A", { ack: t.seen });
    expect(t.c.cwnd).toBeGreaterThan(20 * MSS);
    t.run(60_000);
    t.ignore();
    t.send(60 * MSS);
    expect(t.segments()).toHaveLength(10);
  });
});
