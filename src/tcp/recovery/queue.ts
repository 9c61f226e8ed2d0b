import type { TcpConnection } from "../connection.ts";
import type { TcpEnvironment } from "../environment.ts";
import { APP_LIMITED, LOST, RETRANSMITTED, SACKED } from "../sent-segments.ts";
import { LossRecovery } from "./loss-recovery.ts";

/** The loss state of a connection, attached when it is first needed. */
export function lossOf(c: TcpConnection): LossRecovery {
  let loss = c.loss;
  if (loss === undefined) {
    loss = new LossRecovery();
    loss.fack = c.sndUna;
    loss.highSeq = c.sndUna;
    c.loss = loss;
  }
  return loss;
}

/** Declares a segment of the queue lost; it no longer counts as in flight. */
export function markLost(env: TcpEnvironment, c: TcpConnection, i: number): void {
  const loss = lossOf(c);
  const sent = c.sent!;
  const flags = sent.flags(i);
  if ((flags & SACKED) !== 0) return;
  const length = sent.length(i);
  if ((flags & RETRANSMITTED) !== 0) {
    loss.retransmittedBytes -= length;
    env.counters.tcpLostRetransmit++;
  }
  if ((flags & LOST) === 0) loss.lostBytes += length;
  else if ((flags & RETRANSMITTED) === 0) return;
  c.totalLost += length;
  env.sample.lostBytes += length;
  const rate = c.rate;
  if (rate !== undefined) {
    rate.onLost(length);
    c.controller?.onLost?.(
      c,
      length,
      sent.inFlight(i),
      (rate.lost - sent.lostBefore(i)) | 0,
      (flags & APP_LIMITED) !== 0,
      env.nowUs,
    );
  }
  sent.setFlags(i, (flags & ~RETRANSMITTED) | LOST);
  sent.unlink(i);
  if (i < loss.retransmitHint) loss.retransmitHint = i;
}

/** Takes every "lost" mark back: the reduction was spurious. */
export function unmarkLost(c: TcpConnection): void {
  const loss = c.loss!;
  const sent = c.sent;
  if (sent !== undefined) {
    for (let i = sent.end - 1; i >= sent.first; i--) {
      const flags = sent.flags(i);
      if ((flags & LOST) === 0) continue;
      sent.setFlags(i, flags & ~LOST);
      if ((flags & RETRANSMITTED) === 0) sent.relinkOldest(i);
    }
  }
  loss.lostBytes = 0;
}

/** Index of the next segment that waits to be sent again; -1: none. */
export function nextLost(c: TcpConnection): number {
  const loss = c.loss;
  const sent = c.sent;
  if (loss === undefined || sent === undefined || loss.lostBytes === 0) return -1;
  let i = Math.max(loss.retransmitHint, sent.first);
  for (; i < sent.end; i++) {
    const flags = sent.flags(i);
    if ((flags & (LOST | RETRANSMITTED | SACKED)) === LOST) {
      loss.retransmitHint = i;
      return i;
    }
  }
  loss.retransmitHint = i;
  return -1;
}
