import type { IpAddress } from "../base/address.ts";
import { NEVER } from "../base/timers.ts";
import type { IpPrefix } from "../base/prefix.ts";

/** Being checked for duplicates; receives nothing but the answers to that (RFC 4862 §5.4). */
export const ADDRESS_TENTATIVE = 0;
/** In use while it is being checked (RFC 4429). */
export const ADDRESS_OPTIMISTIC = 1;
export const ADDRESS_PREFERRED = 2;
/** Still ours, but not chosen for anything new (RFC 4862 §5.5.4). */
export const ADDRESS_DEPRECATED = 3;
/** Another station has it. */
export const ADDRESS_DUPLICATE = 4;

const STATE_NAMES = ["tentative", "optimistic", "preferred", "deprecated", "duplicate"];

/** Where an address came from. */
export type AddressOrigin = "static" | "link-local" | "slaac" | "dhcp";

/** An address of this host, on one interface. */
export class LocalAddress {
  readonly address: IpAddress;
  readonly prefix: IpPrefix;
  readonly interfaceIndex: number;
  readonly origin: AddressOrigin;
  state: number;
  /** Network clock; `NEVER` for addresses without lifetime. */
  preferredUntilUs = NEVER;
  validUntilUs = NEVER;
  /** When we last defended it against another station. */
  defendedAtUs = Number.NEGATIVE_INFINITY;
  /** Broadcast address of its subnet; 0 for none. */
  readonly broadcast: number;

  constructor(prefix: IpPrefix, interfaceIndex: number, origin: AddressOrigin, state: number) {
    const address = prefix.address;
    this.address =
      address.isLinkLocal && !address.isIpv4 ? address.withScope(interfaceIndex) : address;
    this.prefix = prefix;
    this.interfaceIndex = interfaceIndex;
    this.origin = origin;
    this.state = state;
    this.broadcast = prefix.broadcast?.w3 ?? 0;
  }

  /** Packets may be sent from and received at it. */
  get isUsable(): boolean {
    return this.state !== ADDRESS_TENTATIVE && this.state !== ADDRESS_DUPLICATE;
  }

  /** Not chosen for anything new any more. False: it was not in plain use. */
  deprecate(): boolean {
    if (this.state !== ADDRESS_PREFERRED) return false;
    this.state = ADDRESS_DEPRECATED;
    return true;
  }

  get stateName(): string {
    return STATE_NAMES[this.state]!;
  }
}

/** The addresses of a host, by words. The same link-local one may stand on several interfaces. */
export class LocalAddresses {
  private readonly buckets: LocalAddress[][] = Array.from({ length: 64 }, () => []);

  add(entry: LocalAddress): void {
    this.bucket(entry.address.w3).push(entry);
  }

  remove(entry: LocalAddress): void {
    const bucket = this.bucket(entry.address.w3);
    const index = bucket.indexOf(entry);
    if (index >= 0) bucket.splice(index, 1);
  }

  /** Usable or not; `interfaceIndex` 0 for any interface. */
  find(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    interfaceIndex = 0,
  ): LocalAddress | undefined {
    for (const entry of this.bucket(w3)) {
      const a = entry.address;
      if (a.w3 !== w3 || a.w2 !== w2 || a.w1 !== w1 || a.w0 !== w0) continue;
      if (interfaceIndex === 0 || entry.interfaceIndex === interfaceIndex) return entry;
    }
    return undefined;
  }

  /** As `find`, but only what packets may use. */
  findUsable(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    interfaceIndex = 0,
  ): LocalAddress | undefined {
    const entry = this.find(w0, w1, w2, w3, interfaceIndex);
    return entry?.isUsable ? entry : undefined;
  }

  private bucket(w3: number): LocalAddress[] {
    return this.buckets[Math.imul(w3, 0x9e3779b1) >>> 26]!;
  }
}
