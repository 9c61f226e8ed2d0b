import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IpAddress, parseAddress } from "./address.ts";
import { EADDRINUSE, EADDRNOTAVAIL } from "./errors.ts";
import {
  PORT_LISTENING,
  PORT_REUSE_ADDRESS,
  PORT_REUSE_PORT,
  PORT_V6_ONLY,
  PortTable,
} from "./port-table.ts";
import { SeededRandom } from "./random.ts";

const A = PORT_REUSE_ADDRESS;
const P = PORT_REUSE_PORT;
const L = PORT_LISTENING;
const V6 = PORT_V6_ONLY;

function table(firstPort = 32768, lastPort = 60999, seed = 1) {
  return new PortTable({ random: new SeededRandom(seed), firstPort, lastPort });
}

function bind(t: PortTable, address: string | IpAddress, port: number, device = 0, flags = 0) {
  const a = typeof address === "string" ? parseAddress(address) : address;
  return t.bind(a.w0, a.w1, a.w2, a.w3, port, device, flags);
}

function connect(t: PortTable, address: string, unique: (port: number) => boolean) {
  const a = parseAddress(address);
  return t.bindForConnect(a.w0, a.w1, a.w2, a.w3, 0, 0, unique);
}

describe("bind conflicts, as Linux decides them", () => {
  // first holder, second, may the second bind
  const cases: [string, number, number, string, number, number, boolean][] = [
    ["10.0.0.1", 0, 0, "10.0.0.1", 0, 0, false],
    ["10.0.0.1", 0, 0, "10.0.0.2", 0, 0, true],
    ["0.0.0.0", 0, 0, "10.0.0.1", 0, 0, false],
    ["10.0.0.1", 0, 0, "0.0.0.0", 0, 0, false],
    ["0.0.0.0", 0, 0, "::", 0, 0, false],
    ["::", 0, 0, "0.0.0.0", 0, 0, false],
    ["::", 0, 0, "10.0.0.1", 0, 0, false],
    ["::", V6, 0, "10.0.0.1", 0, 0, true],
    ["::", V6, 0, "0.0.0.0", 0, 0, true],
    ["0.0.0.0", 0, 0, "::", V6, 0, true],
    ["::", V6, 0, "::", V6, 0, false],
    ["::", V6, 0, "::", 0, 0, false],
    ["::", V6, 0, "fd00::1", 0, 0, false],
    ["fd00::1", 0, 0, "10.0.0.1", 0, 0, true],
    ["fd00::1", 0, 0, "0.0.0.0", 0, 0, true],
    // Interfaces: two different ones keep apart, none is in everyone's way.
    ["0.0.0.0", 0, 1, "0.0.0.0", 0, 2, true],
    ["0.0.0.0", 0, 1, "0.0.0.0", 0, 1, false],
    ["0.0.0.0", 0, 0, "0.0.0.0", 0, 2, false],
    // SO_REUSEADDR must be on both, and the first may not listen.
    ["10.0.0.1", A, 0, "10.0.0.1", 0, 0, false],
    ["10.0.0.1", 0, 0, "10.0.0.1", A, 0, false],
    ["10.0.0.1", A, 0, "10.0.0.1", A, 0, true],
    ["10.0.0.1", A | L, 0, "10.0.0.1", A, 0, false],
    ["0.0.0.0", A | L, 0, "10.0.0.1", A, 0, false],
    // SO_REUSEPORT must be on both, and listeners share too.
    ["10.0.0.1", P, 0, "10.0.0.1", 0, 0, false],
    ["10.0.0.1", P | L, 0, "10.0.0.1", P, 0, true],
    ["10.0.0.1", P, 0, "10.0.0.1", A, 0, false],
    ["10.0.0.1", A | P | L, 0, "10.0.0.1", A, 0, false],
    ["10.0.0.1", A | P | L, 0, "10.0.0.1", A | P, 0, true],
  ];
  test.each(cases)("%s flags %i if %i, then %s flags %i if %i: %s", (a, fa, da, b, fb, db, may) => {
    const t = table();
    expect(bind(t, a, 80, da, fa)).toBeGreaterThan(0);
    const second = bind(t, b, 80, db, fb);
    if (may) expect(second).toBeGreaterThan(0);
    else expect(second).toBe(-EADDRINUSE);
    expect(bind(t, b, 81, db, fb)).toBeGreaterThan(0);
  });

  test("of two sockets bound with SO_REUSEADDR only one may listen", () => {
    const t = table();
    const one = bind(t, "0.0.0.0", 80, 0, A);
    const two = bind(t, "0.0.0.0", 80, 0, A);
    const listener = t.change(one, A | L);
    expect(listener).toBeGreaterThan(0);
    expect(t.change(two, A | L)).toBe(-EADDRINUSE);
    t.release(listener);
    const second = t.change(two, A | L);
    expect(second).toBeGreaterThan(0);
    t.release(second);
    expect(t.size).toBe(0);
  });

  test("after the listener is gone its connections hold the port against who has no SO_REUSEADDR", () => {
    const t = table();
    const listener = t.change(bind(t, "0.0.0.0", 80, 0, A), A | L);
    const peer = parseAddress("10.0.0.1");
    const children = [1, 2, 3].map(() =>
      t.bindAccepted(listener, peer.w0, peer.w1, peer.w2, peer.w3),
    );
    expect(t.size).toBe(2);
    t.release(listener);
    expect(bind(t, "0.0.0.0", 80)).toBe(-EADDRINUSE);
    const again = bind(t, "0.0.0.0", 80, 0, A);
    expect(again).toBeGreaterThan(0);
    t.release(again);
    for (const child of children) t.release(child);
    expect(bind(t, "0.0.0.0", 80)).toBeGreaterThan(0);
  });
});

describe("RFC 6056: ephemeral ports", () => {
  test("§3.3.1: every port of the range is given once, then none", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (seed, range) => {
        const t = table(40000, 40000 + range - 1, seed);
        const ports = new Set<number>();
        for (let i = 0; i < range; i++) ports.add(t.port(bind(t, "0.0.0.0", 0)));
        expect(ports.size).toBe(range);
        expect(Math.min(...ports)).toBe(40000);
        expect(Math.max(...ports)).toBe(40000 + range - 1);
        expect(bind(t, "0.0.0.0", 0)).toBe(-EADDRINUSE);
      }),
    );
  });

  test("§3.1: successive ports are not successive numbers", () => {
    const t = table();
    let neighbours = 0;
    let last = 0;
    for (let i = 0; i < 200; i++) {
      const port = t.port(bind(t, "0.0.0.0", 0));
      if (Math.abs(port - last) < 10) neighbours++;
      last = port;
    }
    expect(neighbours).toBeLessThan(5);
  });

  test("§3.2: a connect takes a port again for another destination", () => {
    const t = table(50000, 50003);
    const tuples = new Set<string>();
    for (const destination of ["a", "b"]) {
      for (let i = 0; i < 4; i++) {
        const handle = connect(t, "10.0.0.1", (port) => !tuples.has(destination + port));
        tuples.add(destination + t.port(handle));
      }
      expect(connect(t, "10.0.0.1", (port) => !tuples.has(destination + port))).toBe(
        -EADDRNOTAVAIL,
      );
    }
    expect(tuples.size).toBe(8);
    expect(t.size).toBe(4);
  });

  test("a port taken by bind() is never chosen for a connect()", () => {
    const t = table(50000, 50003);
    bind(t, "10.0.0.9", 50001, 0, A);
    const seen = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const handle = connect(t, "10.0.0.1", () => true);
      seen.add(t.port(handle));
      t.release(handle);
    }
    expect([...seen].sort()).toEqual([50000, 50002, 50003]);
  });

  test("an ephemeral bind takes no port that anybody holds, reuse or not", () => {
    const t = table(50000, 50001);
    bind(t, "10.0.0.1", 50000, 0, A | P);
    expect(t.port(bind(t, "0.0.0.0", 0, 0, A | P))).toBe(50001);
    expect(bind(t, "10.0.0.1", 0, 0, A | P)).toBe(-EADDRINUSE);
  });
});

test("what is released is gone, in any order", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          port: fc.integer({ min: 1, max: 3 }),
          address: fc.constantFrom("0.0.0.0", "::", "10.0.0.1", "fd00::1"),
          flags: fc.constantFrom(0, A, P, A | P),
          drop: fc.nat(),
        }),
      ),
      (steps) => {
        const t = table();
        const held: number[] = [];
        for (const step of steps) {
          const handle = bind(t, step.address, step.port, 0, step.flags);
          if (handle > 0) held.push(handle);
          if (step.drop % 3 === 0 && held.length > 0) {
            t.release(held.splice(step.drop % held.length, 1)[0]!);
          }
        }
        for (const handle of held) t.release(handle);
        expect(t.size).toBe(0);
        for (const port of [1, 2, 3]) expect(bind(t, "::", port)).toBeGreaterThan(0);
      },
    ),
  );
});
