import { afterEach, describe, expect, test } from "vitest";
import { type InSegment, TcpPeer } from "../../test/support/tcp-peer.ts";
import type { StateName } from "./state.ts";

/**
 * SEGMENT ARRIVES (RFC 9293 §3.10.7) as a table: each state, each kind of
 * segment, at and around the edges of the window. What is expected is written
 * from the RFC (with RFC 5961's tests), not from the code.
 */

let t: TcpPeer;
afterEach(() => t.end());

/** States in which both sides have seen each other's SYN. */
const SYNCHRONIZED = [
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const satisfies readonly StateName[];

/** RCV.NXT: 1 after the SYN, 2 after the peer's FIN. */
const rcvNxt = (s: StateName) =>
  s === "CLOSE-WAIT" || s === "CLOSING" || s === "LAST-ACK" || s === "TIME-WAIT" ? 2 : 1;
/** SND.NXT: 1 after our SYN, 2 after our FIN. */
const sndNxt = (s: StateName) =>
  s === "SYN-RECEIVED" || s === "ESTABLISHED" || s === "CLOSE-WAIT" ? 1 : 2;

function at(state: StateName): TcpPeer {
  t = new TcpPeer();
  t.enter(state);
  return t;
}

/** RCV.NXT + RCV.WND as announced. */
const rightEdge = () => t.c.irs - t.peerIss + ((t.c.rcvAdv - t.c.irs) | 0);
const ackOf = (s: StateName) => `A ${sndNxt(s)} ack ${rcvNxt(s)}`;

describe("RFC 9293 §3.10.7.1: CLOSED, nobody has the port", () => {
  test.each<[string, InSegment, string[]]>([
    ["S", { seq: 0 }, ["RA 0 ack 1"]],
    ["S", { seq: 0, data: 10 }, ["RA 0 ack 11"]],
    ["F", { seq: 7 }, ["RA 0 ack 8"]],
    ["-", { seq: 7, data: 3 }, ["RA 0 ack 10"]],
    ["A", { seq: 7, ack: 33 }, ["R 33"]],
    ["SA", { seq: 7, ack: 33 }, ["R 33"]],
    ["FA", { seq: 7, ack: 33 }, ["R 33"]],
    ["PA", { seq: 7, ack: 33, data: 100 }, ["R 33"]],
    ["R", { seq: 7 }, []],
    ["RA", { seq: 7, ack: 33 }, []],
    ["SR", { seq: 7 }, []],
  ])("%s %o", (flags, segment, expected) => {
    t = new TcpPeer();
    t.hostIss = 0;
    t.in(flags === "-" ? "" : flags, segment);
    const sent = t.out();
    // A reset without ACK carries SEG.ACK; one with ACK has SEQ 0.
    expect(sent).toEqual(expected);
  });
});

describe("RFC 9293 §3.10.7.2: LISTEN", () => {
  test.each<[string, string, InSegment, string[]]>([
    ["first, RST is ignored", "R", { seq: 0 }, []],
    ["first, RST is ignored, whatever else is set", "SRA", { seq: 0, ack: 5 }, []],
    ["second, any ACK is answered with RST", "A", { seq: 0, ack: 5 }, ["R 5"]],
    ["second, any ACK is answered with RST", "SA", { seq: 0, ack: 5 }, ["R 5"]],
    ["second, any ACK is answered with RST", "FA", { seq: 0, ack: 5 }, ["R 5"]],
    ["second, any ACK is answered with RST", "PA", { seq: 0, ack: 5, data: 9 }, ["R 5"]],
    ["third, SYN is answered with SYN-ACK", "S", { seq: 0 }, ["SA 0 ack 1"]],
    ["third, SYN; PSH changes nothing", "SP", { seq: 0 }, ["SA 0 ack 1"]],
    ["third, SYN; URG changes nothing", "SU", { seq: 0, urgent: 3 }, ["SA 0 ack 1"]],
    ["fourth, anything else is dropped", "F", { seq: 0 }, []],
    ["fourth, anything else is dropped", "", { seq: 0, data: 5 }, []],
  ])("%s: %s %o", (_, flags, segment, expected) => {
    at("LISTEN");
    t.in(flags, { options: [], ...segment });
    expect(t.out()).toEqual(expected);
    expect(t.listener!.halfOpenCount).toBe(
      flags.includes("S") && expected.length === 1 && expected[0]!.startsWith("SA") ? 1 : 0,
    );
  });

  test("a SYN with FIN opens nothing", () => {
    at("LISTEN");
    t.in("SF", { seq: 0 });
    expect(t.out()).toEqual([]);
    expect(t.listener!.halfOpenCount).toBe(0);
  });
});

describe("RFC 9293 §3.10.7.3: SYN-SENT", () => {
  test.each<[string, string, InSegment, string[], StateName, string]>([
    ["first: ACK of nothing sent", "A", { ack: 0 }, ["R 0"], "SYN-SENT", ""],
    ["first: ACK beyond what was sent", "A", { ack: 2 }, ["R 2"], "SYN-SENT", ""],
    [
      "first: SYN-ACK that acknowledges too little",
      "SA",
      { seq: 0, ack: 0 },
      ["R 0"],
      "SYN-SENT",
      "",
    ],
    [
      "first: SYN-ACK that acknowledges too much",
      "SA",
      { seq: 0, ack: 2 },
      ["R 2"],
      "SYN-SENT",
      "",
    ],
    ["first: RST with a bad ACK is dropped", "RA", { seq: 0, ack: 2 }, [], "SYN-SENT", ""],
    ["first: RST with a bad ACK is dropped", "RA", { seq: 0, ack: 0 }, [], "SYN-SENT", ""],
    ["second: RST without ACK is dropped", "R", { seq: 0 }, [], "SYN-SENT", ""],
    ["second: RST with an acceptable ACK", "RA", { seq: 0, ack: 1 }, [], "CLOSED", "ECONNREFUSED"],
    ["fourth: SYN-ACK", "SA", { seq: 0, ack: 1 }, ["A 1 ack 1"], "ESTABLISHED", ""],
    [
      "fourth: SYN alone is a simultaneous open",
      "S",
      { seq: 0 },
      ["SA 0 ack 1"],
      "SYN-RECEIVED",
      "",
    ],
    ["fifth: neither SYN nor RST", "A", { ack: 1 }, [], "SYN-SENT", ""],
    ["fifth: neither SYN nor RST", "FA", { ack: 1 }, [], "SYN-SENT", ""],
    ["fifth: neither SYN nor RST", "PA", { ack: 1, data: 10 }, [], "SYN-SENT", ""],
    ["fifth: no flag at all", "", { data: 10 }, [], "SYN-SENT", ""],
  ])("%s: %s %o", (_, flags, segment, expected, state, error) => {
    at("SYN-SENT");
    t.in(flags, { options: [], ...segment });
    expect(t.out()).toEqual(expected);
    expect(t.state).toBe(state);
    expect(t.takeError()).toBe(error);
  });

  test("data on a SYN-ACK is taken", () => {
    at("SYN-SENT");
    t.in("SA", { seq: 0, ack: 1, data: 10, options: [] });
    expect(t.out()).toEqual(["A 1 ack 11"]);
    expect(t.read()).toBe(10);
  });
});

describe("RFC 9293 §3.10.7.4, first: the sequence number", () => {
  for (const state of SYNCHRONIZED) {
    // What is wholly outside of the window draws an ACK and changes nothing.
    for (const [name, offset, data] of [
      ["a byte before the window", -1, 1],
      ["ten bytes that end at the left edge", -10, 10],
      ["far before the window", -100_000, 10],
      ["no data, before the window", -1, 0],
      ["a byte at the right edge", "edge", 1],
      ["far beyond the window", 200_000, 10],
      ["no data, far beyond the window", 200_000, 0],
    ] as const) {
      test(`${state}: ${name} is answered with an ACK and dropped`, () => {
        at(state);
        const seq =
          offset === "edge"
            ? state === "TIME-WAIT"
              ? 70_000
              : rightEdge()
            : rcvNxt(state) + offset;
        const readable = t.tcp.readable(t.c);
        t.in("A", { seq, data });
        expect(t.out()).toEqual([ackOf(state)]);
        expect(t.state).toBe(state);
        expect(t.tcp.readable(t.c)).toBe(readable);
      });
    }

    test(`${state}: an RST outside of the window is dropped without a word`, () => {
      at(state);
      const edge = state === "TIME-WAIT" ? 70_000 : rightEdge();
      for (const seq of [rcvNxt(state) - 1, -100_000, edge, edge + 1, edge + 100_000]) {
        t.in("R", { seq });
        t.in("RA", { seq, ack: sndNxt(state) });
        t.run(600);
      }
      expect(t.out().filter((line) => !line.startsWith("F"))).toEqual([]);
      expect(t.state).toBe(state);
    });
  }

  test("SYN-RECEIVED: outside of the window: an ACK", () => {
    at("SYN-RECEIVED");
    t.in("A", { seq: 100_000, ack: 1 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    expect(t.state).toBe("SYN-RECEIVED");
  });

  test("SYN-RECEIVED: the peer's SYN again is answered with the SYN-ACK again", () => {
    at("SYN-RECEIVED");
    t.in("S", { seq: 0, options: [] });
    expect(t.out()).toEqual(["SA 0 ack 1"]);
  });
});

describe("RFC 9293 §3.10.7.4, second: RST (RFC 5961 §3.2)", () => {
  const ERRORS: Record<(typeof SYNCHRONIZED)[number], string> = {
    ESTABLISHED: "ECONNRESET",
    "FIN-WAIT-1": "ECONNRESET",
    "FIN-WAIT-2": "ECONNRESET",
    "CLOSE-WAIT": "ECONNRESET",
    CLOSING: "",
    "LAST-ACK": "",
    "TIME-WAIT": "",
  };
  for (const state of SYNCHRONIZED) {
    if (state === "TIME-WAIT") continue;
    for (const flags of ["R", "RA"]) {
      test(`${state}: ${flags} at RCV.NXT ends the connection`, () => {
        at(state);
        t.in(flags, { seq: rcvNxt(state) });
        expect(t.out()).toEqual([]);
        expect(t.state).toBe("CLOSED");
        expect(t.closed).toBe(true);
        expect(t.takeError()).toBe(ERRORS[state]);
        expect(t.isKnown).toBe(false);
      });
    }

    test(`${state}: RST elsewhere in the window draws a challenge ACK`, () => {
      for (const place of ["next", "last"] as const) {
        at(state);
        const seq = place === "next" ? rcvNxt(state) + 1 : rightEdge() - 1;
        t.in("R", { seq });
        expect(t.out(), place).toEqual([ackOf(state)]);
        expect(t.state).toBe(state);
        if (place === "next") t.end();
      }
    });
  }

  test("TIME-WAIT: RST is ignored (RFC 1337), wherever it stands", () => {
    at("TIME-WAIT");
    for (const seq of [1, 2, 3, 1000]) t.in("R", { seq });
    expect(t.out()).toEqual([]);
    expect(t.isKnown).toBe(true);
  });

  test("TIME-WAIT: without RFC 1337 an RST at RCV.NXT ends it", () => {
    t = new TcpPeer({ tcp: { ignoreRstInTimeWait: false } });
    t.enter("TIME-WAIT");
    t.in("R", { seq: 3 });
    expect(t.isKnown).toBe(true);
    t.in("R", { seq: 2 });
    expect(t.isKnown).toBe(false);
  });

  test("SYN-RECEIVED after a passive open: back to LISTEN, nobody is told (MUST-11)", () => {
    at("SYN-RECEIVED");
    t.in("R", { seq: 1 });
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("CLOSED");
    expect(t.listener!.halfOpenCount).toBe(0);
    t.in("S", { seq: 0, options: [] });
    expect(t.out()).toEqual(["SA 0 ack 1"]);
  });

  test("SYN-RECEIVED after an active open: connection refused (MUST-11)", () => {
    at("SYN-SENT");
    t.in("S", { seq: 0, options: [] });
    expect(t.state).toBe("SYN-RECEIVED");
    t.ignore();
    t.in("R", { seq: 1 });
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ECONNREFUSED");
  });

  test("SYN-RECEIVED: RST elsewhere in the window draws a challenge ACK", () => {
    at("SYN-RECEIVED");
    t.in("R", { seq: 2 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    expect(t.state).toBe("SYN-RECEIVED");
  });

  test("SHLD-2: an RST may carry data, which is ignored", () => {
    at("ESTABLISHED");
    t.in("R", { seq: 1, data: 20 });
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("CLOSED");
    expect(t.takeError()).toBe("ECONNRESET");
    expect(t.read()).toBe(0);
  });
});

describe("RFC 9293 §3.10.7.4, fourth: SYN (RFC 5961 §4.2)", () => {
  for (const state of SYNCHRONIZED) {
    if (state === "TIME-WAIT") continue;
    for (const flags of ["S", "SA"]) {
      test(`${state}: ${flags}, wherever it stands, draws a challenge ACK and changes nothing`, () => {
        at(state);
        const next = rcvNxt(state);
        const edge = rightEdge();
        for (const seq of [
          0,
          next - 1,
          next,
          next + 1,
          edge - 1,
          edge,
          edge + 1,
          -100_000,
          200_000,
        ]) {
          t.ignore();
          t.in(flags, { seq, ack: sndNxt(state) });
          expect(t.out(), `at ${seq}`).toEqual([ackOf(state)]);
          expect(t.state).toBe(state);
          // One challenge in half a second: the next is another.
          t.run(500);
        }
      });
    }
  }

  test("SYN-RECEIVED after a passive open: a SYN in the window sends it back to LISTEN", () => {
    at("SYN-RECEIVED");
    t.in("S", { seq: 10, options: [] });
    expect(t.out()).toEqual([]);
    expect(t.listener!.halfOpenCount).toBe(0);
  });
});

describe("RFC 9293 §3.10.7.4, fifth: ACK", () => {
  test("no ACK bit: the segment is dropped", () => {
    at("ESTABLISHED");
    t.in("", { data: 10 });
    t.in("F", { seq: 1 });
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("ESTABLISHED");
    expect(t.tcp.readable(t.c)).toBe(0);
  });

  test("SYN-RECEIVED: an acceptable ACK enters ESTABLISHED", () => {
    at("SYN-RECEIVED");
    t.in("A", { ack: 1 });
    expect(t.out()).toEqual([]);
    expect(t.state).toBe("ESTABLISHED");
  });

  test.each([0, 2, -5, 100_000])("SYN-RECEIVED: ACK of %i is answered with RST", (ack) => {
    at("SYN-RECEIVED");
    t.in("A", { ack });
    expect(t.out()).toEqual([`R ${ack}`]);
    expect(t.state).toBe("SYN-RECEIVED");
  });

  test("SYN-RECEIVED: the ACK may carry data, and FIN", () => {
    at("SYN-RECEIVED");
    t.in("FPA", { ack: 1, data: 10 });
    expect(t.out()).toEqual(["A 1 ack 12"]);
    expect(t.state).toBe("CLOSE-WAIT");
    expect(t.read()).toBe(10);
    expect(t.read()).toBe(0);
  });

  for (const state of SYNCHRONIZED) {
    if (state === "TIME-WAIT") continue;
    test(`${state}: ACK of something not sent yet: an ACK, and the segment is dropped`, () => {
      at(state);
      t.in("PA", {
        ack: sndNxt(state) + 1,
        seq: rcvNxt(state),
        data: rcvNxt(state) === 1 ? 10 : 0,
      });
      expect(t.out()).toEqual([ackOf(state)]);
      expect(t.state).toBe(state);
      expect(t.tcp.readable(t.c)).toBe(0);
    });
  }

  test("ESTABLISHED: a duplicate ACK is ignored", () => {
    at("ESTABLISHED");
    for (let i = 0; i < 5; i++) t.in("A", { ack: 1 });
    expect(t.out()).toEqual([]);
  });

  test("RFC 5961 §5.2: an ACK older than the largest window is answered and its data dropped", () => {
    at("ESTABLISHED");
    t.in("A", { ack: 1 - 65_536 - 1, data: 10 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    expect(t.tcp.readable(t.c)).toBe(0);
  });

  test("RFC 5961 §5.2: an old ACK within the largest window is a duplicate, its data is taken", () => {
    at("ESTABLISHED");
    t.send(10);
    t.in("A", { ack: 11 });
    t.ignore();
    t.in("PA", { ack: 1, data: 10 });
    expect(t.tcp.readable(t.c)).toBe(10);
  });

  test("FIN-WAIT-1: the ACK of our FIN enters FIN-WAIT-2", () => {
    at("FIN-WAIT-1");
    t.in("A", { ack: 1 });
    expect(t.state).toBe("FIN-WAIT-1");
    t.in("A", { ack: 2 });
    expect(t.state).toBe("FIN-WAIT-2");
    expect(t.out()).toEqual([]);
  });

  test("FIN-WAIT-1: FIN with the ACK of our FIN enters TIME-WAIT", () => {
    at("FIN-WAIT-1");
    t.in("FA", { ack: 2 });
    expect(t.state).toBe("TIME-WAIT");
    expect(t.out()).toEqual(["A 2 ack 2"]);
  });

  test("CLOSING: the ACK of our FIN enters TIME-WAIT", () => {
    at("CLOSING");
    t.in("A", { ack: 1 });
    expect(t.state).toBe("CLOSING");
    t.in("A", { ack: 2 });
    expect(t.state).toBe("TIME-WAIT");
    expect(t.out()).toEqual([]);
  });

  test("LAST-ACK: the ACK of our FIN ends the connection", () => {
    at("LAST-ACK");
    t.in("A", { ack: 1 });
    expect(t.state).toBe("LAST-ACK");
    t.in("A", { ack: 2 });
    expect(t.state).toBe("CLOSED");
    expect(t.closed).toBe(true);
    expect(t.isKnown).toBe(false);
    expect(t.takeError()).toBe("");
  });

  test("TIME-WAIT: the peer's FIN again is acknowledged, and the 2 MSL begin anew", () => {
    at("TIME-WAIT");
    t.run(50_000);
    t.in("FA", { seq: 1, ack: 2 });
    expect(t.out()).toEqual(["A 2 ack 2"]);
    t.run(50_000);
    expect(t.isKnown).toBe(true);
    t.run(10_001);
    expect(t.isKnown).toBe(false);
  });

  test("TIME-WAIT: a pure ACK in its place changes nothing", () => {
    at("TIME-WAIT");
    t.in("A", { seq: 2, ack: 2 });
    expect(t.out()).toEqual([]);
  });
});

describe("RFC 9293 §3.10.7.4, seventh: the segment text", () => {
  for (const state of ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"] as const) {
    test(`${state}: text is taken`, () => {
      at(state);
      t.in("A", { data: 10, ack: sndNxt(state) });
      t.run(50);
      expect(t.out()).toEqual([`A ${sndNxt(state)} ack 11`]);
      expect(t.read()).toBe(10);
    });

    test(`${state}: what overlaps the left edge is cut there`, () => {
      at(state);
      t.in("A", { data: 10, ack: sndNxt(state) });
      t.in("A", { seq: 6, data: 10, ack: sndNxt(state) });
      t.run(50);
      expect(t.tcp.readable(t.c)).toBe(15);
    });

    test(`${state}: what overlaps the right edge is cut there, and its FIN too`, () => {
      t = new TcpPeer();
      t.enter(state, { receiveBuffer: 1000 });
      // The FIN of FIN-WAIT-1 stays unacknowledged.
      t.in("FA", { data: 1200, ack: 1 });
      t.run(50);
      expect(t.tcp.readable(t.c)).toBe(1000);
      expect(t.state).toBe(state);
      expect(t.out({ window: true }).at(-1)).toBe(`A ${sndNxt(state)} ack 1001 win 0`);
    });
  }

  for (const state of ["CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"] as const) {
    test(`${state}: text after the peer's FIN is ignored`, () => {
      at(state);
      t.in("A", { seq: 2, data: 10, ack: 1 });
      expect(t.state).toBe(state);
      expect(t.read()).toBe(0);
    });
  }
});

describe("RFC 9293 §3.10.7.4, eighth: FIN", () => {
  test.each<[StateName, StateName, number]>([
    ["SYN-RECEIVED", "CLOSE-WAIT", 1],
    ["ESTABLISHED", "CLOSE-WAIT", 1],
    ["FIN-WAIT-1", "CLOSING", 1],
    ["FIN-WAIT-2", "TIME-WAIT", 2],
  ])("%s: FIN enters %s and is acknowledged", (state, next, ack) => {
    at(state);
    t.in("FA", { ack });
    expect(t.out()).toEqual([`A ${sndNxt(state)} ack 2`]);
    expect(t.state).toBe(next);
    expect(t.peerFin).toBe(true);
    expect(t.read()).toBe(0);
  });

  for (const state of ["CLOSE-WAIT", "CLOSING", "LAST-ACK"] as const) {
    test(`${state}: FIN again is acknowledged again, the state stays`, () => {
      at(state);
      t.in("FA", { seq: 1, ack: 1 });
      expect(t.out()).toEqual([ackOf(state)]);
      expect(t.state).toBe(state);
    });
  }

  for (const state of ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"] as const) {
    test(`${state}: a FIN beyond a gap waits for what is missing`, () => {
      at(state);
      const ack = state === "FIN-WAIT-2" ? 2 : 1;
      t.in("FA", { seq: 11, data: 10, ack });
      expect(t.out()).toEqual([`A ${sndNxt(state)} ack 1`]);
      expect(t.state).toBe(state);
      t.in("A", { seq: 1, data: 10, ack });
      expect(t.out()).toEqual([`A ${sndNxt(state)} ack 22`]);
      expect(t.state).toBe(
        { ESTABLISHED: "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT" }[state],
      );
      expect(t.read()).toBe(20);
      expect(t.read()).toBe(0);
    });
  }

  test("a FIN without data beyond a gap waits too", () => {
    at("ESTABLISHED");
    t.in("FA", { seq: 11 });
    expect(t.out()).toEqual(["A 1 ack 1"]);
    expect(t.state).toBe("ESTABLISHED");
    t.in("A", { seq: 1, data: 10 });
    expect(t.out()).toEqual(["A 1 ack 12"]);
    expect(t.state).toBe("CLOSE-WAIT");
  });
});
