import { describe, expect, test } from "vitest";
import { randomBetween, SeededRandom } from "../../src/base/random.ts";
import type { CableOptions } from "../../src/devices/cable.ts";
import type { TcpSettings } from "../../src/tcp/settings.ts";
import { seeds } from "../support/seeds.ts";
import { type PairOptions, TcpPair } from "../support/tcp.ts";

const MEGABYTE = 1_000_000;

/** What the line does in a seed, and which of TCP's options are in use. */
interface Conditions extends PairOptions {
  readonly bothWays: boolean;
}

function conditions(seed: number): Conditions {
  const random = new SeededRandom(seed * 7919);
  const one = <T>(...of: readonly T[]): T => of[randomBetween(random, 0, of.length)]!;
  const cable: CableOptions = {
    delayMs: one(0, 1, 10, 40),
    jitterMs: one(0, 1, 8),
    jitterReorders: one(true, false),
    loss: one(0, 0.01, 0.03, 0.08),
    corrupt: one(0, 0.01, 0.03),
    duplicate: one(0, 0.02, 0.1),
    reorder: { packets: one(0, 0.05, 0.2), distance: one(1, 3, 8), holdMs: 20 },
    ...one({}, {}, { burst: { enterBad: 0.01, leaveBad: 0.5 } }),
    ...one({}, {}, { bitsPerSecond: 20_000_000, queue: { packets: 50 } }),
    mtu: one(1500, 1500, 1500, 1280, 9000),
  };
  const tcp: Partial<TcpSettings> = {
    sack: one(true, true, true, false),
    dsack: one(true, true, true, false),
    timestamps: one(true, true, true, false),
    windowScaling: one(true, true, true, false),
    rack: one(true, true, false),
    tlp: one(true, true, false),
    frto: one(true, true, false),
    nagle: one(true, false),
    pacing: one("auto", "auto", "on"),
    receiveBuffer: one(131_072, 131_072, 20_000, 4000),
    congestionControl: one("cubic", "cubic", "reno", "bbr"),
  };
  return { seed, bothWays: one(true, false), ipv6: one(true, false), cable, tcp };
}

describe("1 MB each way over a bad line", () => {
  test.each(seeds(32, 200))("seed %i: every byte arrives, and nothing is left", (seed) => {
    const chosen = conditions(seed);
    const pair = new TcpPair(chosen);
    const [client, server] = pair.join();
    const context = () =>
      `seed ${seed} ${JSON.stringify({ ...chosen.cable, ...chosen.tcp })} at ${pair.nowMs} ms: ` +
      [client, server]
        .map((e) => `${e.name} ${e.state} sent ${e.sent} received ${e.received} ${e.error}`)
        .join(", ");
    if (chosen.bothWays) {
      client.stream(MEGABYTE);
      server.stream(MEGABYTE);
    } else {
      // One after the other: the second begins when the first has ended.
      client.stream(MEGABYTE);
      pair.until(() => server.peerFin, 600_000);
      server.stream(MEGABYTE);
    }
    pair.until(() => client.peerFin && server.peerFin, 600_000);
    expect([client.received, server.received], context()).toEqual([MEGABYTE, MEGABYTE]);
    expect([client.wrongAt, server.wrongAt], context()).toEqual([-1, -1]);
    expect([client.peerFin, server.peerFin], context()).toEqual([true, true]);
    pair.until(() => client.closed && server.closed, 600_000);
    expect([client.error, server.error], context()).toEqual(["", ""]);
    pair.end();
  });
});

describe("a conversation over a bad line", () => {
  test.each(seeds(24, 400))(
    "seed %i: writes of any size, pauses, readers that stop and go on",
    (seed) => {
      const chosen = conditions(seed + 100_000);
      const random = new SeededRandom(seed);
      const up = (limit: number) => randomBetween(random, 0, limit);
      const buffers = () => ({
        receiveBuffer: [0, 300, 3000, 20_000][up(4)]!,
        sendBuffer: [0, 500, 10_000][up(3)]!,
        nodelay: up(2) === 0,
        cork: up(5) === 0,
      });
      const pair = new TcpPair(chosen);
      const ends = pair.join(buffers(), buffers());
      for (const end of ends) end.finWhenSent = false;
      for (let round = 0; round < 150; round++) {
        const end = ends[up(2)]!;
        const what = up(10);
        if (what < 5) end.stream(1 + up([2, 100, 1500, 20_000][up(4)]!));
        else if (what < 7) {
          end.isReading = !end.isReading;
          end.readSize = 1 + up(65_536);
          end.pump();
        } else pair.run(up([2, 60, 700, 8000][up(4)]!));
      }
      for (const end of ends) {
        end.isReading = true;
        end.readSize = 65_536;
        end.finWhenSent = true;
        end.pump();
      }
      const finish = () => {
        for (const end of ends) if (end.sent === end.toSend) end.finish();
        return ends.every((end) => end.peerFin);
      };
      const isDone = pair.until(finish, 1_200_000);
      const [a, b] = ends;
      const context = `seed ${seed} ${JSON.stringify({ ...chosen.cable, ...chosen.tcp })}: ${ends
        .map(
          (e) =>
            `${e.name} ${e.state} to send ${e.toSend} sent ${e.sent} got ${e.received} ${e.error}`,
        )
        .join(", ")}`;
      expect(isDone, context).toBe(true);
      expect([a.received, b.received], context).toEqual([b.toSend, a.toSend]);
      expect([a.wrongAt, b.wrongAt], context).toEqual([-1, -1]);
      pair.until(() => a.closed && b.closed, 600_000);
      expect([a.error, b.error], context).toEqual(["", ""]);
      pair.end();
    },
  );
});

describe("peers that misbehave", () => {
  test("a peer that vanishes: ETIMEDOUT after the retransmissions of R2, and nothing is left", () => {
    const pair = new TcpPair({ cable: { delayMs: 5 } });
    const [client, server] = pair.join();
    client.finWhenSent = false;
    client.stream(10_000);
    pair.run(1000);
    expect(server.received).toBe(10_000);
    pair.cable.configure({ loss: 1 });
    client.stream(10_000);
    const startMs = pair.nowMs;
    pair.until(() => client.closed, 3_600_000);
    expect(client.error).toBe("ETIMEDOUT");
    // RFC 9293 §3.8.3: R2 is at least 100 s.
    expect(pair.nowMs - startMs).toBeGreaterThan(100_000);
    expect(pair.nowMs - startMs).toBeLessThan(1_300_000);
    server.host.tcp.abort(server.c);
    pair.end();
  });

  test("a peer that vanishes while nothing is sent: keep-alive finds out", () => {
    const pair = new TcpPair();
    const [client, server] = pair.join({ keepAlive: true, keepAliveIdleUs: 60_000_000 });
    pair.cable.configure({ loss: 1 });
    pair.until(() => client.closed, 3_600_000);
    expect(client.error).toBe("ETIMEDOUT");
    server.host.tcp.abort(server.c);
    pair.end();
  });

  test("a peer that never reads: the sender waits without end, and goes on when it reads", () => {
    const pair = new TcpPair({ cable: { delayMs: 5 } });
    const [client, server] = pair.join({}, { receiveBuffer: 20_000 });
    server.isReading = false;
    client.stream(200_000);
    pair.run(24 * 3_600_000);
    expect(client.state).toBe("ESTABLISHED");
    expect(client.sent).toBeLessThan(200_000);
    server.isReading = true;
    server.pump();
    pair.until(() => server.peerFin, 300_000);
    expect([server.received, server.wrongAt]).toEqual([200_000, -1]);
    server.finish();
    pair.end();
  });

  test("two peers that never read: both buffers fill, both wait, both go on", () => {
    const pair = new TcpPair({ cable: { delayMs: 5 } });
    const [client, server] = pair.join({ receiveBuffer: 8000 }, { receiveBuffer: 8000 });
    client.isReading = false;
    server.isReading = false;
    client.stream(100_000);
    server.stream(100_000);
    pair.run(3_600_000);
    client.isReading = true;
    server.isReading = true;
    client.pump();
    server.pump();
    pair.until(() => client.peerFin && server.peerFin, 300_000);
    expect([client.received, client.wrongAt]).toEqual([100_000, -1]);
    expect([server.received, server.wrongAt]).toEqual([100_000, -1]);
    pair.end();
  });
});

describe("connecting to where nobody is", () => {
  test.each(["10.0.0.2", "fd00::2"])(
    "a closed port at %s: ECONNREFUSED within a round trip",
    (to) => {
      const pair = new TcpPair({ cable: { delayMs: 5 } });
      const startMs = pair.nowMs;
      const client = pair.connect(81, to);
      pair.until(() => client.closed, 10_000);
      expect(client.error).toBe("ECONNREFUSED");
      expect(pair.nowMs - startMs).toBeLessThan(11);
      pair.end();
    },
  );

  test("a host that does not exist: EHOSTUNREACH, or ETIMEDOUT, after the SYN's retransmissions", () => {
    const pair = new TcpPair();
    const client = pair.connect(80, "10.0.0.77");
    pair.until(() => client.closed, 600_000);
    expect(["EHOSTUNREACH", "ETIMEDOUT"]).toContain(client.error);
    pair.end();
  });

  test("a line that loses everything: ETIMEDOUT, not sooner than 3 minutes without (RFC 9293 MUST-23)", () => {
    const pair = new TcpPair({ tcp: { synRetries: 8 } });
    pair.cable.configure({ loss: 1 });
    const startMs = pair.nowMs;
    const client = pair.connect();
    pair.until(() => client.closed, 3_600_000);
    expect(client.error).toBe("ETIMEDOUT");
    expect(pair.nowMs - startMs).toBeGreaterThanOrEqual(180_000);
    pair.end();
  });
});

describe("many connections", () => {
  test("100 connections accepted in one burst before anyone calls accept", () => {
    const pair = new TcpPair({ cable: { delayMs: 2 } });
    const listener = pair.listen(80, 128);
    const clients = Array.from({ length: 100 }, () => pair.connect(80));
    for (const client of clients) client.stream(1000);
    pair.run(1000);
    expect(clients.filter((client) => client.connected)).toHaveLength(100);
    expect(listener.pending).toBe(100);
    const servers = clients.map(() => pair.accept(listener));
    for (const server of servers) server.pump();
    for (const server of servers) server.finish();
    pair.run(1000);
    for (const server of servers) expect([server.received, server.wrongAt]).toEqual([1000, -1]);
    listener.close();
    pair.end();
  });

  test("beyond the backlog: the others wait, and come in as room is made", () => {
    const pair = new TcpPair({ cable: { delayMs: 2 }, tcp: { synCookies: 0 } });
    const listener = pair.listen(80, 4);
    const clients = Array.from({ length: 20 }, () => pair.connect(80));
    pair.run(300);
    expect(listener.pending).toBe(4);
    let accepted = 0;
    for (let round = 0; round < 400 && accepted < 20; round++) {
      if (listener.pending > 0) {
        const server = pair.accept(listener);
        server.finish();
        accepted++;
      }
      pair.run(200);
    }
    expect(accepted).toBe(20);
    for (const client of clients) client.finish();
    listener.close();
    pair.end();
  });

  test("10,000 connections opened and closed leave nothing", () => {
    const pair = new TcpPair();
    const listener = pair.listen(80, 1000);
    for (let round = 0; round < 100; round++) {
      const clients = Array.from({ length: 100 }, () => pair.connect(80));
      for (const client of clients) client.stream(100);
      pair.run(50);
      expect(listener.pending).toBe(100);
      const servers = clients.map(() => pair.accept(listener));
      for (const server of servers) {
        server.pump();
        // Who closes first keeps TIME-WAIT: sometimes this side, sometimes that one.
        if (round % 2 === 0) server.stream(50);
      }
      pair.run(50);
      for (const server of servers) server.finish();
      pair.run(50);
      for (const server of servers) expect(server.received).toBe(100);
      for (const client of clients) expect(client.peerFin).toBe(true);
      for (const end of [...clients, ...servers]) end.close();
    }
    listener.close();
    pair.end();
  });

  test("every other one of 1,000 is aborted: none is left, and each peer is told", () => {
    const pair = new TcpPair();
    const listener = pair.listen(80, 1000);
    const clients = Array.from({ length: 1000 }, () => pair.connect(80));
    pair.run(100);
    const servers = clients.map(() => pair.accept(listener));
    clients.forEach((client, i) => {
      if (i % 2 === 0) client.host.tcp.abort(client.c);
      else client.finish();
    });
    pair.run(100);
    const byPort = new Map(servers.map((server) => [server.c.remotePort, server]));
    clients.forEach((client, i) => {
      const server = byPort.get(client.c.localPort)!;
      if (i % 2 === 0) expect(server.error).toBe("ECONNRESET");
      else expect(server.peerFin).toBe(true);
      server.finish();
    });
    listener.close();
    pair.end();
  });
});

describe("memory that runs out", () => {
  test("few frames: slow, but everything arrives", () => {
    const memory = { smallFrames: 24, largeFrames: 8, pages: 2048 };
    const pair = new TcpPair({ cable: { delayMs: 5 }, memory });
    const [client, server] = pair.join();
    client.stream(300_000);
    server.stream(300_000);
    pair.until(() => client.peerFin && server.peerFin, 600_000);
    expect([client.received, client.wrongAt]).toEqual([300_000, -1]);
    expect([server.received, server.wrongAt]).toEqual([300_000, -1]);
    pair.end();
  });

  test("few pages: what finds none is dropped unacknowledged, and comes again", () => {
    const pair = new TcpPair({
      cable: { delayMs: 5, loss: 0.02 },
      memory: { smallFrames: 2048, largeFrames: 8, pages: 40 },
    });
    const [client, server] = pair.join();
    client.stream(300_000);
    server.stream(300_000);
    pair.until(() => client.peerFin && server.peerFin, 600_000);
    expect([client.received, client.wrongAt]).toEqual([300_000, -1]);
    expect([server.received, server.wrongAt]).toEqual([300_000, -1]);
    pair.end();
  });
});
