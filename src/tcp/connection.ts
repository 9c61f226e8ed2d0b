import { FLOAT_ZERO } from "../base/float.ts";
import type { Path } from "../base/path.ts";
import { NEVER, type TimerTarget } from "../base/timers.ts";
import { type Controller, INFINITE_SSTHRESH } from "./congestion/controller.ts";
import type { DeliveryRate } from "./congestion/delivery-rate.ts";
import type { Pacer } from "./congestion/pacing.ts";
import type { MtuSearch } from "./mtu-search.ts";
import { PagedBuffer } from "./paged-buffer.ts";
import type { FastOpenCookie } from "./fast-open.ts";
import type { SendLimits } from "./limits.ts";
import type { Ranges } from "./ranges.ts";
import type { LossRecovery } from "./recovery/loss-recovery.ts";
import type { SentSegments } from "./sent-segments.ts";
import type { ReceiveTuning } from "./receive-tuning.ts";
import type { TcpSettings } from "./settings.ts";
import type { SocketOptions } from "./socket-options.ts";
import { CLOSED } from "./state.ts";

/** What a connection itself asks of its stack. */
export interface ConnectionHome {
  readonly settings: TcpSettings;
  connectionTimer(c: TcpConnection, nowUs: number): void;
}

/** The queue a connection waits in before it is accepted. */
export interface PassiveOpener {
  /** The handshake of one of its connections is complete. */
  connectionReady(c: TcpConnection): void;
  /** One of its connections is gone before it was accepted. */
  connectionGone(c: TcpConnection): void;
  /** Another one may enter the accept queue. */
  hasRoom(): boolean;
}

/** Who hears of a connection's events: a socket. Called from `takeEvents` only. */
export interface TcpOwner {
  tcpEvents(bits: number, connection: TcpConnection): void;
}

// Events, one bit each.
export const TCP_EVENT_CONNECTED = 1;
export const TCP_EVENT_READABLE = 2;
export const TCP_EVENT_WRITABLE = 4;
/** The connection is gone: nothing more will happen on it. */
export const TCP_EVENT_CLOSED = 8;
export const TCP_EVENT_ERROR = 16;
/** The peer sent FIN. */
export const TCP_EVENT_PEER_FIN = 32;
export const TCP_EVENT_ACCEPTABLE = 64;
export const TCP_EVENT_URGENT = 128;
/** All that was written is acknowledged, FIN included: a lingering close may return. */
export const TCP_EVENT_DRAINED = 256;
/** On a listener: a SYN waits to be accepted, refused or dropped. */
export const TCP_EVENT_SYN = 512;

// Congestion states, as Linux names and numbers them (TCP_INFO's tcpi_ca_state).
export const CA_OPEN = 0;
export const CA_DISORDER = 1;
export const CA_CWR = 2;
export const CA_RECOVERY = 3;
export const CA_LOSS = 4;

// What the retransmission timer waits for.
export const TIMER_NONE = 0;
export const TIMER_RTO = 1;
export const TIMER_PROBE = 2; // TLP
export const TIMER_REORDER = 3; // RACK
export const TIMER_PERSIST = 4;

// ACK duties.
/** Send one in the next poll. */
export const ACK_NOW = 1;
/** One is owed; the delayed-ACK timer runs. */
export const ACK_DELAYED = 2;

/**
 * The transmission control block (RFC 9293 §3.3.1): variables by their RFC
 * names. Flat, so that the hot path touches few cache lines; what an idle
 * connection does not need hangs on pointers that are set when first used.
 */
export class TcpConnection implements TimerTarget {
  readonly home: ConnectionHome;
  state = CLOSED;

  // Who and where
  path: Path | undefined = undefined;
  localPort = 0;
  remotePort = 0;
  scope = 0;
  owner: TcpOwner | undefined = undefined;
  /** The listener whose SYN queue or accept queue it is in. */
  listener: PassiveOpener | undefined = undefined;
  options: SocketOptions;
  /** Its number in the demultiplexer; -1: not there. */
  id = -1;

  // Send sequence space
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  /** Scaled, bytes. */
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** Largest window the peer ever offered (RFC 9293 §3.8.6.2.1). */
  sndMaxWnd = 0;
  /** Sequence number after the last byte that the application wrote. */
  sndEnd = 0;
  /** After the last urgent byte written; valid while `urgentOut`. */
  sndUp = 0;
  /** End of the last write: PSH goes on the segment that covers it. */
  pushSeq = 0;
  /** Ends of records (MSG_EOR) at or beyond SND.NXT, that segments do not cross; undefined: none. */
  recordEnds: number[] | undefined = undefined;
  /** End of the last segment sent that was not full (Minshall's rule for Nagle's algorithm). */
  smallEnd = 0;
  /** Shift for windows received and sent (RFC 7323 §2). */
  sndWscale = 0;
  rcvWscale = 0;
  /** Payload of a full segment, options taken off. */
  sndMss = 536;
  /** MSS option of the peer, or the default. */
  peerMss = 536;
  sndBufSize: number;
  readonly sndBuf = new PagedBuffer();

  // Receive sequence space
  irs = 0;
  rcvNxt = 0;
  /** Next byte that the application will read. */
  rcvRead = 0;
  /** Right edge announced: RCV.NXT + RCV.WND at the last announcement; never moves left. */
  rcvAdv = 0;
  /** Largest window announced, bytes. */
  rcvWndMax = 0;
  rcvUp = 0;
  /** RCV.NXT as last acknowledged (Last.ACK.sent of RFC 7323 §4.3). */
  lastAckSent = 0;
  /** The window that our SYN announced, bytes. */
  rcvAdvOffered = 0;
  /** The peer's segment size as seen: what "full-sized" means for delayed ACKs. */
  rcvMss = 536;
  rcvBufSize: number;
  readonly rcvBuf = new PagedBuffer();
  /** Ranges beyond a gap. */
  outOfOrder: Ranges | undefined = undefined;
  tuning: ReceiveTuning | undefined = undefined;
  finSeq = 0;

  // Flags, one field each: reading a field is cheaper than masking, and clearer.
  finQueued = false;
  finSent = false;
  /** The peer's FIN was received, maybe beyond a gap; `finSeq` is its number. */
  finSeen = false;
  /** The FIN was reached: rcvNxt is behind it. */
  finReceived = false;
  /** The application shut down reading, or closed. */
  readShutdown = false;
  /** The application closed: nobody holds the socket. */
  isOrphan = false;
  timestampsOn = false;
  sackOn = false;
  ecnOn = false;
  scalingOn = false;
  urgentOut = false;
  urgentIn = false;
  /** Stands in the ring of those that want to send. */
  isQueued = false;
  /** The last flight was held back by cwnd. */
  cwndFilled = false;
  passive = false;
  /** A SYN or SYN-ACK is to be sent by the next output. */
  synDue = false;
  /** Fast Open: what the SYN carries beside the ordinary; undefined: nothing. */
  fastOpenCookie: FastOpenCookie | undefined = undefined;
  /** The SYN may carry data: there is a cookie, or it needs none. */
  synDataAllowed = false;
  /** The SYN waits for the first data, to carry it (TCP_FASTOPEN_CONNECT). */
  synDeferred = false;
  /** A write waits for the handshake: its bytes will carry the ACK of the SYN-ACK. */
  writerWaits = false;
  /** Data went out with the SYN. */
  synDataSent = false;
  /** ... and the server took it (client), or data came with the SYN (server). */
  synDataAcked = false;
  /** Accepted by cookie, before the handshake is complete: data may flow. */
  fastOpenPassive = false;
  /** Taken from the accept queue before the handshake was complete. */
  isAccepted = false;
  /** When the handshake was complete but for data (TCP_DEFER_ACCEPT); negative: it is not. */
  deferSinceUs = -0.5;
  /** Packetization-layer path MTU discovery (RFC 4821); undefined: the path was never suspected. */
  mtuSearch: MtuSearch | undefined = undefined;
  /** Its SYN waits for the application's word. */
  isHeld = false;
  /** What waited for `overrideAtUs` may go, small as it is. */
  overrideDue = false;
  /** The application found the send buffer full and waits for room. */
  sendBlocked = false;
  /** The last write said that more follows (MSG_MORE). */
  moreComing = false;
  ecnEchoDue = false;
  cwrDue = false;

  // Timestamps
  tsOffset = 0;
  tsRecent = 0;
  tsRecentUs = 0.5;

  // ACK duties
  ackFlags = 0;
  /** Duplicates owed one for one while the peer has no SACK. */
  dupAcksOwed = 0;
  quickAcks: number;
  /** Data that we send carries the ACKs: none goes at once (`repliesCarryAcks`). */
  repliesOften = false;
  /** When data came last, whole milliseconds modulo 2^31. */
  dataCameMs = -0x40000000;
  /** A gap was filled since the last ACK: one ACK answers for all that came in order with it. */
  gapFilled = false;
  /** D-SACK to report with the next ACK (RFC 2883); equal: none. */
  dsackStart = 0;
  dsackEnd = 0;

  // RTT (RttState)
  srttUs = FLOAT_ZERO;
  rttvarUs = FLOAT_ZERO;
  rtoUs = FLOAT_ZERO;
  rtoBackoff = 0;
  heldVarianceUs = FLOAT_ZERO;
  roundVarianceUs = FLOAT_ZERO;
  roundEnd = 0;
  minRttUs = Number.POSITIVE_INFINITY;
  minRttAtUs = 0.5;

  // Congestion (CongestionView)
  cwnd = 0;
  ssthresh = INFINITE_SSTHRESH;
  pacingRate = FLOAT_ZERO;
  caState = CA_OPEN;
  controller: Controller | undefined = undefined;
  /** Retransmission queue; undefined: nothing is in flight. */
  sent: SentSegments | undefined = undefined;
  /** Everything about loss; undefined: none was suspected lately. */
  loss: LossRecovery | undefined = undefined;
  pacer: Pacer | undefined = undefined;
  /** Most in flight in this window of data, and the window's end: for `isCwndLimited`. */
  maxPipe = 0;
  maxPipeSeq = 0;
  /** Timeouts in a row without progress; zero-window probes without answer. */
  retransmits = 0;
  probesOut = 0;
  /** Probes since the window closed, answered or not: the backoff. */
  probeRounds = 0;
  keepAliveProbes = 0;
  keepAliveAtUs = 0.5;
  /** When the first of the current timeouts' segments was first sent: R2 as a time. */
  retransmitSinceUs = 0.5;

  // Delivery (rate estimation and TCP_INFO)
  /** Attached with the controller. */
  rate: DeliveryRate | undefined = undefined;
  /** What held back sending, and for how long (`accountLimits`). */
  limits: SendLimits | undefined = undefined;
  /** The last rate sample, bytes per second; 0: none. */
  deliveryRate = FLOAT_ZERO;
  /** Segments known to have arrived, SYN and repetitions included (tcpi_delivered). */
  deliveredSegments = 0;
  bytesAcked = FLOAT_ZERO;
  bytesReceived = FLOAT_ZERO;
  bytesRetransmitted = FLOAT_ZERO;
  segsIn = 0;
  segsOut = 0;
  totalRetransmits = 0;
  totalLost = 0;

  // Timers
  timerId = -1;
  /** TIMER_*: what `timerAtUs` is for. */
  timerKind = TIMER_NONE;
  timerAtUs = NEVER;
  delayedAckAtUs = NEVER;
  /** Keep-alive, FIN-WAIT-2, handshake and user timeouts: whatever bounds its life. */
  lifeAtUs = NEVER;
  /** Earliest time of the next segment by pacing. */
  sendAtUs = NEVER;
  /** When data held back by a cork or against silly windows goes all the same. */
  overrideAtUs = NEVER;
  lastSentUs = 0.5;
  lastReceivedUs = 0.5;

  /** When an unacceptable segment was last answered. */
  invalidAckUs = 0.5;

  /** Positive errno, for SO_ERROR and the calls; 0: none. */
  error = 0;
  softError = 0;
  /** Events not yet taken. */
  pendingEvents = 0;

  constructor(home: ConnectionHome, options: SocketOptions) {
    this.home = home;
    this.options = options;
    const s = home.settings;
    this.sndBufSize = options.sendBuffer || s.sendBuffer;
    this.rcvBufSize = options.receiveBuffer || s.receiveBuffer;
    this.quickAcks = s.quickAcks;
    this.rtoUs = s.initialRtoUs;
  }

  /** Hands the noted events to the socket. */
  deliverEvents(): void {
    const bits = this.pendingEvents;
    this.pendingEvents = 0;
    this.owner?.tcpEvents(bits, this);
  }

  onTimer(nowUs: number): void {
    this.home.connectionTimer(this, nowUs);
  }

  /** Bytes in the network as far as we know (RFC 6675 §2 "pipe"): sent, not acknowledged, not SACKed, not lost; sent again counts again. */
  get pipe(): number {
    const flight = (this.sndNxt - this.sndUna) | 0;
    const loss = this.loss;
    return loss === undefined
      ? flight
      : flight - loss.sackedBytes - loss.lostBytes + loss.retransmittedBytes;
  }

  /** Linux's rule: held back by cwnd, or in slow start with more than half of it used. */
  get isCwndLimited(): boolean {
    if (this.cwndFilled || !this.home.settings.cwndLimitedOnly) return true;
    return this.cwnd < this.ssthresh && this.cwnd < 2 * this.maxPipe;
  }

  get cwndClamp(): number {
    return Math.max(this.home.settings.sendBufferMax, this.sndBufSize);
  }

  /** Bytes written and not yet sent. */
  get unsentBytes(): number {
    return (this.sndEnd - this.sndNxt) | 0;
  }

  /** Bytes that the application may read now. */
  get readableBytes(): number {
    return (this.rcvNxt - this.rcvRead - (this.finReceived ? 1 : 0)) | 0;
  }

  /** RCV.WND: what is left of the announced window, bytes. */
  get rcvWnd(): number {
    return (this.rcvAdv - this.rcvNxt) | 0;
  }
}
