/** UDP headers (RFC 768), read and written in place. */
import { BAD_LENGTH, BAD_TRUNCATED, OK } from "./verdict.ts";

export const UDP_HEADER = 8;
export const UDP_LENGTH = 4;
export const UDP_CHECKSUM = 6;

export function udpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at);
}
export function udpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
/** Header and payload, bytes. */
export function udpLength(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
/** 0: the sender computed none, which only IPv4 allows. */
export function udpChecksum(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

/** OK or the reason to drop. `length` is the IP payload; a shorter UDP length is legal. */
export function validateUdp(view: DataView, at: number, length: number): number {
  if (length < UDP_HEADER) return BAD_TRUNCATED;
  const stated = view.getUint16(at + 4);
  if (stated < UDP_HEADER) return BAD_LENGTH;
  return stated > length ? BAD_TRUNCATED : OK;
}

/** Writes the 8 bytes; `length` counts the header too. */
export function writeUdpHeader(
  view: DataView,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
  checksum: number,
): void {
  view.setInt32(at, (sourcePort << 16) | destinationPort);
  view.setInt32(at + 4, (length << 16) | checksum);
}
