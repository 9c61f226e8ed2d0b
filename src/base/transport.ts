import type { ReceivedPacket } from "./received-packet.ts";

/**
 * An ICMP error about a packet that this host sent, as IP hands it to the
 * transport of the packet inside. One per host, filled anew each time and
 * valid only during the call. Addresses are those of the packet we sent.
 */
export class IcmpError {
  isIpv4 = true;
  type = 0;
  code = 0;
  /** Positive errno for the socket (RFC 1122 §4.2.3.9, Linux's table): ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ... */
  errno = 0;
  /** Hard errors end a connection attempt; soft ones are only remembered. */
  hard = false;
  /** Next-hop MTU from "fragmentation needed" and "packet too big"; 0 when the message has none. */
  mtu = 0;
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  /** Who reported it. */
  reporter0 = 0;
  reporter1 = 0;
  reporter2 = 0;
  reporter3 = 0;
  /** The embedded transport header: its offset in memory and how many bytes of it there are (at least 8). */
  offset = 0;
  length = 0;
  interfaceIndex = 0;
}

/** What IP knows of a transport (TCP, UDP, raw sockets, ICMP echo). */
export interface Transport {
  /** Takes a packet that is only lent; never transmits. False: nobody wanted it (IP answers protocol or port unreachable). */
  input(packet: ReceivedPacket, nowUs: number): boolean;
  /**
   * Takes frames that came right behind the packet of the last `input`, with
   * the same bytes up to their transport headers (so the same length, addresses
   * and protocol), as far as it can take them together: those with index
   * `from` to `to` - 1, whose transport headers stand `offset` bytes in. Answers
   * the index of the first that it left. Absent: one at a time.
   */
  inputRun?(
    packet: ReceivedPacket,
    frames: Int32Array,
    from: number,
    to: number,
    offset: number,
  ): number;
  icmpError(error: IcmpError, nowUs: number): void;
}
