/** IPv4 options (RFC 791 §3.1), walked in place. */
import { IPV4_HEADER, ipv4HeaderLength } from "./ipv4.ts";

export const IPV4_OPTION_END = 0;
export const IPV4_OPTION_NOP = 1;
export const IPV4_OPTION_RECORD_ROUTE = 7;
export const IPV4_OPTION_TIMESTAMP = 68;
export const IPV4_OPTION_LOOSE_SOURCE_ROUTE = 131;
export const IPV4_OPTION_STRICT_SOURCE_ROUTE = 137;
export const IPV4_OPTION_ROUTER_ALERT = 148;

/** Nothing wrong and no source route. */
export const IPV4_OPTIONS_FINE = 0;
/** A loose or strict source route is present: hosts drop it (RFC 7126 §4.3, §4.4). */
export const IPV4_OPTIONS_SOURCE_ROUTE = -1;

/**
 * Looks through the options of a validated header. Returns IPV4_OPTIONS_FINE,
 * IPV4_OPTIONS_SOURCE_ROUTE, or, if an option is malformed, its offset in the header (>= 20), the
 * pointer of an ICMP Parameter Problem.
 */
export function checkIpv4Options(view: DataView, at: number): number {
  const end = ipv4HeaderLength(view, at);
  let i = IPV4_HEADER;
  let result = IPV4_OPTIONS_FINE;
  while (i < end) {
    const kind = view.getUint8(at + i);
    if (kind === IPV4_OPTION_END) break;
    if (kind === IPV4_OPTION_NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return i;
    const length = view.getUint8(at + i + 1);
    if (length < 2 || i + length > end) return i + 1;
    if (kind === IPV4_OPTION_LOOSE_SOURCE_ROUTE || kind === IPV4_OPTION_STRICT_SOURCE_ROUTE) {
      result = IPV4_OPTIONS_SOURCE_ROUTE;
    }
    i += length;
  }
  return result;
}

/** Offset in the header of the first option of a kind, 0 if there is none. */
export function findIpv4Option(view: DataView, at: number, wanted: number): number {
  const end = ipv4HeaderLength(view, at);
  let i = IPV4_HEADER;
  while (i < end) {
    const kind = view.getUint8(at + i);
    if (kind === IPV4_OPTION_END) return 0;
    if (kind === IPV4_OPTION_NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return 0;
    const length = view.getUint8(at + i + 1);
    if (length < 2 || i + length > end) return 0;
    if (kind === wanted) return i;
    i += length;
  }
  return 0;
}
