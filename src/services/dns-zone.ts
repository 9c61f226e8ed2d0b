/** A zone's records, and what an authoritative server says of them (RFC 1034 §4.3.2, RFC 2308). */
import { type IpAddress, parseAddress } from "../base/address.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_ANY,
  DNS_BADVERS,
  DNS_CNAME,
  DNS_FORMERR,
  DNS_HEADER,
  DNS_IN,
  DNS_MX,
  DNS_NOTIMP,
  DNS_NS,
  DNS_NXDOMAIN,
  DNS_PTR,
  DNS_REFUSED,
  DNS_SOA,
  DNS_SRV,
  DNS_TXT,
} from "../wire/dns-constants.ts";
import { decodeDns, dnsReply, edns, optRecord } from "../wire/dns.ts";
import { encodeDns } from "../wire/dns-encode.ts";
import { foldName, isValidName } from "../wire/dns-name.ts";
import type { DnsData, DnsMessage, DnsRecord } from "../wire/dns-types.ts";
import { MAX_CNAMES } from "./dns-answer.ts";
import { badName } from "./dns-error.ts";
import { EDNS_UDP_SIZE } from "./dns-exchange.ts";
import { reverseName } from "./dns-names.ts";

/** UDP payload of who says nothing of EDNS (RFC 1035 §2.3.4). */
const PLAIN_UDP_SIZE = 512;
const DEFAULT_TTL_S = 300;
/** Seconds that "there is none" may be kept. */
const NEGATIVE_TTL_S = 60;

const TYPES = {
  A: DNS_A,
  AAAA: DNS_AAAA,
  CNAME: DNS_CNAME,
  NS: DNS_NS,
  PTR: DNS_PTR,
  MX: DNS_MX,
  SRV: DNS_SRV,
  TXT: DNS_TXT,
} as const;

/** Names in a zone. `name` is relative to the zone: "www", or "@" for the zone itself, or complete with a final dot. */
export type ZoneEntry = { readonly name: string; readonly ttl?: number } & (
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "CNAME" | "NS" | "PTR"; readonly target: string }
  | { readonly type: "MX"; readonly preference: number; readonly target: string }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: "TXT"; readonly strings: readonly Uint8Array[] }
);

export class DnsZone {
  readonly origin: string;
  private readonly soa: DnsRecord;
  private readonly records = new Map<string, DnsRecord[]>();
  /** Names that exist, also those that only have names below them (RFC 8020). */
  private readonly existing = new Set<string>();

  /** `origin` is the zone's name: "lan", "." for everything. */
  constructor(origin: string, entries: readonly ZoneEntry[] = [], serial = 1) {
    if (!isValidName(origin)) throw badName(origin);
    this.origin = foldName(origin);
    this.soa = {
      name: this.origin,
      type: DNS_SOA,
      class: DNS_IN,
      ttl: NEGATIVE_TTL_S,
      data: {
        kind: "soa",
        primary: this.under("ns"),
        mailbox: this.under("hostmaster"),
        serial,
        refreshS: 3600,
        retryS: 600,
        expireS: 86_400,
        minimumS: NEGATIVE_TTL_S,
      },
    };
    this.existing.add(this.origin);
    this.insert(this.soa);
    for (const entry of entries) this.add(entry);
  }

  private under(label: string): string {
    return this.origin === "." ? label : `${label}.${this.origin}`;
  }

  private complete(name: string): string {
    if (name === "@") return this.origin;
    if (name.endsWith(".") && name !== ".") return name.slice(0, -1);
    return this.under(name);
  }

  /** Adds a record. Throws when the name is none or lies outside the zone. */
  add(entry: ZoneEntry): void {
    const name = this.complete(entry.name);
    if (!isValidName(name)) throw badName(name);
    if (!this.covers(name)) throw new RangeError(`${name} lies outside of the zone ${this.origin}`);
    this.insert({
      name,
      type: TYPES[entry.type],
      class: DNS_IN,
      ttl: entry.ttl ?? DEFAULT_TTL_S,
      data: this.dataOf(entry),
    });
  }

  private dataOf(entry: ZoneEntry): DnsData {
    switch (entry.type) {
      case "A":
      case "AAAA": {
        const address = parseAddress(entry.address);
        if (address.isIpv4 !== (entry.type === "A")) {
          throw new RangeError(`${entry.address} does not fit an ${entry.type} record`);
        }
        return { kind: "address", address };
      }
      case "MX":
        return { kind: "mx", preference: entry.preference, exchange: this.complete(entry.target) };
      case "SRV": {
        const { priority, weight, port } = entry;
        return { kind: "srv", priority, weight, port, target: this.complete(entry.target) };
      }
      case "TXT":
        return { kind: "txt", strings: [...entry.strings] };
      default:
        return { kind: "name", name: this.complete(entry.target) };
    }
  }

  private insert(record: DnsRecord): void {
    const key = foldName(record.name);
    const list = this.records.get(key);
    if (list === undefined) this.records.set(key, [record]);
    else list.push(record);
    // Each dot leads to a name above, up to the zone; an escaped dot only adds one nobody asks for.
    for (let at = key; at !== this.origin && at !== ""; ) {
      this.existing.add(at);
      const dot = at.indexOf(".");
      at = dot < 0 ? "" : at.slice(dot + 1);
    }
  }

  /** Whether the zone is the one to ask for this name. */
  covers(name: string): boolean {
    const folded = foldName(name);
    return this.origin === "." || folded === this.origin || folded.endsWith(`.${this.origin}`);
  }

  /** Fills in what the zone says of the reply's question. */
  answer(reply: DnsMessage, name: string, type: number): void {
    reply.authoritative = true;
    let at = name;
    for (let hops = 0; hops <= MAX_CNAMES; hops++) {
      const here = this.records.get(foldName(at));
      if (here === undefined) {
        if (!this.existing.has(foldName(at))) {
          // RFC 6604 §2: the code is that of the last name of the chain.
          reply.rcode = DNS_NXDOMAIN;
        }
        reply.authorities.push(this.soa);
        return;
      }
      // RFC 8482 §4.1: one type is enough for ANY.
      const wanted = type === DNS_ANY ? here[0].type : type;
      const found = here.filter((record) => record.type === wanted);
      if (found.length > 0) {
        reply.answers.push(...found);
        this.addGlue(reply, found);
        return;
      }
      const alias = here.find((record) => record.type === DNS_CNAME);
      if (alias === undefined || alias.data.kind !== "name") {
        reply.authorities.push(this.soa);
        return;
      }
      reply.answers.push(alias);
      at = alias.data.name;
      if (!this.covers(at)) return; // the asker goes on from here
    }
  }

  /** Addresses of what the records point to, so that it need not be asked for (RFC 1035 §3.3). */
  private addGlue(reply: DnsMessage, found: readonly DnsRecord[]): void {
    for (const { type, data } of found) {
      if (type === DNS_PTR || type === DNS_CNAME) continue;
      const target =
        data.kind === "srv"
          ? data.target
          : data.kind === "mx"
            ? data.exchange
            : data.kind === "name"
              ? data.name
              : undefined;
      if (target === undefined) continue;
      for (const record of this.records.get(foldName(target)) ?? []) {
        const known = reply.additionals.includes(record) || reply.answers.includes(record);
        if (!known && (record.type === DNS_A || record.type === DNS_AAAA)) {
          reply.additionals.push(record);
        }
      }
    }
  }
}

/** The zones with the PTR records of these names: one for IPv4, one for IPv6, whole trees each. */
export function reverseZones(
  hosts: readonly { readonly name: string; readonly address: IpAddress }[],
): DnsZone[] {
  const ipv4 = new DnsZone("in-addr.arpa");
  const ipv6 = new DnsZone("ip6.arpa");
  for (const { name, address } of hosts) {
    (address.isIpv4 ? ipv4 : ipv6).add({
      name: `${reverseName(address)}.`,
      type: "PTR",
      target: `${foldName(name)}.`,
    });
  }
  return [ipv4, ipv6];
}

/**
 * The response to a query as it came in; undefined when none is due (it is no
 * query, or not even a header). Over UDP it fits what the asker takes.
 */
export function respond(
  zones: readonly DnsZone[],
  bytes: Uint8Array,
  overUdp: boolean,
): Uint8Array | undefined {
  if (bytes.length < DNS_HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if ((view.getUint16(2) & 0x8000) !== 0) return undefined; // never answer an answer
  const query = decodeDns(view, 0, bytes.length);
  if (query === undefined || query.incomplete) return headerOnly(view, DNS_FORMERR);
  const asked = edns(query);
  const reply = dnsReply(query);
  let extended = 0;
  if (asked !== undefined && asked.version > 0) {
    extended = DNS_BADVERS;
    reply.rcode = DNS_BADVERS & 15;
  } else if (query.opcode !== 0) {
    reply.rcode = DNS_NOTIMP;
  } else if (query.questions.length !== 1) {
    reply.rcode = DNS_FORMERR;
  } else {
    fill(zones, reply);
  }
  if (asked !== undefined) {
    // RFC 6891 §6.1.1: OPT is answered with OPT.
    reply.additionals.push(optRecord(EDNS_UDP_SIZE, extended === 0 ? reply.rcode : extended));
  }
  const limit = asked === undefined ? PLAIN_UDP_SIZE : Math.max(PLAIN_UDP_SIZE, asked.udpSize);
  return encodeDns(reply, overUdp ? Math.min(limit, EDNS_UDP_SIZE) : 0xffff);
}

function fill(zones: readonly DnsZone[], reply: DnsMessage): void {
  const [question] = reply.questions;
  // The closest zone above the name: the one with the longest origin.
  let zone: DnsZone | undefined;
  for (const candidate of zones) {
    if (!candidate.covers(question.name)) continue;
    if (zone === undefined || candidate.origin.length > zone.origin.length) zone = candidate;
  }
  if (zone === undefined || question.class !== DNS_IN) {
    reply.rcode = DNS_REFUSED;
  } else {
    zone.answer(reply, question.name, question.type);
  }
}

/** To a query that cannot be read: its id and a code. */
function headerOnly(view: DataView, rcode: number): Uint8Array {
  const bytes = new Uint8Array(DNS_HEADER);
  const reply = new DataView(bytes.buffer);
  reply.setUint16(0, view.getUint16(0));
  // Opcode and "recursion desired" are repeated.
  reply.setUint16(2, 0x8000 | (view.getUint16(2) & 0x7900) | rcode);
  return bytes;
}
