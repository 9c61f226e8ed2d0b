/**
 * ARP on one Ethernet interface (RFC 826), with the address conflict detection
 * of RFC 5227. Shares the neighbor cache with IPv6; IPv4 addresses are one
 * int32 here.
 */
import { MAPPED } from "../base/address.ts";
import type { Counters } from "../base/counters.ts";
import { type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import {
  ARP_LENGTH,
  ARP_REPLY,
  ARP_REQUEST,
  arpOperation,
  arpSenderIp,
  arpSenderMacHigh,
  arpSenderMacLow,
  arpTargetIp,
  validateArp,
  writeArp,
} from "../wire/arp.ts";
import { ETHERTYPE_ARP } from "../wire/ethernet.ts";
import type { LinkInterface } from "./interface.ts";
import type { NeighborCache } from "./neighbor-cache.ts";
import type { ReplyRing } from "./reply-ring.ts";

/** What ARP asks about the interface's addresses. */
export interface ArpAddresses {
  /** The address is ours and answers requests. */
  answersFor(word: number): boolean;
  /** The address is ours or we would like it to be (RFC 5227 §2.1). */
  claims(word: number): boolean;
  /** Another station claims it as well. */
  conflict(word: number): void;
}

export class Arp {
  private readonly link: LinkInterface;
  private readonly neighbors: NeighborCache;
  private readonly memory: FrameMemory;
  private readonly counters: Counters;
  private readonly replies: ReplyRing;
  private readonly addresses: ArpAddresses;

  constructor(
    link: LinkInterface,
    neighbors: NeighborCache,
    replies: ReplyRing,
    addresses: ArpAddresses,
  ) {
    this.link = link;
    this.neighbors = neighbors;
    this.memory = link.memory;
    this.counters = link.counters;
    this.replies = replies;
    this.addresses = addresses;
  }

  /** Reads an ARP packet; an answer goes to the reply ring. */
  input(at: number, length: number, nowUs: number): void {
    const view = this.memory.view;
    const counters = this.counters;
    if (validateArp(view, at, length) !== 0) {
      counters.arpInErrors++;
      return;
    }
    const operation = arpOperation(view, at);
    const macHigh = arpSenderMacHigh(view, at);
    const macLow = arpSenderMacLow(view, at);
    const sender = arpSenderIp(view, at);
    const target = arpTargetIp(view, at);
    if (operation === ARP_REQUEST) counters.arpInRequests++;
    else if (operation === ARP_REPLY) counters.arpInReplies++;
    else {
      counters.arpInErrors++;
      return;
    }
    // A group address names no station (RFC 1812 §3.3.2); nor does a multicast sender.
    if ((macHigh & 0x0100) !== 0 || sender >>> 28 === 0xe || sender === -1) {
      counters.arpInErrors++;
      return;
    }
    const isOurMac = macHigh === this.link.mac.high && macLow === this.link.mac.low;
    if (isOurMac) return; // our own broadcast, come back through a hub
    if (sender !== 0 && this.addresses.claims(sender)) {
      this.addresses.conflict(sender);
      return;
    }
    if (sender === 0) {
      // An ARP probe: somebody wants the address that we want (RFC 5227 §2.1.1) or have.
      if (this.addresses.answersFor(target)) this.reply(target, 0, macHigh, macLow);
      else if (this.addresses.claims(target)) this.addresses.conflict(target);
      return;
    }
    const forUs = this.addresses.answersFor(target);
    let neighbor = this.neighbors.find(0, 0, MAPPED, sender);
    if (neighbor === undefined && forUs && operation === ARP_REQUEST) {
      // Who asks for us will hear from us: RFC 826 adds the pair.
      neighbor = this.neighbors.ensure(0, 0, MAPPED, sender);
    }
    if (neighbor !== undefined) {
      if (operation === ARP_REPLY) {
        this.neighbors.advertised(
          neighbor,
          true,
          macHigh,
          macLow,
          forUs,
          true,
          neighbor.isRouter,
          nowUs,
        );
      } else {
        this.neighbors.heard(neighbor, macHigh, macLow);
      }
    }
    if (forUs && operation === ARP_REQUEST) this.reply(target, sender, macHigh, macLow);
  }

  private reply(ours: number, theirs: number, macHigh: number, macLow: number): void {
    this.counters.arpOutReplies++;
    this.queue(ARP_REPLY, ours, macHigh, macLow, theirs, macHigh, macLow);
  }

  /** Asks who has `target`: everybody, or (a probe of a stale entry) the station itself. */
  request(target: number, sender: number, macHigh = 0xffff, macLow = -1): void {
    this.counters.arpOutRequests++;
    this.queue(ARP_REQUEST, sender, 0, 0, target, macHigh, macLow);
  }

  /** RFC 5227 §2.1.1: asks whether anybody has the address, without claiming it. */
  probe(address: number): void {
    this.request(address, 0);
  }

  /** RFC 5227 §2.3, gratuitous ARP: tells everybody that the address is here. */
  announce(address: number): void {
    this.request(address, address);
  }

  private queue(
    operation: number,
    sender: number,
    targetMacHigh: number,
    targetMacLow: number,
    target: number,
    macHigh: number,
    macLow: number,
  ): void {
    const frame = this.memory.alloc(ARP_LENGTH, true);
    if (frame === NO_FRAME) {
      this.counters.memoryFailures++;
      return;
    }
    const at = this.memory.start(frame);
    const mac = this.link.mac;
    writeArp(
      this.memory.view,
      at,
      operation,
      mac.high,
      mac.low,
      sender,
      targetMacHigh,
      targetMacLow,
      target,
    );
    this.memory.setRange(frame, at, ARP_LENGTH);
    this.replies.push(this.link, frame, macHigh, macLow, ETHERTYPE_ARP);
  }
}
