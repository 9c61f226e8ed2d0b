import { AdditiveIncrease } from "./avoidance.ts";
import { CONGESTION_ECN, type AckSample, type CongestionView } from "./controller.ts";
import { LossBased, renoThreshold } from "./reno.ts";
import { thresholdOf } from "./slow-start.ts";

/** Weight of a new window in alpha (RFC 8257 §4.2). */
export const DCTCP_G = 1 / 16;

/**
 * Data Center TCP (RFC 8257): the window shrinks by how much of the last one
 * was marked, not by half for any mark. Loss is met as Reno meets it (§3.5).
 * Not for paths shared with others over the Internet (§1).
 */
export class Dctcp extends LossBased {
  readonly name = "dctcp";
  override readonly usesExactEcn = true;
  private readonly increase = new AdditiveIncrease();
  /** DCTCP.Alpha: estimate of the marked part, 0 to 1. */
  private alpha = 1;
  private windowEnd = 0;
  private hasWindow = false;
  private deliveredBytes = 0;
  private markedBytes = 0;
  /** No second reduction by marks before this is acknowledged (§3.3, RFC 3168 §6.1.2). */
  private reducedUntil = 0;
  private hasReduced = false;

  override init(view: CongestionView, nowUs: number): void {
    super.init(view, nowUs);
    this.alpha = 1;
    this.hasWindow = false;
    this.hasReduced = false;
  }

  override onAck(view: CongestionView, sample: AckSample): void {
    this.observe(view, sample);
    super.onAck(view, sample);
  }

  onCongestion(view: CongestionView, kind: number): number {
    this.increase.reset();
    if (kind !== CONGESTION_ECN) return renoThreshold(view, kind, this.settings);
    if (this.isReduced(view)) return thresholdOf(view, view.cwnd);
    this.hasReduced = true;
    this.reducedUntil = view.sndNxt;
    return thresholdOf(view, view.cwnd * (1 - this.alpha / 2));
  }

  override info(): Record<string, number | string> {
    return { ...super.info(), alpha: this.alpha };
  }

  protected avoid(view: CongestionView, bytes: number): void {
    this.increase.grow(view, bytes, view.cwnd);
  }

  private isReduced(view: CongestionView): boolean {
    if (this.hasReduced && ((view.sndUna - this.reducedUntil) | 0) >= 0) this.hasReduced = false;
    return this.hasReduced;
  }

  /** §3.3: once a window, alpha moves towards the part that was marked. */
  private observe(view: CongestionView, sample: AckSample): void {
    this.deliveredBytes += sample.deliveredBytes;
    this.markedBytes += Math.min(sample.ceBytes, sample.deliveredBytes);
    if (!this.hasWindow) {
      this.hasWindow = true;
      this.windowEnd = view.sndNxt;
      return;
    }
    if (((view.sndUna - this.windowEnd) | 0) < 0 || this.deliveredBytes === 0) return;
    this.isReduced(view); // forgets it before the sequence numbers wrap
    const marked = this.markedBytes / this.deliveredBytes;
    this.alpha = this.alpha * (1 - DCTCP_G) + DCTCP_G * marked;
    this.deliveredBytes = 0;
    this.markedBytes = 0;
    this.windowEnd = view.sndNxt;
  }
}
