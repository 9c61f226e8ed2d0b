/**
 * Proportional rate reduction (RFC 6937, RFC 9937): during fast recovery, how
 * much may be sent for each ACK so that the flight ends at ssthresh without a
 * burst and without a silence. A leaf over bytes; for each ACK of the recovery,
 * the one that starts it included:
 *
 *     cwnd = prr.onAck(deliveredBytes, pipe, lostBytes, sndUnaAdvanced, sndMss);
 *     ... send; for all data sent, new or again: prr.onSent(bytes)
 *
 * When recovery ends, cwnd = ssthresh.
 */
export class Prr {
  ssthresh = 0;
  /** Flight when recovery began, bytes. */
  recoverFs = 1;
  /** Bytes delivered and sent since recovery began. */
  prrDelivered = 0;
  prrOut = 0;
  /** Bytes that may still be sent by the last ACK. */
  sndcnt = 0;

  /**
   * Recovery begins. `recoverFs` by RFC 9937 §6.1: sndNxt - sndUna, less what
   * was SACKed before the ACK that starts recovery, plus what that ACK
   * acknowledges cumulatively.
   */
  start(recoverFs: number, ssthresh: number): void {
    this.recoverFs = Math.max(recoverFs, 1);
    this.ssthresh = ssthresh;
    this.prrDelivered = 0;
    this.prrOut = 0;
    this.sndcnt = 0;
  }

  /**
   * Answers the new cwnd. `pipe` counts what is in flight after this ACK's
   * SACKs and losses; `lostBytes` were found lost by this ACK (or by a timer:
   * then nothing is delivered). Without delivery what could be sent before
   * may still be sent.
   */
  onAck(
    deliveredBytes: number,
    pipe: number,
    lostBytes: number,
    sndUnaAdvanced: boolean,
    sndMss: number,
  ): number {
    if (deliveredBytes > 0) {
      this.prrDelivered += deliveredBytes;
      let sndcnt: number;
      if (pipe > this.ssthresh) {
        // Rounded up to whole segments, as the figures of RFC 6937 §3.1 count:
        // by bytes every send would wait for the ACK after.
        const share = (this.prrDelivered * this.ssthresh) / this.recoverFs;
        sndcnt = Math.ceil(share / sndMss) * sndMss - this.prrOut;
      } else {
        // Conservative bound (CRB); one segment more, as in slow start (SSRB),
        // when the ACK is safe: progress, and no new loss (RFC 9937 §6.2).
        sndcnt = Math.max(this.prrDelivered - this.prrOut, deliveredBytes);
        if (sndUnaAdvanced && lostBytes === 0) sndcnt += sndMss;
        sndcnt = Math.min(sndcnt, this.ssthresh - pipe);
      }
      this.sndcnt = Math.max(sndcnt, 0);
    }
    // The first retransmission is never held back, and a loss that a timer found
    // may be repaired: with nothing else in flight no ACK would come to allow it.
    const isFound = deliveredBytes <= 0 && lostBytes > 0;
    if ((this.prrOut === 0 || isFound) && this.sndcnt < sndMss) this.sndcnt = sndMss;
    return pipe + this.sndcnt;
  }

  /** Data was sent during recovery. */
  onSent(bytes: number): void {
    this.prrOut += bytes;
    this.sndcnt = Math.max(this.sndcnt - bytes, 0);
  }
}
