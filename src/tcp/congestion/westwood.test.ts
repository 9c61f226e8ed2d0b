import { describe, expect, test } from "vitest";
import { makeController, makeView, PLAIN, Rounds } from "../../../test/support/congestion.ts";
import { Flow, FluidPath } from "../../../test/support/fluid-path.ts";
import { CONGESTION_LOSS } from "./controller.ts";
import { Westwood } from "./westwood.ts";

const MSS = 1000;

describe("westwood", () => {
  test("Westwood+: ssthresh is the measured bandwidth times the smallest RTT", () => {
    const view = makeView({ cwnd: 100 * MSS, ssthresh: 50 * MSS });
    const westwood = new Westwood(PLAIN);
    const rounds = new Rounds(westwood, view);
    for (let i = 0; i < 100; i++) {
      view.cwnd = 100 * MSS; // held: 1 MB/s at 100 ms
      rounds.run({ rttUs: 100_000 });
    }
    expect(westwood.bandwidth / 1e6).toBeCloseTo(1, 1);
    // Half of the window stood in a queue: the path itself is 60 ms.
    view.minRttUs = 60_000;
    const ssthresh = westwood.onCongestion(view, CONGESTION_LOSS);
    expect(ssthresh / ((westwood.bandwidth * 60_000) / 1e6)).toBeCloseTo(1, 3);
  });

  test("ssthresh is never above the window", () => {
    const view = makeView({ cwnd: 100 * MSS, ssthresh: 50 * MSS });
    const westwood = new Westwood(PLAIN);
    const rounds = new Rounds(westwood, view);
    for (let i = 0; i < 20; i++) rounds.run();
    view.cwnd = 30 * MSS;
    expect(westwood.onCongestion(view, CONGESTION_LOSS)).toBeLessThanOrEqual(30 * MSS);
  });

  test("Westwood+: the estimate answers a step as two low-pass filters of 7/8 in a row", () => {
    const view = makeView({ cwnd: 100 * MSS, ssthresh: 50 * MSS });
    const westwood = new Westwood(PLAIN);
    const rounds = new Rounds(westwood, view);
    const hold = (segments: number) => {
      view.cwnd = segments * MSS;
      rounds.run({ rttUs: 100_001 }); // just over srtt: one sample a round
    };
    for (let i = 0; i < 60; i++) hold(100);
    const before = westwood.bandwidth;
    for (let i = 0; i < 12; i++) hold(200);
    const response = (n: number) => 1 - (7 / 8) ** n * (1 + n / 8);
    const seen = (westwood.bandwidth - before) / before;
    expect(seen).toBeGreaterThan(response(11) - 0.001);
    expect(seen).toBeLessThan(response(12) + 0.001);
  });

  test("random loss of 0.5 %: the estimate holds, and so does the rate, where Reno's falls", () => {
    const rate = 1.25e6;
    const run = (name: string) => {
      const path = new FluidPath({ rate, rttUs: 60_000, queueBytes: 75_000, seed: 7 });
      const controller = makeController(name, { ...PLAIN, hystart: true });
      const flow = new Flow(path, controller, { mss: MSS });
      path.run(5e6);
      path.lossRate = 0.005;
      const before = flow.acknowledged;
      let least = Infinity;
      for (let at = 5e6; at <= 30e6; at += 100_000) {
        path.run(at);
        if (controller instanceof Westwood) least = Math.min(least, controller.bandwidth);
      }
      return { rate: (flow.acknowledged - before) / 25, least };
    };
    const westwood = run("westwood");
    expect(westwood.least).toBeGreaterThan(0.8 * rate);
    expect(westwood.rate).toBeGreaterThan(0.85 * rate);
    expect(run("reno").rate).toBeLessThan(0.6 * rate);
  });
});
