import { formatIpv4, parseAddress } from "../../base/address.ts";
import { hostResolver } from "../../services/host-resolver.ts";
import { Resolver } from "../../services/resolver.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_CNAME,
  DNS_MX,
  DNS_NS,
  DNS_PTR,
  DNS_SOA,
  DNS_SRV,
  DNS_TXT,
} from "../../wire/dns-constants.ts";
import type { DnsRecord } from "../../wire/dns-types.ts";
import { codeOf } from "./dns-errors.ts";
import { type Request, UV } from "./internals.ts";
import { contextOf, nextTurn } from "./turns.ts";

/** A server as Node's lib hands it down: family, address, port. */
type Server = readonly [family: number, address: string, port: number];

/**
 * What stands under Node's `dns.Resolver` in place of c-ares: questions go
 * over the host's sockets. `oncomplete(code, result, ttls)` tells.
 */
export class Channel {
  private readonly host: SocketHost;
  private readonly timeoutMs: number | undefined;
  private readonly attempts: number | undefined;
  private servers: Server[] | undefined = undefined;
  private own: Resolver | undefined = undefined;
  /** Raised by cancel(): answers to what was asked before are not wanted. */
  private generation = 0;

  constructor(host: SocketHost, timeoutMs?: number, attempts?: number) {
    this.host = host;
    this.timeoutMs = timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : undefined;
    this.attempts = attempts;
  }

  getServers(): [string, number][] {
    return (this.servers ?? []).map(([, address, port]) => [address, port]);
  }

  setServers(servers: Server[]): number {
    this.servers = servers.map(([family, address, port]) => [family, address, port || 53]);
    this.own = undefined;
    return 0;
  }

  setLocalAddress(): void {
    throw Object.assign(
      new Error(
        "setLocalAddress: the host's routes choose the address that questions are sent from",
      ),
      { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" },
    );
  }

  cancel(): void {
    this.generation++;
  }

  private resolver(): Resolver {
    const { host } = this;
    if (this.servers === undefined && host.resolver instanceof Resolver) return host.resolver;
    this.own ??= hostResolver(host, {
      nameservers: (this.servers ?? []).map(([, address, port]) => ({ address, port })),
      // As c-ares is used by Node: no cache, and questions of the plainest kind.
      cacheEntries: 0,
      edns: false,
      ...(this.timeoutMs !== undefined && { timeoutMs: this.timeoutMs }),
      ...(this.attempts !== undefined && { attempts: this.attempts }),
    });
    return this.own;
  }

  private ask(
    request: Request,
    work: (resolver: Resolver) => Promise<{ result: unknown; ttls?: number[] }>,
  ): number {
    const { generation } = this;
    const context = contextOf("QUERYWRAP");
    const tell = (code: string | null, result?: unknown, ttls?: number[]) => {
      const isCancelled = generation !== this.generation;
      nextTurn(context, () => {
        if (isCancelled) request.oncomplete?.("ECANCELLED");
        else request.oncomplete?.(code, result, ttls);
      });
    };
    work(this.resolver()).then(
      ({ result, ttls }) => tell(null, result, ttls),
      (error: unknown) => tell(codeOf(error) === "ENONAMESERVER" ? "ECONNREFUSED" : codeOf(error)),
    );
    return 0;
  }

  private records(request: Request, name: string, type: number, read: Reader): number {
    return this.ask(request, async (resolver) => {
      const records = await resolver.resolve(name, type);
      const ttls = records.map((record) => record.ttl);
      return { result: records.flatMap((record) => read(record) ?? []), ttls };
    });
  }

  queryA(request: Request, name: string): number {
    return this.records(request, name, DNS_A, address);
  }
  queryAaaa(request: Request, name: string): number {
    return this.records(request, name, DNS_AAAA, address);
  }
  queryCname(request: Request, name: string): number {
    return this.records(request, name, DNS_CNAME, target);
  }
  queryNs(request: Request, name: string): number {
    return this.records(request, name, DNS_NS, target);
  }
  queryPtr(request: Request, name: string): number {
    return this.records(request, name, DNS_PTR, target);
  }
  queryMx(request: Request, name: string): number {
    return this.records(request, name, DNS_MX, mx);
  }
  querySrv(request: Request, name: string): number {
    return this.records(request, name, DNS_SRV, srv);
  }
  queryTxt(request: Request, name: string): number {
    return this.records(request, name, DNS_TXT, txt);
  }
  querySoa(request: Request, name: string): number {
    return this.ask(request, async (resolver) => {
      const records = await resolver.resolve(name, DNS_SOA);
      const found = records.flatMap((record) => soa(record) ?? [])[0];
      if (found === undefined) throw Object.assign(new Error("no SOA"), { code: "ENODATA" });
      return { result: found };
    });
  }

  queryAny(request: Request, name: string): number {
    return this.ask(request, async (resolver) => ({
      result: (await resolver.resolveAny(name)).flatMap(anyOf),
    }));
  }

  queryCaa = notCovered;
  queryNaptr = notCovered;
  queryTlsa = notCovered;

  getHostByAddr(request: Request, text: string): number {
    let literal: ReturnType<typeof parseAddress>;
    try {
      literal = parseAddress(text);
    } catch {
      return UV.UV_EINVAL!;
    }
    return this.ask(request, async (resolver) => ({ result: await resolver.reverse(literal) }));
  }
}

function notCovered(): never {
  throw Object.assign(
    new Error(
      "records of this type are not read by fullduplex's resolver; ask for A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT",
    ),
    { code: "ENOTIMP" },
  );
}

type Reader = (record: DnsRecord) => unknown;

const address: Reader = ({ data }) => {
  if (data.kind !== "address") return undefined;
  return data.address.isIpv4 ? formatIpv4(data.address.w3) : data.address.toString();
};
const target: Reader = ({ data }) => (data.kind === "name" ? data.name : undefined);
const mx: Reader = ({ data }) =>
  data.kind === "mx" ? { exchange: data.exchange, priority: data.preference } : undefined;
const srv: Reader = ({ data }) =>
  data.kind === "srv"
    ? { name: data.target, port: data.port, priority: data.priority, weight: data.weight }
    : undefined;
// In an array of its own: the strings of one record stay together.
const txt: Reader = ({ data }) =>
  data.kind === "txt" ? [data.strings.map((bytes) => Buffer.from(bytes).toString())] : undefined;
const soa: Reader = ({ data }) =>
  data.kind === "soa"
    ? {
        nsname: data.primary,
        hostmaster: data.mailbox,
        serial: data.serial,
        refresh: data.refreshS,
        retry: data.retryS,
        expire: data.expireS,
        minttl: data.minimumS,
      }
    : undefined;

const ANY_READERS = new Map<number, (record: DnsRecord) => object>([
  [DNS_A, (record) => ({ type: "A", address: address(record), ttl: record.ttl })],
  [DNS_AAAA, (record) => ({ type: "AAAA", address: address(record), ttl: record.ttl })],
  [DNS_CNAME, (record) => ({ type: "CNAME", value: target(record) })],
  [DNS_NS, (record) => ({ type: "NS", value: target(record) })],
  [DNS_PTR, (record) => ({ type: "PTR", value: target(record) })],
  [DNS_MX, (record) => ({ type: "MX", ...(mx(record) as object) })],
  [DNS_SRV, (record) => ({ type: "SRV", ...(srv(record) as object) })],
  [DNS_TXT, (record) => ({ type: "TXT", entries: (txt(record) as string[][])[0] })],
  [DNS_SOA, (record) => ({ type: "SOA", ...(soa(record) as object) })],
]);

function anyOf(record: DnsRecord): object[] {
  const read = ANY_READERS.get(record.type);
  return read === undefined ? [] : [read(record)];
}
