import { afterEach, describe, expect, test } from "vitest";
import { pattern, TcpPeer } from "../../test/support/tcp-peer.ts";
import { parseAddress } from "../base/address.ts";
import { encodeIpv4 } from "../wire/ip-fields.ts";
import { encodeTcp } from "../wire/tcp-fields.ts";
import type { StateName } from "./state.ts";

/** What forged and stray packets can do: RFC 5961, RFC 6528, RFC 5927, RFC 9293 §3.9.2; path MTU. */

let t: TcpPeer;
afterEach(() => t.end());

const UNREACHABLE = 3;
const SOURCE_QUENCH = 4;
const TIME_EXCEEDED = 11;
const PARAMETER_PROBLEM = 12;

/** A state with a segment of ours in flight, which an error may quote. */
function inFlight(state: "SYN-SENT" | "SYN-RECEIVED" | "ESTABLISHED", ipv6 = false): Uint8Array {
  t = new TcpPeer({ ipv6 });
  if (state === "SYN-SENT") {
    t.connect();
    return t.segments()[0]!.packet;
  }
  if (state === "SYN-RECEIVED") {
    t.listen();
    t.in("S", { seq: 0, options: [] });
    for (const c of t.tcp.connections()) t.c = c;
    return t.segments()[0]!.packet;
  }
  t.establish();
  t.send(100);
  return t.segments()[0]!.packet;
}

describe("RFC 5961: challenge ACKs", () => {
  test("§3.2: an RST must hit RCV.NXT exactly", () => {
    t = new TcpPeer();
    t.establish();
    for (const seq of [2, 100, 65_000]) {
      t.in("R", { seq });
      t.run(600);
    }
    expect(t.state).toBe("ESTABLISHED");
    expect(t.out()).toHaveLength(3);
    t.in("R", { seq: 1 });
    expect(t.state).toBe("CLOSED");
  });

  test("§3.2: a peer that has lost its state answers the challenge with the right RST", () => {
    t = new TcpPeer();
    t.establish();
    t.in("R", { seq: 500 });
    const [challenge] = t.segments();
    t.in("R", { seq: challenge!.ack });
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ECONNRESET");
  });

  test("§7: one connection sends at most one in half a second", () => {
    t = new TcpPeer();
    t.establish();
    for (let i = 0; i < 20; i++) t.in("R", { seq: 100 + i });
    for (let i = 0; i < 20; i++) t.in("S", { seq: 100 + i });
    expect(t.out()).toHaveLength(1);
    t.run(500);
    t.in("R", { seq: 100 });
    expect(t.out()).toHaveLength(1);
  });

  test("§7: all connections of a host together: so many a second", () => {
    t = new TcpPeer({ tcp: { challengeAckPerSecond: 3 } });
    t.listen();
    for (let port = 6000; port < 6010; port++) {
      t.in("S", { seq: 0, sourcePort: port, options: [] });
      t.in("A", { seq: 1, ack: 1, sourcePort: port });
    }
    t.ignore();
    for (let port = 6000; port < 6010; port++) t.in("R", { seq: 100, sourcePort: port });
    expect(t.out()).toHaveLength(3);
    expect(t.counters.tcpChallengeAck).toBe(3);
  });

  test("§5.2, MAY-12: data with an ACK outside of what can be is not taken", () => {
    t = new TcpPeer();
    t.establish();
    for (const ack of [2, 100_000, -70_000, -1_000_000]) {
      t.in("A", { seq: 1, ack, data: 10 });
      t.run(600);
    }
    expect(t.tcp.readable(t.c)).toBe(0);
    expect(t.state).toBe("ESTABLISHED");
  });

  test("two stacks that disagree do not answer each other without end", () => {
    t = new TcpPeer();
    t.establish();
    for (let i = 0; i < 100; i++) t.in("A", { seq: 1, ack: 1000 });
    expect(t.out()).toHaveLength(1);
    t.run(600);
    for (let i = 0; i < 100; i++) t.in("A", { seq: 0, ack: 1 });
    expect(t.out()).toHaveLength(1);
  });
});

describe("RFC 6528: initial sequence numbers", () => {
  /** ISN of the SYN-ACK to a SYN from this port and host. */
  function isn(source: string, sourcePort: number): number {
    t.in("S", { seq: 0, source, sourcePort, options: [] });
    return t.segments()[0]!.seq;
  }

  test("§3, MUST-8: for one pair of sockets it grows by one every 4 microseconds", () => {
    t = new TcpPeer({ tcp: { isn: undefined } });
    t.hostIss = 0;
    t.listen();
    const first = isn("10.0.0.2", 7000);
    t.in("R", { seq: 1, sourcePort: 7000 });
    t.run(1000);
    const second = isn("10.0.0.2", 7000);
    expect((second - first) | 0).toBe(250_000);
  });

  test("§3, SHLD-1: for different pairs it has nothing in common", () => {
    t = new TcpPeer({ tcp: { isn: undefined } });
    t.hostIss = 0;
    t.listen();
    const all = [
      isn("10.0.0.2", 7000),
      isn("10.0.0.2", 7001),
      isn("10.0.0.3", 7000),
      isn("10.0.0.3", 7001),
    ];
    for (const [i, a] of all.entries()) {
      for (const b of all.slice(i + 1)) expect(Math.abs((a - b) | 0)).toBeGreaterThan(10_000);
    }
  });

  test("MUST-9: it depends on a secret of the host", () => {
    const values = [1, 2].map((seed) => {
      t = new TcpPeer({ seed, tcp: { isn: undefined } });
      t.hostIss = 0;
      t.listen();
      const value = isn("10.0.0.2", 7000);
      if (seed === 1) t.end();
      return value;
    });
    expect(values[0]).not.toBe(values[1]);
  });
});

describe("RFC 9293 §3.9.2.3: addresses that no segment may have", () => {
  test.each(["255.255.255.255", "10.0.0.255", "224.0.0.1"])(
    "MUST-57: a SYN to %s is dropped without a word",
    (destination) => {
      t = new TcpPeer();
      t.listen();
      t.in("S", { seq: 0, destination, options: [] });
      t.in("A", { seq: 0, ack: 5, destination });
      expect(t.out()).toEqual([]);
      expect(t.listener!.halfOpenCount).toBe(0);
    },
  );

  test.each(["255.255.255.255", "10.0.0.255", "224.0.0.1", "127.0.0.1", "0.0.0.0"])(
    "MUST-63: a SYN from %s is dropped without a word",
    (source) => {
      t = new TcpPeer();
      t.listen();
      t.in("S", { seq: 0, source, options: [] });
      expect(t.out()).toEqual([]);
      expect(t.listener!.halfOpenCount).toBe(0);
    },
  );

  test("MUST-57: over IPv6 too", () => {
    t = new TcpPeer({ ipv6: true });
    t.listen();
    t.in("S", { seq: 0, destination: "ff02::1", options: [] });
    t.in("S", { seq: 0, source: "ff02::2", options: [] });
    t.in("S", { seq: 0, source: "::", options: [] });
    expect(t.out()).toEqual([]);
  });

  test("MUST-50: IP options that TCP does not understand are ignored", () => {
    t = new TcpPeer();
    t.establish();
    const source = parseAddress(t.remote);
    const destination = parseAddress(t.local);
    const numbers = { sequence: 1 + t.peerIss, acknowledgment: 1 + t.hostIss };
    const ports = { sourcePort: t.remotePort, destinationPort: t.localPort };
    const segment = encodeTcp(
      { ...ports, ...numbers, flags: 0x10 },
      pattern(10),
      source,
      destination,
    );
    // A router alert, a no-operation and one that nobody knows.
    const options = Uint8Array.of(148, 4, 0, 0, 1, 77, 3, 9);
    t.raw(encodeIpv4({ source, destination, protocol: 6, options }, segment));
    expect(t.read()).toBe(10);
  });
});

describe("RFC 9293 §3.9.2.2: ICMP errors", () => {
  const soft: [string, number, number, string][] = [
    ["network unreachable", UNREACHABLE, 0, "ENETUNREACH"],
    ["host unreachable", UNREACHABLE, 1, "EHOSTUNREACH"],
    ["source route failed", UNREACHABLE, 5, "EOPNOTSUPP"],
    ["time exceeded in transit", TIME_EXCEEDED, 0, "EHOSTUNREACH"],
    ["time exceeded in reassembly", TIME_EXCEEDED, 1, "EHOSTUNREACH"],
    ["parameter problem", PARAMETER_PROBLEM, 0, "EPROTO"],
  ];
  for (const state of ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"] as const) {
    test.each(soft)(
      `MUST-54, MUST-56, SHLD-25: ${state}: %s does not end the connection, and is noted`,
      (_, type, code) => {
        const packet = inFlight(state);
        t.icmp(type, code, packet);
        expect(t.state).toBe(state);
        expect(t.c.softError).toBeGreaterThan(0);
      },
    );
  }

  const hard: [string, number, string][] = [
    ["protocol unreachable", 2, "ENOPROTOOPT"],
    ["port unreachable", 3, "ECONNREFUSED"],
  ];
  test.each(hard)("SHLD-26: SYN-SENT: %s ends the attempt", (_, code, error) => {
    const packet = inFlight("SYN-SENT");
    t.icmp(UNREACHABLE, code, packet);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe(error);
  });

  test.each(hard)("RFC 5927 §5.2: ESTABLISHED: %s is only noted", (_, code) => {
    const packet = inFlight("ESTABLISHED");
    t.icmp(UNREACHABLE, code, packet);
    expect(t.state).toBe("ESTABLISHED");
    t.in("A", { ack: 101, data: 10 });
    expect(t.read()).toBe(10);
  });

  test("SHLD-25: an application that asked for it has the attempt ended by a soft error too", () => {
    t = new TcpPeer();
    t.connect({ reportSoftErrors: true });
    const [syn] = t.segments();
    t.icmp(UNREACHABLE, 1, syn!.packet);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("EHOSTUNREACH");
  });

  test("MUST-55 (RFC 6633): a source quench is dropped without a word", () => {
    const packet = inFlight("ESTABLISHED");
    const cwnd = t.c.cwnd;
    t.icmp(SOURCE_QUENCH, 0, packet);
    expect([t.state, t.c.softError, t.c.cwnd]).toEqual(["ESTABLISHED", 0, cwnd]);
  });

  test.each([-1, 101, 5000, -100_000])(
    "RFC 5927 §4.1: a quoted sequence number that is not in flight (%i): ignored",
    (seq) => {
      const packet = inFlight("ESTABLISHED");
      t.icmp(UNREACHABLE, 1, packet, { seq });
      expect(t.c.softError).toBe(0);
    },
  );

  test("RFC 5927 §4.1: SYN-SENT: only the SYN's own number counts", () => {
    const packet = inFlight("SYN-SENT");
    for (const seq of [-1, 1, 77]) t.icmp(UNREACHABLE, 3, packet, { seq });
    expect(t.state).toBe("SYN-SENT");
    t.icmp(UNREACHABLE, 3, packet, { seq: 0 });
    expect(t.state).toBe("CLOSED");
  });

  test("an error about a connection that is not there: ignored", () => {
    const packet = inFlight("ESTABLISHED");
    const stray = packet.slice();
    stray[21] = stray[21]! ^ 0xff;
    t.icmp(UNREACHABLE, 3, stray);
    expect([t.state, t.c.softError]).toEqual(["ESTABLISHED", 0]);
  });

  test.each<[string, number, number, StateName]>([
    ["no route", 1, 0, "SYN-SENT"],
    ["address unreachable", 1, 3, "SYN-SENT"],
    ["hop limit exceeded", 3, 0, "SYN-SENT"],
    ["parameter problem", 4, 1, "SYN-SENT"],
    ["administratively prohibited", 1, 1, "CLOSED"],
    ["port unreachable", 1, 4, "CLOSED"],
  ])("ICMPv6: %s", (_, type, code, state) => {
    const packet = inFlight("SYN-SENT", true);
    t.icmp(type, code, packet);
    expect(t.state).toBe(state);
  });
});

describe("RFC 1191, RFC 8201: path MTU", () => {
  function sending(ipv6 = false, mss = 1460): Uint8Array[] {
    t = new TcpPeer({ ipv6, mtu: 1500 });
    t.establish({}, [{ kind: "mss", mss }]);
    t.send(4000);
    return t.segments().map((s) => s.packet);
  }

  test("segments have DF set, and after 'fragmentation needed' are smaller, sent again at once", () => {
    const [packet] = sending();
    expect(packet![6]! & 0x40).toBe(0x40);
    t.icmp(UNREACHABLE, 4, packet!, { rest: 1200 });
    const again = t.segments();
    expect(again[0]!.seq).toBe(1);
    for (const s of again) expect(s.packet.length).toBeLessThanOrEqual(1200);
    expect(t.c.sndMss).toBe(1160);
  });

  test("no congestion is inferred from it", () => {
    const [packet] = sending();
    const cwnd = t.c.cwnd;
    t.icmp(UNREACHABLE, 4, packet!, { rest: 1200 });
    expect(t.c.cwnd).toBeGreaterThanOrEqual(Math.min(cwnd, 10 * 1160));
    expect(t.c.ssthresh).toBeGreaterThan(1_000_000);
  });

  test("all the data arrives, cut anew", () => {
    const [packet] = sending();
    t.icmp(UNREACHABLE, 4, packet!, { rest: 1000 });
    t.run(5000);
    const have = new Set<number>();
    for (const s of t.segments()) for (let i = 0; i < s.length; i++) have.add(s.seq + i);
    t.in("A", { ack: 4001 });
    expect(have.has(1)).toBe(true);
    expect(t.tcp.outq(t.c)).toBe(0);
  });

  test("IPv6: packet too big", () => {
    const [packet] = sending(true, 1440);
    t.icmp(2, 0, packet!, { rest: 1300 });
    for (const s of t.segments()) expect(s.packet.length).toBeLessThanOrEqual(1300);
    expect(t.c.sndMss).toBe(1240);
  });

  test("RFC 5927 §7: an MTU for a segment that is not in flight is not believed", () => {
    const [packet] = sending();
    t.icmp(UNREACHABLE, 4, packet!, { rest: 1000, seq: 100_000 });
    expect(t.c.sndMss).toBe(1460);
  });

  test("an MTU larger than the present one changes nothing", () => {
    const [packet] = sending();
    t.icmp(UNREACHABLE, 4, packet!, { rest: 3000 });
    expect(t.c.sndMss).toBe(1460);
    expect(t.out()).toEqual([]);
  });
});
