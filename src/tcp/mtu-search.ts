/** The search for the path MTU by probing (RFC 4821 §3, §7.3): a range in bytes of IP packet, and the probe under way. */
export interface MtuSearch {
  /** The largest size known to pass, and the largest that may. */
  low: number;
  high: number;
  /** Size of the probe in flight; 0: none. */
  probe: number;
  /** Not before this time is the next one sent, microseconds. */
  nextUs: number;
}
