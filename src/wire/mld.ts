/** Multicast listener discovery (RFC 2710, RFC 3810) inside ICMPv6. */
import { ICMPV6_MLDV2_REPORT, writeIcmpv6Header } from "./icmpv6.ts";
import { PROTOCOL_ICMPV6 } from "./protocol.ts";

/** Query, report and done of version 1. */
export const MLD_LENGTH = 24;
/** A version 2 query is longer than MLD_LENGTH. */
export const MLDV2_QUERY_LENGTH = 28;
/** A version 2 report of one group without sources. */
export const MLDV2_REPORT_LENGTH = 28;
/**
 * The hop-by-hop header all MLD messages carry: router alert 0, padded (RFC 3810 §5).
 */
export const ROUTER_ALERT_HEADER = 8;

/** Milliseconds a query leaves for the answer; version 2's float form included (§5.1.3). */
export function mldMaxResponseMs(view: DataView, at: number, length: number): number {
  const code = view.getUint16(at + 4);
  if (length < MLDV2_QUERY_LENGTH || code < 0x8000) return code;
  return ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);
}

/** Word 0 to 3 of the group of a query, or of a version 1 report or done. */
export function mldGroupWord(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + (word << 2));
}

/** Writes the 8 bytes of hop-by-hop header in front of an MLD message. */
export function writeRouterAlertHeader(view: DataView, at: number): void {
  view.setInt32(at, (PROTOCOL_ICMPV6 << 24) | 0x0502);
  view.setInt32(at + 4, 0x00000100);
}

/** Writes the 28 bytes of a version 2 report with one record without sources. */
export function writeMldv2Report(
  view: DataView,
  at: number,
  recordType: number,
  g0: number,
  g1: number,
  g2: number,
  g3: number,
  pseudoSum: number,
): void {
  view.setInt32(at + 8, recordType << 24);
  view.setInt32(at + 12, g0);
  view.setInt32(at + 16, g1);
  view.setInt32(at + 20, g2);
  view.setInt32(at + 24, g3);
  writeIcmpv6Header(view, at, MLDV2_REPORT_LENGTH, ICMPV6_MLDV2_REPORT, 0, 1, pseudoSum);
}

/** Writes the 24 bytes of a version 1 report or done. */
export function writeMldv1(
  view: DataView,
  at: number,
  type: number,
  g0: number,
  g1: number,
  g2: number,
  g3: number,
  pseudoSum: number,
): void {
  view.setInt32(at + 8, g0);
  view.setInt32(at + 12, g1);
  view.setInt32(at + 16, g2);
  view.setInt32(at + 20, g3);
  writeIcmpv6Header(view, at, MLD_LENGTH, type, 0, 0, pseudoSum);
}
