/** Checksums of whole transport messages, for builders and checks that are not on the hot path. */
import type { IpAddress } from "../base/address.ts";
import { viewOf } from "./bytes.ts";
import { checksumOf, pseudoSumWords, sumBytes } from "./checksum.ts";

/** Writes the checksum over a transport message (its field holds 0) and its pseudo-header. */
export function setTransportChecksum(
  message: Uint8Array,
  fieldAt: number,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
): void {
  viewOf(message).setUint16(
    fieldAt,
    checksumOf(transportSum(message, protocol, source, destination)),
  );
}

/** Sum of a transport message and its pseudo-header; 0xffff if its checksum is right. */
export function transportSum(
  message: Uint8Array,
  protocol: number,
  s: IpAddress,
  d: IpAddress,
): number {
  const length = message.length;
  return sumBytes(
    viewOf(message),
    0,
    length,
    pseudoSumWords(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, protocol, length),
  );
}
