import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { stateName, type StateName } from "./state.ts";

/** What TCP_INFO reports, in Linux's terms; times in microseconds, sizes in bytes unless named segments. */
export interface TcpInfo {
  readonly state: StateName;
  /** 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss. */
  readonly caState: number;
  readonly congestionControl: string;
  readonly retransmits: number;
  readonly probes: number;
  readonly backoff: number;
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly windowScaling: boolean;
  readonly ecn: boolean;
  /** Data in the SYN was taken (RFC 7413). */
  readonly synData: boolean;
  readonly sndWscale: number;
  readonly rcvWscale: number;
  readonly rtoUs: number;
  readonly ackTimeoutUs: number;
  readonly sndMss: number;
  readonly rcvMss: number;
  readonly advMss: number;
  readonly pathMtu: number;
  readonly unackedSegments: number;
  readonly sackedSegments: number;
  readonly lostSegments: number;
  readonly retransSegments: number;
  readonly totalRetrans: number;
  readonly bytesRetrans: number;
  readonly lastDataSentUs: number;
  readonly lastDataRecvUs: number;
  readonly rttUs: number;
  readonly rttvarUs: number;
  readonly minRttUs: number;
  readonly sndCwnd: number;
  readonly sndCwndBytes: number;
  readonly sndSsthresh: number;
  readonly sndSsthreshBytes: number;
  readonly reordering: number;
  readonly sndWnd: number;
  readonly rcvWnd: number;
  readonly rcvSpace: number;
  readonly rcvRttUs: number;
  readonly pacingRate: number;
  readonly maxPacingRate: number;
  readonly deliveryRate: number;
  readonly deliveryRateAppLimited: boolean;
  readonly delivered: number;
  /** Times with data on its way or waiting, and held back by the peer's window or a full send buffer (`accountLimits`). */
  readonly busyTimeUs: number;
  readonly rwndLimitedUs: number;
  readonly sndBufLimitedUs: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly segsIn: number;
  readonly segsOut: number;
  readonly notSentBytes: number;
  readonly sendQueue: number;
  readonly receiveQueue: number;
  readonly outOfOrderRanges: number;
  readonly sndBuf: number;
  readonly rcvBuf: number;
  readonly iss: number;
  readonly irs: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly controller: Record<string, number | string>;
}

export function tcpInfo(env: TcpEnvironment, c: TcpConnection, nowUs: number): TcpInfo {
  // `+ 0`: see FLOAT_ZERO.
  const loss = c.loss;
  const segments = (bytes: number) => Math.ceil(bytes / c.sndMss);
  const path = c.path;
  const unread = c.readableBytes;
  return {
    state: stateName(c.state),
    caState: c.caState,
    congestionControl: c.options.congestionControl,
    retransmits: c.retransmits,
    probes: c.probesOut,
    backoff: c.rtoBackoff,
    timestamps: c.timestampsOn,
    sack: c.sackOn,
    windowScaling: c.scalingOn,
    ecn: c.ecnOn,
    synData: c.synDataAcked,
    sndWscale: c.sndWscale,
    rcvWscale: c.rcvWscale,
    rtoUs: c.rtoUs + 0,
    ackTimeoutUs: env.settings.delayedAckUs,
    sndMss: c.sndMss,
    rcvMss: c.rcvMss,
    advMss: path === undefined ? 0 : path.interfaceMtu - path.headerLength - 20,
    pathMtu: path === undefined ? 0 : path.mtu,
    unackedSegments: c.sent?.count ?? 0,
    sackedSegments: loss === undefined ? 0 : segments(loss.sackedBytes),
    lostSegments: loss === undefined ? 0 : segments(loss.lostBytes),
    retransSegments: loss === undefined ? 0 : segments(loss.retransmittedBytes),
    totalRetrans: c.totalRetransmits,
    bytesRetrans: c.bytesRetransmitted + 0,
    lastDataSentUs: c.lastSentUs,
    lastDataRecvUs: c.lastReceivedUs,
    rttUs: c.srttUs + 0,
    rttvarUs: c.rttvarUs + 0,
    minRttUs: c.minRttUs,
    sndCwnd: Math.floor(c.cwnd / c.sndMss),
    sndCwndBytes: c.cwnd,
    sndSsthresh: c.ssthresh >= 0x7fffffff ? 0x7fffffff : Math.floor(c.ssthresh / c.sndMss),
    sndSsthreshBytes: c.ssthresh,
    reordering: loss?.reordering ?? env.settings.dupThresh,
    sndWnd: c.sndWnd,
    rcvWnd: c.rcvWnd,
    rcvSpace: c.rcvBufSize,
    rcvRttUs: c.tuning?.rttUs ?? 0,
    pacingRate: c.pacingRate + 0,
    maxPacingRate: c.options.maxPacingRate,
    deliveryRate: Math.round(c.deliveryRate) + 0,
    deliveryRateAppLimited: c.rate?.isAppLimited ?? true,
    delivered: c.deliveredSegments,
    busyTimeUs: c.limits?.busyUs(nowUs) ?? 0,
    rwndLimitedUs: c.limits?.windowUs(nowUs) ?? 0,
    sndBufLimitedUs: c.limits?.bufferUs(nowUs) ?? 0,
    bytesAcked: c.bytesAcked + 0,
    bytesReceived: c.bytesReceived + 0,
    bytesSent: c.bytesAcked + ((c.sndNxt - c.sndUna) | 0) + c.bytesRetransmitted,
    segsIn: c.segsIn,
    segsOut: c.segsOut,
    notSentBytes: Math.max(0, c.unsentBytes),
    sendQueue: Math.max(0, (c.sndEnd - c.sndUna) | 0),
    receiveQueue: Math.max(0, unread),
    outOfOrderRanges: c.outOfOrder?.count ?? 0,
    sndBuf: c.sndBufSize,
    rcvBuf: c.rcvBufSize,
    iss: c.iss,
    irs: c.irs,
    sndUna: c.sndUna,
    sndNxt: c.sndNxt,
    rcvNxt: c.rcvNxt,
    controller: c.controller?.info?.() ?? {},
  };
}
