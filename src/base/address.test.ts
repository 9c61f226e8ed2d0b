import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AddressError,
  addressFromBytes,
  formatIpv6,
  hashAddressWords,
  IPV6_ALL_NODES,
  IpAddress,
  ipv4Address,
  linkLocalFromMac,
  parseAddress,
  solicitedNode,
  tryParseAddress,
} from "./address.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const sparse = fc.oneof(fc.constant(0), fc.constant(1), word);

describe("text of addresses", () => {
  test.each([
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:AAAA::", "2001:db8:aaaa::"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["fe80::1%3", "fe80::1%3"],
    ["10.9.0.2", "10.9.0.2"],
    ["255.255.255.255", "255.255.255.255"],
  ])("RFC 5952 §4: %s is written %s", (text, canonical) => {
    expect(parseAddress(text).toString()).toBe(canonical);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.+4",
    "0x1.2.3.4",
    "1..2.3",
    "1.2.3.4%1",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    ":1::",
    "1:::2",
    "12345::",
    "g::",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%",
    "fe80::1%eth0",
    "fe80::1%01",
    "[::1]",
    "::1/64",
    "localhost",
  ])("RFC 4291 §2.2: %j is no address", (text) => {
    expect(tryParseAddress(text)).toBeUndefined();
    expect(() => parseAddress(text)).toThrow(AddressError);
  });

  test("any words survive text and back", () => {
    fc.assert(
      fc.property(sparse, sparse, sparse, sparse, fc.nat(9), (w0, w1, w2, w3, zone) => {
        const address = new IpAddress(w0, w1, w2, w3);
        const scoped = address.isIpv4 ? address : address.withScope(zone);
        expect(parseAddress(scoped.toString()).equals(scoped)).toBe(true);
        const bytes = address.toBytes();
        expect(addressFromBytes(bytes)?.equals(address)).toBe(true);
      }),
    );
  });

  test("any text is an address or is not, without an exception", () => {
    const alphabet = fc.constantFrom(..."0123456789abcdefF:.%x");
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 45 }), (text) => {
        const address = tryParseAddress(text);
        const again = address && parseAddress(address.toString());
        expect(again?.toString()).toBe(address?.toString());
      }),
      { numRuns: 2000 },
    );
  });

  test("RFC 5952 §5: a mapped address asked for as IPv6 ends in a dotted quad", () => {
    expect(formatIpv6(0, 0, 0xffff, 0x0a000001)).toBe("::ffff:10.0.0.1");
  });
});

describe("kinds of addresses", () => {
  const kinds = (text: string) => {
    const a = parseAddress(text);
    return [
      a.isIpv4 && "v4",
      a.isUnspecified && "unspecified",
      a.isLoopback && "loopback",
      a.isMulticast && "multicast",
      a.isLinkLocal && "link-local",
      a.isBroadcast && "broadcast",
      a.isUniqueLocal && "unique-local",
    ]
      .filter(Boolean)
      .join(" ");
  };
  test.each([
    ["0.0.0.0", "v4 unspecified"],
    ["::", "unspecified"],
    ["127.0.0.1", "v4 loopback"],
    ["127.255.0.3", "v4 loopback"],
    ["126.255.255.255", "v4"],
    ["128.0.0.1", "v4"],
    ["::1", "loopback"],
    ["::2", ""],
    ["223.255.255.255", "v4"],
    ["224.0.0.1", "v4 multicast"],
    ["239.255.255.255", "v4 multicast"],
    ["240.0.0.0", "v4"],
    ["255.255.255.255", "v4 broadcast"],
    ["ff02::1", "multicast"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["fec0::1", ""],
    ["169.254.1.1", "v4 link-local"],
    ["fd00::1", "unique-local"],
    ["fc00::1", "unique-local"],
    ["fe00::1", ""],
    ["2001:db8::1", ""],
  ])("RFC 4291 §2.4: %s is [%s]", (text, expected) => {
    expect(kinds(text)).toBe(expected);
  });

  test("RFC 4291 §2.7.1: the solicited-node address of 4037::01:800:200e:8c6c", () => {
    const group = solicitedNode(parseAddress("4037::01:800:200e:8c6c"));
    expect(group.toString()).toBe("ff02::1:ff0e:8c6c");
  });

  test("RFC 4291 appendix A: EUI-64 link-local address of a MAC", () => {
    expect(linkLocalFromMac(0x3456, 0x789abcde | 0).toString()).toBe("fe80::3656:78ff:fe9a:bcde");
  });
});

describe("order and hash", () => {
  test("addresses sort in network order, unsigned", () => {
    const texts = ["ff02::1", "::1", "255.0.0.1", "10.0.0.2", "10.0.0.10", "2001:db8::", "8000::"];
    const sorted = texts
      .map(parseAddress)
      .sort((a, b) => a.compare(b))
      .map(String);
    expect(sorted).toEqual([
      "::1",
      "10.0.0.2",
      "10.0.0.10",
      "255.0.0.1",
      "2001:db8::",
      "8000::",
      "ff02::1",
    ]);
  });

  test("equality knows the scope", () => {
    const a = parseAddress("fe80::1%1");
    expect(a.equals(parseAddress("fe80::1%1"))).toBe(true);
    expect(a.equals(parseAddress("fe80::1%2"))).toBe(false);
    expect(a.equals(IPV6_ALL_NODES)).toBe(false);
  });

  test("the hash depends on the seed and spreads neighboring addresses", () => {
    const buckets = new Set<number>();
    for (let i = 0; i < 256; i++) {
      buckets.add(hashAddressWords(0, 0, 0xffff, ipv4Address(0x0a000000 + i).w3, 7) & 1023);
    }
    // 256 balls into 1024 bins fill 226.6 on average; a linear or constant hash fails either way.
    expect(buckets.size).toBeGreaterThan(200);
    expect(buckets.size).toBeLessThan(256);
    expect(hashAddressWords(0, 0, 0xffff, 1, 1)).not.toBe(hashAddressWords(0, 0, 0xffff, 1, 2));
  });
});
