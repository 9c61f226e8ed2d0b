/** What a response says to a question: CNAMEs followed, and how long it may be kept. */
import { DNS_CNAME, DNS_NOERROR, DNS_NXDOMAIN, DNS_SOA } from "../wire/dns-constants.ts";
import { sameName } from "../wire/dns-name.ts";
import type { DnsMessage, DnsRecord } from "../wire/dns-types.ts";
import type { DnsAnswer } from "./dns-cache.ts";

/** A chain longer than this is a loop or a joke. */
export const MAX_CNAMES = 16;

export interface ReadAnswer {
  readonly answer: DnsAnswer;
  /** Seconds it may be kept; 0: not. */
  readonly ttlS: number;
  /** The chain ends in a name of which this response says nothing: ask for that. */
  readonly unfinished: boolean;
}

/** Reads what a response (NOERROR or NXDOMAIN) says of `name`. */
export function readAnswer(message: DnsMessage, name: string, type: number): ReadAnswer {
  const chain: DnsRecord[] = [];
  let owner = name;
  let ttlS = Number.POSITIVE_INFINITY;
  for (;;) {
    const here = message.answers.filter((record) => sameName(record.name, owner));
    const found = here.filter((record) => record.type === type && record.data.kind !== "raw");
    if (found.length > 0) {
      for (const record of found) ttlS = Math.min(ttlS, usableTtl(record.ttl));
      const records = [...chain, ...found];
      return { answer: { kind: "records", records, owner }, ttlS, unfinished: false };
    }
    const alias = here.find((record) => record.type === DNS_CNAME && record.data.kind === "name");
    if (alias === undefined || alias.data.kind !== "name" || chain.length >= MAX_CNAMES) break;
    chain.push(alias);
    ttlS = Math.min(ttlS, usableTtl(alias.ttl));
    owner = alias.data.name;
  }
  const soa = message.authorities.find((record) => record.type === DNS_SOA);
  const missing = message.rcode === DNS_NXDOMAIN;
  const unfinished =
    chain.length > 0 &&
    chain.length < MAX_CNAMES &&
    message.rcode === DNS_NOERROR &&
    soa === undefined;
  // RFC 2308 §5: kept as long as the SOA says, its TTL or its minimum; without one not at all.
  const negativeS =
    soa !== undefined && soa.data.kind === "soa"
      ? Math.min(usableTtl(soa.ttl), usableTtl(soa.data.minimumS), ttlS)
      : 0;
  return {
    answer: { kind: missing ? "nxdomain" : "nodata", records: chain, owner },
    // RFC 2308 §2.1: behind CNAMEs it is the last name that does not exist, not the one asked for.
    ttlS: missing && chain.length > 0 ? 0 : negativeS,
    unfinished,
  };
}

/** A TTL with the top bit set counts as 0 (RFC 2181 §8). */
function usableTtl(ttl: number): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}
