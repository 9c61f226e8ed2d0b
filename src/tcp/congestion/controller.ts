/**
 * The seam between TCP and its congestion control algorithms. Windows are in
 * bytes, as in RFC 5681; a controller sees the connection only through
 * `CongestionView` and is told what happened through the calls below.
 */

import { FLOAT_ZERO } from "../../base/float.ts";

/** What a controller reads of its connection, and the three values it sets. */
export interface CongestionView {
  /** Congestion window, bytes. Set by the controller; during loss recovery by PRR unless `ownsWindow`. */
  cwnd: number;
  /** Slow start threshold, bytes; `INFINITE_SSTHRESH` until the first congestion event. */
  ssthresh: number;
  /** Bytes per second; 0: not paced by the controller. */
  pacingRate: number;
  /** Payload bytes of a full segment (effective MSS, options taken off). */
  readonly sndMss: number;
  /** Smoothed RTT, microseconds; 0 before the first sample. */
  readonly srttUs: number;
  readonly rttvarUs: number;
  /** Smallest RTT of the recent past (windowed minimum, 5 min as in Linux), microseconds; Infinity before the first sample. */
  readonly minRttUs: number;
  /** Bytes believed to be in the network now ("pipe"). */
  readonly pipe: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  /** The last flight used the window up (RFC 7661, Linux's rule): only then may it grow. */
  readonly isCwndLimited: boolean;
  /** Largest window worth having (send buffer, clamp), bytes. */
  readonly cwndClamp: number;
}

export const INFINITE_SSTHRESH = 0x7fffffff;

/** What one ACK brought. One per stack, filled anew for each ACK and valid only during the call. */
export class AckSample {
  nowUs = FLOAT_ZERO;
  /** Bytes newly acknowledged cumulatively. */
  ackedBytes = 0;
  /** Bytes newly delivered: acknowledged cumulatively and not SACKed before, or newly SACKed. */
  deliveredBytes = 0;
  /** Segments newly delivered, a part counting as one. */
  deliveredSegments = 0;
  /** Bytes newly marked lost while this ACK was processed. */
  lostBytes = 0;
  /** RTT sample, microseconds; -1: none (Karn). */
  rttUs = -1;
  /** Bytes in flight before this ACK was processed. */
  priorPipe = 0;
  /** Delivery rate sample, bytes per second; -1: none. */
  deliveryRate = -1;
  /** Time over which the rate was taken, microseconds. */
  intervalUs = FLOAT_ZERO;
  /** The rate sample was limited by the application, not by the network. */
  isAppLimited = false;
  /** Bytes delivered over the connection's life, now. */
  totalDelivered = FLOAT_ZERO;
  /** The same when the segment that this sample is about was sent: a round trip ends when it reaches a former `totalDelivered`. */
  priorDelivered = FLOAT_ZERO;
  /** Bytes lost over the connection's life, now, and bytes in flight when the sampled segment was sent. */
  totalLost = FLOAT_ZERO;
  txInFlight = 0;
  /** Bytes lost between that segment's sending and now. */
  lostSinceSent = FLOAT_ZERO;
  /** Newly delivered bytes that the receiver reported as CE-marked (RFC 3168: 0 or all; DCTCP: exact). */
  ceBytes = 0;
  /** The window is being reduced: fast recovery, CWR (after an ECN signal) or RTO recovery. */
  isInRecovery = false;
  /** That recovery follows a retransmission timeout: there is no PRR, the controller grows the window (RFC 5681 §3.1). */
  isInRtoRecovery = false;
}

/** Why the window is reduced. */
export const CONGESTION_LOSS = 1;
export const CONGESTION_TIMEOUT = 2;
export const CONGESTION_ECN = 3;

/** One connection's congestion control. Made by its factory when the connection first sends data. */
export interface Controller {
  readonly name: string;
  /** Sets cwnd on every ACK itself, recovery included: no PRR, no reduction by the core (BBR). */
  readonly ownsWindow: boolean;
  /** Asks for pacing by `view.pacingRate`. */
  readonly wantsPacing: boolean;
  /** Reacts to every CE mark by its own rule (DCTCP): the receiver echoes CE exactly (RFC 8257 §3.2). */
  readonly usesExactEcn: boolean;
  /** The connection is established or this controller takes over from another. */
  init(view: CongestionView, nowUs: number): void;
  /**
   * An ACK delivered something: every such ACK, in recovery and in CWR too, as
   * estimates (Westwood+'s bandwidth, DCTCP's marks) go on there. Without
   * `ownsWindow` cwnd is not to be changed while `isInRecovery`, except after a
   * timeout (`isInRtoRecovery`).
   */
  onAck(view: CongestionView, sample: AckSample): void;
  /** A congestion event begins (at most once per window of data): answers the new ssthresh in bytes, at least 2 * sndMss. */
  onCongestion(view: CongestionView, kind: number, nowUs: number): number;
  /** Recovery is over: cwnd was set to ssthresh (or kept, `ownsWindow`). */
  onRecoveryExit?(view: CongestionView, nowUs: number): void;
  /** The last congestion event was spurious; cwnd and ssthresh were restored by the core. */
  onSpurious?(view: CongestionView, nowUs: number): void;
  /** Sending starts again after an idle time of more than one RTO (RFC 5681 §4.1, RFC 7661); the core has applied the restart window unless `ownsWindow`. */
  onIdleRestart?(view: CongestionView, idleUs: number, nowUs: number): void;
  /**
   * A segment was marked lost; called for each, before the `onAck` or
   * `onCongestion` that the loss leads to. `txInFlight`: bytes in flight when it
   * was sent, itself included; `lostSinceSent`: bytes lost since then, itself
   * included; `isAppLimited`: as kept with the segment.
   */
  onLost?(
    view: CongestionView,
    bytes: number,
    txInFlight: number,
    lostSinceSent: number,
    isAppLimited: boolean,
    nowUs: number,
  ): void;
  /** A segment is sent. */
  onSent?(view: CongestionView, bytes: number, nowUs: number): void;
  /** Values worth seeing, for TCP_CC_INFO and traces. */
  info?(): Record<string, number | string>;
}

/** Settings that shape the loss-based controllers; presets are sets of these. */
export interface CongestionSettings {
  /** RFC 3465 §2.3: most segments that one ACK counts for in slow start; Infinity: all newly delivered (Linux). */
  readonly abcLimit: number;
  /** Whether slow start ends by HyStart++. */
  readonly hystart: boolean;
  /** RFC 8511: multiplicative decrease on an ECN signal. 0: as for loss. */
  readonly abeBeta: number;
}

export type ControllerFactory = (settings: CongestionSettings) => Controller;
