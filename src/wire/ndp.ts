/** Neighbor discovery (RFC 4861): the messages read, checked and written in place. */
import {
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  ICMPV6_REDIRECT,
  ICMPV6_ROUTER_ADVERTISEMENT,
  ICMPV6_ROUTER_SOLICITATION,
  writeIcmpv6Header,
} from "./icmpv6.ts";
import { ipv6DestinationWord, ipv6HopLimit, ipv6SourceWord } from "./ipv6.ts";
import { BAD_FIELD, BAD_OPTION, BAD_TRUNCATED, BAD_TYPE, OK } from "./verdict.ts";

/** Length of each message before its options. */
export const NDP_ROUTER_SOLICITATION = 8;
export const NDP_ROUTER_ADVERTISEMENT = 16;
export const NDP_NEIGHBOR_SOLICITATION = 24;
export const NDP_NEIGHBOR_ADVERTISEMENT = 24;
export const NDP_REDIRECT = 40;
/** A link-layer address option for Ethernet. */
export const NDP_LINK_OPTION = 8;

export const NDP_OPTION_SOURCE_LINK = 1;
export const NDP_OPTION_TARGET_LINK = 2;
export const NDP_OPTION_PREFIX = 3;
export const NDP_OPTION_REDIRECTED = 4;
export const NDP_OPTION_MTU = 5;
export const NDP_OPTION_RDNSS = 25;
export const NDP_OPTION_DNSSL = 31;

/** Flags of a neighbor advertisement, in its bytes 4 to 7. */
export const NA_ROUTER = 0x80000000 | 0;
export const NA_SOLICITED = 0x40000000;
export const NA_OVERRIDE = 0x20000000;

/** Word 0 to 3 of the target of a solicitation, advertisement or redirect. */
export function ndpTargetWord(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + (word << 2));
}
/** Word 0 to 3 of the destination that a redirect is about. */
export function ndpRedirectDestinationWord(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 24 + (word << 2));
}
/** NA_ROUTER, NA_SOLICITED, NA_OVERRIDE. */
export function ndpFlags(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

/** Bytes before the options, 0 if the type is not neighbor discovery's. */
export function ndpFixedLength(type: number): number {
  switch (type) {
    case ICMPV6_ROUTER_SOLICITATION:
      return NDP_ROUTER_SOLICITATION;
    case ICMPV6_ROUTER_ADVERTISEMENT:
      return NDP_ROUTER_ADVERTISEMENT;
    case ICMPV6_NEIGHBOR_SOLICITATION:
    case ICMPV6_NEIGHBOR_ADVERTISEMENT:
      return NDP_NEIGHBOR_SOLICITATION;
    case ICMPV6_REDIRECT:
      return NDP_REDIRECT;
    default:
      return 0;
  }
}

/** Absolute offset of the first option of a kind in a validated message, -1 if none. */
export function findNdpOption(view: DataView, at: number, length: number, kind: number): number {
  const end = at + length;
  let i = at + ndpFixedLength(view.getUint8(at));
  while (i + 8 <= end) {
    if (view.getUint8(i) === kind) return i;
    const size = view.getUint8(i + 1) << 3;
    if (size === 0) return -1;
    i += size;
  }
  return -1;
}

/** First 16 bits of the address in a link-layer option at `optionAt`. */
export function ndpLinkHigh(view: DataView, optionAt: number): number {
  return view.getUint16(optionAt + 2);
}
/** Last 32 bits, int32. */
export function ndpLinkLow(view: DataView, optionAt: number): number {
  return view.getInt32(optionAt + 4);
}

/**
 * The validity rules of RFC 4861 §6.1, §7.1 and §8.1 for a message of `length` bytes at `at`
 * behind the IPv6 header at `ipAt`, whose ICMPv6 checksum holds. OK or the reason to drop.
 */
export function validateNdp(view: DataView, at: number, length: number, ipAt: number): number {
  if (length < 8) return BAD_TRUNCATED;
  const type = view.getUint8(at);
  const fixed = ndpFixedLength(type);
  if (fixed === 0) return BAD_TYPE;
  if (length < fixed) return BAD_TRUNCATED;
  // 255 proves that no router forwarded it.
  if (ipv6HopLimit(view, ipAt) !== 255 || view.getUint8(at + 1) !== 0) return BAD_FIELD;
  const options = validateOptions(view, at + fixed, length - fixed);
  if (options !== OK) return options;
  const s0 = ipv6SourceWord(view, ipAt, 0);
  switch (type) {
    case ICMPV6_ROUTER_SOLICITATION:
      return isUnspecifiedSource(view, ipAt) &&
        findNdpOption(view, at, length, NDP_OPTION_SOURCE_LINK) >= 0
        ? BAD_FIELD
        : OK;
    case ICMPV6_ROUTER_ADVERTISEMENT:
      return isLinkLocal(s0) ? OK : BAD_FIELD;
    case ICMPV6_NEIGHBOR_SOLICITATION:
      return validateSolicitation(view, at, length, ipAt);
    case ICMPV6_NEIGHBOR_ADVERTISEMENT:
      if (isMulticast(ndpTargetWord(view, at, 0))) return BAD_FIELD;
      return isMulticast(ipv6DestinationWord(view, ipAt, 0)) &&
        (ndpFlags(view, at) & NA_SOLICITED) !== 0
        ? BAD_FIELD
        : OK;
    default:
      return validateRedirect(view, at, s0);
  }
}

function validateSolicitation(view: DataView, at: number, length: number, ipAt: number): number {
  if (isMulticast(ndpTargetWord(view, at, 0))) return BAD_FIELD;
  if (!isUnspecifiedSource(view, ipAt)) return OK;
  // Duplicate address detection: to the solicited-node group, without a link-layer address.
  const toGroup =
    ipv6DestinationWord(view, ipAt, 0) === (0xff020000 | 0) &&
    ipv6DestinationWord(view, ipAt, 1) === 0 &&
    ipv6DestinationWord(view, ipAt, 2) === 1 &&
    ipv6DestinationWord(view, ipAt, 3) >>> 24 === 0xff;
  if (!toGroup) return BAD_FIELD;
  return findNdpOption(view, at, length, NDP_OPTION_SOURCE_LINK) >= 0 ? BAD_FIELD : OK;
}

function validateRedirect(view: DataView, at: number, s0: number): number {
  if (!isLinkLocal(s0) || isMulticast(ndpRedirectDestinationWord(view, at, 0))) return BAD_FIELD;
  if (isLinkLocal(ndpTargetWord(view, at, 0))) return OK;
  for (let word = 0; word < 4; word++) {
    // A target that is no router is the destination itself, on this link.
    if (ndpTargetWord(view, at, word) !== ndpRedirectDestinationWord(view, at, word)) {
      return BAD_FIELD;
    }
  }
  return OK;
}

function validateOptions(view: DataView, at: number, length: number): number {
  const end = at + length;
  let i = at;
  while (i < end) {
    if (i + 2 > end) return BAD_OPTION;
    const size = view.getUint8(i + 1) << 3;
    if (size === 0 || i + size > end) return BAD_OPTION;
    i += size;
  }
  return OK;
}

function isLinkLocal(w0: number): boolean {
  return w0 >>> 22 === 0xfe80 >>> 6;
}

function isMulticast(w0: number): boolean {
  return w0 >>> 24 === 0xff;
}

function isUnspecifiedSource(view: DataView, ipAt: number): boolean {
  return (
    (ipv6SourceWord(view, ipAt, 0) |
      ipv6SourceWord(view, ipAt, 1) |
      ipv6SourceWord(view, ipAt, 2) |
      ipv6SourceWord(view, ipAt, 3)) ===
    0
  );
}

function writeLinkOption(
  view: DataView,
  at: number,
  kind: number,
  macHigh: number,
  macLow: number,
): void {
  view.setInt32(at, (kind << 24) | (1 << 16) | macHigh);
  view.setInt32(at + 4, macLow);
}

/**
 * Writes a neighbor solicitation (`type` 135, flags 0, source link-layer option) or advertisement
 * (136, target link-layer option) and returns its length: 32, or 24 without the option.
 * `pseudoSum` is pseudoSumIpv6(..., PROTOCOL_ICMPV6, that length).
 */
export function writeNeighborMessage(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
  withLink: boolean,
  macHigh: number,
  macLow: number,
  pseudoSum: number,
): number {
  view.setInt32(at + 8, t0);
  view.setInt32(at + 12, t1);
  view.setInt32(at + 16, t2);
  view.setInt32(at + 20, t3);
  const isSolicitation = type === ICMPV6_NEIGHBOR_SOLICITATION;
  if (withLink) {
    const kind = isSolicitation ? NDP_OPTION_SOURCE_LINK : NDP_OPTION_TARGET_LINK;
    writeLinkOption(view, at + 24, kind, macHigh, macLow);
  }
  const length = withLink ? NDP_NEIGHBOR_SOLICITATION + NDP_LINK_OPTION : NDP_NEIGHBOR_SOLICITATION;
  writeIcmpv6Header(view, at, length, type, 0, flags, pseudoSum);
  return length;
}

/** Writes a router solicitation and returns its length: 16, or 8 without the option. */
export function writeRouterSolicitation(
  view: DataView,
  at: number,
  withLink: boolean,
  macHigh: number,
  macLow: number,
  pseudoSum: number,
): number {
  if (withLink) writeLinkOption(view, at + 8, NDP_OPTION_SOURCE_LINK, macHigh, macLow);
  const length = withLink ? NDP_ROUTER_SOLICITATION + NDP_LINK_OPTION : NDP_ROUTER_SOLICITATION;
  writeIcmpv6Header(view, at, length, ICMPV6_ROUTER_SOLICITATION, 0, 0, pseudoSum);
  return length;
}
