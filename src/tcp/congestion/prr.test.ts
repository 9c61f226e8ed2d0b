import { describe, expect, test } from "vitest";
import { Prr } from "./prr.ts";

const MSS = 1000;

/**
 * The sender of RFC 6937 §3.1 (its figures): 20 segments out, some of them
 * lost, one ACK with SACK per segment that arrived; ssthresh 10. Answers what
 * was sent for each duplicate ACK, and cwnd and pipe at the end of the round.
 */
function recover(options: { safe?: boolean; lost: Set<number>; flight: number; ssthresh: number }) {
  const { lost, flight, ssthresh, safe = false } = options;
  const prr = new Prr();
  const sent: number[] = [];
  let pipe = flight * MSS;
  let delivered = 0;
  let started = false;
  let limitedTransmit = 0;
  let retransmit = 0;
  for (let i = 0; i < flight; i++) {
    if (lost.has(i)) continue;
    delivered++;
    pipe -= MSS;
    if (delivered < 3) {
      // Limited transmit (RFC 3042): one new segment for each of the first two.
      limitedTransmit++;
      pipe += MSS;
      sent.push(1);
      continue;
    }
    let newlyLost = 0;
    if (!started) {
      started = true;
      // What the figures assume: all losses are known when recovery starts.
      newlyLost = lost.size * MSS;
      pipe -= newlyLost;
      prr.start(flight * MSS, ssthresh * MSS);
    }
    const cwnd = prr.onAck(MSS, pipe, safe ? 0 : newlyLost, safe, MSS);
    let count = 0;
    while (pipe + MSS <= cwnd) {
      prr.onSent(MSS);
      pipe += MSS;
      count++;
      if (retransmit < lost.size) retransmit++;
    }
    sent.push(count);
  }
  return { sent, pipe: pipe / MSS, limitedTransmit, prr };
}

describe("proportional rate reduction", () => {
  test("RFC 6937 §3.1: one loss of 20: a segment for every other ACK, and the flight ends at ssthresh", () => {
    const { sent, pipe } = recover({ lost: new Set([0]), flight: 20, ssthresh: 10 });
    // The figure's row "sent": N N R . N . N ..., through the ACK for segment 17.
    expect(sent.slice(0, 17)).toEqual([1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    expect(pipe).toBe(10);
  });

  test("RFC 6937 §3.1: 15 of 20 lost: packet conservation, one for one, no burst", () => {
    const lost = new Set(Array.from({ length: 15 }, (_, i) => i));
    const { sent } = recover({ lost, flight: 20, ssthresh: 10 });
    // pipe is far below ssthresh: each ACK sends what it delivered (CRB), no more.
    expect(sent).toEqual([1, 1, 1, 1, 1]);
  });

  test("RFC 6937 §3.1: 15 of 20 lost, slow start bound: two for each ACK, pipe 4 5 6", () => {
    const lost = new Set(Array.from({ length: 15 }, (_, i) => i));
    const { sent, pipe } = recover({ lost, flight: 20, ssthresh: 10, safe: true });
    expect(sent).toEqual([1, 1, 2, 2, 2]);
    // The figure shows pipe before the last two are sent.
    expect(pipe - 2).toBe(6);
  });

  test("RFC 9937 §6.2: a safe ACK (progress, no new loss) sends one segment more (SSRB)", () => {
    const prr = new Prr();
    prr.start(20 * MSS, 10 * MSS);
    expect(prr.onAck(MSS, 4 * MSS, 15 * MSS, false, MSS)).toBe(5 * MSS);
    prr.onSent(MSS);
    expect(prr.onAck(MSS, 4 * MSS, 0, true, MSS)).toBe(6 * MSS);
    prr.onSent(2 * MSS);
    expect(prr.onAck(MSS, 5 * MSS, MSS, true, MSS)).toBe(6 * MSS);
  });

  test("RFC 9937 §6.2: the slow start part never exceeds ssthresh", () => {
    const prr = new Prr();
    prr.start(20 * MSS, 10 * MSS);
    prr.onAck(MSS, 9 * MSS, 0, true, MSS);
    prr.onSent(MSS);
    expect(prr.onAck(6 * MSS, 9.5 * MSS, 0, true, MSS)).toBe(10 * MSS);
  });

  test("RFC 9937 §6.2: the fast retransmit is sent even when the share is zero", () => {
    const prr = new Prr();
    prr.start(1000 * MSS, MSS);
    expect(prr.onAck(0, 900 * MSS, MSS, false, MSS)).toBe(901 * MSS);
    prr.onSent(MSS);
    expect(prr.onAck(MSS, 900 * MSS, 0, false, MSS)).toBe(900 * MSS);
  });

  test("a loss found by a timer, without an ACK, may send one segment; nothing else may", () => {
    const prr = new Prr();
    prr.start(20 * MSS, 10 * MSS);
    prr.onAck(MSS, 17 * MSS, MSS, false, MSS);
    prr.onSent(MSS);
    expect(prr.onAck(0, 12 * MSS, 0, false, MSS)).toBe(12 * MSS);
    expect(prr.onAck(0, 5 * MSS, 7 * MSS, false, MSS)).toBe(6 * MSS);
  });

  test("RFC 6937 §3: over a whole round prr_out is ssthresh / RecoverFS of what was delivered (CUBIC's 0.7)", () => {
    const prr = new Prr();
    prr.start(100 * MSS, 70 * MSS);
    let pipe = 99 * MSS;
    let out = 0;
    let worst = 0;
    for (let i = 0; i < 99 && pipe > 70 * MSS; i++) {
      pipe -= MSS;
      const isReducing = pipe > 70 * MSS;
      const cwnd = prr.onAck(MSS, pipe, 0, false, MSS);
      while (pipe + MSS <= cwnd) {
        pipe += MSS;
        out += MSS;
        prr.onSent(MSS);
      }
      if (isReducing) worst = Math.max(worst, Math.abs(out - 0.7 * prr.prrDelivered));
    }
    expect(worst).toBeLessThanOrEqual(MSS);
    expect(pipe).toBe(70 * MSS);
  });

  test("RFC 6937 §3.1: after a silence of the application the flight climbs back to ssthresh, not above", () => {
    const prr = new Prr();
    prr.start(20 * MSS, 10 * MSS);
    let pipe = 19 * MSS;
    // Nothing to send for 14 ACKs.
    for (let i = 0; i < 14; i++) {
      pipe -= MSS;
      prr.onAck(MSS, pipe, 0, false, MSS);
    }
    expect(pipe).toBe(5 * MSS);
    pipe -= MSS;
    expect(prr.onAck(MSS, pipe, 0, false, MSS)).toBe(10 * MSS);
  });
});
