import {
  AckSample,
  INFINITE_SSTHRESH,
  type CongestionSettings,
  type CongestionView,
  type Controller,
} from "../../src/tcp/congestion/controller.ts";
import { congestionControl } from "../../src/tcp/congestion/registry.ts";

/** Linux's settings without HyStart++, so that slow start is plain. */
export const PLAIN: CongestionSettings = { abcLimit: Infinity, hystart: false, abeBeta: 0 };

export function makeController(name: string, settings: CongestionSettings = PLAIN): Controller {
  const factory = congestionControl(name);
  if (factory === undefined) throw new Error(`no congestion control named ${name}`);
  return factory(settings);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type View = Mutable<CongestionView>;

/** A connection as its controller sees it, driven by hand. Sequence numbers start just before the wrap. */
export function makeView(over: Partial<View> = {}): View {
  const mss = over.sndMss ?? 1000;
  const start = 0xffffff00 | 0;
  return {
    cwnd: 10 * mss,
    ssthresh: INFINITE_SSTHRESH,
    pacingRate: 0,
    sndMss: mss,
    srttUs: 100_000,
    rttvarUs: 1_000,
    minRttUs: 100_000,
    pipe: 10 * mss,
    sndUna: start,
    sndNxt: (start + 10 * mss) | 0,
    isCwndLimited: true,
    cwndClamp: 2 ** 30,
    ...over,
  };
}

/**
 * One round trip of a window that is used up: every ACK brings `segmentsPerAck`
 * segments; time and sequence numbers go on evenly.
 */
export class Rounds {
  nowUs = 0;
  readonly sample = new AckSample();
  private readonly view: View;
  private readonly controller: Controller;

  constructor(controller: Controller, view: View) {
    this.controller = controller;
    this.view = view;
    controller.init(view, 0);
  }

  run(options: { rttUs?: number; segmentsPerAck?: number; ceShare?: number } = {}): void {
    const { rttUs = this.view.srttUs, segmentsPerAck = 1, ceShare = 0 } = options;
    const view = this.view;
    const mss = view.sndMss;
    const window = Math.max(Math.floor(view.cwnd / mss), 1);
    const acks = Math.ceil(window / segmentsPerAck);
    view.sndNxt = (view.sndUna + window * mss) | 0;
    view.pipe = window * mss;
    const start = this.nowUs;
    for (let i = 0; i < acks; i++) {
      const bytes = Math.min(segmentsPerAck, window - i * segmentsPerAck) * mss;
      this.nowUs = start + (rttUs * (i + 1)) / acks;
      view.sndUna = (view.sndUna + bytes) | 0;
      view.sndNxt = (view.sndNxt + bytes) | 0;
      this.ack(bytes, rttUs, i < Math.round(acks * ceShare) ? bytes : 0);
    }
  }

  ack(bytes: number, rttUs = this.view.srttUs, ceBytes = 0): void {
    const s = this.sample;
    s.nowUs = this.nowUs;
    s.ackedBytes = bytes;
    s.deliveredBytes = bytes;
    s.deliveredSegments = Math.ceil(bytes / this.view.sndMss);
    s.lostBytes = 0;
    s.rttUs = rttUs;
    s.priorPipe = this.view.pipe;
    s.ceBytes = ceBytes;
    s.priorDelivered = Math.max(s.totalDelivered - this.view.pipe, 0);
    s.totalDelivered += bytes;
    s.txInFlight = this.view.pipe;
    s.intervalUs = rttUs;
    s.deliveryRate = rttUs > 0 ? ((s.totalDelivered - s.priorDelivered) * 1e6) / rttUs : -1;
    this.controller.onAck(this.view, s);
  }
}
