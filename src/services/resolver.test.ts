import { describe, expect, it } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { decodeDns, dnsReply, edns } from "../wire/dns.ts";
import { DNS_A, DNS_AAAA, DNS_FORMERR, DNS_SERVFAIL, DNS_TXT } from "../wire/dns-constants.ts";
import { encodeDns } from "../wire/dns-encode.ts";
import type { DnsMessage } from "../wire/dns-types.ts";
import type { DnsTransport, Nameserver } from "./dns-exchange.ts";
import { candidates, parseHostsFile, reverseName } from "./dns-names.ts";
import { DnsZone, respond, reverseZones } from "./dns-zone.ts";
import { parseAddress } from "../base/address.ts";
import { Resolver, type ResolverOptions } from "./resolver.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

const LAN = new DnsZone("lan", [
  { name: "www", type: "A", address: "10.0.0.1", ttl: 60 },
  { name: "www", type: "A", address: "10.0.0.2", ttl: 60 },
  { name: "www", type: "AAAA", address: "fd00::1", ttl: 60 },
  { name: "v4", type: "A", address: "10.0.0.4" },
  { name: "alias", type: "CNAME", target: "www" },
  { name: "out", type: "CNAME", target: "host.example." },
  { name: "dead", type: "CNAME", target: "nothing" },
  { name: "loop1", type: "CNAME", target: "loop2" },
  { name: "loop2", type: "CNAME", target: "loop1" },
  { name: "_http._tcp", type: "SRV", priority: 1, weight: 10, port: 80, target: "www" },
  { name: "_http._tcp", type: "SRV", priority: 0, weight: 0, port: 8080, target: "v4" },
  { name: "text", type: "TXT", strings: [utf8("one"), utf8("two")] },
  { name: "a.b.deep", type: "A", address: "10.0.0.9" },
  ...Array.from({ length: 60 }, (_, i) => ({
    name: "many",
    type: "AAAA" as const,
    address: `fd00::1:${i}`,
  })),
]);
const EXAMPLE = new DnsZone("example", [{ name: "host", type: "A", address: "192.0.2.7" }]);

interface Asked {
  server: string;
  name: string;
  type: number;
  tcp: boolean;
  message: DnsMessage;
}

/** Nameservers in memory: they get and give wire bytes. `behave` may answer in a server's place. */
class Servers implements DnsTransport {
  nowUs = 0;
  readonly asked: Asked[] = [];
  behave: (asked: Asked) => DnsMessage | "silent" | "refused" | undefined = () => undefined;
  private readonly zones: DnsZone[];

  constructor(zones: DnsZone[] = [LAN, EXAMPLE]) {
    this.zones = zones;
  }

  private answer(server: Nameserver, query: Uint8Array, tcp: boolean): Uint8Array | undefined {
    const message = decodeDns(new DataView(query.buffer), 0, query.length)!;
    const { name, type } = message.questions[0];
    const asked = { server: String(server.address), name, type, tcp, message };
    this.asked.push(asked);
    const other = this.behave(asked);
    if (other === "refused") {
      throw Object.assign(new Error("nobody listens"), { code: "ECONNREFUSED" });
    }
    if (other === "silent") return undefined;
    return other === undefined ? respond(this.zones, query, !tcp) : encodeDns(other);
  }

  async udp(
    server: Nameserver,
    query: Uint8Array,
    accepts: (reply: Uint8Array) => boolean,
    timeoutMs: number,
  ) {
    const reply = this.answer(server, query, false);
    if (reply !== undefined && accepts(reply)) return reply;
    this.nowUs += timeoutMs * 1000;
    return undefined;
  }

  async tcp(server: Nameserver, query: Uint8Array, timeoutMs: number) {
    const reply = this.answer(server, query, true);
    if (reply === undefined) this.nowUs += timeoutMs * 1000;
    return reply;
  }

  resolver(options: ResolverOptions = {}): Resolver {
    const env = {
      transport: this,
      random: new SeededRandom(1),
      now: () => this.nowUs,
      after: () => () => {},
    };
    return new Resolver(env, { nameservers: ["10.0.0.53"], ...options });
  }
}

const texts = (addresses: readonly unknown[]) => addresses.map(String);

describe("lookup", () => {
  it("gives both families alternating, IPv6 first (RFC 8305 §4)", async () => {
    expect(texts(await new Servers().resolver().lookup("www.lan"))).toEqual([
      "fd00::1",
      "10.0.0.1",
      "10.0.0.2",
    ]);
  });

  it("gives one family when asked to, and says when there is none of it", async () => {
    const resolver = new Servers().resolver();
    expect(texts(await resolver.lookup("www.lan", { family: 4 }))).toEqual([
      "10.0.0.1",
      "10.0.0.2",
    ]);
    await expect(resolver.lookup("v4.lan", { family: 6 })).rejects.toMatchObject({
      code: "ENODATA",
      hostname: "v4.lan",
    });
    expect(texts(await resolver.lookup("v4.lan"))).toEqual(["10.0.0.4"]);
  });

  it("asks nobody for addresses, hosts entries and localhost (RFC 6761 §6.3)", async () => {
    const servers = new Servers();
    const resolver = servers.resolver({ hosts: { Printer: ["10.0.0.8", "fd00::8"] } });
    expect(texts(await resolver.lookup("192.0.2.1"))).toEqual(["192.0.2.1"]);
    expect(texts(await resolver.lookup("printer"))).toEqual(["fd00::8", "10.0.0.8"]);
    expect(texts(await resolver.lookup("app.localhost"))).toEqual(["::1", "127.0.0.1"]);
    expect(await resolver.reverse("10.0.0.8")).toEqual(["Printer"]);
    expect(servers.asked).toEqual([]);
  });

  it("rejects what is no name, and says that no nameserver is configured", async () => {
    const servers = new Servers();
    await expect(servers.resolver().lookup("a..b")).rejects.toMatchObject({ code: "EBADNAME" });
    await expect(servers.resolver().lookup("")).rejects.toMatchObject({ code: "EBADNAME" });
    const none = servers.resolver({ nameservers: [] });
    await expect(none.lookup("www.lan")).rejects.toMatchObject({ code: "ENONAMESERVER" });
  });

  it("rejects with ENOTFOUND for a name that does not exist (RFC 1035 §4.1.1, code 3)", async () => {
    await expect(new Servers().resolver().lookup("nothing.lan")).rejects.toMatchObject({
      name: "DnsError",
      code: "ENOTFOUND",
    });
  });

  it("one family's failure does not pass for an absent name", async () => {
    const servers = new Servers();
    servers.behave = ({ type, message }) =>
      type === DNS_A ? dnsReply(message, DNS_SERVFAIL) : undefined;
    await expect(servers.resolver().lookup("v4.lan")).rejects.toMatchObject({ code: "ESERVFAIL" });
    expect(texts(await servers.resolver().lookup("www.lan"))).toEqual(["fd00::1"]);
  });
});

describe("the other records", () => {
  it("follows CNAMEs, also to where the first server knows nothing (RFC 1034 §3.6.2)", async () => {
    const servers = new Servers();
    const resolver = servers.resolver();
    expect(texts(await resolver.lookup("alias.lan", { family: 6 }))).toEqual(["fd00::1"]);
    expect(texts(await resolver.lookup("out.lan", { family: 4 }))).toEqual(["192.0.2.7"]);
    expect(servers.asked.map(({ name }) => name)).toEqual(["alias.lan", "out.lan", "host.example"]);
    expect(await resolver.resolveCname("alias.lan")).toEqual(["www.lan"]);
  });

  it("ends CNAMEs that go in a circle or nowhere", async () => {
    const resolver = new Servers().resolver();
    await expect(resolver.lookup("loop1.lan", { family: 4 })).rejects.toMatchObject({
      code: "ENODATA",
    });
    await expect(resolver.lookup("dead.lan")).rejects.toMatchObject({ code: "ENOTFOUND" });
  });

  it("SRV by priority (RFC 2782), TXT as bytes, PTR by address (RFC 3596 §2.5)", async () => {
    const zones = reverseZones([
      { name: "www.lan", address: parseAddress("10.0.0.1") },
      { name: "six.lan", address: parseAddress("fd00::1") },
    ]);
    const resolver = new Servers([LAN, ...zones]).resolver();
    expect((await resolver.resolveSrv("_http._tcp.lan")).map(({ port }) => port)).toEqual([
      8080, 80,
    ]);
    expect(await resolver.resolveTxt("text.lan")).toEqual([[utf8("one"), utf8("two")]]);
    expect(await resolver.reverse("10.0.0.1")).toEqual(["www.lan"]);
    expect(await resolver.reverse("fd00::1")).toEqual(["six.lan"]);
    await expect(resolver.reverse("10.0.0.2")).rejects.toMatchObject({ code: "ENOTFOUND" });
    expect(reverseName(parseAddress("2001:db8::567:89ab"))).toBe(
      "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    );
  });
});

describe("the search list", () => {
  it("comes first for names with fewer dots than ndots, not for a final dot (resolv.conf)", () => {
    expect(candidates("www", ["a.lan", "b.lan."], 1)).toEqual(["www.a.lan", "www.b.lan", "www"]);
    expect(candidates("www.x", ["a.lan"], 1)).toEqual(["www.x", "www.x.a.lan"]);
    expect(candidates("www.x", ["a.lan"], 2)).toEqual(["www.x.a.lan", "www.x"]);
    expect(candidates("www.", ["a.lan"], 1)).toEqual(["www"]);
  });

  it("stops at the first name that has something, and prefers ENODATA to ENOTFOUND", async () => {
    const servers = new Servers();
    const resolver = servers.resolver({ search: ["example", "lan"] });
    expect(texts(await resolver.lookup("v4", { family: 4 }))).toEqual(["10.0.0.4"]);
    expect(servers.asked.map(({ name }) => name)).toEqual(["v4.example", "v4.lan"]);
    await expect(resolver.lookup("v4", { family: 6 })).rejects.toMatchObject({ code: "ENODATA" });
  });
});

describe("the cache", () => {
  it("answers until the TTL is over, counting it down (RFC 1035 §3.2.1)", async () => {
    const servers = new Servers();
    const resolver = servers.resolver();
    await resolver.resolve("www.lan", DNS_A);
    servers.nowUs += 59e6;
    const cached = await resolver.resolve("www.lan", DNS_A);
    expect(cached.map(({ ttl }) => ttl)).toEqual([1, 1]);
    expect(servers.asked).toHaveLength(1);
    servers.nowUs += 1e6;
    await resolver.resolve("WWW.lan", DNS_A);
    expect(servers.asked).toHaveLength(2);
  });

  it("RFC 2308 §5: keeps NXDOMAIN for all types and NODATA for one, as long as the SOA says", async () => {
    const servers = new Servers();
    const resolver = servers.resolver();
    const fails = (name: string, type: number, code: string) =>
      expect(resolver.resolve(name, type)).rejects.toMatchObject({ code });
    await fails("no.lan", DNS_A, "ENOTFOUND");
    await fails("no.lan", DNS_AAAA, "ENOTFOUND");
    expect(servers.asked).toHaveLength(1);
    await fails("v4.lan", DNS_AAAA, "ENODATA");
    await fails("v4.lan", DNS_AAAA, "ENODATA");
    await fails("v4.lan", DNS_TXT, "ENODATA");
    expect(servers.asked).toHaveLength(3);
    servers.nowUs += 60e6;
    await fails("no.lan", DNS_A, "ENOTFOUND");
    expect(servers.asked).toHaveLength(4);
  });

  it("RFC 2308 §5: does not keep a negative answer without SOA, nor a server's failure", async () => {
    const servers = new Servers();
    const resolver = servers.resolver({ attempts: 1 });
    servers.behave = ({ message }) => dnsReply(message, 3);
    await expect(resolver.resolve("no.lan", DNS_A)).rejects.toMatchObject({ code: "ENOTFOUND" });
    servers.behave = ({ message }) => dnsReply(message, DNS_SERVFAIL);
    await expect(resolver.resolve("no.lan", DNS_A)).rejects.toMatchObject({ code: "ESERVFAIL" });
    await expect(resolver.resolve("no.lan", DNS_A)).rejects.toMatchObject({ code: "ESERVFAIL" });
    expect(servers.asked).toHaveLength(3);
  });

  it("asks once for equal questions at the same time, and holds no more than its limit", async () => {
    const servers = new Servers();
    const resolver = servers.resolver({ cacheEntries: 2 });
    await Promise.all([1, 2, 3].map(() => resolver.resolve("www.lan", DNS_A)));
    expect(servers.asked).toHaveLength(1);
    for (const name of ["v4.lan", "a.b.deep.lan"]) await resolver.resolve(name, DNS_A);
    expect(resolver.cache.size).toBe(2);
    await resolver.resolve("www.lan", DNS_A);
    expect(servers.asked).toHaveLength(4);
  });
});

describe("the exchange", () => {
  it("goes to the next server on silence, refusal and SERVFAIL, then round again", async () => {
    const servers = new Servers();
    const nameservers = ["10.0.0.51", "10.0.0.52", "10.0.0.53", "10.0.0.54"];
    servers.behave = ({ server, message }) => {
      if (server === "10.0.0.51") return "silent";
      if (server === "10.0.0.52") return "refused";
      return server === "10.0.0.53" ? dnsReply(message, DNS_SERVFAIL) : undefined;
    };
    const resolver = servers.resolver({ nameservers });
    expect(texts(await resolver.lookup("v4.lan", { family: 4 }))).toEqual(["10.0.0.4"]);
    expect(servers.asked.map(({ server }) => server)).toEqual(nameservers);
  });

  it("doubles the wait with each round and ends with ETIMEOUT", async () => {
    const servers = new Servers();
    servers.behave = () => "silent";
    const resolver = servers.resolver({ timeoutMs: 1000, attempts: 3 });
    await expect(resolver.resolve("www.lan", DNS_A)).rejects.toMatchObject({ code: "ETIMEOUT" });
    expect(servers.nowUs).toBe(7e6);
  });

  it("RFC 7766 §5: asks again over TCP when the answer was truncated", async () => {
    const servers = new Servers();
    expect(await servers.resolver().lookup("many.lan", { family: 6 })).toHaveLength(60);
    expect(servers.asked.map(({ tcp }) => tcp)).toEqual([false, true]);
  });

  it("RFC 6891 §6.2.2: asks without EDNS a server that does not know it, and remembers", async () => {
    const servers = new Servers();
    servers.behave = ({ message }) =>
      edns(message) === undefined ? undefined : dnsReply(message, DNS_FORMERR);
    const resolver = servers.resolver();
    await resolver.resolve("www.lan", DNS_A);
    await resolver.resolve("v4.lan", DNS_A);
    expect(servers.asked.map(({ message }) => edns(message)?.udpSize)).toEqual([
      1232,
      undefined,
      undefined,
    ]);
  });

  it("RFC 5452 §9.1: takes no answer with another id or question", async () => {
    const servers = new Servers();
    let forged: (message: DnsMessage) => DnsMessage = (message) => message;
    servers.behave = ({ message }) => forged(dnsReply(message));
    const resolver = servers.resolver({ attempts: 1 });
    const times = async (change: (message: DnsMessage) => DnsMessage) => {
      forged = change;
      await expect(resolver.resolve("www.lan", DNS_A)).rejects.toMatchObject({ code: "ETIMEOUT" });
    };
    await times((message) => ({ ...message, id: message.id ^ 1 }));
    await times((message) => ({ ...message, response: false }));
    await times((message) => ({
      ...message,
      questions: [{ ...message.questions[0], name: "other.lan" }],
    }));
    await times((message) => ({ ...message, questions: [] }));
  });

  it("draws ids at random", async () => {
    const servers = new Servers();
    const resolver = servers.resolver({ cacheEntries: 0 });
    for (let i = 0; i < 20; i++) await resolver.resolve("www.lan", DNS_A);
    expect(new Set(servers.asked.map(({ message }) => message.id)).size).toBeGreaterThan(18);
  });
});

it("reads a hosts file", () => {
  expect(parseHostsFile("127.0.0.1 localhost # here\n\n10.0.0.1\ta b\nfd00::1 a\n")).toEqual({
    localhost: ["127.0.0.1"],
    a: ["10.0.0.1", "fd00::1"],
    b: ["10.0.0.1"],
  });
});
