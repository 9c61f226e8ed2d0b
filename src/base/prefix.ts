/** Prefixes such as 10.9.0.2/24: an address with the length of its network part. */
import { AddressError, IpAddress, tryParseAddress } from "./address.ts";
import { parseDecimal } from "./address-text.ts";

/** An address and a prefix length. Matching is on words and allocates nothing. */
export class IpPrefix {
  readonly address: IpAddress;
  /** As written: 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly length: number;
  readonly m0: number;
  readonly m1: number;
  readonly m2: number;
  readonly m3: number;

  constructor(address: IpAddress, length: number) {
    const limit = address.isIpv4 ? 32 : 128;
    if (!Number.isInteger(length) || length < 0 || length > limit) {
      throw new AddressError(`prefix length ${length} of ${address} must be 0 to ${limit}`);
    }
    this.address = address;
    this.length = length;
    const bits = address.isIpv4 ? length + 96 : length;
    this.m0 = maskWord(bits);
    this.m1 = maskWord(bits - 32);
    this.m2 = maskWord(bits - 64);
    this.m3 = maskWord(bits - 96);
  }

  /** Length in the stack's own 128-bit terms: 120 for 10.9.0.2/24. */
  get length128(): number {
    return this.address.isIpv4 ? this.length + 96 : this.length;
  }

  /** True if the address lies in this prefix; scopes are not compared. */
  contains(a: IpAddress): boolean {
    return this.containsWords(a.w0, a.w1, a.w2, a.w3);
  }

  containsWords(w0: number, w1: number, w2: number, w3: number): boolean {
    const a = this.address;
    return (
      ((w3 ^ a.w3) & this.m3) === 0 &&
      ((w2 ^ a.w2) & this.m2) === 0 &&
      ((w1 ^ a.w1) & this.m1) === 0 &&
      ((w0 ^ a.w0) & this.m0) === 0
    );
  }

  /** The address with its host bits cleared: 10.9.0.0 */
  get network(): IpAddress {
    const a = this.address;
    return new IpAddress(a.w0 & this.m0, a.w1 & this.m1, a.w2 & this.m2, a.w3 & this.m3, a.scope);
  }

  /** The subnet's broadcast address; undefined for IPv6, /31 (RFC 3021) and /32. */
  get broadcast(): IpAddress | undefined {
    const a = this.address;
    if (!a.isIpv4 || this.length > 30) return undefined;
    return new IpAddress(a.w0, a.w1, a.w2, a.w3 | ~this.m3);
  }

  toString(): string {
    return `${this.address}/${this.length}`;
  }
}

/** Parses "10.9.0.2/24" or "fd00::1/64"; undefined for anything else. */
export function tryParsePrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = tryParseAddress(text.slice(0, slash));
  if (address === undefined) return undefined;
  // "::ffff:1.2.3.4/120" is IPv6 notation for 1.2.3.4/24.
  const mapped = address.isIpv4 && text.indexOf(":") >= 0;
  const length = parseDecimal(text.slice(slash + 1), address.isIpv4 && !mapped ? 32 : 128);
  if (length < 0 || (mapped && length < 96)) return undefined;
  return new IpPrefix(address, mapped ? length - 96 : length);
}

/** Parses "10.9.0.2/24" or "fd00::1/64". Throws AddressError. */
export function parsePrefix(text: string): IpPrefix {
  const prefix = tryParsePrefix(text);
  if (prefix === undefined) {
    throw new AddressError(`"${text}" is not a prefix: write "10.9.0.2/24" or "fd00::1/64"`);
  }
  return prefix;
}

/** Number of leading bits two addresses share, 0 to 128 (RFC 6724 §2.2 CommonPrefixLen). */
export function commonPrefixLength(a: IpAddress, b: IpAddress): number {
  if (a.w0 !== b.w0) return Math.clz32(a.w0 ^ b.w0);
  if (a.w1 !== b.w1) return 32 + Math.clz32(a.w1 ^ b.w1);
  if (a.w2 !== b.w2) return 64 + Math.clz32(a.w2 ^ b.w2);
  return 96 + Math.clz32(a.w3 ^ b.w3);
}

function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
