import { seqGt, seqLt } from "../../base/sequence.ts";
import {
  CONGESTION_ECN,
  CONGESTION_LOSS,
  CONGESTION_TIMEOUT,
  INFINITE_SSTHRESH,
} from "../congestion/controller.ts";
import { attachController } from "../congestion-state.ts";
import {
  CA_CWR,
  CA_DISORDER,
  CA_LOSS,
  CA_OPEN,
  CA_RECOVERY,
  type TcpConnection,
} from "../connection.ts";
import type { TcpEnvironment } from "../environment.ts";
import type { Segment } from "../segment.ts";
import { SACKED } from "../sent-segments.ts";
import type { LossRecovery } from "./loss-recovery.ts";
import { lossOf, markLost, unmarkLost } from "./queue.ts";
import { noteRecoveryDone, reorderingWindow } from "./rack.ts";

/**
 * Episodes of congestion: how they begin (fast recovery, a timeout, an ECN
 * mark), how they end, and how one that proves needless is undone. One undo
 * serves Eifel (RFC 4015), D-SACK and F-RTO.
 */

function remember(c: TcpConnection, loss: LossRecovery): void {
  loss.priorCwnd = c.cwnd;
  loss.priorSsthresh = Math.max(
    c.ssthresh,
    c.cwnd < c.ssthresh ? c.ssthresh : (c.cwnd >> 1) + (c.cwnd >> 2),
  );
  loss.undoable = true;
  loss.undoMarker = c.sndUna;
  loss.undoRetransmits = 0;
  loss.hasRetransmitStamp = false;
}

/** cwnd goes down to the controller's ssthresh by proportional rate reduction. */
function beginReduction(env: TcpEnvironment, c: TcpConnection, kind: number): void {
  const loss = lossOf(c);
  const controller = attachController(env, c);
  loss.highSeq = c.sndNxt;
  loss.tlpActive = false;
  if (!controller.ownsWindow) c.ssthresh = controller.onCongestion(c, kind, env.nowUs);
  else controller.onCongestion(c, kind, env.nowUs);
  const flight = (c.sndNxt - c.sndUna) | 0;
  loss.prr.start(
    Math.max(flight - loss.sackedBytes + env.sample.deliveredBytes, c.sndMss),
    c.ssthresh,
  );
  c.cwrDue = c.ecnOn;
}

/** Fast recovery (RFC 5681 §3.2, RFC 6582, RFC 6675 §5). */
export function enterRecovery(env: TcpEnvironment, c: TcpConnection): void {
  const loss = lossOf(c);
  env.counters.tcpFastRetrans++;
  if (c.caState < CA_CWR) {
    remember(c, loss);
    beginReduction(env, c, CONGESTION_LOSS);
  } else {
    loss.undoMarker = c.sndUna;
    loss.undoRetransmits = 0;
    loss.highSeq = c.sndNxt;
  }
  c.caState = CA_RECOVERY;
}

/** An ECN echo, or a tail loss that the probe repaired: a reduction without anything to send again. */
export function enterCwr(env: TcpEnvironment, c: TcpConnection, kind = CONGESTION_ECN): void {
  if (c.caState >= CA_CWR) return;
  const loss = lossOf(c);
  loss.undoable = false;
  loss.priorSsthresh = 0;
  beginReduction(env, c, kind);
  c.caState = CA_CWR;
}

/** The retransmission timer expired (RFC 6298 §5, RFC 5681 §3.1, RFC 8985 §6.3). */
export function enterLoss(env: TcpEnvironment, c: TcpConnection): void {
  const loss = lossOf(c);
  const s = env.settings;
  const fresh = c.caState < CA_RECOVERY;
  // ssthresh is set once per window: not again while what was sent before the last reduction is being repaired.
  if (
    c.caState <= CA_DISORDER ||
    !seqGt(loss.highSeq, c.sndUna) ||
    (c.caState === CA_LOSS && c.retransmits === 0)
  ) {
    remember(c, loss);
    const controller = attachController(env, c);
    const ssthresh = controller.onCongestion(c, CONGESTION_TIMEOUT, env.nowUs);
    if (!controller.ownsWindow) c.ssthresh = ssthresh;
  }
  markAllLost(env, c, loss);
  c.cwnd = c.pipe + c.sndMss;
  env.tracer?.congestion(env.nowUs, c, c.caState, CA_LOSS);
  c.caState = CA_LOSS;
  loss.highSeq = c.sndNxt;
  loss.tlpActive = false;
  loss.dupAcks = 0;
  c.cwrDue = c.ecnOn;
  loss.frto = s.frto && (fresh || c.retransmits > 0);
}

/** RFC 8985 §6.3: the first segment, and all whose own time is over; reneged SACKs count for nothing. */
function markAllLost(env: TcpEnvironment, c: TcpConnection, loss: LossRecovery): void {
  const sent = c.sent;
  if (sent === undefined) return;
  const first = sent.first;
  const reneged = (sent.flags(first) & SACKED) !== 0;
  if (reneged) {
    env.counters.tcpSackReneging++;
    forgetSacks(c, loss);
  }
  if (!c.sackOn) loss.sackedBytes = 0;
  const useRack = c.sackOn && env.settings.rack && loss.rackStarted;
  const windowUs = reorderingWindow(loss, c.srttUs, c.minRttUs, true, 0, env.settings.dupThresh);
  for (let i = first; i < sent.end; i++) {
    if (
      useRack &&
      !reneged &&
      i !== first &&
      sent.sentUs(i) + loss.rackRttUs + windowUs - env.nowUs > 0
    ) {
      continue;
    }
    markLost(env, c, i);
  }
  loss.retransmitHint = first;
}

/** The receiver dropped what it had SACKed (RFC 2018 §8). */
function forgetSacks(c: TcpConnection, loss: LossRecovery): void {
  const sent = c.sent!;
  for (let i = sent.end - 1; i >= sent.first; i--) {
    const flags = sent.flags(i);
    if ((flags & SACKED) === 0) continue;
    sent.setFlags(i, flags & ~SACKED);
    sent.relinkOldest(i);
  }
  loss.scoreboard.clear();
  loss.sackedBytes = 0;
}

/** The reduction is over: cwnd is what it was reduced to. */
function endReduction(env: TcpEnvironment, c: TcpConnection): void {
  const controller = c.controller;
  if (controller !== undefined && !controller.ownsWindow && c.ssthresh < INFINITE_SSTHRESH) {
    c.cwnd = c.ssthresh;
  }
  controller?.onRecoveryExit?.(c, env.nowUs);
}

/** ACKs that acknowledge only originals prove the episode needless (RFC 3522, RFC 4015 §3.1). */
export function isOriginalAcknowledged(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
): boolean {
  const loss = c.loss!;
  return (
    env.settings.eifel &&
    c.timestampsOn &&
    loss.hasRetransmitStamp &&
    seg.options.hasTimestamps &&
    seqLt(seg.options.tsEcr, loss.retransmitStamp)
  );
}

function undo(env: TcpEnvironment, c: TcpConnection, takeMarksBack: boolean): void {
  const loss = c.loss!;
  if (takeMarksBack) unmarkLost(c);
  if (loss.undoable) {
    c.cwnd = Math.max(c.cwnd, loss.priorCwnd);
    if (loss.priorSsthresh > c.ssthresh) c.ssthresh = loss.priorSsthresh;
    c.cwrDue = false;
    c.controller?.onSpurious?.(c, env.nowUs);
  }
  loss.undoable = false;
  c.retransmits = 0;
}

function mayUndo(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  const loss = c.loss!;
  return loss.undoable && (loss.undoRetransmits === 0 || isOriginalAcknowledged(env, c, seg));
}

/** At the end of an episode. True: stay in it for now (NewReno without SACK holds the state until something above RecoveryPoint is acknowledged: RFC 6582 §3.2's second heuristic). */
export function tryUndoRecovery(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  const loss = c.loss!;
  if (mayUndo(env, c, seg)) {
    if (c.caState === CA_LOSS) env.counters.tcpSpuriousRtos++;
    else env.counters.tcpFullUndo++;
    undo(env, c, false);
  }
  if (c.sndUna === loss.highSeq && !c.sackOn) return true;
  if (c.caState === CA_LOSS) c.controller?.onRecoveryExit?.(c, env.nowUs);
  settle(c);
  return false;
}

/** D-SACK reported every retransmission of the episode as needless. */
export function tryUndoDsack(env: TcpEnvironment, c: TcpConnection): boolean {
  const loss = c.loss!;
  if (!loss.undoable || loss.undoRetransmits !== 0 || !loss.hasRetransmitStamp) return false;
  env.counters.tcpDsackUndo++;
  undo(env, c, false);
  return true;
}

/** A partial ACK in fast recovery that was caused by an original: only reordering. */
export function tryUndoPartial(env: TcpEnvironment, c: TcpConnection, seg: Segment): boolean {
  const loss = c.loss!;
  if (!loss.undoable || !isOriginalAcknowledged(env, c, seg)) return false;
  if (loss.retransmittedBytes > 0) return true;
  env.counters.tcpFullUndo++;
  undo(env, c, true);
  c.caState = loss.sackedBytes > 0 ? CA_DISORDER : CA_OPEN;
  return true;
}

/** After a timeout: F-RTO or Eifel say that it was spurious. */
export function tryUndoLoss(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  byFrto: boolean,
): boolean {
  if (!byFrto && !mayUndo(env, c, seg)) return false;
  env.counters.tcpSpuriousRtos++;
  undo(env, c, true);
  c.loss!.frto = false;
  if (byFrto || c.sackOn) settle(c);
  return true;
}

function settle(c: TcpConnection): void {
  const loss = c.loss!;
  c.caState = loss.sackedBytes > 0 ? CA_DISORDER : CA_OPEN;
}

/** Everything up to RecoveryPoint is acknowledged. */
export function endEpisode(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const loss = c.loss!;
  switch (c.caState) {
    case CA_CWR:
      // Held until something above is acknowledged, so that one window reduces once.
      if (c.sndUna !== loss.highSeq || c.sent === undefined) {
        endReduction(env, c);
        settle(c);
      }
      break;
    case CA_RECOVERY: {
      if (!c.sackOn) {
        loss.dupAcks = 0;
        loss.sackedBytes = 0;
      }
      if (tryUndoRecovery(env, c, seg)) return;
      // An undone reduction has its window back already; one that stands may
      // still be undone by a D-SACK that comes late.
      if (loss.undoable) endReduction(env, c);
      noteRecoveryDone(loss);
      break;
    }
    default:
      break;
  }
}

/** A segment of the episode is about to be sent again. */
export function noteRetransmission(env: TcpEnvironment, c: TcpConnection, tsVal: number): void {
  const loss = c.loss!;
  if (!loss.hasRetransmitStamp) {
    loss.hasRetransmitStamp = true;
    loss.retransmitStamp = tsVal;
  }
  loss.undoRetransmits++;
  env.counters.tcpRetransSegs++;
  c.totalRetransmits++;
}
