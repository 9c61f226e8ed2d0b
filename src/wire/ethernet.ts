/**
 * Ethernet II (RFC 894) and 802.1Q tags, read in place. A MAC address is two integers: high 16
 * bits (0..0xffff) and low 32 (int32).
 */
import { BAD_TRUNCATED, OK } from "./verdict.ts";

export const ETHERNET_DESTINATION = 0;
export const ETHERNET_SOURCE = 6;
export const ETHERNET_TYPE = 12;
export const ETHERNET_HEADER = 14;
export const VLAN_TAG = 4;
/** Shortest frame without its check sequence; shorter ones are padded by hardware. */
export const ETHERNET_MIN_FRAME = 60;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_QINQ = 0x88a8;
export const ETHERTYPE_IPV6 = 0x86dd;

/** First 16 bits of the destination. */
export function ethernetDestinationHigh(view: DataView, at: number): number {
  return view.getUint16(at);
}
/** Last 32 bits of the destination, int32. */
export function ethernetDestinationLow(view: DataView, at: number): number {
  return view.getInt32(at + 2);
}
export function ethernetSourceHigh(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
export function ethernetSourceLow(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}

/** The type field right after the addresses: of a tagged frame, the tag's. */
export function ethernetType(view: DataView, at: number): number {
  return view.getUint16(at + 12);
}

/**
 * Length of the header with up to two VLAN tags; the payload's type is the two bytes before its
 * end. 0 if the frame is too short.
 */
export function ethernetHeaderLength(view: DataView, at: number, length: number): number {
  let header = ETHERNET_HEADER;
  for (let tags = 0; tags <= 2; tags++) {
    if (length < header) return 0;
    const type = view.getUint16(at + header - 2);
    if (tags === 2 || (type !== ETHERTYPE_VLAN && type !== ETHERTYPE_QINQ)) break;
    header += VLAN_TAG;
  }
  return header;
}

/** Type of the payload behind a header of `headerLength` bytes. */
export function ethernetPayloadType(view: DataView, at: number, headerLength: number): number {
  return view.getUint16(at + headerLength - 2);
}

/** The 12-bit VLAN of the outermost tag, -1 if untagged. Valid when `length` >= 18. */
export function ethernetVlan(view: DataView, at: number, length: number): number {
  if (length < ETHERNET_HEADER + VLAN_TAG) return -1;
  const type = view.getUint16(at + 12);
  if (type !== ETHERTYPE_VLAN && type !== ETHERTYPE_QINQ) return -1;
  return view.getUint16(at + 14) & 0x0fff;
}

/** OK or the reason to drop. */
export function validateEthernet(view: DataView, at: number, length: number): number {
  return ethernetHeaderLength(view, at, length) === 0 ? BAD_TRUNCATED : OK;
}

/** Writes the 14 bytes of an untagged header. */
export function writeEthernetHeader(
  view: DataView,
  at: number,
  destinationHigh: number,
  destinationLow: number,
  sourceHigh: number,
  sourceLow: number,
  type: number,
): void {
  view.setInt16(at, destinationHigh);
  view.setInt32(at + 2, destinationLow);
  view.setInt16(at + 6, sourceHigh);
  view.setInt32(at + 8, sourceLow);
  view.setInt16(at + 12, type);
}
