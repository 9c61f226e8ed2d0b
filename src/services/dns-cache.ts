/** What is known of names, as long as their TTL says (RFC 1035 §7.4, RFC 2308). */
import type { DnsRecord } from "../wire/dns-types.ts";
import { foldName } from "../wire/dns-name.ts";

/** What a question came to. `records` holds the CNAMEs on the way, then the records asked for. */
export interface DnsAnswer {
  readonly kind: "records" | "nodata" | "nxdomain";
  readonly records: readonly DnsRecord[];
  /** Where the CNAMEs led; the name itself without any. */
  readonly owner: string;
}

/** Longest a record is kept, whatever its TTL: RFC 8767 §4 suggests days; a day bounds an error. */
export const MAX_TTL_S = 86_400;
/** Longest that "there is none" is kept (RFC 2308 §5: one to three hours work well). */
export const MAX_NEGATIVE_TTL_S = 3 * 3600;
export const DEFAULT_CACHE_ENTRIES = 1000;

interface Entry {
  readonly answer: DnsAnswer;
  readonly storedUs: number;
  readonly expiresUs: number;
}

export class DnsCache {
  /** In order of last use: the first is dropped when it is full. */
  private readonly entries = new Map<string, Entry>();
  private readonly limit: number;

  constructor(limit: number = DEFAULT_CACHE_ENTRIES) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.size;
  }

  /** What is known now, the TTLs counted down; undefined: ask. */
  get(name: string, type: number, nowUs: number): DnsAnswer | undefined {
    // A name that does not exist has no records of any type (RFC 2308 §5).
    return this.find(key(name, 0), nowUs) ?? this.find(key(name, type), nowUs);
  }

  private find(id: string, nowUs: number): DnsAnswer | undefined {
    const entry = this.entries.get(id);
    if (entry === undefined) return undefined;
    this.entries.delete(id);
    if (nowUs >= entry.expiresUs) return undefined;
    this.entries.set(id, entry);
    const ageS = Math.floor((nowUs - entry.storedUs) / 1e6);
    if (ageS === 0) return entry.answer;
    const records = entry.answer.records.map((record) => ({
      ...record,
      ttl: Math.max(0, record.ttl - ageS),
    }));
    return { ...entry.answer, records };
  }

  /** Keeps an answer for `ttlS` seconds; 0 is for this one use only (RFC 1035 §3.2.1). */
  put(name: string, type: number, answer: DnsAnswer, ttlS: number, nowUs: number): void {
    const keptS = Math.min(ttlS, answer.kind === "records" ? MAX_TTL_S : MAX_NEGATIVE_TTL_S);
    if (keptS <= 0 || this.limit <= 0) return;
    const id = key(name, answer.kind === "nxdomain" ? 0 : type);
    this.entries.delete(id);
    while (this.entries.size >= this.limit) {
      const oldest = this.entries.keys().next();
      if (oldest.done === true) break;
      this.entries.delete(oldest.value);
    }
    this.entries.set(id, { answer, storedUs: nowUs, expiresUs: nowUs + keptS * 1e6 });
  }

  clear(): void {
    this.entries.clear();
  }
}

function key(name: string, type: number): string {
  return `${foldName(name)} ${type}`;
}
