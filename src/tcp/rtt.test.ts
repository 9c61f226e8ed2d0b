import { describe, expect, test } from "vitest";
import {
  backoffRto,
  expectedRttSamples,
  fallBackAfterSynTimeout,
  makeRttState,
  RTO_FREEBSD,
  RTO_LINUX,
  RTO_RFC,
  sampleRtt,
  undoBackoff,
} from "./rtt.ts";

const MS = 1000;

describe("RTT estimation", () => {
  test("RFC 6298 §2.1: first RTO is 1 s", () => {
    expect(makeRttState(RTO_RFC).rtoUs).toBe(1000 * MS);
  });

  test("RFC 6298 §2.2: first sample: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 * RTTVAR", () => {
    const s = makeRttState(RTO_RFC);
    sampleRtt(s, RTO_RFC, 800 * MS, 0, 0);
    expect([s.srttUs, s.rttvarUs, s.rtoUs]).toEqual([800 * MS, 400 * MS, 2400 * MS]);
  });

  test("RFC 6298 §2.3: RTTVAR before SRTT, beta 1/4, alpha 1/8", () => {
    const s = makeRttState(RTO_RFC);
    sampleRtt(s, RTO_RFC, 800 * MS, 0, 0);
    sampleRtt(s, RTO_RFC, 1600 * MS, 0, 0);
    expect(s.rttvarUs).toBe(0.75 * 400 * MS + 0.25 * 800 * MS);
    expect(s.srttUs).toBe(900 * MS);
    expect(s.rtoUs).toBe(900 * MS + 4 * 500 * MS);
  });

  test("RFC 6298 §2.3: the variance term is never below the clock granularity", () => {
    const fine = { ...RTO_RFC, minRtoUs: 0, granularityUs: 10 * MS };
    const s = makeRttState(fine);
    for (let i = 0; i < 200; i++) sampleRtt(s, fine, 50 * MS, 0, 0);
    expect(s.rtoUs).toBeCloseTo(60 * MS, 0);
  });

  test("RFC 6298 §2.4, §2.5: RTO lies between 1 s and the maximum", () => {
    const s = makeRttState(RTO_RFC);
    sampleRtt(s, RTO_RFC, 1 * MS, 0, 0);
    expect(s.rtoUs).toBe(1000 * MS);
    sampleRtt(s, RTO_RFC, 1e9, 0, 0);
    expect(s.rtoUs).toBe(120_000 * MS);
  });

  test("RFC 6298 §5.5: RTO doubles to its maximum; a sample takes the backoff away (§5, note)", () => {
    const s = makeRttState(RTO_RFC);
    const seen: number[] = [];
    for (let i = 0; i < 8; i++) {
      backoffRto(s, RTO_RFC);
      seen.push(s.rtoUs / 1e6);
    }
    expect(seen).toEqual([2, 4, 8, 16, 32, 64, 120, 120]);
    expect(s.rtoBackoff).toBe(8);
    sampleRtt(s, RTO_RFC, 500 * MS, 0, 0);
    expect([s.rtoUs, s.rtoBackoff]).toEqual([1500 * MS, 0]);
  });

  test("RFC 6298 §5.7: after a SYN timeout data starts with 3 s", () => {
    const s = makeRttState(RTO_RFC);
    backoffRto(s, RTO_RFC);
    fallBackAfterSynTimeout(s, RTO_RFC);
    expect([s.rtoUs, s.rtoBackoff]).toEqual([3000 * MS, 0]);
  });

  test("RFC 4015 §3: an undone backoff leaves the timeout of the samples", () => {
    const s = makeRttState(RTO_LINUX);
    sampleRtt(s, RTO_LINUX, 100 * MS, 0, 0);
    const before = s.rtoUs;
    backoffRto(s, RTO_LINUX);
    backoffRto(s, RTO_LINUX);
    undoBackoff(s, RTO_LINUX);
    expect(s.rtoUs).toBe(before);
  });

  test("RFC 7323 Appendix G: gains are divided by the samples a round trip gives", () => {
    const scaled = { ...RTO_RFC, scaleGains: true };
    const s = makeRttState(scaled);
    sampleRtt(s, scaled, 800 * MS, 0, 0);
    expect(expectedRttSamples(20 * 1460, 1460)).toBe(10);
    expect(expectedRttSamples(0, 1460)).toBe(1);
    sampleRtt(s, scaled, 1600 * MS, 0, 0, 10);
    expect(s.srttUs).toBeCloseTo(810 * MS, 6);
    expect(s.rttvarUs).toBeCloseTo(400 * MS + (800 - 400) * MS * 0.025, 6);
  });

  test("Linux: the floor of 200 ms bounds the variance, not the sum", () => {
    const s = makeRttState(RTO_LINUX);
    let seq = -100;
    for (let i = 0; i < 100; i++, seq += 10) sampleRtt(s, RTO_LINUX, 300 * MS, seq, seq + 20);
    expect(s.rtoUs).toBeCloseTo(500 * MS, -2);
  });

  test("Linux: the variance of a spike is held and falls by a quarter a round, across the wrap", () => {
    const s = makeRttState(RTO_LINUX);
    let seq = 0x7fffff00 | 0;
    const round = (rttUs: number) => {
      for (let i = 0; i < 10; i++) {
        seq = (seq + 100) | 0;
        sampleRtt(s, RTO_LINUX, rttUs, seq, (seq + 1000) | 0);
      }
    };
    for (let i = 0; i < 20; i++) round(100 * MS);
    const calm = s.rtoUs;
    expect(calm).toBeCloseTo(300 * MS, -2);
    sampleRtt(s, RTO_LINUX, 900 * MS, seq, (seq + 1000) | 0);
    const spike = s.rtoUs;
    const held = s.heldVarianceUs;
    expect(spike).toBeGreaterThan(900 * MS);
    round(100 * MS);
    // RFC 6298 would have forgotten most of it after ten samples.
    expect(s.rtoUs).toBeGreaterThan(spike * 0.75);
    for (let i = 0; i < 3; i++) round(100 * MS);
    expect(s.heldVarianceUs).toBeGreaterThanOrEqual(held * 0.75 ** 4);
    expect(s.heldVarianceUs).toBeLessThan(held * 0.75);
    for (let i = 0; i < 60; i++) round(100 * MS);
    expect(s.rtoUs).toBeLessThan(calm * 1.05);
  });

  test("FreeBSD: 200 ms of slop on top", () => {
    const s = makeRttState(RTO_FREEBSD);
    sampleRtt(s, RTO_FREEBSD, 1 * MS, 0, 0);
    expect(s.rtoUs).toBe(230 * MS);
    for (let i = 0; i < 200; i++) sampleRtt(s, RTO_FREEBSD, 100 * MS, 0, 0);
    expect(s.rtoUs).toBeCloseTo(301 * MS, -2);
  });
});
