import { WindowedMax } from "../../base/windowed-filter.ts";
import type { AckSample } from "./controller.ts";

/** Part of the window that losses may take before inflight counts as too high: 2 %. */
export const BBR_LOSS_THRESH = 0.02;
/** What a cut leaves of the short-term bounds. */
export const BBR_BETA = 0.7;
/** Growth of bandwidth that shows the pipe is not full yet, and how many rounds may pass without it. */
const FULL_BW_GROWTH = 1.25;
const FULL_BW_ROUNDS = 3;
/** Rounds over which aggregation is remembered. */
const EXTRA_ACKED_ROUNDS = 10;

/**
 * BBR's model of the path: bandwidth (maximum of two probing cycles), what was
 * delivered of late, the short-term bounds that losses set, aggregation, and
 * whether the pipe is full. Bytes and bytes per second. Sections are those of
 * draft-ietf-ccwg-bbr.
 */
export class BbrModel {
  /** Estimated maximum bandwidth. */
  maxBw = 0;
  /** The same, bounded by short-term losses: what the controls are computed from. */
  bw = 0;
  private previousCycleBw = 0;
  private thisCycleBw = 0;

  /** Bounds by losses outside of probing; Infinity: none. */
  bwShortTerm = Infinity;
  inflightShortTerm = Infinity;
  /** Of the last round trip. */
  bwLatest = 0;
  inflightLatest = 0;
  isLossInRound = false;
  isLossRoundStart = false;
  private lossRoundDelivered = 0;
  /** ACKs of this round that brought losses. */
  lossEvents = 0;

  /** Packet-timed rounds. */
  roundCount = 0;
  isRoundStart = false;
  private nextRoundDelivered = 0;

  fullBw = 0;
  private fullBwCount = 0;
  isFullBwNow = false;
  isFullBwReached = false;

  extraAcked = 0;
  private readonly extraAckedMax = new WindowedMax();
  private extraAckedStartUs = 0;
  private extraAckedDelivered = 0;

  constructor(nowUs: number) {
    this.extraAckedStartUs = nowUs;
  }

  /** Starts a round: it ends when something sent from now on is delivered. */
  startRound(totalDelivered: number): void {
    this.nextRoundDelivered = totalDelivered;
  }

  /** "Near start of ACK processing": latest signals, rounds, maximum bandwidth. */
  observe(sample: AckSample, rate: number, isAppLimited: boolean): void {
    this.isLossRoundStart = false;
    this.bwLatest = Math.max(this.bwLatest, rate);
    this.inflightLatest = Math.max(this.inflightLatest, deliveredOf(sample));
    if (sample.priorDelivered >= this.lossRoundDelivered) {
      this.lossRoundDelivered = sample.totalDelivered;
      this.isLossRoundStart = true;
    }
    this.isRoundStart = sample.priorDelivered >= this.nextRoundDelivered;
    if (this.isRoundStart) {
      this.startRound(sample.totalDelivered);
      this.roundCount++;
    }
    if (rate > 0 && (rate >= this.maxBw || !isAppLimited)) {
      this.thisCycleBw = Math.max(this.thisCycleBw, rate);
      this.maxBw = Math.max(this.previousCycleBw, this.thisCycleBw);
    }
  }

  /** End of a round with losses, while not probing: adapt to what was delivered. */
  adaptToLoss(cwnd: number): void {
    if (this.bwShortTerm === Infinity) this.bwShortTerm = this.maxBw;
    if (this.inflightShortTerm === Infinity) this.inflightShortTerm = cwnd;
    this.bwShortTerm = Math.max(this.bwLatest, BBR_BETA * this.bwShortTerm);
    this.inflightShortTerm = Math.max(this.inflightLatest, BBR_BETA * this.inflightShortTerm);
  }

  /** "Near end of ACK processing". */
  advance(sample: AckSample, rate: number): void {
    if (this.isLossRoundStart) {
      this.bwLatest = Math.max(rate, 0);
      this.inflightLatest = deliveredOf(sample);
    }
    this.bw = Math.min(this.maxBw, this.bwShortTerm);
  }

  /** A loss: answers whether it is the first of this round. */
  noteLoss(totalDelivered: number): boolean {
    const isFirst = !this.isLossInRound;
    if (isFirst) this.lossRoundDelivered = totalDelivered;
    this.isLossInRound = true;
    return isFirst;
  }

  /** A probing cycle is over: samples before the last one are forgotten (unless nothing was measured since). */
  advanceMaxBw(): void {
    if (this.thisCycleBw === 0) return;
    this.previousCycleBw = this.thisCycleBw;
    this.thisCycleBw = 0;
    this.maxBw = this.previousCycleBw;
  }

  resetShortTerm(): void {
    this.bwShortTerm = Infinity;
    this.inflightShortTerm = Infinity;
  }

  resetCongestionSignals(): void {
    this.isLossInRound = false;
    this.bwLatest = 0;
    this.inflightLatest = 0;
  }

  resetFullBw(fullBw = 0): void {
    this.fullBw = fullBw;
    this.fullBwCount = 0;
    this.isFullBwNow = false;
  }

  /** Three rounds of probing without a quarter more bandwidth: the pipe is full. */
  checkFullBw(rate: number, isAppLimited: boolean): void {
    if (this.isFullBwNow || !this.isRoundStart || isAppLimited || rate <= 0) return;
    if (rate >= this.fullBw * FULL_BW_GROWTH) {
      this.resetFullBw(rate);
      return;
    }
    this.isFullBwNow = ++this.fullBwCount >= FULL_BW_ROUNDS;
    if (this.isFullBwNow) this.isFullBwReached = true;
  }

  /** How much more than bandwidth explains was acknowledged at once: bursts of ACKs need a larger window. */
  updateAggregation(deliveredBytes: number, cwnd: number, nowUs: number): void {
    let expected = (this.bw * (nowUs - this.extraAckedStartUs)) / 1e6;
    if (this.extraAckedDelivered <= expected) {
      this.extraAckedDelivered = 0;
      this.extraAckedStartUs = nowUs;
      expected = 0;
    }
    this.extraAckedDelivered += deliveredBytes;
    const extra = Math.min(this.extraAckedDelivered - expected, cwnd);
    const window = this.isFullBwReached ? EXTRA_ACKED_ROUNDS : 1;
    this.extraAcked = this.extraAckedMax.update(extra, this.roundCount, window);
  }

  restartAggregation(nowUs: number): void {
    this.extraAckedStartUs = nowUs;
    this.extraAckedDelivered = 0;
  }
}

/** Bytes delivered between the sending and the acknowledgment of the sampled segment. */
function deliveredOf(sample: AckSample): number {
  return sample.totalDelivered - sample.priorDelivered;
}
