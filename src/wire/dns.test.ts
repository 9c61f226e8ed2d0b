import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpAddress, ipv4Address, parseAddress } from "../base/address.ts";
import { asciiBytes, bytesFromHex, hexOf, viewOf } from "./bytes.ts";
import { decodeDns, dnsQuery, dnsReply, edns, optRecord } from "./dns.ts";
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
  dnsTypeName,
  dnsTypeNumber,
} from "./dns-constants.ts";
import { DnsEncodeError, encodeDns } from "./dns-encode.ts";
import { decodeName, encodeName, foldName, isValidName, sameName } from "./dns-name.ts";
import type { DnsMessage, DnsRecord } from "./dns-types.ts";

const decode = (bytes: Uint8Array) => decodeDns(viewOf(bytes), 0, bytes.length);

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint16 = fc.nat(0xffff);
const uint32 = fc.nat(0xffffffff);
const bytes = fc.uint8Array({ maxLength: 20 });

/** Names with a shared vocabulary, so that compression has work, and with strange bytes. */
const label = fc.oneof(
  fc.constantFrom("www", "example", "com", "net", "a", "WWW"),
  fc.uint8Array({ minLength: 1, maxLength: 6 }).map((raw) => {
    const read = decodeName(viewOf(Uint8Array.of(raw.length, ...raw, 0)), 0, raw.length + 2, 0);
    return read?.name ?? "x";
  }),
);
const name = fc.array(label, { maxLength: 5 }).map((labels) => labels.join(".") || ".");

const base = { name, class: uint16, ttl: uint32 };
const record: fc.Arbitrary<DnsRecord> = fc.oneof(
  fc.record({
    ...base,
    type: fc.constant(DNS_A),
    data: fc.record({ kind: fc.constant("address" as const), address: int32.map(ipv4Address) }),
  }),
  fc.record({
    ...base,
    type: fc.constant(DNS_AAAA),
    data: fc.record({
      kind: fc.constant("address" as const),
      address: fc.tuple(int32, int32, int32, int32).map((w) => new IpAddress(...w)),
    }),
  }),
  fc.record({
    ...base,
    type: fc.constantFrom(DNS_CNAME, DNS_NS, DNS_PTR),
    data: fc.record({ kind: fc.constant("name" as const), name }),
  }),
  fc.record({
    ...base,
    type: fc.constant(DNS_MX),
    data: fc.record({ kind: fc.constant("mx" as const), preference: uint16, exchange: name }),
  }),
  fc.record({
    ...base,
    type: fc.constant(DNS_SRV),
    data: fc.record({
      kind: fc.constant("srv" as const),
      priority: uint16,
      weight: uint16,
      port: uint16,
      target: name,
    }),
  }),
  fc.record({
    ...base,
    type: fc.constant(DNS_TXT),
    data: fc.record({ kind: fc.constant("txt" as const), strings: fc.array(bytes) }),
  }),
  fc.record({
    ...base,
    type: fc.constant(DNS_SOA),
    data: fc.record({
      kind: fc.constant("soa" as const),
      primary: name,
      mailbox: name,
      serial: uint32,
      refreshS: uint32,
      retryS: uint32,
      expireS: uint32,
      minimumS: uint32,
    }),
  }),
  fc.record({
    ...base,
    type: fc.integer({ min: 256, max: 0xffff }),
    data: fc.record({ kind: fc.constant("raw" as const), bytes }),
  }),
);
const records = fc.array(record, { maxLength: 4 });
const flag = fc.boolean();
const message: fc.Arbitrary<DnsMessage> = fc.record({
  id: uint16,
  response: flag,
  opcode: fc.nat(15),
  authoritative: flag,
  truncated: flag,
  recursionDesired: flag,
  recursionAvailable: flag,
  authenticData: flag,
  checkingDisabled: flag,
  rcode: fc.nat(15),
  questions: fc.array(fc.record({ name, type: uint16, class: uint16 }), { maxLength: 2 }),
  answers: records,
  authorities: records,
  additionals: records,
});

function answer(from: string, address: string): DnsRecord {
  return {
    name: from,
    type: DNS_A,
    class: 1,
    ttl: 60,
    data: { kind: "address", address: parseAddress(address) },
  };
}

describe("DNS messages", () => {
  test("RFC 1035 §4.1: a query in bytes", () => {
    expect(hexOf(encodeDns(dnsQuery(0x1234, "www.example.com", DNS_A)))).toBe(
      "12340100000100000000000003777777076578616d706c6503636f6d0000010001",
    );
  });

  test("RFC 1035 §4.1.4: any message survives, names compressed", () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(decode(encodeDns(given))).toEqual({ ...given, incomplete: false });
      }),
    );
  });

  test("RFC 1035 §4.1.4: a repeated name is a pointer, a shared tail too", () => {
    const reply = dnsReply(dnsQuery(1, "www.example.com", DNS_A));
    const plain = encodeDns(reply).length;
    reply.answers = [answer("www.example.com", "1.2.3.4")];
    const once = encodeDns(reply);
    expect(once.length).toBe(plain + 2 + 10 + 4);
    expect(hexOf(once.subarray(plain, plain + 2))).toBe("c00c");
    reply.answers.push(answer("mail.example.com", "1.2.3.4"));
    expect(encodeDns(reply).length).toBe(once.length + 5 + 2 + 10 + 4);
  });

  test("RFC 2782: the target of SRV is written whole, and read compressed all the same", () => {
    const reply = dnsReply(dnsQuery(1, "srv.example", DNS_SRV));
    const data = { kind: "srv" as const, priority: 1, weight: 2, port: 3, target: "srv.example" };
    reply.answers = [{ name: "srv.example", type: DNS_SRV, class: 1, ttl: 0, data }];
    const whole = encodeDns(reply);
    expect(hexOf(whole).endsWith("0373727607" + hexOf(asciiBytes("example")) + "00")).toBe(true);
    const cut = whole.slice(0, whole.length - 13);
    const compressed = Uint8Array.of(...cut, 0xc0, 0x0c);
    compressed[cut.length - 7] = 8;
    expect(decode(compressed)?.answers[0].data).toEqual(data);
  });

  test("RFC 2181 §9: answers that do not fit set TC; OPT stays", () => {
    const reply = dnsReply(dnsQuery(1, "many.example", DNS_A));
    for (let i = 0; i < 50; i++) reply.answers.push(answer("many.example", `10.0.0.${i}`));
    reply.additionals = [optRecord(1232)];
    const bytes = encodeDns(reply, 512);
    expect(bytes.length).toBeLessThanOrEqual(512);
    expect(bytes.length).toBeGreaterThan(512 - 16);
    const read = decode(bytes);
    expect(read).toMatchObject({ truncated: true, incomplete: false });
    expect(read?.answers).toEqual(reply.answers.slice(0, read?.answers.length));
    expect(read && edns(read)?.udpSize).toBe(1232);
    expect(decode(encodeDns(reply))?.answers.length).toBe(50);
  });

  test("RFC 2181 §9: additional data left out sets no TC", () => {
    const reply = dnsReply(dnsQuery(1, "x.example", DNS_A));
    for (let i = 0; i < 50; i++) reply.additionals.push(answer("x.example", `10.0.0.${i}`));
    expect(decode(encodeDns(reply, 512))?.truncated).toBe(false);
  });

  test("RFC 6891 §6.1.3: size, extended code, version and DO come out of OPT", () => {
    const reply = dnsReply(dnsQuery(1, "x", DNS_A), 16);
    reply.additionals = [optRecord(4096, 16, [{ code: 10, data: bytesFromHex("0102") }])];
    reply.additionals[0].ttl += 0x8000;
    const read = decode(encodeDns(reply));
    expect(read && edns(read)).toEqual({
      udpSize: 4096,
      rcode: 16,
      version: 0,
      dnssecOk: true,
      options: [{ code: 10, data: bytesFromHex("0102") }],
    });
    expect(edns(dnsQuery(1, "x", DNS_A))).toBeUndefined();
  });

  test("a message that is cut keeps the records before the cut", () => {
    const reply = dnsReply(dnsQuery(1, "x.example", DNS_A));
    reply.answers = [answer("x.example", "1.1.1.1"), answer("x.example", "2.2.2.2")];
    const whole = encodeDns(reply);
    const read = decode(whole.subarray(0, whole.length - 1));
    expect(read?.incomplete).toBe(true);
    expect(read?.answers).toEqual(reply.answers.slice(0, 1));
    expect(decode(whole.subarray(0, 20))).toBeUndefined();
    expect(decode(whole.subarray(0, 11))).toBeUndefined();
  });

  test.each([
    ["A of three bytes", DNS_A, "010203"],
    ["AAAA of four bytes", DNS_AAAA, "01020304"],
    ["CNAME followed by more", DNS_CNAME, "016100ff"],
    ["NS that leaves its data", DNS_NS, "0361"],
    ["MX without a name", DNS_MX, "0001"],
    ["SRV without a name", DNS_SRV, "000100020003"],
    ["TXT string beyond its data", DNS_TXT, "0161 0361"],
    ["SOA without its numbers", DNS_SOA, "016100016200 00000001"],
    ["OPT option beyond its data", 41, "000a0008 01"],
    ["OPT option without a length", 41, "000a00"],
  ])("RFC 1035 §3.3: %s comes as raw bytes", (_what, type, hex) => {
    const raw = bytesFromHex(hex);
    const reply = dnsReply(dnsQuery(1, "x.example", type));
    const data = { kind: "raw" as const, bytes: raw };
    reply.additionals = [{ name: ".", type, class: 1, ttl: 0, data }];
    expect(decode(encodeDns(reply))?.additionals[0].data).toEqual(data);
  });

  test("names that have no wire form are refused when encoding", () => {
    for (const bad of ["a..b", ".a", `${"x".repeat(64)}.com`, "caf\u00e9.fr", "a\\", "\\999"]) {
      expect(isValidName(bad)).toBe(false);
      expect(() => encodeDns(dnsQuery(1, bad, DNS_A))).toThrow(DnsEncodeError);
    }
    const label = "a".repeat(63);
    expect(isValidName(`${label}.${label}.${label}.${"a".repeat(61)}`)).toBe(true);
    expect(isValidName(`${label}.${label}.${label}.${"a".repeat(62)}`)).toBe(false);
    expect(isValidName("example.com.")).toBe(true);
  });
});

describe("RFC 1035 §3.1: names", () => {
  const read = (hex: string, at = 0) => {
    const data = bytesFromHex(hex);
    return decodeName(viewOf(data), 0, data.length, at);
  };

  test("§5.1: dots, backslashes and odd bytes inside labels are escaped", () => {
    expect(read("03612e62 025c00 00")).toEqual({ name: "a\\.b.\\\\\\000", next: 8 });
    expect(encodeName("a\\.b.\\\\\\000")).toEqual([...bytesFromHex("03612e62025c0000")]);
  });

  test("§4.1.4: pointers go strictly backwards: no loops, to itself or to each other", () => {
    expect(read("0161 c000", 2)).toBeUndefined();
    expect(read("c000")).toBeUndefined();
    expect(read("c002 c000")).toBeUndefined();
    expect(read("c002 c000", 2)).toBeUndefined();
    expect(read("016100 0162c000", 3)).toEqual({ name: "b.a", next: 7 });
  });

  test("a chain of more pointers than a name can have labels is refused", () => {
    const chain = (pointers: number) => {
      const data = new Uint8Array(2 + 2 * pointers);
      const view = viewOf(data);
      for (let i = 2; i < data.length; i += 2) view.setUint16(i, 0xc000 | (i - 2));
      return decodeName(view, 0, data.length, data.length - 2);
    };
    expect(chain(127)).toEqual({ name: ".", next: 256 });
    expect(chain(128)).toBeUndefined();
    expect(chain(8000)).toBeUndefined();
  });

  test("§2.3.4: 255 bytes at most, labels up to 63, nothing cut", () => {
    expect(read("40" + "61".repeat(64) + "00")).toBeUndefined();
    expect(read("80610000")).toBeUndefined();
    expect(read("0361")).toBeUndefined();
    expect(read("0161")).toBeUndefined();
    expect(read("c0")).toBeUndefined();
    expect(read("")).toBeUndefined();
    const longest = `${"3f" + "61".repeat(63)}`.repeat(3);
    expect(read(`${longest}3d${"61".repeat(61)}00`)?.next).toBe(255);
    expect(read(`${longest}3e${"61".repeat(62)}00`)).toBeUndefined();
  });

  test("RFC 4343: case does not matter in comparison", () => {
    expect(sameName("WWW.Example.COM.", "www.example.com")).toBe(true);
    expect(sameName("a.b", "a\\.b")).toBe(false);
    expect(foldName(".")).toBe(".");
  });

  test("RFC 3597 §5: types by name and number", () => {
    expect([dnsTypeName(28), dnsTypeName(65280)]).toEqual(["AAAA", "TYPE65280"]);
    expect([dnsTypeNumber("aaaa"), dnsTypeNumber("TYPE65280"), dnsTypeNumber("nope")]).toEqual([
      28,
      65280,
      undefined,
    ]);
  });
});
