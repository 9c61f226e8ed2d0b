import { afterEach, describe, expect, test } from "vitest";
import { TcpPeer, pattern } from "../../test/support/tcp-peer.ts";
import type { TcpSettings } from "./settings.ts";

/** What a receiver acknowledges, and when: RFC 9293 §3.8.6, RFC 5681 §4.2, RFC 2018, RFC 2883. */

let t: TcpPeer;
afterEach(() => t.end());

/** A peer with MSS 1000 and SACK. */
function open(tcp: Partial<TcpSettings> = {}, options = {}): TcpPeer {
  t = new TcpPeer({ tcp });
  t.establish(options, [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }]);
  return t;
}

describe("RFC 9293 §3.8.6.3: delayed acknowledgments", () => {
  test("SHLD-18, MUST-40: one segment is acknowledged after a while, at most 500 ms", () => {
    open();
    const from = t.nowMs;
    t.in("A", { data: 1000 });
    expect(t.out()).toEqual([]);
    t.run(500);
    const [ack] = t.segments();
    expect(ack!.ack).toBe(1001);
    expect(ack!.atMs - from).toBeLessThanOrEqual(500);
    expect(ack!.atMs - from).toBeGreaterThan(0);
  });

  test("SHLD-19: every second full segment is acknowledged at once", () => {
    open();
    for (let i = 0; i < 6; i++) t.in("A", { data: 1000 });
    expect(t.out()).toEqual(["A 1 ack 2001", "A 1 ack 4001", "A 1 ack 6001"]);
  });

  test("SHLD-19: of many small segments, when they make up two full ones", () => {
    open();
    t.in("A", { data: 1000 });
    t.in("A", { data: 1000 });
    t.ignore();
    for (let i = 0; i < 19; i++) t.in("A", { data: 100 });
    expect(t.out()).toEqual([]);
    t.in("A", { data: 100 });
    expect(t.out()).toEqual(["A 1 ack 4001"]);
  });

  test("MUST-58, MUST-59: a batch is taken whole before the answer: one ACK per two full segments", () => {
    open();
    t.in("A", { data: 1000 });
    t.in("A", { data: 1000 });
    t.ignore();
    t.in("A", { data: 1000 }, false);
    t.in("A", { data: 1000 }, false);
    t.in("A", { data: 1000 }, false);
    t.in("A", { data: 1000 }, false);
    expect(t.out()).toEqual([]);
    t.run();
    expect(t.out()).toEqual(["A 1 ack 4001", "A 1 ack 6001"]);
  });

  test("MUST-58: data of our own carries the ACK", () => {
    open();
    t.in("A", { data: 1000 });
    t.send(50);
    expect(t.out()).toEqual(["PA 1:51 ack 1001"]);
    t.run(1000);
    expect(t.out().filter((line) => line.startsWith("A"))).toEqual([]);
  });

  test("RFC 5681 §4.2: what fills a gap is acknowledged at once", () => {
    open();
    t.in("A", { seq: 1001, data: 1000 });
    t.ignore();
    t.in("A", { seq: 1, data: 1000 });
    expect(t.out()).toEqual(["A 1 ack 2001"]);
  });

  test("RFC 5681 §4.2: what fills part of a gap too", () => {
    open();
    t.in("A", { seq: 2001, data: 1000 });
    t.ignore();
    t.in("A", { seq: 1, data: 1000 });
    expect(t.out()).toEqual(["A 1 ack 1001 sack 2001:3001"]);
  });

  test("MAY-13, RFC 5681 §4.2: out of order: a duplicate ACK at once, one for each", () => {
    t = new TcpPeer();
    t.establish();
    t.in("A", { seq: 1001, data: 100 }, false);
    t.in("A", { seq: 1101, data: 100 }, false);
    t.in("A", { seq: 1201, data: 100 }, false);
    t.run();
    // Without SACK each one counts for the peer.
    expect(t.out()).toEqual(["A 1 ack 1", "A 1 ack 1", "A 1 ack 1"]);
  });

  test("FIN is acknowledged at once", () => {
    open();
    t.in("FA", { data: 100 });
    expect(t.out()).toEqual(["A 1 ack 102"]);
  });

  test("TCP_QUICKACK: each at once", () => {
    open({}, { quickAck: 1 });
    for (let i = 0; i < 3; i++) t.in("A", { data: 100 });
    expect(t.out()).toEqual(["A 1 ack 101", "A 1 ack 201", "A 1 ack 301"]);
  });

  test("at the start of a connection the first ones are acknowledged at once, as configured", () => {
    open({ quickAcks: 3 });
    for (let i = 0; i < 5; i++) t.in("A", { data: 1000 });
    expect(t.out()).toEqual(["A 1 ack 1001", "A 1 ack 2001", "A 1 ack 3001", "A 1 ack 5001"]);
  });

  test("a pure ACK is not answered", () => {
    open();
    for (let i = 0; i < 3; i++) t.in("A");
    t.run(1000);
    expect(t.out()).toEqual([]);
  });
});

describe("RFC 9293 §3.10.7.4: data out of order", () => {
  test("SHLD-31: it is kept, and handed over when the gap is filled", () => {
    open();
    const bytes = pattern(3000);
    t.in("A", { seq: 2001, data: bytes.subarray(2000) });
    t.in("A", { seq: 1001, data: bytes.subarray(1000, 2000) });
    expect(t.read()).toBe("EAGAIN");
    t.in("A", { seq: 1, data: bytes.subarray(0, 1000) });
    expect(t.readBytes()).toEqual(bytes);
  });

  test("bytes once received are never overwritten", () => {
    open();
    t.in("A", { seq: 101, data: new Uint8Array(100).fill(1) });
    t.in("A", { seq: 51, data: new Uint8Array(300).fill(2) });
    t.in("A", { seq: 1, data: new Uint8Array(400).fill(3) });
    const bytes = t.readBytes();
    const runs = [bytes.subarray(0, 50), bytes.subarray(50, 100), bytes.subarray(100, 200)];
    expect(runs.map((run) => [...new Set(run)])).toEqual([[3], [2], [1]]);
    expect([...new Set(bytes.subarray(200, 350))]).toEqual([2]);
    expect([...new Set(bytes.subarray(350, 400))]).toEqual([3]);
  });

  test("a segment that covers one range and reaches into the next takes both in", () => {
    open();
    t.in("A", { seq: 101, data: 100 });
    t.in("A", { seq: 301, data: 200 });
    t.ignore();
    t.in("A", { seq: 1, data: 400 });
    expect(t.out()).toEqual(["A 1 ack 501 sack 101:201"]);
    expect(t.read()).toBe(500);
  });

  test("the number of ranges is bounded; what is beyond is dropped and comes again", () => {
    open({ maxOutOfOrderRanges: 3 });
    for (let i = 1; i <= 5; i++) t.in("A", { seq: 1 + 200 * i, data: 100 });
    expect(t.counters.tcpOfoDrop).toBe(2);
    expect(t.tcp.info(t.c).outOfOrderRanges).toBe(3);
  });
});

describe("RFC 9293 §3.8.6.2.2: the receiver's silly window avoidance", () => {
  test("MUST-39: the right edge moves only by a segment or half of the buffer", () => {
    open({ windowScaling: false }, { receiveBuffer: 10_000 });
    for (let i = 0; i < 10; i++) t.in("A", { data: 1000 });
    t.run(100);
    expect(t.out({ window: true }).at(-1)).toBe("A 1 ack 10001 win 0");
    t.read(100);
    t.read(800);
    expect(t.out()).toEqual([]);
    t.read(200);
    expect(t.out({ window: true })).toEqual(["A 1 ack 10001 win 1100"]);
  });

  test("MUST-39: a small buffer: half of it", () => {
    open({ windowScaling: false }, { receiveBuffer: 400 });
    t.in("A", { data: 400 });
    t.run(100);
    expect(t.out({ window: true }).at(-1)).toBe("A 1 ack 401 win 0");
    t.read(199);
    expect(t.out()).toEqual([]);
    t.read(1);
    expect(t.out({ window: true })).toEqual(["A 1 ack 401 win 200"]);
  });

  test("MUST-39: in an ACK that goes anyway the edge stays where a small step would move it", () => {
    open({ windowScaling: false }, { receiveBuffer: 10_000 });
    t.in("A", { data: 1000 });
    t.in("A", { data: 1000 });
    expect(t.out({ window: true })).toEqual(["A 1 ack 2001 win 8000"]);
    t.read(300);
    t.in("A", { data: 1000 });
    t.in("A", { data: 1000 });
    expect(t.out({ window: true })).toEqual(["A 1 ack 4001 win 6000"]);
  });

  test("SHLD-14: the right edge never moves left, whatever is read or set", () => {
    open({}, { receiveBuffer: 10_000 });
    let edge = 0;
    const check = () => {
      for (const s of t.segments()) {
        expect(s.ack + s.rawWindow).toBeGreaterThanOrEqual(edge);
        edge = s.ack + s.rawWindow;
      }
    };
    for (let i = 0; i < 3; i++) t.in("A", { data: 1000 });
    t.run(100);
    check();
    t.c.rcvBufSize = 4000;
    t.in("A", { data: 1000 });
    t.in("A", { data: 1000 });
    t.run(100);
    check();
    t.read(2000);
    t.run(100);
    check();
    expect(edge).toBe(10_001);
  });

  test("MAY-8: the window may stay closed without end", () => {
    open({ windowScaling: false }, { receiveBuffer: 1000 });
    t.in("A", { data: 1000 });
    t.run(100);
    t.ignore();
    for (let i = 0; i < 10; i++) {
      t.run(60_000);
      t.in("A", { seq: 1001, data: 1 });
      expect(t.out({ window: true })).toEqual(["A 1 ack 1001 win 0"]);
    }
  });

  test("the window opens for a peer that has stopped: an update tells at once", () => {
    open({ windowScaling: false }, { receiveBuffer: 4000 });
    for (let i = 0; i < 4; i++) t.in("A", { data: 1000 });
    t.run(100);
    t.ignore();
    t.read();
    expect(t.out({ window: true })).toEqual(["A 1 ack 4001 win 4000"]);
  });
});

describe("RFC 7323 §2: window scaling", () => {
  test("our shift is offered, and is the smallest that fits the largest buffer", () => {
    t = new TcpPeer({ tcp: { receiveBufferMax: 1_000_000 } });
    t.connect();
    expect(t.segments()[0]!.windowScale).toBe(4); // 65,535 << 4 = 1,048,560
  });

  test("§2.2: the window of a SYN is never scaled; after it each is", () => {
    t = new TcpPeer({ tcp: { windowScale: 2 } });
    t.listen({ receiveBuffer: 40_000 });
    t.in("S", { seq: 0, window: 1000, options: [{ kind: "wscale", shift: 3 }] });
    const [synAck] = t.segments();
    expect([synAck!.rawWindow, synAck!.windowScale]).toEqual([40_000, 2]);
    t.next = 1;
    t.in("A", { window: 1000 });
    t.accept();
    expect(t.tcp.info(t.c).sndWnd).toBe(8000);
    t.in("A", { data: 1000 });
    t.run(100);
    expect(t.out({ window: true })).toEqual([`A 1 ack 1001 win ${39_000 / 4}`]);
  });

  test("§2.2: a peer that does not offer it gets none, and neither side scales", () => {
    t = new TcpPeer();
    t.listen({ receiveBuffer: 40_000 });
    t.in("S", { seq: 0, window: 1000, options: [] });
    expect(t.segments()[0]!.windowScale).toBeUndefined();
    t.next = 1;
    t.in("A");
    t.accept();
    expect(t.tcp.info(t.c).sndWnd).toBe(1000);
  });

  test("§2.3: a shift above 14 is taken as 14", () => {
    t = new TcpPeer();
    t.establish({}, [{ kind: "wscale", shift: 200 }]);
    t.in("A", { window: 1 });
    expect(t.tcp.info(t.c).sndWnd).toBe(1 << 14);
  });

  test("§2.2: a window scale option outside of a SYN is ignored", () => {
    t = new TcpPeer();
    t.establish({}, [{ kind: "wscale", shift: 2 }]);
    t.in("A", { window: 100, options: [{ kind: "wscale", shift: 7 }] });
    expect(t.tcp.info(t.c).sndWnd).toBe(400);
  });

  test("§2.4: rounding by the shift takes nothing back", () => {
    t = new TcpPeer({ tcp: { windowScale: 10 } });
    t.establish({ receiveBuffer: 30_000 }, [{ kind: "wscale", shift: 0 }]);
    let edge = 0;
    for (let i = 0; i < 25; i++) {
      t.in("A", { data: 997 });
      t.read(500);
      for (const s of t.segments()) {
        const now = s.ack + s.rawWindow * 1024;
        expect(now).toBeGreaterThanOrEqual(edge);
        edge = now;
      }
    }
    // Not a byte more than one unit beyond what the buffer holds.
    expect(edge).toBeLessThanOrEqual(25 * 500 + 30_000 + 1 + 1024);
  });
});

describe("RFC 2018 §4: SACK generation", () => {
  test("it is offered in SYNs, and used when the peer offers it too", () => {
    t = new TcpPeer();
    t.connect();
    expect(t.segments()[0]!.options.some((o) => o.kind === "sackOK")).toBe(true);
    t.in("SA", { seq: 0, ack: 1, options: [] });
    t.next = 1;
    t.ignore();
    t.in("A", { seq: 101, data: 100 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
  });

  test("the first block holds what came last, the others follow by how recently they changed", () => {
    open();
    t.in("A", { seq: 1001, data: 100 });
    t.in("A", { seq: 2001, data: 100 });
    t.in("A", { seq: 3001, data: 100 });
    t.in("A", { seq: 2101, data: 100 });
    expect(t.out()).toEqual([
      "A 1 ack 1 sack 1001:1101",
      "A 1 ack 1 sack 2001:2101 1001:1101",
      "A 1 ack 1 sack 3001:3101 2001:2101 1001:1101",
      "A 1 ack 1 sack 2001:2201 3001:3101 1001:1101",
    ]);
  });

  test("four blocks at most, three beside timestamps", () => {
    open();
    for (let i = 1; i <= 6; i++) t.in("A", { seq: 1 + 200 * i, data: 100 });
    expect(t.segments().at(-1)!.sack).toHaveLength(4);
    t.end();
    t = new TcpPeer();
    t.listen();
    t.in("S", { seq: 0, options: [{ kind: "sackOK" }, { kind: "timestamps", val: 1, ecr: 0 }] });
    t.next = 1;
    t.timestamps = 2;
    t.in("A");
    t.accept();
    for (let i = 1; i <= 6; i++) t.in("A", { seq: 1 + 200 * i, data: 100 });
    expect(t.segments().at(-1)!.sack).toHaveLength(3);
  });

  test("blocks go on every ACK while there is a gap, also on data", () => {
    open();
    t.in("A", { seq: 1001, data: 100 });
    t.ignore();
    t.send(10);
    expect(t.out()).toEqual(["PA 1:11 ack 1 sack 1001:1101"]);
  });
});

/** Every order of the numbers below `n`. */
function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

/** What RFC 2018 and 2883 ask for, in the plainest way: a set of bytes and the blocks in it. */
class Model {
  private readonly held = new Map<number, number>();
  private clock = 0;
  next = 1;

  /** The ACK for a segment, as `TcpPeer.out` writes it. */
  take(seq: number, length: number): string {
    this.clock++;
    // Duplicates: the first run of bytes that are here already.
    let from = -1;
    let to = -1;
    for (let i = seq; i < seq + length; i++) {
      const known = i < this.next || this.held.has(i);
      if (known && from < 0) from = i;
      if (known && from >= 0 && (to < 0 || to === i)) to = i + 1;
    }
    if (from >= 0) {
      // A run that crosses the cumulative ACK ends there: the two parts are not one block.
      if (from < this.next) to = Math.min(to, this.next);
    }
    for (let i = seq; i < seq + length; i++) if (i >= this.next) this.held.set(i, this.clock);
    while (this.held.has(this.next)) this.held.delete(this.next++);
    const blocks: [number, number, number][] = [];
    for (const byte of [...this.held.keys()].sort((a, b) => a - b)) {
      const stamp = this.held.get(byte)!;
      const last = blocks.at(-1);
      if (last !== undefined && last[1] === byte) {
        last[1]++;
        last[2] = Math.max(last[2], stamp);
      } else blocks.push([byte, byte + 1, stamp]);
    }
    blocks.sort((a, b) => b[2] - a[2]);
    const sack = blocks.map(([l, r]) => `${l}:${r}`);
    if (from >= 0) sack.unshift(`${from}:${to}`);
    return `A 1 ack ${this.next}${sack.length > 0 ? ` sack ${sack.slice(0, 4).join(" ")}` : ""}`;
  }
}

describe("RFC 2018 §4, RFC 2883 §4: all orders of five segments", () => {
  test("each of the 120 orders, one at a time, against a model", () => {
    for (const order of permutations(5)) {
      open({}, { quickAck: 1 });
      const model = new Model();
      for (const n of order) {
        const expected = model.take(1 + 10 * n, 10);
        t.in("A", { seq: 1 + 10 * n, data: 10 });
        expect(t.out(), `order ${order.join(" ")}`).toEqual([expected]);
      }
      expect(t.read()).toBe(50);
      t.end();
    }
    open();
  });

  test("each of the 120 orders with one of the five sent twice", () => {
    for (const [index, order] of permutations(5).entries()) {
      open({}, { quickAck: 1 });
      const model = new Model();
      const twice = index % 5;
      for (const n of [...order, twice]) {
        const expected = model.take(1 + 10 * n, 10);
        t.in("A", { seq: 1 + 10 * n, data: 10 });
        expect(t.out(), `order ${order.join(" ")}, then ${twice}`).toEqual([expected]);
      }
      t.end();
    }
    open();
  });

  test("all pairs of ranges over five segments that overlap in any way, before a third fills in", () => {
    const ranges: [number, number][] = [];
    for (let from = 0; from < 5; from++)
      for (let to = from + 1; to <= 5; to++) ranges.push([from, to]);
    for (const [a, b] of ranges) {
      for (const [c, d] of ranges) {
        open({}, { quickAck: 1 });
        const model = new Model();
        for (const [from, to] of [
          [a, b],
          [c, d],
          [0, 5],
        ] as const) {
          const expected = model.take(1 + 10 * from, 10 * (to - from));
          t.in("A", { seq: 1 + 10 * from, data: pattern(10 * (to - from), 10 * from) });
          expect(t.out(), `${a}-${b}, ${c}-${d}, at ${from}-${to}`).toEqual([expected]);
        }
        expect(t.readBytes()).toEqual(pattern(50));
        t.end();
      }
    }
    open();
  });
});

describe("RFC 2883 §4: D-SACK", () => {
  test("§4.1.1: a duplicate below the cumulative ACK", () => {
    open();
    t.in("A", { data: 100 });
    t.in("A", { seq: 1, data: 100 });
    t.run(100);
    expect(t.out()).toEqual(["A 1 ack 101 sack 1:101"]);
  });

  test("§4.1.2: a duplicate above it comes first, then the block that holds it", () => {
    open();
    t.in("A", { seq: 201, data: 100 });
    t.in("A", { seq: 301, data: 100 });
    t.ignore();
    t.in("A", { seq: 301, data: 100 });
    expect(t.out()).toEqual(["A 1 ack 1 sack 301:401 201:401"]);
  });

  test("§4.2: part of a segment is a duplicate", () => {
    open();
    t.in("A", { data: 100 });
    t.in("A", { seq: 51, data: 100 });
    expect(t.out()).toEqual(["A 1 ack 151 sack 51:101"]);
  });

  test("it is reported once", () => {
    open();
    t.in("A", { data: 100 });
    t.in("A", { seq: 1, data: 100 });
    t.run(100);
    t.ignore();
    t.in("A", { seq: 301, data: 100 });
    expect(t.out()).toEqual(["A 1 ack 101 sack 301:401"]);
  });

  test("it can be switched off", () => {
    open({ dsack: false });
    t.in("A", { data: 100 });
    t.in("A", { seq: 1, data: 100 });
    t.run(100);
    expect(t.out()).toEqual(["A 1 ack 101"]);
  });
});
