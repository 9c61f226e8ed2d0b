import { seqLt } from "../../base/sequence.ts";
import { LOST, RETRANSMITTED, SACKED, type SentSegments } from "../sent-segments.ts";
import type { LossRecovery } from "./loss-recovery.ts";
import type { LossSink } from "./rack.ts";

/**
 * IsLost of RFC 6675 §4, for stacks without RACK: a segment is lost when more
 * than (DupThresh - 1) * SMSS bytes above it were SACKed. What was sent again
 * is judged by the timeout alone.
 */
export function sackDetect(
  loss: LossRecovery,
  sent: SentSegments,
  sndMss: number,
  dupThresh: number,
  sink: LossSink,
): void {
  let above = loss.sackedBytes;
  const least = (dupThresh - 1) * sndMss;
  for (let i = sent.first; i < sent.end && above > least; i++) {
    const flags = sent.flags(i);
    if ((flags & SACKED) !== 0) above -= sent.length(i);
    else if ((flags & (LOST | RETRANSMITTED)) === 0 && seqLt(sent.start(i), loss.fack)) {
      sink.markLost(i);
    }
  }
}
