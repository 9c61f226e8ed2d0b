import { AdditiveIncrease } from "./avoidance.ts";
import { CONGESTION_TIMEOUT, type AckSample, type CongestionView } from "./controller.ts";
import { LossBased, renoThreshold } from "./reno.ts";
import { thresholdOf } from "./slow-start.ts";

/** Part of the window kept after a loss. */
export const BIC_BETA = 819 / 1024;
/** Windows up to this many segments behave as Reno. */
const LOW_WINDOW = 14;
/** S_max: largest growth in a round trip, segments (the paper has 32, Linux 16). */
export const BIC_MAX_INCREMENT = 16;
/** Each step of the search goes this part of the way (the paper: 2, Linux: 4, gentler near the end). */
const SEARCH_DIVISOR = 4;
/** Round trips for the last steps around the old maximum. */
const SMOOTH_PART = 20;

/**
 * Growth of the window in one round trip, segments (Xu, Harfoush, Rhee: "Binary
 * Increase Congestion Control for Fast Long-Distance Networks", 2004): linear
 * while far from `wMax`, then a search that halves the distance, slow around
 * it, and mirrored beyond it (max probing).
 */
export function bicIncrement(cwnd: number, wMax: number): number {
  if (cwnd <= LOW_WINDOW) return 1;
  const slow = SEARCH_DIVISOR / SMOOTH_PART;
  if (cwnd < wMax) {
    const step = (wMax - cwnd) / SEARCH_DIVISOR;
    if (step > BIC_MAX_INCREMENT) return BIC_MAX_INCREMENT;
    return step <= 1 ? slow : step;
  }
  const beyond = cwnd - wMax;
  if (beyond < SEARCH_DIVISOR) return slow;
  return Math.min(beyond / (SEARCH_DIVISOR - 1), BIC_MAX_INCREMENT);
}

/** BIC-TCP: a binary search for the window between the last loss and where it was cut to. */
export class Bic extends LossBased {
  readonly name = "bic";
  private readonly increase = new AdditiveIncrease();
  /** Window at the last loss, segments; 0: none yet. */
  private wMax = 0;
  private undoWMax = 0;

  protected avoid(view: CongestionView, bytes: number, _sample: AckSample): void {
    const cwnd = view.cwnd / view.sndMss;
    // Without a maximum the search starts where the window is.
    if (this.wMax === 0) this.wMax = cwnd;
    this.increase.grow(view, bytes, view.cwnd / bicIncrement(cwnd, this.wMax));
  }

  onCongestion(view: CongestionView, kind: number): number {
    const cwnd = view.cwnd / view.sndMss;
    this.undoWMax = this.wMax;
    // Fast convergence: a maximum below the last one leaves room for others.
    this.wMax = cwnd < this.wMax ? (cwnd * (1 + BIC_BETA)) / 2 : cwnd;
    if (kind === CONGESTION_TIMEOUT) this.wMax = 0;
    this.increase.reset();
    if (cwnd <= LOW_WINDOW) return renoThreshold(view, kind, this.settings);
    return thresholdOf(view, view.cwnd * BIC_BETA);
  }

  onSpurious(): void {
    this.wMax = this.undoWMax;
  }

  override info(): Record<string, number | string> {
    return { ...super.info(), wMaxSegments: this.wMax };
  }
}
