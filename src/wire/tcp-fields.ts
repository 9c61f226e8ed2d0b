/** TCP segments as objects, for traces, tests and scripts. */
import type { IpAddress } from "../base/address.ts";
import { concatBytes, viewOf } from "./bytes.ts";
import { PROTOCOL_TCP } from "./protocol.ts";
import {
  TCP_CHECKSUM,
  TCP_HEADER,
  tcpAcknowledgment,
  tcpChecksum,
  tcpDestinationPort,
  tcpFlags,
  tcpHeaderLength,
  tcpRawWindow,
  tcpReserved,
  tcpSequence,
  tcpSourcePort,
  tcpUrgentPointer,
  validateTcp,
  writeTcpHeader,
} from "./tcp.ts";
import { decodeTcpOptions, encodeTcpOptions, type TcpOption } from "./tcp-options-fields.ts";
import { setTransportChecksum } from "./transport-sum.ts";

export interface TcpHeader {
  sourcePort: number;
  destinationPort: number;
  /** int32 */
  sequence: number;
  /** int32 */
  acknowledgment: number;
  /** FIN to AE of wire/tcp.ts. */
  flags: number;
  /** Three bits, normally 0. */
  reserved: number;
  /** As on the wire, unscaled. */
  rawWindow: number;
  checksum: number;
  urgentPointer: number;
  /** In order, padding included. */
  options: TcpOption[];
  /** Bytes before the payload. */
  headerLength: number;
  payloadLength: number;
}

/** What a builder may leave out is shown with its default. */
export interface TcpFields {
  sourcePort: number;
  destinationPort: number;
  /** 0; taken modulo 2^32, as is the acknowledgment. */
  sequence?: number;
  acknowledgment?: number;
  flags: number;
  reserved?: number;
  /** 65535 */
  rawWindow?: number;
  urgentPointer?: number;
  /** In order; padded with end-of-list to a multiple of four, at most 40 bytes. */
  options?: readonly TcpOption[];
  /** The right one, given the addresses; else 0. */
  checksum?: number;
}

export function decodeTcp(view: DataView, at: number, length: number): TcpHeader | undefined {
  if (validateTcp(view, at, length) !== 0) return undefined;
  const headerLength = tcpHeaderLength(view, at);
  return {
    sourcePort: tcpSourcePort(view, at),
    destinationPort: tcpDestinationPort(view, at),
    sequence: tcpSequence(view, at),
    acknowledgment: tcpAcknowledgment(view, at),
    flags: tcpFlags(view, at),
    reserved: tcpReserved(view, at),
    rawWindow: tcpRawWindow(view, at),
    checksum: tcpChecksum(view, at),
    urgentPointer: tcpUrgentPointer(view, at),
    options: decodeTcpOptions(view, at + TCP_HEADER, headerLength - TCP_HEADER),
    headerLength,
    payloadLength: length - headerLength,
  };
}

/** Header and payload. With addresses the checksum is right, unless one is given. */
export function encodeTcp(
  fields: TcpFields,
  payload: Uint8Array = new Uint8Array(0),
  source?: IpAddress,
  destination?: IpAddress,
): Uint8Array {
  const options = encodeTcpOptions(fields.options ?? []);
  const headerLength = TCP_HEADER + options.length;
  const header = new Uint8Array(TCP_HEADER);
  writeTcpHeader(
    viewOf(header),
    0,
    fields.sourcePort,
    fields.destinationPort,
    fields.sequence ?? 0,
    fields.acknowledgment ?? 0,
    headerLength,
    fields.flags | ((fields.reserved ?? 0) << 9),
    fields.rawWindow ?? 65535,
    fields.checksum ?? 0,
    fields.urgentPointer ?? 0,
  );
  const segment = concatBytes(header, options, payload);
  if (fields.checksum === undefined && source !== undefined && destination !== undefined) {
    setTransportChecksum(segment, TCP_CHECKSUM, PROTOCOL_TCP, source, destination);
  }
  return segment;
}
