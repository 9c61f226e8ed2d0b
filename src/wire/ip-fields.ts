/** IPv4 and IPv6 packets as objects, for traces and tests. */
import { IpAddress, ipv4Address } from "../base/address.ts";
import { concatBytes, copyBytes, viewOf } from "./bytes.ts";
import {
  IPV4_CHECKSUM,
  IPV4_DF,
  IPV4_HEADER,
  IPV4_MF,
  ipv4Checksum,
  ipv4Destination,
  ipv4DontFragment,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Identification,
  ipv4MoreFragments,
  ipv4Protocol,
  ipv4Source,
  ipv4Tos,
  ipv4TotalLength,
  ipv4Ttl,
  refreshIpv4Checksum,
  writeIpv4Header,
} from "./ipv4.ts";
import {
  IPV6_HEADER,
  ipv6DestinationWord,
  ipv6FlowLabel,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLength,
  ipv6SourceWord,
  ipv6TrafficClass,
  writeIpv6Header,
} from "./ipv6.ts";

export interface Ipv4Header {
  tos: number;
  /** Header and payload, as stated. */
  totalLength: number;
  identification: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** Bytes. */
  fragmentOffset: number;
  ttl: number;
  protocol: number;
  checksum: number;
  source: IpAddress;
  destination: IpAddress;
  options: Uint8Array;
  headerLength: number;
}

export interface Ipv6Header {
  trafficClass: number;
  flowLabel: number;
  /** Bytes after the fixed header, as stated. */
  payloadLength: number;
  nextHeader: number;
  hopLimit: number;
  source: IpAddress;
  destination: IpAddress;
}

/** What a builder may leave out is shown with its default. */
export interface Ipv4Fields {
  source: IpAddress;
  destination: IpAddress;
  protocol: number;
  /** 64 */
  ttl?: number;
  /** 0 */
  tos?: number;
  /** 0 */
  identification?: number;
  /** true, unless it is a fragment */
  dontFragment?: boolean;
  moreFragments?: boolean;
  /** Bytes, a multiple of 8. */
  fragmentOffset?: number;
  /** Padded with zeros to a multiple of 4, at most 40 bytes. */
  options?: Uint8Array;
  /** The right one. */
  totalLength?: number;
  /** The right one. */
  checksum?: number;
}

export interface Ipv6Fields {
  source: IpAddress;
  destination: IpAddress;
  /** First header of the payload, an extension header or a protocol. */
  nextHeader: number;
  /** 64 */
  hopLimit?: number;
  trafficClass?: number;
  flowLabel?: number;
  /** The right one. */
  payloadLength?: number;
}

/** undefined if the bytes hold no IPv4 header; lengths and checksum are as stated, unchecked. */
export function decodeIpv4(view: DataView, at: number, length: number): Ipv4Header | undefined {
  if (length < IPV4_HEADER || view.getUint8(at) >>> 4 !== 4) return undefined;
  const headerLength = ipv4HeaderLength(view, at);
  if (headerLength < IPV4_HEADER || headerLength > length) return undefined;
  return {
    tos: ipv4Tos(view, at),
    totalLength: ipv4TotalLength(view, at),
    identification: ipv4Identification(view, at),
    dontFragment: ipv4DontFragment(view, at),
    moreFragments: ipv4MoreFragments(view, at),
    fragmentOffset: ipv4FragmentOffset(view, at),
    ttl: ipv4Ttl(view, at),
    protocol: ipv4Protocol(view, at),
    checksum: ipv4Checksum(view, at),
    source: ipv4Address(ipv4Source(view, at)),
    destination: ipv4Address(ipv4Destination(view, at)),
    options: copyBytes(view, at + IPV4_HEADER, headerLength - IPV4_HEADER),
    headerLength,
  };
}

export function encodeIpv4(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const headerLength = IPV4_HEADER + ((options.length + 3) & ~3);
  const offset = fields.fragmentOffset ?? 0;
  const more = fields.moreFragments ?? false;
  const dontFragment = fields.dontFragment ?? !(more || offset > 0);
  const header = new Uint8Array(headerLength);
  const view = viewOf(header);
  writeIpv4Header(
    view,
    0,
    fields.tos ?? 0,
    fields.totalLength ?? headerLength + payload.length,
    fields.identification ?? 0,
    (dontFragment ? IPV4_DF : 0) | (more ? IPV4_MF : 0) | (offset >>> 3),
    fields.ttl ?? 64,
    fields.protocol,
    fields.source.w3,
    fields.destination.w3,
  );
  header.set(options, IPV4_HEADER);
  header[0] = 0x40 | (headerLength >>> 2);
  refreshIpv4Checksum(view, 0);
  if (fields.checksum !== undefined) view.setUint16(IPV4_CHECKSUM, fields.checksum);
  return concatBytes(header, payload);
}

/** undefined if the bytes hold no IPv6 header; the payload length is as stated, unchecked. */
export function decodeIpv6(view: DataView, at: number, length: number): Ipv6Header | undefined {
  if (length < IPV6_HEADER || view.getUint8(at) >>> 4 !== 6) return undefined;
  return {
    trafficClass: ipv6TrafficClass(view, at),
    flowLabel: ipv6FlowLabel(view, at),
    payloadLength: ipv6PayloadLength(view, at),
    nextHeader: ipv6NextHeader(view, at),
    hopLimit: ipv6HopLimit(view, at),
    source: new IpAddress(
      ipv6SourceWord(view, at, 0),
      ipv6SourceWord(view, at, 1),
      ipv6SourceWord(view, at, 2),
      ipv6SourceWord(view, at, 3),
    ),
    destination: new IpAddress(
      ipv6DestinationWord(view, at, 0),
      ipv6DestinationWord(view, at, 1),
      ipv6DestinationWord(view, at, 2),
      ipv6DestinationWord(view, at, 3),
    ),
  };
}

export function encodeIpv6(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(IPV6_HEADER);
  const { source: s, destination: d } = fields;
  writeIpv6Header(
    viewOf(header),
    0,
    fields.trafficClass ?? 0,
    fields.flowLabel ?? 0,
    fields.payloadLength ?? payload.length,
    fields.nextHeader,
    fields.hopLimit ?? 64,
    s.w0,
    s.w1,
    s.w2,
    s.w3,
    d.w0,
    d.w1,
    d.w2,
    d.w3,
  );
  return concatBytes(header, payload);
}

/** A packet of the addresses' own family around `payload`; `tos` is the IPv6 traffic class. */
export function encodeIp(
  fields: {
    source: IpAddress;
    destination: IpAddress;
    protocol: number;
    ttl?: number;
    tos?: number;
  },
  payload: Uint8Array,
): Uint8Array {
  const { source, destination, protocol, ttl, tos } = fields;
  if (source.isIpv4 && destination.isIpv4) return encodeIpv4(fields, payload);
  return encodeIpv6(
    { source, destination, nextHeader: protocol, hopLimit: ttl, trafficClass: tos },
    payload,
  );
}
