import { describe, expect, test } from "vitest";
import { makeView } from "../../../test/support/congestion.ts";
import { defaultPacingRate, Pacer } from "./pacing.ts";

describe("pacing", () => {
  test("segments leave at the rate, a late timer costs nothing, an idle time is no burst", () => {
    const pacer = new Pacer(1_000);
    const rate = 1e6; // 1000 bytes a millisecond
    expect(pacer.maySend(rate, 50_000)).toBe(true);
    pacer.onSent(1000, rate, 50_000); // the first segment uses the credit of a millisecond
    expect(pacer.maySend(rate, 50_000)).toBe(true);
    expect(pacer.onSent(1000, rate, 50_000)).toBe(51_000);
    expect(pacer.maySend(rate, 50_999)).toBe(false);
    // 0.4 ms late: the schedule is kept.
    expect(pacer.onSent(1000, rate, 51_400)).toBe(52_000);
    // After a second of silence: two segments at most, as at the start.
    let sent = 0;
    while (pacer.maySend(rate, 2e6)) {
      pacer.onSent(1000, rate, 2e6);
      sent++;
    }
    expect(sent).toBe(2);
  });

  test("a timer of 1 ms granularity keeps the average rate", () => {
    const pacer = new Pacer(1_000);
    const rate = 3.3e6;
    let bytes = 0;
    for (let nowUs = 1_000; nowUs <= 1_000_000; nowUs += 1_000) {
      while (pacer.maySend(rate, nowUs)) {
        pacer.onSent(1448, rate, nowUs);
        bytes += 1448;
      }
    }
    expect(bytes / rate).toBeCloseTo(1, 2);
  });

  test("without a rate nothing is held back", () => {
    const pacer = new Pacer();
    pacer.onSent(1e9, 0, 5);
    expect(pacer.maySend(0, 5)).toBe(true);
  });

  test("rates of Linux: twice the window a round trip in slow start, 1.2 times near and after ssthresh", () => {
    const view = makeView({ cwnd: 100_000, srttUs: 100_000, pipe: 0 });
    expect(defaultPacingRate(view)).toBe(2e6);
    view.ssthresh = 150_000;
    expect(defaultPacingRate(view)).toBe(1.2e6);
    view.srttUs = 0;
    expect(defaultPacingRate(view)).toBe(0);
  });

  test("a burst is a millisecond's worth within its bounds", () => {
    expect(Pacer.quantum(1e6, 2896, 65_536)).toBe(2896);
    expect(Pacer.quantum(10e6, 2896, 65_536)).toBe(10_000);
    expect(Pacer.quantum(1e9, 2896, 65_536)).toBe(65_536);
  });
});
