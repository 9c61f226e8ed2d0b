import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpAddress, ipv4Address, parseAddress } from "../base/address.ts";
import { bytesFromHex, hexOf, viewOf } from "./bytes.ts";
import { decodeIpv4, decodeIpv6, encodeIpv4, encodeIpv6 } from "./ip-fields.ts";
import {
  decrementIpv4Ttl,
  ipv4FragmentOffset,
  ipv4IsFragment,
  ipv4Ttl,
  setIpv4Ecn,
  ipv4Ecn,
  validateIpv4,
} from "./ipv4.ts";
import {
  checkIpv4Options,
  findIpv4Option,
  IPV4_OPTION_ROUTER_ALERT,
  IPV4_OPTIONS_FINE,
  IPV4_OPTIONS_SOURCE_ROUTE,
} from "./ipv4-options.ts";
import { ipv6Ecn, setIpv6Ecn, validateIpv6 } from "./ipv6.ts";
import {
  BAD_CHECKSUM,
  BAD_HEADER_LENGTH,
  BAD_LENGTH,
  BAD_TRUNCATED,
  BAD_VERSION,
  OK,
  verdictName,
} from "./verdict.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const source = parseAddress("10.0.0.1");
const destination = parseAddress("10.0.0.2");
const plain = () => encodeIpv4({ source, destination, protocol: 17 }, new Uint8Array(8));
const verdict = (bytes: Uint8Array, length = bytes.length) =>
  verdictName(validateIpv4(viewOf(bytes), 0, length));

describe("IPv4", () => {
  test("RFC 791 §3.1: a header in bytes", () => {
    const bytes = encodeIpv4(
      { source, destination, protocol: 6, identification: 0x1234, tos: 0x10, ttl: 63 },
      bytesFromHex("aabb"),
    );
    expect(hexOf(bytes)).toBe("45100016123440003f06159c0a0000010a000002aabb");
    expect(validateIpv4(viewOf(bytes), 0, bytes.length)).toBe(OK);
  });

  test("any fields survive the wire", () => {
    const fields = fc.record({
      source: word.map(ipv4Address),
      destination: word.map(ipv4Address),
      protocol: fc.nat(255),
      ttl: fc.nat(255),
      tos: fc.nat(255),
      identification: fc.nat(0xffff),
      dontFragment: fc.boolean(),
      moreFragments: fc.boolean(),
      fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
      options: fc.nat(10).chain((n) => fc.uint8Array({ minLength: 4 * n, maxLength: 4 * n })),
    });
    fc.assert(
      fc.property(fields, fc.uint8Array({ maxLength: 40 }), (given, payload) => {
        const bytes = encodeIpv4(given, payload);
        expect(validateIpv4(viewOf(bytes), 0, bytes.length)).toBe(OK);
        const read = decodeIpv4(viewOf(bytes), 0, bytes.length);
        expect(read).toMatchObject(given);
        expect(read?.totalLength).toBe(bytes.length);
        expect(read?.headerLength).toBe(20 + given.options.length);
        expect(ipv4IsFragment(viewOf(bytes), 0)).toBe(
          given.moreFragments || given.fragmentOffset > 0,
        );
        expect(ipv4FragmentOffset(viewOf(bytes), 0)).toBe(given.fragmentOffset);
      }),
    );
  });

  test("RFC 1122 §3.2.1: what is wrong with a header is named", () => {
    const names = [BAD_TRUNCATED, BAD_VERSION, BAD_HEADER_LENGTH, BAD_LENGTH, BAD_CHECKSUM];
    const [truncated, version, headerLength, length, checksum] = names.map(verdictName);
    const broken = (at: number, value: number) => {
      const bytes = plain();
      bytes[at] = value;
      return bytes;
    };
    expect(verdict(plain())).toBe("ok");
    expect(verdict(plain(), 19)).toBe(truncated);
    expect(verdict(plain(), 27)).toBe(truncated);
    expect(verdict(broken(0, 0x55))).toBe(version);
    expect(verdict(broken(0, 0x44))).toBe(headerLength);
    expect(verdict(broken(0, 0x4f))).toBe(headerLength);
    expect(verdict(broken(3, 19))).toBe(length);
    expect(verdict(broken(8, 63))).toBe(checksum);
  });

  test("RFC 894: padding behind the total length is no fault", () => {
    const padded = new Uint8Array(46);
    padded.set(plain());
    expect(verdict(padded)).toBe("ok");
  });

  test("RFC 1624: TTL and ECN change in place and the checksum still holds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), fc.nat(0xffff), fc.nat(3), (ttl, id, ecn) => {
        const bytes = encodeIpv4(
          { source, destination, protocol: 6, ttl, identification: id },
          new Uint8Array(0),
        );
        const view = viewOf(bytes);
        decrementIpv4Ttl(view, 0);
        setIpv4Ecn(view, 0, ecn);
        expect(validateIpv4(view, 0, 20)).toBe(OK);
        expect([ipv4Ttl(view, 0), ipv4Ecn(view, 0)]).toEqual([ttl - 1, ecn]);
      }),
    );
  });

  test("RFC 7126 §4.3: a source route is seen, other options pass, broken ones are pointed at", () => {
    const check = (hex: string) => {
      const options = bytesFromHex(hex);
      const bytes = encodeIpv4({ source, destination, protocol: 6, options }, new Uint8Array(0));
      return checkIpv4Options(viewOf(bytes), 0);
    };
    expect(check("")).toBe(IPV4_OPTIONS_FINE);
    expect(check("01 94040000 00ffff")).toBe(IPV4_OPTIONS_FINE);
    expect(check("83070401020304 00")).toBe(IPV4_OPTIONS_SOURCE_ROUTE);
    expect(check("01 89070401020304")).toBe(IPV4_OPTIONS_SOURCE_ROUTE);
    expect(check("01010107")).toBe(23);
    expect(check("01940100")).toBe(22);
    expect(check("01940900")).toBe(22);
    const alert = encodeIpv4(
      { source, destination, protocol: 2, options: bytesFromHex("0194040000") },
      new Uint8Array(0),
    );
    expect(findIpv4Option(viewOf(alert), 0, IPV4_OPTION_ROUTER_ALERT)).toBe(21);
    expect(findIpv4Option(viewOf(alert), 0, 7)).toBe(0);
  });
});

describe("IPv6", () => {
  const address = fc
    .tuple(word, word, word, word)
    .map(([w0, w1, w2, w3]) => new IpAddress(w0, w1, w2, w3));

  test("RFC 8200 §3: any fields survive the wire", () => {
    const fields = fc.record({
      source: address,
      destination: address,
      nextHeader: fc.nat(255),
      hopLimit: fc.nat(255),
      trafficClass: fc.nat(255),
      flowLabel: fc.nat(0xfffff),
    });
    fc.assert(
      fc.property(fields, fc.uint8Array({ maxLength: 40 }), fc.nat(3), (given, payload, ecn) => {
        const bytes = encodeIpv6(given, payload);
        const view = viewOf(bytes);
        expect(validateIpv6(view, 0, bytes.length)).toBe(OK);
        expect(decodeIpv6(view, 0, bytes.length)).toEqual({
          ...given,
          payloadLength: payload.length,
        });
        setIpv6Ecn(view, 0, ecn);
        expect(ipv6Ecn(view, 0)).toBe(ecn);
        expect(decodeIpv6(view, 0, bytes.length)).toEqual({
          ...given,
          trafficClass: (given.trafficClass & 0xfc) | ecn,
          payloadLength: payload.length,
        });
      }),
    );
  });

  test("RFC 8200 §3: short, foreign and cut packets are named", () => {
    const from = parseAddress("fd00::1");
    const bytes = encodeIpv6(
      { source: from, destination: from, nextHeader: 59 },
      new Uint8Array(8),
    );
    const view = viewOf(bytes);
    expect(validateIpv6(view, 0, 39)).toBe(BAD_TRUNCATED);
    expect(validateIpv6(view, 0, 47)).toBe(BAD_TRUNCATED);
    bytes[0] = 0x45;
    expect(validateIpv6(view, 0, 48)).toBe(BAD_VERSION);
  });
});
