import type { TcpConnection } from "./connection.ts";

/** Our timestamp clock: milliseconds (RFC 7323 §5.4 allows 1 ms to 1 s), from a random start per connection. */
export function timestampNow(c: TcpConnection, nowUs: number): number {
  return (Math.floor(nowUs / 1000) + c.tsOffset) | 0;
}

/** 24 days without a segment: TS.Recent is no longer a measure (RFC 7323 §5.5). */
export const TS_RECENT_LIFETIME_US = 24 * 86_400_000_000;
