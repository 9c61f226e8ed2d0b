/**
 * Neighbor discovery messages as objects: for router advertisements, which are rare, also the way
 * the stack reads them; for the rest, traces and tests. All offsets are after the ICMPv6 header's
 * first four bytes, so that IcmpMessage.rest and body hold the same.
 */
import { IpAddress } from "../base/address.ts";
import { MacAddress } from "../base/mac.ts";
import { concatBytes, copyBytes, viewOf } from "./bytes.ts";
import { decodeNameList, encodeNameList } from "./dns-name.ts";
import {
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  ICMPV6_REDIRECT,
  ICMPV6_ROUTER_ADVERTISEMENT,
  ICMPV6_ROUTER_SOLICITATION,
} from "./icmpv6.ts";
import { encodeIcmpv6 } from "./icmp-fields.ts";
import {
  NA_OVERRIDE,
  NA_ROUTER,
  NA_SOLICITED,
  NDP_OPTION_DNSSL,
  NDP_OPTION_MTU,
  NDP_OPTION_PREFIX,
  NDP_OPTION_RDNSS,
  NDP_OPTION_REDIRECTED,
  NDP_OPTION_SOURCE_LINK,
  NDP_OPTION_TARGET_LINK,
  ndpFixedLength,
} from "./ndp.ts";

/** Lifetimes are seconds, 0..2^32-1, the last meaning infinity. */
export type NdpOption =
  | { kind: "sourceLink"; mac: MacAddress }
  | { kind: "targetLink"; mac: MacAddress }
  | {
      kind: "prefix";
      prefix: IpAddress;
      prefixLength: number;
      onLink: boolean;
      autonomous: boolean;
      validLifetimeS: number;
      preferredLifetimeS: number;
    }
  | { kind: "mtu"; mtu: number }
  /** As much of the packet as was quoted, padding included. */
  | { kind: "redirected"; packet: Uint8Array }
  | { kind: "rdnss"; lifetimeS: number; servers: IpAddress[] }
  | { kind: "dnssl"; lifetimeS: number; domains: string[] }
  /** Any other: the bytes after type and length. */
  | { kind: "other"; number: number; data: Uint8Array };

export type NdpMessage =
  | { type: "routerSolicitation"; options: NdpOption[] }
  | {
      type: "routerAdvertisement";
      /** 0: unspecified. */
      hopLimit: number;
      managed: boolean;
      otherConfig: boolean;
      /** 0: not a default router. */
      routerLifetimeS: number;
      reachableTimeMs: number;
      retransTimerMs: number;
      options: NdpOption[];
    }
  | { type: "neighborSolicitation"; target: IpAddress; options: NdpOption[] }
  | {
      type: "neighborAdvertisement";
      target: IpAddress;
      router: boolean;
      solicited: boolean;
      override: boolean;
      options: NdpOption[];
    }
  | { type: "redirect"; target: IpAddress; destination: IpAddress; options: NdpOption[] };

/**
 * Decodes the ICMPv6 message of `length` bytes at `at`; undefined if it is no neighbor discovery
 * or malformed. The rules that involve the IPv6 header are validateNdp's.
 */
export function decodeNdp(view: DataView, at: number, length: number): NdpMessage | undefined {
  if (length < 8) return undefined;
  const type = view.getUint8(at);
  const fixed = ndpFixedLength(type);
  if (fixed === 0 || length < fixed) return undefined;
  const options = decodeOptions(view, at + fixed, length - fixed);
  if (options === undefined) return undefined;
  const flags = view.getInt32(at + 4);
  switch (type) {
    case ICMPV6_ROUTER_SOLICITATION:
      return { type: "routerSolicitation", options };
    case ICMPV6_ROUTER_ADVERTISEMENT:
      return {
        type: "routerAdvertisement",
        hopLimit: flags >>> 24,
        managed: (flags & 0x800000) !== 0,
        otherConfig: (flags & 0x400000) !== 0,
        routerLifetimeS: flags & 0xffff,
        reachableTimeMs: view.getUint32(at + 8),
        retransTimerMs: view.getUint32(at + 12),
        options,
      };
    case ICMPV6_NEIGHBOR_SOLICITATION:
      return { type: "neighborSolicitation", target: addressAt(view, at + 8), options };
    case ICMPV6_NEIGHBOR_ADVERTISEMENT:
      return {
        type: "neighborAdvertisement",
        target: addressAt(view, at + 8),
        router: (flags & NA_ROUTER) !== 0,
        solicited: (flags & NA_SOLICITED) !== 0,
        override: (flags & NA_OVERRIDE) !== 0,
        options,
      };
    default:
      return {
        type: "redirect",
        target: addressAt(view, at + 8),
        destination: addressAt(view, at + 24),
        options,
      };
  }
}

function decodeOptions(view: DataView, at: number, length: number): NdpOption[] | undefined {
  const options: NdpOption[] = [];
  const end = at + length;
  let i = at;
  while (i < end) {
    if (i + 2 > end) return undefined;
    const size = view.getUint8(i + 1) << 3;
    if (size === 0 || i + size > end) return undefined;
    options.push(decodeOption(view, i, size));
    i += size;
  }
  return options;
}

function decodeOption(view: DataView, i: number, size: number): NdpOption {
  const number = view.getUint8(i);
  if ((number === NDP_OPTION_SOURCE_LINK || number === NDP_OPTION_TARGET_LINK) && size === 8) {
    const mac = new MacAddress(view.getUint16(i + 2), view.getInt32(i + 4));
    return { kind: number === NDP_OPTION_SOURCE_LINK ? "sourceLink" : "targetLink", mac };
  }
  if (number === NDP_OPTION_PREFIX && size === 32 && view.getUint8(i + 2) <= 128) {
    const flags = view.getUint8(i + 3);
    return {
      kind: "prefix",
      prefix: addressAt(view, i + 16),
      prefixLength: view.getUint8(i + 2),
      onLink: (flags & 0x80) !== 0,
      autonomous: (flags & 0x40) !== 0,
      validLifetimeS: view.getUint32(i + 4),
      preferredLifetimeS: view.getUint32(i + 8),
    };
  }
  if (number === NDP_OPTION_MTU && size === 8) return { kind: "mtu", mtu: view.getUint32(i + 4) };
  if (number === NDP_OPTION_REDIRECTED && size >= 8) {
    return { kind: "redirected", packet: copyBytes(view, i + 8, size - 8) };
  }
  // RFC 8106 §5.1: 3 or more units, odd.
  if (number === NDP_OPTION_RDNSS && size >= 24 && (size & 15) === 8) {
    const servers: IpAddress[] = [];
    for (let s = i + 8; s < i + size; s += 16) servers.push(addressAt(view, s));
    return { kind: "rdnss", lifetimeS: view.getUint32(i + 4), servers };
  }
  if (number === NDP_OPTION_DNSSL && size >= 16) {
    const domains = decodeNameList(view, i + 8, size - 8);
    if (domains !== undefined) {
      return { kind: "dnssl", lifetimeS: view.getUint32(i + 4), domains };
    }
  }
  return { kind: "other", number, data: copyBytes(view, i + 2, size - 2) };
}

function addressAt(view: DataView, at: number): IpAddress {
  return new IpAddress(
    view.getInt32(at),
    view.getInt32(at + 4),
    view.getInt32(at + 8),
    view.getInt32(at + 12),
  );
}

/** The ICMPv6 message, with its checksum for these addresses. */
export function encodeNdp(
  message: NdpMessage,
  source: IpAddress,
  destination: IpAddress,
): Uint8Array {
  const options = message.options.map(encodeOption);
  switch (message.type) {
    case "routerSolicitation":
      return encodeIcmpv6(
        { type: ICMPV6_ROUTER_SOLICITATION, body: concatBytes(...options) },
        source,
        destination,
      );
    case "routerAdvertisement": {
      const times = new Uint8Array(8);
      viewOf(times).setUint32(0, message.reachableTimeMs);
      viewOf(times).setUint32(4, message.retransTimerMs);
      const flags = (message.managed ? 0x800000 : 0) | (message.otherConfig ? 0x400000 : 0);
      const rest = (message.hopLimit << 24) | flags | message.routerLifetimeS;
      const body = concatBytes(times, ...options);
      return encodeIcmpv6({ type: ICMPV6_ROUTER_ADVERTISEMENT, rest, body }, source, destination);
    }
    case "neighborSolicitation": {
      const body = concatBytes(addressBytes(message.target), ...options);
      return encodeIcmpv6({ type: ICMPV6_NEIGHBOR_SOLICITATION, body }, source, destination);
    }
    case "neighborAdvertisement": {
      const body = concatBytes(addressBytes(message.target), ...options);
      const rest =
        (message.router ? NA_ROUTER : 0) |
        (message.solicited ? NA_SOLICITED : 0) |
        (message.override ? NA_OVERRIDE : 0);
      return encodeIcmpv6({ type: ICMPV6_NEIGHBOR_ADVERTISEMENT, rest, body }, source, destination);
    }
    case "redirect": {
      const addresses = [addressBytes(message.target), addressBytes(message.destination)];
      const body = concatBytes(...addresses, ...options);
      return encodeIcmpv6({ type: ICMPV6_REDIRECT, body }, source, destination);
    }
  }
}

function encodeOption(option: NdpOption): Uint8Array {
  switch (option.kind) {
    case "sourceLink":
      return optionBytes(NDP_OPTION_SOURCE_LINK, option.mac.toBytes());
    case "targetLink":
      return optionBytes(NDP_OPTION_TARGET_LINK, option.mac.toBytes());
    case "prefix": {
      const data = new Uint8Array(30);
      const view = viewOf(data);
      data[0] = option.prefixLength;
      data[1] = (option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0);
      view.setUint32(2, option.validLifetimeS);
      view.setUint32(6, option.preferredLifetimeS);
      data.set(addressBytes(option.prefix), 14);
      return optionBytes(NDP_OPTION_PREFIX, data);
    }
    case "mtu":
      return optionBytes(NDP_OPTION_MTU, reservedAndWord(option.mtu));
    case "redirected":
      return optionBytes(NDP_OPTION_REDIRECTED, concatBytes(new Uint8Array(6), option.packet));
    case "rdnss": {
      const servers = option.servers.map(addressBytes);
      return optionBytes(
        NDP_OPTION_RDNSS,
        concatBytes(reservedAndWord(option.lifetimeS), ...servers),
      );
    }
    case "dnssl":
      return optionBytes(
        NDP_OPTION_DNSSL,
        concatBytes(reservedAndWord(option.lifetimeS), encodeNameList(option.domains)),
      );
    case "other":
      return optionBytes(option.number, option.data);
  }
}

/** Two reserved bytes and 32 bits. */
function reservedAndWord(word: number): Uint8Array {
  const bytes = new Uint8Array(6);
  viewOf(bytes).setUint32(2, word);
  return bytes;
}

/** Type and length in front, zeros behind up to a multiple of eight. */
function optionBytes(number: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((data.length + 9) & ~7);
  bytes[0] = number;
  bytes[1] = bytes.length >>> 3;
  bytes.set(data, 2);
  return bytes;
}

/** 16 bytes, whatever the family. */
function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = viewOf(bytes);
  view.setInt32(0, address.w0);
  view.setInt32(4, address.w1);
  view.setInt32(8, address.w2);
  view.setInt32(12, address.w3);
  return bytes;
}
