import { describe, expect, test } from "vitest";
import { makeController, PLAIN } from "../../../test/support/congestion.ts";
import {
  Flow,
  type FlowOptions,
  FluidPath,
  type PathOptions,
} from "../../../test/support/fluid-path.ts";

const RATE = 2.5e6;
const RTT_US = 40_000;
const BDP = (RATE * RTT_US) / 1e6;

function start(path: Partial<PathOptions> = {}, flow: FlowOptions = {}, name = "bbr") {
  const bottleneck = new FluidPath({ rate: RATE, rttUs: RTT_US, queueBytes: 2 * BDP, ...path });
  const controller = makeController(name, { ...PLAIN, hystart: true });
  const states: { state: string; atUs: number }[] = [];
  const sender = new Flow(bottleneck, controller, {
    mss: 1000,
    onAck: (_flow, atUs) => {
      const state = String(controller.info?.().state);
      if (states.at(-1)?.state !== state) states.push({ state, atUs });
    },
    ...flow,
  });
  return { path: bottleneck, flow: sender, controller, states };
}

function infoOf(controller: ReturnType<typeof makeController>, name: string): number {
  return controller.info?.()[name] as number;
}

describe("bbr", () => {
  test("draft-ietf-ccwg-bbr, exiting Startup on a plateau: bandwidth within 2 %, then Drain, then (empty queue: at once) Cruise", () => {
    const { path, controller, states } = start();
    path.run(1.5e6);
    expect(states.slice(0, 3).map((s) => s.state)).toEqual(["startup", "drain", "cruise"]);
    expect(infoOf(controller, "maxBw") / RATE).toBeCloseTo(1, 2);
    expect(infoOf(controller, "minRttUs")).toBeLessThan(RTT_US * 1.02);
  });

  test("median queueing delay under a quarter of the base RTT after 10 s with a queue of 2 BDP, at full rate", () => {
    const { path, flow } = start();
    path.run(10e6);
    const before = flow.acknowledged;
    path.run(25e6);
    expect(path.medianQueueing(10e6)).toBeLessThan(RTT_US / 4);
    expect((flow.acknowledged - before) / 15 / RATE).toBeGreaterThan(0.95);
    expect(flow.retransmissions).toBe(0);
  });

  test("the same measurement tells BBR from CUBIC", () => {
    const { path } = start({}, {}, "cubic");
    path.run(25e6);
    expect(path.medianQueueing(10e6)).toBeGreaterThan(RTT_US / 2);
  });

  test("draft §5.3.3: probes go DOWN, CRUISE, REFILL, UP, every 2-3 s or in Reno's rhythm", () => {
    const { path, states } = start();
    path.run(12e6);
    const names = states.map((s) => s.state);
    const from = names.indexOf("cruise");
    expect(names.slice(from, from + 5)).toEqual(["cruise", "refill", "up", "down", "cruise"]);
    const ups = states.filter((s) => s.state === "up").map((s) => s.atUs);
    for (let i = 1; i < ups.length; i++) {
      // 63 rounds of 40 ms is within 2-3 s too; a ProbeRTT may lie between.
      expect(ups[i] - ups[i - 1]).toBeGreaterThan(1.9e6);
      expect(ups[i] - ups[i - 1]).toBeLessThan(4e6);
    }
  });

  test("draft §5.3.4: ProbeRTT within 10 s, 200 ms long, with half a BDP in flight", () => {
    const { path, flow, states } = start();
    let least = Infinity;
    path.run(9e6);
    for (let at = 9e6; at < 13e6; at += 5_000) {
      path.run(at);
      if (states.at(-1)?.state === "probe-rtt") least = Math.min(least, flow.pipe);
    }
    const entered = states.findIndex((s) => s.state === "probe-rtt");
    expect(entered).toBeGreaterThan(0);
    expect(states[entered].atUs).toBeGreaterThan(9e6);
    const length = states[entered + 1].atUs - states[entered].atUs;
    expect(length).toBeGreaterThan(200_000);
    expect(length).toBeLessThan(350_000);
    expect(least).toBeLessThanOrEqual(0.55 * BDP);
  });

  test("a larger RTT of the path is learnt within a ProbeRTT, and so is a smaller one", () => {
    const { path, flow, controller } = start();
    path.run(5e6);
    path.rttUs = 80_000;
    path.run(40e6);
    expect(infoOf(controller, "minRttUs")).toBeGreaterThan(79_000);
    const before = flow.acknowledged;
    path.run(50e6);
    expect((flow.acknowledged - before) / 10 / RATE).toBeGreaterThan(0.9);
    path.rttUs = 20_000;
    path.run(62e6);
    expect(infoOf(controller, "minRttUs")).toBeLessThan(25_000);
  });

  test("more bandwidth is found by probing, less is accepted within two cycles", () => {
    const { path, flow, controller } = start();
    path.run(5e6);
    path.rate = 4 * RATE;
    path.run(25e6);
    expect(infoOf(controller, "maxBw") / (4 * RATE)).toBeGreaterThan(0.9);
    path.rate = RATE;
    path.run(45e6);
    expect(infoOf(controller, "bw") / RATE).toBeLessThan(1.1);
    const before = flow.acknowledged;
    path.run(55e6);
    expect((flow.acknowledged - before) / 10 / RATE).toBeGreaterThan(0.9);
  });

  test("a shallow queue bounds inflight: losses stay low where the probes overflow it", () => {
    const { path, flow, controller } = start({ queueBytes: BDP / 4 });
    path.run(20e6);
    expect(infoOf(controller, "inflightLongTerm")).toBeLessThan(1.5 * BDP);
    expect(flow.acknowledged / 20 / RATE).toBeGreaterThan(0.85);
    expect((flow.retransmissions * 1000) / flow.acknowledged).toBeLessThan(0.02);
  });

  test("1 % random loss costs BBR little where it costs CUBIC most of the rate", () => {
    const loss = { lossRate: 0.01, seed: 3 };
    const bbr = start(loss);
    bbr.path.run(20e6);
    const cubic = start(loss, {}, "cubic");
    cubic.path.run(20e6);
    expect(bbr.flow.acknowledged / 20 / RATE).toBeGreaterThan(0.7);
    expect(cubic.flow.acknowledged).toBeLessThan(0.5 * bbr.flow.acknowledged);
  });

  test("draft, application-limited without loss: it stays in Startup and keeps its pacing rate", () => {
    const { path, controller, states } = start(
      {},
      { written: (nowUs) => (nowUs * 0.1 * RATE) / 1e6 },
    );
    path.run(8e6);
    expect(new Set(states.map((s) => s.state))).toEqual(new Set(["startup"]));
    expect(infoOf(controller, "fullBwReached")).toBe(0);
  });
});
