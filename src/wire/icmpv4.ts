/** ICMP (RFC 792, RFC 1122 §3.2.2), read and written in place. */
import { checksumOf, sumBytes, sumIsValid } from "./checksum.ts";
import { BAD_CHECKSUM, BAD_TRUNCATED, OK } from "./verdict.ts";

export const ICMP_HEADER = 8;
export const ICMP_CHECKSUM = 2;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;
export const ICMP_TIMESTAMP = 13;
export const ICMP_TIMESTAMP_REPLY = 14;

/** Codes of ICMP_UNREACHABLE. */
export const ICMP_NET_UNREACHABLE = 0;
export const ICMP_HOST_UNREACHABLE = 1;
export const ICMP_PROTOCOL_UNREACHABLE = 2;
export const ICMP_PORT_UNREACHABLE = 3;
export const ICMP_FRAGMENTATION_NEEDED = 4;
export const ICMP_SOURCE_ROUTE_FAILED = 5;
export const ICMP_ADMIN_PROHIBITED = 13;

/** Codes of ICMP_TIME_EXCEEDED. */
export const ICMP_TTL_EXCEEDED = 0;
export const ICMP_REASSEMBLY_EXCEEDED = 1;

export function icmpType(view: DataView, at: number): number {
  return view.getUint8(at);
}
export function icmpCode(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
/** Bytes 4 to 7, whose meaning depends on the type, int32. */
export function icmpRest(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
/** Identifier of an echo. */
export function icmpEchoId(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
/** Sequence number of an echo. */
export function icmpEchoSequence(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
/** Next-hop MTU of "fragmentation needed" (RFC 1191 §4); 0 from old routers. */
export function icmpNextHopMtu(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
/** Pointer of a parameter problem. */
export function icmpPointer(view: DataView, at: number): number {
  return view.getUint8(at + 4);
}

/** True for messages that quote a datagram: never answered with another error. */
export function icmpIsError(type: number): boolean {
  return (
    type === ICMP_UNREACHABLE ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  );
}

/** OK or the reason to drop; sums the whole message. */
export function validateIcmpv4(view: DataView, at: number, length: number): number {
  if (length < ICMP_HEADER) return BAD_TRUNCATED;
  return sumIsValid(sumBytes(view, at, length)) ? OK : BAD_CHECKSUM;
}

/** Writes the 8-byte header with the checksum over it and the payload already behind it. */
export function writeIcmpv4Header(
  view: DataView,
  at: number,
  length: number,
  type: number,
  code: number,
  rest: number,
): void {
  view.setInt32(at, (type << 24) | (code << 16));
  view.setInt32(at + 4, rest);
  view.setInt16(at + 2, checksumOf(sumBytes(view, at, length)));
}
