import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IpAddress, parseAddress } from "../base/address.ts";
import { SeededRandom } from "../base/random.ts";
import { Demux, NOBODY, type Tuple } from "./demux.ts";
import { TW_LOCAL, TW_PORTS, TW_REMOTE } from "./time-wait.ts";

interface Entry extends Tuple {
  id: number;
}

function entry(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Entry {
  return { path: { local, remote }, localPort, remotePort, scope: 0, id: -1 };
}

const find = (d: Demux<Entry>, e: Entry, scope = 0) => {
  const { local, remote } = e.path!;
  const ports = (e.localPort << 16) | e.remotePort;
  return d.find(
    local.w0,
    local.w1,
    local.w2,
    local.w3,
    remote.w0,
    remote.w1,
    remote.w2,
    remote.w3,
    ports,
    scope,
  );
};

const A = parseAddress("10.0.0.1");
const B = parseAddress("10.0.0.2");
const C = parseAddress("fd00::1");

/** Puts a TIME-WAIT record of the same tuple in. */
function addRecord(d: Demux<Entry>, e: Entry): number {
  const record = d.timeWait.add(100);
  const { local, remote } = e.path!;
  for (const [column, address] of [
    [TW_LOCAL, local],
    [TW_REMOTE, remote],
  ] as const) {
    d.timeWait.set(record, column, address.w0);
    d.timeWait.set(record, column + 1, address.w1);
    d.timeWait.set(record, column + 2, address.w2);
    d.timeWait.set(record, column + 3, address.w3);
  }
  d.timeWait.set(record, TW_PORTS, (e.localPort << 16) | e.remotePort);
  d.timeWait.set(record, 9, 0);
  d.addTimeWait(record);
  return record;
}

describe("from the four-tuple to the connection", () => {
  test("each part of the tuple counts", () => {
    const d = new Demux<Entry>(new SeededRandom(1));
    const e = entry(A, 80, B, 5000);
    d.add(e);
    expect(find(d, e)).toBe(e.id);
    for (const other of [
      entry(B, 80, B, 5000),
      entry(A, 81, B, 5000),
      entry(A, 80, A, 5000),
      entry(A, 80, B, 5001),
      entry(C, 80, B, 5000),
    ]) {
      expect(find(d, other)).toBe(NOBODY);
    }
    expect(find(d, e, 7)).toBe(NOBODY);
  });

  test("ports above 32,767 on both sides", () => {
    const d = new Demux<Entry>(new SeededRandom(1));
    const e = entry(A, 65_535, B, 65_534);
    d.add(e);
    expect(find(d, e)).toBe(e.id);
  });

  test("numbers are used again, and an entry that is gone is not found", () => {
    const d = new Demux<Entry>(new SeededRandom(1));
    const e = entry(A, 80, B, 5000);
    d.add(e);
    const { id } = e;
    d.remove(e);
    d.remove(e);
    expect([e.id, d.count, find(d, e)]).toEqual([-1, 0, NOBODY]);
    const f = entry(A, 80, B, 5001);
    d.add(f);
    expect(f.id).toBe(id);
  });

  test("a TIME-WAIT record is found under a negative number", () => {
    const d = new Demux<Entry>(new SeededRandom(1));
    const e = entry(A, 80, B, 5000);
    const record = addRecord(d, e);
    expect(find(d, e)).toBe(-record - 1);
    d.removeTimeWait(record);
    expect(find(d, e)).toBe(NOBODY);
  });

  test("10,000 entries: each is found, in few steps, with a seed of one's own", () => {
    for (const seed of [1, 2]) {
      const d = new Demux<Entry>(new SeededRandom(seed));
      const entries = Array.from({ length: 10_000 }, (_, i) =>
        entry(A, 80 + (i & 3), B, 1 + (i >> 2)),
      );
      for (const e of entries) d.add(e);
      for (const e of entries) expect(find(d, e)).toBe(e.id);
    }
    const hash = (seed: number) =>
      new Demux<Entry>(new SeededRandom(seed)).hash(0, 0, 1, 2, 0, 0, 1, 3, 4);
    expect(hash(1)).not.toBe(hash(2));
  });

  test("any mix of adding and removing against a map", () => {
    const call = fc.tuple(fc.boolean(), fc.nat(200), fc.boolean());
    fc.assert(
      fc.property(fc.integer(), fc.array(call, { maxLength: 300 }), (seed, calls) => {
        const d = new Demux<Entry>(new SeededRandom(seed));
        const connections = new Map<number, Entry>();
        const records = new Map<number, number>();
        for (const [isAdd, n, isRecord] of calls) {
          const probe = entry(A, 80, B, n);
          const there = connections.has(n) || records.has(n);
          if (isAdd && !there) {
            if (isRecord) records.set(n, addRecord(d, probe));
            else {
              d.add(probe);
              connections.set(n, probe);
            }
          } else if (!isAdd && there) {
            const c = connections.get(n);
            if (c !== undefined) d.remove(c);
            else {
              d.removeTimeWait(records.get(n)!);
              d.timeWait.remove(records.get(n)!);
              d.timeWait.nextExpiry();
            }
            connections.delete(n);
            records.delete(n);
          }
        }
        for (let n = 0; n <= 200; n++) {
          const record = records.get(n);
          const expected = connections.get(n)?.id ?? (record === undefined ? NOBODY : -record - 1);
          expect(find(d, entry(A, 80, B, n))).toBe(expected);
        }
        expect(d.count).toBe(connections.size);
      }),
      { numRuns: 50 },
    );
  });
});
