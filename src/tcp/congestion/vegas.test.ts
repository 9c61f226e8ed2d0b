import { describe, expect, test } from "vitest";
import { makeController, makeView, PLAIN, Rounds } from "../../../test/support/congestion.ts";
import { Flow, FluidPath } from "../../../test/support/fluid-path.ts";
import { VEGAS_ALPHA, VEGAS_BETA } from "./vegas.ts";

const MSS = 1000;

/** Segments in the queue, the one being sent included, sampled each 10 ms from 10 s on. */
function queuedSegments(name: string, rttUs: number) {
  const rate = 2.5e6;
  const path = new FluidPath({ rate, rttUs, queueBytes: (2 * rate * rttUs) / 1e6 });
  new Flow(path, makeController(name, { ...PLAIN, hystart: true }), { mss: MSS });
  path.run(10e6);
  const seen: number[] = [];
  for (let at = 10e6; at < 20e6; at += 10_000) {
    path.run(at);
    seen.push(path.queuedBytes / MSS);
  }
  seen.sort((a, b) => a - b);
  return { low: seen[50], median: seen[500], high: seen[950] };
}

describe("vegas", () => {
  test("Brakmo and Peterson 1995: between alpha and beta segments stand in the queue", () => {
    expect([VEGAS_ALPHA, VEGAS_BETA]).toEqual([2, 4]);
    for (const rttUs of [20_000, 50_000, 100_000]) {
      const { low, median, high } = queuedSegments("vegas", rttUs);
      expect(median, `RTT ${rttUs}`).toBeGreaterThanOrEqual(VEGAS_ALPHA);
      expect(median, `RTT ${rttUs}`).toBeLessThanOrEqual(VEGAS_BETA + 1);
      expect(high, `RTT ${rttUs}`).toBeLessThanOrEqual(VEGAS_BETA + 2);
      expect(low).toBeGreaterThanOrEqual(0);
    }
  });

  test("the same measurement tells Vegas from Reno", () => {
    expect(queuedSegments("reno", 50_000).median).toBeGreaterThan(3 * VEGAS_BETA);
  });

  test("one segment a round, up below alpha, down above beta, still between", () => {
    const change = (queued: number) => {
      const view = makeView({ cwnd: 50 * MSS, ssthresh: 20 * MSS, minRttUs: 100_000 });
      const rounds = new Rounds(makeController("vegas"), view);
      const rttUs = (100_000 * 50) / (50 - queued);
      rounds.run({ rttUs });
      const before = view.cwnd;
      rounds.run({ rttUs });
      rounds.ack(MSS, rttUs);
      return (view.cwnd - before) / MSS;
    };
    expect([change(0.5), change(3), change(8)]).toEqual([1, 0, -1]);
  });

  test("slow start ends when more than gamma segments queue, with what the path holds", () => {
    const view = makeView({ cwnd: 40 * MSS, minRttUs: 100_000 });
    const rounds = new Rounds(makeController("vegas"), view);
    rounds.run({ rttUs: 100_000 });
    expect(view.cwnd).toBeGreaterThan(60 * MSS);
    const before = view.cwnd;
    for (let i = 0; i < 2; i++) rounds.run({ rttUs: 150_000 });
    rounds.ack(MSS, 150_000);
    expect(view.ssthresh).toBeLessThanOrEqual(view.cwnd);
    expect(view.cwnd).toBeLessThan(1.5 * before);
  });
});
