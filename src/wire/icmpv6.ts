/** ICMPv6 (RFC 4443), read and written in place. The checksum covers a pseudo-header. */
import { checksumOf, pseudoSumAtIpv6, sumBytes, sumIsValid } from "./checksum.ts";
import { PROTOCOL_ICMPV6 } from "./protocol.ts";
import { BAD_CHECKSUM, BAD_TRUNCATED, OK } from "./verdict.ts";

/** Type, code, checksum and the four bytes every message here has after them. */
export const ICMPV6_HEADER = 8;
export const ICMPV6_CHECKSUM = 2;

export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;
export const ICMPV6_MLD_QUERY = 130;
export const ICMPV6_MLD_REPORT = 131;
export const ICMPV6_MLD_DONE = 132;
export const ICMPV6_ROUTER_SOLICITATION = 133;
export const ICMPV6_ROUTER_ADVERTISEMENT = 134;
export const ICMPV6_NEIGHBOR_SOLICITATION = 135;
export const ICMPV6_NEIGHBOR_ADVERTISEMENT = 136;
export const ICMPV6_REDIRECT = 137;
export const ICMPV6_MLDV2_REPORT = 143;

/** Codes of ICMPV6_UNREACHABLE. */
export const ICMPV6_NO_ROUTE = 0;
export const ICMPV6_ADMIN_PROHIBITED = 1;
export const ICMPV6_BEYOND_SCOPE = 2;
export const ICMPV6_ADDRESS_UNREACHABLE = 3;
export const ICMPV6_PORT_UNREACHABLE = 4;
export const ICMPV6_POLICY_FAILED = 5;
export const ICMPV6_REJECT_ROUTE = 6;

/** Codes of ICMPV6_TIME_EXCEEDED. */
export const ICMPV6_HOP_LIMIT_EXCEEDED = 0;
export const ICMPV6_REASSEMBLY_EXCEEDED = 1;

export function icmpv6Type(view: DataView, at: number): number {
  return view.getUint8(at);
}
export function icmpv6Code(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
/** Bytes 4 to 7, whose meaning depends on the type, int32. */
export function icmpv6Rest(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
export function icmpv6EchoId(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
export function icmpv6EchoSequence(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
/** MTU of a Packet Too Big, 0..2^32-1. */
export function icmpv6Mtu(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}
/** Pointer of a parameter problem, 0..2^32-1. */
export function icmpv6Pointer(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}

/** Types below 128 are errors: never answered with another error (RFC 4443 §2.1, §2.4). */
export function icmpv6IsError(type: number): boolean {
  return type < 128;
}

/** OK or the reason to drop; sums the message and the addresses of the IPv6 header at `ipAt`. */
export function validateIcmpv6(view: DataView, at: number, length: number, ipAt: number): number {
  if (length < ICMPV6_HEADER) return BAD_TRUNCATED;
  const pseudo = pseudoSumAtIpv6(view, ipAt, PROTOCOL_ICMPV6, length);
  return sumIsValid(sumBytes(view, at, length, pseudo)) ? OK : BAD_CHECKSUM;
}

/**
 * Writes the first 8 bytes; `rest` is bytes 4 to 7. The checksum is computed over the message
 * behind it, with `pseudoSum` from pseudoSumIpv6(..., PROTOCOL_ICMPV6, length).
 */
export function writeIcmpv6Header(
  view: DataView,
  at: number,
  length: number,
  type: number,
  code: number,
  rest: number,
  pseudoSum: number,
): void {
  view.setInt32(at, (type << 24) | (code << 16));
  view.setInt32(at + 4, rest);
  view.setInt16(at + 2, checksumOf(sumBytes(view, at, length, pseudoSum)));
}
