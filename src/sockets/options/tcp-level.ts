import { EINVAL, ENOENT, EOPNOTSUPP } from "../../base/errors.ts";
import {
  TCP_CONGESTION,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_FASTOPEN,
  TCP_FASTOPEN_CONNECT,
  TCP_FASTOPEN_KEY,
  TCP_FASTOPEN_NO_COOKIE,
  TCP_INFO,
  TCP_INQ,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINIT,
  TCP_KEEPINTVL,
  TCP_LINGER2,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_NOOPT,
  TCP_NOTSENT_LOWAT,
  TCP_QUICKACK,
  TCP_SYNCNT,
  TCP_TIMESTAMP,
  TCP_USER_TIMEOUT,
  TCP_WINDOW_CLAMP,
} from "../constants.ts";
import type { StreamSocket } from "../stream-socket.ts";
import type { SocketOptions } from "../../tcp/socket-options.ts";
import { isStream } from "./kinds.ts";
import { flag, integer, type OptionRow, type OptionValue, table } from "./option.ts";

const INT_MAX = 0x7fffffff;
/** Linux's largest TCP_KEEPIDLE and TCP_KEEPINTVL, seconds, and TCP_KEEPCNT and TCP_SYNCNT. */
const MAX_KEEP_SECONDS = 32_767;
const MAX_COUNT = 127;

type FlagKey = {
  [K in keyof SocketOptions]: SocketOptions[K] extends boolean ? K : never;
}[keyof SocketOptions];
type NumberKey = {
  [K in keyof SocketOptions]: SocketOptions[K] extends number ? K : never;
}[keyof SocketOptions];

/** A flag that is a field of the connection's options. */
function field(name: string, option: number, key: FlagKey): OptionRow {
  return flag(
    name,
    option,
    isStream,
    (s) => s.connection.options[key],
    (s, on) => s.change((o) => (o[key] = on)),
  );
}

/** A number that is a field of the connection's options, `scale` times what the call says. */
function scaled(
  name: string,
  option: number,
  key: NumberKey,
  least: number,
  most: number,
  scale: number,
): OptionRow {
  return integer(
    name,
    option,
    isStream,
    least,
    most,
    (s) => Math.trunc(s.connection.options[key] / scale),
    (s, value) => s.change((o) => (o[key] = value * scale)),
  );
}

const SECOND = 1_000_000;

/** TCP_FASTOPEN_KEY: a string whose 16 characters are the bytes of the key, least significant of each word first. */
function keyOf(value: OptionValue): Int32Array | undefined {
  if (typeof value !== "string" || value.length !== 16) return undefined;
  const key = new Int32Array(4);
  for (let i = 0; i < 16; i++) key[i >> 2]! |= (value.charCodeAt(i) & 0xff) << (8 * (i & 3));
  return key;
}

function keyBytes(key: Int32Array | undefined): string {
  let bytes = "";
  for (const word of key ?? []) {
    for (let shift = 0; shift < 32; shift += 8) {
      bytes += String.fromCharCode((word >>> shift) & 0xff);
    }
  }
  return bytes;
}

function maxSegment(s: StreamSocket): number {
  const c = s.connection;
  // Before there is a connection Linux tells the default; afterwards what a full segment carries.
  return c.path === undefined ? c.options.maxSegment || 536 : c.sndMss;
}

export const TCP_OPTIONS = table([
  field("TCP_NODELAY", TCP_NODELAY, "nodelay"),
  field("TCP_CORK", TCP_CORK, "cork"),
  integer("TCP_MAXSEG", TCP_MAXSEG, isStream, 0, 32_767, maxSegment, (s, value) => {
    if (value !== 0 && value < 88) return -EINVAL;
    s.change((o) => (o.maxSegment = value));
    return 0;
  }),
  scaled("TCP_KEEPIDLE", TCP_KEEPIDLE, "keepAliveIdleUs", 1, MAX_KEEP_SECONDS, SECOND),
  scaled("TCP_KEEPINTVL", TCP_KEEPINTVL, "keepAliveIntervalUs", 1, MAX_KEEP_SECONDS, SECOND),
  scaled("TCP_KEEPCNT", TCP_KEEPCNT, "keepAliveCount", 1, MAX_COUNT, 1),
  scaled("TCP_KEEPINIT", TCP_KEEPINIT, "connectTimeoutUs", 1, INT_MAX, SECOND),
  field("TCP_NOOPT", TCP_NOOPT, "noOptions"),
  scaled("TCP_SYNCNT", TCP_SYNCNT, "synRetries", 1, MAX_COUNT, 1),
  integer(
    "TCP_LINGER2",
    TCP_LINGER2,
    isStream,
    -1,
    INT_MAX,
    (s) => Math.trunc(s.connection.options.linger2Us / SECOND),
    (s, value) => {
      const { finWait2Us } = s.system.env.tcp.env.settings;
      const us = value < 0 ? 0 : value === 0 ? finWait2Us : Math.min(value, 120) * SECOND;
      s.change((o) => (o.linger2Us = us));
    },
  ),
  scaled("TCP_DEFER_ACCEPT", TCP_DEFER_ACCEPT, "deferAcceptUs", 0, INT_MAX, SECOND),
  scaled("TCP_WINDOW_CLAMP", TCP_WINDOW_CLAMP, "windowClamp", 0, INT_MAX, 1),
  {
    name: "TCP_INFO",
    option: TCP_INFO,
    get: (s) => (isStream(s) ? s.info() : 0),
  },
  integer(
    "TCP_QUICKACK",
    TCP_QUICKACK,
    isStream,
    0,
    INT_MAX,
    (s) => (s.connection.options.quickAck !== 0 ? 1 : 0),
    (s, value) => s.change((o) => (o.quickAck = value === 0 ? 0 : 1)),
  ),
  {
    name: "TCP_CONGESTION",
    option: TCP_CONGESTION,
    get: (s) => (isStream(s) ? s.connection.options.congestionControl : ""),
    set: (s, value) => {
      if (typeof value !== "string" || !isStream(s)) return -EINVAL;
      return s.system.env.tcp.setCongestionControl(s.connection, value) ? 0 : -ENOENT;
    },
  },
  scaled("TCP_USER_TIMEOUT", TCP_USER_TIMEOUT, "userTimeoutUs", 0, INT_MAX, 1000),
  integer(
    "TCP_FASTOPEN",
    TCP_FASTOPEN,
    isStream,
    0,
    INT_MAX,
    (s) => s.connection.options.fastOpen,
    (s, value) => s.change((o) => (o.fastOpen = value)),
  ),
  {
    name: "TCP_FASTOPEN_KEY",
    option: TCP_FASTOPEN_KEY,
    get: (s) => (isStream(s) ? keyBytes(s.connection.options.fastOpenKey) : ""),
    set: (s, value) => {
      const key = keyOf(value);
      if (key === undefined || !isStream(s)) return -EINVAL;
      s.change((o) => (o.fastOpenKey = key));
      return 0;
    },
  },
  flag(
    "TCP_FASTOPEN_CONNECT",
    TCP_FASTOPEN_CONNECT,
    isStream,
    (s) => s.connection.options.fastOpenConnect,
    (s, on) => {
      if ((s.system.env.tcp.settings.fastOpen & 1) === 0) return -EOPNOTSUPP;
      s.change((o) => (o.fastOpenConnect = on));
      return 0;
    },
  ),
  field("TCP_FASTOPEN_NO_COOKIE", TCP_FASTOPEN_NO_COOKIE, "fastOpenNoCookie"),
  scaled("TCP_NOTSENT_LOWAT", TCP_NOTSENT_LOWAT, "notSentLowWater", 0, 0xffffffff, 1),
  field("TCP_INQ", TCP_INQ, "inq"),
  integer("TCP_TIMESTAMP", TCP_TIMESTAMP, isStream, 0, INT_MAX, (s) => {
    return Math.trunc(s.system.env.now() / 1000) & INT_MAX;
  }),
]);
