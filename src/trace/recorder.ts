import type { IpAddress } from "../base/address.ts";
import type { ConnectionView, PathView, TraceDirection, Tracer } from "../base/trace.ts";
import { readTrace, type Trace } from "./events.ts";
import {
  FLAG_FIN_QUEUED,
  FLAG_FIN_RECEIVED,
  FLAG_FIN_SENT,
  KIND_CALL,
  KIND_CONGESTION,
  KIND_DATAGRAM,
  KIND_DNS,
  KIND_DROP,
  KIND_ICMP,
  KIND_NEIGHBOR,
  KIND_NOTE,
  KIND_REPLY,
  KIND_SEGMENT,
  KIND_STATE,
  KIND_TIMER_FIRED,
  KIND_TIMER_SET,
  RECORD_WORDS,
  W_A,
  W_B,
  W_C,
  W_CONNECTION,
  W_CWND,
  W_D,
  W_E,
  W_F,
  W_G,
  W_KIND,
  W_PIPE,
  W_RANGE_1,
  W_RANGE_2,
  W_RANGES,
  W_RCV_ADV,
  W_RCV_BUF,
  W_RCV_NXT,
  W_RCV_READ,
  W_RTO,
  W_RTTVAR,
  W_SND_BUF,
  W_SND_END,
  W_SND_MSS,
  W_SND_NXT,
  W_SND_UNA,
  W_SND_WND,
  W_SRTT,
  W_SSTHRESH,
  W_STATE,
  W_TIMER,
} from "./record.ts";
import { type TraceConnection, TraceStore, type TraceStoreOptions } from "./trace-store.ts";

/** Who can be given a tracer: a host. */
export interface Traceable {
  readonly name: string;
  tracer: Tracer | undefined;
}

/** Records what several hosts do on one time line. */
export class Recorder {
  readonly store: TraceStore;

  constructor(options: TraceStoreOptions = {}) {
    this.store = new TraceStore(options);
  }

  /**
   * A tracer that records under this host's name. With a clock its time is
   * taken instead of the one that the stack tells, which is that of its last
   * packet or poll when the application calls.
   */
  tracer(host: string, clock?: { now(): number }): Tracer {
    return new RecordingTracer(this.store, this.store.host(host), clock);
  }

  /** Begins to record a host. Answers how to stop. */
  attach(host: Traceable): () => void {
    const tracer = this.tracer(host.name);
    host.tracer = tracer;
    return () => {
      if (host.tracer === tracer) host.tracer = undefined;
    };
  }

  /** Puts a remark into the trace: of a host, or of nobody. */
  note(timeUs: number, text: string, host = ""): void {
    const { store } = this;
    const number = host === "" ? 0xffff : store.host(host);
    const at = store.append(timeUs);
    store.words.fill(0, at, at + RECORD_WORDS);
    store.words[at + W_KIND] = KIND_NOTE | (number << 16);
    store.words[at + W_A] = store.string(text);
  }

  /** What is recorded now, as objects. */
  read(): Trace {
    return readTrace(this.store);
  }
}

/** "10.0.0.1:80", "[fd00::1]:80" */
export function endpointText(address: IpAddress, port: number): string {
  return address.isIpv4 ? `${address}:${port}` : `[${address}]:${port}`;
}

class RecordingTracer implements Tracer {
  private readonly store: TraceStore;
  private readonly hostBits: number;
  private readonly known = new Map<ConnectionView, TraceConnection>();
  /** One flow's events come in rows: the map is asked only when it changes. */
  private last: ConnectionView | undefined = undefined;
  private lastId = 0;
  private lastTimer = -1;
  private readonly clock: { now(): number } | undefined;

  constructor(store: TraceStore, host: number, clock: { now(): number } | undefined) {
    this.store = store;
    this.hostBits = host << 16;
    this.clock = clock;
  }

  segment(
    nowUs: number,
    c: ConnectionView,
    direction: TraceDirection,
    seq: number,
    ack: number,
    flags: number,
    length: number,
    rawWindow: number,
    reason: number,
  ): void {
    const at = this.begin(nowUs, KIND_SEGMENT | (direction << 8), c);
    const { words } = this.store;
    words[at + W_A] = seq;
    words[at + W_B] = ack;
    words[at + W_C] = flags;
    words[at + W_D] = length;
    words[at + W_E] = rawWindow;
    words[at + W_F] = reason;
  }

  reply(
    nowUs: number,
    path: PathView,
    ports: number,
    seq: number,
    ack: number,
    flags: number,
  ): void {
    const at = this.plain(nowUs, KIND_REPLY | (1 << 8));
    const { store } = this;
    store.words[at + W_A] = seq;
    store.words[at + W_B] = ack;
    store.words[at + W_C] = flags;
    store.words[at + W_F] = store.string(endpointText(path.local, ports >>> 16));
    store.words[at + W_G] = store.string(endpointText(path.remote, ports & 0xffff));
  }

  state(nowUs: number, c: ConnectionView, from: number, to: number): void {
    const at = this.begin(nowUs, KIND_STATE, c);
    const { words } = this.store;
    words[at + W_A] = from;
    words[at + W_B] = to;
    this.refresh(c);
    if (to === 0) this.forget(c);
  }

  /** Each ACK puts the same timer off; what is recorded is that another one runs, or none. */
  timerSet(nowUs: number, c: ConnectionView, kind: number, atUs: number): void {
    const running = atUs === Number.POSITIVE_INFINITY ? -kind - 2 : kind;
    if (running === this.lastTimer && c === this.last) return;
    this.lastTimer = running;
    const at = this.begin(nowUs, KIND_TIMER_SET, c);
    const { words } = this.store;
    const inUs = Math.max(0, atUs - nowUs);
    words[at + W_A] = kind;
    // Seconds and the rest of microseconds: two hours do not fit into 31 bits.
    words[at + W_B] = inUs === Number.POSITIVE_INFINITY ? -1 : Math.floor(inUs / 1e6);
    words[at + W_C] = inUs === Number.POSITIVE_INFINITY ? 0 : inUs % 1e6;
  }

  timerFired(nowUs: number, c: ConnectionView, kind: number): void {
    const at = this.begin(nowUs, KIND_TIMER_FIRED, c);
    this.store.words[at + W_A] = kind;
  }

  congestion(nowUs: number, c: ConnectionView, from: number, to: number): void {
    const at = this.begin(nowUs, KIND_CONGESTION, c);
    const { words } = this.store;
    words[at + W_A] = from;
    words[at + W_B] = to;
  }

  drop(nowUs: number, c: ConnectionView | undefined, reason: number): void {
    const at = c === undefined ? this.plain(nowUs, KIND_DROP) : this.begin(nowUs, KIND_DROP, c);
    this.store.words[at + W_A] = reason;
  }

  call(
    nowUs: number,
    c: ConnectionView | undefined,
    call: number,
    asked: number,
    result: number,
  ): void {
    const at = c === undefined ? this.plain(nowUs, KIND_CALL) : this.begin(nowUs, KIND_CALL, c);
    const { words } = this.store;
    words[at + W_A] = call;
    words[at + W_B] = asked;
    words[at + W_C] = result;
  }

  neighbor(
    nowUs: number,
    interfaceIndex: number,
    event: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): void {
    const at = this.plain(nowUs, KIND_NEIGHBOR);
    const { words } = this.store;
    words[at + W_A] = event;
    words[at + W_B] = interfaceIndex;
    words[at + W_C] = w0;
    words[at + W_D] = w1;
    words[at + W_E] = w2;
    words[at + W_F] = w3;
  }

  icmp(
    nowUs: number,
    direction: TraceDirection,
    type: number,
    code: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): void {
    const at = this.plain(nowUs, KIND_ICMP | (direction << 8));
    const { words } = this.store;
    words[at + W_A] = type;
    words[at + W_B] = code;
    words[at + W_C] = w0;
    words[at + W_D] = w1;
    words[at + W_E] = w2;
    words[at + W_F] = w3;
  }

  datagram(nowUs: number, direction: TraceDirection, ports: number, length: number): void {
    const at = this.plain(nowUs, KIND_DATAGRAM | (direction << 8));
    this.store.words[at + W_A] = ports;
    this.store.words[at + W_B] = length;
  }

  dns(nowUs: number, event: number, name: string, type: number, result: number): void {
    const at = this.plain(nowUs, KIND_DNS);
    const { store } = this;
    store.words[at + W_A] = event;
    store.words[at + W_B] = store.string(name);
    store.words[at + W_C] = type;
    store.words[at + W_D] = result;
  }

  // Writing

  /** A record of a connection, its variables as they are now. */
  private begin(nowUs: number, kind: number, c: ConnectionView): number {
    const { store } = this;
    const id = c === this.last ? this.lastId : this.find(c);
    const at = store.append(this.clock === undefined ? nowUs : this.clock.now());
    const { words } = store;
    words[at + W_KIND] = kind | this.hostBits;
    words[at + W_CONNECTION] = id;
    words[at + W_G] = 0;
    words[at + W_STATE] =
      c.state |
      (c.finQueued ? FLAG_FIN_QUEUED : 0) |
      (c.finSent ? FLAG_FIN_SENT : 0) |
      (c.finReceived ? FLAG_FIN_RECEIVED : 0);
    words[at + W_SND_UNA] = c.sndUna;
    words[at + W_SND_NXT] = c.sndNxt;
    words[at + W_SND_END] = c.sndEnd;
    words[at + W_SND_WND] = c.sndWnd;
    words[at + W_SND_BUF] = c.sndBufSize;
    words[at + W_SND_MSS] = c.sndMss;
    words[at + W_RCV_NXT] = c.rcvNxt;
    words[at + W_RCV_READ] = c.rcvRead;
    words[at + W_RCV_ADV] = c.rcvAdv;
    words[at + W_RCV_BUF] = c.rcvBufSize;
    const ranges = c.outOfOrder;
    const count = ranges === undefined ? 0 : ranges.count;
    words[at + W_RANGES] = count;
    if (count > 0) {
      words[at + W_RANGE_1] = ranges!.start(0);
      words[at + W_RANGE_1 + 1] = ranges!.end(0);
      if (count > 1) {
        words[at + W_RANGE_2] = ranges!.start(1);
        words[at + W_RANGE_2 + 1] = ranges!.end(1);
      }
    }
    words[at + W_SRTT] = c.srttUs;
    words[at + W_RTTVAR] = c.rttvarUs;
    words[at + W_RTO] = c.rtoUs;
    words[at + W_CWND] = c.cwnd;
    words[at + W_SSTHRESH] = c.ssthresh;
    words[at + W_PIPE] = c.pipe;
    words[at + W_TIMER] = c.timerKind | (c.caState << 8);
    return at;
  }

  /** A record of the host alone. */
  private plain(nowUs: number, kind: number): number {
    const { store } = this;
    const at = store.append(this.clock === undefined ? nowUs : this.clock.now());
    store.words.fill(0, at, at + RECORD_WORDS);
    store.words[at + W_KIND] = kind | this.hostBits;
    return at;
  }

  private find(c: ConnectionView): number {
    let info = this.known.get(c);
    if (info === undefined) {
      info = this.store.addConnection({
        host: this.store.hosts[this.hostBits >>> 16],
        local: "",
        remote: "",
        iss: undefined,
        irs: undefined,
        sndWscale: 0,
        rcvWscale: 0,
      });
      this.known.set(c, info);
      this.refresh(c);
    }
    this.last = c;
    this.lastId = info.id;
    return info.id;
  }

  /** What of a connection's identity is known by now; looked at when its state changes. */
  private refresh(c: ConnectionView): void {
    const info = this.known.get(c);
    const { path } = c;
    if (info === undefined || path === undefined) return;
    info.local = endpointText(path.local, c.localPort);
    info.remote = endpointText(path.remote, c.remotePort);
    info.iss = c.iss >>> 0;
    if (c.state >= 3) info.irs = c.irs >>> 0;
    info.sndWscale = c.sndWscale;
    info.rcvWscale = c.rcvWscale;
  }

  /** The control block is gone; its events stay. */
  private forget(c: ConnectionView): void {
    this.known.delete(c);
    if (this.last === c) this.last = undefined;
  }
}
