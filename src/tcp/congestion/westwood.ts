import { AdditiveIncrease } from "./avoidance.ts";
import type { AckSample, CongestionView } from "./controller.ts";
import { LossBased, renoThreshold } from "./reno.ts";
import { thresholdOf } from "./slow-start.ts";

/** Shortest time over which bandwidth is taken, microseconds: a few ACKs say nothing. */
const MIN_INTERVAL_US = 50_000;
/** Weight of the past in the low-pass filters. */
const KEEP = 7 / 8;

/**
 * Westwood+ (Grieco, Mascolo: "Performance Evaluation and Comparison of
 * Westwood+, New Reno, and Vegas", 2004): Reno's growth, but a loss cuts the
 * window to what the path was measured to carry, bandwidth times smallest RTT,
 * so that a random loss costs little. Bandwidth is sampled once a round trip,
 * which compressed ACKs do not disturb, and filtered twice.
 */
export class Westwood extends LossBased {
  readonly name = "westwood";
  private readonly increase = new AdditiveIncrease();
  private intervalStartUs = -1;
  private intervalBytes = 0;
  /** First and second filter stage, bytes per second. */
  private shortTerm = 0;
  private estimate = 0;

  /** Filtered bandwidth, bytes per second; 0 before the first sample. */
  get bandwidth(): number {
    return this.estimate;
  }

  override init(view: CongestionView, nowUs: number): void {
    super.init(view, nowUs);
    this.intervalStartUs = -1;
    this.intervalBytes = 0;
  }

  override onAck(view: CongestionView, sample: AckSample): void {
    this.measure(view, sample);
    super.onAck(view, sample);
  }

  protected avoid(view: CongestionView, bytes: number): void {
    this.increase.grow(view, bytes, view.cwnd);
  }

  onCongestion(view: CongestionView, kind: number): number {
    this.increase.reset();
    if (this.estimate === 0 || view.minRttUs === Infinity) {
      return renoThreshold(view, kind, this.settings);
    }
    const bdp = (this.estimate * view.minRttUs) / 1e6;
    return thresholdOf(view, Math.min(bdp, view.cwnd));
  }

  onIdleRestart(_view: CongestionView, _idleUs: number, nowUs: number): void {
    this.intervalStartUs = nowUs;
    this.intervalBytes = 0;
  }

  override info(): Record<string, number | string> {
    return { ...super.info(), bandwidth: this.estimate };
  }

  private measure(view: CongestionView, sample: AckSample): void {
    if (this.intervalStartUs < 0) {
      // What this ACK delivers was sent before the interval.
      this.intervalStartUs = sample.nowUs;
      return;
    }
    this.intervalBytes += sample.deliveredBytes;
    const elapsedUs = sample.nowUs - this.intervalStartUs;
    if (elapsedUs < Math.max(view.srttUs, MIN_INTERVAL_US)) return;
    const rate = (this.intervalBytes * 1e6) / elapsedUs;
    // In slow start the rate doubles every round: filters that lag by ten rounds
    // would cut the first loss to a fraction of the path, so a rise counts whole.
    const isRising = view.cwnd < view.ssthresh && rate > this.estimate;
    if (this.estimate === 0 || isRising) {
      this.shortTerm = rate;
      this.estimate = rate;
    } else {
      this.shortTerm = KEEP * this.shortTerm + (1 - KEEP) * rate;
      this.estimate = KEEP * this.estimate + (1 - KEEP) * this.shortTerm;
    }
    this.intervalStartUs = sample.nowUs;
    this.intervalBytes = 0;
  }
}
