/**
 * Sequence numbers: int32, compared modulo 2^32 (RFC 9293 §3.4). As int32 they stay small
 * integers in V8; as uint32 they would become heap numbers. Plain `<` is never used on them.
 */

/** a is before b. */
export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a is before b, or is b. */
export function seqLeq(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** a is after b. */
export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** a is after b, or is b. */
export function seqGeq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** The later of the two. */
export function seqMax(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}

/** The earlier of the two. */
export function seqMin(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

/** Signed distance from b to a in bytes: seqDiff(b + n, b) is n for -2^31 <= n < 2^31. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

/** a moved by n bytes, n an integer of either sign. */
export function seqAdd(a: number, n: number): number {
  return (a + n) | 0;
}

/** left <= a < right, RFC 9293's "in the window"; false when the range is empty. */
export function seqBetween(a: number, left: number, right: number): boolean {
  return (a - left) >>> 0 < (right - left) >>> 0;
}
