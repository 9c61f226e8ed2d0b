import { describe, expect, test } from "vitest";
import { SeededRandom, randomBetween, randomUnit } from "../../base/random.ts";
import { makeController, makeView, PLAIN, Rounds } from "../../../test/support/congestion.ts";
import {
  Flow,
  type FlowOptions,
  FluidPath,
  type PathOptions,
} from "../../../test/support/fluid-path.ts";
import {
  CONGESTION_ECN,
  CONGESTION_LOSS,
  CONGESTION_TIMEOUT,
  INFINITE_SSTHRESH,
} from "./controller.ts";
import {
  congestionControl,
  congestionControlNames,
  registerCongestionControl,
} from "./registry.ts";
import { Reno } from "./reno.ts";

const MSS = 1000;
const HYSTART = { ...PLAIN, hystart: true };

/** A user's own controller passes the same tests. */
class Careful extends Reno {
  override readonly name: string = "careful";
  override onCongestion(): number {
    return 2 * MSS;
  }
}
registerCongestionControl("careful", (settings) => new Careful(settings));

function transfer(name: string, path: PathOptions, flow: FlowOptions = {}) {
  const bottleneck = new FluidPath(path);
  return {
    path: bottleneck,
    flow: new Flow(bottleneck, makeController(name, HYSTART), { mss: MSS, ...flow }),
  };
}

test("TCP_CONGESTION: the registry has the algorithms of today, and a user's own", () => {
  const names = ["reno", "cubic", "bic", "westwood", "vegas", "bbr", "dctcp", "careful"];
  expect(congestionControlNames()).toEqual(names);
  expect(congestionControl("no-such")).toBeUndefined();
});

describe.each(congestionControlNames())("%s", (name) => {
  const ownsWindow = makeController(name).ownsWindow;

  test("answers to its name, and two connections share nothing", () => {
    const a = makeController(name);
    expect(a.name).toBe(name);
    const view = makeView();
    const rounds = new Rounds(a, view);
    for (let i = 0; i < 6; i++) rounds.run();
    const fresh = () => {
      const other = makeView();
      const r = new Rounds(makeController(name), other);
      for (let i = 0; i < 5; i++) r.run();
      return [other.cwnd, other.ssthresh, other.pacingRate];
    };
    expect(fresh()).toEqual(fresh());
  });

  test("any order of events: windows stay whole, finite, within bounds; thresholds are two segments at least", () => {
    const problems: string[] = [];
    for (let seed = 1; seed <= 6; seed++) {
      const random = new SeededRandom(seed);
      const cwndClamp = randomBetween(random, 2, 5000) * MSS;
      const view = makeView({ cwndClamp, cwnd: 2 * MSS, minRttUs: Infinity, srttUs: 0 });
      const controller = makeController(name, HYSTART);
      const rounds = new Rounds(controller, view);
      for (let step = 0; step < 1000; step++) {
        rounds.nowUs += randomUnit(random) ** 4 * 5e6;
        const check = (isRight: boolean, what: string) => {
          if (!isRight) problems.push(`seed ${seed}, step ${step}: ${what}`);
        };
        const what = randomBetween(random, 0, 12);
        if (what < 8) {
          const rttUs =
            randomUnit(random) < 0.1 ? -1 : Math.ceil(10 ** (1 + randomUnit(random) * 7));
          if (rttUs > 0) {
            view.srttUs = rttUs;
            view.minRttUs = Math.min(view.minRttUs, rttUs);
          }
          view.isCwndLimited = randomUnit(random) < 0.7;
          const bytes = randomBetween(random, 1, 2 * Math.max(view.cwnd, MSS));
          view.sndUna = (view.sndUna + bytes) | 0;
          view.sndNxt = (view.sndUna + randomBetween(random, 0, 100) * MSS) | 0;
          view.pipe = randomBetween(random, 0, view.cwnd + 1);
          rounds.sample.isInRecovery = randomUnit(random) < 0.2;
          rounds.sample.isInRtoRecovery = rounds.sample.isInRecovery && randomUnit(random) < 0.5;
          rounds.sample.lostSinceSent =
            randomUnit(random) < 0.1 ? randomBetween(random, 0, bytes) : 0;
          rounds.ack(bytes, rttUs, randomUnit(random) < 0.1 ? bytes : 0);
        } else if (what < 10) {
          const kind = [CONGESTION_LOSS, CONGESTION_TIMEOUT, CONGESTION_ECN][
            randomBetween(random, 0, 3)
          ];
          const before = view.cwnd;
          const ssthresh = controller.onCongestion(view, kind, rounds.nowUs);
          check(Number.isInteger(ssthresh) && ssthresh >= 2 * MSS, `ssthresh ${ssthresh}`);
          if (!ownsWindow) {
            check(ssthresh <= Math.max(before, 2 * MSS), `raised to ${ssthresh}`);
            view.ssthresh = ssthresh;
            view.cwnd = kind === CONGESTION_TIMEOUT ? MSS : ssthresh;
          }
        } else if (what === 10) {
          controller.onRecoveryExit?.(view, rounds.nowUs);
          if (randomUnit(random) < 0.3) controller.onSpurious?.(view, rounds.nowUs);
        } else {
          controller.onIdleRestart?.(view, 3e6, rounds.nowUs);
          view.pipe = 0;
          controller.onSent?.(view, MSS, rounds.nowUs);
          controller.onLost?.(view, MSS, view.cwnd, MSS, false, rounds.nowUs);
        }
        const most = Math.max(cwndClamp, view.pipe + MSS, 4 * MSS);
        check(Number.isInteger(view.cwnd), `cwnd ${view.cwnd}`);
        check(view.cwnd >= MSS && view.cwnd <= most, `cwnd ${view.cwnd} beyond ${most}`);
        check(view.ssthresh >= 2 * MSS && view.ssthresh <= INFINITE_SSTHRESH, "ssthresh");
        check(view.pacingRate >= 0 && Number.isFinite(view.pacingRate), "pacing rate");
      }
    }
    expect(problems).toEqual([]);
  });

  // BBR is bounded by its model of the path instead.
  test.skipIf(ownsWindow)(
    "RFC 7661 §4.1, Linux's rule: a window that is not used up does not grow",
    () => {
      for (const ssthresh of [INFINITE_SSTHRESH, 5 * MSS]) {
        const view = makeView({ cwnd: 20 * MSS, ssthresh });
        const rounds = new Rounds(makeController(name, HYSTART), view);
        view.isCwndLimited = false;
        for (let i = 0; i < 30; i++) rounds.run();
        expect(view.cwnd).toBeLessThanOrEqual(20 * MSS);
      }
    },
  );

  test.skipIf(ownsWindow)(
    "RFC 5681 §3.1: after a timeout the window of one segment grows by slow start, in recovery too",
    () => {
      const view = makeView({ cwnd: MSS, ssthresh: 40 * MSS });
      const rounds = new Rounds(makeController(name, HYSTART), view);
      rounds.sample.isInRecovery = true;
      rounds.sample.isInRtoRecovery = true;
      for (let i = 0; i < 4; i++) rounds.run();
      expect(view.cwnd).toBe(16 * MSS);
    },
  );

  test.skipIf(ownsWindow)("RFC 6937: in fast recovery the window belongs to PRR", () => {
    const view = makeView({ cwnd: 20 * MSS, ssthresh: 30 * MSS });
    const rounds = new Rounds(makeController(name, HYSTART), view);
    rounds.sample.isInRecovery = true;
    for (let i = 0; i < 3; i++) rounds.run();
    expect(view.cwnd).toBe(20 * MSS);
  });

  test("RFC 4015 §3.2: a spurious reduction leaves no trace five seconds later", () => {
    const run = (isDisturbed: boolean) => {
      const view = makeView({ cwnd: 50 * MSS, ssthresh: 40 * MSS, cwndClamp: 4000 * MSS });
      const controller = makeController(name);
      const rounds = new Rounds(controller, view);
      while (rounds.nowUs < 3e6) rounds.run();
      if (isDisturbed) {
        const { cwnd, ssthresh } = view;
        controller.onCongestion(view, CONGESTION_LOSS, rounds.nowUs);
        view.cwnd = cwnd;
        view.ssthresh = ssthresh;
        controller.onSpurious?.(view, rounds.nowUs);
      }
      while (rounds.nowUs < 8e6) rounds.run();
      return view.cwnd;
    };
    const calm = run(false);
    expect(Math.abs(run(true) - calm)).toBeLessThanOrEqual(0.02 * calm + 2 * MSS);
  });

  test("windows of 1 GB: whole numbers, the clamp holds, growth is not lost", () => {
    const view = makeView({ cwnd: 900_000_000, ssthresh: 800_000_000, cwndClamp: 2 ** 30 });
    const controller = makeController(name);
    const rounds = new Rounds(controller, view);
    const wrong: number[] = [];
    for (let i = 0; i < 3000; i++) {
      rounds.nowUs += 100;
      view.sndUna = (view.sndUna + 1_000_000) | 0;
      view.sndNxt = (view.sndUna + 900_000_000) | 0;
      view.pipe = 900_000_000;
      rounds.ack(1_000_000);
      if (!Number.isInteger(view.cwnd) || view.cwnd > 2 ** 30) wrong.push(view.cwnd);
    }
    const ssthresh = controller.onCongestion(view, CONGESTION_LOSS, rounds.nowUs);
    expect(Number.isInteger(ssthresh)).toBe(true);
    expect(ownsWindow || ssthresh <= view.cwnd).toBe(true);
    expect(wrong).toEqual([]);
  });

  test.skipIf(name === "careful")(
    "fills a path of 10 Mbit/s and 40 ms with a queue of 1 BDP",
    () => {
      const { path, flow } = transfer(name, { rate: 1.25e6, rttUs: 40_000, queueBytes: 50_000 });
      path.run(3e6);
      const before = flow.acknowledged;
      path.run(15e6);
      expect((flow.acknowledged - before) / 12 / 1.25e6).toBeGreaterThan(0.93);
      expect(flow.timeouts).toBe(0);
    },
  );

  test("an application that writes a tenth of the rate gets it through without a loss or a window to match the path", () => {
    const { path, flow } = transfer(
      name,
      { rate: 2.5e6, rttUs: 40_000, queueBytes: 100_000 },
      { written: (nowUs) => (nowUs * 0.25e6) / 1e6 },
    );
    path.run(10e6);
    expect(path.dropped).toBe(0);
    expect(flow.acknowledged).toBeGreaterThan(0.98 * 2.5e6);
    expect(flow.cwnd).toBeLessThan(100_000);
  });

  test("RTT from 20 ms to 500 ms to 5 ms: the transfer goes on", () => {
    const { path, flow } = transfer(name, { rate: 1.25e6, rttUs: 20_000, queueBytes: 100_000 });
    let before = 0;
    for (const rttUs of [20_000, 500_000, 5_000]) {
      path.rttUs = rttUs;
      path.run(path.nowUs + 10e6);
      // At the very least two segments a round trip and queue.
      expect(flow.acknowledged - before).toBeGreaterThan(
        ((2 * MSS * 10e6) / (rttUs + 80_000)) * 0.5,
      );
      before = flow.acknowledged;
    }
  });

  test("3 % loss for 20 s: it goes on, every byte is acknowledged once", () => {
    for (const seed of [1, 2, 3]) {
      const total = 500_000;
      const { path, flow } = transfer(
        name,
        { rate: 1.25e6, rttUs: 50_000, queueBytes: 60_000, lossRate: 0.03, seed },
        { written: () => total },
      );
      path.run(60e6);
      expect(flow.acknowledged, `seed ${seed}`).toBe(total);
    }
  });
});

describe("fairness", () => {
  const share = (names: string[], path: PathOptions) => {
    const bottleneck = new FluidPath(path);
    const flows = names.map((name, i) => {
      const options = { mss: MSS, startUs: i * 500_000 };
      return new Flow(bottleneck, makeController(name, HYSTART), options);
    });
    bottleneck.run(10e6);
    const before = flows.map((f) => f.acknowledged);
    bottleneck.run(50e6);
    return flows.map((f, i) => f.acknowledged - before[i]);
  };
  const jain = (x: number[]) => {
    const sum = x.reduce((a, b) => a + b, 0);
    return sum ** 2 / (x.length * x.reduce((a, b) => a + b * b, 0));
  };
  const path = { rate: 2.5e6, rttUs: 30_000, queueBytes: 75_000 };

  test.each(["reno", "cubic", "bbr"])("four flows of %s: Jain's index above 0.8", (name) => {
    expect(jain(share([name, name, name, name], path))).toBeGreaterThan(0.8);
  });

  test("RFC 9438 §4.3: CUBIC beside Reno on a short path takes no more than thrice its share", () => {
    const [cubic, reno] = share(["cubic", "reno"], path);
    expect(cubic / reno).toBeLessThan(3);
    expect(cubic / reno).toBeGreaterThan(1 / 3);
  });
});
