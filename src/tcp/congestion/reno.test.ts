import { describe, expect, test } from "vitest";
import { makeController, makeView, PLAIN, Rounds } from "../../../test/support/congestion.ts";
import { CONGESTION_ECN, CONGESTION_LOSS, INFINITE_SSTHRESH } from "./controller.ts";
import { slowStart } from "./slow-start.ts";

const MSS = 1000;

describe("slow start", () => {
  test("RFC 5681 §3.1: the window doubles every round trip", () => {
    const view = makeView();
    const rounds = new Rounds(makeController("reno"), view);
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      rounds.run();
      seen.push(view.cwnd / MSS);
    }
    expect(seen).toEqual([20, 40, 80, 160]);
  });

  test("RFC 3465 §2.3: with L = 2 an ACK for 8 segments counts as 2", () => {
    const view = makeView();
    const rounds = new Rounds(makeController("reno", { ...PLAIN, abcLimit: 2 }), view);
    rounds.ack(8 * MSS);
    expect(view.cwnd).toBe(12 * MSS);
  });

  test("RFC 3465 §2.2: an ACK for a part of a segment counts as that part (no ACK division)", () => {
    const view = makeView();
    const rounds = new Rounds(makeController("reno"), view);
    for (let i = 0; i < 10; i++) rounds.ack(MSS / 10);
    expect(view.cwnd).toBe(11 * MSS);
  });

  test("ssthresh is not overshot: what is left over belongs to congestion avoidance", () => {
    const view = makeView({ ssthresh: 12 * MSS });
    expect(slowStart(view, 5 * MSS, Infinity)).toBe(3 * MSS);
    expect(view.cwnd).toBe(12 * MSS);
  });
});

describe("reno", () => {
  test("RFC 5681 §3.1: one segment more every round trip, however ACKs are spaced", () => {
    for (const segmentsPerAck of [1, 2, 7, 40]) {
      const view = makeView({ cwnd: 20 * MSS, ssthresh: 10 * MSS });
      const rounds = new Rounds(makeController("reno"), view);
      const seen: number[] = [];
      for (let i = 0; i < 5; i++) {
        rounds.run({ segmentsPerAck });
        seen.push(view.cwnd / MSS);
      }
      expect(seen, `${segmentsPerAck} segments per ACK`).toEqual([21, 22, 23, 24, 25]);
    }
  });

  test("RFC 5681 §3.1: a loss halves the window, to two segments at least", () => {
    const reno = makeController("reno");
    const view = makeView({ cwnd: 41 * MSS });
    reno.init(view, 0);
    expect(reno.onCongestion(view, CONGESTION_LOSS, 0)).toBe(20_500);
    view.cwnd = 3 * MSS;
    expect(reno.onCongestion(view, CONGESTION_LOSS, 0)).toBe(2 * MSS);
  });

  test("RFC 8511 §3: with ABE an ECN signal takes less than a loss", () => {
    const reno = makeController("reno", { ...PLAIN, abeBeta: 0.8 });
    const view = makeView({ cwnd: 40 * MSS });
    reno.init(view, 0);
    expect(reno.onCongestion(view, CONGESTION_ECN, 0)).toBe(32 * MSS);
    expect(reno.onCongestion(view, CONGESTION_LOSS, 0)).toBe(20 * MSS);
  });
});

describe("HyStart++", () => {
  const settings = { ...PLAIN, hystart: true };

  function start(cwndSegments = 16) {
    const view = makeView({ cwnd: cwndSegments * MSS, cwndClamp: 2 ** 29 });
    const rounds = new Rounds(makeController("reno", settings), view);
    return { view, rounds };
  }

  test("RFC 9406 §4.3: a steady RTT leaves slow start alone", () => {
    const { view, rounds } = start();
    for (let i = 0; i < 8; i++) rounds.run({ rttUs: 100_000 });
    expect(view.cwnd).toBe(16 * 256 * MSS);
    expect(view.ssthresh).toBe(INFINITE_SSTHRESH);
  });

  test("RFC 9406 §4.3: a rise by an eighth leads to a quarter of the growth, then after 5 rounds to congestion avoidance", () => {
    const { view, rounds } = start();
    for (let i = 0; i < 3; i++) rounds.run({ rttUs: 80_000 });
    const before = view.cwnd;
    // Eight samples of this round still grow at full speed; then it is conservative.
    rounds.run({ rttUs: 91_000 });
    expect(view.cwnd / before).toBeLessThan(1.4);
    expect(view.ssthresh).toBe(INFINITE_SSTHRESH);
    const growth: number[] = [];
    for (let i = 0; i < 4; i++) {
      const was = view.cwnd;
      rounds.run({ rttUs: 91_000 });
      growth.push(view.cwnd / was);
    }
    for (const g of growth) expect(g).toBeCloseTo(1.25, 1);
    rounds.run({ rttUs: 91_000 });
    expect(view.ssthresh).toBeLessThan(INFINITE_SSTHRESH);
    const avoidance = view.cwnd;
    rounds.run({ rttUs: 91_000 });
    expect(view.cwnd - avoidance).toBeLessThanOrEqual(2 * MSS);
  });

  test("RFC 9406 §4.3: less than 4 ms is jitter, whatever the RTT", () => {
    const { view, rounds } = start();
    for (let i = 0; i < 4; i++) rounds.run({ rttUs: 1_000 });
    const before = view.cwnd;
    rounds.run({ rttUs: 4_900 });
    expect(view.cwnd).toBe(2 * before);
  });

  test("RFC 9406 §4.3: when the RTT falls back, slow start goes on at full speed", () => {
    const { view, rounds } = start();
    for (let i = 0; i < 3; i++) rounds.run({ rttUs: 80_000 });
    rounds.run({ rttUs: 95_000 });
    rounds.run({ rttUs: 80_000 });
    const before = view.cwnd;
    rounds.run({ rttUs: 80_000 });
    expect(view.cwnd / before).toBeCloseTo(2, 1);
  });

  test("RFC 9406 §4.3: L = 8 segments per ACK without pacing", () => {
    const { view, rounds } = start(100);
    rounds.ack(50 * MSS);
    expect(view.cwnd).toBe(108 * MSS);
    view.pacingRate = 1e6;
    rounds.ack(50 * MSS);
    expect(view.cwnd).toBe(158 * MSS);
  });

  test("RFC 9406 §4.2: only the first slow start; after a loss it is the standard one", () => {
    const { view, rounds } = start();
    view.ssthresh = 1000 * MSS;
    for (let i = 0; i < 2; i++) rounds.run({ rttUs: 80_000 });
    const before = view.cwnd;
    rounds.run({ rttUs: 200_000 });
    expect(view.cwnd).toBe(2 * before);
  });
});
