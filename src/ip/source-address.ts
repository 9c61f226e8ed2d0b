/**
 * Default address selection (RFC 6724): which of our addresses a packet to a
 * destination gets, and in which order the addresses of a name are tried.
 */
import { type IpAddress, MAPPED } from "../base/address.ts";
import { commonPrefixLength, IpPrefix } from "../base/prefix.ts";
import { tryParseAddress } from "../base/address.ts";
import { ADDRESS_DEPRECATED, type LocalAddress } from "./local-addresses.ts";

/** RFC 6724 §2.1, default policy table: prefix, precedence, label. Longest first. */
const POLICY: readonly { prefix: IpPrefix; precedence: number; label: number }[] = (
  [
    ["::1", 128, 50, 0],
    ["::ffff:0.0.0.0", 96, 35, 4],
    ["::", 96, 1, 3],
    ["2001::", 32, 5, 5],
    ["2002::", 16, 30, 2],
    ["3ffe::", 16, 1, 12],
    ["fec0::", 10, 1, 11],
    ["fc00::", 7, 3, 13],
    ["::", 0, 40, 1],
  ] as const
).map(([text, length, precedence, label]) => {
  const address = tryParseAddress(text)!;
  return {
    prefix: new IpPrefix(address, address.isIpv4 ? length - 96 : length),
    precedence,
    label,
  };
});

function policy(a: IpAddress) {
  return POLICY.find((line) => line.prefix.containsWords(a.w0, a.w1, a.w2, a.w3))!;
}

const SCOPE_LINK = 2;
const SCOPE_SITE = 5;
const SCOPE_GLOBAL = 14;

/** RFC 6724 §3.1 and §3.2: the scope of an address, on the scale of multicast scopes. */
export function addressScope(a: IpAddress): number {
  if (a.isIpv4) return a.isLinkLocal || a.isLoopback ? SCOPE_LINK : SCOPE_GLOBAL;
  if (a.isMulticast) return (a.w0 >>> 16) & 15;
  if (a.isLinkLocal || a.isLoopback) return SCOPE_LINK;
  return a.w0 >>> 22 === 0xfec0 >>> 6 ? SCOPE_SITE : SCOPE_GLOBAL;
}

/** Negative when `a` is the better source for `destination` (RFC 6724 §5, rules 1 to 8). */
export function compareSources(
  a: LocalAddress,
  b: LocalAddress,
  destination: IpAddress,
  outgoing: number,
): number {
  const sa = a.address;
  const sb = b.address;
  // Rule 1: prefer the same address.
  if (sameWords(sa, destination)) return -1;
  if (sameWords(sb, destination)) return 1;
  // Rule 2: prefer the appropriate scope.
  const scopeA = addressScope(sa);
  const scopeB = addressScope(sb);
  const scope = addressScope(destination);
  if (scopeA !== scopeB) {
    if (scopeA < scopeB) return scopeA < scope ? 1 : -1;
    return scopeB < scope ? -1 : 1;
  }
  // Rule 3: avoid deprecated addresses.
  const deprecatedA = a.state === ADDRESS_DEPRECATED;
  if (deprecatedA !== (b.state === ADDRESS_DEPRECATED)) return deprecatedA ? 1 : -1;
  // Rule 5: prefer the outgoing interface.
  const outA = a.interfaceIndex === outgoing;
  if (outA !== (b.interfaceIndex === outgoing)) return outA ? -1 : 1;
  // Rule 6: prefer the matching label.
  const label = policy(destination).label;
  const labelA = policy(sa).label === label;
  if (labelA !== (policy(sb).label === label)) return labelA ? -1 : 1;
  // Rule 8: the longest matching prefix, counted only as far as our own prefix reaches.
  const common = (s: LocalAddress) =>
    Math.min(commonPrefixLength(s.address, destination), s.prefix.length128);
  return common(b) - common(a);
}

/**
 * The best of our addresses for a destination; `candidates` are usable ones of
 * any interface. For IPv4, whose hosts choose by the subnet of the next hop
 * (RFC 1122 §3.3.4.3), that comes first.
 */
export function chooseSource(
  candidates: Iterable<LocalAddress>,
  destination: IpAddress,
  nextHop: IpAddress,
  outgoing: number,
): IpAddress | undefined {
  let best: LocalAddress | undefined;
  const isIpv4 = destination.isIpv4;
  for (const candidate of candidates) {
    if (candidate.address.isIpv4 !== isIpv4 || !candidate.isUsable) continue;
    if (best === undefined) best = candidate;
    else if (
      isIpv4 &&
      onSubnet(candidate, nextHop, outgoing) !== onSubnet(best, nextHop, outgoing)
    ) {
      if (onSubnet(candidate, nextHop, outgoing)) best = candidate;
    } else if (compareSources(candidate, best, destination, outgoing) < 0) best = candidate;
  }
  return best?.address;
}

function onSubnet(entry: LocalAddress, nextHop: IpAddress, outgoing: number): boolean {
  return entry.interfaceIndex === outgoing && entry.prefix.contains(nextHop);
}

/** One address of a name with the source that would be used for it; none: nothing routes there. */
export interface DestinationChoice {
  readonly address: IpAddress;
  readonly source: IpAddress | undefined;
}

/** Orders the addresses of a name (RFC 6724 §6): the best first; equals keep their order. */
export function sortDestinations<T extends DestinationChoice>(choices: readonly T[]): T[] {
  return [...choices].sort((a, b) => {
    // Rule 1: avoid unusable destinations.
    if (a.source === undefined || b.source === undefined) {
      return Number(a.source === undefined) - Number(b.source === undefined);
    }
    // Rule 2: prefer matching scope.
    const scopeA = addressScope(a.address) === addressScope(a.source);
    const scopeB = addressScope(b.address) === addressScope(b.source);
    if (scopeA !== scopeB) return scopeA ? -1 : 1;
    // Rule 5: prefer matching label.
    const labelA = policy(a.address).label === policy(a.source).label;
    const labelB = policy(b.address).label === policy(b.source).label;
    if (labelA !== labelB) return labelA ? -1 : 1;
    // Rule 6: prefer higher precedence. Rule 8: prefer smaller scope.
    const precedence = policy(b.address).precedence - policy(a.address).precedence;
    if (precedence !== 0) return precedence;
    const scope = addressScope(a.address) - addressScope(b.address);
    if (scope !== 0) return scope;
    // Rule 9: the longest matching prefix; not for IPv4, where it means nothing.
    if (a.address.w2 === MAPPED && a.address.isIpv4) return 0;
    if (b.address.isIpv4) return 0;
    return commonPrefixLength(b.address, b.source) - commonPrefixLength(a.address, a.source);
  });
}

function sameWords(a: IpAddress, b: IpAddress): boolean {
  return a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}
