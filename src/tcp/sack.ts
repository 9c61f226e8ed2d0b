import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { delivered } from "./delivered.ts";
import { lossOf } from "./recovery/queue.ts";
import { noteDsack, noteReordering } from "./recovery/rack.ts";
import type { Segment } from "./segment.ts";
import { EVER_RETRANSMITTED, LOST, RETRANSMITTED, SACKED } from "./sent-segments.ts";

/** The SACK option told something new. */
export const SACK_NEWS = 1;
/** It reported a duplicate (RFC 2883). */
export const SACK_DUPLICATE = 2;
/** It covers data never sent again: an original arrived (RFC 5682 §3.1). */
export const SACK_ORIGINAL = 4;

/**
 * Takes the SACK blocks of an ACK into the scoreboard (RFC 2018 §5, RFC 2883
 * §4) and marks the segments they cover. `priorFack` is the highest number known
 * to have arrived before this ACK: blocks come in any order, so that only what is
 * below it shows reordering (RFC 8985 §6.2 step 3). Only what is new in a block costs
 * anything, so that a long-known block is free.
 */
export function processSack(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  priorUna: number,
  priorFack: number,
): number {
  const options = seg.options;
  const loss = lossOf(c);
  let result = 0;
  for (let n = 0; n < options.sackCount; n++) {
    const start = options.sack[2 * n]!;
    const end = options.sack[2 * n + 1]!;
    if (!seqLt(start, end)) continue;
    if (n === 0 && isDuplicateReport(options.sack, options.sackCount, seg.ack)) {
      result |= SACK_DUPLICATE;
      env.counters.tcpDsackRecv++;
      duplicateReported(c, start, end, priorUna);
      continue;
    }
    if (seqLeq(end, c.sndUna) || seqGt(end, c.sndNxt)) continue;
    result |= addBlock(env, c, seqLt(start, c.sndUna) ? c.sndUna : start, end, priorFack);
  }
  if (loss.scoreboard.count > 0) loss.scoreboard.trim(c.sndUna);
  return result;
}

/** RFC 2883 §4: the first block lies below the ACK, or inside the second block. */
function isDuplicateReport(sack: Int32Array, count: number, ack: number): boolean {
  const start = sack[0]!;
  const end = sack[1]!;
  if (seqLt(start, ack)) return seqLeq(end, ack);
  return count > 1 && seqGeq(start, sack[2]!) && seqLeq(end, sack[3]!);
}

function duplicateReported(c: TcpConnection, start: number, end: number, priorUna: number): void {
  const loss = c.loss!;
  // A duplicate of what was acknowledged before this episode says nothing of it.
  if (loss.undoable && loss.undoRetransmits > 0 && seqGeq(start, loss.undoMarker)) {
    const segments = Math.max(1, Math.round(((end - start) | 0) / c.sndMss));
    loss.undoRetransmits = Math.max(0, loss.undoRetransmits - segments);
  }
  noteDsack(loss, priorUna, c.sndNxt);
}

function addBlock(
  env: TcpEnvironment,
  c: TcpConnection,
  start: number,
  end: number,
  priorFack: number,
): number {
  const loss = c.loss!;
  const board = loss.scoreboard;
  if (board.covers(start, end)) return 0;
  const sent = c.sent;
  let result = 0;
  if (sent !== undefined) {
    for (let i = sent.find(start); i < sent.end && seqLt(sent.start(i), end); i++) {
      const flags = sent.flags(i);
      if ((flags & SACKED) !== 0) continue;
      // Only whole segments count; the rest of a part comes with a later block.
      if (seqLt(sent.start(i), start) || seqGt(sent.endOf(i), end)) continue;
      const length = sent.length(i);
      if ((flags & RETRANSMITTED) !== 0) loss.retransmittedBytes -= length;
      if ((flags & LOST) !== 0) loss.lostBytes -= length;
      if ((flags & EVER_RETRANSMITTED) === 0) {
        // New data sent as a probe after the timeout proves nothing (RFC 5682 §3.1).
        if (seqLeq(sent.endOf(i), loss.highSeq)) result |= SACK_ORIGINAL;
        if (seqLt(sent.start(i), priorFack)) noteReordering(loss, sent.start(i), c.sndMss);
      }
      delivered(env, c, i, flags, length);
      sent.setFlags(i, (flags & ~(LOST | RETRANSMITTED)) | SACKED);
      sent.unlink(i);
      loss.sackedBytes += length;
      if (seqGt(sent.endOf(i), loss.fack)) loss.fack = sent.endOf(i);
      result |= SACK_NEWS;
    }
  }
  board.add(start, end, Number.POSITIVE_INFINITY);
  return result;
}
