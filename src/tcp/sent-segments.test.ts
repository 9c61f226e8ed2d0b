import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HAS_FIN, HAS_PUSH, RETRANSMITTED, SentSegments } from "./sent-segments.ts";

/** Indexes in the order of their last transmission. */
function byTime(q: SentSegments): number[] {
  const order: number[] = [];
  for (let i = q.firstByTime; i >= 0; i = q.nextByTime(i)) order.push(i);
  return order;
}

const ranges = (q: SentSegments) => {
  const list: [number, number][] = [];
  for (let i = q.first; i < q.end; i++) list.push([q.start(i), q.endOf(i)]);
  return list;
};

describe("the retransmission queue", () => {
  test("records stand in order of numbers, and of time; indexes stay valid while it grows", () => {
    const q = new SentSegments(4);
    const made = Array.from({ length: 50 }, (_, i) => q.append(100 * i, 100 * i + 100, 0, i));
    expect(q.isOrdered()).toBe(true);
    made.forEach((index, i) => expect([q.start(index), q.sentUs(index)]).toEqual([100 * i, i]));
    expect(byTime(q)).toEqual(made);
  });

  test("a record sent again becomes the newest", () => {
    const q = new SentSegments();
    for (let i = 0; i < 4; i++) q.append(i, i + 1, 0, i);
    q.resent(1, 10);
    expect(byTime(q)).toEqual([0, 2, 3, 1]);
    expect(q.sentUs(1)).toBe(10);
  });

  test("unlinked records are skipped, and may come back as the oldest", () => {
    const q = new SentSegments();
    for (let i = 0; i < 4; i++) q.append(i, i + 1, 0, i);
    q.unlink(2);
    q.unlink(2);
    expect(byTime(q)).toEqual([0, 1, 3]);
    q.relinkOldest(2);
    q.relinkOldest(2);
    expect(byTime(q)).toEqual([2, 0, 1, 3]);
  });

  test("find: the first record that ends behind a number, across the wrap", () => {
    const q = new SentSegments();
    q.append(-200, -100, 0, 0);
    q.append(-100, 0, 0, 0);
    q.append(0, 100, 0, 0);
    expect([-201, -200, -101, -100, -1, 0, 99, 100].map((n) => q.find(n))).toEqual([
      0, 0, 0, 1, 1, 2, 2, 3,
    ]);
  });

  test("shift and trimFirst take from the front", () => {
    const q = new SentSegments();
    q.append(0, 100, 0, 0);
    q.append(100, 200, 0, 0);
    q.trimFirst(40);
    expect(q.length(q.first)).toBe(60);
    q.shift();
    expect(ranges(q)).toEqual([[100, 200]]);
    q.shift();
    expect([q.count, q.first, q.firstByTime]).toEqual([0, 0, -1]);
  });

  test("RFC 8201 §5.4: resegment: pieces of the new size, FIN and PSH with the last, in the old order of time", () => {
    const q = new SentSegments();
    q.append(0, 1000, HAS_PUSH, 1);
    q.append(1000, 2501, HAS_FIN | HAS_PUSH | RETRANSMITTED, 2);
    q.resent(0, 5);
    q.resegment(600);
    expect(ranges(q)).toEqual([
      [0, 600],
      [600, 1000],
      [1000, 1600],
      [1600, 2200],
      [2200, 2501],
    ]);
    expect([0, 1, 2, 3, 4].map((i) => q.flags(i))).toEqual([
      0,
      HAS_PUSH,
      RETRANSMITTED,
      RETRANSMITTED,
      HAS_FIN | HAS_PUSH | RETRANSMITTED,
    ]);
    expect(byTime(q)).toEqual([2, 3, 4, 0, 1]);
    expect(q.isOrdered()).toBe(true);
  });

  test("resegment: a FIN alone stays one record", () => {
    const q = new SentSegments();
    q.append(0, 100, 0, 1);
    q.append(100, 101, HAS_FIN, 2);
    q.resegment(60);
    expect(ranges(q)).toEqual([
      [0, 60],
      [60, 100],
      [100, 101],
    ]);
    expect(q.flags(2)).toBe(HAS_FIN);
  });

  test("what rate estimation notes is kept, also when it grows", () => {
    const q = new SentSegments(2);
    for (let i = 0; i < 20; i++) q.setRate(q.append(i, i + 1, 0, 0), i, 2 * i, 3 * i, 4 * i, 5 * i);
    for (let i = 0; i < 20; i++) {
      expect([
        q.delivered(i),
        q.deliveredUs(i),
        q.firstSentUs(i),
        q.inFlight(i),
        q.lostBefore(i),
      ]).toEqual([i, 2 * i, 3 * i, 4 * i, 5 * i]);
    }
  });

  test("any mix of calls against lists", () => {
    const call = fc.tuple(
      fc.constantFrom("append", "shift", "resent", "unlink", "relink", "resegment"),
      fc.nat(30),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 80 }), (calls) => {
        const q = new SentSegments(2);
        let next = -500;
        let clock = 0;
        let model: { start: number; end: number; linked: boolean }[] = [];
        let order: (typeof model)[number][] = [];
        const indexOf = (record: (typeof model)[number]) => q.first + model.indexOf(record);
        for (const [kind, n] of calls) {
          const record = model[n % Math.max(1, model.length)];
          if (kind === "append") {
            const made = { start: next, end: next + 10 + n, linked: true };
            q.append(made.start, made.end, 0, clock++);
            model.push(made);
            order.push(made);
            next = made.end;
          } else if (record === undefined) continue;
          else if (kind === "shift") {
            q.shift();
            const gone = model.shift()!;
            order = order.filter((each) => each !== gone);
          } else if (kind === "resent") {
            q.resent(indexOf(record), clock++);
            order = [...order.filter((each) => each !== record), record];
          } else if (kind === "unlink") {
            q.unlink(indexOf(record));
            order = order.filter((each) => each !== record);
          } else if (kind === "relink") {
            q.relinkOldest(indexOf(record));
            if (!order.includes(record)) order = [record, ...order];
          } else if (order.length === model.length) {
            const size = 5 + n;
            q.resegment(size);
            const pieces = new Map(
              model.map((each) => {
                const cut: typeof model = [];
                for (let at = each.start; at < each.end; at += size) {
                  cut.push({ start: at, end: Math.min(at + size, each.end), linked: true });
                }
                return [each, cut];
              }),
            );
            model = model.flatMap((each) => pieces.get(each)!);
            order = order.flatMap((each) => pieces.get(each)!);
          }
          expect(q.isOrdered()).toBe(true);
          expect(ranges(q)).toEqual(model.map((each) => [each.start, each.end]));
          expect(byTime(q)).toEqual(order.map(indexOf));
        }
      }),
    );
  });
});
