import { AdditiveIncrease } from "./avoidance.ts";
import type { AckSample, CongestionView } from "./controller.ts";
import { LossBased, renoThreshold } from "./reno.ts";
import { clampOf } from "./slow-start.ts";

/** Segments that may stand in the queue: fewer, the window grows; more, it shrinks. */
export const VEGAS_ALPHA = 2;
export const VEGAS_BETA = 4;
/** More than this many in slow start ends it. */
export const VEGAS_GAMMA = 1;
/** RTT samples that a round needs to be judged by. */
const MIN_SAMPLES = 3;

/**
 * Vegas (Brakmo, Peterson: "TCP Vegas: End to End Congestion Avoidance on a
 * Global Internet", 1995): once a round trip, the window is compared with what
 * the smallest RTT ever seen would need; the difference stands in the queue.
 * Rounds are judged by their smallest RTT, so that delayed ACKs do not count
 * as queue. In slow start the window doubles every round (the paper: every
 * other), as the queue of one round is seen in the next.
 */
export class Vegas extends LossBased {
  readonly name = "vegas";
  private readonly increase = new AdditiveIncrease();
  private roundEnd = 0;
  private hasRound = false;
  private roundRttUs = Infinity;
  /** Bytes in flight that this RTT was measured with. */
  private roundInFlight = 0;
  private samples = 0;
  private queued = 0;

  override init(view: CongestionView, nowUs: number): void {
    super.init(view, nowUs);
    this.hasRound = false;
  }

  override onAck(view: CongestionView, sample: AckSample): void {
    if (sample.isInRecovery) {
      // RTTs of a recovery say little; after a timeout the window grows as Reno's.
      this.hasRound = false;
      super.onAck(view, sample);
      return;
    }
    if (sample.rttUs > 0) {
      this.samples++;
      if (sample.rttUs < this.roundRttUs) {
        this.roundRttUs = sample.rttUs;
        this.roundInFlight = sample.txInFlight > 0 ? sample.txInFlight : view.cwnd;
      }
    }
    if (!this.hasRound) {
      this.startRound(view);
    } else if (((view.sndUna - this.roundEnd) | 0) >= 0) {
      const isJudged = this.samples >= MIN_SAMPLES;
      if (isJudged) this.judge(view);
      this.startRound(view);
      if (isJudged) return;
      super.onAck(view, sample); // too few samples: Reno
      return;
    }
    if (view.cwnd < view.ssthresh) super.onAck(view, sample);
  }

  onCongestion(view: CongestionView, kind: number): number {
    this.hasRound = false;
    this.increase.reset();
    return renoThreshold(view, kind, this.settings);
  }

  onIdleRestart(): void {
    this.hasRound = false;
  }

  override info(): Record<string, number | string> {
    return { ...super.info(), queuedSegments: this.queued };
  }

  protected avoid(view: CongestionView, bytes: number): void {
    this.increase.grow(view, bytes, view.cwnd);
  }

  private startRound(view: CongestionView): void {
    this.hasRound = true;
    this.roundEnd = view.sndNxt;
    this.roundRttUs = Infinity;
    this.samples = 0;
  }

  /** Once a round: expected against actual rate, as segments in the queue. */
  private judge(view: CongestionView): void {
    const mss = view.sndMss;
    const baseUs = Math.min(view.minRttUs, this.roundRttUs);
    // By what was in flight with that segment, not by cwnd: in slow start the
    // window has doubled since and would be excused by the RTT of its half.
    const needed = (this.roundInFlight * baseUs) / this.roundRttUs;
    this.queued = (this.roundInFlight - needed) / mss;
    if (view.cwnd < view.ssthresh) {
      if (this.queued > VEGAS_GAMMA) {
        const fitting = Math.floor(needed / mss + 1) * mss;
        view.cwnd = Math.max(Math.min(view.cwnd, fitting), 2 * mss);
        view.ssthresh = Math.min(view.ssthresh, Math.max(view.cwnd, 2 * mss));
      } else if (view.isCwndLimited) {
        const grown = Math.min(view.cwnd + mss, view.ssthresh);
        view.cwnd = Math.min(grown, clampOf(view));
      }
      return;
    }
    if (this.queued > VEGAS_BETA) {
      view.cwnd = Math.max(view.cwnd - mss, 2 * mss);
      view.ssthresh = Math.min(view.ssthresh, view.cwnd);
    } else if (this.queued < VEGAS_ALPHA && view.isCwndLimited) {
      view.cwnd = Math.min(view.cwnd + mss, clampOf(view));
    }
  }
}
