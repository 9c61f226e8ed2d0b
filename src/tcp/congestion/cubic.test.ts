import { describe, expect, test } from "vitest";
import { makeController, makeView, Rounds } from "../../../test/support/congestion.ts";
import { CONGESTION_LOSS, CONGESTION_TIMEOUT } from "./controller.ts";
import { CUBIC_BETA, cubicK, cubicWindow } from "./cubic.ts";

const MSS = 1000;

/** A connection that just lost at `segments` and is back in congestion avoidance. */
function afterLoss(segments: number, rttUs: number, kind = CONGESTION_LOSS) {
  const view = makeView({ cwnd: segments * MSS, srttUs: rttUs, minRttUs: rttUs });
  const cubic = makeController("cubic");
  const rounds = new Rounds(cubic, view);
  view.ssthresh = cubic.onCongestion(view, kind, rounds.nowUs);
  view.cwnd = view.ssthresh;
  return { view, cubic, rounds };
}

describe("cubic", () => {
  test("RFC 9438 §4.6: a loss leaves 0.7 of the window", () => {
    const { view } = afterLoss(1000, 100_000);
    expect(view.ssthresh).toBe(700 * MSS);
  });

  test("RFC 9438 §4.4-4.5: the window follows C(t-K)^3 + W_max, through the plateau and beyond", () => {
    const rttUs = 100_000;
    const { view, rounds } = afterLoss(1000, rttUs);
    const k = cubicK(1000, 700);
    expect(k).toBeCloseTo(Math.cbrt(300 / 0.4), 9);
    expect(cubicWindow(12, 1000, 2)).toBeCloseTo(0.4 * 1000 + 1000, 9);
    let largest = 0;
    for (let i = 1; i <= 160; i++) {
      rounds.run();
      const t = rounds.nowUs / 1e6;
      const error = Math.abs(view.cwnd / MSS - cubicWindow(t, 1000, k));
      largest = Math.max(largest, error / (view.cwnd / MSS));
    }
    // 16 s: through the plateau at 9.1 s and well beyond; a fixed slope would be off by 10 % and more.
    expect(largest).toBeLessThan(0.01);
    expect(view.cwnd / MSS).toBeGreaterThan(1100);
  });

  test("RFC 9438 §4.2: the curve depends on time, not on the RTT", () => {
    const at = (rttUs: number) => {
      const { view, rounds } = afterLoss(2000, rttUs);
      while (rounds.nowUs < 8e6) rounds.run();
      return view.cwnd / MSS;
    };
    expect(at(200_000) / at(50_000)).toBeCloseTo(1, 2);
  });

  test("RFC 9438 §4.3: on a short path it grows as W_est: 3(1-beta)/(1+beta) a round, and 1 from the former window on", () => {
    const { view, rounds } = afterLoss(20, 1_000);
    const alpha = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);
    let wEst = 14;
    for (let i = 0; i < 60; i++) {
      const cwnd = view.cwnd / MSS;
      rounds.run();
      // By acknowledged bytes: a window of them is worth alpha segments.
      wEst += (wEst >= 20 ? 1 : alpha) * (Math.floor(cwnd) / cwnd);
      expect(Math.abs(view.cwnd / MSS - wEst)).toBeLessThan(1.5);
    }
    expect(view.cwnd / MSS).toBeGreaterThan(55);
  });

  test("RFC 9438 §4.4: the window never grows by more than half in a round", () => {
    const { view, rounds } = afterLoss(100, 2_000_000);
    for (let i = 0; i < 12; i++) {
      const before = view.cwnd;
      rounds.run();
      expect(view.cwnd / before).toBeLessThanOrEqual(1.65);
    }
  });

  test("RFC 9438 §4.7: fast convergence: a second loss below the plateau lowers it further", () => {
    const { view, cubic, rounds } = afterLoss(1000, 100_000);
    for (let i = 0; i < 10; i++) rounds.run();
    const lostAt = view.cwnd / MSS;
    expect(lostAt).toBeLessThan(1000);
    cubic.onCongestion(view, CONGESTION_LOSS, rounds.nowUs);
    expect(cubic.info?.().wMaxSegments).toBeCloseTo((lostAt * (1 + CUBIC_BETA)) / 2, 6);
  });

  test("RFC 9438 §4.8: after a timeout K is 0: the window rises from where avoidance begins", () => {
    const { view, cubic, rounds } = afterLoss(1000, 100_000, CONGESTION_TIMEOUT);
    const start = view.cwnd / MSS;
    while (rounds.nowUs < 5e6) rounds.run();
    expect(cubic.info?.().kSeconds).toBe(0);
    expect(view.cwnd / MSS).toBeCloseTo(cubicWindow(rounds.nowUs / 1e6, start, 0), -1);
  });

  test("RFC 9438 §4.9.2: a spurious loss leaves no trace in the curve", () => {
    const { view, cubic, rounds } = afterLoss(1000, 100_000);
    while (rounds.nowUs < 4e6) rounds.run();
    const { cwnd, ssthresh } = view;
    cubic.onCongestion(view, CONGESTION_LOSS, rounds.nowUs);
    view.cwnd = cwnd;
    view.ssthresh = ssthresh;
    cubic.onSpurious?.(view, rounds.nowUs);
    while (rounds.nowUs < 8e6) rounds.run();
    const expected = cubicWindow(rounds.nowUs / 1e6, 1000, cubicK(1000, 700));
    expect(view.cwnd / MSS / expected).toBeCloseTo(1, 2);
  });

  test("RFC 9438 §4.2, §5.8: an idle minute is not part of the epoch", () => {
    const { view, cubic, rounds } = afterLoss(1000, 100_000);
    while (rounds.nowUs < 4e6) rounds.run();
    rounds.nowUs += 60e6;
    view.pipe = 0;
    cubic.onSent?.(view, MSS, rounds.nowUs);
    const idleUs = 60e6;
    while (rounds.nowUs < 8e6 + idleUs) rounds.run();
    const expected = cubicWindow((rounds.nowUs - idleUs) / 1e6, 1000, cubicK(1000, 700));
    expect(view.cwnd / MSS / expected).toBeCloseTo(1, 2);
  });
});
