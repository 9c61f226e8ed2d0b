import { INFINITE_SSTHRESH, type AckSample, type CongestionView } from "./controller.ts";
import { slowStart } from "./slow-start.ts";

// RFC 9406 §4.3.
const MIN_RTT_THRESH_US = 4_000;
const MAX_RTT_THRESH_US = 16_000;
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;
/** L without pacing. With pacing an ACK cannot cause a burst, so it is unlimited. */
const L_UNPACED = 8;

/**
 * HyStart++ (RFC 9406): leaves slow start when the round-trip time rises,
 * before the queue overflows. A rise first leads into conservative slow start
 * (a quarter of the growth) for five rounds; if the RTT falls back below where
 * it was, the rise was jitter and slow start goes on.
 */
export class HyStart {
  /** Smallest RTT of the round before and of this one. */
  private lastRoundUs = Infinity;
  private thisRoundUs = Infinity;
  private samples = 0;
  private roundEnd = 0;
  private hasRound = false;
  /** Conservative slow start: the RTT that started it; Infinity outside. */
  private cssBaselineUs = Infinity;
  private cssRounds = 0;

  /** In conservative slow start. */
  get isConservative(): boolean {
    return this.cssBaselineUs !== Infinity;
  }

  reset(): void {
    this.lastRoundUs = Infinity;
    this.thisRoundUs = Infinity;
    this.samples = 0;
    this.hasRound = false;
    this.cssBaselineUs = Infinity;
    this.cssRounds = 0;
  }

  /**
   * Counts rounds and RTTs of one ACK; call it for every ACK in the first slow
   * start. When conservative slow start has run its rounds, ssthresh becomes
   * cwnd: congestion avoidance begins.
   */
  observe(view: CongestionView, sample: AckSample): void {
    if (view.ssthresh < INFINITE_SSTHRESH) {
      this.cssBaselineUs = Infinity; // a loss has ended the first slow start
      return;
    }
    if (!this.hasRound || ((view.sndUna - this.roundEnd) | 0) >= 0) this.endRound(view);
    if (view.ssthresh < INFINITE_SSTHRESH || sample.rttUs < 0) return;
    this.samples++;
    if (sample.rttUs < this.thisRoundUs) this.thisRoundUs = sample.rttUs;
    if (this.samples < N_RTT_SAMPLE) return;
    if (this.cssBaselineUs !== Infinity) {
      if (this.thisRoundUs < this.cssBaselineUs) {
        this.cssBaselineUs = Infinity;
        this.cssRounds = 0;
      }
    } else if (this.lastRoundUs !== Infinity) {
      const threshold = Math.max(
        MIN_RTT_THRESH_US,
        Math.min(this.lastRoundUs / MIN_RTT_DIVISOR, MAX_RTT_THRESH_US),
      );
      if (this.thisRoundUs >= this.lastRoundUs + threshold) {
        this.cssBaselineUs = this.thisRoundUs;
        this.cssRounds = 0;
      }
    }
  }

  /** Grows the window by one ACK's bytes; answers what is left for congestion avoidance. */
  grow(view: CongestionView, deliveredBytes: number, abcLimit: number, isPaced: boolean): number {
    // §4.2: after the first slow start it is the standard one.
    if (view.ssthresh < INFINITE_SSTHRESH) return slowStart(view, deliveredBytes, abcLimit);
    const limit = isPaced ? abcLimit : Math.min(abcLimit, L_UNPACED);
    if (!this.isConservative) return slowStart(view, deliveredBytes, limit);
    const bytes = Math.min(deliveredBytes, limit * view.sndMss) / CSS_GROWTH_DIVISOR;
    return slowStart(view, Math.ceil(bytes), Infinity);
  }

  private endRound(view: CongestionView): void {
    if (this.hasRound && this.isConservative && ++this.cssRounds >= CSS_ROUNDS) {
      // Never the "infinite" value, or slow start would go on.
      view.ssthresh = Math.min(view.cwnd, INFINITE_SSTHRESH - 1);
      this.cssBaselineUs = Infinity;
    }
    this.lastRoundUs = this.thisRoundUs;
    this.thisRoundUs = Infinity;
    this.samples = 0;
    this.roundEnd = view.sndNxt;
    this.hasRound = true;
  }
}
