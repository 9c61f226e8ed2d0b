/**
 * The walk over IPv6 extension headers (RFC 8200 §4), with limits (RFC 8504 §5.3). The result
 * goes into an Ipv6Walk that the caller keeps and reuses.
 */
import { IPV6_HEADER } from "./ipv6.ts";
import {
  PROTOCOL_DESTINATION_OPTIONS,
  PROTOCOL_FRAGMENT,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_ROUTING,
} from "./protocol.ts";

/** Reached the upper protocol. */
export const WALK_UPPER = 0;
/** Reached a fragment header of a packet in pieces: `fragmentAt` and its fields are set. */
export const WALK_FRAGMENT = 1;
/** Drop, with ICMP Parameter Problem of `code` and `pointer`. */
export const WALK_PROBLEM = 2;
/** Drop in silence: truncated, over a limit, or an option that says so. */
export const WALK_DROP = 3;

/** ICMPv6 Parameter Problem codes (RFC 4443 §3.4). */
export const PROBLEM_FIELD = 0;
export const PROBLEM_NEXT_HEADER = 1;
export const PROBLEM_OPTION = 2;

export const IPV6_MAX_EXTENSIONS = 8;
export const IPV6_MAX_OPTIONS = 16;

export const IPV6_OPTION_PAD1 = 0;
export const IPV6_OPTION_PADN = 1;
export const IPV6_OPTION_ROUTER_ALERT = 5;

export const FRAGMENT_HEADER = 8;

/** Result of walkIpv6Extensions; one per user, overwritten by each walk. */
export class Ipv6Walk {
  /** WALK_UPPER, WALK_FRAGMENT, WALK_PROBLEM or WALK_DROP. */
  status = 0;
  /** Protocol number after the last header walked. */
  protocol = 0;
  /** Absolute offset of the upper header, or of the fragment header's payload. */
  offset = 0;
  /** Bytes from `offset` to the end of the packet. */
  length = 0;
  /** Offset in the packet of the next-header field that named `protocol`. */
  nextHeaderPointer = 0;
  /** For WALK_PROBLEM. */
  code = 0;
  /** For WALK_PROBLEM: offset of the fault in the packet. */
  pointer = 0;
  /** True if ICMP is sent even when the destination is multicast (option action 10). */
  evenIfMulticast = false;
  /** Absolute offset of the fragment header, -1 if none. */
  fragmentAt = -1;
  /** Bytes into the original fragmentable part. */
  fragmentOffset = 0;
  moreFragments = false;
  /** int32 */
  fragmentId = 0;
  /** Value of a Router Alert option, -1 if none. */
  routerAlert = -1;
}

/**
 * Walks the headers after the fixed header at `at`, of a packet of `length` bytes in all (40 and
 * the payload length, validated). Returns walk.status.
 */
export function walkIpv6Extensions(
  view: DataView,
  at: number,
  length: number,
  walk: Ipv6Walk,
): number {
  walk.fragmentAt = -1;
  walk.fragmentOffset = 0;
  walk.moreFragments = false;
  walk.fragmentId = 0;
  walk.routerAlert = -1;
  walk.evenIfMulticast = false;
  walk.code = 0;
  walk.pointer = 0;
  let next = view.getUint8(at + 6);
  let pointer = 6;
  let i = IPV6_HEADER;
  for (let count = 0; ; count++) {
    walk.protocol = next;
    walk.offset = at + i;
    walk.length = length - i;
    walk.nextHeaderPointer = pointer;
    const isOptions = next === PROTOCOL_HOP_BY_HOP || next === PROTOCOL_DESTINATION_OPTIONS;
    if (!isOptions && next !== PROTOCOL_ROUTING && next !== PROTOCOL_FRAGMENT) {
      walk.status = WALK_UPPER;
      return WALK_UPPER;
    }
    // Hop-by-hop options anywhere but first are an unrecognized next header (§4).
    if (next === PROTOCOL_HOP_BY_HOP && count > 0) {
      return problem(walk, PROBLEM_NEXT_HEADER, pointer);
    }
    if (count >= IPV6_MAX_EXTENSIONS || i + 8 > length) return drop(walk);
    const headerLength = next === PROTOCOL_FRAGMENT ? 8 : (view.getUint8(at + i + 1) + 1) << 3;
    if (i + headerLength > length) return drop(walk);
    if (isOptions) {
      if (walkOptions(view, at, i, headerLength, walk) !== WALK_UPPER) return walk.status;
    } else if (next === PROTOCOL_ROUTING) {
      // No routing type is followed here; with segments left 0 it is skipped (§4.4, RFC 5095).
      if (view.getUint8(at + i + 3) !== 0) return problem(walk, PROBLEM_FIELD, i + 2);
    } else {
      const field = view.getUint16(at + i + 2);
      walk.fragmentAt = at + i;
      walk.fragmentOffset = field & 0xfff8;
      walk.moreFragments = (field & 1) !== 0;
      walk.fragmentId = view.getInt32(at + i + 4);
      // Offset 0 and no more: an atomic fragment, a whole packet (RFC 6946).
      if ((field & 0xfff9) !== 0) {
        walk.nextHeaderPointer = pointer;
        walk.protocol = view.getUint8(at + i);
        walk.offset = at + i + 8;
        walk.length = length - i - 8;
        walk.status = WALK_FRAGMENT;
        return WALK_FRAGMENT;
      }
    }
    next = view.getUint8(at + i);
    pointer = i;
    i += headerLength;
  }
}

function walkOptions(
  view: DataView,
  at: number,
  start: number,
  headerLength: number,
  walk: Ipv6Walk,
): number {
  const end = start + headerLength;
  let i = start + 2;
  for (let count = 0; i < end; ) {
    const kind = view.getUint8(at + i);
    if (kind === IPV6_OPTION_PAD1) {
      i++;
      continue;
    }
    if (i + 2 > end) return drop(walk);
    const next = i + 2 + view.getUint8(at + i + 1);
    if (next > end) return drop(walk);
    if (kind !== IPV6_OPTION_PADN) {
      if (++count > IPV6_MAX_OPTIONS) return drop(walk);
      if (kind === IPV6_OPTION_ROUTER_ALERT && next - i === 4) {
        walk.routerAlert = view.getUint16(at + i + 2);
      } else {
        // The two highest bits say what to do with an option that is not known (§4.2).
        const action = kind >>> 6;
        if (action === 1) return drop(walk);
        if (action !== 0) {
          walk.evenIfMulticast = action === 2;
          return problem(walk, PROBLEM_OPTION, i);
        }
      }
    }
    i = next;
  }
  walk.status = WALK_UPPER;
  return WALK_UPPER;
}

function problem(walk: Ipv6Walk, code: number, pointer: number): number {
  walk.code = code;
  walk.pointer = pointer;
  walk.status = WALK_PROBLEM;
  return WALK_PROBLEM;
}

function drop(walk: Ipv6Walk): number {
  walk.status = WALK_DROP;
  return WALK_DROP;
}

/** Writes the 8 bytes of a fragment header. `offset` in bytes, a multiple of 8. */
export function writeFragmentHeader(
  view: DataView,
  at: number,
  nextHeader: number,
  offset: number,
  more: boolean,
  identification: number,
): void {
  view.setInt32(at, (nextHeader << 24) | offset | (more ? 1 : 0));
  view.setInt32(at + 4, identification);
}
