import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NEVER, Timers } from "./timers.ts";

describe("timers of a host", () => {
  test("fire in the order of deadline and number, each once", () => {
    const timers = new Timers();
    const fired: string[] = [];
    const ids = ["a", "b", "c"].map((name) => timers.register({ onTimer: () => fired.push(name) }));
    timers.arm(ids[0]!, 20);
    timers.arm(ids[1]!, 10);
    timers.arm(ids[2]!, 10);
    expect(timers.nextDeadline()).toBe(10);
    expect(timers.advance(9, 100)).toBe(false);
    expect(fired).toEqual([]);
    timers.advance(20, 100);
    expect(fired).toEqual(["b", "c", "a"]);
    timers.advance(1000, 100);
    expect(fired).toHaveLength(3);
    expect(timers.nextDeadline()).toBe(NEVER);
  });

  test("a budget bounds how many fire at once", () => {
    const timers = new Timers();
    let fired = 0;
    for (let i = 0; i < 10; i++) timers.arm(timers.register({ onTimer: () => fired++ }), i);
    expect(timers.advance(100, 4)).toBe(true);
    expect(fired).toBe(4);
    expect(timers.advance(100, 6)).toBe(false);
    expect(fired).toBe(10);
  });

  test("one that arms itself anew for now fires again; disarmed and forgotten ones do not", () => {
    const timers = new Timers();
    let fired = 0;
    const id = timers.register({
      onTimer: (nowUs) => {
        if (++fired < 3) timers.arm(id, nowUs);
      },
    });
    timers.arm(id, 5);
    timers.advance(5, 100);
    expect(fired).toBe(3);
    timers.arm(id, 7);
    timers.arm(id, NEVER);
    timers.advance(100, 100);
    expect(fired).toBe(3);
    timers.arm(id, 200);
    timers.unregister(id);
    timers.advance(1000, 100);
    expect([fired, timers.registered]).toEqual([3, 0]);
  });

  test("a timer that forgets another while it fires", () => {
    const timers = new Timers();
    const fired: string[] = [];
    const second = timers.register({ onTimer: () => fired.push("second") });
    const first = timers.register({
      onTimer: () => {
        fired.push("first");
        timers.unregister(second);
      },
    });
    timers.arm(first, 1);
    timers.arm(second, 2);
    timers.advance(10, 100);
    expect(fired).toEqual(["first"]);
  });

  test("any mix of calls against a list", () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant("register" as const), n: fc.nat(50) }),
      fc.record({ kind: fc.constant("arm" as const), n: fc.nat(50), at: fc.nat(200) }),
      fc.record({ kind: fc.constant("disarm" as const), n: fc.nat(50) }),
      fc.record({ kind: fc.constant("unregister" as const), n: fc.nat(50) }),
      fc.record({ kind: fc.constant("advance" as const), n: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
        const timers = new Timers();
        const deadlines = new Map<number, number>();
        let fired: number[] = [];
        let now = 0;
        for (const step of calls) {
          const ids = [...deadlines.keys()];
          const id = ids[step.n % Math.max(1, ids.length)];
          if (step.kind === "register") {
            const made: number = timers.register({ onTimer: () => fired.push(made) });
            expect(deadlines.has(made)).toBe(false);
            deadlines.set(made, NEVER);
          } else if (step.kind === "advance") {
            now += step.n;
            fired = [];
            expect(timers.advance(now, 1000)).toBe(false);
            const due = [...deadlines]
              .filter(([, at]) => at <= now)
              .sort(([i, a], [j, b]) => a - b || i - j)
              .map(([i]) => i);
            expect(fired).toEqual(due);
            for (const i of due) deadlines.set(i, NEVER);
          } else if (id !== undefined) {
            if (step.kind === "arm") {
              timers.arm(id, now + step.at);
              deadlines.set(id, now + step.at);
            } else if (step.kind === "disarm") {
              timers.arm(id, NEVER);
              deadlines.set(id, NEVER);
            } else {
              timers.unregister(id);
              deadlines.delete(id);
            }
          }
          for (const [i, at] of deadlines) expect(timers.deadline(i)).toBe(at);
          expect(timers.nextDeadline()).toBe(Math.min(NEVER, ...deadlines.values()));
          expect(timers.registered).toBe(deadlines.size);
        }
      }),
    );
  });
});
