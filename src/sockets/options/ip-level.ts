import { IpAddress } from "../../base/address.ts";
import { EADDRNOTAVAIL, EINVAL, ENODEV, ENOPROTOOPT, ENOTCONN } from "../../base/errors.ts";
import {
  IP_ADD_MEMBERSHIP,
  IP_BIND_ADDRESS_NO_PORT,
  IP_DROP_MEMBERSHIP,
  IP_FREEBIND,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TRANSPARENT,
  IP_TTL,
} from "../constants.ts";
import type { Socket } from "../socket.ts";
import { isAny, isDatagram, isStream } from "./kinds.ts";
import {
  flag,
  type GroupRequest,
  integer,
  OptionFailure,
  type OptionRow,
  type OptionValue,
  numberOf,
  table,
} from "./option.ts";

/** TTL or hop limit of unicast; -1 to set means the default. */
export function getTtl(socket: Socket): number {
  const { defaultTtl } = socket.system.settings;
  if (isStream(socket)) return socket.connection.options.ttl;
  if (isDatagram(socket)) return socket.endpoint.ttl < 0 ? defaultTtl : socket.endpoint.ttl;
  return defaultTtl;
}

export function setTtl(socket: Socket, value: number): number {
  const { defaultTtl } = socket.system.settings;
  if (isStream(socket)) socket.change((o) => (o.ttl = value < 0 ? defaultTtl : value));
  else if (isDatagram(socket)) socket.endpoint.ttl = value;
  return 0;
}

export function getTos(socket: Socket): number {
  if (isStream(socket)) return socket.connection.options.tos;
  return isDatagram(socket) ? socket.endpoint.tos : 0;
}

export function setTos(socket: Socket, value: number): number {
  // The ECN bits of a stream are TCP's own (RFC 3168 §6.1); Linux masks them too.
  if (isStream(socket)) socket.change((o) => (o.tos = value & 0xfc));
  else if (isDatagram(socket)) socket.endpoint.tos = value;
  return 0;
}

/** IP_MTU: of the path that the socket is connected to. */
export function getMtu(socket: Socket): number | OptionFailure {
  const path = isStream(socket)
    ? socket.connection.path
    : isDatagram(socket) && socket.endpoint.connected
      ? socket.endpoint.path
      : undefined;
  return path === undefined ? new OptionFailure(ENOTCONN) : path.mtu;
}

export function getMtuDiscover(socket: Socket): number {
  if (isStream(socket)) return socket.connection.options.pathMtuDiscovery;
  return isDatagram(socket) ? socket.endpoint.mtuDiscover : 0;
}

export function setMtuDiscover(socket: Socket, value: number): number {
  if (isStream(socket)) socket.change((o) => (o.pathMtuDiscovery = value));
  else if (isDatagram(socket)) socket.endpoint.mtuDiscover = value;
  return 0;
}

/** IP_ADD_MEMBERSHIP and IPV6_ADD_MEMBERSHIP, or their opposites. */
export function membership(name: string, option: number, joins: boolean): OptionRow {
  return {
    name,
    option,
    set: (socket, value) => {
      if (!isDatagram(socket)) return -ENOPROTOOPT;
      if (typeof value !== "object" || !("group" in value)) return -EINVAL;
      const request = value as GroupRequest;
      let index = request.interfaceIndex ?? 0;
      if (index === 0 && request.interfaceAddress !== undefined) {
        index = interfaceOf(socket, request.interfaceAddress);
        if (index < 0) return index;
      }
      return joins ? socket.join(request.group, index) : socket.leave(request.group, index);
    },
  };
}

/** The interface that has this address; the unspecified one means any. */
function interfaceOf(socket: Socket, address: IpAddress): number {
  if (address.isUnspecified) return 0;
  const index = socket.system.env.interfaceOf(address);
  return index === 0 ? -ENODEV : index;
}

/** IP_MULTICAST_IF: an interface by index, or by one of its addresses. */
function setMulticastInterface(socket: Socket, value: OptionValue): number {
  if (!isDatagram(socket)) return -ENOPROTOOPT;
  let index = 0;
  if (value instanceof IpAddress) {
    index = interfaceOf(socket, value);
    if (index < 0) return -EADDRNOTAVAIL;
  } else {
    index = numberOf(value);
    if (!Number.isInteger(index) || index < 0) return -EINVAL;
    if (index !== 0 && socket.system.env.interfaceName(index) === undefined) return -ENODEV;
  }
  socket.endpoint.multicastInterface = index;
  socket.endpoint.path = undefined;
  return 0;
}

export function multicastInterface(name: string, option: number): OptionRow {
  return {
    name,
    option,
    get: (s) => (isDatagram(s) ? s.endpoint.multicastInterface : new OptionFailure(ENOPROTOOPT)),
    set: setMulticastInterface,
  };
}

export const IP_OPTIONS = table([
  integer("IP_TOS", IP_TOS, isAny, 0, 255, getTos, setTos),
  integer("IP_TTL", IP_TTL, isAny, -1, 255, getTtl, (s, v) => (v === 0 ? -EINVAL : setTtl(s, v))),
  flag(
    "IP_PKTINFO",
    IP_PKTINFO,
    isDatagram,
    (s) => s.receivePacketInfo,
    (s, on) => {
      s.receivePacketInfo = on;
    },
  ),
  flag(
    "IP_RECVTTL",
    IP_RECVTTL,
    isDatagram,
    (s) => s.receiveTtl,
    (s, on) => {
      s.receiveTtl = on;
    },
  ),
  flag(
    "IP_RECVTOS",
    IP_RECVTOS,
    isDatagram,
    (s) => s.receiveTos,
    (s, on) => {
      s.receiveTos = on;
    },
  ),
  flag(
    "IP_RECVERR",
    IP_RECVERR,
    isAny,
    (s) => s.receiveErrors,
    (s, on) => s.setReceiveErrors(on),
  ),
  integer("IP_MTU_DISCOVER", IP_MTU_DISCOVER, isAny, 0, 5, getMtuDiscover, setMtuDiscover),
  integer("IP_MTU", IP_MTU, isAny, 0, 0, getMtu),
  flag(
    "IP_FREEBIND",
    IP_FREEBIND,
    isAny,
    () => false,
    (_, on) => (on ? -ENOPROTOOPT : 0),
  ),
  flag(
    "IP_TRANSPARENT",
    IP_TRANSPARENT,
    isAny,
    () => false,
    (_, on) => (on ? -ENOPROTOOPT : 0),
  ),
  flag(
    "IP_BIND_ADDRESS_NO_PORT",
    IP_BIND_ADDRESS_NO_PORT,
    isAny,
    (s) => isStream(s) && s.bindWithoutPort,
    (s, on) => {
      if (isStream(s)) s.bindWithoutPort = on;
    },
  ),
  multicastInterface("IP_MULTICAST_IF", IP_MULTICAST_IF),
  integer(
    "IP_MULTICAST_TTL",
    IP_MULTICAST_TTL,
    isDatagram,
    -1,
    255,
    (s) => s.endpoint.multicastTtl,
    (s, value) => {
      s.endpoint.multicastTtl = value < 0 ? 1 : value;
    },
  ),
  flag(
    "IP_MULTICAST_LOOP",
    IP_MULTICAST_LOOP,
    isDatagram,
    (s) => s.endpoint.multicastLoop,
    (s, on) => {
      s.endpoint.multicastLoop = on;
    },
  ),
  flag(
    "IP_MULTICAST_ALL",
    IP_MULTICAST_ALL,
    isDatagram,
    (s) => s.endpoint.multicastAll,
    (s, on) => {
      s.endpoint.multicastAll = on;
    },
  ),
  membership("IP_ADD_MEMBERSHIP", IP_ADD_MEMBERSHIP, true),
  membership("IP_DROP_MEMBERSHIP", IP_DROP_MEMBERSHIP, false),
]);
