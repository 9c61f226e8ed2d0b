import { describe, expect, test } from "vitest";
import { randomBetween, randomUnit, SeededRandom } from "../../src/base/random.ts";
import { TIMER_NONE, TIMER_PERSIST, type TcpConnection } from "../../src/tcp/connection.ts";
import { LOST, RETRANSMITTED, SACKED } from "../../src/tcp/sent-segments.ts";
import {
  CLOSED,
  ESTABLISHED,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "../../src/tcp/state.ts";
import type { TcpOption } from "../../src/wire/tcp-options-fields.ts";
import { seeds } from "../support/seeds.ts";
import { TcpPeer } from "../support/tcp-peer.ts";

/**
 * A peer that sends anything, near and far from what would be right, while the
 * application calls whatever it likes. Nothing may throw, and what must hold
 * between two segments holds.
 */

/** What is true of a connection at rest; empty: all of it. */
function broken(t: TcpPeer, c: TcpConnection): string[] {
  const wrong: string[] = [];
  const say = (is: boolean, what: string) => {
    if (!is) wrong.push(what);
  };
  if (c.state === CLOSED || c.state === TIME_WAIT || c.state === LISTEN) {
    say(c.timerId < 0, "a connection that is over has a timer");
    say(c.sent === undefined, "a connection that is over has segments in flight");
    return wrong;
  }
  const flight = (c.sndNxt - c.sndUna) | 0;
  say(flight >= 0, `SND.UNA is beyond SND.NXT by ${-flight}`);
  const loss = c.loss;
  const sent = c.sent;
  let sacked = 0;
  let lost = 0;
  let again = 0;
  if (sent !== undefined) {
    say(sent.count > 0, "an empty queue is kept");
    say(sent.isOrdered(), "the queue has gaps");
    say(sent.start(sent.first) === c.sndUna, "the queue does not begin at SND.UNA");
    say(sent.endOf(sent.end - 1) === c.sndNxt, "the queue does not end at SND.NXT");
    for (let i = sent.first; i < sent.end; i++) {
      const flags = sent.flags(i);
      if ((flags & SACKED) !== 0) sacked += sent.length(i);
      if ((flags & LOST) !== 0) lost += sent.length(i);
      if ((flags & RETRANSMITTED) !== 0) again += sent.length(i);
    }
  } else if (c.state >= ESTABLISHED) say(flight === 0, "in flight, and nothing in the queue");
  if (loss !== undefined) {
    if (c.sackOn)
      say(loss.sackedBytes === sacked, `sackedBytes ${loss.sackedBytes}, not ${sacked}`);
    say(loss.lostBytes === lost, `lostBytes ${loss.lostBytes}, not ${lost}`);
    say(
      loss.retransmittedBytes === again,
      `retransmittedBytes ${loss.retransmittedBytes}, not ${again}`,
    );
  }
  say(c.pipe >= 0, `pipe is ${c.pipe}`);
  say(c.cwnd >= 1 || c.state < ESTABLISHED, `cwnd is ${c.cwnd}`);
  say(
    ((c.rcvAdv - c.rcvNxt) | 0) >= 0 || c.state < ESTABLISHED,
    "the right edge is left of RCV.NXT",
  );
  say(c.readableBytes >= 0, "less than nothing to read");
  const held = c.outOfOrder;
  if (held !== undefined) {
    say(held.count > 0, "an empty reassembly is kept");
    say(((held.start(0) - c.rcvNxt) | 0) > 0, "held data is in order");
  }
  // Something is always on its way: no connection may stand still.
  const hasTimer = c.timerKind !== TIMER_NONE && c.timerAtUs < Number.POSITIVE_INFINITY;
  const handshake = c.state === SYN_SENT || c.state === SYN_RECEIVED;
  if (sent !== undefined || (handshake && !c.isHeld)) say(hasTimer, "in flight without a timer");
  const waits = c.unsentBytes > 0 || (c.finQueued && !c.finSent);
  if (c.state >= ESTABLISHED && waits && sent === undefined) {
    say(
      hasTimer || Math.min(c.sendAtUs, c.overrideAtUs) < Number.POSITIVE_INFINITY,
      "data waits, and nothing will send it",
    );
    if (c.sndWnd === 0) say(c.timerKind === TIMER_PERSIST, "a closed window without probes");
  }
  say(
    c.ackFlags === 0 || c.delayedAckAtUs < Number.POSITIVE_INFINITY,
    "an ACK is owed without end",
  );
  say(!c.isQueued, "it wants to send at rest");
  void t;
  return wrong;
}

function play(seed: number, steps: number): void {
  const random = new SeededRandom(seed);
  const up = (limit: number) => randomBetween(random, 0, limit);
  const one = <T>(...of: readonly T[]): T => of[up(of.length)]!;
  const chance = (p: number) => randomUnit(random) < p;

  const t = new TcpPeer({
    seed,
    ipv6: chance(0.3),
    tcp: {
      tlp: chance(0.5),
      frto: chance(0.5),
      rack: chance(0.7),
      dsack: chance(0.7),
      prr: chance(0.8),
      ecn: one(0, 1, 2),
      congestionControl: one("cubic", "reno", "bbr", "vegas"),
      windowProbeWithData: chance(0.5),
      mtuProbing: one(0, 1, 2),
      delayedAckUs: one(0, 40_000, 200_000),
      challengeAckPerSecond: one(1, 1000),
    },
  });
  const log: string[] = [];
  const options = {
    nodelay: chance(0.3),
    receiveBuffer: one(0, 500, 5000),
    sendBuffer: one(0, 3000),
    keepAlive: chance(0.2),
    keepAliveIdleUs: 5_000_000,
    keepAliveIntervalUs: 1_000_000,
  };
  const syn: TcpOption[] = [];
  if (chance(0.8)) syn.push({ kind: "mss", mss: one(536, 1000, 1460) });
  if (chance(0.6)) syn.push({ kind: "sackOK" });
  if (chance(0.6)) syn.push({ kind: "wscale", shift: one(0, 3, 14) });
  const stamps = chance(0.5);
  if (stamps) syn.push({ kind: "timestamps", val: 100, ecr: 0 });

  if (chance(0.5)) {
    t.listen(options);
    t.in("S", { seq: 0, options: syn });
    for (const c of t.tcp.connections()) t.c = c;
  } else {
    t.connect(options);
    t.ignore();
    if (chance(0.9)) t.in("SA", { seq: 0, ack: 1, options: syn });
  }
  if (t.c === undefined) {
    t.end();
    return;
  }
  t.next = 1;
  if (stamps) t.timestamps = 101;
  if (chance(0.9)) t.in("A");
  if (t.listener !== undefined && t.listener.pending > 0) t.accept();
  const { c } = t;

  for (let step = 0; step < steps; step++) {
    const wnd = (c.rcvAdv - c.rcvNxt) | 0;
    const rcvNxt = (c.rcvNxt - t.peerIss) | 0;
    const una = (c.sndUna - t.hostIss) | 0;
    const nxt = (c.sndNxt - t.hostIss) | 0;
    const near = (n: number) => n + up(5) - 2;
    let what: string;
    if (chance(0.6)) {
      const flags =
        (chance(0.04) ? "S" : "") +
        (chance(0.05) ? "F" : "") +
        (chance(0.02) ? "R" : "") +
        (chance(0.3) ? "P" : "") +
        (chance(0.97) ? "A" : "") +
        (chance(0.05) ? "U" : "") +
        (chance(0.05) ? "E" : "") +
        (chance(0.05) ? "C" : "");
      const seq = chance(0.6)
        ? rcvNxt
        : one(
            near(rcvNxt),
            near(rcvNxt + wnd),
            rcvNxt + up(3000),
            rcvNxt - up(3000),
            up(0x7fffffff),
          );
      const ack = chance(0.7)
        ? una + up(Math.max(1, nxt - una + 1))
        : one(una, nxt, near(una), near(nxt), up(0x7fffffff));
      const blocks: [number, number][] = [];
      if (chance(0.5)) {
        for (let i = up(4); i > 0; i--) {
          const from = una + up(Math.max(1, nxt - una)) - (chance(0.1) ? 500 : 0);
          const to = from + one(536, 1000, 1448, up(3000));
          blocks.push([from + t.hostIss, to + t.hostIss]);
        }
      }
      const list: TcpOption[] = [];
      if (t.timestamps !== undefined && chance(0.97)) {
        t.timestamps += up(20) - (chance(0.05) ? 15 : 0);
        list.push({ kind: "nop" }, { kind: "nop" });
        list.push({ kind: "timestamps", val: t.timestamps, ecr: t.lastTsVal - up(30) });
      }
      if (blocks.length > 0)
        list.push({ kind: "nop" }, { kind: "nop" }, { kind: "sack", blocks: blocks.slice(0, 3) });
      const segment = {
        seq,
        ack,
        data: chance(0.4) ? one(1, 100, 536, 1400, up(1400)) : 0,
        window: chance(0.3) ? one(0, 1, 100, 5000, 65_535) : t.window,
        urgent: up(100),
        options: list,
        tos: up(4),
      };
      what = `in ${flags} ${JSON.stringify(segment)}`;
      log.push(what);
      t.in(flags, segment, chance(0.7));
    } else if (chance(0.4)) {
      const ms = one(0, 1, 10, 50, 250, 1000, 5000);
      log.push((what = `run ${ms}`));
      t.run(ms);
    } else {
      const call = up(chance(0.9) ? 3 : 7);
      log.push((what = `call ${call}`));
      if (call <= 1) t.send(one(1, 100, 5000, 30_000), chance(0.05) ? 2 : 0);
      else if (call === 2) t.read(one(1, 100, 65_536));
      else if (call === 3) t.shutdown();
      else if (call === 4) t.tcp.shutdownRead(c);
      else if (call === 5 && t.segments().length > 0) {
        const quoted = { rest: one(600, 1000, 1300, 1400), seq: una };
        t.send(1);
        const [first] = t.segments();
        if (first !== undefined)
          t.icmp(
            t.local.includes(":") ? 2 : 3,
            t.local.includes(":") ? 0 : 4,
            first.packet,
            quoted,
          );
      } else if (call === 6 && chance(0.3)) t.close();
    }
    t.run();
    t.ignore();
    const wrong = broken(t, c);
    if (wrong.length > 0) {
      throw new Error(
        `seed ${seed}, step ${step}: ${wrong.join("; ")}\n${log.slice(-8).join("\n")}`,
      );
    }
  }
  // Left alone, every connection ends or rests: nothing is polled again and again.
  t.run(3_600_000);
  t.end();
}

describe("a peer that sends anything", () => {
  test.each(seeds(60, 3000))("seed %i: nothing throws, and what must hold holds", (seed) => {
    expect(() => play(seed, 150)).not.toThrow();
  });
});
