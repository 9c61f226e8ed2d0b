import type { Frame } from "./frame-memory.ts";

/**
 * What IP tells a transport about a packet it delivers. One per host, filled
 * anew for each packet and valid only during the call (nothing re-enters, see
 * the core contract), so that a packet costs no object. Addresses are four
 * big-endian int32 words, IPv4 as ::ffff:a.b.c.d.
 */
export class ReceivedPacket {
  frame: Frame = 0;
  /** Offset of the IP header, and of the byte after it where the transport header begins. */
  ipOffset = 0;
  offset = 0;
  /** Bytes from `offset` to the end of the IP payload. */
  length = 0;
  isIpv4 = true;
  protocol = 0;
  ttl = 0;
  /** Traffic class: DSCP and, in its low two bits, ECN. */
  tos = 0;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  /** The interface it came in by. */
  interfaceIndex = 0;
  /** Scope of link-local addresses: the interface, else 0. */
  scope = 0;
  /** Sent to a broadcast or multicast address, or by link-layer broadcast (RFC 1122 §4.2.3.10). */
  isMulticast = false;
  /** The packet had IP options that a transport may want to see (RFC 1122 §4.2.3.8). */
  hasOptions = false;
}
