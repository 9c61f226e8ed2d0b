/** ARP for IPv4 over Ethernet (RFC 826), read and written in place. */
import { ETHERTYPE_IPV4 } from "./ethernet.ts";
import { BAD_TRUNCATED, BAD_TYPE, OK } from "./verdict.ts";

export const ARP_LENGTH = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

export function arpOperation(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
export function arpSenderMacHigh(view: DataView, at: number): number {
  return view.getUint16(at + 8);
}
export function arpSenderMacLow(view: DataView, at: number): number {
  return view.getInt32(at + 10);
}
/** Sender's IPv4 address, int32. */
export function arpSenderIp(view: DataView, at: number): number {
  return view.getInt32(at + 14);
}
export function arpTargetMacHigh(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}
export function arpTargetMacLow(view: DataView, at: number): number {
  return view.getInt32(at + 20);
}
export function arpTargetIp(view: DataView, at: number): number {
  return view.getInt32(at + 24);
}

/** OK, or BAD_TRUNCATED, or BAD_TYPE if it is not IPv4 over 48-bit Ethernet. */
export function validateArp(view: DataView, at: number, length: number): number {
  if (length < ARP_LENGTH) return BAD_TRUNCATED;
  // Hardware 6 is IEEE 802, which some hosts say on Ethernet; RFC 1042 lets both be accepted.
  const hardware = view.getUint16(at);
  if (hardware !== 1 && hardware !== 6) return BAD_TYPE;
  if (view.getUint16(at + 2) !== ETHERTYPE_IPV4) return BAD_TYPE;
  return view.getUint16(at + 4) === 0x0604 ? OK : BAD_TYPE;
}

/** Writes the 28 bytes of an ARP packet. */
export function writeArp(
  view: DataView,
  at: number,
  operation: number,
  senderMacHigh: number,
  senderMacLow: number,
  senderIp: number,
  targetMacHigh: number,
  targetMacLow: number,
  targetIp: number,
): void {
  view.setInt16(at, 1);
  view.setInt16(at + 2, ETHERTYPE_IPV4);
  view.setInt16(at + 4, 0x0604);
  view.setInt16(at + 6, operation);
  view.setInt16(at + 8, senderMacHigh);
  view.setInt32(at + 10, senderMacLow);
  view.setInt32(at + 14, senderIp);
  view.setInt16(at + 18, targetMacHigh);
  view.setInt32(at + 20, targetMacLow);
  view.setInt32(at + 24, targetIp);
}
