/**
 * Internet addresses. Inside the stack an address is four int32 words in network order, IPv4 as
 * ::ffff:a.b.c.d (RFC 4291 §2.5.5.2); IpAddress is the same with a name, for configuration and
 * the edges. Functions that end in `Words` take bare integers and allocate nothing.
 */
import { parseAddressWords } from "./address-text.ts";

/** The third word of every IPv4 address in the stack: ::ffff:0:0/96. */
export const MAPPED = 0x0000ffff;

/** Thrown for text that is no address; `code` is for programs, the message for people. */
export class AddressError extends TypeError {
  readonly code = "ERR_INVALID_ADDRESS";
  constructor(message: string) {
    super(message);
    this.name = "AddressError";
  }
}

/** An immutable IPv4 or IPv6 address. `scope` is an interface number, 0 for none (RFC 4007). */
export class IpAddress {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly scope: number;

  /** Words in network order, any integers (taken modulo 2^32). */
  constructor(w0: number, w1: number, w2: number, w3: number, scope = 0) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
    this.scope = scope;
  }

  /** True for ::ffff:0:0/96, which is how the stack holds IPv4. */
  get isIpv4(): boolean {
    return isIpv4Words(this.w0, this.w1, this.w2);
  }
  get isIpv6(): boolean {
    return !this.isIpv4;
  }
  /** 0.0.0.0 or :: */
  get isUnspecified(): boolean {
    return isUnspecifiedWords(this.w0, this.w1, this.w2, this.w3);
  }
  /** 127.0.0.0/8 or ::1 */
  get isLoopback(): boolean {
    return isLoopbackWords(this.w0, this.w1, this.w2, this.w3);
  }
  /** 224.0.0.0/4 or ff00::/8 */
  get isMulticast(): boolean {
    return isMulticastWords(this.w0, this.w1, this.w2, this.w3);
  }
  /** 169.254.0.0/16 (RFC 3927) or fe80::/10 */
  get isLinkLocal(): boolean {
    return isLinkLocalWords(this.w0, this.w1, this.w2, this.w3);
  }
  /** 255.255.255.255; the broadcast of a subnet is the prefix's to know. */
  get isBroadcast(): boolean {
    return this.isIpv4 && this.w3 === -1;
  }
  /** fc00::/7 (RFC 4193). */
  get isUniqueLocal(): boolean {
    return this.w0 >>> 25 === 0xfc >>> 1;
  }

  equals(other: IpAddress): boolean {
    return (
      this.w0 === other.w0 &&
      this.w1 === other.w1 &&
      this.w2 === other.w2 &&
      this.w3 === other.w3 &&
      this.scope === other.scope
    );
  }

  /** Network order, then scope: negative when this sorts first. */
  compare(other: IpAddress): number {
    return (
      (this.w0 >>> 0) - (other.w0 >>> 0) ||
      (this.w1 >>> 0) - (other.w1 >>> 0) ||
      (this.w2 >>> 0) - (other.w2 >>> 0) ||
      (this.w3 >>> 0) - (other.w3 >>> 0) ||
      this.scope - other.scope
    );
  }

  /** The same address in another scope zone. */
  withScope(scope: number): IpAddress {
    return scope === this.scope ? this : new IpAddress(this.w0, this.w1, this.w2, this.w3, scope);
  }

  /** 4 or 16 bytes in network order. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.isIpv4 ? 4 : 16);
    const view = new DataView(bytes.buffer);
    if (this.isIpv4) {
      view.setInt32(0, this.w3);
    } else {
      view.setInt32(0, this.w0);
      view.setInt32(4, this.w1);
      view.setInt32(8, this.w2);
      view.setInt32(12, this.w3);
    }
    return bytes;
  }

  /** Dotted quad for IPv4, RFC 5952 for IPv6, with %scope when there is one. */
  toString(): string {
    return formatAddressWords(this.w0, this.w1, this.w2, this.w3, this.scope);
  }
}

/** 0.0.0.0 */
export const IPV4_ANY = new IpAddress(0, 0, MAPPED, 0);
/** 255.255.255.255 */
export const IPV4_BROADCAST = new IpAddress(0, 0, MAPPED, -1);
/** 127.0.0.1 */
export const IPV4_LOOPBACK = new IpAddress(0, 0, MAPPED, 0x7f000001);
/** :: */
export const IPV6_ANY = new IpAddress(0, 0, 0, 0);
/** ::1 */
export const IPV6_LOOPBACK = new IpAddress(0, 0, 0, 1);
/** ff02::1 */
export const IPV6_ALL_NODES = new IpAddress(0xff020000, 0, 0, 1);
/** ff02::2 */
export const IPV6_ALL_ROUTERS = new IpAddress(0xff020000, 0, 0, 2);

/** An IPv4 address from its 32 bits. */
export function ipv4Address(word: number): IpAddress {
  return new IpAddress(0, 0, MAPPED, word);
}

/** An address from 4 or 16 bytes in network order; undefined for any other length. */
export function addressFromBytes(bytes: Uint8Array, scope = 0): IpAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return ipv4Address(view.getInt32(0));
  if (bytes.length !== 16) return undefined;
  return new IpAddress(
    view.getInt32(0),
    view.getInt32(4),
    view.getInt32(8),
    view.getInt32(12),
    scope,
  );
}

/** Parses "10.0.0.1", "fe80::1%3" or "::ffff:1.2.3.4"; undefined for anything else. */
export function tryParseAddress(text: string): IpAddress | undefined {
  const words = parseAddressWords(text);
  return words && new IpAddress(words[0], words[1], words[2], words[3], words[4]);
}

/**
 * Parses "10.0.0.1", "fe80::1%3" or "::ffff:1.2.3.4" (the same address as 1.2.3.4).
 * Strict: four decimal parts without leading zeros, RFC 4291 §2.2 text for IPv6, a decimal scope.
 * Throws AddressError.
 */
export function parseAddress(text: string): IpAddress {
  const address = tryParseAddress(text);
  if (address === undefined) {
    throw new AddressError(
      `"${text}" is not an IP address: write "10.0.0.1" or "fe80::1%3", without port or prefix`,
    );
  }
  return address;
}

/** Text of an address: dotted quad or RFC 5952. */
export function formatAddressWords(
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  scope = 0,
): string {
  const zone = scope === 0 ? "" : `%${scope}`;
  if (isIpv4Words(w0, w1, w2)) return formatIpv4(w3) + zone;
  return formatIpv6(w0, w1, w2, w3) + zone;
}

/** Dotted quad of 32 bits. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952 §4 and §5: lower case, longest run of zeros as ::, mapped IPv4 as a dotted quad. */
export function formatIpv6(w0: number, w1: number, w2: number, w3: number): string {
  if (isIpv4Words(w0, w1, w2)) return `::ffff:${formatIpv4(w3)}`;
  const groups: number[] = [];
  for (const word of [w0, w1, w2, w3]) groups.push(word >>> 16, word & 0xffff);
  let best = -1;
  let bestLength = 1; // a single zero group is not shortened (§4.2.2)
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      best = i;
      bestLength = end - i;
    }
    if (end > i) i = end;
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + bestLength, 8)}`;
}

export function isIpv4Words(w0: number, w1: number, w2: number): boolean {
  return w2 === MAPPED && w0 === 0 && w1 === 0;
}

export function isUnspecifiedWords(w0: number, w1: number, w2: number, w3: number): boolean {
  return w3 === 0 && w0 === 0 && w1 === 0 && (w2 === MAPPED || w2 === 0);
}

export function isLoopbackWords(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 !== 0 || w1 !== 0) return false;
  return w2 === MAPPED ? w3 >>> 24 === 127 : w2 === 0 && w3 === 1;
}

export function isMulticastWords(w0: number, w1: number, w2: number, w3: number): boolean {
  return isIpv4Words(w0, w1, w2) ? w3 >>> 28 === 0xe : w0 >>> 24 === 0xff;
}

export function isLinkLocalWords(w0: number, w1: number, w2: number, w3: number): boolean {
  return isIpv4Words(w0, w1, w2) ? w3 >>> 16 === 0xa9fe : w0 >>> 22 === 0xfe80 >>> 6;
}

/**
 * Hash of an address, an int32. The seed is secret and random per host so that a peer cannot
 * choose addresses that collide.
 */
export function hashAddressWords(
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  seed: number,
): number {
  let h = mix(seed, w3);
  h = mix(h, w2);
  h = mix(h, w1);
  h = mix(h, w0);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function mix(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  h ^= Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

/** The solicited-node multicast address ff02::1:ffXX:XXXX of a unicast one (RFC 4291 §2.7.1). */
export function solicitedNode(address: IpAddress): IpAddress {
  return new IpAddress(0xff020000, 0, 1, 0xff000000 | (address.w3 & 0xffffff), address.scope);
}

/** fe80::/64 with the modified EUI-64 of a MAC address (RFC 4291, appendix A). */
export function linkLocalFromMac(macHigh: number, macLow: number, scope = 0): IpAddress {
  // 00-11-22-33-44-55 becomes 02-11-22-ff-fe-33-44-55: universal bit inverted, fffe in the middle.
  const w2 = ((macHigh ^ 0x0200) << 16) | ((macLow >>> 16) & 0xff00) | 0xff | 0;
  const w3 = 0xfe000000 | (macLow & 0xffffff) | 0;
  return new IpAddress(0xfe800000, 0, w2, w3, scope);
}
