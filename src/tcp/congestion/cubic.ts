import {
  CONGESTION_ECN,
  CONGESTION_TIMEOUT,
  type AckSample,
  type CongestionView,
} from "./controller.ts";
import { LossBased } from "./reno.ts";
import { clampOf, thresholdOf } from "./slow-start.ts";

/** Constants of RFC 9438 §4.6 and §5: segments/s^3, and the part of the window kept. */
export const CUBIC_C = 0.4;
export const CUBIC_BETA = 0.7;
/** Additive increase that gives Reno's share with CUBIC's decrease (RFC 9438 §4.3). */
const ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);

/** W_cubic(t) of RFC 9438 figure 1: window in segments, `seconds` into the epoch. */
export function cubicWindow(seconds: number, wMax: number, k: number): number {
  const x = seconds - k;
  return CUBIC_C * x * x * x + wMax;
}

/** K of RFC 9438 figure 2: seconds until the curve is back at `wMax`. */
export function cubicK(wMax: number, cwndEpoch: number): number {
  return wMax > cwndEpoch ? Math.cbrt((wMax - cwndEpoch) / CUBIC_C) : 0;
}

/**
 * CUBIC (RFC 9438; RFC 8312 before it). Windows in segments, times in seconds
 * inside; after a congestion event the window follows a cubic around the size
 * at which loss occurred, and never grows slower than Reno would.
 */
export class Cubic extends LossBased {
  readonly name = "cubic";
  /** Plateau of the curve and the window at the last reduction, segments. */
  private wMax = 0;
  private cwndPrior = 0;
  /** Start of the epoch, microseconds; -1: starts with the next ACK in congestion avoidance. */
  private epochUs = -1;
  private origin = 0;
  private k = 0;
  /** Reno's window since the epoch began, segments. */
  private wEst = 0;
  /** Growth that is not a whole segment yet, segments. */
  private carry = 0;
  private lastAckUs = 0;
  private isRenoFriendly = false;
  /** As it was before the last reduction, for `onSpurious`. */
  private undoWMax = 0;
  private undoCwndPrior = 0;
  private undoEpochUs = -1;
  private undoOrigin = 0;
  private undoK = 0;
  private undoWEst = 0;

  override init(view: CongestionView, nowUs: number): void {
    super.init(view, nowUs);
    this.wMax = 0;
    this.cwndPrior = 0;
    this.epochUs = -1;
    this.carry = 0;
    this.lastAckUs = nowUs;
  }

  override onAck(view: CongestionView, sample: AckSample): void {
    super.onAck(view, sample);
    this.lastAckUs = sample.nowUs;
  }

  protected avoid(view: CongestionView, bytes: number, sample: AckSample): void {
    const mss = view.sndMss;
    const cwnd = view.cwnd / mss;
    if (this.epochUs < 0) this.startEpoch(cwnd, sample.nowUs);
    const acked = bytes / mss;
    // §4.3: from the former window on as steep as Reno itself.
    this.wEst += ((this.wEst >= this.cwndPrior ? 1 : ALPHA) * acked) / cwnd;

    const t = (sample.nowUs - this.epochUs) / 1e6;
    this.isRenoFriendly = cubicWindow(t, this.origin, this.k) < this.wEst;
    if (this.isRenoFriendly) {
      const gain = this.wEst - cwnd;
      if (gain >= 1) this.grow(view, Math.floor(gain));
      return;
    }
    // §4.4, §4.5: towards where the curve is one round trip from now.
    let target = cubicWindow(t + view.srttUs / 1e6, this.origin, this.k);
    if (target < cwnd) target = cwnd;
    else if (target > 1.5 * cwnd) target = 1.5 * cwnd;
    this.carry += ((target - cwnd) / cwnd) * acked;
    if (this.carry >= 1) {
      const whole = Math.floor(this.carry);
      this.carry -= whole;
      this.grow(view, whole);
    }
  }

  /** Time in which the application left the window unused is no part of the epoch (§4.2, §5.8). */
  protected override onUnused(_view: CongestionView, sample: AckSample): void {
    this.skip(sample.nowUs);
  }

  onSent(view: CongestionView, bytes: number, nowUs: number): void {
    // The first segment after nothing was in flight: the silence before it does not count.
    if (view.pipe <= bytes) this.skip(nowUs);
  }

  onIdleRestart(_view: CongestionView, _idleUs: number, nowUs: number): void {
    this.skip(nowUs);
  }

  onCongestion(view: CongestionView, kind: number, _nowUs: number): number {
    const cwnd = view.cwnd / view.sndMss;
    this.undoWMax = this.wMax;
    this.undoCwndPrior = this.cwndPrior;
    this.undoEpochUs = this.epochUs;
    this.undoOrigin = this.origin;
    this.undoK = this.k;
    this.undoWEst = this.wEst;
    // §4.7 fast convergence: a plateau lower than the last one makes room for others.
    this.wMax = cwnd < this.wMax ? (cwnd * (1 + CUBIC_BETA)) / 2 : cwnd;
    // §4.8: after a timeout the plateau is the window that congestion avoidance starts with.
    if (kind === CONGESTION_TIMEOUT) this.wMax = 0;
    this.cwndPrior = cwnd;
    this.epochUs = -1;
    this.carry = 0;
    const abe = this.settings.abeBeta;
    const beta = kind === CONGESTION_ECN && abe > 0 ? abe : CUBIC_BETA;
    // §4.6 offers FlightSize; cwnd as Linux takes it: growth is validated by
    // isCwndLimited already, and a pause of the application is not congestion.
    return thresholdOf(view, view.cwnd * beta);
  }

  /** §4.9.2: the reduction was for nothing; the old curve goes on. */
  onSpurious(_view: CongestionView, nowUs: number): void {
    this.wMax = this.undoWMax;
    this.cwndPrior = this.undoCwndPrior;
    this.epochUs = this.undoEpochUs;
    this.origin = this.undoOrigin;
    this.k = this.undoK;
    this.wEst = this.undoWEst;
    this.lastAckUs = nowUs;
  }

  override info(): Record<string, number | string> {
    const region = this.isRenoFriendly ? "reno-friendly" : "cubic";
    return { ...super.info(), wMaxSegments: this.wMax, kSeconds: this.k, region };
  }

  private startEpoch(cwnd: number, nowUs: number): void {
    this.epochUs = nowUs;
    this.k = cubicK(this.wMax, cwnd);
    this.origin = Math.max(this.wMax, cwnd);
    this.wEst = cwnd;
    this.carry = 0;
  }

  private grow(view: CongestionView, segments: number): void {
    view.cwnd = Math.min(view.cwnd + segments * view.sndMss, clampOf(view));
  }

  private skip(nowUs: number): void {
    if (this.epochUs >= 0 && nowUs > this.lastAckUs) this.epochUs += nowUs - this.lastAckUs;
    this.lastAckUs = nowUs;
  }
}
