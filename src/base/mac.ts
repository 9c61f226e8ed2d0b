/**
 * MAC addresses. 48 bits are two integers: `high` the first 16 bits (0..0xffff), `low` the last
 * 32 as int32. In frames they are six bytes; text is "02:00:00:00:00:01".
 */
import { AddressError, type IpAddress } from "./address.ts";
import { hexDigit } from "./address-text.ts";

/** An immutable 48-bit hardware address. */
export class MacAddress {
  readonly high: number;
  readonly low: number;

  constructor(high: number, low: number) {
    this.high = high & 0xffff;
    this.low = low | 0;
  }

  get isBroadcast(): boolean {
    return isBroadcastMac(this.high, this.low);
  }
  /** The group bit; true for broadcast too. */
  get isMulticast(): boolean {
    return isMulticastMac(this.high);
  }

  equals(other: MacAddress): boolean {
    return this.high === other.high && this.low === other.low;
  }

  toBytes(): Uint8Array {
    const { high, low } = this;
    return Uint8Array.of(high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
  }

  toString(): string {
    return formatMac(this.high, this.low);
  }
}

export const MAC_BROADCAST = new MacAddress(0xffff, -1);

export function isMulticastMac(high: number): boolean {
  return (high & 0x0100) !== 0;
}

export function isBroadcastMac(high: number, low: number): boolean {
  return high === 0xffff && low === -1;
}

/** From six bytes at `at`; undefined when there are fewer. */
export function macFromBytes(bytes: Uint8Array, at = 0): MacAddress | undefined {
  if (at < 0 || at + 6 > bytes.length) return undefined;
  const low = (bytes[at + 2] << 24) | (bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5];
  return new MacAddress((bytes[at] << 8) | bytes[at + 1], low);
}

/** Lower case with colons. */
export function formatMac(high: number, low: number): string {
  let text = "";
  for (let i = 0; i < 6; i++) {
    const byte = i < 2 ? high >>> (8 - 8 * i) : low >>> (40 - 8 * i);
    text += `${i === 0 ? "" : ":"}${(byte & 255).toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** Six two-digit hex bytes with ":" or "-" throughout; undefined for anything else. */
export function tryParseMac(text: string): MacAddress | undefined {
  if (text.length !== 17) return undefined;
  const separator = text[2];
  if (separator !== ":" && separator !== "-") return undefined;
  let high = 0;
  let low = 0;
  for (let i = 0; i < 6; i++) {
    const a = hexDigit(text.charCodeAt(3 * i));
    const b = hexDigit(text.charCodeAt(3 * i + 1));
    if (a < 0 || b < 0 || (i < 5 && text[3 * i + 2] !== separator)) return undefined;
    if (i < 2) high = (high << 8) | (a << 4) | b;
    else low = (low << 8) | (a << 4) | b;
  }
  return new MacAddress(high, low);
}

/** Parses "02:00:00:00:00:01". Throws AddressError. */
export function parseMac(text: string): MacAddress {
  const mac = tryParseMac(text);
  if (mac === undefined) {
    throw new AddressError(`"${text}" is not a MAC address: write "02:00:00:00:00:01"`);
  }
  return mac;
}

/**
 * High half of the multicast MAC of a group: 0x0100 for IPv4 (RFC 1112 §6.4), 0x3333 for IPv6
 * (RFC 2464 §7).
 */
export function multicastMacHigh(isIpv4: boolean): number {
  return isIpv4 ? 0x0100 : 0x3333;
}

/** Low half, from the last word of the group address. */
export function multicastMacLow(isIpv4: boolean, w3: number): number {
  return isIpv4 ? 0x5e000000 | (w3 & 0x7fffff) : w3;
}

/** The MAC address a multicast or limited-broadcast datagram is sent to. */
export function multicastMac(group: IpAddress): MacAddress {
  if (group.isBroadcast) return MAC_BROADCAST;
  return new MacAddress(multicastMacHigh(group.isIpv4), multicastMacLow(group.isIpv4, group.w3));
}
