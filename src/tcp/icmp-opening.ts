import { ECONNREFUSED, EHOSTUNREACH, EPROTO } from "../base/errors.ts";
import type { IcmpError } from "../base/transport.ts";
import { ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from "../wire/icmpv4.ts";
import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";
import type { TcpSettings } from "./settings.ts";

/** Codes of "unreachable" that FreeBSD takes for a refusal: protocol, port, administratively prohibited. */
const REFUSED_V4 = [2, 3, 9, 10, 13];
const REFUSED_V6 = [1, 4];

/** With what errno an ICMP error ends a connection attempt; 0: it does not. */
export function openingErrno(rule: TcpSettings["icmpInOpening"], error: IcmpError): number {
  if (rule === "none") return 0;
  // A parameter problem is soft for TCP (MUST-56), whatever other sockets make of it.
  if (rule === "rfc") return error.hard && error.errno !== EPROTO ? error.errno : 0;
  const { isIpv4, type, code } = error;
  if (type === (isIpv4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED)) {
    return code === 0 ? EHOSTUNREACH : 0;
  }
  if (type === (isIpv4 ? ICMP_UNREACHABLE : ICMPV6_UNREACHABLE)) {
    return (isIpv4 ? REFUSED_V4 : REFUSED_V6).includes(code) ? ECONNREFUSED : 0;
  }
  // An unknown next header is IPv6's way to say "protocol unreachable".
  return !isIpv4 && type === ICMPV6_PARAMETER_PROBLEM && code === 1 ? ECONNREFUSED : 0;
}
