import { seqGt, seqLt } from "../../base/sequence.ts";
import type { SentSegments } from "../sent-segments.ts";
import { LOST, RETRANSMITTED } from "../sent-segments.ts";
import type { LossRecovery } from "./loss-recovery.ts";

/**
 * RACK (RFC 8985): a segment is lost when one that was sent sufficiently later
 * has been delivered. Functions over the recovery state and the retransmission
 * queue; times are microseconds.
 */

/** Step 2: a segment was delivered; keeps the most recently sent one. */
export function rackDelivered(
  loss: LossRecovery,
  sentUs: number,
  endSeq: number,
  wasRetransmitted: boolean,
  tsEcrBeforeRetransmit: boolean,
  nowUs: number,
  minRttUs: number,
): void {
  const rttUs = nowUs - sentUs;
  // An ACK of a retransmission that came sooner than any round trip, or that
  // echoes an older timestamp, acknowledges the original (step 2's condition).
  if (wasRetransmitted && (tsEcrBeforeRetransmit || rttUs < minRttUs)) return;
  loss.rackRttUs = rttUs;
  if (!loss.rackStarted || sentAfter(sentUs, endSeq, loss.rackXmitUs, loss.rackEndSeq)) {
    loss.rackXmitUs = sentUs;
    loss.rackEndSeq = endSeq;
    loss.rackStarted = true;
  }
}

/** RACK_sent_after */
function sentAfter(t1: number, seq1: number, t2: number, seq2: number): boolean {
  return t1 > t2 || (t1 === t2 && seqGt(seq1, seq2));
}

/**
 * Step 4: the reordering window. Zero while no reordering was ever seen and
 * enough segments are SACKed that waiting would only cost time.
 */
export function reorderingWindow(
  loss: LossRecovery,
  srttUs: number,
  minRttUs: number,
  inRecovery: boolean,
  sackedSegments: number,
  dupThresh: number,
): number {
  if (!loss.reorderingSeen && (inRecovery || sackedSegments >= dupThresh)) return 0;
  if (minRttUs === Number.POSITIVE_INFINITY) return 0;
  return Math.min((minRttUs / 4) * loss.reoWndMultiplier, srttUs);
}

/** Who is told of each segment found lost. */
export interface LossSink {
  markLost(i: number): void;
}

/**
 * Step 5: marks lost what was sent long enough before the most recently
 * delivered segment. Answers the time until the next one could be declared
 * lost, or 0.
 */
export function rackDetect(
  loss: LossRecovery,
  sent: SentSegments,
  windowUs: number,
  nowUs: number,
  sink: LossSink,
): number {
  if (!loss.rackStarted) return 0;
  let waitUs = 0;
  let next: number;
  for (let i = sent.firstByTime; i >= 0; i = next) {
    next = sent.nextByTime(i);
    const flags = sent.flags(i);
    if ((flags & LOST) !== 0 && (flags & RETRANSMITTED) === 0) continue;
    if (!sentAfter(loss.rackXmitUs, loss.rackEndSeq, sent.sentUs(i), sent.endOf(i))) break;
    const remaining = sent.sentUs(i) + loss.rackRttUs + windowUs - nowUs;
    if (remaining <= 0) sink.markLost(i);
    else if (remaining > waitUs) waitUs = remaining;
  }
  return waitUs;
}

/**
 * Step 4 of §6.2: an original transmission arrived after one with a higher
 * number: the path reorders.
 */
export function noteReordering(loss: LossRecovery, startSeq: number, sndMss: number): void {
  loss.reorderingSeen = true;
  const segments = Math.ceil(((loss.fack - startSeq) | 0) / sndMss);
  if (segments > loss.reordering) loss.reordering = Math.min(segments, 300);
}

/** §6.2 step 4: D-SACKs widen the window, once a round trip. */
export function noteDsack(loss: LossRecovery, sndUna: number, sndNxt: number): void {
  if (loss.dsackRoundValid && seqLt(sndUna, loss.dsackRound)) return;
  loss.dsackRound = sndNxt;
  loss.dsackRoundValid = true;
  loss.reoWndMultiplier = Math.min(loss.reoWndMultiplier + 1, 255);
  loss.reoWndPersist = 16;
}

/** §6.2 step 4: 16 recoveries without a D-SACK narrow it again. */
export function noteRecoveryDone(loss: LossRecovery): void {
  if (--loss.reoWndPersist > 0) return;
  loss.reoWndPersist = 16;
  loss.reoWndMultiplier = 1;
}
