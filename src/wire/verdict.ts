/**
 * What a validator says about bytes: 0 for fine, else the reason to drop. Integers, because they
 * index a table of counters; names are for reports.
 */
export const OK = 0;
/** Fewer bytes than the header, or than the header says there are. */
export const BAD_TRUNCATED = 1;
/** Version field is not this protocol's. */
export const BAD_VERSION = 2;
/** Header length smaller than the fixed part or larger than the packet. */
export const BAD_HEADER_LENGTH = 3;
/** A length field contradicts the bytes there are. */
export const BAD_LENGTH = 4;
export const BAD_CHECKSUM = 5;
/** An option or extension header is malformed. */
export const BAD_OPTION = 6;
/** Hardware or protocol type not spoken here. */
export const BAD_TYPE = 7;
/** A port of 0 where one is needed. */
export const BAD_PORT = 8;
/** More headers, options or pointers than the limit allows. */
export const BAD_LIMIT = 9;
/** Hop limit, code or another field has a value the RFC says to discard. */
export const BAD_FIELD = 10;
export const VERDICT_COUNT = 11;

const NAMES = [
  "ok",
  "truncated",
  "version",
  "header-length",
  "length",
  "checksum",
  "option",
  "type",
  "port",
  "limit",
  "field",
];

/** Name of a verdict, for counters and traces. */
export function verdictName(verdict: number): string {
  return NAMES[verdict] ?? `verdict-${verdict}`;
}
