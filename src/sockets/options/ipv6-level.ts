import { EINVAL } from "../../base/errors.ts";
import {
  IPV6_ADD_MEMBERSHIP,
  IPV6_DROP_MEMBERSHIP,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
} from "../constants.ts";
import {
  getMtu,
  getMtuDiscover,
  getTos,
  getTtl,
  membership,
  multicastInterface,
  setMtuDiscover,
  setTos,
  setTtl,
} from "./ip-level.ts";
import { isDatagram, isIpv6, isStream, isUdp } from "./kinds.ts";
import { flag, integer, table } from "./option.ts";

/** Options of AF_INET6 sockets; the calls refuse the level for others. */
export const IPV6_OPTIONS = table([
  integer("IPV6_UNICAST_HOPS", IPV6_UNICAST_HOPS, isIpv6, -1, 255, getTtl, setTtl),
  integer("IPV6_TCLASS", IPV6_TCLASS, isIpv6, -1, 255, getTos, (s, value) =>
    setTos(s, Math.max(0, value)),
  ),
  flag(
    "IPV6_V6ONLY",
    IPV6_V6ONLY,
    isIpv6,
    (s) => s.v6only,
    (s, on) => {
      if ((isStream(s) || isUdp(s)) && s.isBound) return -EINVAL;
      s.v6only = on;
      return 0;
    },
  ),
  flag(
    "IPV6_RECVPKTINFO",
    IPV6_RECVPKTINFO,
    isDatagram,
    (s) => s.receivePacketInfo,
    (s, on) => {
      s.receivePacketInfo = on;
    },
  ),
  flag(
    "IPV6_RECVHOPLIMIT",
    IPV6_RECVHOPLIMIT,
    isDatagram,
    (s) => s.receiveTtl,
    (s, on) => {
      s.receiveTtl = on;
    },
  ),
  flag(
    "IPV6_RECVTCLASS",
    IPV6_RECVTCLASS,
    isDatagram,
    (s) => s.receiveTos,
    (s, on) => {
      s.receiveTos = on;
    },
  ),
  flag(
    "IPV6_RECVERR",
    IPV6_RECVERR,
    isIpv6,
    (s) => s.receiveErrors,
    (s, on) => s.setReceiveErrors(on),
  ),
  integer("IPV6_MTU_DISCOVER", IPV6_MTU_DISCOVER, isIpv6, 0, 5, getMtuDiscover, setMtuDiscover),
  integer("IPV6_MTU", IPV6_MTU, isIpv6, 0, 0, getMtu),
  multicastInterface("IPV6_MULTICAST_IF", IPV6_MULTICAST_IF),
  integer(
    "IPV6_MULTICAST_HOPS",
    IPV6_MULTICAST_HOPS,
    isDatagram,
    -1,
    255,
    (s) => s.endpoint.multicastTtl,
    (s, value) => {
      s.endpoint.multicastTtl = value < 0 ? 1 : value;
    },
  ),
  flag(
    "IPV6_MULTICAST_LOOP",
    IPV6_MULTICAST_LOOP,
    isDatagram,
    (s) => s.endpoint.multicastLoop,
    (s, on) => {
      s.endpoint.multicastLoop = on;
    },
  ),
  flag(
    "IPV6_MULTICAST_ALL",
    IPV6_MULTICAST_ALL,
    isDatagram,
    (s) => s.endpoint.multicastAll,
    (s, on) => {
      s.endpoint.multicastAll = on;
    },
  ),
  membership("IPV6_ADD_MEMBERSHIP", IPV6_ADD_MEMBERSHIP, true),
  membership("IPV6_DROP_MEMBERSHIP", IPV6_DROP_MEMBERSHIP, false),
]);
