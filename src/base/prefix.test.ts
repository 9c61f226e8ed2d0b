import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressError, IpAddress, parseAddress } from "./address.ts";
import { commonPrefixLength, parsePrefix, tryParsePrefix } from "./prefix.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe("prefixes", () => {
  test("10.9.0.2/24 knows its network, broadcast and members", () => {
    const prefix = parsePrefix("10.9.0.2/24");
    expect(prefix.toString()).toBe("10.9.0.2/24");
    expect(prefix.network.toString()).toBe("10.9.0.0");
    expect(prefix.broadcast?.toString()).toBe("10.9.0.255");
    expect(prefix.length128).toBe(120);
    expect(prefix.contains(parseAddress("10.9.0.255"))).toBe(true);
    expect(prefix.contains(parseAddress("10.9.1.0"))).toBe(false);
    expect(prefix.contains(parseAddress("::a09:2"))).toBe(false);
  });

  test("the default routes hold their family only", () => {
    expect(parsePrefix("0.0.0.0/0").contains(parseAddress("255.1.2.3"))).toBe(true);
    expect(parsePrefix("0.0.0.0/0").contains(parseAddress("2001:db8::1"))).toBe(false);
    expect(parsePrefix("::/0").contains(parseAddress("2001:db8::1"))).toBe(true);
  });

  test("RFC 3021: a /31 has no broadcast address, nor has a /32 or IPv6", () => {
    for (const text of ["10.0.0.0/31", "10.0.0.1/32", "fd00::1/64"]) {
      expect(parsePrefix(text).broadcast).toBeUndefined();
    }
  });

  test("mapped notation counts 128 bits", () => {
    expect(parsePrefix("::ffff:10.0.0.0/104").toString()).toBe("10.0.0.0/8");
    expect(tryParsePrefix("::ffff:10.0.0.0/8")).toBeUndefined();
  });

  test.each(["10.0.0.1", "10.0.0.1/33", "::/129", "10.0.0.1/", "10.0.0.1/08", "10.0.0.1/-1", "/8"])(
    "%s is no prefix",
    (text) => {
      expect(tryParsePrefix(text)).toBeUndefined();
      expect(() => parsePrefix(text)).toThrow(AddressError);
    },
  );

  test("membership agrees with counting common leading bits", () => {
    fc.assert(
      fc.property(
        word,
        word,
        word,
        word,
        fc.nat(128),
        fc.nat(127),
        (w0, w1, w2, w3, length, bit) => {
          const a = new IpAddress(w0, w1, w2, w3);
          fc.pre(!a.isIpv4);
          const words = [w0, w1, w2, w3];
          words[bit >>> 5] ^= 1 << (31 - (bit & 31));
          const b = new IpAddress(words[0], words[1], words[2], words[3]);
          fc.pre(!b.isIpv4);
          expect(commonPrefixLength(a, b)).toBe(bit);
          expect(commonPrefixLength(a, a)).toBe(128);
          expect(parsePrefix(`${a}/${length}`).contains(b)).toBe(bit >= length);
        },
      ),
    );
  });
});
