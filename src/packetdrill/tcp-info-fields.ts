/** The fields that code blocks read, as Linux's TCP_INFO has them, from our own introspection. */
import type { TcpInfo } from "../tcp/info.ts";
import * as state from "../tcp/state.ts";
import { stateName } from "../tcp/state.ts";
import { tcpiState } from "./symbols.ts";

const OPT_TIMESTAMPS = 1;
const OPT_SACK = 2;
const OPT_WSCALE = 4;
const OPT_ECN = 8;
const OPT_ECN_SEEN = 16;
const OPT_SYN_DATA = 32;

/** Our number of a state (tcp/state.ts) by its name. */
function stateNumber(name: string): number {
  for (let n = state.CLOSED; n <= state.TIME_WAIT; n++) if (stateName(n) === name) return n;
  return state.CLOSED;
}

/** A field's value; undefined: there is none of that name. */
export function tcpInfoField(
  info: TcpInfo,
  name: string,
  nowUs: number,
  freebsd: boolean,
): number | undefined {
  const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (name === "tcpi_state") return tcpiState(stateNumber(info.state), freebsd);
  return read?.(info, nowUs);
}

type Read = (info: TcpInfo, nowUs: number) => number | undefined;

/** Fields that TcpInfo may have one day; a name that the stack does not count is not known. */
function counted(info: TcpInfo, key: string, scale = 1): number | undefined {
  const value = (info as unknown as Record<string, unknown>)[key];
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" ? Math.round(value * scale) : undefined;
}

const FIELDS: Readonly<Record<string, Read>> = {
  tcpi_ca_state: (i) => i.caState,
  tcpi_retransmits: (i) => i.retransmits,
  tcpi_probes: (i) => i.probes,
  tcpi_backoff: (i) => i.backoff,
  tcpi_options: (i) =>
    (i.timestamps ? OPT_TIMESTAMPS : 0) |
    (i.sack ? OPT_SACK : 0) |
    (i.windowScaling ? OPT_WSCALE : 0) |
    (i.ecn ? OPT_ECN : 0) |
    (counted(i, "ecnSeen") ? OPT_ECN_SEEN : 0) |
    (i.synData ? OPT_SYN_DATA : 0),
  tcpi_snd_wscale: (i) => i.sndWscale,
  tcpi_rcv_wscale: (i) => i.rcvWscale,
  tcpi_delivery_rate_app_limited: (i) => Number(i.deliveryRateAppLimited),
  tcpi_fastopen_client_fail: (i) => counted(i, "fastOpenClientFail"),
  tcpi_rto: (i) => Math.round(i.rtoUs),
  tcpi_ato: (i) => Math.round(i.ackTimeoutUs),
  tcpi_snd_mss: (i) => i.sndMss,
  tcpi_rcv_mss: (i) => i.rcvMss,
  tcpi_advmss: (i) => i.advMss,
  tcpi_pmtu: (i) => i.pathMtu,
  tcpi_unacked: (i) => i.unackedSegments,
  tcpi_sacked: (i) => i.sackedSegments,
  tcpi_lost: (i) => i.lostSegments,
  tcpi_retrans: (i) => i.retransSegments,
  tcpi_fackets: () => 0,
  tcpi_last_data_sent: (i, now) => Math.trunc((now - i.lastDataSentUs) / 1000),
  tcpi_last_data_recv: (i, now) => Math.trunc((now - i.lastDataRecvUs) / 1000),
  tcpi_rcv_ssthresh: (i) => i.rcvWnd,
  tcpi_rtt: (i) => Math.round(i.rttUs),
  tcpi_rttvar: (i) => Math.round(i.rttvarUs),
  tcpi_snd_ssthresh: (i) => i.sndSsthresh,
  tcpi_snd_cwnd: (i) => i.sndCwnd,
  tcpi_reordering: (i) => i.reordering,
  tcpi_rcv_rtt: (i) => Math.round(i.rcvRttUs),
  tcpi_rcv_space: (i) => i.rcvSpace,
  tcpi_total_retrans: (i) => i.totalRetrans,
  tcpi_pacing_rate: (i) => i.pacingRate,
  tcpi_max_pacing_rate: (i) => i.maxPacingRate,
  tcpi_bytes_acked: (i) => i.bytesAcked,
  tcpi_bytes_received: (i) => i.bytesReceived,
  tcpi_segs_in: (i) => i.segsIn,
  tcpi_segs_out: (i) => i.segsOut,
  tcpi_notsent_bytes: (i) => i.notSentBytes,
  tcpi_min_rtt: (i) => Math.round(i.minRttUs),
  tcpi_data_segs_in: (i) => counted(i, "dataSegsIn"),
  tcpi_data_segs_out: (i) => counted(i, "dataSegsOut"),
  tcpi_delivery_rate: (i) => i.deliveryRate,
  tcpi_busy_time: (i) => counted(i, "busyTimeUs"),
  tcpi_rwnd_limited: (i) => counted(i, "rwndLimitedUs"),
  tcpi_sndbuf_limited: (i) => counted(i, "sndBufLimitedUs"),
  tcpi_delivered: (i) => i.delivered,
  tcpi_delivered_ce: (i) => counted(i, "deliveredCe"),
  tcpi_bytes_sent: (i) => i.bytesSent,
  tcpi_bytes_retrans: (i) => i.bytesRetrans,
  tcpi_dsack_dups: (i) => counted(i, "dsackDups"),
  tcpi_reord_seen: (i) => counted(i, "reorderingSeen"),
  tcpi_rcv_ooopack: (i) => counted(i, "outOfOrderPackets"),
  tcpi_snd_wnd: (i) => i.sndWnd,
  tcpi_rcv_wnd: (i) => i.rcvWnd,
  tcpi_rehash: () => 0,
  // FreeBSD's own.
  tcpi_snd_nxt: (i) => i.sndNxt >>> 0,
  tcpi_rcv_nxt: (i) => i.rcvNxt >>> 0,
  tcpi_snd_rexmitpack: (i) => i.totalRetrans,
};
