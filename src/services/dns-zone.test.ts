import { describe, expect, it } from "vitest";
import { decodeDns, dnsQuery, edns } from "../wire/dns.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_ANY,
  DNS_BADVERS,
  DNS_FORMERR,
  DNS_MX,
  DNS_NOTIMP,
  DNS_NXDOMAIN,
  DNS_REFUSED,
  DNS_SOA,
} from "../wire/dns-constants.ts";
import { encodeDns } from "../wire/dns-encode.ts";
import type { DnsMessage } from "../wire/dns-types.ts";
import { DnsZone, respond } from "./dns-zone.ts";

const zone = new DnsZone("lan", [
  { name: "@", type: "MX", preference: 5, target: "mail" },
  { name: "mail", type: "A", address: "10.0.0.25" },
  { name: "alias", type: "CNAME", target: "mail" },
  { name: "broken", type: "CNAME", target: "none" },
  { name: "out", type: "CNAME", target: "elsewhere.org." },
  { name: "x.y", type: "A", address: "10.0.0.1" },
  ...Array.from({ length: 50 }, (_, i) => ({
    name: "many",
    type: "A" as const,
    address: `10.0.1.${i}`,
  })),
]);

function ask(message: DnsMessage, overUdp = true) {
  const bytes = respond([zone], encodeDns(message), overUdp)!;
  return { bytes, ...decodeDns(new DataView(bytes.buffer), 0, bytes.length)! };
}
const query = (name: string, type: number, udpSize = 1232) =>
  ask(dnsQuery(77, name, type, udpSize));

describe("an authoritative server", () => {
  it("answers with authority, the question and the id repeated (RFC 1035 §4.1.1)", () => {
    const reply = query("MAIL.lan", DNS_A);
    expect(reply).toMatchObject({
      id: 77,
      response: true,
      authoritative: true,
      rcode: 0,
      recursionDesired: true,
      recursionAvailable: false,
      questions: [{ name: "MAIL.lan" }],
    });
    expect(
      reply.answers.map(({ data }) => data.kind === "address" && String(data.address)),
    ).toEqual(["10.0.0.25"]);
  });

  it("RFC 2308 §2: NXDOMAIN and NODATA carry the SOA; a name above others exists (RFC 8020)", () => {
    expect(query("none.lan", DNS_A)).toMatchObject({
      rcode: DNS_NXDOMAIN,
      authorities: [{ type: DNS_SOA, name: "lan" }],
    });
    for (const name of ["mail.lan", "y.lan", "lan"]) {
      expect(query(name, DNS_AAAA)).toMatchObject({
        rcode: 0,
        answers: [],
        authorities: [{ type: DNS_SOA }],
      });
    }
  });

  it("follows CNAMEs in the zone; the code is that of the last name (RFC 6604 §2)", () => {
    expect(query("alias.lan", DNS_A).answers.map(({ name }) => name)).toEqual([
      "alias.lan",
      "mail.lan",
    ]);
    expect(query("broken.lan", DNS_A)).toMatchObject({ rcode: DNS_NXDOMAIN });
    expect(query("out.lan", DNS_A)).toMatchObject({
      rcode: 0,
      answers: [{ data: { name: "elsewhere.org" } }],
      authorities: [],
    });
  });

  it("adds the addresses of what a record points to", () => {
    expect(query("lan", DNS_MX).additionals[0]).toMatchObject({ name: "mail.lan", type: DNS_A });
  });

  it("RFC 8482 §4.1: gives one type for ANY", () => {
    expect(query("lan", DNS_ANY).answers).toHaveLength(1);
  });

  it("refuses other zones, other classes and other operations", () => {
    expect(query("example.org", DNS_A)).toMatchObject({ rcode: DNS_REFUSED, authoritative: false });
    const chaos = dnsQuery(1, "lan", DNS_A);
    chaos.questions[0].class = 3;
    expect(ask(chaos)).toMatchObject({ rcode: DNS_REFUSED });
    expect(ask({ ...dnsQuery(1, "lan", DNS_A), opcode: 5 })).toMatchObject({ rcode: DNS_NOTIMP });
    expect(ask({ ...dnsQuery(1, "lan", DNS_A), questions: [] })).toMatchObject({
      rcode: DNS_FORMERR,
    });
  });

  it("fits what the asker takes and says when it had to cut (RFC 6891 §6.2.3)", () => {
    const plain = query("many.lan", DNS_A, 0);
    expect(plain.truncated).toBe(true);
    expect(plain.bytes.length).toBeLessThanOrEqual(512);
    const large = query("many.lan", DNS_A, 4096);
    expect(large).toMatchObject({ truncated: false });
    expect(large.answers).toHaveLength(50);
    expect(edns(large)?.udpSize).toBe(1232);
    expect(ask(dnsQuery(1, "many.lan", DNS_A), false).truncated).toBe(false);
  });

  it("RFC 6891 §6.1.3: BADVERS to a version it does not know", () => {
    const message = dnsQuery(1, "lan", DNS_A, 1232);
    message.additionals[0].ttl = 0x00010000;
    expect(edns(ask(message))?.rcode).toBe(DNS_BADVERS);
  });

  it("never answers an answer or a stump, and says FORMERR to garbage", () => {
    expect(respond([zone], encodeDns({ ...dnsQuery(1, "lan", 1), response: true }), true)).toBe(
      undefined,
    );
    expect(respond([zone], new Uint8Array(11), true)).toBe(undefined);
    const garbage = encodeDns(dnsQuery(0xabcd, "lan", 1)).slice(0, 15);
    const reply = respond([zone], garbage, true)!;
    expect(reply.slice(0, 4)).toEqual(Uint8Array.of(0xab, 0xcd, 0x81, DNS_FORMERR));
  });

  it("takes no record from outside the zone and no name that is none", () => {
    const add = (name: string) => () => zone.add({ name, type: "A", address: "10.0.0.1" });
    expect(add("www.org.")).toThrow(/outside of the zone/);
    expect(add("a..b")).toThrow(/domain name/);
    expect(() => zone.add({ name: "a", type: "A", address: "::1" })).toThrow(/A record/);
  });
});
