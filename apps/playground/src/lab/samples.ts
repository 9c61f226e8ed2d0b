import type { Flow } from "./flow.ts";
import type { Wire } from "./wire.ts";

/** Points kept of a curve; then every second one is forgotten and the rest stands twice as far apart. */
const MOST = 1200;
export const FLOW_CURVES = ["cwnd", "ssthresh", "flight", "rtt", "rto", "goodput"] as const;
export type FlowCurve = (typeof FLOW_CURVES)[number];
type Column = (number | null)[];

/** Curves of all flows on one time axis. */
export class Samples {
  readonly seconds: number[] = [];
  readonly queues: Column[];
  readonly flows: Record<FlowCurve, Column>[];
  intervalUs = 50_000;
  nextUs = 0;
  private readonly lastBytes: number[];
  private lastUs = 0;

  constructor(flows: number, wires: number) {
    this.queues = Array.from({ length: wires }, () => []);
    this.flows = Array.from({ length: flows }, () => ({
      cwnd: [],
      ssthresh: [],
      flight: [],
      rtt: [],
      rto: [],
      goodput: [],
    }));
    this.lastBytes = Array.from({ length: flows }, () => 0);
  }

  take(nowUs: number, flows: readonly Flow[], wires: readonly Wire[]): void {
    if (nowUs < this.nextUs) return;
    this.seconds.push(nowUs / 1e6);
    wires.forEach((wire, i) => this.queues[i].push(wire.queued));
    flows.forEach((flow, i) => {
      const c = flow.connection?.socket.connection;
      const into = this.flows[i];
      into.cwnd.push(c === undefined ? null : c.cwnd);
      into.ssthresh.push(c === undefined || c.ssthresh > 1e8 ? null : c.ssthresh);
      into.flight.push(c === undefined ? null : (c.sndNxt - c.sndUna) | 0);
      into.rtt.push(c === undefined || c.srttUs <= 0 ? null : c.srttUs / 1000);
      into.rto.push(c === undefined ? null : c.rtoUs / 1000);
      const bytes = flow.receivedBytes - this.lastBytes[i];
      const us = nowUs - this.lastUs;
      into.goodput.push(us <= 0 || bytes < 0 ? 0 : (bytes * 8) / us);
      this.lastBytes[i] = flow.receivedBytes;
    });
    this.lastUs = nowUs;
    this.nextUs = nowUs + this.intervalUs;
    if (this.seconds.length > MOST) this.thin();
  }

  private thin(): void {
    const half = (column: unknown[]) => {
      for (let i = 0; 2 * i < column.length; i++) column[i] = column[2 * i];
      column.length = Math.ceil(column.length / 2);
    };
    half(this.seconds);
    this.queues.forEach(half);
    for (const flow of this.flows) for (const name of FLOW_CURVES) half(flow[name]);
    this.intervalUs *= 2;
  }
}
