/**
 * The Internet checksum (RFC 1071). A "sum" here is the folded one's complement sum of big-endian
 * 16-bit words, not inverted, 0..0xffff; a "checksum" is the inverted sum that goes on the wire.
 * Sums of even-length pieces add up in any order. Bulk payload is summed by the kernel; these
 * are for headers and small messages.
 */

/** Folds a plain total below 2^32 to 16 bits. */
export function foldSum(total: number): number {
  total = (total & 0xffff) + (total >>> 16);
  return (total & 0xffff) + (total >>> 16);
}

/** One's complement addition of two sums. */
export function addSums(a: number, b: number): number {
  const total = a + b;
  return (total & 0xffff) + (total >>> 16);
}

/** The sum of a piece that starts at an odd offset of the whole: bytes change places. */
export function swapSum(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/** The checksum field for a sum. */
export function checksumOf(sum: number): number {
  return ~sum & 0xffff;
}

/** The UDP checksum field for a sum: 0 means "none", so it is sent as 0xffff (RFC 768). */
export function udpChecksumOf(sum: number): number {
  const checksum = ~sum & 0xffff;
  return checksum === 0 ? 0xffff : checksum;
}

/** True if bytes summed together with their checksum field (and pseudo-header) are intact. */
export function sumIsValid(sum: number): boolean {
  return sum === 0xffff;
}

/** Plain total of a 32-bit word: below 2^17, fold before use as a sum. */
export function wordTotal(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/** Sum of `length` bytes (up to 128 KB) plus `start`; an odd last byte is padded with zero. */
export function sumBytes(view: DataView, at: number, length: number, start = 0): number {
  // 16-bit additions: 65536 of them stay below 2^32, which foldSum needs.
  let total = start;
  const evenEnd = at + (length & ~1);
  const unrolledEnd = at + (length & ~7);
  let i = at;
  for (; i < unrolledEnd; i += 8) {
    total +=
      view.getUint16(i) + view.getUint16(i + 2) + view.getUint16(i + 4) + view.getUint16(i + 6);
  }
  for (; i < evenEnd; i += 2) total += view.getUint16(i);
  if ((length & 1) !== 0) total += view.getUint8(i) << 8;
  return foldSum(total);
}

/** Sum of the IPv4 pseudo-header (RFC 9293 §3.1): `length` is that of header and payload. */
export function pseudoSumIpv4(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return foldSum(wordTotal(source) + wordTotal(destination) + protocol + length);
}

/** Sum of the IPv6 pseudo-header (RFC 8200 §8.1). */
export function pseudoSumIpv6(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  protocol: number,
  length: number,
): number {
  return foldSum(
    wordTotal(s0) +
      wordTotal(s1) +
      wordTotal(s2) +
      wordTotal(s3) +
      wordTotal(d0) +
      wordTotal(d1) +
      wordTotal(d2) +
      wordTotal(d3) +
      protocol +
      wordTotal(length),
  );
}

/** Pseudo-header sum with the addresses read from the IPv4 header at `ipAt`. */
export function pseudoSumAtIpv4(
  view: DataView,
  ipAt: number,
  protocol: number,
  length: number,
): number {
  return foldSum(
    view.getUint16(ipAt + 12) +
      view.getUint16(ipAt + 14) +
      view.getUint16(ipAt + 16) +
      view.getUint16(ipAt + 18) +
      protocol +
      length,
  );
}

/** Pseudo-header sum with the addresses read from the IPv6 header at `ipAt`. */
export function pseudoSumAtIpv6(
  view: DataView,
  ipAt: number,
  protocol: number,
  length: number,
): number {
  return sumBytes(view, ipAt + 8, 32, protocol + wordTotal(length));
}

/**
 * Pseudo-header sum for stack addresses: IPv4 when both are mapped. The mapped prefix sums to
 * 0xffff per address, one's complement zero, so one formula serves both families.
 */
export function pseudoSumWords(
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  protocol: number,
  length: number,
): number {
  return pseudoSumIpv6(s0, s1, s2, s3, d0, d1, d2, d3, protocol, length);
}

/** RFC 1624 equation 3: the checksum after a 16-bit field changed. */
export function updateChecksum16(checksum: number, before: number, after: number): number {
  return checksumOf(foldSum((~checksum & 0xffff) + (~before & 0xffff) + (after & 0xffff)));
}

/** RFC 1624 equation 3 for an aligned 32-bit field. */
export function updateChecksum32(checksum: number, before: number, after: number): number {
  return checksumOf(foldSum((~checksum & 0xffff) + wordTotal(~before) + wordTotal(after)));
}
