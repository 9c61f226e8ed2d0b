import type { TcpSettings } from "./settings.ts";

/**
 * What an application sets on one socket. Connections share the host's
 * defaults until one of them is changed (copy on write), so that an idle
 * connection does not carry thirty numbers that nobody set.
 */
export interface SocketOptions {
  nodelay: boolean;
  cork: boolean;
  /** Bytes; 0: the host's default, tuned automatically. */
  receiveBuffer: number;
  sendBuffer: number;
  receiveLowWater: number;
  notSentLowWater: number;
  /** Largest window ever announced, bytes; 0: no limit. */
  windowClamp: number;
  keepAlive: boolean;
  keepAliveIdleUs: number;
  keepAliveIntervalUs: number;
  keepAliveCount: number;
  /** RFC 5482; 0: by retransmission count. */
  userTimeoutUs: number;
  /** Seconds are the API's; here microseconds; -1: linger off. */
  lingerUs: number;
  linger2Us: number;
  synRetries: number;
  /** An active open fails after this long, microseconds; 0: no limit but `synRetries`. */
  connectTimeoutUs: number;
  /** SYNs carry no options, and the peer's are not taken, but its MSS (FreeBSD's TCP_NOOPT). */
  noOptions: boolean;
  /** Wake the acceptor only when data is there; 0: off. */
  deferAcceptUs: number;
  /** Positive: acknowledge at once; 0: delay. -1: as the connection's start decides. */
  quickAck: number;
  maxSegment: number;
  tos: number;
  ttl: number;
  /** Bytes per second; Infinity: no limit. */
  maxPacingRate: number;
  congestionControl: string;
  /** Urgent data stays in the stream (SO_OOBINLINE). */
  oobInline: boolean;
  fastOpen: number;
  fastOpenConnect: boolean;
  fastOpenNoCookie: boolean;
  /** TCP_FASTOPEN_KEY: a key of this listener's own. */
  fastOpenKey: Int32Array | undefined;
  pathMtuDiscovery: number;
  reuseAddress: boolean;
  /** Fixed initial sequence number; undefined: RFC 6528. */
  isn: number | undefined;
  /** Report bytes waiting with each read (TCP_INQ). */
  inq: boolean;
  /** Soft ICMP errors end a connection attempt at once (IP_RECVERR, RFC 5461). */
  reportSoftErrors: boolean;
}

export function defaultSocketOptions(s: TcpSettings): SocketOptions {
  return {
    nodelay: !s.nagle,
    cork: false,
    receiveBuffer: 0,
    sendBuffer: 0,
    receiveLowWater: 1,
    notSentLowWater: 0xffffffff,
    windowClamp: 0,
    keepAlive: false,
    keepAliveIdleUs: s.keepAliveIdleUs,
    keepAliveIntervalUs: s.keepAliveIntervalUs,
    keepAliveCount: s.keepAliveCount,
    userTimeoutUs: 0,
    lingerUs: -1,
    linger2Us: s.finWait2Us,
    synRetries: s.synRetries,
    connectTimeoutUs: s.connectTimeoutUs,
    noOptions: false,
    deferAcceptUs: 0,
    quickAck: -1,
    maxSegment: s.maxSegment,
    tos: s.tos,
    ttl: s.ttl,
    maxPacingRate: Number.POSITIVE_INFINITY,
    congestionControl: s.congestionControl,
    oobInline: false,
    fastOpen: 0,
    fastOpenConnect: false,
    fastOpenNoCookie: s.fastOpenNoCookie,
    fastOpenKey: undefined,
    pathMtuDiscovery: s.pathMtuDiscovery ? 2 : 0,
    reuseAddress: false,
    isn: s.isn,
    inq: false,
    reportSoftErrors: false,
  };
}
