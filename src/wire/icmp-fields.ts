/** ICMP and ICMPv6 messages as objects, for traces and tests. */
import type { IpAddress } from "../base/address.ts";
import { copyBytes, viewOf } from "./bytes.ts";
import { checksumOf, sumBytes } from "./checksum.ts";
import { ICMP_CHECKSUM, ICMP_HEADER } from "./icmpv4.ts";
import { ICMPV6_CHECKSUM } from "./icmpv6.ts";
import { PROTOCOL_ICMPV6 } from "./protocol.ts";
import { setTransportChecksum } from "./transport-sum.ts";

/** Either family: they share their first eight bytes. */
export interface IcmpMessage {
  type: number;
  code: number;
  checksum: number;
  /** Bytes 4 to 7, int32: id and sequence, MTU or pointer. */
  rest: number;
  /** From byte 8: echo data, or the packet an error quotes. */
  body: Uint8Array;
}

export interface IcmpFields {
  type: number;
  code?: number;
  /** Bytes 4 to 7; for an echo, id << 16 | sequence. */
  rest?: number;
  body?: Uint8Array;
  /** The right one. */
  checksum?: number;
}

export function decodeIcmp(view: DataView, at: number, length: number): IcmpMessage | undefined {
  if (length < ICMP_HEADER) return undefined;
  return {
    type: view.getUint8(at),
    code: view.getUint8(at + 1),
    checksum: view.getUint16(at + 2),
    rest: view.getInt32(at + 4),
    body: copyBytes(view, at + ICMP_HEADER, length - ICMP_HEADER),
  };
}

export function encodeIcmpv4(fields: IcmpFields): Uint8Array {
  const message = withoutChecksum(fields);
  const view = viewOf(message);
  const checksum = fields.checksum ?? checksumOf(sumBytes(view, 0, message.length));
  view.setUint16(ICMP_CHECKSUM, checksum);
  return message;
}

export function encodeIcmpv6(
  fields: IcmpFields,
  source: IpAddress,
  destination: IpAddress,
): Uint8Array {
  const message = withoutChecksum(fields);
  if (fields.checksum === undefined) {
    setTransportChecksum(message, ICMPV6_CHECKSUM, PROTOCOL_ICMPV6, source, destination);
  } else viewOf(message).setUint16(ICMPV6_CHECKSUM, fields.checksum);
  return message;
}

function withoutChecksum(fields: IcmpFields): Uint8Array {
  const body = fields.body ?? new Uint8Array(0);
  const message = new Uint8Array(ICMP_HEADER + body.length);
  message[0] = fields.type;
  message[1] = fields.code ?? 0;
  viewOf(message).setInt32(4, fields.rest ?? 0);
  message.set(body, ICMP_HEADER);
  return message;
}
