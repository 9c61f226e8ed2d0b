import type { Counters } from "../base/counters.ts";
import { FLOAT_ZERO } from "../base/float.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import { KeyedHash } from "../base/keyed-hash.ts";
import type { IpSender } from "../base/path.ts";
import { Queue } from "../base/queue.ts";
import { REASON_NONE, type Tracer } from "../base/trace.ts";
import type { RandomSource } from "../base/random.ts";
import { NEVER, type Timers } from "../base/timers.ts";
import { ACK, RST } from "../wire/tcp.ts";
import { AckSample } from "./congestion/controller.ts";
import type { ConnectionHome, TcpConnection } from "./connection.ts";
import { Demux } from "./demux.ts";
import { FastOpen, parseFastOpenKey } from "./fast-open.ts";
import {
  REPLY_ACK,
  REPLY_FLAGS,
  REPLY_HAS_TIMESTAMPS,
  REPLY_LOCAL,
  REPLY_PORTS,
  REPLY_REMOTE,
  REPLY_SCOPE,
  REPLY_SEQ,
  REPLY_SYN,
  REPLY_TS_ECR,
  REPLY_TS_VAL,
  ReplyRing,
} from "./reply-ring.ts";
import { RTO_RFC, type RtoSettings } from "./rtt.ts";
import { Segment } from "./segment.ts";
import { SentSegments } from "./sent-segments.ts";
import type { TcpSettings } from "./settings.ts";
import { defaultSocketOptions, type SocketOptions } from "./socket-options.ts";
import { timestampNow } from "./timestamps.ts";
import { selectWindow } from "./window.ts";

/** Who has events to be taken: a connection or a listener. */
export interface EventSource {
  pendingEvents: number;
  deliverEvents(): void;
}

/** What the ACK being processed acknowledged, beside the numbers of `AckSample`. */
export class AckProgress {
  /** When the first and the last of the segments it acknowledges that were never sent again were sent; -1: none. */
  firstAckedSentUs = -1;
  lastAckedSentUs = -1;
  originalAcked = false;
  retransmittedAcked = false;
  /** An MTU probe arrived (RFC 4821). */
  probeArrived = false;
  /** When the latest sent of the retransmitted ones was sent; -1: none. */
  resentUs = -1;
}

export interface TcpResources {
  readonly memory: FrameMemory;
  readonly ip: IpSender;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly settings: TcpSettings;
}

/** What the functions of TCP share: one per host. */
export class TcpEnvironment implements ConnectionHome {
  readonly memory: FrameMemory;
  readonly ip: IpSender;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly settings: TcpSettings;
  /** The part of the settings that shapes the retransmission timeout. */
  readonly rto: RtoSettings;
  readonly defaultOptions: SocketOptions;
  readonly demux: Demux<TcpConnection>;
  readonly segment = new Segment();
  readonly sample = new AckSample();
  readonly progress = new AckProgress();
  readonly replies = new ReplyRing();
  readonly fastOpen: FastOpen;
  /** Keys for ISNs, ports, cookies. */
  readonly secret: KeyedHash;
  /** Connections that may have something to send, each once. */
  readonly ready = new Queue<TcpConnection>();
  readonly events = new Queue<EventSource>();
  /** Connections that found no frame; they try again at `retryAtUs`. */
  readonly starved = new Queue<TcpConnection>();
  /** Set by whoever found no frame. */
  outOfFrames = false;
  /** Those that found no page to write into. */
  readonly pageless = new Set<TcpConnection>();
  retryAtUs = NEVER;
  /** Doubles while memory stays short. */
  retryDelayUs = FIRST_RETRY_US;
  /** Whose segment was last taken in by the short way (`inputPredicted`), until the next comes; others are not predicted. */
  predicted: TcpConnection | undefined = undefined;
  /** Time of the current input, poll or call. */
  nowUs = FLOAT_ZERO;
  /** Connections that nobody holds and that still deliver. */
  orphans = 0;
  /** Connections whose socket keeps the process alive are counted by the sockets; these are closes still delivering. */
  challengeAcks = 0;
  challengeSecond = -1;
  /** Who watches; undefined: nobody, and then it costs nothing. */
  tracer: Tracer | undefined = undefined;
  /** Why the segment being sent is sent (REASON_*), for the tracer. */
  reason = REASON_NONE;
  /** Told when a connection gives its port back. */
  released: ((c: TcpConnection) => void) | undefined = undefined;
  /** Called when a call from outside made work. */
  onWork: () => void = () => {};
  private readonly timerHandler: (c: TcpConnection, nowUs: number) => void;
  private readonly sentPool: SentSegments[] = [];

  constructor(r: TcpResources, timerHandler: (c: TcpConnection, nowUs: number) => void) {
    this.memory = r.memory;
    this.ip = r.ip;
    this.timers = r.timers;
    this.random = r.random;
    this.counters = r.counters;
    this.settings = r.settings;
    this.rto = rtoSettings(r.settings);
    this.defaultOptions = defaultSocketOptions(r.settings);
    this.demux = new Demux<TcpConnection>(r.random);
    this.secret = new KeyedHash(r.random.int32(), r.random.int32());
    const { fastOpenKey, fastOpenBlackholeUs } = r.settings;
    const key =
      fastOpenKey !== undefined
        ? parseFastOpenKey(fastOpenKey)
        : new Int32Array([0, 0, 0, 0]).map(() => r.random.int32());
    this.fastOpen = new FastOpen(key, fastOpenBlackholeUs);
    this.timerHandler = timerHandler;
  }

  connectionTimer(c: TcpConnection, nowUs: number): void {
    this.nowUs = nowUs;
    this.timerHandler(c, nowUs);
  }

  /**
   * A segment without data for a connection that is about to be gone (RST), or
   * only a TIME-WAIT record (ACK): it goes out with the replies of the next poll.
   */
  replyFor(c: TcpConnection, seq: number, flags: number): void {
    const at = this.replies.push();
    if (at < 0) {
      this.counters.replyRingDrops++;
      return;
    }
    const rows = this.replies.rows;
    const { local, remote } = c.path!;
    rows[at + REPLY_LOCAL] = local.w0;
    rows[at + REPLY_LOCAL + 1] = local.w1;
    rows[at + REPLY_LOCAL + 2] = local.w2;
    rows[at + REPLY_LOCAL + 3] = local.w3;
    rows[at + REPLY_REMOTE] = remote.w0;
    rows[at + REPLY_REMOTE + 1] = remote.w1;
    rows[at + REPLY_REMOTE + 2] = remote.w2;
    rows[at + REPLY_REMOTE + 3] = remote.w3;
    rows[at + REPLY_PORTS] = (c.localPort << 16) | c.remotePort;
    rows[at + REPLY_SEQ] = seq;
    rows[at + REPLY_ACK] = (flags & ACK) !== 0 ? c.rcvNxt : 0;
    rows[at + REPLY_SCOPE] = c.scope;
    const isReset = (flags & RST) !== 0;
    const window = isReset && !this.settings.resetWindow ? 0 : selectWindow(this.settings, c);
    rows[at + REPLY_FLAGS] = flags | (window << 16);
    rows[at + REPLY_SYN] = c.options.ttl | (c.options.tos << 8);
    if (c.timestampsOn) {
      rows[at + REPLY_FLAGS]! |= REPLY_HAS_TIMESTAMPS;
      rows[at + REPLY_TS_VAL] = timestampNow(c, this.nowUs);
      rows[at + REPLY_TS_ECR] = c.tsRecent;
    }
  }

  /** Puts a connection into the ring of those that may send. */
  wantOutput(c: TcpConnection): void {
    if (c.isQueued) return;
    c.isQueued = true;
    this.ready.push(c);
  }

  /** A frame could not be had: counted, and tried again a little later, when others have given theirs back. */
  noFrame(): void {
    this.outOfFrames = true;
    this.retryLater();
  }

  /** A writer found no page: it hears when there are some. */
  noPage(c: TcpConnection): void {
    this.pageless.add(c);
    this.retryLater();
  }

  private retryLater(): void {
    this.counters.memoryFailures++;
    if (this.retryAtUs === NEVER) this.retryAtUs = this.nowUs + this.retryDelayUs;
  }

  /** Notes events, for `takeEvents`. */
  notify(c: EventSource, bits: number): void {
    if (c.pendingEvents === 0) this.events.push(c);
    c.pendingEvents |= bits;
  }

  /** A retransmission queue; they are few and reused, since an idle connection has none. */
  takeSentSegments(): SentSegments {
    return this.sentPool.pop() ?? new SentSegments();
  }

  giveSentSegments(queue: SentSegments): void {
    // A queue that grew for a large window stays with the pool only up to 1,024 records (64 KB).
    if (this.sentPool.length < 64 && queue.capacity <= 1024) this.sentPool.push(queue);
  }
}

/** How long to wait for memory at first, and at most: frames on their way come back soon, pages when somebody reads. */
export const FIRST_RETRY_US = 1000;
export const LONGEST_RETRY_US = 256_000;

function rtoSettings(s: TcpSettings): RtoSettings {
  return {
    ...RTO_RFC,
    initialRtoUs: s.initialRtoUs,
    minRtoUs: s.minRtoUs,
    maxRtoUs: s.maxRtoUs,
    slopUs: s.rtoSlopUs,
    holdVariance: s.rtoStyle === "linux",
  };
}
