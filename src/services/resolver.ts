/** The host's resolver: names to addresses and other records, cached by TTL. */
import { type IpAddress, parseAddress, tryParseAddress } from "../base/address.ts";
import type { RandomSource } from "../base/random.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_ANY,
  DNS_CNAME,
  DNS_MX,
  DNS_NXDOMAIN,
  DNS_PTR,
  DNS_SRV,
  DNS_TXT,
} from "../wire/dns-constants.ts";
import type { AbortSignalLike } from "../sockets/waiting.ts";
import { foldName, isValidName, sameName } from "../wire/dns-name.ts";
import type { DnsData, DnsRecord } from "../wire/dns-types.ts";
import { MAX_CNAMES, readAnswer } from "./dns-answer.ts";
import { type DnsAnswer, DnsCache } from "./dns-cache.ts";
import { badName, DnsError, noData, notFound, timedOut } from "./dns-error.ts";
import { DNS_PORT, DnsExchange, type DnsTransport, type Nameserver } from "./dns-exchange.ts";
import { candidates, type HostsEntries, HostsTable, reverseName } from "./dns-names.ts";
import { interleaveFamilies } from "./happy-eyeballs.ts";

export interface ResolverOptions {
  /** Addresses of nameservers, "10.0.0.1" or with a port. Asked in this order. */
  readonly nameservers?: readonly (string | { readonly address: string; readonly port?: number })[];
  /** Names known without asking, as in /etc/hosts. */
  readonly hosts?: HostsEntries;
  /** Suffixes tried for names with fewer dots than `ndots`. */
  readonly search?: readonly string[];
  /** Dots a name must have to be asked for as it is first. Default 1. */
  readonly ndots?: number;
  /** Wait for an answer, ms; doubled with each round. Default 2000. */
  readonly timeoutMs?: number;
  /** Rounds through the nameservers. Default 3. */
  readonly attempts?: number;
  /** Answers kept. Default 1000; 0: none. */
  readonly cacheEntries?: number;
  /** False: questions go without the OPT record of EDNS. Default true. */
  readonly edns?: boolean;
}

export const DEFAULT_TIMEOUT_MS = 2000;
export const DEFAULT_ATTEMPTS = 3;
export const DEFAULT_NDOTS = 1;

export interface ResolverEnvironment {
  readonly transport: DnsTransport;
  readonly random: RandomSource;
  /** Microseconds of the network's clock. */
  now(): number;
  /** Calls back once after so many microseconds of that clock; answers how to cancel it. */
  after(delayUs: number, callback: () => void): () => void;
}

export interface LookupOptions {
  /** 4 or 6: addresses of this family only. */
  readonly family?: 0 | 4 | 6;
  /** Ends the waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
  /** Milliseconds for the whole lookup; then it rejects with ETIMEOUT. Default: as the servers' timeouts add up. */
  readonly timeout?: number;
}

export type SrvData = Extract<DnsData, { kind: "srv" }>;
export type MxData = Extract<DnsData, { kind: "mx" }>;

export class Resolver {
  readonly cache: DnsCache;
  private readonly env: ResolverEnvironment;
  private readonly exchange: DnsExchange;
  /** Questions under way, so that equal ones are asked once. */
  private readonly pending = new Map<string, Promise<DnsAnswer>>();
  private hosts: HostsTable;
  private nameservers: readonly Nameserver[];
  private search: readonly string[];
  private ndots: number;
  private timeoutMs: number;
  private attempts: number;
  private readonly edns: boolean;

  constructor(env: ResolverEnvironment, options: ResolverOptions = {}) {
    this.env = env;
    this.exchange = new DnsExchange(env.transport, env.random);
    this.cache = new DnsCache(options.cacheEntries);
    this.hosts = new HostsTable(options.hosts);
    this.nameservers = (options.nameservers ?? []).map(nameserver);
    this.search = options.search ?? [];
    this.ndots = options.ndots ?? DEFAULT_NDOTS;
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.attempts = options.attempts ?? DEFAULT_ATTEMPTS;
    this.edns = options.edns ?? true;
  }

  /** Changes what is given; the cache is emptied. */
  configure(options: Omit<ResolverOptions, "cacheEntries">): void {
    if (options.hosts !== undefined) this.hosts = new HostsTable(options.hosts);
    if (options.nameservers !== undefined) {
      this.nameservers = options.nameservers.map(nameserver);
    }
    this.search = options.search ?? this.search;
    this.ndots = options.ndots ?? this.ndots;
    this.timeoutMs = options.timeoutMs ?? this.timeoutMs;
    this.attempts = options.attempts ?? this.attempts;
    this.cache.clear();
  }

  /**
   * Addresses of a name, families alternating, IPv6 first (RFC 8305 §4); of an
   * address, itself. Rejects with DnsError. A lookup that its caller gave up
   * goes on for the cache.
   */
  lookup(name: string, options: LookupOptions = {}): Promise<IpAddress[]> {
    const { signal, timeout } = options;
    const found = this.lookupAll(name, options);
    if (signal === undefined && timeout === undefined) return found;
    return new Promise((resolve, reject) => {
      const cancelTimer =
        timeout === undefined
          ? undefined
          : this.env.after(timeout * 1000, () => settle(() => reject(timedOut(name))));
      const abort = () => settle(() => reject(signal?.reason));
      const settle = (how: () => void) => {
        cancelTimer?.();
        signal?.removeEventListener("abort", abort);
        how();
      };
      signal?.addEventListener("abort", abort);
      found.then(
        (addresses) => settle(() => resolve(addresses)),
        (error: unknown) => settle(() => reject(error)),
      );
      if (signal?.aborted === true) abort();
    });
  }

  private async lookupAll(name: string, options: LookupOptions): Promise<IpAddress[]> {
    const family = options.family ?? 0;
    const wanted = (address: IpAddress) => family === 0 || (family === 4) === address.isIpv4;
    const literal = tryParseAddress(name);
    if (literal !== undefined) {
      if (wanted(literal)) return [literal];
      throw noData(name, family === 4 ? DNS_A : DNS_AAAA);
    }
    this.check(name);
    const known = this.hosts.addresses(name)?.filter(wanted);
    if (known !== undefined && known.length > 0) return interleaveFamilies(known);
    const types = family === 0 ? [DNS_AAAA, DNS_A] : [family === 4 ? DNS_A : DNS_AAAA];
    return this.trySearched(name, types[0], async (full) => {
      const results = await Promise.allSettled(types.map((type) => this.query(full, type)));
      const addresses = results.flatMap((result) =>
        result.status === "fulfilled" ? addressesIn(result.value.records) : [],
      );
      if (addresses.length > 0) return interleaveFamilies(addresses);
      for (const result of results) {
        // One family's failure must not pass for "there is none".
        if (result.status === "rejected") throw result.reason;
      }
      const [first] = results;
      return first.status === "fulfilled" ? first.value.kind : "nodata";
    });
  }

  /**
   * Records of a type, those of CNAMEs on the way left out. The search list
   * applies. Rejects with DnsError: ENOTFOUND, ENODATA, ETIMEOUT, ...
   */
  async resolve(name: string, type: number): Promise<DnsRecord[]> {
    this.check(name);
    if (type === DNS_A || type === DNS_AAAA) {
      const known = this.hosts
        .addresses(name)
        ?.filter((address) => address.isIpv4 === (type === DNS_A));
      if (known !== undefined && known.length > 0) {
        return known.map((address) => ({
          name,
          type,
          class: 1,
          ttl: 0,
          data: { kind: "address", address },
        }));
      }
    }
    return this.trySearched(name, type, async (full) => {
      const answer = await this.query(full, type);
      if (answer.kind !== "records") return answer.kind;
      return answer.records.filter((record) => record.type === type);
    });
  }

  /** What a server tells of a name when it is asked for anything; many tell next to nothing (RFC 8482). */
  async resolveAny(name: string): Promise<DnsRecord[]> {
    this.check(name);
    const response = await this.ask(name, DNS_ANY);
    const records = response.answers.filter((record) => sameName(record.name, name));
    if (records.length > 0) return records;
    throw response.rcode === DNS_NXDOMAIN ? notFound(name) : noData(name, DNS_ANY);
  }

  async resolveCname(name: string): Promise<string[]> {
    return namesIn(await this.resolve(name, DNS_CNAME));
  }

  /** In the order in which they are to be tried: priority, then a draw by weight (RFC 2782). */
  async resolveSrv(name: string): Promise<SrvData[]> {
    const records = await this.resolve(name, DNS_SRV);
    const list = records.flatMap(({ data }) => (data.kind === "srv" ? [data] : []));
    return orderSrv(list, this.env.random);
  }

  /** Lowest preference first. */
  async resolveMx(name: string): Promise<MxData[]> {
    const records = await this.resolve(name, DNS_MX);
    const list = records.flatMap(({ data }) => (data.kind === "mx" ? [data] : []));
    return list.sort((a, b) => a.preference - b.preference);
  }

  /** Each record's strings, joined, as bytes: TXT has no character set. */
  async resolveTxt(name: string): Promise<Uint8Array[][]> {
    const records = await this.resolve(name, DNS_TXT);
    return records.flatMap(({ data }) => (data.kind === "txt" ? [data.strings] : []));
  }

  /** Names of an address. */
  async reverse(address: IpAddress | string): Promise<string[]> {
    const parsed = typeof address === "string" ? parseAddress(address) : address;
    const known = this.hosts.names(parsed);
    if (known !== undefined) return [...known];
    return namesIn(await this.resolve(`${reverseName(parsed)}.`, DNS_PTR));
  }

  private check(name: string): void {
    if (name === "" || !isValidName(name)) throw badName(name);
  }

  /** The first candidate that has something; if none has, the best reason. */
  private async trySearched<Result>(
    name: string,
    type: number,
    attempt: (full: string) => Promise<Result | "nodata" | "nxdomain" | "records">,
  ): Promise<Result> {
    let exists = false;
    let absent = false;
    let failure: unknown;
    for (const full of candidates(name, this.search, this.ndots)) {
      try {
        const result = await attempt(full);
        if (result === "nodata") exists = true;
        else if (result === "nxdomain") absent = true;
        else if (result !== "records") return result;
      } catch (error) {
        // A server that fails on one candidate must not hide the others; silence ends it.
        const code = error instanceof DnsError ? error.code : "";
        if (code !== "ESERVFAIL" && code !== "EREFUSED") throw error;
        // "Not my zone" says nothing when another candidate was said not to exist.
        if (code === "ESERVFAIL" || failure === undefined) failure = error;
      }
    }
    if (exists) throw noData(name, type);
    const refused = failure instanceof DnsError && failure.code === "EREFUSED";
    if (failure !== undefined && !(refused && absent)) throw failure;
    throw notFound(name);
  }

  /** Answer to one complete name, from the cache or the nameservers. */
  private query(name: string, type: number): Promise<DnsAnswer> {
    const cached = this.cache.get(name, type, this.env.now());
    if (cached !== undefined) return Promise.resolve(cached);
    const key = `${foldName(name)} ${type}`;
    const running = this.pending.get(key);
    if (running !== undefined) return running;
    const started = this.follow(name, type, 0).finally(() => this.pending.delete(key));
    this.pending.set(key, started);
    return started;
  }

  private ask(name: string, type: number): ReturnType<DnsExchange["ask"]> {
    return this.exchange.ask(name, type, {
      servers: this.nameservers,
      timeoutMs: this.timeoutMs,
      attempts: this.attempts,
      edns: this.edns,
    });
  }

  private async follow(name: string, type: number, depth: number): Promise<DnsAnswer> {
    const response = await this.ask(name, type);
    const read = readAnswer(response, name, type);
    if (!read.unfinished) {
      this.cache.put(name, type, read.answer, read.ttlS, this.env.now());
      return read.answer;
    }
    // The alias leads out of what this server knows: ask for where it leads.
    if (depth + read.answer.records.length > MAX_CNAMES) {
      throw new DnsError("EBADRESP", name, "its CNAME records go in a circle");
    }
    const rest =
      this.cache.get(read.answer.owner, type, this.env.now()) ??
      (await this.follow(read.answer.owner, type, depth + read.answer.records.length));
    return { ...rest, records: [...read.answer.records, ...rest.records] };
  }
}

function nameserver(
  entry: string | { readonly address: string; readonly port?: number },
): Nameserver {
  return typeof entry === "string"
    ? { address: parseAddress(entry), port: DNS_PORT }
    : { address: parseAddress(entry.address), port: entry.port ?? DNS_PORT };
}

function addressesIn(records: readonly DnsRecord[]): IpAddress[] {
  return records.flatMap(({ data }) => (data.kind === "address" ? [data.address] : []));
}

function namesIn(records: readonly DnsRecord[]): string[] {
  return records.flatMap(({ data }) => (data.kind === "name" ? [data.name] : []));
}

/** RFC 2782: by priority; within one, drawn again and again in proportion to the weights, zeros seldom. */
function orderSrv(list: readonly SrvData[], random: RandomSource): SrvData[] {
  const ordered: SrvData[] = [];
  const priorities = [...new Set(list.map((entry) => entry.priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const rest = list
      .filter((entry) => entry.priority === priority)
      .sort((a, b) => a.weight - b.weight);
    while (rest.length > 0) {
      const total = rest.reduce((sum, entry) => sum + entry.weight, 0);
      const drawn = ((random.int32() >>> 0) / 4294967296) * (total + 1);
      let sum = 0;
      const index = rest.findIndex((entry) => (sum += entry.weight) >= Math.floor(drawn));
      ordered.push(...rest.splice(index, 1));
    }
  }
  return ordered;
}
