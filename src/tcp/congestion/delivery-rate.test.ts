import { describe, expect, test } from "vitest";
import { AckSample } from "./controller.ts";
import { DeliveryRate } from "./delivery-rate.ts";

const MSS = 1000;

/** The retransmission queue's part: what is kept with each segment. */
function sender() {
  const rate = new DeliveryRate();
  const sample = new AckSample();
  let pipe = 0;
  const send = (nowUs: number) => {
    rate.onSend(pipe, nowUs);
    pipe += MSS;
    const { delivered, deliveredUs, firstSentUs, isAppLimited, lost } = rate;
    return { sentUs: nowUs, delivered, deliveredUs, firstSentUs, isAppLimited, lost, pipe };
  };
  type Sent = ReturnType<typeof send>;
  const ack = (nowUs: number, segments: Sent[], minRttUs = Infinity) => {
    rate.begin();
    for (const s of segments) {
      pipe -= MSS;
      rate.onDelivered(
        MSS,
        nowUs,
        s.sentUs,
        s.delivered,
        s.deliveredUs,
        s.firstSentUs,
        s.isAppLimited,
        s.pipe,
        s.lost,
      );
    }
    rate.finish(sample, minRttUs);
    return sample;
  };
  return { rate, send, ack, pipe: () => pipe };
}

describe("delivery rate", () => {
  test("draft-ietf-ccwg-bbr §4.1: a steady flow is measured at its rate", () => {
    const { send, ack } = sender();
    // One segment a millisecond, 10 ms of RTT: 1 MB/s.
    const flight: ReturnType<typeof send>[] = [];
    let last = -1;
    for (let t = 0; t < 100; t++) {
      flight.push(send(t * 1000));
      if (t >= 10) last = ack(t * 1000 + 1, [flight[t - 10]]).deliveryRate;
    }
    expect(last / 1e6).toBeCloseTo(1, 3);
  });

  test("draft §4.1.2: compressed ACKs do not raise it: the slower of sending and acknowledging counts", () => {
    const { send, ack } = sender();
    const flight = Array.from({ length: 20 }, (_, t) => send(t * 1000));
    ack(20_000, [flight[0]]);
    // All the others at once, then a flight that is measured against that.
    const s = ack(20_001, flight.slice(1));
    expect(s.deliveryRate).toBeLessThanOrEqual(1.06e6);
    expect(s.intervalUs).toBeGreaterThanOrEqual(19_000);
  });

  test("draft §4.1.2: an interval below the smallest RTT is no sample", () => {
    const { send, ack } = sender();
    const a = send(0);
    expect(ack(500, [a], 10_000).deliveryRate).toBe(-1);
  });

  test("draft §4.1.2.4: what is sent while the application is short is marked until it is delivered", () => {
    const { rate, send, ack, pipe } = sender();
    const first = send(0);
    rate.markAppLimited(pipe());
    const second = send(1000);
    expect(second.isAppLimited).toBe(true);
    expect(ack(10_000, [first]).isAppLimited).toBe(false);
    expect(ack(11_000, [second]).isAppLimited).toBe(true);
    expect(rate.isAppLimited).toBe(false);
    expect(send(12_000).isAppLimited).toBe(false);
  });

  test("losses and inflight of the sampled segment; the newest segment is the one sampled", () => {
    const { rate, send, ack } = sender();
    const a = send(0);
    const b = send(1000);
    const c = send(2000);
    rate.onLost(MSS);
    const s = ack(20_000, [c, a]);
    expect(s.txInFlight).toBe(3 * MSS);
    expect(s.lostSinceSent).toBe(MSS);
    expect(s.totalLost).toBe(MSS);
    expect(s.totalDelivered).toBe(2 * MSS);
    expect(b.pipe).toBe(2 * MSS);
  });

  test("after an idle time the rate is that of the new flight", () => {
    const { send, ack } = sender();
    ack(10_000, [send(0)]);
    const flight = [send(60e6), send(60e6 + 1000)];
    ack(60e6 + 10_000, [flight[0]]);
    // Two segments in 11 ms, not in a minute.
    expect(ack(60e6 + 11_000, [flight[1]]).deliveryRate).toBeCloseTo((2 * MSS * 1e6) / 11_000, 0);
  });

  test("an ACK that delivers nothing has no rate", () => {
    const { ack } = sender();
    const s = ack(1000, []);
    expect([s.deliveryRate, s.isAppLimited, s.lostSinceSent]).toEqual([-1, false, 0]);
  });
});
