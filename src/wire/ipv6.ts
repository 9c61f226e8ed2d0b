/** IPv6 headers (RFC 8200 §3), read and written in place. Addresses are four int32 words. */
import { BAD_TRUNCATED, BAD_VERSION, OK } from "./verdict.ts";

export const IPV6_HEADER = 40;
export const IPV6_PAYLOAD_LENGTH = 4;
export const IPV6_NEXT_HEADER = 6;
export const IPV6_HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;
export const IPV6_MIN_MTU = 1280;

export function ipv6TrafficClass(view: DataView, at: number): number {
  return (view.getUint16(at) >>> 4) & 255;
}
/** ECN codepoint: 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
export function ipv6Ecn(view: DataView, at: number): number {
  return (view.getUint8(at + 1) >>> 4) & 3;
}
export function ipv6FlowLabel(view: DataView, at: number): number {
  return view.getInt32(at) & 0xfffff;
}
/** Bytes after the 40 of the fixed header. */
export function ipv6PayloadLength(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
export function ipv6NextHeader(view: DataView, at: number): number {
  return view.getUint8(at + 6);
}
export function ipv6HopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 7);
}
/** Word 0 to 3 of the source. */
export function ipv6SourceWord(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + (word << 2));
}
/** Word 0 to 3 of the destination. */
export function ipv6DestinationWord(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 24 + (word << 2));
}

/** OK or the reason to drop. `length` may exceed the packet: Ethernet pads. */
export function validateIpv6(view: DataView, at: number, length: number): number {
  if (length < IPV6_HEADER) return BAD_TRUNCATED;
  if (view.getUint8(at) >>> 4 !== 6) return BAD_VERSION;
  return IPV6_HEADER + view.getUint16(at + 4) > length ? BAD_TRUNCATED : OK;
}

/** Writes the 40 bytes of the fixed header. */
export function writeIpv6Header(
  view: DataView,
  at: number,
  trafficClass: number,
  flowLabel: number,
  payloadLength: number,
  nextHeader: number,
  hopLimit: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
): void {
  view.setInt32(at, 0x60000000 | (trafficClass << 20) | flowLabel);
  view.setInt32(at + 4, (payloadLength << 16) | (nextHeader << 8) | hopLimit);
  view.setInt32(at + 8, s0);
  view.setInt32(at + 12, s1);
  view.setInt32(at + 16, s2);
  view.setInt32(at + 20, s3);
  view.setInt32(at + 24, d0);
  view.setInt32(at + 28, d1);
  view.setInt32(at + 32, d2);
  view.setInt32(at + 36, d3);
}

/** Sets the ECN codepoint. */
export function setIpv6Ecn(view: DataView, at: number, codepoint: number): void {
  view.setUint8(at + 1, (view.getUint8(at + 1) & 0xcf) | (codepoint << 4));
}
