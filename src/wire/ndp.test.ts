import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpAddress, parseAddress, solicitedNode } from "../base/address.ts";
import { MacAddress, parseMac } from "../base/mac.ts";
import { bytesFromHex, hexOf, viewOf } from "./bytes.ts";
import { pseudoSumWords } from "./checksum.ts";
import { encodeIcmpv6 } from "./icmp-fields.ts";
import { validateIcmpv6 } from "./icmpv6.ts";
import { encodeIpv6 } from "./ip-fields.ts";
import {
  NA_OVERRIDE,
  NA_SOLICITED,
  NDP_OPTION_SOURCE_LINK,
  findNdpOption,
  ndpLinkHigh,
  ndpLinkLow,
  validateNdp,
  writeNeighborMessage,
  writeRouterSolicitation,
} from "./ndp.ts";
import { decodeNdp, encodeNdp, type NdpMessage, type NdpOption } from "./ndp-fields.ts";
import { BAD_FIELD, BAD_OPTION, BAD_TRUNCATED, OK } from "./verdict.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.nat(0xffffffff);
const address = fc.tuple(int32, int32, int32, int32).map((w) => new IpAddress(...w));
const mac = fc.tuple(fc.nat(0xffff), int32).map(([high, low]) => new MacAddress(high, low));
const me = parseAddress("fe80::1");
const you = parseAddress("fe80::2");
const link = parseMac("02:00:00:00:00:01");
const any = parseAddress("::");

const option: fc.Arbitrary<NdpOption> = fc.oneof(
  fc.record({ kind: fc.constantFrom("sourceLink" as const, "targetLink" as const), mac }),
  fc.record({
    kind: fc.constant("prefix" as const),
    prefix: address,
    prefixLength: fc.nat(128),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validLifetimeS: uint32,
    preferredLifetimeS: uint32,
  }),
  fc.record({ kind: fc.constant("mtu" as const), mtu: uint32 }),
  fc.record({
    kind: fc.constant("redirected" as const),
    packet: fc.nat(8).chain((n) => fc.uint8Array({ minLength: 8 * n, maxLength: 8 * n })),
  }),
  fc.record({
    kind: fc.constant("rdnss" as const),
    lifetimeS: uint32,
    servers: fc.array(address, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("dnssl" as const),
    lifetimeS: uint32,
    domains: fc.array(fc.constantFrom("example.com", "a", "x.y.z"), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("other" as const),
    number: fc.integer({ min: 100, max: 255 }),
    data: fc.uint8Array({ minLength: 14, maxLength: 14 }),
  }),
);
const options = fc.array(option, { maxLength: 4 });
const message: fc.Arbitrary<NdpMessage> = fc.oneof(
  fc.record({ type: fc.constant("routerSolicitation" as const), options }),
  fc.record({
    type: fc.constant("routerAdvertisement" as const),
    hopLimit: fc.nat(255),
    managed: fc.boolean(),
    otherConfig: fc.boolean(),
    routerLifetimeS: fc.nat(0xffff),
    reachableTimeMs: uint32,
    retransTimerMs: uint32,
    options,
  }),
  fc.record({ type: fc.constant("neighborSolicitation" as const), target: address, options }),
  fc.record({
    type: fc.constant("neighborAdvertisement" as const),
    target: address,
    router: fc.boolean(),
    solicited: fc.boolean(),
    override: fc.boolean(),
    options,
  }),
  fc.record({
    type: fc.constant("redirect" as const),
    target: address,
    destination: address,
    options,
  }),
);

describe("neighbor discovery", () => {
  test("RFC 4861 §4: any message survives the wire with a valid checksum", () => {
    fc.assert(
      fc.property(message, (given) => {
        const body = encodeNdp(given, me, you);
        expect(decodeNdp(viewOf(body), 0, body.length)).toEqual(given);
        const packet = encodeIpv6({ source: me, destination: you, nextHeader: 58 }, body);
        expect(validateIcmpv6(viewOf(packet), 40, body.length, 0)).toBe(OK);
      }),
    );
  });

  test("RFC 4861 §4.3: messages written in place equal encoded ones", () => {
    const bytes = new Uint8Array(40);
    const view = viewOf(bytes);
    const pseudo = (length: number) =>
      pseudoSumWords(me.w0, me.w1, me.w2, me.w3, you.w0, you.w1, you.w2, you.w3, 58, length);
    const t = parseAddress("fd00::7");
    const write = (type: number, flags: number, withLink: boolean) =>
      hexOf(
        bytes.subarray(
          0,
          writeNeighborMessage(
            view,
            0,
            type,
            flags,
            t.w0,
            t.w1,
            t.w2,
            t.w3,
            withLink,
            link.high,
            link.low,
            pseudo(withLink ? 32 : 24),
          ),
        ),
      );
    const encode = (given: NdpMessage) => hexOf(encodeNdp(given, me, you));
    expect(write(135, 0, true)).toBe(
      encode({
        type: "neighborSolicitation",
        target: t,
        options: [{ kind: "sourceLink", mac: link }],
      }),
    );
    expect(findNdpOption(view, 0, 32, NDP_OPTION_SOURCE_LINK)).toBe(24);
    expect([ndpLinkHigh(view, 24), ndpLinkLow(view, 24)]).toEqual([link.high, link.low]);
    expect(write(135, 0, false)).toBe(
      encode({ type: "neighborSolicitation", target: t, options: [] }),
    );
    expect(write(136, NA_SOLICITED | NA_OVERRIDE, true)).toBe(
      encode({
        type: "neighborAdvertisement",
        target: t,
        router: false,
        solicited: true,
        override: true,
        options: [{ kind: "targetLink", mac: link }],
      }),
    );
    const length = writeRouterSolicitation(view, 0, true, link.high, link.low, pseudo(16));
    expect(hexOf(bytes.subarray(0, length))).toBe(
      encode({ type: "routerSolicitation", options: [{ kind: "sourceLink", mac: link }] }),
    );
  });
});

describe("RFC 4861: which messages are valid", () => {
  const group = solicitedNode(you);
  const sourceLink: NdpOption = { kind: "sourceLink", mac: link };
  const solicitation: NdpMessage = { type: "neighborSolicitation", target: you, options: [] };
  const advertisement: NdpMessage = {
    type: "neighborAdvertisement",
    target: you,
    router: false,
    solicited: false,
    override: true,
    options: [],
  };
  const router: NdpMessage = {
    type: "routerAdvertisement",
    hopLimit: 64,
    managed: false,
    otherConfig: false,
    routerLifetimeS: 1800,
    reachableTimeMs: 0,
    retransTimerMs: 0,
    options: [],
  };

  function check(given: NdpMessage, source = me, destination = you, hopLimit = 255): number {
    const body = encodeNdp(given, source, destination);
    const packet = encodeIpv6({ source, destination, nextHeader: 58, hopLimit }, body);
    return validateNdp(viewOf(packet), 40, body.length, 0);
  }

  test("§6.1, §7.1: all need hop limit 255", () => {
    for (const given of [solicitation, advertisement, router]) {
      expect(check(given)).toBe(OK);
      expect(check(given, me, you, 254)).toBe(BAD_FIELD);
    }
  });

  test("§7.1.1: a solicitation's target is no group; from :: it goes to the solicited-node group, without link option", () => {
    expect(check({ ...solicitation, target: group })).toBe(BAD_FIELD);
    expect(check(solicitation, any, group)).toBe(OK);
    expect(check(solicitation, any, you)).toBe(BAD_FIELD);
    expect(check(solicitation, any, parseAddress("ff02::1"))).toBe(BAD_FIELD);
    expect(check({ ...solicitation, options: [sourceLink] }, any, group)).toBe(BAD_FIELD);
    expect(check({ ...solicitation, options: [sourceLink] }, me, group)).toBe(OK);
  });

  test("§7.1.2: an advertisement to a group is not solicited", () => {
    const all = parseAddress("ff02::1");
    expect(check(advertisement, me, all)).toBe(OK);
    expect(check({ ...advertisement, solicited: true }, me, all)).toBe(BAD_FIELD);
    expect(check({ ...advertisement, target: group })).toBe(BAD_FIELD);
  });

  test("§6.1.1, §6.1.2: router messages", () => {
    expect(check(router, parseAddress("fd00::1"))).toBe(BAD_FIELD);
    const rs: NdpMessage = { type: "routerSolicitation", options: [sourceLink] };
    expect(check(rs, me, parseAddress("ff02::2"))).toBe(OK);
    expect(check(rs, any, parseAddress("ff02::2"))).toBe(BAD_FIELD);
    expect(check({ ...rs, options: [] }, any, parseAddress("ff02::2"))).toBe(OK);
  });

  test("§8.1: a redirect comes from a link-local router, to a router or the destination itself", () => {
    const far = parseAddress("2001:db8::9");
    const redirect: NdpMessage = { type: "redirect", target: you, destination: far, options: [] };
    expect(check(redirect)).toBe(OK);
    expect(check({ ...redirect, target: far })).toBe(OK);
    expect(check({ ...redirect, target: parseAddress("2001:db8::8") })).toBe(BAD_FIELD);
    expect(check({ ...redirect, destination: group })).toBe(BAD_FIELD);
    expect(check(redirect, parseAddress("fd00::1"))).toBe(BAD_FIELD);
  });

  test("§6.1, §7.1: short messages, a code, options of length 0 or past the end", () => {
    const checkBytes = (type: number, body: string, code = 0) => {
      const icmp = encodeIcmpv6({ type, code, body: bytesFromHex(body) }, me, you);
      const packet = encodeIpv6(
        { source: me, destination: you, nextHeader: 58, hopLimit: 255 },
        icmp,
      );
      expect(decodeNdp(viewOf(icmp), 0, icmp.length) === undefined).toBe(
        body.length !== 32 || type !== 135,
      );
      return validateNdp(viewOf(packet), 40, icmp.length, 0);
    };
    const target = "fd000000000000000000000000000001";
    expect(checkBytes(135, target.slice(2))).toBe(BAD_TRUNCATED);
    expect(checkBytes(134, "0000")).toBe(BAD_TRUNCATED);
    expect(checkBytes(135, target, 1)).toBe(BAD_FIELD);
    expect(checkBytes(135, `${target}0100000000000000`)).toBe(BAD_OPTION);
    expect(checkBytes(135, `${target}0102000000000000`)).toBe(BAD_OPTION);
    expect(checkBytes(135, `${target}01`)).toBe(BAD_OPTION);
  });
});
