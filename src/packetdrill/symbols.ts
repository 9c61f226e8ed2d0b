/** The words of scripts and their numbers: those of the socket calls, and what FreeBSD has besides. */
import { errnoName, errnoNumber } from "../base/errors.ts";
import * as constants from "../sockets/constants.ts";

/** Beyond the numbers that our own socket calls know. */
const MORE: Readonly<Record<string, number>> = {
  IPPROTO_UDPLITE: 136,
  IPPROTO_SCTP: 132,
  SO_TIMESTAMPING: 37,
  SO_TIMESTAMP: 29,
  SO_TIMESTAMPNS: 35,
  SO_BUSY_POLL: 46,
  SO_ZEROCOPY: 60,
  SO_TXTIME: 61,
  TCP_MD5SIG: 14,
  TCP_REPAIR: 19,
  TCP_SAVE_SYN: 27,
  TCP_SAVED_SYN: 28,
  TCP_ULP: 31,
  TCP_MD5SIG_EXT: 32,
  TCP_FASTOPEN_KEY: 33,
  TCP_ZEROCOPY_RECEIVE: 35,
  TCP_CC_INFO: 26,
  TCP_RTO_MAX_MS: 44,
  TCP_NLA_SNDBUF: 1,
  // FreeBSD's own, at numbers that Linux does not use for TCP.
  TCP_NOPUSH: constants.TCP_CORK,
  TCP_MAXUNACKTIME: 1068,
  TCP_FUNCTION_BLK: 8192,
  TCP_REMOTE_UDP_ENCAPS_PORT: 1071,
  TCP_DELACK: 1072,
  TCP_FIN_IS_RST: 1073,
  TCP_LOG: 1034,
  TCP_LOGBUF: 1035,
  TCP_LOGID: 1036,
  TCP_STATS: 1033,
  // Type of service, as FreeBSD's <netinet/ip.h> names it.
  IPTOS_DSCP_CS0: 0,
  IPTOS_DSCP_CS1: 32,
  IPTOS_DSCP_CS2: 64,
  IPTOS_DSCP_CS3: 96,
  IPTOS_DSCP_CS4: 128,
  IPTOS_DSCP_CS5: 160,
  IPTOS_DSCP_CS6: 192,
  IPTOS_DSCP_CS7: 224,
  IPTOS_DSCP_AF11: 40,
  IPTOS_DSCP_AF12: 48,
  IPTOS_DSCP_AF13: 56,
  IPTOS_DSCP_AF21: 72,
  IPTOS_DSCP_AF22: 80,
  IPTOS_DSCP_AF23: 88,
  IPTOS_DSCP_AF31: 104,
  IPTOS_DSCP_AF32: 112,
  IPTOS_DSCP_AF33: 120,
  IPTOS_DSCP_AF41: 136,
  IPTOS_DSCP_AF42: 144,
  IPTOS_DSCP_AF43: 152,
  IPTOS_DSCP_EF: 0xb8,
  IPTOS_DSCP_VA: 0xb0,
  IPTOS_LOWDELAY: 0x10,
  IPTOS_THROUGHPUT: 8,
  IPTOS_RELIABILITY: 4,
  IPTOS_MINCOST: 2,
  SO_SETFIB: 0x1014,
  SO_NOSIGPIPE: 0x1022,
  SO_USELOOPBACK: 0x1040,
  SO_ACCEPTFILTER: 0x1000,
  SO_LISTENQLIMIT: 0x1011,
  FIONSPACE: 0x1076,
  FIONWRITE: constants.SIOCOUTQ,
  MSG_EOF: 0x100000,
  EPOLLIN: 0x1,
  EPOLLPRI: 0x2,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLLRDNORM: 0x40,
  EPOLLWRNORM: 0x100,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 0x80000000,
  EPOLLONESHOT: 0x40000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLL_CLOEXEC: 0o2000000,
  O_RDONLY: 0,
  O_WRONLY: 1,
  PF_INET: constants.AF_INET,
  PF_INET6: constants.AF_INET6,
  INADDR_ANY: 0,
  NULL: 0,
  SPLICE_F_NONBLOCK: 2,
  SO_EE_ORIGIN_NONE: 0,
  SO_EE_ORIGIN_LOCAL: 1,
  SO_EE_ORIGIN_ICMP: 2,
  SO_EE_ORIGIN_ICMP6: 3,
  SO_EE_ORIGIN_TIMESTAMPING: 4,
  SO_EE_ORIGIN_ZEROCOPY: 5,
  SCM_TSTAMP_SND: 0,
  SCM_TSTAMP_SCHED: 1,
  SCM_TSTAMP_ACK: 2,
};

/** The number of a word, errno names included; undefined: not known. */
export function symbol(name: string): number | undefined {
  const known = (constants as unknown as Record<string, unknown>)[name];
  if (typeof known === "number") return known;
  return MORE[name] ?? (/^E[A-Z0-9]+$/.test(name) ? errnoNumber(alias(name)) : undefined);
}

/** Errnos with two names. */
function alias(name: string): string {
  return name === "EWOULDBLOCK" ? "EAGAIN" : name === "ENOTSUP" ? "EOPNOTSUPP" : name;
}

/** Whether two errnos are the same one: `EWOULDBLOCK` is `EAGAIN`. */
export function sameErrno(script: string, errno: number): boolean {
  return alias(script) === errnoName(errno);
}

/** Names that code blocks may use beside the fields of TCP_INFO. */
export function codeSymbol(name: string, freebsd: boolean): number | undefined {
  const state = /^(?:TCPI?S?)_([A-Z0-9_]+)$/.exec(name)?.[1];
  if (state !== undefined) {
    const row = STATES.find((entry) => entry.names.includes(state));
    if (row !== undefined) return freebsd ? row.freebsd : row.linux;
  }
  return CODE_SYMBOLS[name] ?? symbol(name);
}

/** A state's number in tcpi_state. `names` are how the systems call it. */
const STATES: readonly {
  names: readonly string[];
  linux: number;
  freebsd: number;
  ours: number;
}[] = [
  { names: ["CLOSE", "CLOSED"], linux: 7, freebsd: 0, ours: 0 },
  { names: ["LISTEN"], linux: 10, freebsd: 1, ours: 1 },
  { names: ["SYN_SENT"], linux: 2, freebsd: 2, ours: 2 },
  { names: ["SYN_RECV", "SYN_RECEIVED", "SYN_RCVD"], linux: 3, freebsd: 3, ours: 3 },
  { names: ["ESTABLISHED"], linux: 1, freebsd: 4, ours: 4 },
  { names: ["FIN_WAIT1", "FIN_WAIT_1"], linux: 4, freebsd: 6, ours: 5 },
  { names: ["FIN_WAIT2", "FIN_WAIT_2"], linux: 5, freebsd: 9, ours: 6 },
  { names: ["CLOSE_WAIT"], linux: 8, freebsd: 5, ours: 7 },
  { names: ["CLOSING"], linux: 11, freebsd: 7, ours: 8 },
  { names: ["LAST_ACK"], linux: 9, freebsd: 8, ours: 9 },
  { names: ["TIME_WAIT"], linux: 6, freebsd: 10, ours: 10 },
];

/** tcpi_state as a system numbers it, from our own numbering (tcp/state.ts). */
export function tcpiState(ours: number, freebsd: boolean): number {
  const row = STATES.find((entry) => entry.ours === ours);
  return row === undefined ? 0 : freebsd ? row.freebsd : row.linux;
}

/** The state as FreeBSD's sockstat prints it. */
export function sockstatState(ours: number): string {
  const names = [
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RCVD",
    "ESTABLISHED",
    "FIN_WAIT_1",
    "FIN_WAIT_2",
    "CLOSE_WAIT",
    "CLOSING",
    "LAST_ACK",
    "TIME_WAIT",
  ];
  return names[ours] ?? "CLOSED";
}

const CODE_SYMBOLS: Readonly<Record<string, number>> = {
  TCP_CA_Open: 0,
  TCP_CA_Disorder: 1,
  TCP_CA_CWR: 2,
  TCP_CA_Recovery: 3,
  TCP_CA_Loss: 4,
  TCPI_OPT_TIMESTAMPS: 1,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_WSCALE: 4,
  TCPI_OPT_ECN: 8,
  TCPI_OPT_ECN_SEEN: 16,
  TCPI_OPT_SYN_DATA: 32,
  TCPI_OPT_TFO: 32,
  TCPI_OPT_USEC_TS: 64,
  TCPI_OPT_TFO_CHILD: 128,
  TFO_CLIENT_FAIL_NONE: 0,
  TFO_COOKIE_UNAVAILABLE: 1,
  TFO_DATA_NOT_ACKED: 2,
  TFO_SYN_RETRANSMITTED: 3,
  TCP_INFINITE_SSTHRESH: 0x7fffffff,
};
