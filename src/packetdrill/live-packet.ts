/** A packet that the stack emitted, taken apart for comparison. */
import { addressFromBytes, type IpAddress } from "../base/address.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../base/path.ts";
import {
  addSums,
  pseudoSumAtIpv4,
  pseudoSumAtIpv6,
  sumBytes,
  sumIsValid,
} from "../wire/checksum.ts";
import {
  ipv4DontFragment,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4TotalLength,
  ipv4Ttl,
  validateIpv4,
} from "../wire/ipv4.ts";
import {
  IPV6_HEADER,
  ipv6FlowLabel,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadLength,
  ipv6TrafficClass,
  validateIpv6,
} from "../wire/ipv6.ts";
import {
  tcpAcknowledgment,
  tcpDestinationPort,
  tcpFlags,
  tcpHeaderLength,
  tcpRawWindow,
  tcpSequence,
  tcpSourcePort,
  tcpUrgentPointer,
  validateTcp,
} from "../wire/tcp.ts";
import { OK } from "../wire/verdict.ts";
import type { TcpOption } from "./ast.ts";
import { readTcpOptions } from "./tcp-option-bytes.ts";

export interface LiveIp {
  readonly timeUs: number;
  readonly isIpv4: boolean;
  readonly tos: number;
  readonly ttl: number;
  readonly flowLabel: number;
  readonly dontFragment: boolean;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Set when a checksum or a length is wrong: the packet then matches nothing. */
  readonly fault: string | undefined;
}

export interface LiveTcp extends LiveIp {
  readonly kind: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** int32, as on the wire. */
  readonly sequence: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly TcpOption[];
  readonly payloadLength: number;
}

export interface LiveUdp extends LiveIp {
  readonly kind: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payloadLength: number;
}

export interface LiveIcmp extends LiveIp {
  readonly kind: "icmp";
  readonly type: number;
  readonly code: number;
  /** Bytes 4 to 7. */
  readonly rest: number;
  readonly payloadLength: number;
}

export interface LiveOther extends LiveIp {
  readonly kind: "other";
  readonly protocol: number;
}

export type LivePacket = LiveTcp | LiveUdp | LiveIcmp | LiveOther;

/** Takes a packet that begins with its IP header apart; undefined: not IP at all. */
export function readLivePacket(bytes: Uint8Array, timeUs: number): LivePacket | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 20) return undefined;
  const version = view.getUint8(0) >>> 4;
  if (version === 4) {
    const header = ipv4HeaderLength(view, 0);
    const fault = validateIpv4(view, 0, bytes.length) === OK ? undefined : "bad IPv4 header";
    return readTransport(
      view,
      header,
      Math.min(ipv4TotalLength(view, 0), bytes.length) - header,
      ipv4Protocol(view, 0),
      {
        timeUs,
        isIpv4: true,
        tos: view.getUint8(1),
        ttl: ipv4Ttl(view, 0),
        flowLabel: 0,
        dontFragment: ipv4DontFragment(view, 0),
        source: addressFromBytes(bytes.subarray(12, 16))!,
        destination: addressFromBytes(bytes.subarray(16, 20))!,
        fault,
      },
    );
  }
  if (version !== 6 || bytes.length < IPV6_HEADER) return undefined;
  const fault = validateIpv6(view, 0, bytes.length) === OK ? undefined : "bad IPv6 header";
  return readTransport(
    view,
    IPV6_HEADER,
    Math.min(ipv6PayloadLength(view, 0), bytes.length - IPV6_HEADER),
    ipv6NextHeader(view, 0),
    {
      timeUs,
      isIpv4: false,
      tos: ipv6TrafficClass(view, 0),
      ttl: ipv6HopLimit(view, 0),
      flowLabel: ipv6FlowLabel(view, 0),
      dontFragment: true,
      source: addressFromBytes(bytes.subarray(8, 24))!,
      destination: addressFromBytes(bytes.subarray(24, 40))!,
      fault,
    },
  );
}

function readTransport(
  view: DataView,
  at: number,
  length: number,
  protocol: number,
  ip: LiveIp,
): LivePacket {
  const other: LiveOther = { kind: "other", protocol, ...ip };
  if (protocol === PROTOCOL_TCP && validateTcp(view, at, length) === OK) {
    const header = tcpHeaderLength(view, at);
    return {
      kind: "tcp",
      ...ip,
      fault: ip.fault ?? checksumFault(view, at, length, protocol, ip.isIpv4, "TCP"),
      sourcePort: tcpSourcePort(view, at),
      destinationPort: tcpDestinationPort(view, at),
      sequence: tcpSequence(view, at),
      ack: tcpAcknowledgment(view, at),
      flags: tcpFlags(view, at),
      window: tcpRawWindow(view, at),
      urgent: tcpUrgentPointer(view, at),
      options: readTcpOptions(view, at + 20, header - 20),
      payloadLength: length - header,
    };
  }
  if (protocol === PROTOCOL_UDP && length >= 8) {
    const hasChecksum = view.getUint16(at + 6) !== 0;
    return {
      kind: "udp",
      ...ip,
      fault:
        ip.fault ??
        (hasChecksum ? checksumFault(view, at, length, protocol, ip.isIpv4, "UDP") : undefined),
      sourcePort: view.getUint16(at),
      destinationPort: view.getUint16(at + 2),
      payloadLength: length - 8,
    };
  }
  if (protocol === (ip.isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6) && length >= 8) {
    return {
      kind: "icmp",
      ...ip,
      type: view.getUint8(at),
      code: view.getUint8(at + 1),
      rest: view.getInt32(at + 4),
      payloadLength: length - 8,
    };
  }
  return other;
}

function checksumFault(
  view: DataView,
  at: number,
  length: number,
  protocol: number,
  isIpv4: boolean,
  name: string,
): string | undefined {
  const pseudo = isIpv4
    ? pseudoSumAtIpv4(view, 0, protocol, length)
    : pseudoSumAtIpv6(view, 0, protocol, length);
  return sumIsValid(addSums(pseudo, sumBytes(view, at, length)))
    ? undefined
    : `bad ${name} checksum`;
}
