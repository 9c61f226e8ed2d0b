/**
 * TCP headers (RFC 9293 §3.1), read and written in place. Sequence and acknowledgment numbers are
 * int32 (base/sequence.ts).
 */
import { BAD_HEADER_LENGTH, BAD_TRUNCATED, OK } from "./verdict.ts";

export const TCP_HEADER = 20;
export const TCP_MAX_HEADER = 60;
export const TCP_SEQUENCE = 4;
export const TCP_ACKNOWLEDGMENT = 8;
export const TCP_OFFSET_FLAGS = 12;
export const TCP_WINDOW = 14;
export const TCP_CHECKSUM = 16;
export const TCP_URGENT = 18;

export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
/** ECN echo (RFC 3168 §6.1). */
export const ECE = 0x040;
/** Congestion window reduced. */
export const CWR = 0x080;
/** Accurate ECN, the former nonce bit (RFC 9768 §3.1). */
export const AE = 0x100;

export function tcpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at);
}
export function tcpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
/** Both ports in one int32, source first: a key for tables. */
export function tcpPorts(view: DataView, at: number): number {
  return view.getInt32(at);
}
export function tcpSequence(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
export function tcpAcknowledgment(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}
/** Bytes, 0 to 60; sane only after validateTcp. */
export function tcpHeaderLength(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2;
}
/** FIN to AE. */
export function tcpFlags(view: DataView, at: number): number {
  return view.getUint16(at + 12) & 0x1ff;
}
/** The three bits between the data offset and AE, sent as zero. */
export function tcpReserved(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 1) & 7;
}
/** As on the wire, unscaled. */
export function tcpRawWindow(view: DataView, at: number): number {
  return view.getUint16(at + 14);
}
export function tcpChecksum(view: DataView, at: number): number {
  return view.getUint16(at + 16);
}
export function tcpUrgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}

/** OK or the reason to drop. The checksum is the caller's: it sums payload too. */
export function validateTcp(view: DataView, at: number, length: number): number {
  if (length < TCP_HEADER) return BAD_TRUNCATED;
  const header = (view.getUint8(at + 12) >>> 4) << 2;
  return header < TCP_HEADER || header > length ? BAD_HEADER_LENGTH : OK;
}

/** Length in sequence space (RFC 9293 §3.4): payload, and one each for SYN and FIN. */
export function tcpSequenceLength(flags: number, payloadLength: number): number {
  return payloadLength + (flags & 1) + ((flags >>> 1) & 1);
}

/** Writes the 20 fixed bytes; the checksum field gets `checksum`. */
export function writeTcpHeader(
  view: DataView,
  at: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  headerLength: number,
  flags: number,
  rawWindow: number,
  checksum: number,
  urgentPointer: number,
): void {
  view.setInt32(at, (sourcePort << 16) | destinationPort);
  view.setInt32(at + 4, sequence);
  view.setInt32(at + 8, acknowledgment);
  view.setInt32(at + 12, (headerLength << 26) | (flags << 16) | rawWindow);
  view.setInt32(at + 16, (checksum << 16) | urgentPointer);
}
