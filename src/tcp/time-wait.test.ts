import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimeWaitTable, TW_PORTS, TW_TS_RECENT } from "./time-wait.ts";

describe("RFC 9293 §3.6.1: records of connections in TIME-WAIT", () => {
  test("a record keeps its columns, also when the table grows", () => {
    const table = new TimeWaitTable();
    const records = Array.from({ length: 100 }, (_, i) => {
      const record = table.add(1000 + i);
      table.set(record, TW_PORTS, i * 3);
      table.set(record, TW_TS_RECENT, -i);
      table.setTsRecentUs(record, i / 2);
      return record;
    });
    records.forEach((record, i) => {
      expect([table.get(record, TW_PORTS), table.get(record, TW_TS_RECENT)]).toEqual([
        i * 3,
        0 - i,
      ]);
      expect([table.tsRecentUs(record), table.expiry(record)]).toEqual([i / 2, 1000 + i]);
    });
    expect(table.count).toBe(100);
  });

  test("one that was restarted does not hold up those behind it", () => {
    const table = new TimeWaitTable();
    const first = table.add(60);
    const second = table.add(61);
    table.restart(first, 110);
    expect(table.nextExpiry()).toBe(61);
    expect(table.takeExpired(61)).toBe(second);
    table.release(second);
    expect(table.takeExpired(109)).toBe(-1);
    expect(table.takeExpired(110)).toBe(first);
  });

  test("against a list: none leaves before its time, none stays, in any mix of calls", () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant("restart" as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant("remove" as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant("pass" as const), at: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const table = new TimeWaitTable();
        const model = new Map<number, number>();
        let now = 0;
        const expire = () => {
          for (;;) {
            const record = table.takeExpired(now);
            if (record < 0) break;
            expect(model.get(record)).toBeLessThanOrEqual(now);
            model.delete(record);
            table.release(record);
          }
        };
        for (const { kind, at } of calls) {
          const records = [...model.keys()];
          const chosen = records[at % Math.max(1, records.length)];
          if (kind === "add") {
            const record = table.add(now + 60);
            expect(model.has(record)).toBe(false);
            model.set(record, now + 60);
          } else if (kind === "restart" && chosen !== undefined) {
            table.restart(chosen, now + 60);
            model.set(chosen, now + 60);
          } else if (kind === "remove" && chosen !== undefined) {
            table.remove(chosen);
            model.delete(chosen);
          } else if (kind === "pass") now += at;
          expire();
          expect(table.count).toBe(model.size);
        }
        now += 10_000;
        for (let i = 0; i < 100; i++) expire();
        expect(model.size).toBe(0);
        expect(table.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});
