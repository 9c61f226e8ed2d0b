import { NO_CHANGE, tcp } from "./settings-change.ts";
import { flag, ignored, integer, only, type SysctlMeaning, triple } from "./sysctl-meaning.ts";

const MS = 1000;
const S = 1_000_000;
const CONTROLS = new Set(["reno", "cubic", "bic", "westwood", "vegas", "bbr", "dctcp"]);

export const LINUX_SYSCTLS: Readonly<Record<string, SysctlMeaning>> = {
  "net.ipv4.tcp_rmem": triple((_, receiveBuffer, receiveBufferMax) =>
    tcp({ receiveBuffer, receiveBufferMax }),
  ),
  "net.ipv4.tcp_wmem": triple((_, sendBuffer, sendBufferMax) => tcp({ sendBuffer, sendBufferMax })),
  "net.ipv4.tcp_timestamps": integer((n) => tcp({ timestamps: n > 0, timestampOffset: n === 1 })),
  "net.ipv4.tcp_window_scaling": flag((windowScaling) => tcp({ windowScaling })),
  "net.ipv4.tcp_sack": flag((sack) => tcp({ sack })),
  "net.ipv4.tcp_dsack": flag((dsack) => tcp({ dsack })),
  "net.ipv4.tcp_ecn": integer((n) => {
    return n === 0 || n === 1 || n === 2 ? tcp({ ecn: n }) : undefined;
  }),
  "net.ipv4.tcp_ecn_fallback": integer((n) => tcp({ ecnFallbackSyns: n === 0 ? 0xffff : 1 })),
  "net.ipv4.tcp_ecn_option": only("0"),
  "net.ipv4.tcp_syn_retries": integer((synRetries) => tcp({ synRetries })),
  "net.ipv4.tcp_synack_retries": integer((synAckRetries) => tcp({ synAckRetries })),
  "net.ipv4.tcp_syn_linear_timeouts": ignored,
  "net.ipv4.tcp_retries1": integer((retries1) => tcp({ retries1 })),
  "net.ipv4.tcp_retries2": integer((retries2) => tcp({ retries2 })),
  "net.ipv4.tcp_orphan_retries": integer((n) => tcp({ orphanRetries: n === 0 ? 8 : n })),
  "net.ipv4.tcp_max_orphans": integer((maxOrphans) => tcp({ maxOrphans })),
  "net.ipv4.tcp_fin_timeout": integer((n) => tcp({ finWait2Us: n * S })),
  "net.ipv4.tcp_keepalive_time": integer((n) => tcp({ keepAliveIdleUs: n * S })),
  "net.ipv4.tcp_keepalive_intvl": integer((n) => tcp({ keepAliveIntervalUs: n * S })),
  "net.ipv4.tcp_keepalive_probes": integer((keepAliveCount) => tcp({ keepAliveCount })),
  "net.ipv4.tcp_rto_min_us": integer((minRtoUs) => tcp({ minRtoUs })),
  "net.ipv4.tcp_rto_max_ms": integer((n) => tcp({ maxRtoUs: n * MS })),
  "net.ipv4.tcp_frto": flag((frto) => tcp({ frto })),
  "net.ipv4.tcp_fack": only("0"),
  "net.ipv4.tcp_reordering": integer((dupThresh) => tcp({ dupThresh })),
  "net.ipv4.tcp_max_reordering": integer((maxReordering) => tcp({ maxReordering })),
  "net.ipv4.tcp_congestion_control": (value) =>
    CONTROLS.has(value) ? tcp({ congestionControl: value }) : undefined,
  "net.ipv4.tcp_allowed_congestion_control": ignored,
  "net.ipv4.tcp_slow_start_after_idle": flag((slowStartAfterIdle) => tcp({ slowStartAfterIdle })),
  "net.ipv4.tcp_early_retrans": integer((n) => tcp({ tlp: n >= 3 })),
  "net.ipv4.tcp_recovery": integer((n) => {
    // 2 and 4 choose a static reordering window and dupThresh beside RACK.
    return n === 0 || n === 1 ? tcp({ rack: n === 1 }) : undefined;
  }),
  "net.ipv4.tcp_thin_linear_timeouts": only("0"),
  "net.ipv4.tcp_no_metrics_save": ignored,
  "net.ipv4.tcp_no_ssthresh_metrics_save": ignored,
  "net.ipv4.tcp_notsent_lowat": only("4294967295", "-1", "2147483647"),
  "net.ipv4.tcp_fastopen": integer((n) => tcp({ fastOpen: n & 0x607 })),
  "net.ipv4.tcp_fastopen_cookies": ignored,
  "net.ipv4.tcp_fastopen_key": (value) => fastOpenKey(value),
  "net.ipv4.tcp_fastopen_blackhole_timeout_sec": integer((n) =>
    tcp({ fastOpenBlackholeUs: n * S }),
  ),
  "net.ipv4.tcp_syncookies": integer((n) => {
    return n === 0 || n === 1 || n === 2 ? tcp({ synCookies: n }) : undefined;
  }),
  "net.ipv4.tcp_abort_on_overflow": flag((abortOnOverflow) => tcp({ abortOnOverflow })),
  "net.ipv4.tcp_max_syn_backlog": integer((maxSynBacklog) => tcp({ maxSynBacklog })),
  "net.ipv4.tcp_max_tw_buckets": integer((maxTimeWait) => tcp({ maxTimeWait })),
  "net.ipv4.tcp_tw_reuse": ignored,
  "net.ipv4.tcp_rfc1337": flag((ignoreRstInTimeWait) => tcp({ ignoreRstInTimeWait })),
  "net.ipv4.tcp_stdurg": flag((urgentToLast) => tcp({ urgentToLast })),
  "net.ipv4.tcp_mtu_probing": integer((n) => {
    return n === 0 || n === 1 || n === 2 ? tcp({ mtuProbing: n }) : undefined;
  }),
  "net.ipv4.tcp_base_mss": integer((mtuProbeFloor) => tcp({ mtuProbeFloor })),
  "net.ipv4.tcp_min_snd_mss": integer((minMss) => tcp({ minMss })),
  "net.ipv4.tcp_invalid_ratelimit": integer((n) => tcp({ invalidAckIntervalUs: n * MS })),
  "net.ipv4.tcp_challenge_ack_limit": integer((challengeAckPerSecond) =>
    tcp({ challengeAckPerSecond }),
  ),
  "net.ipv4.tcp_comp_sack_nr": ignored,
  "net.ipv4.tcp_comp_sack_delay_ns": ignored,
  "net.ipv4.tcp_comp_sack_slack_ns": ignored,
  "net.ipv4.tcp_comp_sack_rtt_percent": ignored,
  "net.ipv4.tcp_tso_win_divisor": ignored,
  "net.ipv4.tcp_tso_rtt_log": ignored,
  "net.ipv4.tcp_min_tso_segs": ignored,
  "net.ipv4.tcp_autocorking": ignored,
  "net.ipv4.tcp_limit_output_bytes": ignored,
  "net.ipv4.tcp_pacing_ss_ratio": ignored,
  "net.ipv4.tcp_pacing_ca_ratio": ignored,
  "net.ipv4.tcp_adv_win_scale": ignored,
  "net.ipv4.tcp_app_win": ignored,
  "net.ipv4.tcp_moderate_rcvbuf": ignored,
  "net.ipv4.tcp_rcvbuf_low_rtt": ignored,
  "net.ipv4.tcp_shrink_window": only("0"),
  "net.ipv4.tcp_workaround_signed_windows": only("0"),
  "net.ipv4.tcp_backlog_ack_defer": ignored,
  "net.ipv4.tcp_mem": ignored,
  "net.ipv4.tcp_low_latency": ignored,
  "net.ipv4.tcp_early_demux": ignored,
  "net.ipv4.tcp_min_rtt_wlen": ignored,
  "net.ipv4.tcp_pingpong_thresh": only("1"),
  "net.ipv4.tcp_migrate_req": ignored,
  "net.ipv4.ip_no_pmtu_disc": integer((n) => {
    return n === 0 || n === 1 ? tcp({ pathMtuDiscovery: n === 0 }) : undefined;
  }),
  "net.ipv4.ip_local_port_range": ignored,
  "net.ipv4.ip_default_ttl": integer((ttl) => tcp({ ttl })),
  "net.ipv4.route.min_pmtu": ignored,
  "net.ipv4.route.flush": () => ({ flush: true }),
  "net.ipv4.conf.all.rp_filter": ignored,
  "net.ipv4.conf.default.rp_filter": ignored,
  "net.ipv4.conf.tun0.rp_filter": ignored,
  "net.ipv4.icmp_ratelimit": ignored,
  "net.ipv6.conf.all.disable_ipv6": only("0"),
  "net.core.somaxconn": integer((maxBacklog) => tcp({ maxBacklog })),
  "net.core.rmem_max": ignored,
  "net.core.wmem_max": ignored,
  "net.core.rmem_default": ignored,
  "net.core.wmem_default": ignored,
  "net.core.optmem_max": ignored,
  "net.core.default_qdisc": (value) =>
    ["fq", "pfifo", "pfifo_fast"].includes(value) ? NO_CHANGE : undefined,
};

/** `a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4`, a second key behind a comma. */
function fastOpenKey(value: string) {
  return /^(?:[0-9a-fA-F]{8}-?){4}(?:,.*)?$/.test(value)
    ? tcp({ fastOpenKey: value.split(",")[0]! })
    : undefined;
}

/** What the suites' defaults.sh sets: Google's production values. */
export const LINUX_DEFAULTS_SH: readonly (readonly [string, string])[] = [
  ["net.ipv4.tcp_rmem", "4096 540000 15728640"],
  ["net.ipv4.tcp_wmem", "4096 262144 4194304"],
  ["net.ipv4.tcp_timestamps", "1"],
  ["net.ipv4.tcp_syn_retries", "5"],
  ["net.ipv4.tcp_synack_retries", "5"],
  ["net.ipv4.tcp_frto", "2"],
  ["net.ipv4.tcp_sack", "1"],
  ["net.ipv4.tcp_dsack", "1"],
  ["net.ipv4.tcp_reordering", "3"],
  ["net.ipv4.tcp_congestion_control", "cubic"],
  ["net.ipv4.tcp_slow_start_after_idle", "0"],
  ["net.ipv4.tcp_early_retrans", "4"],
  ["net.ipv4.tcp_recovery", "1"],
  ["net.ipv4.tcp_ecn", "0"],
  ["net.ipv4.tcp_fastopen", "0x3"],
  ["net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"],
  ["net.ipv4.tcp_syncookies", "1"],
];
