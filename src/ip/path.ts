import type { IpAddress } from "../base/address.ts";
import type { Frame } from "../base/frame-memory.ts";
import type { Path } from "../base/path.ts";
import { NEVER } from "../base/timers.ts";
import type { Neighbor } from "../link/neighbor.ts";
import type { ReplyTarget } from "../link/reply-ring.ts";
import { addSums, foldSum, wordTotal } from "../wire/checksum.ts";
import type { IpInterface } from "./ip-interface.ts";

/** No route, or what the route needs is down. */
export const PATH_NONE = 0;
/** To a station on the link, whose address the neighbor cache knows. */
export const PATH_NEIGHBOR = 1;
/** Into a medium without link addresses; also everything that stays on this host. */
export const PATH_DIRECT = 2;
/** Multicast and broadcast: the MAC follows from the address. */
export const PATH_GROUP = 3;

/** What a path asks of the `ip` it belongs to. */
export interface PathOwner {
  /** Counts changes of routes, addresses and interfaces. */
  readonly generation: number;
  /** Looks the way up anew and brings the path to the present generation. */
  refresh(path: IpPath): void;
  sendReply(path: IpPath, frame: Frame, protocol: number, tos: number, ttl: number): void;
  learnMtu(path: IpPath, mtuBytes: number): void;
}

/**
 * The way from one local to one remote address (see `Path`). What a packet
 * needs on its way out is here, so that `send` reads one object; the values
 * are right while `generation` is the owner's.
 */
export class IpPath implements Path, ReplyTarget {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly isIpv4: boolean;
  readonly headerLength: number;
  readonly pseudoSum: number;
  /** Interface that the path is bound to (SO_BINDTODEVICE, scope); 0: any. */
  readonly boundInterface: number;
  interfaceMtu = 0;
  checksumOffload = false;
  gsoMaxBytes = 0;
  coalesces = false;

  // For `ip` alone
  readonly owner: PathOwner;
  generation = -1;
  kind = PATH_NONE;
  iface: IpInterface | undefined = undefined;
  neighbor: Neighbor | undefined = undefined;
  nextHop: IpAddress;
  macHigh = 0;
  macLow = 0;
  /** The packets are also for ourselves: a group we belong to, or a broadcast. */
  loopsBack = false;
  /** Mark on frames that stay here: the interface whose link-local address is meant. */
  loopInterface = 0;
  currentMtu = 0;
  /** Learnt from ICMP; 0: nothing. */
  learntMtu = 0;
  learntUntilUs = NEVER;
  /** The path takes less than we believe: send without DF. */
  mayFragment = false;
  /** Sum of 0x4500 and the source and destination words: the constant part of the IPv4 header's checksum. */
  readonly headerSum: number;
  /** Identification of the next packet that may be cut up (RFC 6864 §4.2; per pair of addresses). */
  nextId: number;
  /** Chain of the cache, and use since its hand came by. */
  next: IpPath | undefined = undefined;
  isUsed = true;

  constructor(
    owner: PathOwner,
    local: IpAddress,
    remote: IpAddress,
    boundInterface: number,
    firstId: number,
  ) {
    this.owner = owner;
    this.local = local;
    this.remote = remote;
    this.nextHop = remote;
    this.isIpv4 = remote.isIpv4;
    this.headerLength = this.isIpv4 ? 20 : 40;
    this.boundInterface = boundInterface;
    this.nextId = firstId;
    this.pseudoSum = addSums(sumOf(local, this.isIpv4), sumOf(remote, this.isIpv4));
    this.headerSum = this.isIpv4 ? wordTotal(local.w3) + wordTotal(remote.w3) + 0x4500 : 0;
  }

  /** Path MTU in bytes, IP header included. */
  get mtu(): number {
    if (this.generation !== this.owner.generation) this.owner.refresh(this);
    return this.currentMtu;
  }

  get usable(): boolean {
    if (this.generation !== this.owner.generation) this.owner.refresh(this);
    return this.kind !== PATH_NONE;
  }

  room(): number {
    if (this.generation !== this.owner.generation) this.owner.refresh(this);
    return this.kind === PATH_NONE ? 64 : this.iface!.link.room();
  }

  /**
   * Takes an MTU that ICMP reported, after the transport has checked that the
   * report is about a packet it sent (RFC 5927 §7.2). Only ever lowers the
   * path MTU, never below the protocol's floor, and ages.
   */
  reportMtu(mtuBytes: number): void {
    this.owner.learnMtu(this, mtuBytes);
  }

  sendReply(frame: Frame, protocol: number, tos: number, ttl: number): void {
    this.owner.sendReply(this, frame, protocol, tos, ttl);
  }
}

/** Folded sum of an address as a pseudo-header has it. */
function sumOf(a: IpAddress, isIpv4: boolean): number {
  if (isIpv4) return foldSum(wordTotal(a.w3));
  return foldSum(wordTotal(a.w0) + wordTotal(a.w1) + wordTotal(a.w2) + wordTotal(a.w3));
}
