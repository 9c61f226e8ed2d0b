import { EINVAL } from "../base/errors.ts";
import type { SendOptions } from "../udp/stack.ts";
import {
  IP_PKTINFO,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_TCLASS,
} from "./constants.ts";
import type { ControlMessage } from "./message.ts";

/** What control messages ask for one datagram (RFC 3542 §6), or -EINVAL for one that is not known. */
export function sendOptionsOf(control: readonly ControlMessage[]): SendOptions | number {
  const options: SendOptions = { tos: -1, ttl: -1, source: undefined, interfaceIndex: 0 };
  for (const message of control) {
    const { level, type, value = -1 } = message;
    if (
      (level === IPPROTO_IP && type === IP_PKTINFO) ||
      (level === IPPROTO_IPV6 && type === IPV6_PKTINFO)
    ) {
      const { address } = message;
      options.source = address === undefined || address.isUnspecified ? undefined : address;
      options.interfaceIndex = message.interfaceIndex ?? 0;
    } else if (
      (level === IPPROTO_IP && type === IP_TTL) ||
      (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT)
    ) {
      if (!Number.isInteger(value) || value > 255 || value < (level === IPPROTO_IP ? 1 : -1)) {
        return -EINVAL;
      }
      options.ttl = value;
    } else if (
      (level === IPPROTO_IP && type === IP_TOS) ||
      (level === IPPROTO_IPV6 && type === IPV6_TCLASS)
    ) {
      if (!Number.isInteger(value) || value < -1 || value > 255) return -EINVAL;
      options.tos = value;
    } else {
      return -EINVAL;
    }
  }
  return options;
}
