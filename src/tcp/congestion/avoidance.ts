import type { CongestionView } from "./controller.ts";
import { clampOf } from "./slow-start.ts";

/**
 * Additive increase by acknowledged bytes (RFC 5681 §3.1, RFC 3465 §2.1): one
 * segment for each window of bytes. What does not make a segment yet is kept,
 * so that growth does not depend on how the receiver spaces its ACKs.
 */
export class AdditiveIncrease {
  private credit = 0;

  /** Takes `bytes` delivered; `bytesPerSegment` of them are worth one segment: cwnd for Reno. */
  grow(view: CongestionView, bytes: number, bytesPerSegment: number): void {
    const step = Math.max(bytesPerSegment, 1);
    this.credit += bytes;
    if (this.credit < step) return;
    const segments = Math.floor(this.credit / step);
    this.credit -= segments * step;
    view.cwnd = Math.min(view.cwnd + segments * view.sndMss, clampOf(view));
  }

  reset(): void {
    this.credit = 0;
  }
}
