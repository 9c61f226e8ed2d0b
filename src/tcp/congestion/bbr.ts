import { randomUnit, SeededRandom } from "../../base/random.ts";
import {
  BbrControls,
  CRUISE,
  CWND_GAIN,
  DOWN,
  DRAIN,
  MIN_PIPE_SEGMENTS,
  NAMES,
  NO_UNDO,
  PACING_GAIN,
  PROBE_RTT,
  REFILL,
  STARTUP,
  UP,
} from "./bbr-controls.ts";
import { BBR_BETA, BBR_LOSS_THRESH, BbrModel } from "./bbr-model.ts";
import {
  CONGESTION_ECN,
  CONGESTION_TIMEOUT,
  type AckSample,
  type CongestionView,
  type Controller,
} from "./controller.ts";

/** Where in a probe the ACKs that arrive now were sent. */
const ACKS_INIT = 0;
const ACKS_REFILLING = 1;
const ACKS_STARTING = 2;
const ACKS_FEEDBACK = 3;
const ACKS_STOPPING = 4;

const MIN_RTT_WINDOW_US = 10_000_000;
const PROBE_RTT_US = 200_000;
const STARTUP_LOSS_EVENTS = 6;
const MAX_RENO_ROUNDS = 63;

/**
 * BBR version 3 (draft-ietf-ccwg-bbr): paces at the bandwidth that the path was
 * measured to have and keeps about one bandwidth-delay product in flight,
 * probing for more every 2-3 s and for a smaller RTT every 10 s. Names follow
 * the draft, so that this file can be read beside it.
 *
 * Deviations: CE marks (RFC 3168) count as a loss of the round, as the draft has
 * no rule for them; the first RTT sample sets the first pacing rate anew.
 */
export class Bbr extends BbrControls implements Controller {
  readonly name = "bbr";
  readonly ownsWindow = true;
  readonly wantsPacing = true;
  readonly usesExactEcn = false;

  private random = new SeededRandom(1);
  private hasRtt = false;
  private lastAckUs = 0;
  private lastWasAppLimited = false;
  /** Samples of what was sent before this was delivered do not show the path (ProbeRTT). */
  private ignoreUntil = 0;

  private minRttStampUs = 0;
  private probeRttDoneUs = 0;
  private isProbeRttRoundDone = false;
  private isIdleRestart = false;

  private drainStartRound = 0;
  private ackPhase = ACKS_INIT;
  private isProbeSample = false;
  private cycleStampUs = 0;
  private probeWaitUs = 0;
  private roundsSinceProbeUp = 0;
  private probeUpRounds = 0;
  private probeUpAcked = 0;
  private probeUpAckedPerInc = Infinity;
  private wasProbeTooHigh = false;
  private wasProbePrecautionary = false;

  init(view: CongestionView, nowUs: number): void {
    this.model = new BbrModel(nowUs);
    // The first sequence number is as random as the host's source.
    this.random = new SeededRandom(view.sndNxt);
    this.initialCwnd = view.cwnd;
    this.minRttUs = view.srttUs > 0 ? view.srttUs : Infinity;
    this.minRttStampUs = nowUs;
    this.lastAckUs = nowUs;
    this.hasRtt = view.srttUs > 0;
    this.setInitialPacing(view);
    this.state = STARTUP;
  }

  onAck(view: CongestionView, sample: AckSample): void {
    const m = this.model;
    const nowUs = sample.nowUs;
    this.totalDelivered = sample.totalDelivered;
    if (this.isInRecovery && !sample.isInRecovery) this.onRecoveryExit(view);
    if (sample.lostBytes > 0) {
      this.noteLoss(view);
      m.lossEvents++;
    }
    if (!this.hasRtt && view.srttUs > 0) {
      this.hasRtt = true;
      this.setInitialPacing(view);
    }
    if (sample.deliveredBytes <= 0) return;
    const isAppLimited = sample.isAppLimited || sample.priorDelivered < this.ignoreUntil;
    this.lastWasAppLimited = isAppLimited;
    this.lastAckUs = nowUs;
    const rate = sample.deliveryRate;

    m.observe(sample, rate, isAppLimited);
    if (m.isRoundStart) this.roundsSinceProbeUp++;
    if (m.isLossRoundStart) {
      if (m.isLossInRound && !this.isProbingBw()) m.adaptToLoss(view.cwnd);
      m.isLossInRound = false;
    }
    m.updateAggregation(sample.deliveredBytes, view.cwnd, nowUs);
    m.checkFullBw(rate, isAppLimited);
    this.checkStartupDone(view, sample);
    if (this.state === DRAIN && this.isDrained(view)) this.startDown(nowUs);
    this.updateCycle(view, sample, isAppLimited);
    this.updateMinRtt(view, sample);
    this.checkProbeRtt(view, nowUs);
    m.advance(sample, rate);

    this.setPacingRate(view, PACING_GAIN[this.state]);
    this.setCwnd(view, sample.deliveredBytes);
  }

  onLost(
    view: CongestionView,
    bytes: number,
    txInFlight: number,
    lostSinceSent: number,
    isAppLimited: boolean,
    nowUs: number,
  ): void {
    this.noteLoss(view);
    if (!this.isProbeSample || !isTooHigh(lostSinceSent, txInFlight)) return;
    // The volume at which losses passed the threshold, within this segment.
    const before = txInFlight - bytes;
    const lostBefore = lostSinceSent - bytes;
    const prefix = (BBR_LOSS_THRESH * before - lostBefore) / (1 - BBR_LOSS_THRESH);
    this.handleInflightTooHigh(view, before + Math.max(prefix, 0), isAppLimited, nowUs);
  }

  onCongestion(view: CongestionView, kind: number, nowUs: number): number {
    if (kind === CONGESTION_ECN) {
      this.noteLoss(view);
      if (this.isProbeSample) this.handleInflightTooHigh(view, view.pipe, false, nowUs);
      return view.ssthresh;
    }
    this.saveCwnd(view);
    this.isInRecovery = true;
    this.noteLoss(view);
    if (kind === CONGESTION_TIMEOUT) {
      this.saveState();
      view.cwnd = view.pipe + view.sndMss;
    }
    return view.ssthresh; // has no meaning here
  }

  onRecoveryExit(view: CongestionView): void {
    this.isInRecovery = false;
    this.restoreCwnd(view);
    this.boundCwnd(view);
  }

  onSpurious(view: CongestionView, nowUs: number): void {
    const m = this.model;
    this.isInRecovery = false;
    this.restoreCwnd(view);
    m.isLossInRound = false;
    m.resetFullBw();
    m.bwShortTerm = Math.max(m.bwShortTerm, this.undoBwShortTerm);
    m.inflightShortTerm = Math.max(m.inflightShortTerm, this.undoInflightShortTerm);
    this.inflightLongTerm = Math.max(this.inflightLongTerm, this.undoInflightLongTerm);
    if (this.undoState === STARTUP && this.state !== STARTUP) {
      m.isFullBwReached = false;
      if (this.state !== PROBE_RTT) this.state = STARTUP;
    } else if (this.undoState === UP && this.state !== UP && this.state !== PROBE_RTT) {
      this.startRefill();
    }
    this.undoState = NO_UNDO;
    this.lastAckUs = nowUs;
  }

  onIdleRestart(view: CongestionView, _idleUs: number, nowUs: number): void {
    this.restartFromIdle(view, nowUs);
  }

  onSent(view: CongestionView, bytes: number, nowUs: number): void {
    if (view.pipe > bytes || this.isInRecovery) return;
    // Nothing was in flight: idle, not merely a window smaller than the ACK spacing.
    const isIdle = this.lastWasAppLimited || nowUs - this.lastAckUs > view.srttUs;
    if (isIdle) this.restartFromIdle(view, nowUs);
  }

  info(): Record<string, number | string> {
    const m = this.model;
    return {
      state: NAMES[this.state],
      maxBw: m.maxBw,
      bw: m.bw,
      minRttUs: this.minRttUs,
      bwShortTerm: m.bwShortTerm,
      inflightShortTerm: m.inflightShortTerm,
      inflightLongTerm: this.inflightLongTerm,
      extraAcked: m.extraAcked,
      fullBwReached: m.isFullBwReached ? 1 : 0,
      pacingGain: PACING_GAIN[this.state],
    };
  }

  // ---- Startup and Drain (§5.3.1, §5.3.2)

  private checkStartupDone(view: CongestionView, sample: AckSample): void {
    const m = this.model;
    if (!m.isFullBwReached && m.isLossRoundStart) {
      const isLossHigh =
        sample.isInRecovery &&
        m.lossEvents >= STARTUP_LOSS_EVENTS &&
        isTooHigh(sample.lostSinceSent, sample.txInFlight);
      if (isLossHigh) {
        this.undoState = STARTUP;
        m.isFullBwReached = true;
        this.inflightLongTerm = Math.max(this.bdp(1, m.maxBw), m.inflightLatest);
      }
    }
    if (m.isLossRoundStart) m.lossEvents = 0;
    if (this.state === STARTUP && m.isFullBwReached) {
      this.state = DRAIN;
      this.drainStartRound = m.roundCount;
      view.ssthresh = Math.max(Math.floor(this.inflight(view, 1, m.maxBw)), 2 * view.sndMss);
    }
  }

  private isDrained(view: CongestionView): boolean {
    if (view.pipe <= this.inflight(view, 1, this.model.bw)) return true;
    return this.model.roundCount > this.drainStartRound + 3;
  }

  // ---- ProbeBW (§5.3.3)

  private startDown(nowUs: number): void {
    this.model.resetCongestionSignals();
    this.probeUpAckedPerInc = Infinity;
    this.roundsSinceProbeUp = randomUnit(this.random) < 0.5 ? 0 : 1;
    this.probeWaitUs = 2_000_000 + randomUnit(this.random) * 1_000_000;
    this.cycleStampUs = nowUs;
    this.ackPhase = ACKS_STOPPING;
    this.model.startRound(this.totalDelivered);
    this.state = DOWN;
  }

  private startRefill(): void {
    this.model.resetShortTerm();
    this.probeUpRounds = 0;
    this.probeUpAcked = 0;
    this.wasProbePrecautionary = false;
    this.ackPhase = ACKS_REFILLING;
    this.model.startRound(this.totalDelivered);
    this.state = REFILL;
  }

  private startUp(view: CongestionView, rate: number): void {
    this.ackPhase = ACKS_STARTING;
    this.model.startRound(this.totalDelivered);
    this.model.resetFullBw(Math.max(rate, 0));
    this.state = UP;
    this.raiseSlope(view);
  }

  private updateCycle(view: CongestionView, sample: AckSample, isAppLimited: boolean): void {
    if (!this.model.isFullBwReached) return;
    if (this.adaptLongTerm(view, sample, isAppLimited)) return;
    switch (this.state) {
      case DOWN:
        if (this.isTimeToProbe(view, sample.nowUs)) this.startRefill();
        else if (this.isTimeToCruise(view)) this.state = CRUISE;
        break;
      case CRUISE:
        if (this.isTimeToProbe(view, sample.nowUs)) this.startRefill();
        break;
      case REFILL:
        if (this.model.isRoundStart) {
          this.isProbeSample = true;
          this.startUp(view, sample.deliveryRate);
        }
        break;
      case UP:
        if (this.isTimeToGoDown(view, sample)) {
          this.wasProbeTooHigh = false;
          this.startDown(sample.nowUs);
        }
        break;
    }
  }

  /** Follows a probe's ACKs; moves the long-term bound up. True: it has changed the state. */
  private adaptLongTerm(view: CongestionView, sample: AckSample, isAppLimited: boolean): boolean {
    const m = this.model;
    if (this.ackPhase === ACKS_STARTING && m.isRoundStart) this.ackPhase = ACKS_FEEDBACK;
    if (this.ackPhase === ACKS_STOPPING && m.isRoundStart) {
      this.isProbeSample = false;
      this.ackPhase = ACKS_INIT;
      if (this.isInProbeBw()) {
        if (!isAppLimited) m.advanceMaxBw();
        if (this.wasProbePrecautionary && !this.wasProbeTooHigh) {
          this.startRefill();
          return true;
        }
      }
    }
    if (isTooHigh(sample.lostSinceSent, sample.txInFlight)) {
      if (!this.isProbeSample) return false;
      const wasUp = this.state === UP;
      this.handleInflightTooHigh(view, sample.txInFlight, isAppLimited, sample.nowUs);
      return wasUp;
    }
    if (this.inflightLongTerm === Infinity) return false;
    if (sample.txInFlight > this.inflightLongTerm) this.inflightLongTerm = sample.txInFlight;
    if (this.state === UP) this.probeUpward(view, sample);
    return false;
  }

  private isTimeToProbe(view: CongestionView, nowUs: number): boolean {
    if (nowUs > this.cycleStampUs + this.probeWaitUs) return true;
    // As often as Reno would lose: flows with small windows probe in its rhythm.
    const renoRounds = Math.min(this.targetInflight(view) / view.sndMss, MAX_RENO_ROUNDS);
    return this.roundsSinceProbeUp >= renoRounds;
  }

  private isTimeToCruise(view: CongestionView): boolean {
    if (view.pipe > this.inflightWithHeadroom(view)) return false;
    return view.pipe <= this.inflight(view, 1, this.model.maxBw);
  }

  private isTimeToGoDown(view: CongestionView, sample: AckSample): boolean {
    if (this.wasProbeTooHigh && view.pipe >= this.inflightLongTerm) {
      this.wasProbePrecautionary = true;
      return true;
    }
    if (view.isCwndLimited && view.cwnd >= this.inflightLongTerm) {
      this.model.resetFullBw(Math.max(sample.deliveryRate, 0));
      return false;
    }
    return this.model.isFullBwNow;
  }

  private raiseSlope(view: CongestionView): void {
    const growth = 2 ** this.probeUpRounds;
    this.probeUpRounds = Math.min(this.probeUpRounds + 1, 30);
    this.probeUpAckedPerInc = Math.max(view.cwnd / growth, view.sndMss);
  }

  private probeUpward(view: CongestionView, sample: AckSample): void {
    if (!view.isCwndLimited || view.cwnd < this.inflightLongTerm) return;
    this.probeUpAcked += sample.deliveredBytes;
    if (this.probeUpAcked >= this.probeUpAckedPerInc) {
      const delta = Math.floor(this.probeUpAcked / this.probeUpAckedPerInc);
      this.probeUpAcked -= delta * this.probeUpAckedPerInc;
      this.inflightLongTerm += delta * view.sndMss;
    }
    if (this.model.isRoundStart) this.raiseSlope(view);
  }

  private handleInflightTooHigh(
    view: CongestionView,
    txInFlight: number,
    isAppLimited: boolean,
    nowUs: number,
  ): void {
    this.wasProbeTooHigh = true;
    this.isProbeSample = false; // once per probe
    if (!isAppLimited) {
      this.inflightLongTerm = Math.max(txInFlight, this.targetInflight(view) * BBR_BETA);
    }
    if (this.state === UP) {
      this.undoState = UP;
      this.startDown(nowUs);
    }
  }

  // ---- ProbeRTT and idling (§5.3.4, §5.4)

  private updateMinRtt(view: CongestionView, sample: AckSample): void {
    const isExpired = sample.nowUs > this.minRttStampUs + MIN_RTT_WINDOW_US;
    if (isExpired && this.state !== PROBE_RTT && !this.isIdleRestart) {
      // By the RTT that is about to be replaced, which the queue has not inflated.
      const least = MIN_PIPE_SEGMENTS * view.sndMss;
      this.probeRttCwnd = Math.max(this.bdp(CWND_GAIN[PROBE_RTT], this.model.bw), least);
      this.saveCwnd(view);
      this.state = PROBE_RTT;
      this.probeRttDoneUs = 0;
      this.ackPhase = ACKS_STOPPING;
      this.model.startRound(this.totalDelivered);
    }
    if (sample.rttUs >= 0 && (sample.rttUs < this.minRttUs || isExpired)) {
      this.minRttUs = Math.max(sample.rttUs, 1);
      this.minRttStampUs = sample.nowUs;
    }
  }

  private checkProbeRtt(view: CongestionView, nowUs: number): void {
    this.isIdleRestart = false;
    if (this.state !== PROBE_RTT) return;
    this.ignoreUntil = this.totalDelivered + view.pipe;
    if (this.probeRttDoneUs === 0) {
      if (view.pipe > this.probeRttCwnd) return;
      this.probeRttDoneUs = nowUs + PROBE_RTT_US;
      this.isProbeRttRoundDone = false;
      this.model.startRound(this.totalDelivered);
      return;
    }
    if (this.model.isRoundStart) this.isProbeRttRoundDone = true;
    if (this.isProbeRttRoundDone) this.checkProbeRttDone(view, nowUs);
  }

  private checkProbeRttDone(view: CongestionView, nowUs: number): void {
    if (this.probeRttDoneUs === 0 || nowUs <= this.probeRttDoneUs) return;
    this.minRttStampUs = nowUs;
    this.restoreCwnd(view);
    this.model.resetShortTerm();
    if (this.model.isFullBwReached) {
      this.startDown(nowUs);
      this.state = CRUISE;
    } else {
      this.state = STARTUP;
    }
  }

  private restartFromIdle(view: CongestionView, nowUs: number): void {
    this.isIdleRestart = true;
    this.model.restartAggregation(nowUs);
    if (this.isInProbeBw()) this.setPacingRate(view, 1);
    else if (this.state === PROBE_RTT) this.checkProbeRttDone(view, nowUs);
  }
}

/** Losses since a segment was sent passed 2 % of what was in flight with it. */
function isTooHigh(lost: number, txInFlight: number): boolean {
  return lost > txInFlight * BBR_LOSS_THRESH;
}
