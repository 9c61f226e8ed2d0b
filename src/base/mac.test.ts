import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressError, parseAddress } from "./address.ts";
import { MacAddress, macFromBytes, multicastMac, parseMac, tryParseMac } from "./mac.ts";

describe("MAC addresses", () => {
  test("any 48 bits survive text and bytes", () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        (high, low) => {
          const mac = new MacAddress(high, low);
          expect(parseMac(mac.toString()).equals(mac)).toBe(true);
          expect(macFromBytes(mac.toBytes())?.equals(mac)).toBe(true);
        },
      ),
    );
  });

  test("text is six pairs with one separator", () => {
    expect(parseMac("02-00-5E-10-00-FF").toString()).toBe("02:00:5e:10:00:ff");
    for (const text of [
      "",
      "02:00:00:00:00",
      "02:00:00:00:00:0g",
      "02:00-00:00:00:01",
      "2:0:0:0:0:1",
    ]) {
      expect(tryParseMac(text)).toBeUndefined();
    }
    expect(() => parseMac("nonsense")).toThrow(AddressError);
  });

  test.each([
    ["224.0.0.1", "01:00:5e:00:00:01"],
    ["239.255.255.250", "01:00:5e:7f:ff:fa"],
    ["255.255.255.255", "ff:ff:ff:ff:ff:ff"],
    ["ff02::1:ff0e:8c6c", "33:33:ff:0e:8c:6c"],
  ])("RFC 1112 §6.4, RFC 2464 §7: %s goes to %s", (group, mac) => {
    expect(multicastMac(parseAddress(group)).toString()).toBe(mac);
    expect(multicastMac(parseAddress(group)).isMulticast).toBe(true);
  });

  test("group and broadcast bits", () => {
    expect(parseMac("ff:ff:ff:ff:ff:ff").isBroadcast).toBe(true);
    expect(parseMac("ff:ff:ff:ff:ff:fe").isBroadcast).toBe(false);
    expect(parseMac("02:00:00:00:00:01").isMulticast).toBe(false);
  });
});
