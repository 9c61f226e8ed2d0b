import { ICMP_FILTER, UDP_CORK } from "../constants.ts";
import { EINVAL, ENOPROTOOPT } from "../../base/errors.ts";
import { isRaw, isUdp } from "./kinds.ts";
import { flag, OptionFailure, table } from "./option.ts";

export const UDP_OPTIONS = table([
  flag(
    "UDP_CORK",
    UDP_CORK,
    isUdp,
    (s) => s.cork,
    (s, on) => {
      s.cork = on;
      return on ? 0 : Math.min(0, s.uncork());
    },
  ),
]);

/** ICMP_FILTER at level SOL_RAW and ICMP6_FILTER at level SOL_ICMPV6: a set bit keeps a type out (RFC 3542 §3.2). */
export const ICMP_OPTIONS = table([
  {
    name: "ICMP_FILTER",
    option: ICMP_FILTER,
    get: (s) => (isRaw(s) ? s.endpoint.filter.slice() : new OptionFailure(ENOPROTOOPT)),
    set: (s, value) => {
      if (!isRaw(s)) return -ENOPROTOOPT;
      if (!(value instanceof Int32Array) || value.length > 8) return -EINVAL;
      s.endpoint.filter.fill(0);
      s.endpoint.filter.set(value);
      return 0;
    },
  },
]);
