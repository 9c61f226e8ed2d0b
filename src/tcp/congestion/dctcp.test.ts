import { describe, expect, test } from "vitest";
import { makeController, makeView, Rounds } from "../../../test/support/congestion.ts";
import { Flow, FluidPath } from "../../../test/support/fluid-path.ts";
import { CONGESTION_ECN, CONGESTION_LOSS } from "./controller.ts";
import { DCTCP_G } from "./dctcp.ts";

const MSS = 1000;

function alphaOf(controller: ReturnType<typeof makeController>): number {
  return controller.info?.().alpha as number;
}

describe("dctcp", () => {
  test("RFC 8257 §3.3: alpha = (1 - g) * alpha + g * F once a window", () => {
    const view = makeView({ cwnd: 100 * MSS, ssthresh: 50 * MSS });
    const dctcp = makeController("dctcp");
    const rounds = new Rounds(dctcp, view);
    expect(DCTCP_G).toBe(1 / 16);
    expect(alphaOf(dctcp)).toBe(1);
    for (let i = 0; i < 200; i++) {
      view.cwnd = 100 * MSS;
      rounds.run({ ceShare: 0.3 });
    }
    expect(alphaOf(dctcp)).toBeCloseTo(0.3, 1);
    const before = alphaOf(dctcp);
    view.cwnd = 100 * MSS;
    rounds.run({ ceShare: 0 });
    view.cwnd = 100 * MSS;
    rounds.run({ ceShare: 0 });
    // Two windows without a mark (the first may hold the tail of the one before).
    expect(alphaOf(dctcp) / before).toBeGreaterThan((1 - DCTCP_G) ** 2 - 0.02);
    expect(alphaOf(dctcp) / before).toBeLessThan(1 - DCTCP_G + 0.03);
  });

  test("RFC 8257 §3.3: marks cut the window by alpha / 2, once a window", () => {
    const view = makeView({ cwnd: 100 * MSS, ssthresh: 50 * MSS });
    const dctcp = makeController("dctcp");
    const rounds = new Rounds(dctcp, view);
    for (let i = 0; i < 150; i++) {
      view.cwnd = 100 * MSS;
      rounds.run({ ceShare: 0.2 });
    }
    view.cwnd = 100 * MSS;
    const alpha = alphaOf(dctcp);
    view.cwnd = dctcp.onCongestion(view, CONGESTION_ECN, rounds.nowUs);
    expect(view.cwnd / MSS).toBeCloseTo(100 * (1 - alpha / 2), 1);
    expect(dctcp.onCongestion(view, CONGESTION_ECN, rounds.nowUs)).toBe(view.cwnd);
  });

  test("RFC 8257 §3.5: a loss is met as by any TCP", () => {
    const view = makeView({ cwnd: 100 * MSS });
    const dctcp = makeController("dctcp");
    dctcp.init(view, 0);
    expect(dctcp.onCongestion(view, CONGESTION_LOSS, 0)).toBe(50 * MSS);
  });

  test("a marking threshold holds the queue near it at full rate, without loss", () => {
    const rate = 12.5e6;
    const rttUs = 2_000;
    const ecnThresholdBytes = 10 * MSS;
    const path = new FluidPath({ rate, rttUs, queueBytes: 200 * MSS, ecnThresholdBytes });
    const flow = new Flow(path, makeController("dctcp"), { mss: MSS });
    path.run(1e6);
    const before = flow.acknowledged;
    path.run(3e6);
    expect((flow.acknowledged - before) / 2 / rate).toBeGreaterThan(0.97);
    const queued = (path.medianQueueing(1e6) * rate) / 1e6;
    expect(queued).toBeLessThan(1.5 * ecnThresholdBytes);
    expect(path.dropped).toBe(0);
  });
});
