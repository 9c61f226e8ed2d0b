import type { IpAddress } from "./address.ts";
import type { Frame } from "./frame-memory.ts";

/**
 * The way from one local address to one remote address, as far as a transport
 * may know it. `ip` keeps one per pair of addresses and shares it between all
 * connections (RFC 1191 §3 keeps the path MTU there too), so that a connection
 * holds one pointer instead of a dozen fields. The object stays the same while
 * routes change; its values do not.
 */
export interface Path {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly isIpv4: boolean;
  /** Path MTU in bytes, IP header included. Falls when ICMP says so and rises again when that ages. */
  readonly mtu: number;
  /** MTU of the outgoing interface. */
  readonly interfaceMtu: number;
  /** 20 or 40. */
  readonly headerLength: number;
  /** Folded sum of source and destination address: the constant part of the pseudo-header. */
  readonly pseudoSum: number;
  /** The device completes checksums of frames marked CSUM_PARTIAL (or the frames stay in trusted memory). */
  readonly checksumOffload: boolean;
  /** Most payload bytes of one super-segment; 0 when frames must be cut by us. */
  readonly gsoMaxBytes: number;
  /** What comes in may be several wire segments in one frame, so ACKs are owed per frame, not per two segments. */
  readonly coalesces: boolean;
  /** False while there is no route, the interface is down or was removed. */
  readonly usable: boolean;
  /** Frames that may be given to `send` now. 0: wait until the host serves this path again. */
  room(): number;
}

/** What a transport asks of IP. */
export interface IpSender {
  /**
   * Sends the packet whose transport header and payload are the frame's
   * range: writes the IP header in front and hands the frame to the link.
   * Ownership passes in any case. 0, or a negative errno (`-ENETUNREACH`,
   * `-EMSGSIZE`, `-ENOBUFS`); a packet that only waits for its neighbor is a 0.
   *
   * @param flags `SEND_DONT_FRAGMENT`, `SEND_NO_LOOP`
   */
  send(path: Path, frame: Frame, protocol: number, tos: number, ttl: number, flags: number): number;
  /**
   * The same for the first `count` of `frames`, packets of one length that go
   * the same way; there must be room for them. Ownership of all passes.
   */
  sendRun(
    path: Path,
    frames: Int32Array,
    count: number,
    protocol: number,
    tos: number,
    ttl: number,
    flags: number,
  ): number;
  /** The path between two addresses; undefined when nothing routes there. An unspecified `local` is chosen (RFC 6724). */
  path(local: IpAddress, remote: IpAddress, boundInterface: number): Path | undefined;
  /** A validated ICMP message says that packets on this path may have at most `mtu` bytes (RFC 1191, RFC 8201). */
  reportMtu(path: Path, mtu: number): void;
  /** A positive sign from above that the neighbor on this path is reachable (RFC 4861 §7.3.1). */
  confirm(path: Path): void;
  /** Negative advice: retransmissions go unanswered, so the next hop is to be asked whether it is there (RFC 1122 §3.3.1.4). */
  doubt(path: Path): void;
}

/** Do not fragment: DF on IPv4; on IPv6 no fragment header by us. -EMSGSIZE when larger than the path MTU. */
export const SEND_DONT_FRAGMENT = 1;
/** A multicast or broadcast is not for ourselves too (IP_MULTICAST_LOOP off). */
export const SEND_NO_LOOP = 2;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;
