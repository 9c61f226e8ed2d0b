/** The TCP and UDP part of a line. */
import type { IpAddress } from "../base/address.ts";
import { decodeDns } from "./dns.ts";
import { describeDns } from "./description-dns.ts";
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, tcpSequenceLength, URG } from "./tcp.ts";
import { decodeTcp } from "./tcp-fields.ts";
import { describeTcpOptions } from "./tcp-options-fields.ts";
import { UDP_HEADER } from "./udp.ts";
import { decodeUdp } from "./udp-fields.ts";

/** What stands before the colon. */
export interface Endpoints {
  /** "IP" or "IP6", with its notes. */
  family: string;
  source: IpAddress;
  destination: IpAddress;
}

const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [FIN, "F"],
  [SYN, "S"],
  [RST, "R"],
  [PSH, "P"],
  [ACK, "."],
  [URG, "U"],
  [ECE, "E"],
  [CWR, "W"],
  [AE, "e"],
];

/** "S.", "P.", "none" */
export function describeTcpFlags(flags: number): string {
  let text = "";
  for (const [flag, letter] of FLAG_LETTERS) if ((flags & flag) !== 0) text += letter;
  return text === "" ? "none" : text;
}

/** `present` bytes are there of `stated`. Sequence numbers are absolute. */
export function describeTcp(
  view: DataView,
  at: number,
  present: number,
  stated: number,
  ends: Endpoints,
): string {
  const { family, source, destination } = ends;
  const tcp = decodeTcp(view, at, present);
  if (tcp === undefined) return `${family} ${source} > ${destination}: [|tcp] length ${stated}`;
  const length = stated - tcp.headerLength;
  const parts = [`Flags [${describeTcpFlags(tcp.flags)}]`];
  const first = tcp.sequence >>> 0;
  // tcpdump leaves the number out of a bare ACK; a range counts payload, not SYN and FIN.
  if (length > 0) parts.push(`seq ${first}:${(first + length) >>> 0}`);
  else if (tcpSequenceLength(tcp.flags, 0) > 0 || (tcp.flags & RST) !== 0) {
    parts.push(`seq ${first}`);
  }
  if ((tcp.flags & ACK) !== 0) parts.push(`ack ${tcp.acknowledgment >>> 0}`);
  parts.push(`win ${tcp.rawWindow}`);
  if ((tcp.flags & URG) !== 0) parts.push(`urg ${tcp.urgentPointer}`);
  if (tcp.options.length > 0) parts.push(`options [${describeTcpOptions(tcp.options)}]`);
  parts.push(`length ${length}`);
  return `${family} ${source}.${tcp.sourcePort} > ${destination}.${tcp.destinationPort}: ${parts.join(", ")}`;
}

const DNS_PORT = 53;
const MDNS_PORT = 5353;

export function describeUdp(view: DataView, at: number, present: number, ends: Endpoints): string {
  const { family, source, destination } = ends;
  const udp = decodeUdp(view, at, present);
  if (udp === undefined) return `${family} ${source} > ${destination}: [|udp] length ${present}`;
  const { sourcePort, destinationPort } = udp;
  const head = `${family} ${source}.${sourcePort} > ${destination}.${destinationPort}:`;
  if (udp.length < UDP_HEADER) return `${head} UDP, bad length ${udp.length}`;
  const payload = Math.min(present, udp.length) - UDP_HEADER;
  const isDns = [DNS_PORT, MDNS_PORT].some((p) => sourcePort === p || destinationPort === p);
  const dns = isDns ? decodeDns(view, at + UDP_HEADER, payload) : undefined;
  if (dns !== undefined) return `${head} ${describeDns(dns)} (${udp.length - UDP_HEADER})`;
  return `${head} UDP, length ${udp.length - UDP_HEADER}`;
}
