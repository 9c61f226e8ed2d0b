/**
 * What the stack tells who watches it. A host has at most one tracer; without
 * one each of these calls costs a comparison with undefined. Arguments are
 * numbers and objects that exist anyway: nothing is made for a call, and a
 * tracer must not call back into the stack or keep a view.
 */
import type { IpAddress } from "./address.ts";

// Direction of a segment, a datagram or an ICMP message.
export const TRACE_IN = 0;
export const TRACE_OUT = 1;
export type TraceDirection = 0 | 1;

// Why a segment was sent again, or was sent although it carries nothing new.
export const REASON_NONE = 0;
/** The retransmission timeout expired (RFC 6298 §5.4). */
export const REASON_RTO = 1;
/** Duplicate ACKs, SACK or RACK say that it is lost (RFC 5681 §3.2, 6675, 8985). */
export const REASON_FAST = 2;
/** Tail loss probe (RFC 8985 §7). */
export const REASON_PROBE = 3;
/** SYN or SYN-ACK again. */
export const REASON_SYN = 4;
export const REASON_KEEPALIVE = 5;
/** Asks whether a closed window is still closed (RFC 9293 §3.8.6.1). */
export const REASON_WINDOW_PROBE = 6;

// Timers. The first five are what the retransmission timer waits for.
export const TRACE_TIMER_NONE = 0;
export const TRACE_TIMER_RTO = 1;
export const TRACE_TIMER_PROBE = 2;
export const TRACE_TIMER_REORDER = 3;
export const TRACE_TIMER_PERSIST = 4;
export const TIMER_DELAYED_ACK = 16;
/** Keep-alive, FIN-WAIT-2, handshake and user timeout. */
export const TIMER_LIFE = 17;
/** Pacing, cork, the sender's silly-window override. */
export const TIMER_SEND = 18;
export const TIMER_TIME_WAIT = 19;

// Why a segment was not taken.
export const DROP_CHECKSUM = 1;
export const DROP_HEADER = 2;
export const DROP_NO_CONNECTION = 3;
/** Timestamp older than the last one (RFC 7323 §5). */
export const DROP_PAWS = 4;
/** Outside the receive window (RFC 9293 §3.10.7.4). */
export const DROP_SEQUENCE = 5;
export const DROP_ACK = 6;
/** No page or frame was free. */
export const DROP_MEMORY = 7;
/** The accept queue or the SYN queue was full. */
export const DROP_BACKLOG = 8;
export const DROP_STATE = 9;

// Socket calls and their completions.
export const CALL_SOCKET = 1;
export const CALL_BIND = 2;
export const CALL_LISTEN = 3;
export const CALL_ACCEPT = 4;
export const CALL_CONNECT = 5;
export const CALL_SEND = 6;
export const CALL_RECEIVE = 7;
export const CALL_SHUTDOWN = 8;
export const CALL_CLOSE = 9;
export const CALL_ABORT = 10;
export const CALL_SETSOCKOPT = 11;

// What happened in the neighbor cache (ARP, RFC 826; NDP, RFC 4861).
export const NEIGHBOR_ASKED = 1;
export const NEIGHBOR_LEARNED = 2;
export const NEIGHBOR_ANSWERED = 3;
export const NEIGHBOR_FAILED = 4;
export const NEIGHBOR_STALE = 5;

// What happened to a DNS question.
export const DNS_ASKED = 1;
export const DNS_ANSWERED = 2;
/** The answer was truncated: the question goes again over TCP (RFC 7766). */
export const DNS_TRUNCATED = 3;
export const DNS_FAILED = 4;
export const DNS_CACHED = 5;

/** Both ends of a path, as a tracer reads them. */
export interface PathView {
  readonly local: IpAddress;
  readonly remote: IpAddress;
}

/** Ranges of sequence numbers beyond a gap. */
export interface RangesView {
  readonly count: number;
  start(index: number): number;
  end(index: number): number;
}

/** The variables of a connection that a tracer reads; a subset of the control block. */
export interface ConnectionView {
  readonly state: number;
  readonly path: PathView | undefined;
  readonly localPort: number;
  readonly remotePort: number;
  readonly passive: boolean;
  // Send side
  readonly iss: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly sndEnd: number;
  readonly sndWnd: number;
  readonly sndWscale: number;
  readonly sndMss: number;
  readonly sndBufSize: number;
  readonly finQueued: boolean;
  readonly finSent: boolean;
  // Receive side
  readonly irs: number;
  readonly rcvNxt: number;
  readonly rcvRead: number;
  readonly rcvAdv: number;
  readonly rcvWscale: number;
  readonly rcvBufSize: number;
  readonly finReceived: boolean;
  readonly outOfOrder: RangesView | undefined;
  // Round trip, congestion
  readonly srttUs: number;
  readonly rttvarUs: number;
  readonly rtoUs: number;
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly caState: number;
  readonly pipe: number;
  readonly timerKind: number;
  readonly timerAtUs: number;
}

/**
 * Hears what a host does. Sequence numbers are int32, times microseconds of
 * the network's clock, `rawWindow` is as on the wire (unscaled).
 */
export interface Tracer {
  /** A segment left (1) or arrived (0), after the connection took note of it. `reason`: REASON_*. */
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
  ): void;
  /** A segment that belongs to no connection left: RST, an ACK from TIME-WAIT, a SYN cookie. `ports`: local << 16 | remote. */
  reply(
    nowUs: number,
    path: PathView,
    ports: number,
    seq: number,
    ack: number,
    flags: number,
  ): void;
  /** States as RFC 9293 §3.3.2 has them, numbered as in tcp/state.ts. */
  state(nowUs: number, c: ConnectionView, from: number, to: number): void;
  /** `kind`: TRACE_TIMER_* or TIMER_*; `atUs` Infinity: it was stopped. */
  timerSet(nowUs: number, c: ConnectionView, kind: number, atUs: number): void;
  timerFired(nowUs: number, c: ConnectionView, kind: number): void;
  /** Congestion state before and after (0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss); windows as they are now. */
  congestion(nowUs: number, c: ConnectionView, from: number, to: number): void;
  /** A segment was not taken. `reason`: DROP_*; undefined: no connection is concerned. */
  drop(nowUs: number, c: ConnectionView | undefined, reason: number): void;
  /** A socket call on a connection: what it asked for (bytes, or 0) and its result (>= 0 or -errno). */
  call(
    nowUs: number,
    c: ConnectionView | undefined,
    call: number,
    asked: number,
    result: number,
  ): void;
  /** `event`: NEIGHBOR_*; the address as four words. */
  neighbor(
    nowUs: number,
    interfaceIndex: number,
    event: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): void;
  /** An ICMP or ICMPv6 message left or arrived; the other side's address as four words. */
  icmp(
    nowUs: number,
    direction: TraceDirection,
    type: number,
    code: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): void;
  /** A UDP datagram left or arrived. `ports`: local << 16 | remote. */
  datagram(nowUs: number, direction: TraceDirection, ports: number, length: number): void;
  /** `event`: DNS_*; `result`: records, or -errno. */
  dns(nowUs: number, event: number, name: string, type: number, result: number): void;
}
