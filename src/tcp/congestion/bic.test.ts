import { describe, expect, test } from "vitest";
import { makeController, makeView, Rounds } from "../../../test/support/congestion.ts";
import { BIC_MAX_INCREMENT, BIC_BETA, bicIncrement } from "./bic.ts";
import { CONGESTION_LOSS } from "./controller.ts";

const MSS = 1000;

describe("bic", () => {
  test("Xu 2004: linear while far, then a quarter of the distance, slow at the maximum, mirrored beyond", () => {
    expect(bicIncrement(100, 1000)).toBe(BIC_MAX_INCREMENT);
    expect(bicIncrement(960, 1000)).toBe(10);
    expect(bicIncrement(998, 1000)).toBeCloseTo(0.2);
    expect(bicIncrement(1002, 1000)).toBeCloseTo(0.2);
    expect(bicIncrement(1030, 1000)).toBe(10);
    expect(bicIncrement(2000, 1000)).toBe(BIC_MAX_INCREMENT);
    expect(bicIncrement(10, 1000)).toBe(1);
  });

  test("Xu 2004: after a loss the window searches its way back and halts at the old maximum", () => {
    const view = makeView({ cwnd: 500 * MSS });
    const bic = makeController("bic");
    const rounds = new Rounds(bic, view);
    view.ssthresh = bic.onCongestion(view, CONGESTION_LOSS, 0);
    expect(view.ssthresh / MSS).toBeCloseTo(500 * BIC_BETA, 0);
    view.cwnd = view.ssthresh;
    const steps: number[] = [];
    for (let i = 0; i < 24; i++) {
      const before = view.cwnd;
      rounds.run();
      steps.push((view.cwnd - before) / MSS);
    }
    expect(steps[0]).toBeCloseTo(BIC_MAX_INCREMENT, -1);
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeLessThanOrEqual(steps[i - 1] + 1);
    expect(steps[20]).toBeLessThanOrEqual(1);
    expect(view.cwnd / MSS).toBeGreaterThan(490);
    expect(view.cwnd / MSS).toBeLessThanOrEqual(501);
  });

  test("small windows behave as Reno", () => {
    const view = makeView({ cwnd: 8 * MSS });
    const bic = makeController("bic");
    const rounds = new Rounds(bic, view);
    expect(bic.onCongestion(view, CONGESTION_LOSS, 0)).toBe(4 * MSS);
    view.cwnd = view.ssthresh = 8 * MSS;
    for (let i = 0; i < 4; i++) rounds.run();
    expect(view.cwnd).toBe(12 * MSS);
  });
});
