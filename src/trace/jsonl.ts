/**
 * Traces as lines of JSON, in the manner of qlog (draft-ietf-quic-qlog-main-schema): a head,
 * the connections, then one event a line. The schema is docs/trace-events.md.
 */
import { parseAddressWords } from "../base/address-text.ts";
import { type ConnectionVariables, readTrace, type Trace, type TraceEvent } from "./events.ts";
import {
  CALLS,
  CONGESTION_STATES,
  codeOf,
  codeOfState,
  DNS_EVENTS,
  DROPS,
  flagBits,
  NEIGHBOR_EVENTS,
  REASONS,
  TIMERS,
} from "./names.ts";
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
  W_CONNECTION,
  W_CWND,
  W_KIND,
  W_PIPE,
  W_RANGE_1,
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
} from "./record.ts";
import { TraceStore } from "./trace-store.ts";

export const TRACE_FORMAT = "fullduplex-trace";
export const TRACE_VERSION = 1;

/** Lines without their ends. Of a connection's variables each event names only those that changed. */
export function* exportJsonl(trace: Trace): Generator<string> {
  yield JSON.stringify({
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    hosts: trace.hosts,
    lost: trace.lost,
  });
  for (const connection of trace.connections) yield JSON.stringify({ define: connection });
  const last = new Map<number, ConnectionVariables>();
  for (const event of trace.events()) yield JSON.stringify(lineOf(event, last));
}

function lineOf(event: TraceEvent, last: Map<number, ConnectionVariables>): object {
  const { timeUs, host, name, ...rest } = event;
  const head = { time: timeUs, host, name };
  if (!("variables" in rest) || rest.variables === undefined || rest.connection === undefined) {
    return { ...head, data: rest };
  }
  const { connection, variables, ...data } = rest;
  const changed = changes(last.get(connection), variables);
  last.set(connection, variables);
  return {
    ...head,
    connection,
    data,
    ...(Object.keys(changed).length === 0 ? {} : { variables: changed }),
  };
}

function changes(from: ConnectionVariables | undefined, to: ConnectionVariables) {
  const changed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(to)) {
    const before = from?.[key as keyof ConnectionVariables];
    const same =
      key === "ranges" ? JSON.stringify(before) === JSON.stringify(value) : before === value;
    // JSON has no undefined: an ssthresh without a limit is null.
    if (!same) changed[key] = value ?? null;
  }
  return changed;
}

/** A file that is not such a trace, or a line of it that cannot be read. */
export class TraceFormatError extends Error {
  readonly code = "ERR_TRACE_FORMAT";
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "TraceFormatError";
  }
}

/** Reads an exported trace line by line into records, so that a million events need 140 MB, not a gigabyte. */
export class JsonlReader {
  readonly store = new TraceStore({ capacity: 4096, growTo: 2 ** 24 });
  private lineNumber = 0;
  private readonly last = new Map<number, ConnectionVariables>();

  /** Takes one line; empty ones are passed over. */
  line(text: string): void {
    this.lineNumber++;
    if (text.trim() === "") return;
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(text) as Record<string, unknown>;
    } catch {
      throw new TraceFormatError(this.lineNumber, "this is no JSON");
    }
    if (this.lineNumber === 1) this.head(value);
    else if (value.define !== undefined) this.define(value.define as Record<string, unknown>);
    else this.event(value);
  }

  get trace(): Trace {
    return readTrace(this.store);
  }

  private head(value: Record<string, unknown>): void {
    if (value.format !== TRACE_FORMAT) {
      throw new TraceFormatError(1, `this is no trace: its format is not "${TRACE_FORMAT}"`);
    }
    if (value.version !== TRACE_VERSION) {
      throw new TraceFormatError(
        1,
        `version ${String(value.version)} is not known, only ${TRACE_VERSION}`,
      );
    }
    for (const host of (value.hosts as string[] | undefined) ?? []) this.store.host(host);
  }

  private define(value: Record<string, unknown>): void {
    const { id: _, ...connection } = value;
    this.store.addConnection({
      iss: undefined,
      irs: undefined,
      ...(connection as {
        host: string;
        local: string;
        remote: string;
        sndWscale: number;
        rcvWscale: number;
      }),
    });
  }

  private event(line: Record<string, unknown>): void {
    const { store } = this;
    const { time, name, host } = line;
    if (typeof time !== "number" || typeof name !== "string") {
      throw new TraceFormatError(this.lineNumber, "an event needs a time and a name");
    }
    const writer = WRITERS[name];
    // What a later version adds is passed over.
    if (writer === undefined) return;
    const at = store.append(time);
    const w = store.words;
    w.fill(0, at, at + RECORD_WORDS);
    const number = host === "" || host === undefined ? 0xffff : store.host(String(host));
    const data = (line.data ?? {}) as Record<string, never>;
    const [kind, ...words] = writer(data, store);
    w[at + W_KIND] = kind | (number << 16);
    for (let i = 0; i < words.length; i++) w[at + W_A + i] = words[i];
    if (typeof line.connection === "number") {
      w[at + W_CONNECTION] = line.connection;
      this.variables(w, at, line.connection, line.variables as Partial<ConnectionVariables>);
    }
  }

  private variables(
    w: Int32Array,
    at: number,
    connection: number,
    changed: Partial<ConnectionVariables> = {},
  ): void {
    const v = { ...this.last.get(connection), ...changed } as ConnectionVariables;
    this.last.set(connection, v);
    w[at + W_STATE] =
      codeOfState(v.state) |
      (v.finQueued ? FLAG_FIN_QUEUED : 0) |
      (v.finSent ? FLAG_FIN_SENT : 0) |
      (v.finReceived ? FLAG_FIN_RECEIVED : 0);
    w[at + W_SND_UNA] = v.sndUna;
    w[at + W_SND_NXT] = v.sndNxt;
    w[at + W_SND_END] = v.sndEnd;
    w[at + W_SND_WND] = v.sndWnd;
    w[at + W_SND_BUF] = v.sndBufSize;
    w[at + W_SND_MSS] = v.sndMss;
    w[at + W_RCV_NXT] = v.rcvNxt;
    w[at + W_RCV_READ] = v.rcvRead;
    w[at + W_RCV_ADV] = v.rcvAdv;
    w[at + W_RCV_BUF] = v.rcvBufSize;
    w[at + W_RANGES] = v.outOfOrder;
    (v.ranges ?? []).flat().forEach((edge, i) => {
      w[at + W_RANGE_1 + i] = edge;
    });
    w[at + W_SRTT] = v.srttUs;
    w[at + W_RTTVAR] = v.rttvarUs;
    w[at + W_RTO] = v.rtoUs;
    w[at + W_CWND] = v.cwnd;
    w[at + W_SSTHRESH] = v.ssthresh ?? 0x7fffffff;
    w[at + W_PIPE] = v.pipe;
  }
}

/** Reads a whole exported trace. Throws `TraceFormatError`. */
export function importJsonl(lines: Iterable<string>): Trace {
  const reader = new JsonlReader();
  for (const line of lines) reader.line(line);
  return reader.trace;
}

type Data = Record<string, never>;
type Words = [kind: number, ...words: number[]];
const OUT = 0x100;

const segment =
  (out: number) =>
  (d: Data): Words => [
    KIND_SEGMENT | out,
    d.seq,
    d.ack,
    flagBits(d.flags),
    d.length,
    d.rawWindow,
    codeOf(REASONS, d.reason),
  ];
const icmp =
  (out: number) =>
  (d: Data): Words => [KIND_ICMP | out, d.type, d.code, ...addressWords(d.remote)];
const datagram =
  (out: number) =>
  (d: Data): Words => [KIND_DATAGRAM | out, (d.localPort << 16) | d.remotePort, d.length];

/** How the data of each event becomes words, W_A and on. */
const WRITERS: Readonly<Record<string, (data: Data, store: TraceStore) => Words>> = {
  "tcp:segment_sent": segment(OUT),
  "tcp:segment_received": segment(0),
  "tcp:reply_sent": (d, store) => [
    KIND_REPLY | OUT,
    d.seq,
    d.ack,
    flagBits(d.flags),
    0,
    0,
    store.string(d.local),
    store.string(d.remote),
  ],
  "tcp:state_updated": (d) => [KIND_STATE, codeOfState(d.from), codeOfState(d.to)],
  "tcp:timer_set": (d) => [
    KIND_TIMER_SET,
    codeOf(TIMERS, d.timer),
    d.inUs === null ? -1 : Math.floor(d.inUs / 1e6),
    d.inUs === null ? 0 : d.inUs % 1e6,
  ],
  "tcp:timer_fired": (d) => [KIND_TIMER_FIRED, codeOf(TIMERS, d.timer)],
  "tcp:congestion_updated": (d) => [
    KIND_CONGESTION,
    CONGESTION_STATES.indexOf(d.from),
    CONGESTION_STATES.indexOf(d.to),
  ],
  "tcp:segment_dropped": (d) => [KIND_DROP, codeOf(DROPS, d.reason)],
  "socket:call": (d) => [KIND_CALL, codeOf(CALLS, d.call), d.asked, d.result],
  "neighbor:updated": (d) => [
    KIND_NEIGHBOR,
    codeOf(NEIGHBOR_EVENTS, d.event),
    d.interface,
    ...addressWords(d.address),
  ],
  "icmp:sent": icmp(OUT),
  "icmp:received": icmp(0),
  "udp:sent": datagram(OUT),
  "udp:received": datagram(0),
  "dns:question": (d, store) => [
    KIND_DNS,
    codeOf(DNS_EVENTS, d.event),
    store.string(d.question),
    d.type,
    d.result,
  ],
  note: (d, store) => [KIND_NOTE, store.string(d.text)],
};

function addressWords(text: string): number[] {
  return parseAddressWords(text)?.slice(0, 4) ?? [0, 0, 0, 0];
}
