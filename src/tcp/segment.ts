import { TcpOptions } from "../wire/tcp-options.ts";

/** The segment being processed (RFC 9293 §3.3.1, "current segment variables"). One per stack, filled anew for each. */
export class Segment {
  seq = 0;
  ack = 0;
  flags = 0;
  /** As on the wire, unscaled. */
  rawWindow = 0;
  urgentPointer = 0;
  /** Offset and bytes of the payload in memory. */
  payload = 0;
  length = 0;
  /** Wire segments merged into this frame by the device: payload in units of its segment size. */
  wireSegments = 1;
  /** IP's ECN field: 3 is "congestion experienced". */
  ecn = 0;
  /** Header bytes, options included. */
  headerLength = 0;
  readonly options = new TcpOptions();
}
