/** IGMP (RFC 2236, RFC 3376): what a host that joins groups needs to read and write. */
import { checksumOf, sumBytes, sumIsValid } from "./checksum.ts";
import { BAD_CHECKSUM, BAD_TRUNCATED, OK } from "./verdict.ts";

export const IGMP_LENGTH = 8;
/** An IGMPv3 query is longer; 8 bytes are version 1 or 2. */
export const IGMPV3_QUERY_LENGTH = 12;
/** A version 3 report of one group without sources. */
export const IGMPV3_REPORT_LENGTH = 16;

export const IGMP_QUERY = 0x11;
export const IGMPV1_REPORT = 0x12;
export const IGMPV2_REPORT = 0x16;
export const IGMPV2_LEAVE = 0x17;
export const IGMPV3_REPORT = 0x22;

/** Group record types, the same in MLDv2 (RFC 3376 §4.2.12, RFC 3810 §5.2.12). */
export const RECORD_IS_INCLUDE = 1;
export const RECORD_IS_EXCLUDE = 2;
/** Leaving: to include, of nothing. */
export const RECORD_TO_INCLUDE = 3;
/** Joining: to exclude, of nothing. */
export const RECORD_TO_EXCLUDE = 4;

export function igmpType(view: DataView, at: number): number {
  return view.getUint8(at);
}
/** Group of a query, report or leave: 0 in a general query. Not for version 3 reports. */
export function igmpGroup(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
/** Tenths of a second a query leaves for the answer; RFC 3376 §4.1.1's float form included. */
export function igmpMaxResponseTenths(view: DataView, at: number, length: number): number {
  const code = view.getUint8(at + 1);
  if (length < IGMPV3_QUERY_LENGTH || code < 128) return code;
  return ((code & 15) | 16) << (((code >>> 4) & 7) + 3);
}

/** OK or the reason to drop; sums the whole message. */
export function validateIgmp(view: DataView, at: number, length: number): number {
  if (length < IGMP_LENGTH) return BAD_TRUNCATED;
  return sumIsValid(sumBytes(view, at, length)) ? OK : BAD_CHECKSUM;
}

/** Writes the 8 bytes of a version 2 message. */
export function writeIgmpv2(
  view: DataView,
  at: number,
  type: number,
  maxResponseTenths: number,
  group: number,
): void {
  view.setInt32(at, (type << 24) | (maxResponseTenths << 16));
  view.setInt32(at + 4, group);
  view.setInt16(at + 2, checksumOf(sumBytes(view, at, IGMP_LENGTH)));
}

/** Writes the 16 bytes of a version 3 report with one record without sources. */
export function writeIgmpv3Report(
  view: DataView,
  at: number,
  recordType: number,
  group: number,
): void {
  view.setInt32(at, IGMPV3_REPORT << 24);
  view.setInt32(at + 4, 1);
  view.setInt32(at + 8, recordType << 24);
  view.setInt32(at + 12, group);
  view.setInt16(at + 2, checksumOf(sumBytes(view, at, IGMPV3_REPORT_LENGTH)));
}
