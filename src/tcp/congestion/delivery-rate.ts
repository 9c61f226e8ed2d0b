import { FLOAT_ZERO } from "../../base/float.ts";
import type { AckSample } from "./controller.ts";

/**
 * Delivery rate estimation (draft-cheng-iccrg-delivery-rate-estimation, now
 * part of draft-ietf-ccwg-bbr §4.1). A leaf over numbers: the retransmission
 * queue keeps, for every segment sent or sent again, what these fields are
 * right after `onSend`:
 *
 *     delivered, deliveredUs, firstSentUs, isAppLimited, lost
 *
 * and the bytes in flight with it (`txInFlight`), and hands them back through
 * `onDelivered` when the segment is acknowledged or SACKed. For each ACK:
 * `begin`, `onDelivered` per segment, `finish`.
 */
export class DeliveryRate {
  /** Bytes delivered over the connection's life, and when it last grew. */
  delivered = FLOAT_ZERO;
  deliveredUs = FLOAT_ZERO;
  /** When the first segment of the flight that is being measured was sent. */
  firstSentUs = FLOAT_ZERO;
  /** Bytes marked lost over the connection's life. */
  lost = FLOAT_ZERO;
  /** Until this is delivered, samples are limited by the application; 0: they are not. */
  private appLimitedUntil = FLOAT_ZERO;

  private hasSample = false;
  private newestSentUs = FLOAT_ZERO;
  private priorDelivered = FLOAT_ZERO;
  private priorDeliveredUs = FLOAT_ZERO;
  private sendElapsedUs = FLOAT_ZERO;
  private sampleIsAppLimited = false;
  private sampleTxInFlight = 0;
  private sampleLost = FLOAT_ZERO;

  /** Segments sent now are limited by the application. */
  get isAppLimited(): boolean {
    return this.appLimitedUntil !== 0;
  }

  /** A segment is about to be sent; `pipe` without it. Afterwards keep this object's fields with the segment. */
  onSend(pipe: number, nowUs: number): void {
    if (pipe === 0) {
      this.firstSentUs = nowUs;
      this.deliveredUs = nowUs;
    }
  }

  /**
   * There was room in the window and nothing to send (draft §4.1.2.4): samples
   * of what is in flight now do not show what the path can carry.
   */
  markAppLimited(pipe: number): void {
    this.appLimitedUntil = Math.max(this.delivered + pipe, 1);
  }

  onLost(bytes: number): void {
    this.lost += bytes;
  }

  /** An ACK arrives. */
  begin(): void {
    this.hasSample = false;
  }

  /** One segment is newly acknowledged or SACKed; the rest is what was kept when it was sent (last). */
  onDelivered(
    bytes: number,
    nowUs: number,
    sentUs: number,
    delivered: number,
    deliveredUs: number,
    firstSentUs: number,
    isAppLimited: boolean,
    txInFlight: number,
    lost: number,
  ): void {
    this.delivered += bytes;
    this.deliveredUs = nowUs;
    // The sample is about the segment sent last: it spans the least time.
    if (this.hasSample && sentUs < this.newestSentUs) return;
    this.hasSample = true;
    this.newestSentUs = sentUs;
    this.priorDelivered = delivered;
    this.priorDeliveredUs = deliveredUs;
    this.sendElapsedUs = sentUs - firstSentUs;
    this.sampleIsAppLimited = isAppLimited;
    this.sampleTxInFlight = txInFlight;
    this.sampleLost = lost;
    this.firstSentUs = sentUs;
  }

  /** Fills the rate fields of `sample`. `minRttUs`: Infinity before the first RTT. */
  finish(sample: AckSample, minRttUs: number): void {
    if (this.appLimitedUntil !== 0 && this.delivered > this.appLimitedUntil) {
      this.appLimitedUntil = 0;
    }
    sample.totalDelivered = this.delivered;
    sample.totalLost = this.lost;
    sample.deliveryRate = -1;
    sample.intervalUs = 0;
    if (!this.hasSample) {
      sample.priorDelivered = this.delivered;
      sample.isAppLimited = false;
      sample.txInFlight = 0;
      sample.lostSinceSent = 0;
      return;
    }
    sample.priorDelivered = this.priorDelivered;
    sample.isAppLimited = this.sampleIsAppLimited;
    sample.txInFlight = this.sampleTxInFlight;
    sample.lostSinceSent = this.lost - this.sampleLost;
    // The slower of sending and acknowledging: compressed ACKs do not make the path faster.
    const ackElapsedUs = this.deliveredUs - this.priorDeliveredUs;
    const intervalUs = Math.max(this.sendElapsedUs, ackElapsedUs);
    // Shorter than any round trip: it cannot be this segment that was acknowledged.
    if (intervalUs <= 0 || (minRttUs !== Infinity && intervalUs < minRttUs)) return;
    sample.intervalUs = intervalUs;
    sample.deliveryRate = ((this.delivered - this.priorDelivered) * 1e6) / intervalUs;
  }
}
