import type { CongestionView } from "./controller.ts";

/** Linux's ratios: room to double in slow start, a little more than the window's rate after it. */
const SLOW_START_RATIO = 2;
const AVOIDANCE_RATIO = 1.2;

/**
 * The rate, bytes per second, for a connection that is to be paced while its
 * controller sets none: a multiple of cwnd per srtt. 0 (unpaced) before the
 * first RTT sample.
 */
export function defaultPacingRate(view: CongestionView): number {
  if (view.srttUs <= 0) return 0;
  // Near ssthresh slow start is about to end: no doubling any more.
  const ratio = view.cwnd < view.ssthresh / 2 ? SLOW_START_RATIO : AVOIDANCE_RATIO;
  return (ratio * Math.max(view.cwnd, view.pipe) * 1e6) / view.srttUs;
}

/**
 * When the next segment may leave. Time not used for sending is credit, at most
 * `creditUs` of it: a late timer costs no throughput, an idle time causes no
 * burst of more than `creditUs` at the pacing rate.
 */
export class Pacer {
  /** The schedule: the next segment leaves at this time, microseconds, or as soon after it as possible. */
  nextSendUs = 0;
  private readonly creditUs: number;

  constructor(creditUs = 1_000) {
    this.creditUs = creditUs;
  }

  /** Whether a segment may leave now. Without a rate: always. */
  maySend(rate: number, nowUs: number): boolean {
    return rate <= 0 || this.nextSendUs <= nowUs;
  }

  /** `bytes` leave now at `rate` bytes per second (headers need not be counted). Answers the next time. */
  onSent(bytes: number, rate: number, nowUs: number): number {
    const oldest = nowUs - this.creditUs;
    const startUs = this.nextSendUs > oldest ? this.nextSendUs : oldest;
    this.nextSendUs = rate > 0 ? startUs + (bytes * 1e6) / rate : nowUs;
    return this.nextSendUs;
  }

  /** Bytes that may leave in one go now: at least `leastBytes`, at most what a millisecond at `rate` carries. */
  static quantum(rate: number, leastBytes: number, mostBytes: number): number {
    return Math.max(leastBytes, Math.min(rate / 1000, mostBytes));
  }
}
