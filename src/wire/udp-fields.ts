/** UDP datagrams as objects, for traces and tests. */
import type { IpAddress } from "../base/address.ts";
import { concatBytes, viewOf } from "./bytes.ts";
import { udpChecksumOf } from "./checksum.ts";
import { PROTOCOL_UDP } from "./protocol.ts";
import { transportSum } from "./transport-sum.ts";
import {
  UDP_CHECKSUM,
  UDP_HEADER,
  udpChecksum,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
  writeUdpHeader,
} from "./udp.ts";

export interface UdpHeader {
  sourcePort: number;
  destinationPort: number;
  /** Header and payload, as stated. */
  length: number;
  checksum: number;
}

export interface UdpFields {
  sourcePort: number;
  destinationPort: number;
  /** The right one. */
  length?: number;
  /** The right one, given the addresses; else 0, none. */
  checksum?: number;
}

/** undefined if there are fewer than 8 bytes; the length is as stated, unchecked. */
export function decodeUdp(view: DataView, at: number, length: number): UdpHeader | undefined {
  if (length < UDP_HEADER) return undefined;
  return {
    sourcePort: udpSourcePort(view, at),
    destinationPort: udpDestinationPort(view, at),
    length: udpLength(view, at),
    checksum: udpChecksum(view, at),
  };
}

/** Header and payload. With addresses the checksum is right, unless one is given. */
export function encodeUdp(
  fields: UdpFields,
  payload: Uint8Array,
  source?: IpAddress,
  destination?: IpAddress,
): Uint8Array {
  const header = new Uint8Array(UDP_HEADER);
  const { sourcePort, destinationPort, checksum } = fields;
  const length = fields.length ?? UDP_HEADER + payload.length;
  writeUdpHeader(viewOf(header), 0, sourcePort, destinationPort, length, checksum ?? 0);
  const datagram = concatBytes(header, payload);
  if (checksum === undefined && source !== undefined && destination !== undefined) {
    const sum = transportSum(datagram, PROTOCOL_UDP, source, destination);
    viewOf(datagram).setUint16(UDP_CHECKSUM, udpChecksumOf(sum));
  }
  return datagram;
}
