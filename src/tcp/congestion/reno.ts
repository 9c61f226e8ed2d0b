import { AdditiveIncrease } from "./avoidance.ts";
import {
  CONGESTION_ECN,
  type AckSample,
  type CongestionSettings,
  type CongestionView,
  type Controller,
} from "./controller.ts";
import { HyStart } from "./hystart.ts";
import { clampOf, slowStart, thresholdOf } from "./slow-start.ts";

/**
 * What Reno and all that descend from it have in common: slow start (with
 * HyStart++ if set), then the algorithm's own `avoid`.
 */
export abstract class LossBased implements Controller {
  abstract readonly name: string;
  readonly ownsWindow: boolean = false;
  readonly wantsPacing: boolean = false;
  readonly usesExactEcn: boolean = false;
  protected readonly settings: CongestionSettings;
  private readonly hystart: HyStart | null;

  constructor(settings: CongestionSettings) {
    this.settings = settings;
    this.hystart = settings.hystart ? new HyStart() : null;
  }

  init(view: CongestionView, _nowUs: number): void {
    this.hystart?.reset();
    view.cwnd = Math.min(view.cwnd, clampOf(view));
  }

  onAck(view: CongestionView, sample: AckSample): void {
    // PRR (fast recovery) has the window; after a timeout it grows (RFC 5681 §3.1, step 3).
    if (sample.isInRecovery && !sample.isInRtoRecovery) return;
    const hystart = this.hystart;
    if (hystart !== null && !sample.isInRecovery) hystart.observe(view, sample);
    if (!view.isCwndLimited) {
      this.onUnused(view, sample);
      return;
    }
    let bytes = sample.deliveredBytes;
    if (view.cwnd < view.ssthresh) {
      const limit = this.settings.abcLimit;
      bytes =
        hystart === null
          ? slowStart(view, bytes, limit)
          : hystart.grow(view, bytes, limit, view.pacingRate > 0);
    }
    if (bytes > 0 && view.cwnd >= view.ssthresh) this.avoid(view, bytes, sample);
  }

  abstract onCongestion(view: CongestionView, kind: number, nowUs: number): number;

  info(): Record<string, number | string> {
    return { phase: this.hystart?.isConservative ? "conservative-slow-start" : "normal" };
  }

  /** Congestion avoidance: `bytes` were delivered and the window is in use. */
  protected abstract avoid(view: CongestionView, bytes: number, sample: AckSample): void;

  /** An ACK while the window was not used up: it tells nothing about the path (RFC 7661 §4.1). */
  protected onUnused(_view: CongestionView, _sample: AckSample): void {}
}

/** Half the window, or RFC 8511's larger part of it on an ECN signal. */
export function renoThreshold(
  view: CongestionView,
  kind: number,
  settings: CongestionSettings,
): number {
  const beta = kind === CONGESTION_ECN && settings.abeBeta > 0 ? settings.abeBeta : 0.5;
  // cwnd, not FlightSize (RFC 5681 equation 4): with the window validated by
  // isCwndLimited the two are equal, and an application's pause costs nothing.
  return thresholdOf(view, view.cwnd * beta);
}

/** Reno (RFC 5681) with appropriate byte counting (RFC 3465). */
export class Reno extends LossBased {
  readonly name: string = "reno";
  private readonly increase = new AdditiveIncrease();

  protected avoid(view: CongestionView, bytes: number): void {
    this.increase.grow(view, bytes, view.cwnd);
  }

  onCongestion(view: CongestionView, kind: number): number {
    this.increase.reset();
    return renoThreshold(view, kind, this.settings);
  }
}
