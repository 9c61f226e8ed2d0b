import type { CongestionView } from "./controller.ts";

/**
 * Slow start with byte counting (RFC 5681 §3.1, RFC 3465 §2.2): the window
 * grows by what was delivered, at most `limitSegments` segments per ACK, and no
 * further than ssthresh. Answers the bytes left over for congestion avoidance
 * once ssthresh is reached, so that one large ACK loses nothing at the seam.
 * The caller has checked `isCwndLimited`.
 */
export function slowStart(
  view: CongestionView,
  deliveredBytes: number,
  limitSegments: number,
): number {
  const bytes = Math.min(deliveredBytes, limitSegments * view.sndMss);
  const grown = Math.min(view.cwnd + bytes, view.ssthresh);
  const left = bytes - (grown - view.cwnd);
  view.cwnd = Math.min(grown, clampOf(view));
  return left;
}

/** The clamp, but never less than two segments. */
export function clampOf(view: CongestionView): number {
  return Math.max(view.cwndClamp, 2 * view.sndMss);
}

/** A threshold that a controller may answer: whole bytes, at least two segments (RFC 5681 §3.1 equation 4). */
export function thresholdOf(view: CongestionView, bytes: number): number {
  return Math.max(Math.floor(bytes), 2 * view.sndMss);
}
