/**
 * Trace events as objects, made when a trace is read. Names and fields are
 * stable: the exported files have the same (docs/trace-events.md).
 */
import { formatAddressWords } from "../base/address.ts";
import {
  CALLS,
  CONGESTION_STATES,
  DNS_EVENTS,
  DROPS,
  flagNames,
  NEIGHBOR_EVENTS,
  nameOfState,
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
} from "./record.ts";
import type { TraceConnection, TraceStore } from "./trace-store.ts";

/**
 * The variables of a connection at an event, by their RFC names. Sequence
 * numbers are unsigned, windows and buffers bytes, times microseconds.
 */
export interface ConnectionVariables {
  state: string;
  sndUna: number;
  sndNxt: number;
  /** After the last byte that the application wrote. */
  sndEnd: number;
  sndWnd: number;
  sndBufSize: number;
  sndMss: number;
  rcvNxt: number;
  /** The next byte that the application will read. */
  rcvRead: number;
  /** Right edge of the window announced. */
  rcvAdv: number;
  rcvBufSize: number;
  /** Data beyond a gap: how many ranges, and up to two of them as [start, end). */
  outOfOrder: number;
  ranges: readonly (readonly [number, number])[];
  srttUs: number;
  rttvarUs: number;
  rtoUs: number;
  cwnd: number;
  /** Undefined: no limit was found yet. */
  ssthresh: number | undefined;
  /** Bytes in flight, as loss recovery counts them. */
  pipe: number;
  finQueued: boolean;
  finSent: boolean;
  finReceived: boolean;
}

interface Happened {
  readonly timeUs: number;
  /** Whose event it is; "" for a remark about the whole. */
  readonly host: string;
}
interface OfConnection extends Happened {
  /** `TraceConnection.id` */
  readonly connection: number;
  readonly variables: ConnectionVariables;
}
interface SegmentNumbers {
  /** Unsigned. */
  readonly seq: number;
  readonly ack: number;
  readonly flags: readonly string[];
}

export interface SegmentEvent extends OfConnection, SegmentNumbers {
  readonly name: "tcp:segment_sent" | "tcp:segment_received";
  /** Bytes of payload. */
  readonly length: number;
  /** As on the wire, unscaled. */
  readonly rawWindow: number;
  /** Why it was sent again, or though it carries nothing new: rto, fast, tail-loss-probe, syn, keep-alive, window-probe. */
  readonly reason?: string;
}
/** A segment that belongs to no connection: RST, an ACK from TIME-WAIT, a SYN cookie. */
export interface ReplyEvent extends Happened, SegmentNumbers {
  readonly name: "tcp:reply_sent";
  readonly local: string;
  readonly remote: string;
}
export interface StateEvent extends OfConnection {
  readonly name: "tcp:state_updated";
  readonly from: string;
  readonly to: string;
}
export interface TimerSetEvent extends OfConnection {
  readonly name: "tcp:timer_set";
  readonly timer: string;
  /** From now; null: it was stopped. */
  readonly inUs: number | null;
}
export interface TimerFiredEvent extends OfConnection {
  readonly name: "tcp:timer_fired";
  readonly timer: string;
}
export interface CongestionEvent extends OfConnection {
  readonly name: "tcp:congestion_updated";
  /** open, disorder, cwr, recovery, loss */
  readonly from: string;
  readonly to: string;
}
export interface DropEvent extends Happened {
  readonly name: "tcp:segment_dropped";
  readonly connection?: number;
  readonly variables?: ConnectionVariables;
  readonly reason: string;
}
export interface CallEvent extends Happened {
  readonly name: "socket:call";
  readonly connection?: number;
  readonly variables?: ConnectionVariables;
  readonly call: string;
  /** Bytes asked for, or 0. */
  readonly asked: number;
  /** >= 0, or -errno. */
  readonly result: number;
}
export interface NeighborEvent extends Happened {
  readonly name: "neighbor:updated";
  /** asked, learned, answered, failed, stale */
  readonly event: string;
  readonly interface: number;
  readonly address: string;
}
export interface IcmpEvent extends Happened {
  readonly name: "icmp:sent" | "icmp:received";
  readonly type: number;
  readonly code: number;
  readonly remote: string;
}
export interface DatagramEvent extends Happened {
  readonly name: "udp:sent" | "udp:received";
  readonly localPort: number;
  readonly remotePort: number;
  readonly length: number;
}
export interface DnsEvent extends Happened {
  readonly name: "dns:question";
  /** asked, answered, truncated, failed, cached */
  readonly event: string;
  readonly question: string;
  readonly type: number;
  readonly result: number;
}
export interface NoteEvent extends Happened {
  readonly name: "note";
  readonly text: string;
}

export type TraceEvent =
  | SegmentEvent
  | ReplyEvent
  | StateEvent
  | TimerSetEvent
  | TimerFiredEvent
  | CongestionEvent
  | DropEvent
  | CallEvent
  | NeighborEvent
  | IcmpEvent
  | DatagramEvent
  | DnsEvent
  | NoteEvent;

/** A trace that can be read: events in the order in which they happened. */
export interface Trace {
  readonly hosts: readonly string[];
  readonly connections: readonly TraceConnection[];
  /** Events forgotten before the first. */
  readonly lost: number;
  readonly length: number;
  /** Makes the object of event `i`, 0 being the oldest kept. */
  event(i: number): TraceEvent;
  events(): IterableIterator<TraceEvent>;
}

export function readTrace(store: TraceStore): Trace {
  return {
    hosts: store.hosts,
    connections: store.connections,
    get lost() {
      return store.lost;
    },
    get length() {
      return store.length;
    },
    event: (i) => decodeEvent(store, i),
    *events() {
      for (let i = 0; i < store.length; i++) yield decodeEvent(store, i);
    },
  };
}

export function decodeEvent(store: TraceStore, i: number): TraceEvent {
  const at = store.at(i);
  const w = store.words;
  const word = w[at + W_KIND];
  const kind = word & 0xff;
  const out = (word & 0x100) !== 0;
  const host = store.hosts[word >>> 16] ?? "";
  const timeUs = store.time(i);
  const a = w[at + W_A];
  const b = w[at + W_B];
  const c = w[at + W_C];
  const d = w[at + W_D];
  const base = { timeUs, host };
  const id = w[at + W_CONNECTION];
  const owner = id === 0 ? {} : { connection: id, variables: variablesAt(w, at) };
  const connection = owner as { connection: number; variables: ConnectionVariables };
  switch (kind) {
    case KIND_SEGMENT: {
      const reason = REASONS[w[at + W_F]];
      return {
        name: out ? "tcp:segment_sent" : "tcp:segment_received",
        ...base,
        seq: a >>> 0,
        ack: b >>> 0,
        flags: flagNames(c),
        length: d,
        rawWindow: w[at + W_E],
        ...(reason === undefined ? {} : { reason }),
        ...connection,
      };
    }
    case KIND_REPLY:
      return {
        name: "tcp:reply_sent",
        ...base,
        local: store.text(w[at + W_F]),
        remote: store.text(w[at + W_G]),
        seq: a >>> 0,
        ack: b >>> 0,
        flags: flagNames(c),
      };
    case KIND_STATE:
      return {
        name: "tcp:state_updated",
        ...base,
        from: nameOfState(a),
        to: nameOfState(b),
        ...connection,
      };
    case KIND_TIMER_SET:
      return {
        name: "tcp:timer_set",
        ...base,
        timer: TIMERS[a] ?? String(a),
        inUs: b < 0 ? null : b * 1e6 + c,
        ...connection,
      };
    case KIND_TIMER_FIRED:
      return { name: "tcp:timer_fired", ...base, timer: TIMERS[a] ?? String(a), ...connection };
    case KIND_CONGESTION:
      return {
        name: "tcp:congestion_updated",
        ...base,
        from: CONGESTION_STATES[a] ?? String(a),
        to: CONGESTION_STATES[b] ?? String(b),
        ...connection,
      };
    case KIND_DROP:
      return { name: "tcp:segment_dropped", ...base, reason: DROPS[a] ?? String(a), ...owner };
    case KIND_CALL:
      return {
        name: "socket:call",
        ...base,
        call: CALLS[a] ?? String(a),
        asked: b,
        result: c,
        ...owner,
      };
    case KIND_NEIGHBOR:
      return {
        name: "neighbor:updated",
        ...base,
        event: NEIGHBOR_EVENTS[a] ?? String(a),
        interface: b,
        address: formatAddressWords(c, d, w[at + W_E], w[at + W_F], 0),
      };
    case KIND_ICMP:
      return {
        name: out ? "icmp:sent" : "icmp:received",
        ...base,
        type: a,
        code: b,
        remote: formatAddressWords(c, d, w[at + W_E], w[at + W_F], 0),
      };
    case KIND_DATAGRAM:
      return {
        name: out ? "udp:sent" : "udp:received",
        ...base,
        localPort: a >>> 16,
        remotePort: a & 0xffff,
        length: b,
      };
    case KIND_DNS:
      return {
        name: "dns:question",
        ...base,
        event: DNS_EVENTS[a] ?? String(a),
        question: store.text(b),
        type: c,
        result: d,
      };
    case KIND_NOTE:
      return { name: "note", ...base, text: store.text(a) };
    default:
      throw new RangeError(`record ${i} is of unknown kind ${kind}`);
  }
}

const INFINITE_SSTHRESH = 0x7fffffff;

function variablesAt(w: Int32Array, at: number): ConnectionVariables {
  const flags = w[at + W_STATE];
  const count = w[at + W_RANGES];
  const ranges: [number, number][] = [];
  if (count > 0) ranges.push([w[at + W_RANGE_1] >>> 0, w[at + W_RANGE_1 + 1] >>> 0]);
  if (count > 1) ranges.push([w[at + W_RANGE_2] >>> 0, w[at + W_RANGE_2 + 1] >>> 0]);
  const ssthresh = w[at + W_SSTHRESH];
  return {
    state: nameOfState(flags & 0xff),
    sndUna: w[at + W_SND_UNA] >>> 0,
    sndNxt: w[at + W_SND_NXT] >>> 0,
    sndEnd: w[at + W_SND_END] >>> 0,
    sndWnd: w[at + W_SND_WND],
    sndBufSize: w[at + W_SND_BUF],
    sndMss: w[at + W_SND_MSS],
    rcvNxt: w[at + W_RCV_NXT] >>> 0,
    rcvRead: w[at + W_RCV_READ] >>> 0,
    rcvAdv: w[at + W_RCV_ADV] >>> 0,
    rcvBufSize: w[at + W_RCV_BUF],
    outOfOrder: count,
    ranges,
    srttUs: w[at + W_SRTT],
    rttvarUs: w[at + W_RTTVAR],
    rtoUs: w[at + W_RTO],
    cwnd: w[at + W_CWND],
    ssthresh: ssthresh === INFINITE_SSTHRESH ? undefined : ssthresh,
    pipe: w[at + W_PIPE],
    finQueued: (flags & FLAG_FIN_QUEUED) !== 0,
    finSent: (flags & FLAG_FIN_SENT) !== 0,
    finReceived: (flags & FLAG_FIN_RECEIVED) !== 0,
  };
}
