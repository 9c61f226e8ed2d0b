import { afterEach, describe, expect, test } from "vitest";
import {
  counting,
  HOST4,
  HOST6,
  HOST_MAC,
  PEER4,
  PEER6,
  udp,
  WirePeer,
} from "../../test/support/wire-peer.ts";
import { parseAddress } from "../base/address.ts";
import { MAC_BROADCAST } from "../base/mac.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { concatBytes } from "../wire/bytes.ts";
import { encodeIcmpv4 } from "../wire/icmp-fields.ts";
import { encodeIpv4, encodeIpv6 } from "../wire/ip-fields.ts";

let peer: WirePeer;
afterEach(() => peer.end());

/** Records what is delivered for protocol 200. */
function listen(p: WirePeer, protocol = 200) {
  const heard: {
    from: number;
    length: number;
    tos: number;
    ttl: number;
    isMulticast: boolean;
    hasOptions: boolean;
    scope: number;
  }[] = [];
  p.host.observe(protocol, (packet: ReceivedPacket) => {
    heard.push({
      from: packet.source3,
      length: packet.length,
      tos: packet.tos,
      ttl: packet.ttl,
      isMulticast: packet.isMulticast,
      hasOptions: packet.hasOptions,
      scope: packet.scope,
    });
  });
  return heard;
}

const v4 = (fields: Partial<Parameters<typeof encodeIpv4>[0]> = {}, payload = counting(8)) =>
  encodeIpv4({ source: PEER4, destination: HOST4, protocol: 200, ...fields }, payload);
const v6 = (fields: Partial<Parameters<typeof encodeIpv6>[0]> = {}, payload = counting(8)) =>
  encodeIpv6({ source: PEER6, destination: HOST6, nextHeader: 200, ...fields }, payload);

describe("RFC 1122 §3.2.1: IPv4 headers", () => {
  test.each([
    [
      "§3.2.1.1 version",
      (b: Uint8Array): void => {
        b[0] = 0x55;
      },
      "ipInHdrErrors",
    ],
    [
      "§3.2.1.2 checksum",
      (b: Uint8Array): void => {
        b[10]! ^= 1;
      },
      "ipInCsumErrors",
    ],
    [
      "header length below 20",
      (b: Uint8Array): void => {
        b[0] = 0x44;
      },
      "ipInHdrErrors",
    ],
    [
      "total length below the header",
      (b: Uint8Array): void => {
        b[3] = 19;
      },
      "ipInHdrErrors",
    ],
    [
      "total length beyond the frame",
      (b: Uint8Array): void => {
        b[3] = 200;
      },
      "ipInTruncatedPkts",
    ],
  ] as const)("%s: dropped in silence and counted", (_name, spoil, counter) => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    const packet = v4();
    spoil(packet);
    peer.packet(packet).run();
    expect(heard).toEqual([]);
    expect(peer.lines()).toEqual([]);
    expect(peer.counters[counter]).toBe(1);
  });

  test("a good packet is delivered with its fields", () => {
    peer = new WirePeer();
    const heard = listen(peer);
    peer.packet(v4({ tos: 0x2e, ttl: 7 })).run();
    expect(heard).toEqual([
      {
        from: PEER4.w3,
        length: 8,
        tos: 0x2e,
        ttl: 7,
        isMulticast: false,
        hasOptions: false,
        scope: 0,
      },
    ]);
    expect([peer.counters.ipInReceives, peer.counters.ipInDelivers]).toEqual([1, 1]);
  });

  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "224.0.0.5",
    "255.255.255.255",
    "10.0.0.255",
    "240.1.1.1",
    "10.0.0.1",
  ])("§3.2.1.3: %s may not be a source here", (source) => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    peer.packet(v4({ source: parseAddress(source) })).run();
    expect([heard, peer.lines(), peer.counters.ipInMartians]).toEqual([[], [], 1]);
  });

  test.each(["127.0.0.1", "0.0.0.0", "10.0.0.7", "241.0.0.1"])(
    "%s is not a destination of ours",
    (destination) => {
      peer = new WirePeer().knowPeer();
      const heard = listen(peer);
      peer.packet(v4({ destination: parseAddress(destination) })).run();
      expect([heard, peer.lines(), peer.counters.ipInAddrErrors]).toEqual([[], [], 1]);
    },
  );

  test("every packet is checked, also behind a good one of the same addresses", () => {
    peer = new WirePeer();
    const heard = listen(peer);
    peer.packet(v4());
    peer.packet(v4(), MAC_BROADCAST);
    peer.iface.removeAddress("10.0.0.1");
    peer.packet(v4()).run();
    expect(heard).toHaveLength(1);
  });

  test("broadcasts, limited and of the subnet, are received as such", () => {
    peer = new WirePeer();
    const heard = listen(peer);
    for (const to of ["255.255.255.255", "10.0.0.255"])
      peer.packet(v4({ destination: parseAddress(to) }), MAC_BROADCAST);
    peer.run();
    expect(heard.map((h) => h.isMulticast)).toEqual([true, true]);
  });

  test("§3.2.1.8: options are skipped; a malformed one brings a parameter problem that points at it", () => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    peer.packet(v4({ options: Uint8Array.of(1, 7, 3, 4) })).run();
    expect(heard).toMatchObject([{ length: 8, hasOptions: true }]);
    peer.packet(v4({ options: Uint8Array.of(1, 7, 99, 4) })).run();
    const [error] = peer.packets();
    expect([error![20], error![21], error![24]]).toEqual([12, 0, 22]);
  });

  test("RFC 7126 §4.3: source routes are refused, with ICMP and a counter", () => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    peer.packet(v4({ options: Uint8Array.of(131, 7, 4, 10, 0, 0, 9, 0) })).run();
    expect([heard, peer.counters.ipInSourceRoutes]).toEqual([[], 1]);
    const [error] = peer.packets();
    expect([error![20], error![21]]).toEqual([3, 5]);
  });
});

describe("RFC 8200: IPv6 headers", () => {
  test("a good packet is delivered; link-local ones with their scope", () => {
    peer = new WirePeer();
    const heard = listen(peer);
    peer.packet(v6({ trafficClass: 0xb8, hopLimit: 9 }));
    peer.packet(v6({ source: parseAddress("fe80::99") })).run();
    expect(heard).toMatchObject([{ tos: 0xb8, ttl: 9, scope: 0 }, { scope: peer.iface.index }]);
  });

  test.each(["ff02::1", "::1", "::", "::ffff:10.0.0.2"])("%s may not be a source", (source) => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    // encodeIpv6 writes the words as they are, so an IPv4 address becomes a mapped one on the wire.
    peer.packet(v6({ source: parseAddress(source) })).run();
    expect([heard, peer.lines(), peer.counters.ipInMartians]).toEqual([[], [], 1]);
  });

  test.each(["::1", "::", "::ffff:10.0.0.1", "fe80::77", "fd00::77", "ff02::99", "ff01::1"])(
    "%s is no destination of ours",
    (destination) => {
      peer = new WirePeer().knowPeer();
      const heard = listen(peer);
      peer.packet(v6({ destination: parseAddress(destination) }), HOST_MAC).run();
      expect([heard, peer.lines()]).toEqual([[], []]);
    },
  );

  // 00: skip, 01: drop, 10 and 11: parameter problem; type 4, code 2, pointer 42 is the option.
  test.each([
    ["00", 0x1e, 1, []],
    ["01", 0x5e, 0, []],
    ["10", 0x9e, 0, [[4, 2, 42]]],
    ["11", 0xde, 0, [[4, 2, 42]]],
  ] as const)("§4.2: an unknown option with action bits %s", (_bits, kind, delivered, errors) => {
    peer = new WirePeer().knowPeer();
    const heard = listen(peer);
    const options = concatBytes(Uint8Array.of(200, 0, kind, 4, 0, 0, 0, 0), counting(8));
    peer.packet(v6({ nextHeader: 60 }, options)).run();
    expect(heard).toHaveLength(delivered);
    expect(peer.packets().map((p) => [p[40], p[41], p[47]])).toEqual(errors);
  });

  test("an IPv6 packet on a host without IPv6 is discarded", () => {
    peer = new WirePeer({ ipv6: false }, { addresses: ["10.0.0.1/24"] });
    peer.packet(v6()).run();
    expect([peer.counters.ipInDiscards, peer.lines()]).toEqual([1, []]);
  });
});

describe("what nobody speaks", () => {
  test("RFC 1122 §3.2.2.1: an unknown IPv4 protocol brings protocol unreachable with the packet quoted", () => {
    peer = new WirePeer().knowPeer();
    const packet = v4();
    peer.packet(packet).run();
    const [error] = peer.packets();
    expect([error![20], error![21]]).toEqual([3, 2]);
    expect(error!.slice(28)).toEqual(packet);
    expect(peer.counters.ipInUnknownProtos).toBe(1);
  });

  test("RFC 8200 §4: an unknown next header brings a parameter problem that points at the field", () => {
    peer = new WirePeer().knowPeer();
    peer.packet(v6()).run();
    const [error] = peer.packets();
    expect([error![40], error![41], error![47]]).toEqual([4, 1, 6]);
  });

  test("RFC 1122 §4.1.3.1: a transport that wants no such port: port unreachable", () => {
    peer = new WirePeer().knowPeer();
    peer.host.ip.registerTransport(17, { input: () => false, icmpError: () => {} });
    peer.ip(PEER4, HOST4, 17, udp(1, 2, counting(4)));
    peer.ip(PEER6, HOST6, 17, udp(1, 2, counting(4))).run();
    expect(
      peer.packets().map((p) => (p[0]! >>> 4 === 4 ? [p[20], p[21]] : [p[40], p[41]])),
    ).toEqual([
      [3, 3],
      [1, 4],
    ]);
  });

  describe("RFC 1122 §3.2.2, RFC 4443 §2.4: no error about", () => {
    const nothing = (send: (p: WirePeer) => void) => () => {
      peer = new WirePeer().knowPeer();
      send(peer);
      peer.run(1000);
      expect(peer.lines()).toEqual([]);
    };
    test(
      "a broadcast",
      nothing((p) => p.packet(v4({ destination: parseAddress("10.0.0.255") }), MAC_BROADCAST)),
    );
    test(
      "a multicast",
      nothing((p) => p.ip(PEER4, parseAddress("224.0.0.1"), 200, counting(8))),
    );
    test(
      "an IPv6 multicast",
      nothing((p) => p.ip(PEER6, parseAddress("ff02::1"), 200, counting(8))),
    );
    test(
      "an ICMP error",
      nothing((p) => p.icmp({ type: 3, code: 3, body: v4({ source: HOST4, destination: PEER4 }) })),
    );
    test(
      "an ICMPv6 error",
      nothing((p) => p.icmp({ type: 1, body: v6({ source: HOST6, destination: PEER6 }) }, PEER6)),
    );
    test(
      "a fragment other than the first",
      nothing((p) => p.packet(v4({ fragmentOffset: 8 }))),
    );
    test(
      "IPv6's no next header",
      nothing((p) => p.packet(v6({ nextHeader: 59 }))),
    );
  });

  test("RFC 4443 §2.4 (f): errors are limited to a rate, with a burst", () => {
    peer = new WirePeer({ icmpRate: 10, icmpBurst: 5 }).knowPeer();
    for (let i = 0; i < 20; i++) peer.packet(v4());
    peer.run();
    expect(peer.lines()).toHaveLength(5);
    expect(peer.counters.icmpOutRateLimited).toBe(15);
    peer.run(300_000);
    for (let i = 0; i < 20; i++) peer.packet(v4());
    peer.run();
    expect(peer.lines()).toHaveLength(3);
  });

  test("replies wait in a bounded ring until poll", () => {
    peer = new WirePeer({ replyRing: 4, icmpBurst: 100 }).knowPeer();
    for (let i = 0; i < 10; i++) peer.packet(v4());
    expect(peer.port.sent).toEqual([]);
    peer.run();
    expect(peer.lines()).toHaveLength(4);
    expect(peer.counters.replyRingDrops).toBe(6);
  });
});

describe("echo", () => {
  test("RFC 1122 §3.2.2.6: IPv4 comes back with its data, TOS and the addresses exchanged", () => {
    peer = new WirePeer().knowPeer();
    const message = encodeIcmpv4({ type: 8, rest: 0x12345678, body: counting(100) });
    peer
      .packet(
        encodeIpv4({ source: PEER4, destination: HOST4, protocol: 1, tos: 0x28, ttl: 3 }, message),
      )
      .run();
    const [reply] = peer.packets();
    expect([reply![1], reply![8], reply![20]]).toEqual([0x28, 64, 0]);
    expect(reply!.slice(24)).toEqual(message.slice(4));
    expect(peer.counters.icmpOutEchoReps).toBe(1);
  });

  test("a wrong checksum is no echo", () => {
    peer = new WirePeer().knowPeer();
    peer.icmp({ type: 8, checksum: 1 }).icmp({ type: 128, checksum: 1 }, PEER6).run();
    expect([peer.lines(), peer.counters.icmpInCsumErrors]).toEqual([[], 2]);
  });

  test("RFC 1122 §3.2.2.6: a broadcast echo is not answered; RFC 4443 §4.2: an IPv6 multicast one from our own address", () => {
    peer = new WirePeer().knowPeer();
    peer.ip(PEER4, parseAddress("255.255.255.255"), 1, encodeIcmpv4({ type: 8 })).run();
    expect(peer.lines()).toEqual([]);
    peer.icmp({ type: 128, rest: 7 }, PEER6, parseAddress("ff02::1")).run();
    expect(peer.lines()).toEqual([
      "IP6 fd00::1 > fd00::2: ICMP6, echo reply, id 0, seq 7, length 8",
    ]);
  });
});
