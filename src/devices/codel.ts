import { type Frame, NO_FRAME } from "../base/frame-memory.ts";

export interface CodelOptions {
  /** The delay that a standing queue may have, in milliseconds. Default 5. */
  readonly targetMs?: number;
  /** How long it may be exceeded before the first drop, in milliseconds: about the longest usual RTT. Default 100. */
  readonly intervalMs?: number;
  /** Mark packets that are ECN-capable instead of dropping them (RFC 3168). Default false. */
  readonly ecn?: boolean;
}

/** The queue that CoDel manages. */
export interface CodelQueue {
  /** Takes the first packet out; `NO_FRAME` when there is none. */
  pop(): Frame;
  /** When the first packet came; Infinity when there is none. */
  firstTime(): number;
  readonly queuedBytes: number;
  dropByCodel(frame: Frame, nowUs: number): void;
  /** The frame with "congestion experienced" in it; `NO_FRAME` when it cannot be marked. */
  mark(frame: Frame): Frame;
}

/** A queue of at most one packet of this size is never too long (RFC 8289 §4.4: MAXPACKET). */
const MAX_PACKET = 1514;

/**
 * CoDel (RFC 8289): when every packet of an interval waited longer than the
 * target, packets are dropped as they leave, at a rate that rises with the
 * square root of their number, until the queue is short again.
 */
export class Codel {
  private readonly targetUs: number;
  private readonly intervalUs: number;
  private readonly ecn: boolean;
  private dropping = false;
  private firstAboveUs = 0;
  private dropNextUs = 0;
  private count = 0;
  private lastCount = 0;
  /** Set by `take`: its packet and those of a whole interval before it waited too long. */
  private okToDrop = false;

  constructor(options: CodelOptions) {
    this.targetUs = (options.targetMs ?? 5) * 1000;
    this.intervalUs = (options.intervalMs ?? 100) * 1000;
    this.ecn = options.ecn ?? false;
  }

  /** The next packet to send (§5.5, `dequeue`); `NO_FRAME` when none is left. */
  dequeue(queue: CodelQueue, nowUs: number): Frame {
    let frame = this.take(queue, nowUs);
    if (this.dropping) {
      if (!this.okToDrop) this.dropping = false;
      while (this.dropping && nowUs >= this.dropNextUs) {
        const marked = this.punish(queue, frame, nowUs);
        if (marked !== NO_FRAME) {
          this.scheduleNext();
          return marked;
        }
        frame = this.take(queue, nowUs);
        if (this.okToDrop) this.scheduleNext();
        else this.dropping = false;
      }
    } else if (this.okToDrop) {
      const marked = this.punish(queue, frame, nowUs);
      frame = marked !== NO_FRAME ? marked : this.take(queue, nowUs);
      this.dropping = true;
      // Soon after the last time, the rate that worked then is the place to start from.
      const delta = this.count - this.lastCount;
      const recent = nowUs - this.dropNextUs < 16 * this.intervalUs;
      this.count = delta > 1 && recent ? delta : 1;
      this.dropNextUs = this.controlLaw(nowUs);
      this.lastCount = this.count;
    }
    return frame;
  }

  /** §5.6, `dodequeue`: takes a packet and watches how long it waited. */
  private take(queue: CodelQueue, nowUs: number): Frame {
    const sojournUs = nowUs - queue.firstTime();
    const frame = queue.pop();
    this.okToDrop = false;
    if (frame === NO_FRAME || sojournUs < this.targetUs || queue.queuedBytes <= MAX_PACKET) {
      this.firstAboveUs = 0;
    } else if (this.firstAboveUs === 0) {
      this.firstAboveUs = nowUs + this.intervalUs;
    } else if (nowUs >= this.firstAboveUs) {
      this.okToDrop = true;
    }
    return frame;
  }

  /** Marks the packet and answers it, or drops it and answers `NO_FRAME`. */
  private punish(queue: CodelQueue, frame: Frame, nowUs: number): Frame {
    const marked = this.ecn ? queue.mark(frame) : NO_FRAME;
    if (marked === NO_FRAME) queue.dropByCodel(frame, nowUs);
    return marked;
  }

  private scheduleNext(): void {
    this.count++;
    this.dropNextUs = this.controlLaw(this.dropNextUs);
  }

  private controlLaw(fromUs: number): number {
    return fromUs + this.intervalUs / Math.sqrt(this.count);
  }
}
