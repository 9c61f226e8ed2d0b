import { afterEach, describe, expect, test } from "vitest";
import { TcpPair } from "../../test/support/tcp.ts";
import { type PeerOptions, TcpPeer } from "../../test/support/tcp-peer.ts";
import type { TcpSettings } from "./settings.ts";

/** Timers of a sender: RFC 6298, RFC 9293 §3.8.1 to §3.8.4 and §3.8.6.1, RFC 5482. */

let t: TcpPeer;
let pair: TcpPair | undefined;
afterEach(() => {
  t?.end();
  const other = pair;
  pair = undefined;
  other?.end();
});

/** RFC 6298 to the letter. */
const RFC: Partial<TcpSettings> = { rtoStyle: "rfc", minRtoUs: 1_000_000, frto: false, tlp: false };

function peer(tcp: Partial<TcpSettings> = {}, options: PeerOptions = {}): TcpPeer {
  t = new TcpPeer({ ...options, tcp: { ...RFC, ...tcp } });
  return t;
}

/** Times of what was sent, in ms since `from`, rounded. */
const timesSince = (from: number, flags?: string) =>
  t
    .segments()
    .filter((s) => flags === undefined || s.flags === flags)
    .map((s) => Math.round(s.atMs - from));

/** A round trip of `ms` on data, which sets SRTT. */
function sample(ms: number): void {
  t.send(100);
  t.run(ms);
  t.in("A");
  t.ignore();
}

describe("RFC 6298 §2: computing the timeout", () => {
  test("§2.1: before any sample it is 1 s", () => {
    peer();
    const from = t.nowMs;
    t.connect();
    t.run(3500);
    expect(timesSince(from)).toEqual([0, 1000, 3000]);
  });

  test("§2.2: the first sample R: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR", () => {
    peer();
    t.connect();
    t.run(500);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    expect(t.c.srttUs).toBe(500_000);
    expect(t.c.rttvarUs).toBe(250_000);
    expect(t.c.rtoUs).toBe(1_500_000);
  });

  test("§2.3: further samples: RTTVAR with beta 1/4, SRTT with alpha 1/8", () => {
    peer();
    t.connect();
    t.run(500);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    t.next = 1;
    sample(900);
    expect(t.c.rttvarUs).toBe(0.75 * 250_000 + 0.25 * 400_000);
    expect(t.c.srttUs).toBe((7 / 8) * 500_000 + 900_000 / 8);
  });

  test("§2.4: less than 1 s is rounded up to 1 s", () => {
    peer();
    t.establish();
    for (let i = 0; i < 20; i++) sample(10);
    expect(t.c.rtoUs).toBe(1_000_000);
  });

  test("§2.5: a maximum of at least 60 s bounds it", () => {
    peer({ maxRtoUs: 60_000_000, synRetries: 12 });
    const from = t.nowMs;
    t.connect();
    t.run(320_000);
    expect(timesSince(from)).toEqual(
      [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303].map((s) => 1000 * s),
    );
  });
});

describe("RFC 6298 §3: taking samples", () => {
  test("MUST-18: Karn: no sample from a segment that was sent again", () => {
    peer();
    t.establish();
    sample(100);
    const before = t.c.srttUs;
    t.send(100);
    t.run(1010);
    t.in("A");
    expect(t.c.srttUs).toBe(before);
  });

  test("MUST-18: the backed-off timeout stays until a segment that was sent once is acknowledged", () => {
    peer();
    t.establish();
    sample(100);
    t.send(100);
    t.run(1010);
    expect(t.c.rtoUs).toBe(2_000_000);
    t.in("A");
    t.ignore();
    const from = t.nowMs;
    t.send(100);
    t.run(2500);
    expect(timesSince(from)).toEqual([0, 2000]);
    t.in("A");
    sample(100);
    expect(t.c.rtoUs).toBe(1_000_000);
  });

  test("at least one sample per round trip", () => {
    peer();
    t.establish();
    for (const ms of [100, 200, 300]) {
      const before = t.c.srttUs;
      sample(ms);
      expect(t.c.srttUs).not.toBe(before);
    }
  });
});

describe("RFC 6298 §5: managing the timer", () => {
  test("§5.1, §5.4, §5.5: it starts with the first segment; then the earliest one again, and twice as long", () => {
    peer();
    t.establish({ nodelay: true });
    sample(100);
    const from = t.nowMs;
    t.send(536);
    t.run(300);
    t.send(536);
    t.run(7500);
    const sent = t.segments();
    expect(sent.map((s) => [s.seq, Math.round(s.atMs - from)])).toEqual([
      [101, 0],
      [637, 300],
      [101, 1000],
      [101, 3000],
      [101, 7000],
    ]);
  });

  test("§5.2: it stops when everything is acknowledged", () => {
    peer();
    t.establish();
    t.send(100);
    t.in("A");
    t.ignore();
    t.run(600_000);
    expect(t.out()).toEqual([]);
  });

  test("§5.3: it starts anew with each ACK of new data", () => {
    peer();
    t.establish({ nodelay: true });
    sample(10);
    for (let i = 0; i < 4; i++) t.send(100);
    t.run(800);
    t.in("A", { ack: 201 });
    t.run(800);
    t.in("A", { ack: 301 });
    t.ignore();
    const from = t.nowMs;
    const rtoMs = t.c.rtoUs / 1000;
    t.run(rtoMs - 1);
    expect(t.out()).toEqual([]);
    t.run(2);
    expect(timesSince(from)[0]).toBe(Math.round(rtoMs));
  });

  test("a duplicate ACK does not start it anew", () => {
    peer();
    t.establish();
    sample(10);
    const from = t.nowMs;
    t.send(100);
    t.ignore();
    t.run(900);
    t.in("A", { ack: 101 });
    t.run(200);
    expect(timesSince(from)).toEqual([1000]);
  });

  test("§5.7: after a SYN that was sent again data begins with 3 s", () => {
    peer({ timestamps: false });
    t.connect();
    t.run(1500);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    t.next = 1;
    expect(t.c.rtoUs).toBe(3_000_000);
  });

  test("MUST-19: slow start begins again with one segment, and half of the flight as ssthresh", () => {
    peer({ congestionControl: "reno" });
    t.establish();
    sample(100);
    const mss = t.c.sndMss;
    t.send(12 * mss);
    expect(t.segments()).toHaveLength(10);
    t.run(1010);
    expect(t.out()).toHaveLength(1);
    expect(t.c.cwnd).toBe(mss);
    expect(t.c.ssthresh).toBe(5 * mss);
    t.in("A", { ack: 101 + mss });
    // One more for each acknowledged: two go out.
    expect(t.out()).toHaveLength(2);
    expect(t.c.cwnd).toBe(2 * mss);
  });

  test("a retransmission carries the newest ACK and window", () => {
    peer();
    t.establish();
    t.send(100);
    t.in("A", { data: 500, ack: 1 });
    t.run(100);
    t.ignore();
    t.run(1000);
    expect(t.out()).toEqual(["PA 1:101 ack 501"]);
  });

  test("what is sent again may be cut or joined anew, but is the same data", () => {
    peer();
    t.establish({ nodelay: true });
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
    for (let i = 0; i < 3; i++) t.send(bytes.subarray(100 * i, 100 * i + 100));
    t.ignore();
    t.run(1100);
    for (const s of t.segments()) {
      expect(s.payload).toEqual(bytes.subarray(s.seq - 1, s.seq - 1 + s.length));
    }
  });
});

describe("RFC 9293 §3.8.3: connection failures", () => {
  test("MUST-20, SHLD-10, SHLD-11: R2: at least 100 s of retransmissions, then the connection ends", () => {
    peer();
    t.establish();
    sample(10);
    const from = t.nowMs;
    t.send(100);
    t.run(100_000);
    expect(t.state).toBe("ESTABLISHED");
    t.run(3_000_000);
    expect(t.state).toBe("CLOSED");
    expect(t.closed).toBe(true);
    const times = timesSince(from, "PA");
    expect(times).toHaveLength(16);
    expect(times.at(-1)).toBeGreaterThan(100_000);
    expect(t.takeError()).toBe("ETIMEDOUT");
  });

  test("MUST-20: from R1 on IP is told to doubt the next hop, which is asked for", () => {
    pair = new TcpPair({
      config: { reachableTimeUs: 3_600_000_000, delayFirstProbeUs: 100_000 },
      staticNeighbors: false,
    });
    const [client, server] = pair.join();
    const state = () =>
      pair!.a.interface("eth0")!.neighbors.find((n) => n.address.toString() === "10.0.0.2")?.state;
    expect(state()).toBe("reachable");
    pair.cable.configure({ loss: 1 });
    const before = pair.a.counters.arpOutRequests;
    client.stream(100);
    pair.run(1000);
    expect(state()).toBe("reachable");
    pair.run(9000);
    expect(pair.a.counters.arpOutRequests).toBeGreaterThan(before);
    client.host.tcp.abort(client.c);
    server.host.tcp.abort(server.c);
  });

  test("MUST-21: the application can set R2, as a time (RFC 5482)", () => {
    peer();
    t.establish({ userTimeoutUs: 10_000_000 });
    sample(10);
    t.send(100);
    t.run(9000);
    expect(t.state).toBe("ESTABLISHED");
    t.run(10_000);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ETIMEDOUT");
  });

  test("SHLD-9: between R1 and R2 the application can learn that delivery is in trouble", () => {
    peer();
    t.establish();
    sample(10);
    t.send(100);
    t.run(20_000);
    const info = t.tcp.info(t.c);
    expect(info.state).toBe("ESTABLISHED");
    expect(info.retransmits).toBeGreaterThanOrEqual(3);
    expect(info.backoff).toBeGreaterThanOrEqual(3);
  });

  test("MUST-22, MUST-23: SYNs are sent again with backoff, for 3 minutes at least", () => {
    peer();
    const from = t.nowMs;
    t.connect();
    t.run(180_000);
    expect(t.state).toBe("SYN-SENT");
    t.run(400_000);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ETIMEDOUT");
    expect(timesSince(from)).toEqual([0, 1, 3, 7, 15, 31, 63, 127].map((s) => 1000 * s));
  });

  test("SYN-ACKs are sent again with backoff, then forgotten without a word", () => {
    peer({ synAckRetries: 3 });
    t.enter("SYN-RECEIVED");
    const from = t.nowMs;
    t.run(60_000);
    expect(timesSince(from)).toEqual([1000, 3000, 7000]);
    expect([...t.tcp.connections()]).toEqual([]);
  });

  test("the error of an ICMP message that came meanwhile is what the application hears", () => {
    peer({ retries2: 2 });
    t.establish();
    sample(10);
    t.send(100);
    t.c.softError = 113; // EHOSTUNREACH, as noted from ICMP
    t.run(60_000);
    expect(t.takeError()).toBe("EHOSTUNREACH");
  });
});

describe("RFC 9293 §3.8.4: keep-alive", () => {
  const KEEP = {
    keepAlive: true,
    keepAliveIdleUs: 10_000_000,
    keepAliveIntervalUs: 5_000_000,
    keepAliveCount: 3,
  };

  test("MUST-25: off by default", () => {
    peer();
    t.establish();
    t.run(24 * 3_600_000);
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("ESTABLISHED");
  });

  test("MUST-24, MUST-27, MUST-28: on request; 2 hours of idle time unless set otherwise", () => {
    peer();
    t.establish({ keepAlive: true });
    const from = t.nowMs;
    t.run(2 * 3_600_000 + 1000);
    expect(timesSince(from)).toEqual([7_200_000]);
  });

  test("MAY-5, SHLD-12: a probe is a segment without data below SND.NXT", () => {
    peer();
    t.establish(KEEP);
    t.run(10_001);
    expect(t.out()).toEqual(["A 0 ack 1"]);
  });

  test("MUST-26: only when nothing came or went in the interval", () => {
    peer();
    t.establish(KEEP);
    for (let i = 0; i < 5; i++) {
      t.run(9000);
      t.in("A", { data: 10 });
    }
    expect(t.out().filter((line) => line.startsWith("A 0"))).toEqual([]);
    const from = t.nowMs;
    t.run(10_500);
    expect(timesSince(from).at(-1)).toBe(10_000);
  });

  test("MUST-26: not while data is on its way: retransmission sees to that", () => {
    peer({ retries2: 8 });
    t.establish(KEEP);
    t.send(10);
    t.run(40_000);
    expect(t.out().every((line) => line.startsWith("PA 1:11"))).toBe(true);
  });

  test("MUST-29: an unanswered probe does not end the connection, several do", () => {
    peer();
    t.establish(KEEP);
    const from = t.nowMs;
    t.run(24_000);
    expect(t.state).toBe("ESTABLISHED");
    t.run(2000);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ETIMEDOUT");
    expect(timesSince(from, "A")).toEqual([10_000, 15_000, 20_000]);
  });

  test("an answer sets the count back", () => {
    peer();
    t.establish(KEEP);
    for (let i = 0; i < 5; i++) {
      t.run(21_000);
      t.in("A");
    }
    expect(t.state).toBe("ESTABLISHED");
  });

  test("a probe of the peer is answered (its number is below the window)", () => {
    peer();
    t.establish();
    t.in("A", { seq: 0 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
  });
});

describe("RFC 9293 §3.8.6.1: the zero window", () => {
  /** Established, the peer's window closed, 10 bytes waiting. */
  function closed(tcp: Partial<TcpSettings> = {}, options = {}): void {
    peer(tcp);
    t.establish(options);
    sample(10);
    t.in("A", { window: 0 });
    t.ignore();
    t.send(10);
  }

  test("MUST-35, MUST-36, SHLD-29, SHLD-30: probes with a byte of data, after an RTO, twice as long each time", () => {
    closed();
    const from = t.nowMs;
    t.run(16_000);
    const probes = t.segments();
    expect(probes.map((s) => [s.seq, s.length])).toEqual([1, 2, 3, 4].map(() => [101, 1]));
    expect(probes.map((s) => Math.round(s.atMs - from))).toEqual([1000, 3000, 7000, 15_000]);
  });

  test("MUST-36 as others do it: a probe may be an empty segment below the window", () => {
    closed({ windowProbeWithData: false });
    t.run(1001);
    expect(t.out()).toEqual(["A 100 ack 1"]);
  });

  test("MUST-37: as long as the peer answers, the connection stays, for days", () => {
    closed();
    for (let hour = 0; hour < 48; hour++) {
      for (let i = 0; i < 60; i++) {
        t.run(60_000);
        if (t.segments().length > 0) t.in("A", { ack: 101, window: 0 });
      }
    }
    expect(t.state).toBe("ESTABLISHED");
    t.in("A", { ack: 101, window: 1000 });
    expect(t.out()).toEqual(["PA 101:111 ack 1"]);
  });

  test("the interval between probes is bounded", () => {
    closed({ persistMaxUs: 30_000_000 });
    for (let i = 0; i < 100; i++) {
      t.run(10_000);
      if (t.segments().length > 0) t.in("A", { ack: 101, window: 0 });
    }
    t.ignore();
    t.run(31_000);
    expect(t.segments().length).toBeGreaterThan(0);
  });

  test("no answer at all: the connection ends as after R2", () => {
    closed({ retries2: 4 });
    t.run(120_000);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ETIMEDOUT");
  });

  test("the byte of a probe that the peer took is acknowledged and not sent again", () => {
    closed();
    t.run(1001);
    expect(t.out()).toEqual(["A 101:102 ack 1"]);
    t.in("A", { ack: 102, window: 0 });
    t.run(3000);
    expect(t.out()[0]).toBe("A 102:103 ack 1");
    t.in("A", { ack: 103, window: 100 });
    expect(t.out().at(-1)).toBe("PA 103:111 ack 1");
  });

  test("two peers that probe each other, each of which has taken the other's byte, hear of it", () => {
    peer({}, {});
    t.establish({ receiveBuffer: 1000 });
    sample(10);
    t.in("A", { data: 1000, window: 0 });
    t.send(10);
    t.run(1500);
    t.read();
    t.ignore();
    // The peer's probe is taken; its numbers do not count it. It has taken ours.
    t.in("A", { seq: 1001, data: 1, ack: 101 });
    t.in("A", { seq: 1001, ack: 102, window: 500 });
    t.run(10);
    expect(t.out().at(-1)).toBe("PA 102:111 ack 1002");
  });

  test("a FIN waits for the window too, and is probed for", () => {
    peer();
    t.establish();
    sample(10);
    t.in("A", { window: 0 });
    t.shutdown();
    t.ignore();
    t.run(20_000);
    expect(t.segments().length).toBeGreaterThan(0);
    t.in("A", { ack: 101, window: 100 });
    t.run(100);
    expect(t.out().at(-1)).toBe("FA 101 ack 1");
  });

  test("MUST-66: with our own window closed, RST and the ACKs and URG of a segment still count", () => {
    peer();
    t.establish({ receiveBuffer: 1000 });
    t.in("A", { data: 1000 });
    t.run(100);
    expect(t.out({ window: true }).at(-1)).toBe("A 1 ack 1001 win 0");
    t.send(50);
    t.in("AU", { seq: 1001, data: 10, ack: 51, urgent: 5 });
    expect(t.tcp.outq(t.c)).toBe(0);
    expect(t.urgent).toBe(true);
    t.in("R", { seq: 1001 });
    expect(t.state).toBe("CLOSED");
  });

  test("our own closed window: a probe is answered with the present window", () => {
    peer();
    t.establish({ receiveBuffer: 1000 });
    t.in("A", { data: 1000 });
    t.run(100);
    t.ignore();
    t.in("A", { seq: 1001, data: 1 });
    expect(t.out({ window: true })).toEqual(["A 1 ack 1001 win 0"]);
    t.read();
    expect(t.out({ window: true })).toEqual(["A 1 ack 1001 win 1000"]);
  });
});
