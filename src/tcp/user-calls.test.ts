import { afterEach, describe, expect, test } from "vitest";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import type { StateName } from "./state.ts";

/** The user's calls (RFC 9293 §3.10.1 to §3.10.6) in each state, and how connections open and close. */

let t: TcpPeer;
afterEach(() => t.end());

function at(state: StateName, ...options: ConstructorParameters<typeof TcpPeer>): TcpPeer {
  t = new TcpPeer(...options);
  t.enter(state);
  return t;
}

const ALL: readonly StateName[] = [
  "CLOSED",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
];

describe("RFC 9293 §3.10.1: OPEN", () => {
  test("CLOSED, active: SYN goes out, SYN-SENT", () => {
    t = new TcpPeer();
    t.connect();
    expect(t.out()).toEqual(["S 0"]);
    expect(t.state).toBe("SYN-SENT");
  });

  test.each(ALL.filter((s) => s !== "CLOSED"))("%s: error, connection already exists", (state) => {
    at(state);
    const path = t.c.path!;
    expect(t.tcp.connect(t.c, path, 1, 2)).toBe(-106); // EISCONN
    expect(t.out()).toEqual([]);
  });

  test("a pair of sockets in use is not opened twice", () => {
    at("ESTABLISHED");
    const other = t.tcp.create();
    expect(t.tcp.connect(other, t.c.path!, t.localPort, t.remotePort)).toBe(-98); // EADDRINUSE
  });

  test("MUST-41: a passive OPEN does not disturb others, and several listen on one port", () => {
    at("ESTABLISHED");
    const other = t.tcp.listen({
      address: t.c.path!.local,
      port: 80,
      backlog: 1,
      options: t.tcp.env.defaultOptions,
    });
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
    // The one that names the address fits more closely than the wildcard.
    t.remotePort = 5001;
    t.in("S", { seq: 0, options: [] });
    t.in("A", { seq: 1, ack: 1 });
    expect(other.pending).toBe(1);
    other.close();
  });

  test("MUST-42: LISTEN on a port that a connection in SYN-SENT or SYN-RECEIVED has", () => {
    at("SYN-SENT");
    t.listen();
    t.in("S", { seq: 7, sourcePort: 6001, options: [] });
    expect(t.out()).toEqual(["SA 0 ack 8"]);
    t.in("S", { seq: 0, options: [] });
    expect(t.state).toBe("SYN-RECEIVED");
    t.in("A", { seq: 8, ack: 1, sourcePort: 6001 });
    expect(t.listener!.pending).toBe(1);
  });

  test("MUST-44, MUST-45: IP chooses the local address of an active OPEN, and it stays", () => {
    t = new TcpPeer();
    t.connect();
    expect(t.c.path!.local.toString()).toBe("10.0.0.1");
    const [syn] = t.segments();
    expect([...syn!.packet.subarray(12, 16)]).toEqual([10, 0, 0, 1]);
  });

  test("MUST-10: simultaneous open: SYN-SENT, SYN-RECEIVED, ESTABLISHED", () => {
    at("SYN-SENT");
    t.in("S", { seq: 0, options: [] });
    expect(t.state).toBe("SYN-RECEIVED");
    expect(t.out()).toEqual(["SA 0 ack 1"]);
    // Figure 8 of RFC 9293: the peer's SYN-ACK completes it.
    t.in("SA", { seq: 0, ack: 1, options: [] });
    t.next = 1;
    expect(t.state).toBe("ESTABLISHED");
    expect(t.connected).toBe(true);
    t.ignore();
    t.in("A", { data: 5 });
    expect(t.read()).toBe(5);
    expect(t.send(7)).toBe(7);
    expect(t.out()).toContain("PA 1:8 ack 6");
  });

  test("MUST-10: simultaneous open completed by a bare ACK", () => {
    at("SYN-SENT");
    t.in("S", { seq: 0, options: [] });
    t.ignore();
    t.next = 1;
    t.in("A", { ack: 1, data: 3 });
    expect(t.state).toBe("ESTABLISHED");
    expect(t.read()).toBe(3);
  });

  test("§3.5.1, figure 9: a reset of the answer to an old SYN leads back to LISTEN", () => {
    at("LISTEN");
    t.in("S", { seq: 90, options: [] });
    expect(t.out()).toEqual(["SA 0 ack 91"]);
    t.in("R", { seq: 91 });
    expect(t.listener!.halfOpenCount).toBe(0);
    t.in("S", { seq: 0, options: [] });
    expect(t.out()).toEqual(["SA 0 ack 1"]);
    t.next = 1;
    t.in("A");
    expect(t.listener!.pending).toBe(1);
    t.accept();
  });

  test("§3.5.1, figure 10: a SYN for a half-open connection draws an ACK, its RST ends it", () => {
    at("ESTABLISHED");
    t.in("S", { seq: 400, options: [] });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    t.in("R", { seq: 1 });
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ECONNRESET");
  });

  test("§3.5.1, figure 11: data to a side that knows nothing of it draws an RST", () => {
    t = new TcpPeer();
    t.in("PA", { seq: 100, ack: 300, data: 10 });
    expect(t.out()).toEqual(["R 300"]);
  });
});

describe("RFC 9293 §3.10.2: SEND", () => {
  test.each<[StateName, number | string]>([
    ["CLOSED", "ENOTCONN"],
    ["SYN-SENT", 10],
    ["SYN-RECEIVED", 10],
    ["ESTABLISHED", 10],
    ["FIN-WAIT-1", "EPIPE"],
    ["FIN-WAIT-2", "EPIPE"],
    ["CLOSE-WAIT", 10],
    ["CLOSING", "EPIPE"],
    ["LAST-ACK", "EPIPE"],
    ["TIME-WAIT", "EPIPE"],
  ])("%s: %s", (state, result) => {
    at(state);
    expect(t.send(10)).toBe(result);
  });

  test("SYN-SENT: what was written goes out once the connection is established", () => {
    at("SYN-SENT");
    t.send(10);
    expect(t.out()).toEqual([]);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    expect(t.out()).toEqual(["PA 1:11 ack 1"]);
  });

  test("SYN-RECEIVED: what was written goes out once the connection is established", () => {
    at("SYN-RECEIVED");
    t.send(10);
    expect(t.out()).toEqual([]);
    t.in("A", { ack: 1 });
    expect(t.out()).toEqual(["PA 1:11 ack 1"]);
  });

  test("after a reset: the error once, then EPIPE", () => {
    at("ESTABLISHED");
    t.in("R", { seq: 1 });
    expect(t.send(1)).toBe("ECONNRESET");
    expect(t.send(1)).toBe("EPIPE");
  });

  test("a full buffer takes no more, and takes again when the peer acknowledges", () => {
    t = new TcpPeer();
    t.establish({ sendBuffer: 4000 });
    expect(t.send(3000)).toBe(3000);
    expect(t.send(3000)).toBe(1000);
    expect(t.send(1)).toBe("EAGAIN");
    t.in("A", { ack: 3001 });
    expect(t.send(5000)).toBe(3000);
  });
});

describe("RFC 9293 §3.10.3: RECEIVE", () => {
  test.each<[StateName, number | string]>([
    ["CLOSED", "ENOTCONN"],
    ["SYN-SENT", "EAGAIN"],
    ["SYN-RECEIVED", "EAGAIN"],
    ["ESTABLISHED", "EAGAIN"],
    ["FIN-WAIT-1", "EAGAIN"],
    ["FIN-WAIT-2", "EAGAIN"],
    ["CLOSE-WAIT", 0],
    ["CLOSING", 0],
    ["LAST-ACK", 0],
    ["TIME-WAIT", 0],
  ])("%s with nothing to read: %s", (state, result) => {
    at(state);
    expect(t.read()).toBe(result);
  });

  test.each<[StateName, number]>([
    ["ESTABLISHED", 1],
    ["FIN-WAIT-1", 1],
    ["FIN-WAIT-2", 2],
  ])("%s: what came is read, in pieces, then what came before FIN, then the end", (state, ack) => {
    at(state);
    t.in("A", { data: 10, ack });
    t.in("FA", { data: 5, ack });
    expect(t.read(4)).toBe(4);
    expect(t.read()).toBe(11);
    expect(t.read()).toBe(0);
    expect(t.read()).toBe(0);
  });

  test("after a reset: what was in order first, then the error once, then the end", () => {
    at("ESTABLISHED");
    t.in("A", { data: 10 });
    t.in("R", { seq: 11 });
    expect(t.read()).toBe(10);
    expect(t.read()).toBe("ECONNRESET");
    expect(t.read()).toBe(0);
  });
});

describe("RFC 9293 §3.10.4: CLOSE", () => {
  test.each<[StateName, string, StateName, string[]]>([
    ["CLOSED", "ENOTCONN", "CLOSED", []],
    ["SYN-SENT", "", "CLOSED", []],
    ["SYN-RECEIVED", "", "SYN-RECEIVED", []],
    ["ESTABLISHED", "", "FIN-WAIT-1", ["FA 1 ack 1"]],
    ["FIN-WAIT-1", "", "FIN-WAIT-1", []],
    ["FIN-WAIT-2", "", "FIN-WAIT-2", []],
    ["CLOSE-WAIT", "", "LAST-ACK", ["FA 1 ack 2"]],
    ["CLOSING", "", "CLOSING", []],
    ["LAST-ACK", "", "LAST-ACK", []],
    ["TIME-WAIT", "", "TIME-WAIT", []],
  ])("%s: %s, then %s", (state, error, next, sent) => {
    at(state);
    expect(t.shutdown()).toBe(error);
    expect(t.state).toBe(next);
    expect(t.out()).toEqual(sent);
  });

  test("SYN-RECEIVED: FIN goes out once the SYN is acknowledged", () => {
    at("SYN-RECEIVED");
    t.shutdown();
    t.in("A", { ack: 1 });
    expect(t.out()).toEqual(["FA 1 ack 1"]);
    expect(t.state).toBe("FIN-WAIT-1");
  });

  test("what is in the send buffer goes out before FIN", () => {
    t = new TcpPeer();
    t.window = 10;
    t.establish();
    t.send(25);
    t.shutdown();
    expect(t.out()).toEqual(["A 1:11 ack 1"]);
    t.in("A", { ack: 11 });
    expect(t.out()).toEqual(["A 11:21 ack 1"]);
    t.in("A", { ack: 21 });
    expect(t.out()).toEqual(["FPA 21:26 ack 1"]);
    t.in("A");
    expect(t.state).toBe("FIN-WAIT-2");
  });

  test("LISTEN: those not accepted yet are reset, half-open ones vanish", () => {
    at("LISTEN");
    t.in("S", { seq: 0, options: [] });
    t.next = 1;
    t.in("A");
    t.remotePort = 5001;
    t.in("S", { seq: 0, options: [] });
    t.ignore();
    t.listener!.close();
    t.run();
    expect(t.out()).toEqual(["RA 1 ack 1"]);
    expect([...t.tcp.connections()]).toEqual([]);
  });

  test("§3.6: half-close: the peer goes on sending after our FIN", () => {
    at("FIN-WAIT-2");
    for (let i = 0; i < 3; i++) t.in("A", { data: 1000 });
    expect(t.read()).toBe(3000);
    t.in("FA");
    expect(t.read()).toBe(0);
    expect(t.state).toBe("TIME-WAIT");
  });

  test("half-close: we go on sending after the peer's FIN", () => {
    at("CLOSE-WAIT");
    expect(t.send(100)).toBe(100);
    expect(t.out()).toEqual(["PA 1:101 ack 2"]);
    t.in("A");
    t.shutdown();
    expect(t.out()).toEqual(["FA 101 ack 2"]);
    t.in("A");
    expect(t.state).toBe("CLOSED");
  });

  test("§3.6, figure 13: simultaneous close: FIN-WAIT-1, CLOSING, TIME-WAIT", () => {
    at("ESTABLISHED");
    t.shutdown();
    expect(t.out()).toEqual(["FA 1 ack 1"]);
    t.in("FA", { ack: 1 });
    expect(t.out()).toEqual(["A 2 ack 2"]);
    expect(t.state).toBe("CLOSING");
    t.in("A", { ack: 2 });
    expect(t.state).toBe("TIME-WAIT");
  });
});

describe("RFC 9293 §3.6: the application lets go of its socket", () => {
  test("MAY-1: nothing unread: FIN, and the connection ends by itself; nothing can be read any more", () => {
    at("ESTABLISHED");
    t.close();
    expect(t.out()).toEqual(["FA 1 ack 1"]);
    expect(t.tcp.live()).toBe(1);
    t.in("A");
    t.in("FA");
    expect(t.out()).toEqual(["A 2 ack 2"]);
    expect(t.tcp.live()).toBe(0);
    expect(t.isKnown).toBe(true);
    expect(t.read()).toBe(0);
  });

  test("MUST-12: the application learns whether the peer closed normally or the connection was aborted", () => {
    at("ESTABLISHED");
    t.in("FA");
    expect([t.peerFin, t.read(), t.takeError()]).toEqual([true, 0, ""]);
    t.end();
    at("ESTABLISHED");
    t.in("R", { seq: 1 });
    expect([t.peerFin, t.closed, t.read()]).toEqual([false, true, "ECONNRESET"]);
  });

  test("SHLD-3: with unread data the peer is told by RST that they are lost", () => {
    at("ESTABLISHED");
    t.in("A", { data: 10 });
    t.ignore();
    t.close();
    expect(t.out()).toEqual(["RA 1 ack 11"]);
    expect(t.isKnown).toBe(false);
  });

  test("SHLD-3: data that come after the application closed are answered with RST", () => {
    at("ESTABLISHED");
    t.close();
    t.in("A", { ack: 2 });
    t.ignore();
    t.in("PA", { data: 10 });
    const [reset] = t.out();
    expect(reset).toMatch(/^RA? 2/);
    expect(t.isKnown).toBe(false);
  });

  test("an orphan in FIN-WAIT-2 is given up after a time", () => {
    t = new TcpPeer({ tcp: { finWait2Us: 10_000_000 } });
    t.enter("ESTABLISHED");
    t.close();
    t.in("A");
    t.run(9900);
    expect(t.isKnown).toBe(true);
    t.run(200);
    expect(t.isKnown).toBe(false);
    expect(t.tcp.live()).toBe(0);
  });

  test("FIN-WAIT-2 lasts without end while the application holds the socket", () => {
    at("FIN-WAIT-2");
    t.run(10 * 3_600_000);
    expect(t.state).toBe("FIN-WAIT-2");
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
  });

  test("an orphan whose peer does not answer is given up after fewer retransmissions", () => {
    t = new TcpPeer({ tcp: { orphanRetries: 3 } });
    t.enter("ESTABLISHED");
    t.close();
    t.run(60_000);
    expect(t.isKnown).toBe(false);
    expect(t.out().filter((line) => line === "FA 1 ack 1")).toHaveLength(4);
    expect(t.tcp.live()).toBe(0);
  });

  test("too many orphans: the next one is reset", () => {
    t = new TcpPeer({ tcp: { maxOrphans: 0 } });
    t.enter("ESTABLISHED");
    t.close();
    expect(t.out()).toEqual(["RA 1 ack 1"]);
    expect(t.isKnown).toBe(false);
  });

  test("while opening: nobody is told", () => {
    at("SYN-SENT");
    t.close();
    t.run(60_000);
    expect(t.out()).toEqual([]);
    expect(t.isKnown).toBe(false);
  });
});

describe("RFC 9293 §3.10.5: ABORT", () => {
  test.each<[StateName, string[]]>([
    ["CLOSED", []],
    ["SYN-SENT", []],
    ["SYN-RECEIVED", ["RA 1 ack 1"]],
    ["ESTABLISHED", ["RA 1 ack 1"]],
    ["FIN-WAIT-1", ["RA 2 ack 1"]],
    ["FIN-WAIT-2", ["RA 2 ack 1"]],
    ["CLOSE-WAIT", ["RA 1 ack 2"]],
    ["CLOSING", []],
    ["LAST-ACK", []],
  ])("%s sends %o and deletes the connection", (state, sent) => {
    at(state);
    t.abort();
    expect(t.out()).toEqual(sent);
    expect(t.state).toBe("CLOSED");
    expect(t.isKnown).toBe(false);
  });

  test("what was queued is lost, in both directions", () => {
    at("ESTABLISHED");
    t.in("A", { data: 100, window: 0 });
    t.send(100);
    t.ignore();
    t.abort();
    expect(t.out()).toEqual(["RA 1 ack 101"]);
    t.run(60_000);
    expect(t.out()).toEqual([]);
    expect(t.net.memory.pagesInUse).toBe(0);
  });
});

describe("RFC 9293 §3.10.6: STATUS", () => {
  test("state, windows, sequence numbers, addresses and urgent state can be asked for", () => {
    at("ESTABLISHED");
    t.in("A", { data: 100, window: 5000 });
    const info = t.tcp.info(t.c);
    expect(info).toMatchObject({ state: "ESTABLISHED", sndWnd: 5000, receiveQueue: 100 });
    expect(info.rcvNxt - info.irs).toBe(101);
  });
});

describe("RFC 9293 §3.10.7.4, §3.6.1: TIME-WAIT", () => {
  test("MUST-13: lasts 2 MSL, then nothing is left", () => {
    at("TIME-WAIT");
    t.run(59_999);
    expect(t.isKnown).toBe(true);
    t.run(2);
    expect(t.isKnown).toBe(false);
    t.in("FA", { seq: 1, ack: 2 });
    expect(t.out()).toEqual(["R 2"]);
  });

  test("MAY-2: a SYN with a greater sequence number opens anew, with a greater ISN of ours", () => {
    t = new TcpPeer({ tcp: { isn: undefined } });
    t.hostIss = 0;
    t.listen();
    t.in("S", { seq: 0, options: [] });
    const [first] = t.segments();
    t.hostIss = first!.seq;
    t.seen = 1;
    t.next = 1;
    t.in("A");
    t.accept();
    t.shutdown();
    t.in("A");
    t.in("FA");
    expect(t.state).toBe("TIME-WAIT");
    t.run(1000);
    t.ignore();
    t.in("S", { seq: 5000, options: [] });
    const [second] = t.segments();
    expect(second!.flags).toBe("SA");
    expect(second!.ack).toBe(5001);
    // Greater than the last number used in the old connection.
    expect(second!.seq).toBeGreaterThan(2);
  });

  test("a SYN with an old sequence number does not", () => {
    at("TIME-WAIT");
    t.in("S", { seq: 1, options: [] });
    expect(t.out()).toEqual(["A 2 ack 2"]);
    expect(t.isKnown).toBe(true);
  });

  test("SHLD-4 (RFC 6191): with timestamps a greater timestamp is enough", () => {
    const ts = (val: number) =>
      [{ kind: "nop" }, { kind: "nop" }, { kind: "timestamps", val, ecr: 0 }] as const;
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: ts(1000) });
    t.next = 1;
    t.timestamps = 1001;
    t.in("A");
    t.accept();
    t.shutdown();
    t.in("A");
    t.in("FA");
    expect(t.state).toBe("TIME-WAIT");
    t.ignore();
    // Sequence number too small, timestamp too old: an ACK.
    t.in("S", { seq: 1, options: ts(900) });
    expect(t.out()).toEqual(["A 2 ack 2"]);
    // Sequence number too small, timestamp newer: a new connection.
    t.in("S", { seq: 1, options: ts(2000) });
    expect(t.out()).toEqual(["SA 0 ack 2"]);
  });

  test("nobody listens any more: a new SYN ends TIME-WAIT and is refused", () => {
    at("TIME-WAIT");
    t.listener!.close();
    t.in("S", { seq: 5000, options: [] });
    expect(t.out()).toEqual(
      ["RA 0 ack 5001"].map((line) => line.replace("RA 0", `RA ${-t.hostIss}`)),
    );
  });

  test("a table that is full: the oldest rule is that the new one has none (counted)", () => {
    t = new TcpPeer({ tcp: { maxTimeWait: 0 } });
    t.enter("FIN-WAIT-2");
    t.in("FA");
    expect(t.out()).toEqual(["A 2 ack 2"]);
    expect(t.isKnown).toBe(false);
    expect(t.counters.tcpTimeWaitOverflow).toBe(1);
  });

  test("what was received before FIN can still be read", () => {
    at("FIN-WAIT-2");
    t.in("FA", { data: 100 });
    expect(t.state).toBe("TIME-WAIT");
    expect(t.read(60)).toBe(60);
    t.run(100_000);
    expect(t.read()).toBe(40);
    expect(t.read()).toBe(0);
  });
});
