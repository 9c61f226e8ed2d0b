import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  socketAddress,
  TCP_CONGESTION,
} from "fullduplex/sockets";
import { type CableOptions, Network, type SocketHost, virtualTime } from "fullduplex";

/** One path and who shares it. */
export interface Cell {
  readonly mbps: number;
  readonly rttMs: number;
  /** Share of packets lost at random; "burst": runs of 10 lost packets, 0.1 % of the time. */
  readonly loss: number | "burst";
  /** Bottleneck queue in bandwidth-delay products, or CoDel. */
  readonly queue: number | "codel";
  /** One flow for each name. */
  readonly algorithms: readonly string[];
  /** Virtual seconds; default max(10, 50 RTT). */
  readonly seconds?: number;
}

export interface CellResult {
  /** Application bytes that arrived, Mbit/s, all flows together. */
  readonly goodput: number;
  /** Share of what the rate allows for application bytes. */
  readonly utilisation: number;
  /** Share of segments sent again. */
  readonly retransmitted: number;
  /** Queueing delay in milliseconds, sampled every 20 ms: median and 95th percentile. */
  readonly queueMedian: number;
  readonly queueP95: number;
  /** Jain's index over the flows' goodput: 1 is equal. */
  readonly fairness: number;
  /** Mbit/s of each flow. */
  readonly flows: readonly number[];
}

const MTU = 1500;
/** Ethernet header, IP, TCP with timestamps. */
const FRAME = 14 + MTU;
const PAYLOAD = MTU - 52;

export function nameOf(cell: Cell): string {
  const loss = cell.loss === "burst" ? "burst" : `${cell.loss * 100}%`;
  const queue = cell.queue === "codel" ? "codel" : `${cell.queue}bdp`;
  return `${cell.mbps}mbps-${cell.rttMs}ms-${loss}-${queue}-${cell.algorithms.join("+")}`;
}

/** Runs one cell in virtual time; the same seed gives the same figures. */
export function runCell(cell: Cell, seed = 1): CellResult {
  const seconds = cell.seconds ?? Math.max(10, (50 * cell.rttMs) / 1000);
  const clock = virtualTime();
  const net = new Network({ clock, seed });
  const bottleneck = net.cable(line(cell));
  const sender = net.host({ name: "sender" });
  sender.addInterface(bottleneck.a, { addresses: ["10.0.0.1/24"] });
  const receiver = net.host({ name: "receiver" });
  receiver.addInterface(bottleneck.b, { addresses: ["10.0.0.2/24"] });
  const received = cell.algorithms.map(() => 0);
  sink(receiver, received);
  cell.algorithms.forEach((name, n) => source(sender, name, n));
  const delays: number[] = [];
  const endUs = seconds * 1e6;
  const bytesPerMs = (cell.mbps * 1e6) / 8 / 1000;
  // Slow start is part of the transfer; the delay is what stands in the queue.
  for (let us = 20_000; us <= endUs; us += 20_000) {
    clock.runSync(us);
    delays.push(bottleneck.a.lane.queuedBytes / bytesPerMs);
  }
  delays.sort((x, y) => x - y);
  const flows = received.map((bytes) => (bytes * 8) / seconds / 1e6);
  const goodput = flows.reduce((sum, x) => sum + x, 0);
  const squares = flows.reduce((sum, x) => sum + x * x, 0);
  const { tcpRetransSegs, tcpOutSegs } = sender.counters;
  net.close();
  return {
    goodput,
    utilisation: goodput / ((cell.mbps * PAYLOAD) / FRAME),
    retransmitted: tcpRetransSegs / Math.max(1, tcpOutSegs),
    queueMedian: delays[delays.length >> 1] ?? 0,
    queueP95: delays[Math.floor(delays.length * 0.95)] ?? 0,
    fairness: squares === 0 ? 0 : (goodput * goodput) / (flows.length * squares),
    flows,
  };
}

function line(cell: Cell): CableOptions {
  const bitsPerSecond = cell.mbps * 1e6;
  const bdp = Math.max((bitsPerSecond / 8) * (cell.rttMs / 1000), 10 * FRAME);
  const queue =
    cell.queue === "codel"
      ? { bytes: Math.max(4 * bdp, 100 * FRAME), codel: true }
      : { bytes: Math.max(cell.queue * bdp, 2 * FRAME) };
  const loss =
    cell.loss === "burst"
      ? { burst: { enterBad: 0.0001, leaveBad: 0.1 } }
      : cell.loss > 0
        ? { loss: cell.loss }
        : {};
  return {
    delayMs: cell.rttMs / 2,
    aToB: { bitsPerSecond, queue, ...loss },
    // The way back is never the bottleneck.
    bToA: { bitsPerSecond: 10e9, queue: { packets: 100_000 } },
  };
}

const BUFFER = new Uint8Array(256 * 1024);

function sink(host: SocketHost, received: number[]): void {
  const { calls, parked } = host;
  const fd = calls.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  calls.bind(fd, socketAddress("0.0.0.0", 80));
  calls.listen(fd, 64);
  const listener = calls.lookup(fd)!;
  let accepted = 0;
  const accept = () =>
    parked.accept(listener, (result, operation) => {
      if (result < 0) return;
      const socket = operation.accepted!;
      const n = accepted++;
      const read = () =>
        parked.read(socket, BUFFER, 0, BUFFER.length, 0, (result) => {
          if (result <= 0) return;
          received[n]! += result;
          read();
        });
      read();
      accept();
    });
  accept();
}

function source(host: SocketHost, algorithm: string, n: number): void {
  const { calls, parked } = host;
  const fd = calls.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm);
  calls.bind(fd, socketAddress("10.0.0.1", 10_000 + n));
  const socket = calls.lookup(fd)!;
  const write = () =>
    parked.write(socket, BUFFER, 0, BUFFER.length, 0, (result) => {
      if (result > 0) write();
    });
  parked.connect(socket, socketAddress("10.0.0.2", 80), (result) => {
    if (result === 0) write();
  });
}
