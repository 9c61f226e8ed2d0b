/** Ethernet frames and ARP packets as objects, for traces and tests. */
import { type IpAddress, ipv4Address } from "../base/address.ts";
import { MacAddress } from "../base/mac.ts";
import {
  ARP_LENGTH,
  arpOperation,
  arpSenderIp,
  arpSenderMacHigh,
  arpSenderMacLow,
  arpTargetIp,
  arpTargetMacHigh,
  arpTargetMacLow,
  validateArp,
  writeArp,
} from "./arp.ts";
import { concatBytes, viewOf } from "./bytes.ts";
import {
  ETHERNET_HEADER,
  ETHERTYPE_VLAN,
  ethernetDestinationHigh,
  ethernetDestinationLow,
  ethernetHeaderLength,
  ethernetPayloadType,
  ethernetSourceHigh,
  ethernetSourceLow,
  ethernetVlan,
  writeEthernetHeader,
} from "./ethernet.ts";

export interface EthernetHeader {
  destination: MacAddress;
  source: MacAddress;
  /** Type of the payload, behind any tags. */
  type: number;
  /** VLAN of the outermost tag, undefined if untagged. */
  vlan: number | undefined;
  /** Bytes before the payload. */
  headerLength: number;
}

export interface ArpPacket {
  operation: number;
  senderMac: MacAddress;
  senderIp: IpAddress;
  targetMac: MacAddress;
  targetIp: IpAddress;
}

export function decodeEthernet(
  view: DataView,
  at: number,
  length: number,
): EthernetHeader | undefined {
  const headerLength = ethernetHeaderLength(view, at, length);
  if (headerLength === 0) return undefined;
  const vlan = ethernetVlan(view, at, length);
  return {
    destination: new MacAddress(
      ethernetDestinationHigh(view, at),
      ethernetDestinationLow(view, at),
    ),
    source: new MacAddress(ethernetSourceHigh(view, at), ethernetSourceLow(view, at)),
    type: ethernetPayloadType(view, at, headerLength),
    vlan: vlan < 0 ? undefined : vlan,
    headerLength,
  };
}

/** A frame with `payload` behind its header; not padded. */
export function encodeEthernet(
  fields: { destination: MacAddress; source: MacAddress; type: number; vlan?: number },
  payload: Uint8Array,
): Uint8Array {
  const { destination, source, type, vlan } = fields;
  const header = new Uint8Array(vlan === undefined ? ETHERNET_HEADER : ETHERNET_HEADER + 4);
  const view = viewOf(header);
  const first = vlan === undefined ? type : ETHERTYPE_VLAN;
  writeEthernetHeader(view, 0, destination.high, destination.low, source.high, source.low, first);
  if (vlan !== undefined) {
    view.setUint16(14, vlan);
    view.setUint16(16, type);
  }
  return concatBytes(header, payload);
}

/** undefined unless it is ARP for IPv4 over Ethernet. */
export function decodeArp(view: DataView, at: number, length: number): ArpPacket | undefined {
  if (validateArp(view, at, length) !== 0) return undefined;
  return {
    operation: arpOperation(view, at),
    senderMac: new MacAddress(arpSenderMacHigh(view, at), arpSenderMacLow(view, at)),
    senderIp: ipv4Address(arpSenderIp(view, at)),
    targetMac: new MacAddress(arpTargetMacHigh(view, at), arpTargetMacLow(view, at)),
    targetIp: ipv4Address(arpTargetIp(view, at)),
  };
}

export function encodeArp(fields: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  const { operation, senderMac, senderIp, targetMac, targetIp } = fields;
  writeArp(
    viewOf(bytes),
    0,
    operation,
    senderMac.high,
    senderMac.low,
    senderIp.w3,
    targetMac.high,
    targetMac.low,
    targetIp.w3,
  );
  return bytes;
}
