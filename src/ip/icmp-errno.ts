/** What an ICMP error means to a socket: an errno, and whether it ends the connection attempt (RFC 1122 §4.2.3.9; Linux's table). */
import {
  EACCES,
  ECONNREFUSED,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPROTO,
} from "../base/errors.ts";
import { ICMP_PARAMETER_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from "../wire/icmpv4.ts";
import {
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";

/** Linux's "machine is not on the network". */
const ENONET = 64;

/** By code of "destination unreachable"; negative: hard. */
const IPV4_UNREACHABLE = [
  ENETUNREACH,
  EHOSTUNREACH,
  -ENOPROTOOPT,
  -ECONNREFUSED,
  EMSGSIZE,
  EOPNOTSUPP,
  -ENETUNREACH,
  -EHOSTDOWN,
  -ENONET,
  -ENETUNREACH,
  -EHOSTUNREACH,
  ENETUNREACH,
  EHOSTUNREACH,
  -EHOSTUNREACH,
  -EHOSTUNREACH,
  -EHOSTUNREACH,
];

const IPV6_UNREACHABLE = [
  ENETUNREACH,
  -EACCES,
  EHOSTUNREACH,
  EHOSTUNREACH,
  -ECONNREFUSED,
  -EACCES,
  -EACCES,
];

/** errno, negative when hard; 0: the message is no error for a socket. */
export function icmpErrno(isIpv4: boolean, type: number, code: number): number {
  if (isIpv4) {
    if (type === ICMP_UNREACHABLE) return IPV4_UNREACHABLE[code] ?? EHOSTUNREACH;
    if (type === ICMP_TIME_EXCEEDED) return EHOSTUNREACH;
    return type === ICMP_PARAMETER_PROBLEM ? -EPROTO : 0;
  }
  if (type === ICMPV6_UNREACHABLE) return IPV6_UNREACHABLE[code] ?? EHOSTUNREACH;
  if (type === ICMPV6_PACKET_TOO_BIG) return EMSGSIZE;
  if (type === ICMPV6_TIME_EXCEEDED) return EHOSTUNREACH;
  return type === ICMPV6_PARAMETER_PROBLEM ? -EPROTO : 0;
}
