import { SeededRandom, randomUnit } from "../../src/base/random.ts";
import { WindowedMin } from "../../src/base/windowed-filter.ts";
import {
  AckSample,
  CONGESTION_ECN,
  CONGESTION_LOSS,
  CONGESTION_TIMEOUT,
  INFINITE_SSTHRESH,
  type Controller,
} from "../../src/tcp/congestion/controller.ts";
import { DeliveryRate } from "../../src/tcp/congestion/delivery-rate.ts";
import { Pacer } from "../../src/tcp/congestion/pacing.ts";
import { Prr } from "../../src/tcp/congestion/prr.ts";
import { backoffRto, makeRttState, RTO_LINUX, sampleRtt } from "../../src/tcp/rtt.ts";

/**
 * A bottleneck and bulk senders, for tests of congestion control alone: no
 * wire, no TCP. Every segment passes one FIFO of `queueBytes` that drains at
 * `rate`, then takes `rttUs` to come back as an ACK that names it. Losses are
 * found when three segments sent later have arrived. Virtual time, one seed.
 */
export interface PathOptions {
  /** Bytes per second. */
  rate: number;
  /** Round trip without queue, microseconds. */
  rttUs: number;
  queueBytes: number;
  /** Independent loss probability, after the queue. */
  lossRate?: number;
  seed?: number;
  /** Segments that find more than this in the queue are CE-marked. */
  ecnThresholdBytes?: number;
}

export interface FlowOptions {
  mss?: number;
  startUs?: number;
  initialSegments?: number;
  cwndClamp?: number;
  /** Bytes that the application has written by then; default: no end. */
  written?: (nowUs: number) => number;
  onAck?: (flow: Flow, nowUs: number) => void;
}

interface Segment {
  index: number;
  order: number;
  sentUs: number;
  isSentAgain: boolean;
  isDelivered: boolean;
  isLost: boolean;
  isMarked: boolean;
  delivered: number;
  deliveredUs: number;
  firstSentUs: number;
  isAppLimited: boolean;
  txInFlight: number;
  lost: number;
}

const ISS = 0xfffff000 | 0;

export class FluidPath {
  nowUs = 0;
  readonly options: PathOptions;
  readonly random: SeededRandom;
  /** Queueing delay, microseconds, that each segment met, and when. */
  readonly queueing: { atUs: number; delayUs: number }[] = [];
  dropped = 0;
  rate: number;
  rttUs: number;
  lossRate: number;
  private freeUs = 0;
  private heap: { atUs: number; order: number; run: () => void }[] = [];
  private eventOrder = 0;

  constructor(options: PathOptions) {
    this.options = options;
    this.rate = options.rate;
    this.rttUs = options.rttUs;
    this.lossRate = options.lossRate ?? 0;
    this.random = new SeededRandom(options.seed ?? 1);
  }

  get queuedBytes(): number {
    return (Math.max(this.freeUs - this.nowUs, 0) * this.rate) / 1e6;
  }

  /** Sends `bytes`; `arrive` runs a round trip later unless the segment is lost. */
  send(bytes: number, arrive: (isMarked: boolean) => void): void {
    const queued = this.queuedBytes;
    if (queued + bytes > this.options.queueBytes) {
      this.dropped++;
      return;
    }
    this.queueing.push({ atUs: this.nowUs, delayUs: Math.max(this.freeUs - this.nowUs, 0) });
    this.freeUs = Math.max(this.freeUs, this.nowUs) + (bytes * 1e6) / this.rate;
    if (this.lossRate > 0 && randomUnit(this.random) < this.lossRate) return;
    const isMarked = queued > (this.options.ecnThresholdBytes ?? Infinity);
    this.at(this.freeUs + this.rttUs, () => arrive(isMarked));
  }

  at(atUs: number, run: () => void): void {
    const heap = this.heap;
    const entry = { atUs, order: this.eventOrder++, run };
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = entry;
  }

  run(untilUs: number): void {
    const heap = this.heap;
    while (heap.length > 0 && heap[0].atUs <= untilUs) {
      const first = heap[0];
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) {
        let i = 0;
        for (;;) {
          let child = 2 * i + 1;
          if (child >= heap.length) break;
          if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
          if (!isBefore(heap[child], last)) break;
          heap[i] = heap[child];
          i = child;
        }
        heap[i] = last;
      }
      this.nowUs = first.atUs;
      first.run();
    }
    this.nowUs = untilUs;
  }

  /** Median queueing delay, microseconds, of segments sent from then on. */
  medianQueueing(fromUs: number): number {
    const delays = this.queueing.filter((q) => q.atUs >= fromUs).map((q) => q.delayUs);
    delays.sort((a, b) => a - b);
    return delays[delays.length >> 1] ?? 0;
  }
}

function isBefore(a: { atUs: number; order: number }, b: { atUs: number; order: number }) {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}

/** A sender: what the TCP core does around its controller, in the plainest way. */
export class Flow {
  readonly mss: number;
  readonly rtt = makeRttState(RTO_LINUX);
  readonly rateSampler = new DeliveryRate();
  readonly sample = new AckSample();
  readonly prr = new Prr();
  readonly pacer = new Pacer();
  // CongestionView
  cwnd: number;
  ssthresh = INFINITE_SSTHRESH;
  pacingRate = 0;
  pipe = 0;
  minRttUs = Infinity;
  isCwndLimited = false;
  readonly cwndClamp: number;
  /** Bytes delivered in order, congestion events, retransmissions, timeouts. */
  reductions = 0;
  retransmissions = 0;
  timeouts = 0;
  isInRecovery = false;
  isInRtoRecovery = false;

  private readonly path: FluidPath;
  private readonly controller: Controller;
  private readonly options: FlowOptions;
  private readonly minRtt = new WindowedMin();
  private segments: Segment[] = [];
  /** Every transmission that may still be found lost, in order. */
  private sent: { segment: Segment; order: number }[] = [];
  private sentHead = 0;
  private base = 0;
  private next = 0;
  private sendOrder = 0;
  private highestDelivered = -1;
  private lost: Segment[] = [];
  private recoverAt = 0;
  private cwrUntil = 0;
  private roundEnd = 0;
  private limitedThisRound = false;
  private maxPipe = 0;
  private isPacerSet = false;
  private rtoAtUs = Infinity;
  private isRtoSet = false;

  constructor(path: FluidPath, controller: Controller, options: FlowOptions = {}) {
    this.path = path;
    this.controller = controller;
    this.options = options;
    this.mss = options.mss ?? 1000;
    this.cwnd = (options.initialSegments ?? 10) * this.mss;
    this.cwndClamp = options.cwndClamp ?? 2 ** 30;
    path.at(options.startUs ?? 0, () => {
      controller.init(this, path.nowUs);
      this.send();
      if (options.written !== undefined) this.poll();
    });
  }

  get sndMss(): number {
    return this.mss;
  }
  get srttUs(): number {
    return this.rtt.srttUs;
  }
  get rttvarUs(): number {
    return this.rtt.rttvarUs;
  }
  get sndUna(): number {
    return (ISS + this.base * this.mss) | 0;
  }
  get sndNxt(): number {
    return (ISS + this.next * this.mss) | 0;
  }
  get delivered(): number {
    return this.rateSampler.delivered;
  }
  /** Bytes in flight and unacknowledged are done with. */
  get acknowledged(): number {
    return this.base * this.mss;
  }

  private poll(): void {
    this.send();
    this.path.at(this.path.nowUs + 1000, () => this.poll());
  }

  private hasData(): boolean {
    if (this.lost.length > 0) return true;
    const written = this.options.written;
    return written === undefined || (this.next + 1) * this.mss <= written(this.path.nowUs);
  }

  private send(): void {
    const nowUs = this.path.nowUs;
    while (this.pipe + this.mss <= this.cwnd) {
      if (!this.hasData()) {
        this.rateSampler.markAppLimited(this.pipe);
        return;
      }
      if (!this.pacer.maySend(this.pacingRate, nowUs)) {
        if (!this.isPacerSet) {
          this.isPacerSet = true;
          this.path.at(this.pacer.nextSendUs, () => {
            this.isPacerSet = false;
            this.send();
          });
        }
        return;
      }
      this.sendOne(nowUs);
    }
    this.limitedThisRound = true;
    this.isCwndLimited = true;
  }

  private sendOne(nowUs: number): void {
    let s = this.lost.shift();
    this.rateSampler.onSend(this.pipe, nowUs);
    this.pipe += this.mss;
    if (s === undefined) {
      s = {
        index: this.next++,
        isDelivered: false,
        isSentAgain: false,
        isMarked: false,
      } as Segment;
      this.segments.push(s);
    } else {
      s.isSentAgain = true;
      this.retransmissions++;
    }
    s.order = this.sendOrder++;
    this.sent.push({ segment: s, order: s.order });
    s.sentUs = nowUs;
    s.isLost = false;
    s.delivered = this.rateSampler.delivered;
    s.deliveredUs = this.rateSampler.deliveredUs;
    s.firstSentUs = this.rateSampler.firstSentUs;
    s.isAppLimited = this.rateSampler.isAppLimited;
    s.lost = this.rateSampler.lost;
    s.txInFlight = this.pipe;
    if (this.pipe > this.maxPipe) this.maxPipe = this.pipe;
    this.pacer.onSent(this.mss, this.pacingRate, nowUs);
    if (this.isInRecovery && !this.isInRtoRecovery) this.prr.onSent(this.mss);
    this.controller.onSent?.(this, this.mss, nowUs);
    const segment = s;
    const order = s.order;
    this.path.send(this.mss, (isMarked) => this.arrive(segment, order, isMarked));
    if (this.rtoAtUs === Infinity) this.armRto();
  }

  private armRto(): void {
    this.rtoAtUs = this.path.nowUs + this.rtt.rtoUs;
    if (this.isRtoSet) return;
    this.isRtoSet = true;
    const check = () => {
      if (this.rtoAtUs > this.path.nowUs) {
        if (this.rtoAtUs !== Infinity) this.path.at(this.rtoAtUs, check);
        else this.isRtoSet = false;
        return;
      }
      this.isRtoSet = false;
      this.timeout();
    };
    this.path.at(this.rtoAtUs, check);
  }

  private timeout(): void {
    const nowUs = this.path.nowUs;
    this.timeouts++;
    backoffRto(this.rtt, RTO_LINUX);
    if (!this.isInRtoRecovery) {
      this.ssthresh = this.controller.onCongestion(this, CONGESTION_TIMEOUT, nowUs);
      this.reductions++;
    }
    this.isInRecovery = true;
    this.isInRtoRecovery = true;
    this.recoverAt = this.next;
    for (const s of this.segments) if (!s.isDelivered && !s.isLost) this.markLost(s);
    this.pipe = 0;
    if (!this.controller.ownsWindow) this.cwnd = this.mss;
    this.rtoAtUs = Infinity;
    this.send();
  }

  private markLost(s: Segment): void {
    s.isLost = true;
    this.lost.push(s);
    this.pipe -= this.mss;
    this.rateSampler.onLost(this.mss);
    this.sample.lostBytes += this.mss;
    this.controller.onLost?.(
      this,
      this.mss,
      s.txInFlight,
      this.rateSampler.lost - s.lost,
      s.isAppLimited,
      this.path.nowUs,
    );
  }

  /** In order of sending: whatever left three segments before one that has arrived is lost. */
  private findLost(): void {
    for (;;) {
      const first = this.sent[this.sentHead];
      if (first === undefined) return;
      const isOpen = first.order === first.segment.order && !first.segment.isLost;
      if (isOpen && !first.segment.isDelivered) {
        if (first.order + 3 > this.highestDelivered) return;
        this.markLost(first.segment);
      }
      this.sentHead++;
      if (this.sentHead > 4096) {
        this.sent = this.sent.slice(this.sentHead);
        this.sentHead = 0;
      }
    }
  }

  private arrive(s: Segment, order: number, isMarked: boolean): void {
    const nowUs = this.path.nowUs;
    const sample = this.sample;
    if (s.isDelivered) return;
    sample.nowUs = nowUs;
    sample.priorPipe = this.pipe;
    sample.lostBytes = 0;
    sample.rttUs = s.isSentAgain ? -1 : nowUs - s.sentUs;
    sample.ceBytes = isMarked ? this.mss : 0;
    sample.deliveredBytes = this.mss;
    sample.deliveredSegments = 1;

    if (sample.rttUs >= 0) {
      sampleRtt(this.rtt, RTO_LINUX, sample.rttUs, this.sndUna, this.sndNxt);
      this.minRttUs = this.minRtt.update(sample.rttUs, nowUs, 300e6);
    }
    this.rateSampler.begin();
    s.isDelivered = true;
    if (s.isLost) this.lost.splice(this.lost.indexOf(s), 1);
    else this.pipe -= this.mss;
    this.rateSampler.onDelivered(
      this.mss,
      nowUs,
      s.sentUs,
      s.delivered,
      s.deliveredUs,
      s.firstSentUs,
      s.isAppLimited,
      s.txInFlight,
      s.lost,
    );
    const before = this.base;
    while (this.segments.length > 0 && this.segments[0].isDelivered) {
      this.segments.shift();
      this.base++;
    }
    sample.ackedBytes = (this.base - before) * this.mss;
    this.highestDelivered = Math.max(this.highestDelivered, order);
    this.findLost();
    this.rateSampler.finish(sample, this.minRttUs);
    if (this.base >= this.roundEnd) {
      const isSlowStart = this.cwnd < this.ssthresh;
      this.isCwndLimited = this.limitedThisRound || (isSlowStart && this.cwnd < 2 * this.maxPipe);
      this.limitedThisRound = false;
      this.maxPipe = this.pipe;
      this.roundEnd = this.next;
    }
    this.control(sample, isMarked);
    this.rtoAtUs = Infinity;
    if (this.base < this.next) this.armRto();
    this.options.onAck?.(this, nowUs);
    this.send();
  }

  private control(sample: AckSample, isMarked: boolean): void {
    const nowUs = sample.nowUs;
    const controller = this.controller;
    if (sample.lostBytes > 0 && !this.isInRecovery) {
      this.isInRecovery = true;
      this.recoverAt = this.next;
      this.reductions++;
      this.ssthresh = controller.onCongestion(this, CONGESTION_LOSS, nowUs);
      this.prr.start(sample.priorPipe, this.ssthresh);
    } else if (isMarked && !this.isInRecovery && this.base >= this.cwrUntil) {
      this.cwrUntil = this.next;
      this.reductions++;
      this.ssthresh = controller.onCongestion(this, CONGESTION_ECN, nowUs);
      if (!controller.ownsWindow) this.cwnd = Math.min(this.cwnd, this.ssthresh);
    }
    if (this.isInRecovery && this.base >= this.recoverAt) {
      this.isInRecovery = false;
      if (!controller.ownsWindow && !this.isInRtoRecovery) this.cwnd = this.ssthresh;
      this.isInRtoRecovery = false;
      controller.onRecoveryExit?.(this, nowUs);
    }
    sample.isInRecovery = this.isInRecovery;
    sample.isInRtoRecovery = this.isInRtoRecovery;
    controller.onAck(this, sample);
    if (this.isInRecovery && !this.isInRtoRecovery && !controller.ownsWindow) {
      this.cwnd = this.prr.onAck(
        sample.deliveredBytes,
        this.pipe,
        sample.lostBytes,
        sample.ackedBytes > 0,
        this.mss,
      );
    }
  }
}
