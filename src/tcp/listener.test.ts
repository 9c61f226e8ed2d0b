import { afterEach, describe, expect, test } from "vitest";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import { IPV4_ANY, parseAddress } from "../base/address.ts";
import type { TcpSettings } from "./settings.ts";

/** Passive opens: the two queues, cookies, held SYNs, and what is listened on. */

let t: TcpPeer;
afterEach(() => t.end());

function listening(backlog: number, tcp: Partial<TcpSettings> = {}): TcpPeer {
  t = new TcpPeer({ tcp });
  t.listen({}, backlog);
  return t;
}

/** The peer's SYN from this port. */
const syn = (port: number, seq = 0) => t.in("S", { seq, sourcePort: port, options: [] });
/** Its ACK of our SYN-ACK. */
const ack = (port: number) => t.in("A", { seq: 1, ack: 1, sourcePort: port });

describe("the accept queue", () => {
  test("holds as many as the backlog says; the ACK of one more is not taken, it tries again", () => {
    listening(2);
    for (const port of [1, 2, 3]) syn(6000 + port);
    expect(t.out()).toHaveLength(3);
    for (const port of [1, 2, 3]) ack(6000 + port);
    expect(t.listener!.pending).toBe(2);
    expect(t.listener!.halfOpenCount).toBe(1);
    expect(t.counters.tcpListenOverflows).toBe(1);
    // There is room now: the SYN-ACK comes again, and its ACK is taken.
    t.accept();
    t.run(1100);
    expect(t.out()).toEqual(["SA 0 ack 1"]);
    ack(6003);
    expect(t.listener!.pending).toBe(2);
  });

  test("while it is full, new SYNs are dropped (counted), so that the peer sends them again", () => {
    listening(1);
    syn(6001);
    ack(6001);
    t.ignore();
    syn(6002);
    expect(t.out()).toEqual([]);
    expect(t.counters.tcpListenDrops).toBe(1);
    t.accept();
    syn(6002);
    expect(t.out()).toEqual(["SA 0 ack 1"]);
  });

  test("a backlog of 0 admits one", () => {
    listening(0);
    syn(6001);
    ack(6001);
    expect(t.listener!.pending).toBe(1);
  });

  test("Linux admits one more than the backlog", () => {
    listening(1, { backlogPlusOne: true });
    for (const port of [6001, 6002, 6003]) {
      syn(port);
      ack(port);
    }
    expect(t.listener!.pending).toBe(2);
  });

  test("accepted in the order in which the handshakes were completed", () => {
    listening(8);
    for (const port of [6001, 6002, 6003]) syn(port);
    for (const port of [6003, 6001, 6002]) ack(port);
    expect([t.accept(), t.accept(), t.accept()].map((c) => c.remotePort)).toEqual([
      6003, 6001, 6002,
    ]);
  });

  test("data that comes before accept is there after it", () => {
    listening(8);
    syn(6001);
    ack(6001);
    t.in("A", { seq: 1, ack: 1, sourcePort: 6001, data: 100 });
    t.accept();
    expect(t.read()).toBe(100);
  });

  test("a connection that is reset before accept is handed out all the same, with its error", () => {
    listening(8);
    syn(6001);
    ack(6001);
    t.in("R", { seq: 1, sourcePort: 6001 });
    expect(t.listener!.pending).toBe(1);
    t.accept();
    expect(t.takeError()).toBe("ECONNRESET");
  });

  test("what the listener had set, an accepted connection has", () => {
    t = new TcpPeer();
    t.listen({ nodelay: true, ttl: 9 });
    syn(6001);
    ack(6001);
    expect(t.accept().options).toMatchObject({ nodelay: true, ttl: 9 });
  });

  test("MUST-41: the listener goes on listening", () => {
    listening(8);
    for (let port = 6001; port <= 6005; port++) {
      syn(port);
      ack(port);
      expect(t.accept().remotePort).toBe(port);
    }
  });
});

describe("RFC 4987: a flood of SYNs", () => {
  test("the SYN queue is bounded; without cookies what is beyond is dropped", () => {
    listening(8, { maxSynBacklog: 3, synCookies: 0 });
    for (let port = 6001; port <= 6010; port++) syn(port);
    expect(t.out()).toHaveLength(3);
    expect(t.listener!.halfOpenCount).toBe(3);
    expect(t.counters.tcpListenDrops).toBe(7);
  });

  test("§3.6: with cookies each SYN is answered, and nothing of it is kept", () => {
    listening(8, { maxSynBacklog: 3 });
    for (let port = 6001; port <= 6010; port++) syn(port);
    expect(t.out()).toHaveLength(10);
    expect(t.listener!.halfOpenCount).toBe(3);
    expect(t.counters.tcpSyncookiesSent).toBe(7);
  });

  /** A SYN answered with a cookie. */
  function cookie(options: Parameters<TcpPeer["in"]>[1] = {}): void {
    t = new TcpPeer({ tcp: { synCookies: 2 } });
    t.run(1_000_000);
    t.hostIss = 0;
    t.listen();
    t.in("S", { seq: 0, options: [], ...options });
    const [synAck] = t.segments();
    expect(synAck!.flags).toBe("SA");
    t.hostIss = synAck!.seq;
    t.lastTsVal = synAck!.timestamps?.val ?? 0;
    t.seen = 1;
    t.next = 1;
  }

  test("§3.6: the ACK of a cookie opens the connection that the SYN asked for", () => {
    cookie({ options: [{ kind: "mss", mss: 1400 }], window: 5000 });
    expect([...t.tcp.connections()]).toEqual([]);
    t.in("A", { window: 5000 });
    t.accept();
    expect(t.state).toBe("ESTABLISHED");
    expect(t.c.peerMss).toBe(1400);
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
    t.send(20);
    expect(t.out().at(-1)).toBe("PA 1:21 ack 11");
  });

  test("§3.6: data with that ACK is taken too", () => {
    cookie();
    t.in("PA", { data: 50 });
    t.run(100);
    t.accept();
    expect(t.tcp.readable(t.c)).toBe(50);
  });

  test("window scale and SACK travel in the timestamp", () => {
    cookie({
      options: [
        { kind: "mss", mss: 1460 },
        { kind: "sackOK" },
        { kind: "timestamps", val: 77, ecr: 0 },
        { kind: "nop" },
        { kind: "wscale", shift: 7 },
      ],
    });
    t.timestamps = 78;
    t.in("A", { window: 100 });
    t.accept();
    expect(t.tcp.info(t.c)).toMatchObject({
      timestamps: true,
      sack: true,
      windowScaling: true,
      sndWscale: 7,
      sndWnd: 12_800,
    });
  });

  test("a cookie is good for a while, then no more", () => {
    cookie();
    t.run(130_000);
    t.in("A");
    expect(t.out()).toEqual(["R 1"]);
    expect(t.listener!.pending).toBe(0);
  });

  test("a guess is no cookie", () => {
    cookie();
    for (const wrong of [1, 2, 0x10000, 0x800000]) t.in("A", { ack: 1 + wrong });
    expect(t.segments().map((s) => s.flags)).toEqual(["R", "R", "R", "R"]);
    expect(t.listener!.pending).toBe(0);
  });

  test("a cookie of another address or port is none", () => {
    cookie();
    t.in("A", { sourcePort: 6666 });
    t.in("A", { source: "10.0.0.3" });
    expect(t.segments().map((s) => s.flags)).toEqual(["R", "R"]);
  });
});

describe("SYNs held for the application's word", () => {
  function held(): void {
    t = new TcpPeer();
    const listener = t.tcp.listen({
      address: IPV4_ANY,
      port: 80,
      backlog: 8,
      options: t.tcp.env.defaultOptions,
      holdSyns: true,
    });
    t.listener = listener;
    syn(6001);
    expect(t.out()).toEqual([]);
  }

  test("accept: the handshake goes on", () => {
    held();
    const c = t.listener!.nextSyn()!;
    t.tcp.answerSyn(c, "accept");
    t.run();
    expect(t.out()).toEqual(["SA 0 ack 1"]);
    ack(6001);
    expect(t.accept()).toBe(c);
  });

  test("refuse: RST", () => {
    held();
    t.tcp.answerSyn(t.listener!.nextSyn()!, "refuse");
    t.run();
    expect(t.segments().map((s) => [s.flags, s.ack])).toEqual([["RA", 1]]);
    expect(t.listener!.halfOpenCount).toBe(0);
  });

  test("drop: silence", () => {
    held();
    t.tcp.answerSyn(t.listener!.nextSyn()!, "drop");
    t.run(60_000);
    expect(t.out()).toEqual([]);
    expect(t.listener!.halfOpenCount).toBe(0);
  });
});

describe("RFC 9293 §3.9.1.1: OPEN by the socket calls", () => {
  test.each(["255.255.255.255", "10.0.0.255", "224.0.0.1"])(
    "MUST-46: OPEN to %s is an error",
    async (host) => {
      t = new TcpPeer();
      const attempt = t.host.connect({ host, port: 80 });
      await expect(t.time.settle(attempt, 1000)).rejects.toMatchObject({ code: "ENETUNREACH" });
      expect(t.out()).toEqual([]);
    },
  );

  test("MUST-43: the local address can be given", () => {
    t = new TcpPeer();
    t.host.interface("tun0")!.addAddress("10.0.0.9/24");
    const path = t.host.ip.path(parseAddress("10.0.0.9"), parseAddress(t.remote), 0)!;
    t.c = t.tcp.create();
    expect(t.tcp.connect(t.c, path, 4000, 80)).toBe(0);
    t.run();
    expect([...t.segments()[0]!.packet.subarray(12, 16)]).toEqual([10, 0, 0, 9]);
  });

  test("MUST-47: errors are reported: what an ICMP message said is there to be asked for", () => {
    t = new TcpPeer();
    t.connect();
    const [sent] = t.segments();
    t.icmp(3, 1, sent!.packet);
    expect(t.c.softError).toBe(113);
    expect(t.takeError()).toBe("");
    expect(t.state).toBe("SYN-SENT");
  });

  test("SHLD-20: the report of soft errors is off unless asked for (IP_RECVERR)", () => {
    t = new TcpPeer();
    t.connect({ reportSoftErrors: false });
    const [sent] = t.segments();
    t.icmp(3, 0, sent!.packet);
    expect(t.closed).toBe(false);
  });
});
