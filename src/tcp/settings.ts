/**
 * Everything about TCP that can be set, with its default. A host has one set;
 * each socket begins with a copy of what is marked "socket". Presets are sets
 * of these values; no code asks for a preset's name. Times are microseconds.
 */
export interface TcpSettings {
  // Sizes
  /** Socket: receive buffer in bytes at the start, and the most that tuning may make of it. */
  readonly receiveBuffer: number;
  readonly receiveBufferMax: number;
  /** Socket: send buffer in bytes at the start, and the most that tuning may make of it. */
  readonly sendBuffer: number;
  readonly sendBufferMax: number;
  /** Bytes that all receive (and send) buffers of the host may hold together before windows stop growing. */
  readonly memoryPressure: number;
  /** The first window announced; 0: as much as the buffer allows. */
  readonly initialReceiveWindow: number;
  /** Round both buffers up to a multiple of the MSS (FreeBSD). */
  readonly roundBufferToMss: boolean;
  /**
   * rfc: the right edge moves by worthwhile steps (RFC 9293 §3.8.6.2.2) and
   * segments are judged by what was announced; freebsd: each segment announces
   * all the room there is, and the buffer's room is what segments are judged by.
   */
  readonly windowRule: "rfc" | "freebsd";
  /** Most ranges of out-of-order data a connection remembers. */
  readonly maxOutOfOrderRanges: number;
  /** Most connections, TIME-WAIT records, half-open connections. */
  readonly maxConnections: number;
  readonly maxTimeWait: number;
  readonly maxSynBacklog: number;
  /** Largest backlog that listen takes (Linux: somaxconn 4096). */
  readonly maxBacklog: number;
  /** Linux admits one connection more than the backlog says. */
  readonly backlogPlusOne: boolean;
  /** Answer a full accept queue with RST instead of silence. */
  readonly abortOnOverflow: boolean;
  /** 0 never, 1 when the SYN queue is full (RFC 4987), 2 always. */
  readonly synCookies: 0 | 1 | 2;

  // Options
  readonly windowScaling: boolean;
  /** Our shift; -1: the smallest that can express `receiveBufferMax`. */
  readonly windowScale: number;
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly dsack: boolean;
  /** 0 off, 1 ask for it and accept it, 2 only accept it (RFC 3168). */
  readonly ecn: 0 | 1 | 2;
  /** After this many unanswered ECN-setup SYNs the next goes without (RFC 3168 §6.1.1.1). */
  readonly ecnFallbackSyns: number;
  /** CWR may go with a retransmission too (FreeBSD), not only with new data (RFC 3168 §6.1.2). */
  readonly cwrOnRetransmission: boolean;
  /** The first mark of congestion is echoed at once, not with the next delayed ACK. */
  readonly echoMarksAtOnce: boolean;
  /** How options of a SYN are laid out. */
  readonly optionLayout: "linux" | "freebsd";
  /** Random offset for each connection's timestamps (RFC 7323 §7.1). */
  readonly timestampOffset: boolean;
  /** Largest MSS ever sent or announced; 0: from the MTU. */
  readonly maxSegment: number;
  /** MSS assumed of a peer that names none (RFC 9293 MUST-15): 536 for IPv4, 1220 for IPv6. */
  readonly defaultMss: number;
  readonly defaultMssIpv6: number;
  /** Smallest MSS taken from a SYN, against tiny-segment attacks. */
  readonly minMss: number;

  // Timers
  readonly initialRtoUs: number;
  readonly minRtoUs: number;
  readonly maxRtoUs: number;
  /** linux: srtt + max(4 rttvar, minRto); freebsd: srtt + 4 rttvar + slop; rfc: max(srtt + 4 rttvar, minRto). */
  readonly rtoStyle: "linux" | "freebsd" | "rfc";
  readonly rtoSlopUs: number;
  /** Retransmissions of a SYN, a SYN-ACK, data, and of an orphan's data before giving up (R2 as a count). */
  readonly synRetries: number;
  readonly synAckRetries: number;
  /** Socket: how long an active open may take whatever was sent, microseconds (FreeBSD's keepinit); 0: as long as `synRetries` says. */
  readonly connectTimeoutUs: number;
  /** From this retransmission on a SYN offers its MSS alone (FreeBSD's rexmit_drop_options); 0: never. */
  readonly bareSynAfter: number;
  /** R1: after this many, the path is suspected (RFC 9293 §3.8.3). */
  readonly retries1: number;
  readonly retries2: number;
  readonly orphanRetries: number;
  /** Most connections closed by their application that may linger. */
  readonly maxOrphans: number;
  readonly mslUs: number;
  /** How long FIN-WAIT-2 lasts once nobody holds the socket. */
  readonly finWait2Us: number;
  readonly keepAliveIdleUs: number;
  readonly keepAliveIntervalUs: number;
  readonly keepAliveCount: number;
  /** Zero-window probes: first after an RTO, then doubled up to this. */
  readonly persistMaxUs: number;
  /** A zero-window probe carries a byte of new data (RFC 9293 MUST-36), or is an empty segment below the window (Linux). */
  readonly windowProbeWithData: boolean;
  /** The sender's silly-window override (RFC 9293 §3.8.6.2.1): 0.1 to 1 s. */
  readonly swsOverrideUs: number;
  /** Silly-window avoidance at the receiver and the sender; off only to show what it prevents. */
  readonly sillyWindowAvoidance: boolean;
  readonly corkUs: number;

  // Acknowledgements
  readonly delayedAckUs: number;
  /** Smallest delay when the delay adapts to the peer's pace; equal to `delayedAckUs`: fixed. */
  readonly delayedAckMinUs: number;
  /** Full segments at the start that are acknowledged at once (Linux: 16). */
  readonly quickAcks: number;
  /** Acknowledge at once when a whole-MSS segment arrives and one is owed already. */
  readonly ackEvery: number;
  /** ACK above SND.NXT in a synchronized state: answer (RFC 9293), or be silent (Linux). */
  readonly answerFutureAcks: boolean;

  // Congestion control
  readonly congestionControl: string;
  /** Segments of the initial window (RFC 6928); 0: RFC 5681's rule. */
  readonly initialWindow: number;
  /** RFC 3465's L; 0: no limit. */
  readonly abcLimit: number;
  readonly hystart: boolean;
  /** Grow only while the window is used (RFC 7661; Linux: cwnd < 2 * max_packets_out in slow start). */
  readonly cwndLimitedOnly: boolean;
  readonly slowStartAfterIdle: boolean;
  /** Segments of the restart window. */
  readonly abeBeta: number;
  readonly pacing: "off" | "auto" | "on";
  readonly limitedTransmit: boolean;
  readonly rack: boolean;
  /** Added to RACK's reordering timer: Linux has two ticks and what rounding makes of them. */
  readonly reorderSlackUs: number;
  readonly tlp: boolean;
  readonly frto: boolean;
  readonly prr: boolean;
  readonly eifel: boolean;
  /** DupThresh of RFC 5681 and, in segments, of RFC 6675; Linux adapts it. */
  readonly dupThresh: number;
  readonly maxReordering: number;
  /** Quantum of one connection in the round of those that may send, bytes. */
  readonly quantum: number;

  // Path MTU
  readonly pathMtuDiscovery: boolean;
  /** 0 off, 1 after a black hole is suspected, 2 always (RFC 4821). */
  readonly mtuProbing: 0 | 1 | 2;
  readonly mtuProbeFloor: number;

  // Attacks (RFC 5961, 5927)
  /**
   * ICMP errors that end a connection attempt: the hard ones of RFC 1122
   * §4.2.3.9 with Linux's errno (rfc); those that FreeBSD takes for hard, as
   * ECONNREFUSED or EHOSTUNREACH (freebsd); none.
   */
  readonly icmpInOpening: "rfc" | "freebsd" | "none";
  readonly insecureRst: boolean;
  readonly insecureSyn: boolean;
  readonly challengeAckPerSecond: number;
  /** Smallest time between two answers to unacceptable segments on one connection (Linux: 500 ms). */
  readonly invalidAckIntervalUs: number;
  /** Whether a segment with SYN and FIN is dropped: never, in LISTEN only (Linux), in every state (FreeBSD, when asked to). */
  readonly dropSynFin: "never" | "listen" | "always";
  /** A soft ICMP error (RFC 5461) ends a connection whose handshake is under way, as Linux has it. */
  readonly softErrorsEndOpening: boolean;
  /** Text in the SYN of a simultaneous open is kept for later (RFC 9293 §3.10.7.3); Linux leaves it to be sent again. */
  readonly keepSynData: boolean;
  /** RFC 1337: ignore RST in TIME-WAIT. */
  readonly ignoreRstInTimeWait: boolean;
  /** In TIME-WAIT what carries no ACK is dropped unanswered (FreeBSD). */
  readonly timeWaitNeedsAck: boolean;
  /** A new SYN may end a TIME-WAIT (RFC 1122 §4.2.2.13, RFC 6191). */
  readonly timeWaitReuse: boolean;

  // Habits
  /** Closing with data unread resets the connection (RFC 9293 SHLD-3); FreeBSD forgets the data and sends FIN. */
  readonly resetOnUnread: boolean;
  /** While FIN is not acknowledged each ACK repeats it (FreeBSD), challenge ACKs apart. */
  readonly repeatFin: boolean;
  /** What a reset says to the application after the peer's FIN: ECONNRESET up to CLOSE-WAIT (rfc), EPIPE in CLOSE-WAIT (linux), ECONNRESET up to LAST-ACK (freebsd). */
  readonly resetErrors: "rfc" | "linux" | "freebsd";
  /** PSH on the last segment of a write, or of the buffer. */
  readonly pushRule: "write" | "buffer";
  /** Keep the times of TCP_INFO's busy_time, rwnd_limited and sndbuf_limited. */
  readonly accountLimits: boolean;
  /** The ACK of a FIN in order leaves out the D-SACK of what came with it (Linux). */
  readonly finDropsDsack: boolean;
  /** An RST of a connection carries its window, which nobody reads (Linux). */
  readonly resetWindow: boolean;
  /** Data sent soon after data came makes ACKs wait for more of it from then on (Linux's "pingpong"). */
  readonly repliesCarryAcks: boolean;
  /** Nagle is on for new sockets. */
  readonly nagle: boolean;
  /** Urgent pointer points to the last urgent byte (RFC 6093: the byte after it is what all do). */
  readonly urgentToLast: boolean;
  /**
   * RFC 7413, a sum: 1 client, 2 server, 4 a client sends data without a cookie, 0x200 a server
   * takes it without one, 0x400 every listener is a server, not only those that ask for it.
   */
  readonly fastOpen: number;
  /** A server may answer data in a SYN without a cookie. */
  readonly fastOpenNoCookie: boolean;
  readonly fastOpenBlackholeUs: number;
  /** A server that neither gives a cookie nor takes the SYN's data is not asked again for this long (FreeBSD's path_disable_time); 0: each time. */
  readonly fastOpenPathDisableUs: number;
  /** linux: connect and send by MSG_FASTOPEN; freebsd: also by sendto on a socket with TCP_FASTOPEN, whose data waits for the handshake. */
  readonly fastOpenRule: "linux" | "freebsd";
  /** Key for cookies, as Linux's tcp_fastopen_key writes it; undefined: random. */
  readonly fastOpenKey: string | undefined;
  /** Initial sequence number for new connections; -1: RFC 6528. */
  readonly isn: number | undefined;
  /** Type of service of new sockets. */
  readonly tos: number;
  readonly ttl: number;
}

const MS = 1000;
const S = 1_000_000;

/** The stack's own defaults (docs/limits.md). */
export const DEFAULT_TCP_SETTINGS: TcpSettings = {
  receiveBuffer: 131_072,
  receiveBufferMax: 16 * 1024 * 1024,
  sendBuffer: 131_072,
  sendBufferMax: 16 * 1024 * 1024,
  memoryPressure: 100 * 1024 * 1024,
  initialReceiveWindow: 0,
  roundBufferToMss: false,
  windowRule: "rfc",
  maxOutOfOrderRanges: 1024,
  maxConnections: 4_194_304,
  maxTimeWait: 262_144,
  maxSynBacklog: 4096,
  maxBacklog: 4096,
  backlogPlusOne: false,
  abortOnOverflow: false,
  synCookies: 1,
  windowScaling: true,
  windowScale: -1,
  timestamps: true,
  sack: true,
  dsack: true,
  ecn: 2,
  ecnFallbackSyns: 1,
  cwrOnRetransmission: false,
  echoMarksAtOnce: true,
  optionLayout: "linux",
  timestampOffset: true,
  maxSegment: 0,
  defaultMss: 536,
  defaultMssIpv6: 1220,
  minMss: 48,
  initialRtoUs: 1 * S,
  minRtoUs: 200 * MS,
  maxRtoUs: 120 * S,
  rtoStyle: "linux",
  rtoSlopUs: 0,
  // 1 + 2 + 4 + ... s: gives up after 255 s; RFC 9293 MUST-23 wants 3 minutes at least.
  synRetries: 7,
  synAckRetries: 5,
  connectTimeoutUs: 0,
  bareSynAfter: 0,
  retries1: 3,
  retries2: 15,
  orphanRetries: 8,
  maxOrphans: 65_536,
  mslUs: 30 * S,
  finWait2Us: 60 * S,
  keepAliveIdleUs: 7200 * S,
  keepAliveIntervalUs: 75 * S,
  keepAliveCount: 9,
  persistMaxUs: 120 * S,
  windowProbeWithData: true,
  swsOverrideUs: 200 * MS,
  sillyWindowAvoidance: true,
  corkUs: 200 * MS,
  delayedAckUs: 40 * MS,
  delayedAckMinUs: 40 * MS,
  quickAcks: 16,
  ackEvery: 2,
  answerFutureAcks: true,
  congestionControl: "cubic",
  initialWindow: 10,
  abcLimit: 0,
  hystart: true,
  cwndLimitedOnly: true,
  slowStartAfterIdle: true,
  abeBeta: 0,
  pacing: "auto",
  limitedTransmit: true,
  rack: true,
  reorderSlackUs: 0,
  tlp: true,
  frto: true,
  prr: true,
  eifel: true,
  dupThresh: 3,
  maxReordering: 300,
  quantum: 65_536,
  pathMtuDiscovery: true,
  mtuProbing: 1,
  mtuProbeFloor: 1024,
  icmpInOpening: "rfc",
  insecureRst: false,
  insecureSyn: false,
  challengeAckPerSecond: 1000,
  invalidAckIntervalUs: 500 * MS,
  dropSynFin: "listen",
  softErrorsEndOpening: false,
  keepSynData: true,
  ignoreRstInTimeWait: true,
  timeWaitNeedsAck: false,
  timeWaitReuse: true,
  resetOnUnread: true,
  repeatFin: false,
  resetErrors: "rfc",
  pushRule: "write",
  accountLimits: false,
  finDropsDsack: false,
  resetWindow: false,
  repliesCarryAcks: false,
  nagle: true,
  urgentToLast: false,
  fastOpen: 1,
  fastOpenNoCookie: false,
  fastOpenBlackholeUs: 3600 * S,
  fastOpenPathDisableUs: 0,
  fastOpenRule: "linux",
  fastOpenKey: undefined,
  isn: undefined,
  tos: 0,
  ttl: 64,
};
