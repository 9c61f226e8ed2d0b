import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ipv4Address, parseAddress } from "../base/address.ts";
import { MacAddress, parseMac } from "../base/mac.ts";
import { validateArp } from "./arp.ts";
import { bytesFromHex, hexOf, viewOf } from "./bytes.ts";
import { validateEthernet } from "./ethernet.ts";
import { decodeArp, decodeEthernet, encodeArp, encodeEthernet } from "./ethernet-fields.ts";
import { decodeFrame, encodeTcpPacket, encodeUdpPacket } from "./frame-fields.ts";
import { decodeIcmp, encodeIcmpv4, encodeIcmpv6 } from "./icmp-fields.ts";
import {
  ICMP_HEADER,
  icmpEchoId,
  icmpEchoSequence,
  icmpIsError,
  icmpNextHopMtu,
  validateIcmpv4,
  writeIcmpv4Header,
} from "./icmpv4.ts";
import { icmpv6IsError, icmpv6Mtu, validateIcmpv6, writeIcmpv6Header } from "./icmpv6.ts";
import { encodeIpv4, encodeIpv6 } from "./ip-fields.ts";
import { pseudoSumIpv6 } from "./checksum.ts";
import { decodeUdp, encodeUdp } from "./udp-fields.ts";
import { transportSum } from "./transport-sum.ts";
import { validateUdp } from "./udp.ts";
import { BAD_CHECKSUM, BAD_LENGTH, BAD_TRUNCATED, BAD_TYPE, OK } from "./verdict.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const mac = fc.tuple(fc.nat(0xffff), int32).map(([high, low]) => new MacAddress(high, low));
const ip4 = int32.map(ipv4Address);
const a4 = parseAddress("10.0.0.1");
const b4 = parseAddress("10.0.0.2");
const a6 = parseAddress("fd00::1");
const b6 = parseAddress("fd00::2");

describe("Ethernet", () => {
  test("RFC 894, 802.1Q: any header survives, tagged or not", () => {
    const fields = fc.record({
      destination: mac,
      source: mac,
      type: fc.nat(0xffff).filter((type) => type !== 0x8100 && type !== 0x88a8),
      vlan: fc.option(fc.nat(0xfff), { nil: undefined }),
    });
    fc.assert(
      fc.property(fields, (given) => {
        const bytes = encodeEthernet(given, new Uint8Array(3));
        const headerLength = given.vlan === undefined ? 14 : 18;
        expect(decodeEthernet(viewOf(bytes), 0, bytes.length)).toEqual({ ...given, headerLength });
        expect(validateEthernet(viewOf(bytes), 0, headerLength)).toBe(OK);
        expect(validateEthernet(viewOf(bytes), 0, headerLength - 1)).toBe(BAD_TRUNCATED);
      }),
    );
  });

  test("802.1ad: two tags are stepped over, the outer one is told", () => {
    const frame = bytesFromHex("020000000001 020000000002 88a8 0064 8100 0007 0800 45");
    expect(decodeEthernet(viewOf(frame), 0, frame.length)).toMatchObject({
      vlan: 100,
      type: 0x0800,
      headerLength: 22,
    });
  });
});

describe("ARP", () => {
  test("RFC 826: any packet survives the wire", () => {
    const fields = fc.record({
      operation: fc.nat(0xffff),
      senderMac: mac,
      senderIp: ip4,
      targetMac: mac,
      targetIp: ip4,
    });
    fc.assert(
      fc.property(fields, (given) => {
        const bytes = encodeArp(given);
        expect(decodeArp(viewOf(bytes), 0, bytes.length)).toEqual(given);
      }),
    );
  });

  test("RFC 826: a request in bytes; other hardware and protocols are refused", () => {
    const bytes = encodeArp({
      operation: 1,
      senderMac: parseMac("02:00:00:00:00:01"),
      senderIp: a4,
      targetMac: parseMac("00:00:00:00:00:00"),
      targetIp: b4,
    });
    expect(hexOf(bytes)).toBe("00010800060400010200000000010a0000010000000000000a000002");
    expect(validateArp(viewOf(bytes), 0, 27)).toBe(BAD_TRUNCATED);
    for (const [at, value] of [
      [1, 2],
      [2, 9],
      [4, 8],
      [5, 16],
    ]) {
      const other = bytes.slice();
      other[at] = value;
      expect(validateArp(viewOf(other), 0, 28)).toBe(BAD_TYPE);
    }
  });
});

describe("UDP", () => {
  test("RFC 768: any datagram survives with a valid checksum that is never 0", () => {
    const port = fc.nat(0xffff);
    fc.assert(
      fc.property(
        port,
        port,
        fc.uint8Array({ maxLength: 50 }),
        (sourcePort, destinationPort, p) => {
          for (const [source, destination] of [
            [a4, b4],
            [a6, b6],
          ]) {
            const bytes = encodeUdp({ sourcePort, destinationPort }, p, source, destination);
            expect(transportSum(bytes, 17, source, destination)).toBe(0xffff);
            const read = decodeUdp(viewOf(bytes), 0, bytes.length);
            expect(read).toMatchObject({ sourcePort, destinationPort, length: 8 + p.length });
            expect(read?.checksum).not.toBe(0);
          }
        },
      ),
    );
  });

  test("RFC 768: a stated length under 8 or beyond the packet is refused, padding is not", () => {
    const bytes = encodeUdp({ sourcePort: 1, destinationPort: 2, length: 12 }, new Uint8Array(6));
    expect(validateUdp(viewOf(bytes), 0, 14)).toBe(OK);
    expect(validateUdp(viewOf(bytes), 0, 12)).toBe(OK);
    expect(validateUdp(viewOf(bytes), 0, 11)).toBe(BAD_TRUNCATED);
    expect(validateUdp(viewOf(bytes), 0, 7)).toBe(BAD_TRUNCATED);
    bytes[5] = 7;
    expect(validateUdp(viewOf(bytes), 0, 14)).toBe(BAD_LENGTH);
  });
});

describe("ICMP", () => {
  const fields = fc.record({
    type: fc.nat(255),
    code: fc.nat(255),
    rest: int32,
    body: fc.uint8Array({ maxLength: 40 }),
  });

  test("RFC 792, RFC 4443 §2.3: any message survives; one changed bit does not", () => {
    fc.assert(
      fc.property(fields, fc.nat(7), fc.nat(0xffff), (given, bit, where) => {
        const v4 = encodeIcmpv4(given);
        expect(decodeIcmp(viewOf(v4), 0, v4.length)).toMatchObject(given);
        expect(validateIcmpv4(viewOf(v4), 0, v4.length)).toBe(OK);
        const v6 = encodeIpv6(
          { source: a6, destination: b6, nextHeader: 58 },
          encodeIcmpv6(given, a6, b6),
        );
        expect(validateIcmpv6(viewOf(v6), 40, v6.length - 40, 0)).toBe(OK);
        v4[where % v4.length] ^= 1 << bit;
        expect(validateIcmpv4(viewOf(v4), 0, v4.length)).toBe(BAD_CHECKSUM);
        v6[8 + (where % (v6.length - 8))] ^= 1 << bit;
        expect(validateIcmpv6(viewOf(v6), 40, v6.length - 40, 0)).toBe(BAD_CHECKSUM);
      }),
    );
  });

  test("headers written in place equal encoded messages", () => {
    fc.assert(
      fc.property(fields, ({ type, code, rest, body }) => {
        const length = ICMP_HEADER + body.length;
        const written = new Uint8Array(length);
        written.set(body, ICMP_HEADER);
        const view = viewOf(written);
        writeIcmpv4Header(view, 0, length, type, code, rest);
        expect(hexOf(written)).toBe(hexOf(encodeIcmpv4({ type, code, rest, body })));
        const pseudo = pseudoSumIpv6(
          a6.w0,
          a6.w1,
          a6.w2,
          a6.w3,
          b6.w0,
          b6.w1,
          b6.w2,
          b6.w3,
          58,
          length,
        );
        writeIcmpv6Header(view, 0, length, type, code, rest, pseudo);
        expect(hexOf(written)).toBe(hexOf(encodeIcmpv6({ type, code, rest, body }, a6, b6)));
      }),
    );
  });

  test("RFC 792, RFC 1191 §4, RFC 4443 §3.2: the fields in bytes 4 to 7", () => {
    const view = viewOf(encodeIcmpv4({ type: 8, rest: 0x12340007 }));
    expect([icmpEchoId(view, 0), icmpEchoSequence(view, 0)]).toEqual([0x1234, 7]);
    expect(icmpNextHopMtu(viewOf(encodeIcmpv4({ type: 3, code: 4, rest: 1400 })), 0)).toBe(1400);
    expect(icmpv6Mtu(viewOf(encodeIcmpv6({ type: 2, rest: -1 }, a6, b6)), 0)).toBe(0xffffffff);
  });

  test("RFC 1122 §3.2.2, RFC 4443 §2.4: which types are errors", () => {
    const errors = Array.from({ length: 256 }, (_, type) => type);
    expect(errors.filter(icmpIsError)).toEqual([3, 4, 5, 11, 12]);
    expect(errors.filter(icmpv6IsError)).toEqual(errors.slice(0, 128));
  });
});

describe("whole frames as objects", () => {
  const ethernet = {
    destination: parseMac("02:00:00:00:00:02"),
    source: parseMac("02:00:00:00:00:01"),
  };

  test("a TCP segment in Ethernet, padding left out", () => {
    const packet = encodeTcpPacket(
      { source: a4, destination: b4, ttl: 9 },
      { sourcePort: 1, destinationPort: 2, flags: 0x18, sequence: 5 },
      bytesFromHex("aabb"),
    );
    const frame = encodeEthernet({ ...ethernet, type: 0x0800 }, packet);
    const padded = new Uint8Array(frame.length + 4);
    padded.set(frame);
    const read = decodeFrame(viewOf(padded), 0, padded.length, "ethernet");
    expect(read).toMatchObject({
      protocol: 6,
      isFragment: false,
      transportAt: 34,
      transportLength: 22,
      payloadAt: 54,
      payloadLength: 2,
    });
    expect(read.ipv4?.ttl).toBe(9);
    expect(read.tcp?.sequence).toBe(5);
    expect(read.source?.toString()).toBe("10.0.0.1");
  });

  test("UDP over IPv6 as an IP packet", () => {
    const packet = encodeUdpPacket(
      { source: a6, destination: b6 },
      { sourcePort: 53, destinationPort: 99 },
      bytesFromHex("01"),
    );
    const read = decodeFrame(viewOf(packet), 0, packet.length, "ip");
    expect(read).toMatchObject({ protocol: 17, payloadAt: 48, payloadLength: 1 });
    expect(read.udp?.sourcePort).toBe(53);
    expect(read.ipv6?.hopLimit).toBe(64);
  });

  test("a later fragment has a payload and no ports", () => {
    const packet = encodeIpv4(
      { source: a4, destination: b4, protocol: 17, fragmentOffset: 8 },
      new Uint8Array(16),
    );
    const read = decodeFrame(viewOf(packet), 0, packet.length, "ip");
    expect(read).toMatchObject({ isFragment: true, payloadAt: 20, payloadLength: 16 });
    expect(read.udp).toBeUndefined();
  });
});
