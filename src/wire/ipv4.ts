/** IPv4 headers (RFC 791), read and written in place. Addresses are int32. */
import { checksumOf, foldSum, sumBytes, sumIsValid, updateChecksum16 } from "./checksum.ts";
import {
  BAD_CHECKSUM,
  BAD_HEADER_LENGTH,
  BAD_LENGTH,
  BAD_TRUNCATED,
  BAD_VERSION,
  OK,
} from "./verdict.ts";

export const IPV4_HEADER = 20;
export const IPV4_TOS = 1;
export const IPV4_TOTAL_LENGTH = 2;
export const IPV4_IDENTIFICATION = 4;
export const IPV4_FRAGMENT = 6;
export const IPV4_TTL = 8;
export const IPV4_PROTOCOL = 9;
export const IPV4_CHECKSUM = 10;
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;
/** Every host must accept datagrams of this size (RFC 1122 §3.3.2). */
export const IPV4_MIN_REASSEMBLY = 576;
export const IPV4_MIN_MTU = 68;

/** Bits of the flags-and-fragment field. */
export const IPV4_DF = 0x4000;
export const IPV4_MF = 0x2000;

/** Header length in bytes, 0 to 60; sane only after validateIpv4. */
export function ipv4HeaderLength(view: DataView, at: number): number {
  return (view.getUint8(at) & 15) << 2;
}
/** The former TOS byte: DSCP in the upper six bits, ECN in the lower two. */
export function ipv4Tos(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
/** ECN codepoint: 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE (RFC 3168 §5). */
export function ipv4Ecn(view: DataView, at: number): number {
  return view.getUint8(at + 1) & 3;
}
/** Header and payload, bytes. */
export function ipv4TotalLength(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
export function ipv4Identification(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
/** Flags and fragment offset as they stand on the wire. */
export function ipv4FlagsFragment(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
export function ipv4DontFragment(view: DataView, at: number): boolean {
  return (view.getUint8(at + 6) & 0x40) !== 0;
}
export function ipv4MoreFragments(view: DataView, at: number): boolean {
  return (view.getUint8(at + 6) & 0x20) !== 0;
}
/** Offset of this fragment in bytes. */
export function ipv4FragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + 6) & 0x1fff) << 3;
}
/** True for any piece of a fragmented datagram. */
export function ipv4IsFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & 0x3fff) !== 0;
}
export function ipv4Ttl(view: DataView, at: number): number {
  return view.getUint8(at + 8);
}
export function ipv4Protocol(view: DataView, at: number): number {
  return view.getUint8(at + 9);
}
export function ipv4Checksum(view: DataView, at: number): number {
  return view.getUint16(at + 10);
}
export function ipv4Source(view: DataView, at: number): number {
  return view.getInt32(at + 12);
}
export function ipv4Destination(view: DataView, at: number): number {
  return view.getInt32(at + 16);
}

/**
 * OK or the reason to drop (RFC 1122 §3.2.1.1, §3.2.1.2): version, lengths, header checksum.
 * `length` may exceed the total length: Ethernet pads.
 */
export function validateIpv4(view: DataView, at: number, length: number): number {
  if (length < IPV4_HEADER) return BAD_TRUNCATED;
  const first = view.getUint8(at);
  if (first >>> 4 !== 4) return BAD_VERSION;
  const header = (first & 15) << 2;
  if (header < IPV4_HEADER || header > length) return BAD_HEADER_LENGTH;
  const total = view.getUint16(at + 2);
  if (total < header) return BAD_LENGTH;
  if (total > length) return BAD_TRUNCATED;
  return sumIsValid(ipv4HeaderSum(view, at, header)) ? OK : BAD_CHECKSUM;
}

/** Sum of the header, checksum field included. */
export function ipv4HeaderSum(view: DataView, at: number, headerLength: number): number {
  if (headerLength !== IPV4_HEADER) return sumBytes(view, at, headerLength);
  return foldSum(
    view.getUint16(at) +
      view.getUint16(at + 2) +
      view.getUint16(at + 4) +
      view.getUint16(at + 6) +
      view.getUint16(at + 8) +
      view.getUint16(at + 10) +
      view.getUint16(at + 12) +
      view.getUint16(at + 14) +
      view.getUint16(at + 16) +
      view.getUint16(at + 18),
  );
}

/**
 * Writes a 20-byte header with its checksum, computed from the values in registers.
 * `flagsFragment` is IPV4_DF, IPV4_MF and the offset in units of 8 bytes, or'ed.
 */
export function writeIpv4Header(
  view: DataView,
  at: number,
  tos: number,
  totalLength: number,
  identification: number,
  flagsFragment: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  const first = 0x4500 | tos;
  const ttlProtocol = (ttl << 8) | protocol;
  const sum = foldSum(
    first +
      totalLength +
      identification +
      flagsFragment +
      ttlProtocol +
      (source >>> 16) +
      (source & 0xffff) +
      (destination >>> 16) +
      (destination & 0xffff),
  );
  view.setInt32(at, (first << 16) | totalLength);
  view.setInt32(at + 4, (identification << 16) | flagsFragment);
  view.setInt32(at + 8, (ttlProtocol << 16) | checksumOf(sum));
  view.setInt32(at + 12, source);
  view.setInt32(at + 16, destination);
}

/** Recomputes the checksum of a header that was changed, options included. */
export function refreshIpv4Checksum(view: DataView, at: number): void {
  view.setInt16(at + 10, 0);
  view.setInt16(at + 10, checksumOf(sumBytes(view, at, ipv4HeaderLength(view, at))));
}

/** Takes one from the TTL, which is not 0, and mends the checksum (RFC 1624). */
export function decrementIpv4Ttl(view: DataView, at: number): void {
  const before = view.getUint16(at + 8);
  const after = before - 0x0100;
  view.setInt16(at + 8, after);
  view.setInt16(at + 10, updateChecksum16(view.getUint16(at + 10), before, after));
}

/** Sets the ECN codepoint and mends the checksum. */
export function setIpv4Ecn(view: DataView, at: number, codepoint: number): void {
  const before = view.getUint16(at);
  const after = (before & 0xfffc) | codepoint;
  view.setInt16(at, after);
  view.setInt16(at + 10, updateChecksum16(view.getUint16(at + 10), before, after));
}
