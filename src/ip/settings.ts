import { LINK_DEFAULTS, type LinkSettings } from "../link/settings.ts";

/** How new addresses are checked for being in use elsewhere. */
export type DuplicateAddressDetection = "off" | "optimistic" | "strict";

/** Settings of everything at and below IP. Times in microseconds. */
export interface IpSettings extends LinkSettings {
  /** IPv6 at all: link-local addresses, neighbor discovery, MLD. */
  readonly ipv6: boolean;
  /** Be a router: packets for others are passed on. */
  readonly forwarding: boolean;
  /** TTL and hop limit of packets whose transport asks for none (RFC 1700: 64). */
  readonly defaultTtl: number;
  /** TTL of multicast when the transport asks for none (RFC 1112 §6.1: 1). */
  readonly multicastTtl: number;
  /**
   * off: addresses are ours at once and nobody is asked. optimistic: ours at
   * once, and given up when another station turns out to have them. strict:
   * not used until the check is over (RFC 5227 §2.1 some 5 s, RFC 4862 §5.4 1 s).
   */
  readonly duplicateAddressDetection: DuplicateAddressDetection;
  /** Gratuitous ARP when an IPv4 address is added (RFC 5227 §2.3). */
  readonly announceAddresses: boolean;
  /** Report group membership by IGMP and MLD. */
  readonly multicastReports: boolean;
  /** Answer pings; of broadcast and multicast ones only IPv6's (RFC 1122 §3.2.2.6, RFC 4443 §4.2). */
  readonly answerEcho: boolean;
  readonly answerMulticastEcho: boolean;
  /** Accept destinations that are not ours on every interface (a gateway that answers for others). */
  readonly acceptAnyDestination: boolean;
  /** Pairs of addresses whose paths are remembered. */
  readonly pathLimit: number;
  /** How long a path MTU that ICMP reported counts (RFC 1191 §6.3, RFC 8201 §4: 10 min). */
  readonly pathMtuAgeUs: number;
  /** A smaller IPv4 path MTU is not believed; packets go without DF instead (Linux's min_pmtu). */
  readonly minPathMtu: number;
  /** Memory for packets in pieces, bytes of frames held, and how many packets. */
  readonly reassemblyBytes: number;
  readonly reassemblyPackets: number;
  /** Pieces of one packet. */
  readonly reassemblyFragments: number;
  /** RFC 1122 §3.3.2 wants 60 to 120 s, Linux takes 30; RFC 8200 §4.5: 60 s. */
  readonly reassemblyTimeoutIpv4Us: number;
  readonly reassemblyTimeoutIpv6Us: number;
  /** ICMP errors per second, and at once (RFC 4443 §2.4 (f)). */
  readonly icmpRate: number;
  readonly icmpBurst: number;
  /** Packets waiting to be passed on. */
  readonly forwardRing: number;
  /** Routers and prefixes remembered from advertisements, per interface. */
  readonly routerLimit: number;
  readonly slaacAddressLimit: number;
}

export const IP_DEFAULTS: IpSettings = {
  ...LINK_DEFAULTS,
  ipv6: true,
  forwarding: false,
  defaultTtl: 64,
  multicastTtl: 1,
  duplicateAddressDetection: "optimistic",
  announceAddresses: true,
  multicastReports: true,
  answerEcho: true,
  answerMulticastEcho: true,
  acceptAnyDestination: false,
  pathLimit: 65_536,
  pathMtuAgeUs: 600_000_000,
  minPathMtu: 552,
  reassemblyBytes: 4_194_304,
  reassemblyPackets: 256,
  reassemblyFragments: 1024,
  reassemblyTimeoutIpv4Us: 30_000_000,
  reassemblyTimeoutIpv6Us: 60_000_000,
  icmpRate: 1000,
  icmpBurst: 50,
  forwardRing: 1024,
  routerLimit: 16,
  slaacAddressLimit: 16,
};
