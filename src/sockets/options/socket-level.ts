import { EINVAL, ENODEV, ENOPROTOOPT } from "../../base/errors.ts";
import {
  SO_ACCEPTCONN,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_BROADCAST,
  SO_DEBUG,
  SO_DOMAIN,
  SO_DONTROUTE,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MARK,
  SO_MAX_PACING_RATE,
  SO_NO_CHECK,
  SO_OOBINLINE,
  SO_PRIORITY,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TYPE,
} from "../constants.ts";
import type { Socket } from "../socket.ts";
import { isAny, isDatagram, isStream, isUdp } from "./kinds.ts";
import {
  flag,
  integer,
  type Linger,
  numberOf,
  type OptionRow,
  type OptionValue,
  readOnly,
  table,
} from "./option.ts";

const INT_MAX = 0x7fffffff;

/** Linux's smallest buffers for datagrams, as getsockopt tells them. */
const MIN_RECEIVE_BUFFER = 2304;
const MIN_SEND_BUFFER = 4608;

/**
 * Linux stores twice what is asked for and tells that, since half is for its
 * own bookkeeping. A TCP buffer here holds what was asked for; datagrams are
 * charged with an overhead, so theirs is doubled in fact.
 */
function receiveBuffer(socket: Socket): number {
  if (isDatagram(socket)) return socket.endpoint.receiveBuffer;
  return isStream(socket) ? socket.connection.rcvBufSize * 2 : 0;
}

function setReceiveBuffer(socket: Socket, value: number): number {
  const size = Math.min(Math.max(value, 0), socket.system.settings.maxReceiveBuffer);
  if (isDatagram(socket)) socket.endpoint.receiveBuffer = Math.max(MIN_RECEIVE_BUFFER, size * 2);
  else if (isStream(socket)) socket.setReceiveBuffer(Math.max(1, size));
  return 0;
}

function sendBuffer(socket: Socket): number {
  if (isDatagram(socket)) return socket.endpoint.sendBuffer;
  return isStream(socket) ? socket.connection.sndBufSize * 2 : 0;
}

function setSendBuffer(socket: Socket, value: number): number {
  const size = Math.min(Math.max(value, 0), socket.system.settings.maxSendBuffer);
  if (isDatagram(socket)) socket.endpoint.sendBuffer = Math.max(MIN_SEND_BUFFER, size * 2);
  else if (isStream(socket)) socket.setSendBuffer(Math.max(1, size));
  return 0;
}

function timeout(
  name: string,
  option: number,
  key: "receiveTimeoutMs" | "sendTimeoutMs",
): OptionRow {
  return {
    name,
    option,
    get: (socket) => socket[key],
    set: (socket, value) => {
      const ms = numberOf(value);
      if (Number.isNaN(ms)) return -EINVAL;
      socket[key] = ms > 0 && Number.isFinite(ms) ? ms : 0;
      return 0;
    },
  };
}

function setLinger(socket: Socket, value: OptionValue): number {
  if (typeof value !== "object" || !("seconds" in value)) return -EINVAL;
  const { on, seconds } = value as Linger;
  if (!Number.isFinite(seconds) || seconds < 0) return -EINVAL;
  if (isStream(socket)) socket.change((o) => (o.lingerUs = on ? seconds * 1_000_000 : -1));
  return 0;
}

function bindToIndex(socket: Socket, index: number): number {
  if (index !== 0 && socket.system.env.interfaceName(index) === undefined) return -ENODEV;
  socket.device = index;
  if (isDatagram(socket)) {
    socket.endpoint.device = index;
    socket.endpoint.path = undefined;
  }
  return 0;
}

export const SOCKET_OPTIONS = table([
  flag(
    "SO_DEBUG",
    SO_DEBUG,
    isAny,
    () => false,
    () => {},
  ),
  flag(
    "SO_REUSEADDR",
    SO_REUSEADDR,
    isAny,
    (s) => s.reuseAddress,
    (s, on) => {
      s.reuseAddress = on;
    },
  ),
  flag(
    "SO_REUSEPORT",
    SO_REUSEPORT,
    isAny,
    (s) => s.reusePort,
    (s, on) => {
      s.reusePort = on;
    },
  ),
  readOnly("SO_TYPE", SO_TYPE, (s) => s.type),
  readOnly("SO_DOMAIN", SO_DOMAIN, (s) => s.domain),
  readOnly("SO_PROTOCOL", SO_PROTOCOL, (s) => s.protocol),
  readOnly("SO_ERROR", SO_ERROR, (s) => s.takeError()),
  readOnly("SO_ACCEPTCONN", SO_ACCEPTCONN, (s) => (isStream(s) && s.isListening ? 1 : 0)),
  flag(
    "SO_DONTROUTE",
    SO_DONTROUTE,
    isAny,
    () => false,
    (_, on) => (on ? -ENOPROTOOPT : 0),
  ),
  flag(
    "SO_BROADCAST",
    SO_BROADCAST,
    isAny,
    (s) => isDatagram(s) && s.endpoint.broadcast,
    (s, on) => {
      if (isDatagram(s)) s.endpoint.broadcast = on;
    },
  ),
  integer("SO_SNDBUF", SO_SNDBUF, isAny, 0, INT_MAX, sendBuffer, setSendBuffer),
  integer("SO_RCVBUF", SO_RCVBUF, isAny, 0, INT_MAX, receiveBuffer, setReceiveBuffer),
  integer("SO_SNDBUFFORCE", SO_SNDBUFFORCE, isAny, 0, INT_MAX, sendBuffer, setSendBuffer),
  integer("SO_RCVBUFFORCE", SO_RCVBUFFORCE, isAny, 0, INT_MAX, receiveBuffer, setReceiveBuffer),
  flag(
    "SO_KEEPALIVE",
    SO_KEEPALIVE,
    isAny,
    (s) => isStream(s) && s.connection.options.keepAlive,
    (s, on) => {
      if (isStream(s)) s.change((o) => (o.keepAlive = on));
    },
  ),
  flag(
    "SO_OOBINLINE",
    SO_OOBINLINE,
    isAny,
    (s) => isStream(s) && s.connection.options.oobInline,
    (s, on) => {
      if (isStream(s)) s.change((o) => (o.oobInline = on));
    },
  ),
  flag(
    "SO_NO_CHECK",
    SO_NO_CHECK,
    isAny,
    (s) => isUdp(s) && s.endpoint.noChecksum,
    (s, on) => {
      if (isUdp(s)) s.endpoint.noChecksum = on;
    },
  ),
  integer(
    "SO_PRIORITY",
    SO_PRIORITY,
    isAny,
    0,
    6,
    () => 0,
    () => {},
  ),
  integer(
    "SO_MARK",
    SO_MARK,
    isAny,
    0,
    INT_MAX,
    () => 0,
    (_, v) => (v === 0 ? 0 : -ENOPROTOOPT),
  ),
  {
    name: "SO_LINGER",
    option: SO_LINGER,
    get: (s) => {
      const us = isStream(s) ? s.connection.options.lingerUs : -1;
      return { on: us >= 0, seconds: us >= 0 ? us / 1_000_000 : 0 };
    },
    set: setLinger,
  },
  integer(
    "SO_RCVLOWAT",
    SO_RCVLOWAT,
    isAny,
    0,
    INT_MAX,
    (s) => (isStream(s) ? s.connection.options.receiveLowWater : 1),
    (s, value) => {
      if (isStream(s)) s.change((o) => (o.receiveLowWater = value || 1));
    },
  ),
  readOnly("SO_SNDLOWAT", SO_SNDLOWAT, () => 1),
  timeout("SO_RCVTIMEO", SO_RCVTIMEO, "receiveTimeoutMs"),
  timeout("SO_SNDTIMEO", SO_SNDTIMEO, "sendTimeoutMs"),
  {
    name: "SO_BINDTODEVICE",
    option: SO_BINDTODEVICE,
    get: (s) => (s.device === 0 ? "" : (s.system.env.interfaceName(s.device) ?? "")),
    set: (s, value) => {
      if (typeof value !== "string") return -EINVAL;
      if (value === "") return bindToIndex(s, 0);
      const index = s.system.env.interfaceIndex(value);
      return index === 0 ? -ENODEV : bindToIndex(s, index);
    },
  },
  integer("SO_BINDTOIFINDEX", SO_BINDTOIFINDEX, isAny, 0, INT_MAX, (s) => s.device, bindToIndex),
  integer(
    "SO_MAX_PACING_RATE",
    SO_MAX_PACING_RATE,
    isAny,
    -1,
    Number.MAX_SAFE_INTEGER,
    (s) => {
      const rate = isStream(s) ? s.connection.options.maxPacingRate : Number.POSITIVE_INFINITY;
      return rate === Number.POSITIVE_INFINITY ? 0xffffffff : rate;
    },
    (s, value) => {
      const rate = value < 0 || value === 0xffffffff ? Number.POSITIVE_INFINITY : value;
      if (isStream(s)) s.change((o) => (o.maxPacingRate = rate));
    },
  ),
]);
