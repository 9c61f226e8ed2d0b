/**
 * Making an address ours: duplicate address detection for IPv6 (RFC 4862 §5.4,
 * optimistic as in RFC 4429) and IPv4 (RFC 5227), gratuitous ARP, and what
 * happens when another station has the address.
 */
import { IPV6_ANY } from "../base/address.ts";
import { randomUnit } from "../base/random.ts";
import type { TimerTarget } from "../base/timers.ts";
import type { IpContext } from "./context.ts";
import {
  ADDRESS_DUPLICATE,
  ADDRESS_OPTIMISTIC,
  ADDRESS_PREFERRED,
  ADDRESS_TENTATIVE,
  type LocalAddress,
} from "./local-addresses.ts";
import { solicitNeighbor } from "./ndp-output.ts";

/** RFC 5227 §1.1. */
const PROBE_NUM = 3;
const PROBE_WAIT_US = 1_000_000;
const PROBE_MIN_US = 1_000_000;
const PROBE_MAX_US = 2_000_000;
const ANNOUNCE_NUM = 2;
const ANNOUNCE_WAIT_US = 2_000_000;
const ANNOUNCE_INTERVAL_US = 2_000_000;
const DEFEND_INTERVAL_US = 10_000_000;

/** The check of one address under way. */
export class AddressCheck implements TimerTarget {
  readonly ip: IpContext;
  readonly entry: LocalAddress;
  readonly timer: number;
  probesSent = 0;
  announcements = 0;

  constructor(ip: IpContext, entry: LocalAddress) {
    this.ip = ip;
    this.entry = entry;
    this.timer = ip.timers.register(this);
  }

  onTimer(nowUs: number): void {
    if (this.entry.address.isIpv4) stepIpv4(this.ip, this, nowUs);
    else stepIpv6(this.ip, this, nowUs);
  }
}

/** The state a new address begins in. */
export function initialState(ip: IpContext, isEthernet: boolean): number {
  const mode = ip.settings.duplicateAddressDetection;
  if (mode === "off" || !isEthernet) return ADDRESS_PREFERRED;
  return mode === "strict" ? ADDRESS_TENTATIVE : ADDRESS_OPTIMISTIC;
}

/** Begins to check and announce an address that was just added, or whose link came up. */
export function startAddressCheck(ip: IpContext, entry: LocalAddress, nowUs: number): void {
  const iface = ip.interface(entry.interfaceIndex)!;
  if (!iface.link.isEthernet || entry.state === ADDRESS_DUPLICATE) return;
  stopAddressCheck(ip, entry);
  const mode = ip.settings.duplicateAddressDetection;
  const isStrict = entry.state === ADDRESS_TENTATIVE;
  if (mode === "off" && !(entry.address.isIpv4 && ip.settings.announceAddresses)) return;
  if (mode === "off") {
    iface.arp!.announce(entry.address.w3);
    ip.onWork();
    return;
  }
  const check = new AddressCheck(ip, entry);
  ip.checks.set(entry, check);
  // A strict check waits a moment, so that machines switched on together do not ask together.
  const delayUs = isStrict ? randomUnit(ip.random) * PROBE_WAIT_US : 0;
  ip.timers.arm(check.timer, nowUs + delayUs);
  ip.onWork();
}

export function stopAddressCheck(ip: IpContext, entry: LocalAddress): void {
  const check = ip.checks.get(entry);
  if (check === undefined) return;
  ip.timers.unregister(check.timer);
  ip.checks.delete(entry);
}

/** RFC 4862 §5.4.2: one solicitation from ::, and RetransTimer without an answer. */
function stepIpv6(ip: IpContext, check: AddressCheck, nowUs: number): void {
  const { entry } = check;
  const iface = ip.interface(entry.interfaceIndex)!;
  if (check.probesSent === 0) {
    check.probesSent = 1;
    solicitNeighbor(ip, iface, IPV6_ANY, entry.address, false, 0, 0);
    ip.timers.arm(check.timer, nowUs + iface.neighbors.retransTimeUs);
    return;
  }
  makePreferred(ip, entry);
}

/** RFC 5227 §2.1.1: three probes, then two announcements; optimistic: the announcements alone. */
function stepIpv4(ip: IpContext, check: AddressCheck, nowUs: number): void {
  const { entry } = check;
  const arp = ip.interface(entry.interfaceIndex)!.arp!;
  const word = entry.address.w3;
  if (entry.state === ADDRESS_TENTATIVE) {
    if (check.probesSent < PROBE_NUM) {
      check.probesSent++;
      arp.probe(word);
      const next = PROBE_MIN_US + randomUnit(ip.random) * (PROBE_MAX_US - PROBE_MIN_US);
      ip.timers.arm(check.timer, nowUs + (check.probesSent < PROBE_NUM ? next : ANNOUNCE_WAIT_US));
      return;
    }
    entry.state = ADDRESS_PREFERRED;
    ip.changed();
    ip.onAddressState?.(entry);
  }
  check.announcements++;
  if (ip.settings.announceAddresses) {
    arp.announce(word);
    ip.onWork();
  }
  if (check.announcements < ANNOUNCE_NUM) ip.timers.arm(check.timer, nowUs + ANNOUNCE_INTERVAL_US);
  else makePreferred(ip, entry);
}

function makePreferred(ip: IpContext, entry: LocalAddress): void {
  stopAddressCheck(ip, entry);
  if (entry.state !== ADDRESS_TENTATIVE && entry.state !== ADDRESS_OPTIMISTIC) return;
  const wasUsable = entry.isUsable;
  entry.state = ADDRESS_PREFERRED;
  if (!wasUsable) {
    ip.changed();
    ip.onAddressState?.(entry);
  }
}

/**
 * Another station has an address of ours. While it is being checked we give
 * it up; later we defend it, at most every ten seconds (RFC 5227 §2.4 (c),
 * which suits a host whose address was given by hand).
 */
export function addressInUse(ip: IpContext, entry: LocalAddress): void {
  ip.counters.addressConflicts++;
  if (entry.state === ADDRESS_TENTATIVE || entry.state === ADDRESS_OPTIMISTIC) {
    stopAddressCheck(ip, entry);
    entry.state = ADDRESS_DUPLICATE;
    ip.changed();
    ip.onAddressState?.(entry);
    return;
  }
  if (!entry.address.isIpv4 || entry.state === ADDRESS_DUPLICATE) return;
  if (ip.nowUs - entry.defendedAtUs < DEFEND_INTERVAL_US) return;
  entry.defendedAtUs = ip.nowUs;
  ip.interface(entry.interfaceIndex)!.arp!.announce(entry.address.w3);
  ip.onWork();
}
