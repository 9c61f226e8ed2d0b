import { BbrModel } from "./bbr-model.ts";
import type { CongestionView } from "./controller.ts";
import { clampOf } from "./slow-start.ts";

export const STARTUP = 0;
export const DRAIN = 1;
export const DOWN = 2;
export const CRUISE = 3;
export const REFILL = 4;
export const UP = 5;
export const PROBE_RTT = 6;
export const NAMES = ["startup", "drain", "down", "cruise", "refill", "up", "probe-rtt"];
/** Pacing and window gains by state. */
export const PACING_GAIN = [2.77, 0.5, 0.9, 1, 1, 1.25, 1];
export const CWND_GAIN = [2, 2, 2, 2, 2, 2.25, 0.5];

export const MIN_PIPE_SEGMENTS = 4;
export const NO_UNDO = -1;
/** Paced 1 % below the bandwidth, so that queues shrink. */
const PACING_MARGIN = 0.99;
const HEADROOM = 0.15;

/**
 * BBR's control parameters: what follows for pacing rate and window from the
 * model and the state (draft-ietf-ccwg-bbr §5.6), and what is saved in case a
 * loss proves spurious (§5.5.11).
 */
export class BbrControls {
  protected model = new BbrModel(0);
  protected state = STARTUP;
  protected initialCwnd = 0;
  protected totalDelivered = 0;
  protected minRttUs = Infinity;
  protected probeRttCwnd = 0;
  protected inflightLongTerm = Infinity;
  protected isInRecovery = false;
  protected priorCwnd = 0;
  protected undoState = NO_UNDO;
  protected undoBwShortTerm = Infinity;
  protected undoInflightShortTerm = Infinity;
  protected undoInflightLongTerm = Infinity;

  // ---- Losses (§5.5.10)

  protected noteLoss(view: CongestionView): void {
    if (this.model.noteLoss(this.totalDelivered)) {
      this.saveCwnd(view);
      this.saveState();
    }
  }

  protected saveState(): void {
    this.undoState = NO_UNDO;
    this.undoBwShortTerm = this.model.bwShortTerm;
    this.undoInflightShortTerm = this.model.inflightShortTerm;
    this.undoInflightLongTerm = this.inflightLongTerm;
  }

  protected saveCwnd(view: CongestionView): void {
    const isModulated = this.isInRecovery || this.state === PROBE_RTT;
    this.priorCwnd = isModulated ? Math.max(this.priorCwnd, view.cwnd) : view.cwnd;
  }

  protected restoreCwnd(view: CongestionView): void {
    view.cwnd = Math.max(view.cwnd, this.priorCwnd);
  }

  // ---- Control parameters (§5.6)

  protected setInitialPacing(view: CongestionView): void {
    const rttUs = view.srttUs > 0 ? view.srttUs : 1_000;
    view.pacingRate = (PACING_GAIN[STARTUP] * view.cwnd * 1e6) / rttUs;
  }

  protected setPacingRate(view: CongestionView, gain: number): void {
    const rate = gain * this.model.bw * PACING_MARGIN;
    if (rate <= 0) return;
    if (this.model.isFullBwReached || rate > view.pacingRate) view.pacingRate = rate;
  }

  protected setCwnd(view: CongestionView, deliveredBytes: number): void {
    const m = this.model;
    const wanted = this.bdp(CWND_GAIN[this.state], m.bw) + m.extraAcked;
    const most = this.quantized(view, wanted);
    if (m.isFullBwReached) {
      view.cwnd = Math.min(view.cwnd + deliveredBytes, most);
    } else if (view.cwnd < most || this.totalDelivered < this.initialCwnd) {
      view.cwnd += deliveredBytes;
    }
    view.cwnd = Math.max(view.cwnd, MIN_PIPE_SEGMENTS * view.sndMss);
    this.boundCwnd(view);
  }

  /** By the bounds that losses have set (§5.6.4.7), and by ProbeRTT. */
  protected boundCwnd(view: CongestionView): void {
    let cap = Infinity;
    if (this.state === PROBE_RTT) {
      cap = Math.min(this.probeRttCwnd, this.inflightWithHeadroom(view));
    } else if (this.state === CRUISE) {
      cap = this.inflightWithHeadroom(view);
    } else if (this.isInProbeBw()) {
      cap = this.inflightLongTerm;
    }
    cap = Math.min(cap, this.model.inflightShortTerm);
    cap = Math.max(cap, MIN_PIPE_SEGMENTS * view.sndMss);
    view.cwnd = Math.floor(Math.min(view.cwnd, cap, clampOf(view)));
  }

  protected bdp(gain: number, bw: number): number {
    if (this.minRttUs === Infinity || bw === 0) return this.initialCwnd;
    return (gain * bw * this.minRttUs) / 1e6;
  }

  protected inflight(view: CongestionView, gain: number, bw: number): number {
    return this.quantized(view, this.bdp(gain, bw));
  }

  /** Room for what stays in bursts on both ends: three send quanta of 1 ms, at least four segments. */
  private quantized(view: CongestionView, bytes: number): number {
    const mss = view.sndMss;
    const quantum = Math.max(Math.min(view.pacingRate / 1000, 65_536), 2 * mss);
    const most = Math.max(bytes, 3 * quantum, MIN_PIPE_SEGMENTS * mss);
    return this.state === UP ? most + 2 * mss : most;
  }

  protected inflightWithHeadroom(view: CongestionView): number {
    if (this.inflightLongTerm === Infinity) return Infinity;
    const headroom = Math.max(view.sndMss, HEADROOM * this.inflightLongTerm);
    return Math.max(this.inflightLongTerm - headroom, MIN_PIPE_SEGMENTS * view.sndMss);
  }

  protected targetInflight(view: CongestionView): number {
    return Math.min(this.bdp(1, this.model.bw), view.cwnd);
  }

  protected isInProbeBw(): boolean {
    return this.state >= DOWN && this.state <= UP;
  }

  protected isProbingBw(): boolean {
    return this.state === STARTUP || this.state === REFILL || this.state === UP;
  }
}
