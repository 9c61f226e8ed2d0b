import { Prr } from "../congestion/prr.ts";
import { Ranges } from "../ranges.ts";

/**
 * What a sender keeps about loss: the scoreboard, the detector's and the
 * undo's state. Attached to a connection when loss is first suspected, so that
 * a connection on a clean path carries none of it. Bytes, sequence numbers and
 * times only; no pointer to the connection.
 */
export class LossRecovery {
  /** Ranges above SND.UNA that the peer has SACKed. */
  readonly scoreboard = new Ranges();
  /** Bytes of the retransmission queue in each condition (flags of SentSegments). */
  sackedBytes = 0;
  lostBytes = 0;
  retransmittedBytes = 0;
  /** Index from which a segment that waits to be sent again may be found. */
  retransmitHint = 0;

  // Episode
  /** The episode is over when this is acknowledged (RFC 6582's and 6675's RecoveryPoint). */
  highSeq = 0;
  readonly prr = new Prr();

  // Undo: one for Eifel, D-SACK and F-RTO
  /** An episode that may yet prove needless. */
  undoable = false;
  /** SND.UNA when it began. */
  undoMarker = 0;
  /** Retransmissions in the episode not yet reported by D-SACK as duplicates. */
  undoRetransmits = 0;
  priorCwnd = 0;
  priorSsthresh = 0;
  /** Our timestamp in the episode's first retransmission (RFC 3522); valid while `hasRetransmitStamp`. */
  retransmitStamp = 0;
  hasRetransmitStamp = false;
  /** F-RTO (RFC 5682) watches the timeout. */
  frto = false;
  /** It wants up to two segments of new data sent before anything again (step 2b). */
  frtoProbe = false;

  // Duplicate ACKs without SACK (RFC 5681, 6582)
  dupAcks = 0;

  // RACK (RFC 8985 §5.2)
  rackXmitUs = 0;
  rackEndSeq = 0;
  rackRttUs = 0;
  rackStarted = false;
  /** Highest sequence number delivered ("fack"). */
  fack = 0;
  reorderingSeen = false;
  reoWndMultiplier = 1;
  reoWndPersist = 16;
  dsackRound = 0;
  dsackRoundValid = false;
  /** Greatest distance by which segments were seen reordered, in segments. */
  reordering = 3;

  // TLP (RFC 8985 §7.2)
  tlpActive = false;
  tlpIsRetransmit = false;
  tlpHighSeq = 0;
}
