import { IPV4_ANY, IPV6_ANY, type IpAddress } from "../base/address.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { Path } from "../base/path.ts";
import { DatagramQueue } from "./datagram-queue.ts";
import { ErrorQueue } from "./error-queue.ts";
import { SendQueue } from "./send-queue.ts";

/** A datagram or an entry of the error queue can be read. */
export const DATAGRAM_READABLE = 1;
/** A send that was refused with EAGAIN would now be taken. */
export const DATAGRAM_WRITABLE = 2;
/** There is a pending error. */
export const DATAGRAM_ERROR = 4;

/** Who is told what became possible; called from takeEvents only. */
export interface DatagramOwner {
  datagramEvents(bits: number, endpoint: DatagramEndpoint): void;
}

/** IP_MTU_DISCOVER, with Linux's numbers. */
export const PMTUDISC_DONT = 0;
export const PMTUDISC_WANT = 1;
export const PMTUDISC_DO = 2;
export const PMTUDISC_PROBE = 3;
export const PMTUDISC_INTERFACE = 4;
export const PMTUDISC_OMIT = 5;

/** Linux's net.core.rmem_default and wmem_default. */
export const DEFAULT_DATAGRAM_BUFFER = 212_992;

/** A group that a socket has joined on an interface. */
export interface Membership {
  readonly group: IpAddress;
  /** 0: whatever the host chose. */
  readonly interfaceIndex: number;
}

/**
 * What UDP and raw sockets have in common: two queues, an error, and the
 * options that are looked at for each datagram.
 */
export class DatagramEndpoint {
  owner: DatagramOwner | undefined = undefined;
  readonly received = new DatagramQueue();
  readonly unsent = new SendQueue();
  errors: ErrorQueue | undefined = undefined;
  /** Positive errno that the next call reports; 0: none. */
  error = 0;
  receiveBuffer = DEFAULT_DATAGRAM_BUFFER;
  sendBuffer = DEFAULT_DATAGRAM_BUFFER;
  /** Datagrams that the receive buffer's limit cost. */
  drops = 0;

  readonly isIpv6: boolean;
  /** Unspecified until bound to an address or connected. */
  local: IpAddress;
  localIsUnspecified = true;
  /** The address was chosen by connect() and goes with it. */
  localFromConnect = false;
  /** The connected peer. */
  remote: IpAddress | undefined = undefined;
  v6only = false;
  /** Interface that the socket is bound to; 0: any. */
  device = 0;

  // Options.
  broadcast = false;
  receiveErrors = false;
  mtuDiscover = PMTUDISC_WANT;
  tos = 0;
  /** -1: the host's default. */
  ttl = -1;
  multicastTtl = 1;
  multicastLoop = true;
  /** Interface for multicast sent; 0: by route. */
  multicastInterface = 0;
  /** Deliver groups that only others on this host joined (IP_MULTICAST_ALL). */
  multicastAll = true;
  memberships: Membership[] | undefined = undefined;

  shutdownRead = false;
  shutdownWrite = false;
  closed = false;

  /** The path of the last destination. */
  path: Path | undefined = undefined;
  /** The path last checked for broadcast, and what came out. */
  checkedPath: Path | undefined = undefined;
  checkedIsBroadcast = false;
  /** Events not yet taken; nonzero while in the list. */
  pendingEvents = 0;
  /** In the ring of those with something to send. */
  ready = false;
  /** A send was refused and wants to hear of room. */
  wantsRoom = false;

  constructor(isIpv6: boolean) {
    this.isIpv6 = isIpv6;
    this.local = isIpv6 ? IPV6_ANY : IPV4_ANY;
  }

  get connected(): boolean {
    return this.remote !== undefined;
  }

  setLocal(address: IpAddress): void {
    this.local = address;
    this.localIsUnspecified = address.isUnspecified;
    this.path = undefined;
  }

  /** Sockets of AF_INET6 take IPv4 peers too, unless IPV6_V6ONLY. */
  get anyAddress(): IpAddress {
    return this.isIpv6 ? IPV6_ANY : IPV4_ANY;
  }

  /** IP_MULTICAST_ALL and memberships: does a datagram to this group concern the socket? */
  hearsGroup(w0: number, w1: number, w2: number, w3: number, interfaceIndex: number): boolean {
    const list = this.memberships;
    if (list !== undefined) {
      for (const m of list) {
        if (
          m.group.w3 === w3 &&
          m.group.w2 === w2 &&
          m.group.w1 === w1 &&
          m.group.w0 === w0 &&
          (m.interfaceIndex === 0 || m.interfaceIndex === interfaceIndex)
        ) {
          return true;
        }
      }
    }
    return this.multicastAll;
  }

  /** Gives back what the endpoint holds, sent or not. */
  clear(memory: FrameMemory): void {
    this.received.clear(memory);
    this.unsent.clear(memory);
    this.errors = undefined;
    this.path = undefined;
  }
}
