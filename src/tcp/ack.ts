import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";
import { ECE, SYN, FIN } from "../wire/tcp.ts";
import { attachController } from "./congestion-state.ts";
import {
  CA_CWR,
  CA_DISORDER,
  CA_LOSS,
  CA_OPEN,
  CA_RECOVERY,
  TCP_EVENT_DRAINED,
  TCP_EVENT_WRITABLE,
  type TcpConnection,
} from "./connection.ts";
import { delivered } from "./delivered.ts";
import type { TcpEnvironment } from "./environment.ts";
import {
  endEpisode,
  enterCwr,
  enterRecovery,
  tryUndoDsack,
  tryUndoLoss,
  tryUndoPartial,
  tryUndoRecovery,
} from "./recovery/episodes.ts";
import { CONGESTION_LOSS } from "./congestion/controller.ts";
import { probeArrived, probeLost } from "./path-mtu.ts";
import { lossOf, markLost, nextLost } from "./recovery/queue.ts";
import { sackDetect } from "./recovery/sack-loss.ts";
import { noteReordering, rackDetect, reorderingWindow } from "./recovery/rack.ts";
import { growSendBuffer } from "./send-tuning.ts";
import { armRetransmission, armReorderTimer } from "./retransmission-timer.ts";
import { undoBackoff, sampleRtt } from "./rtt.ts";
import { processSack, SACK_DUPLICATE, SACK_NEWS, SACK_ORIGINAL } from "./sack.ts";
import type { Segment } from "./segment.ts";
import { EVER_RETRANSMITTED, LOST, MTU_PROBE, RETRANSMITTED, SACKED } from "./sent-segments.ts";
import { timestampNow } from "./timestamps.ts";

/**
 * ESTABLISHED and later, fifth: check the ACK field (RFC 9293 §3.10.7.4), for
 * an ACK with SND.UNA =< SEG.ACK =< SND.NXT: the retransmission queue, the
 * window, the round-trip time, loss detection and congestion control.
 */
export function processAck(env: TcpEnvironment, c: TcpConnection, seg: Segment): void {
  const sample = env.sample;
  const priorUna = c.sndUna;
  const priorPipe = c.pipe;
  const priorWnd = c.sndWnd;
  const advanced = seqGt(seg.ack, priorUna);
  resetSample(env, c, priorPipe);

  let sacked = 0;
  // What this same ACK SACKs did not arrive before what it acknowledges.
  const priorFack = c.loss === undefined ? priorUna : c.loss.fack;
  if (seg.options.sackCount > 0 && c.sackOn) sacked = processSack(env, c, seg, priorUna, priorFack);
  if (advanced) acknowledge(env, c, seg.ack, priorFack);
  const windowChanged = updateSendWindow(c, seg) && c.sndWnd !== priorWnd;

  c.deliveredSegments += sample.deliveredSegments;

  // A D-SACK says that a duplicate drew this ACK: its timestamp, and the time since the
  // originals were sent, tell how long their lost ACK was missed, timeouts included.
  const drawnByDuplicate = (sacked & SACK_DUPLICATE) !== 0;
  if (sample.deliveredBytes > 0 && !drawnByDuplicate) measureRtt(env, c, seg, advanced);
  if (advanced) {
    c.retransmits = 0;
    // Karn: the backed-off timeout stays until a sample (RFC 6298 §5), unless the timeout was needless.
    if (drawnByDuplicate && c.rtoBackoff > 0) undoBackoff(c, env.rto);
  }
  // Any answer shows that the peer lives (MUST-37); the backoff ends with an open window.
  c.probesOut = 0;
  if (c.sndWnd > 0) c.probeRounds = 0;

  // RFC 5681 §2's definition of a duplicate ACK.
  const isDuplicate =
    !advanced &&
    seg.length === 0 &&
    (seg.flags & (SYN | FIN)) === 0 &&
    !windowChanged &&
    c.sent !== undefined;
  const echo = c.ecnOn && (seg.flags & ECE) !== 0;
  if (echo) sample.ceBytes = sample.deliveredBytes;

  if (env.progress.probeArrived) probeArrived(env, c);
  const loss = c.loss;
  if (loss !== undefined && loss.tlpActive) probeAnswered(env, c, seg, advanced, sacked);
  if (
    c.caState !== CA_OPEN ||
    echo ||
    (sacked & (SACK_NEWS | SACK_DUPLICATE)) !== 0 ||
    (loss !== undefined && loss.sackedBytes > 0) ||
    (isDuplicate && !c.sackOn)
  ) {
    respond(env, c, seg, advanced, isDuplicate, sacked, echo);
  }
  if (sample.deliveredBytes > 0) control(env, c);

  if (advanced) {
    env.ip.confirm(c.path!);
    if (c.sent === undefined && c.loss !== undefined) tidyLoss(c);
    afterAdvance(env, c);
  } else if (windowChanged || sacked !== 0) {
    armRetransmission(env, c, false);
  }
  env.wantOutput(c);
}

/** SND.UNA has moved: timer, buffer, the writer, and what may be sent now. */
export function afterAdvance(env: TcpEnvironment, c: TcpConnection): void {
  // MSG_MORE holds back while nothing else moves: what an ACK lets go is not held (Linux).
  c.moreComing = false;
  armRetransmission(env, c, true);
  growSendBuffer(env, c);
  tellSender(env, c);
  env.ip.confirm(c.path!);
  env.wantOutput(c);
}

/** Wakes a writer that found the buffer full once a third of it is free (Linux's rule), and one that waits for the end of all. */
function tellSender(env: TcpEnvironment, c: TcpConnection): void {
  if (c.sendBlocked && ((c.sndEnd - c.sndUna) | 0) * 3 <= c.sndBufSize * 2) {
    c.sendBlocked = false;
    env.notify(c, TCP_EVENT_WRITABLE);
  }
  if (c.sent === undefined && c.unsentBytes <= 0) env.notify(c, TCP_EVENT_DRAINED);
}

function resetSample(env: TcpEnvironment, c: TcpConnection, priorPipe: number): void {
  const sample = env.sample;
  sample.nowUs = env.nowUs;
  sample.ackedBytes = 0;
  sample.deliveredBytes = 0;
  sample.deliveredSegments = 0;
  sample.lostBytes = 0;
  sample.rttUs = -1;
  sample.priorPipe = priorPipe;
  sample.ceBytes = 0;
  env.progress.firstAckedSentUs = -1;
  env.progress.lastAckedSentUs = -1;
  env.progress.originalAcked = false;
  env.progress.retransmittedAcked = false;
  env.progress.probeArrived = false;
  env.progress.resentUs = -1;
  c.rate?.begin();
}

/** Removes what is acknowledged from the retransmission queue and the send buffer. */
function acknowledge(env: TcpEnvironment, c: TcpConnection, ack: number, priorFack: number): void {
  const sent = c.sent;
  const loss = c.loss;
  const priorUna = c.sndUna;
  if (sent !== undefined) {
    while (sent.count > 0) {
      const i = sent.first;
      const end = sent.endOf(i);
      if (seqGt(end, ack)) {
        if (seqLt(sent.start(i), ack)) acknowledgePart(env, c, i, ack);
        break;
      }
      const flags = sent.flags(i);
      const length = sent.length(i);
      if ((flags & SACKED) !== 0) {
        loss!.sackedBytes -= length;
      } else {
        if ((flags & LOST) !== 0) loss!.lostBytes -= length;
        if ((flags & RETRANSMITTED) !== 0) loss!.retransmittedBytes -= length;
        if ((flags & EVER_RETRANSMITTED) === 0) {
          env.progress.lastAckedSentUs = sent.sentUs(i);
          if (env.progress.firstAckedSentUs < 0)
            env.progress.firstAckedSentUs = env.progress.lastAckedSentUs;
          if (loss !== undefined && seqLeq(end, loss.highSeq)) env.progress.originalAcked = true;
          if (loss !== undefined && seqLt(sent.start(i), priorFack)) {
            noteReordering(loss, sent.start(i), c.sndMss);
          }
        } else {
          env.progress.retransmittedAcked = true;
          env.progress.resentUs = Math.max(env.progress.resentUs, sent.sentUs(i));
        }
        delivered(env, c, i, flags, length);
      }
      sent.shift();
    }
    if (sent.count === 0) {
      c.sent = undefined;
      env.giveSentSegments(sent);
      if (loss !== undefined) loss.retransmitHint = 0;
    }
  }
  const acked = (ack - priorUna) | 0;
  env.sample.ackedBytes = acked;
  c.bytesAcked += acked;
  c.sndUna = ack;
  // The FIN has a number but no byte in the buffer.
  const from = seqGt(priorUna, c.sndEnd) ? c.sndEnd : priorUna;
  const to = seqGt(ack, c.sndEnd) ? c.sndEnd : ack;
  c.sndBuf.advance(env.memory, from, to, c.sndEnd);
  if (c.urgentOut && seqGeq(ack, c.sndUp)) c.urgentOut = false;
  if (loss !== undefined) {
    if (seqGt(ack, loss.fack)) loss.fack = ack;
    loss.scoreboard.trim(ack);
    if (!c.sackOn) renoAcknowledged(c, acked);
  }
}

/** Part of a segment was acknowledged: the rest stays as it was. */
function acknowledgePart(env: TcpEnvironment, c: TcpConnection, i: number, ack: number): void {
  const sent = c.sent!;
  const flags = sent.flags(i);
  const part = (ack - sent.start(i)) | 0;
  if ((flags & SACKED) !== 0) c.loss!.sackedBytes -= part;
  else {
    if ((flags & LOST) !== 0) c.loss!.lostBytes -= part;
    if ((flags & RETRANSMITTED) !== 0) c.loss!.retransmittedBytes -= part;
    env.sample.deliveredBytes += part;
    if (c.rate !== undefined) c.rate.delivered += part;
  }
  sent.trimFirst(ack);
}

/** Without SACK each duplicate ACK stood for one segment that had left the network. */
function renoAcknowledged(c: TcpConnection, acked: number): void {
  const loss = c.loss!;
  if (loss.dupAcks === 0) return;
  if (c.caState < CA_RECOVERY) {
    // RFC 5681 §2: duplicates count for one ACK number; a new one begins anew.
    loss.dupAcks = 0;
    loss.sackedBytes = 0;
    return;
  }
  // One of the acknowledged segments filled the gap; the others were counted before.
  const counted = Math.max(0, Math.ceil(acked / c.sndMss) - 1);
  loss.dupAcks = Math.max(0, loss.dupAcks - counted);
  renoSacked(c);
}

function renoSacked(c: TcpConnection): void {
  const loss = c.loss!;
  const flight = (c.sndNxt - c.sndUna) | 0;
  loss.sackedBytes = Math.max(0, Math.min(loss.dupAcks * c.sndMss, flight - c.sndMss));
}

/** SND.WND from an acceptable ACK (RFC 9293 §3.10.7.4, MUST-67 and following). True: this segment is the newest word. */
export function updateSendWindow(c: TcpConnection, seg: Segment): boolean {
  if (!seqLt(c.sndWl1, seg.seq) && !(c.sndWl1 === seg.seq && seqLeq(c.sndWl2, seg.ack))) {
    return false;
  }
  c.sndWl1 = seg.seq;
  c.sndWl2 = seg.ack;
  c.sndWnd = (seg.flags & SYN) !== 0 ? seg.rawWindow : seg.rawWindow << c.sndWscale;
  if (c.sndWnd > c.sndMaxWnd) c.sndMaxWnd = c.sndWnd;
  return true;
}

/** RFC 6298 §4: from segments never sent again (Karn), else from the timestamp. */
function measureRtt(env: TcpEnvironment, c: TcpConnection, seg: Segment, advanced: boolean): void {
  let rttUs = -1;
  if (env.progress.firstAckedSentUs >= 0 && !env.progress.retransmittedAcked)
    rttUs = env.nowUs - env.progress.firstAckedSentUs;
  else if (advanced && c.timestampsOn && seg.options.hasTimestamps && seg.options.tsEcr !== 0) {
    rttUs = timestampRtt(env, c, seg);
  }
  if (rttUs < 0) return;
  takeRttSample(env, c, rttUs);
  env.sample.rttUs =
    env.progress.lastAckedSentUs >= 0 ? env.nowUs - env.progress.lastAckedSentUs : rttUs;
}

/** From the echoed timestamp (RFC 7323 §4.1); -1: it says nothing. */
function timestampRtt(env: TcpEnvironment, c: TcpConnection, seg: Segment): number {
  const now = timestampNow(c, env.nowUs);
  const ms = (now - seg.options.tsEcr) | 0;
  if (ms < 0 || ms > 0x7fffffff / 1000) return -1;
  const rttUs = Math.max(1, ms) * 1000;
  // An echo from before the last retransmission: either the original's ACK was
  // late, or all ACKs were lost and a duplicate drew this one, with the
  // timestamp of long ago. The second would let the timeout feed on itself, and
  // after the first segments that were sent once will tell.
  const sinceResentMs = Math.floor((env.nowUs - env.progress.resentUs) / 1000);
  return env.progress.resentUs >= 0 && ms > sinceResentMs + 1 ? -1 : rttUs;
}

export function takeRttSample(env: TcpEnvironment, c: TcpConnection, rttUs: number): void {
  sampleRtt(c, env.rto, rttUs, c.sndUna, c.sndNxt);
  if (rttUs <= c.minRttUs || env.nowUs - c.minRttAtUs > MIN_RTT_WINDOW_US) {
    c.minRttUs = Math.max(rttUs, 1);
    c.minRttAtUs = env.nowUs;
  }
}

const MIN_RTT_WINDOW_US = 300_000_000;

/** Anything but the plain case: loss suspected, an episode under way, a mark, a duplicate. */
function respond(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  advanced: boolean,
  isDuplicate: boolean,
  sacked: number,
  echo: boolean,
): void {
  const loss = lossOf(c);
  const before = c.caState;
  if (!c.sackOn && isDuplicate) {
    loss.dupAcks++;
    env.sample.deliveredBytes += c.sndMss;
    renoSacked(c);
  }
  if (echo && c.caState < CA_CWR && c.controller?.usesExactEcn !== true) enterCwr(env, c);

  if (c.caState >= CA_CWR && c.caState !== CA_LOSS && seqGeq(c.sndUna, loss.highSeq)) {
    endEpisode(env, c, seg);
  }
  switch (c.caState) {
    case CA_RECOVERY:
      if (advanced) {
        if (tryUndoPartial(env, c, seg)) break;
        // RFC 6582 §3.2 step 3: a partial ACK names the next hole.
        if (!c.sackOn && c.sent !== undefined) markLost(env, c, c.sent.first);
      }
      detect(env, c);
      break;
    case CA_LOSS:
      inLoss(env, c, seg, advanced, isDuplicate, sacked);
      if (c.sent !== undefined) detect(env, c);
      break;
    default:
      if (c.caState <= CA_DISORDER) tryUndoDsack(env, c);
      if (c.sent !== undefined) detect(env, c);
      if (loss.lostBytes > 0 && !isOnlyProbeLost(env, c)) enterRecovery(env, c);
      else if (c.caState <= CA_DISORDER) {
        c.caState = loss.sackedBytes > 0 ? CA_DISORDER : CA_OPEN;
      }
  }
  if (c.caState !== before) env.tracer?.congestion(env.nowUs, c, before, c.caState);
  const controller = c.controller;
  if (
    (c.caState === CA_RECOVERY || c.caState === CA_CWR) &&
    controller !== undefined &&
    !controller.ownsWindow &&
    env.settings.prr
  ) {
    c.cwnd = loss.prr.onAck(
      env.sample.deliveredBytes,
      c.pipe,
      env.sample.lostBytes,
      advanced,
      c.sndMss,
    );
  }
}

/** What is missing is the MTU probe alone: its size was the reason, not congestion. */
function isOnlyProbeLost(env: TcpEnvironment, c: TcpConnection): boolean {
  if (c.mtuSearch === undefined || c.mtuSearch.probe === 0) return false;
  const i = nextLost(c);
  const sent = c.sent!;
  if (i < 0 || (sent.flags(i) & MTU_PROBE) === 0) return false;
  if (c.loss!.lostBytes !== sent.length(i)) return false;
  sent.setFlags(i, sent.flags(i) & ~MTU_PROBE);
  probeLost(env, c);
  return true;
}

/** Marks what is lost: with SACK by RACK (RFC 8985) or RFC 6675's count, without by duplicate ACKs (RFC 5681). */
function detect(env: TcpEnvironment, c: TcpConnection): void {
  const loss = c.loss!;
  const s = env.settings;
  const sent = c.sent;
  if (sent === undefined) return;
  if (!c.sackOn) {
    if (loss.dupAcks >= s.dupThresh && c.caState <= CA_CWR) markLost(env, c, sent.first);
    return;
  }
  if (!s.rack) {
    sackDetect(loss, sent, c.sndMss, s.dupThresh, lostSink(env, c));
    return;
  }
  const windowUs = reorderingWindow(
    loss,
    c.srttUs,
    c.minRttUs,
    c.caState >= CA_RECOVERY,
    Math.ceil(loss.sackedBytes / c.sndMss),
    s.dupThresh,
  );
  const waitUs = rackDetect(loss, sent, windowUs, env.nowUs, lostSink(env, c));
  if (waitUs > 0) armReorderTimer(env, c, waitUs);
}

/** The reordering timer fired (RFC 8985 §6.3). */
export function reorderTimeout(env: TcpEnvironment, c: TcpConnection): void {
  if (c.sent === undefined) return;
  resetSample(env, c, c.pipe);
  const before = c.pipe;
  detect(env, c);
  if (c.pipe === before) return;
  if (c.caState < CA_RECOVERY) {
    enterRecovery(env, c);
    if (c.controller?.ownsWindow !== true) {
      c.cwnd = c.loss!.prr.onAck(0, c.pipe, env.sample.lostBytes, false, c.sndMss);
    }
  } else if (c.caState === CA_RECOVERY && c.controller?.ownsWindow !== true) {
    c.cwnd = c.loss!.prr.onAck(0, c.pipe, env.sample.lostBytes, false, c.sndMss);
  }
  env.wantOutput(c);
}

const sink = {
  env: undefined as unknown as TcpEnvironment,
  c: undefined as unknown as TcpConnection,
  markLost(i: number): void {
    markLost(this.env, this.c, i);
  },
};

function lostSink(env: TcpEnvironment, c: TcpConnection): typeof sink {
  sink.env = env;
  sink.c = c;
  return sink;
}

/** In RTO recovery: F-RTO (RFC 5682 §3.1, the SACK-enhanced form) and the way out. */
function inLoss(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  advanced: boolean,
  isDuplicate: boolean,
  sacked: number,
): void {
  const loss = c.loss!;
  if (advanced && tryUndoLoss(env, c, seg, false)) return;
  if (loss.frto) {
    // Step 3b: something never sent again has arrived: the timeout was spurious.
    if (
      ((sacked & SACK_ORIGINAL) !== 0 || env.progress.originalAcked) &&
      tryUndoLoss(env, c, seg, true)
    )
      return;
    if (seqGt(c.sndNxt, loss.highSeq)) {
      if ((sacked & SACK_NEWS) !== 0 || isDuplicate) loss.frto = false; // step 3a: real
    } else if (advanced && seqLt(c.sndUna, loss.highSeq)) {
      loss.highSeq = c.sndNxt;
      if (c.unsentBytes > 0 && seqGt((c.sndUna + c.sndWnd) | 0, c.sndNxt)) {
        // Step 2b: probe with new data before sending more again.
        loss.frtoProbe = true;
        return;
      }
      // Nothing to probe with: conventional recovery.
      loss.frto = false;
    }
  }
  if (seqGeq(c.sndUna, loss.highSeq)) {
    tryUndoRecovery(env, c, seg);
    return;
  }
  if (!c.sackOn && seqGt(c.sndNxt, loss.highSeq) && advanced && c.sent !== undefined) {
    renoSacked(c);
  }
}

/** RFC 8985 §7.4: what the answer to a tail loss probe means. */
function probeAnswered(
  env: TcpEnvironment,
  c: TcpConnection,
  seg: Segment,
  advanced: boolean,
  sacked: number,
): void {
  const loss = c.loss!;
  if (seqLt(seg.ack, loss.tlpHighSeq)) return;
  if (!loss.tlpIsRetransmit || (sacked & SACK_DUPLICATE) !== 0) {
    loss.tlpActive = false;
  } else if (seqGt(seg.ack, loss.tlpHighSeq)) {
    // No D-SACK came: the probe repaired a loss that nobody saw, and the window answers for it.
    loss.tlpActive = false;
    if (c.caState >= CA_CWR) return;
    env.counters.tcpLossProbeRecovery++;
    enterCwr(env, c, CONGESTION_LOSS);
    if (c.controller?.ownsWindow !== true) c.cwnd = c.ssthresh;
    c.caState = loss.sackedBytes > 0 ? CA_DISORDER : CA_OPEN;
  } else if (!advanced && seg.length === 0 && sacked === 0) {
    // A duplicate ACK at TLPHighRxt: both copies arrived.
    loss.tlpActive = false;
  }
}

/** Window growth, pacing rate: what the controller makes of this ACK. */
export function control(env: TcpEnvironment, c: TcpConnection): void {
  const sample = env.sample;
  let controller = c.controller;
  if (controller === undefined) {
    if (!c.isCwndLimited) return;
    controller = attachController(env, c);
  }
  // RFC 5681 §3.2 (1): no growth for what arrives beyond a gap, unless the path is known to reorder.
  sample.isInRecovery =
    c.caState >= CA_CWR ||
    (c.caState === CA_DISORDER &&
      sample.ackedBytes === 0 &&
      (c.loss === undefined || c.loss.reordering <= env.settings.dupThresh));
  sample.isInRtoRecovery = c.caState === CA_LOSS;
  c.rate!.finish(sample, c.minRttUs);
  if (sample.deliveryRate > 0) c.deliveryRate = sample.deliveryRate;
  controller.onAck(c, sample);
}

/** Nothing is in flight: the loss state goes, unless it knows something of the path. */
function tidyLoss(c: TcpConnection): void {
  const loss = c.loss!;
  loss.sackedBytes = 0;
  loss.lostBytes = 0;
  loss.retransmittedBytes = 0;
  loss.dupAcks = 0;
  if (c.caState === CA_OPEN && !loss.reorderingSeen && !loss.undoable && !loss.tlpActive) {
    c.loss = undefined;
  }
}
