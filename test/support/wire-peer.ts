/** One host with a bare wire at its port: the test writes and reads frames itself. */
import { IPV4_BROADCAST, type IpAddress, parseAddress } from "../../src/base/address.ts";
import { MAC_BROADCAST, type MacAddress, multicastMac, parseMac } from "../../src/base/mac.ts";
import type { HostConfig } from "../../src/host/config.ts";
import type { Host, InterfaceOptions } from "../../src/host/host.ts";
import type { Interface } from "../../src/host/interface.ts";
import { concatBytes, viewOf } from "../../src/wire/bytes.ts";
import { describe } from "../../src/wire/description.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../../src/wire/ethernet.ts";
import { encodeArp, encodeEthernet } from "../../src/wire/ethernet-fields.ts";
import { encodeIcmpv4, encodeIcmpv6, type IcmpFields } from "../../src/wire/icmp-fields.ts";
import { encodeIp } from "../../src/wire/ip-fields.ts";
import { encodeNdp, type NdpMessage } from "../../src/wire/ndp-fields.ts";
import { Lan, type TestPort } from "./lan.ts";

export const HOST4 = parseAddress("10.0.0.1");
export const PEER4 = parseAddress("10.0.0.2");
export const HOST6 = parseAddress("fd00::1");
export const PEER6 = parseAddress("fd00::2");
export const HOST_MAC = parseMac("02:00:00:00:00:01");
export const PEER_MAC = parseMac("02:00:00:00:00:02");

/** Settings under which a host says nothing by itself. */
export const QUIET: Partial<HostConfig> = {
  duplicateAddressDetection: "off",
  announceAddresses: false,
  multicastReports: false,
};

export class WirePeer {
  readonly lan: Lan;
  readonly host: Host;
  readonly port: TestPort;
  readonly iface: Interface;

  constructor(
    config: Partial<HostConfig> = {},
    options: InterfaceOptions & { medium?: "ethernet" | "ip"; deviceMtu?: number } = {},
  ) {
    this.lan = new Lan();
    this.host = this.lan.host("host", { ...QUIET, ...config });
    this.port = this.lan.port({
      medium: options.medium ?? "ethernet",
      mtu: options.deviceMtu ?? 1500,
    });
    this.lan.join(this.port);
    this.iface = this.host.addInterface(this.port, {
      mac: HOST_MAC,
      addresses: [`${HOST4}/24`, `${HOST6}/64`],
      slaac: false,
      ...options,
    });
    this.lan.run();
  }

  /** Makes the peer a neighbor that needs no asking. */
  knowPeer(): this {
    this.iface.addNeighbor(PEER4, PEER_MAC);
    this.iface.addNeighbor(PEER6, PEER_MAC);
    return this;
  }

  get counters() {
    return this.host.counters;
  }

  /** Lets the host act for a time. */
  run(forUs = 0): this {
    this.lan.run(forUs);
    return this;
  }

  /** The frames sent since the last look, one line each; `match` picks some. */
  lines(match?: string): string[] {
    const lines = this.port.sent.splice(0).map((bytes) => describe(bytes, this.port.medium));
    return match === undefined ? lines : lines.filter((line) => line.includes(match));
  }

  /** The frames sent since the last look. */
  frames(): Uint8Array[] {
    return this.port.sent.splice(0);
  }

  /** The IP packets sent since the last look. */
  packets(): Uint8Array[] {
    return this.frames().map((frame) =>
      this.port.medium === "ethernet" ? frame.slice(14) : frame,
    );
  }

  frame(type: number, payload: Uint8Array, destination: MacAddress = HOST_MAC): this {
    this.port.inject(encodeEthernet({ destination, source: PEER_MAC, type }, payload));
    return this;
  }

  /** Sends a whole IP packet to the host. */
  packet(bytes: Uint8Array, destination: MacAddress = HOST_MAC): this {
    if (this.port.medium === "ip") {
      this.port.inject(bytes);
      return this;
    }
    const type = bytes[0]! >>> 4 === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    return this.frame(type, bytes, destination);
  }

  ip(
    source: IpAddress,
    destination: IpAddress,
    protocol: number,
    payload: Uint8Array,
    ttl = 64,
  ): this {
    const packet = encodeIp({ source, destination, protocol, ttl }, payload);
    const isGroup = destination.isMulticast || destination.equals(IPV4_BROADCAST);
    return this.packet(packet, isGroup ? multicastMac(destination) : HOST_MAC);
  }

  /** An ICMP message of the addresses' family. */
  icmp(fields: IcmpFields, source?: IpAddress, destination?: IpAddress, ttl = 64): this {
    const s = source ?? PEER4;
    const d = destination ?? (s.isIpv4 ? HOST4 : HOST6);
    const isIpv4 = s.isIpv4 && d.isIpv4;
    const message = isIpv4 ? encodeIcmpv4(fields) : encodeIcmpv6(fields, s, d);
    return this.ip(s, d, isIpv4 ? 1 : 58, message, ttl);
  }

  arp(
    operation: number,
    senderIp: string,
    targetIp: string,
    options: { senderMac?: MacAddress; destination?: MacAddress } = {},
  ): this {
    const senderMac = options.senderMac ?? PEER_MAC;
    const payload = encodeArp({
      operation,
      senderMac,
      senderIp: parseAddress(senderIp),
      targetMac: parseMac("00:00:00:00:00:00"),
      targetIp: parseAddress(targetIp),
    });
    return this.frame(ETHERTYPE_ARP, payload, options.destination ?? MAC_BROADCAST);
  }

  /** A neighbor discovery message, hop limit 255 unless said otherwise. */
  ndp(message: NdpMessage, source: IpAddress, destination: IpAddress, hopLimit = 255): this {
    const bytes = encodeNdp(message, source, destination);
    return this.ip(source, destination, 58, bytes, hopLimit);
  }

  end(): void {
    this.lan.end();
  }
}

/** `length` bytes counting up from `first`. */
export function counting(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i + first) & 0xff);
}

/** A UDP datagram without checksum (IPv4) or with one that nobody checks here. */
export function udp(sourcePort: number, destinationPort: number, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(8);
  const view = viewOf(header);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, 8 + payload.length);
  return concatBytes(header, payload);
}
