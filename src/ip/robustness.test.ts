import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOST4, HOST6, PEER4, PEER6, WirePeer } from "../../test/support/wire-peer.ts";
import { IPV6_ALL_NODES, parseAddress, solicitedNode } from "../base/address.ts";
import { MAC_BROADCAST, multicastMac } from "../base/mac.ts";
import { encodeArp } from "../wire/ethernet-fields.ts";
import { encodeIcmpv4, encodeIcmpv6 } from "../wire/icmp-fields.ts";
import { encodeIpv4, encodeIpv6 } from "../wire/ip-fields.ts";
import { encodeNdp } from "../wire/ndp-fields.ts";

/** Everything a host can be, so that every parser runs. */
const CONFIG = {
  forwarding: false,
  multicastReports: true,
  duplicateAddressDetection: "optimistic",
  announceAddresses: true,
} as const;

/** Runs the frames through a host; throws when it throws, or keeps a frame or a timer at the end. */
function survive(
  frames: { type: number; bytes: Uint8Array; group: boolean }[],
  forwarding = false,
): void {
  const peer = new WirePeer({ ...CONFIG, forwarding }, { slaac: !forwarding });
  for (const { type, bytes, group } of frames) {
    peer.frame(type, bytes, group ? MAC_BROADCAST : peer.iface.mac!);
    peer.run(1000);
  }
  peer.run(100_000_000);
  peer.end();
}

const bytes = fc.uint8Array({ minLength: 0, maxLength: 200 });
const type = fc.constantFrom(0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x1234);

const echo6 = encodeIcmpv6({ type: 128, rest: 1, body: new Uint8Array(20) }, PEER6, HOST6);
const solicitation = encodeNdp(
  {
    type: "neighborSolicitation",
    target: HOST6,
    options: [{ kind: "sourceLink", mac: MAC_BROADCAST }],
  },
  PEER6,
  solicitedNode(HOST6),
);
const router = parseAddress("fe80::ff");
const advertisement = encodeNdp(
  {
    type: "routerAdvertisement",
    hopLimit: 64,
    managed: false,
    otherConfig: false,
    routerLifetimeS: 100,
    reachableTimeMs: 0,
    retransTimerMs: 0,
    options: [
      { kind: "mtu", mtu: 1400 },
      {
        kind: "prefix",
        prefix: parseAddress("2001:db8::"),
        prefixLength: 64,
        onLink: true,
        autonomous: true,
        validLifetimeS: 100,
        preferredLifetimeS: 50,
      },
      { kind: "rdnss", lifetimeS: 10, servers: [parseAddress("2001:db8::53")] },
    ],
  },
  router,
  IPV6_ALL_NODES,
);

/** Good packets, to be spoilt at a few places: random bytes alone never get past the first check. */
const GOOD: { type: number; bytes: Uint8Array }[] = [
  {
    type: 0x0806,
    bytes: encodeArp({
      operation: 1,
      senderMac: multicastMac(HOST4),
      senderIp: PEER4,
      targetMac: MAC_BROADCAST,
      targetIp: HOST4,
    }),
  },
  {
    type: 0x0800,
    bytes: encodeIpv4(
      { source: PEER4, destination: HOST4, protocol: 1 },
      encodeIcmpv4({ type: 8, rest: 1, body: new Uint8Array(30) }),
    ),
  },
  {
    type: 0x0800,
    bytes: encodeIpv4(
      { source: PEER4, destination: HOST4, protocol: 1, moreFragments: true, identification: 9 },
      new Uint8Array(64),
    ),
  },
  {
    type: 0x0800,
    bytes: encodeIpv4(
      {
        source: PEER4,
        destination: parseAddress("224.0.0.1"),
        protocol: 2,
        ttl: 1,
        options: Uint8Array.of(148, 4, 0, 0),
      },
      Uint8Array.of(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0),
    ),
  },
  {
    type: 0x0800,
    bytes: encodeIpv4(
      { source: PEER4, destination: HOST4, protocol: 1 },
      encodeIcmpv4({
        type: 3,
        code: 4,
        rest: 900,
        body: encodeIpv4({ source: HOST4, destination: PEER4, protocol: 1 }, new Uint8Array(8)),
      }),
    ),
  },
  { type: 0x86dd, bytes: encodeIpv6({ source: PEER6, destination: HOST6, nextHeader: 58 }, echo6) },
  {
    type: 0x86dd,
    bytes: encodeIpv6(
      { source: PEER6, destination: solicitedNode(HOST6), nextHeader: 58, hopLimit: 255 },
      solicitation,
    ),
  },
  {
    type: 0x86dd,
    bytes: encodeIpv6(
      { source: router, destination: IPV6_ALL_NODES, nextHeader: 58, hopLimit: 255 },
      advertisement,
    ),
  },
  {
    type: 0x86dd,
    bytes: encodeIpv6(
      { source: PEER6, destination: HOST6, nextHeader: 44 },
      Uint8Array.of(58, 0, 0, 1, 0, 0, 0, 7, ...new Uint8Array(16)),
    ),
  },
  {
    type: 0x86dd,
    bytes: encodeIpv6(
      { source: PEER6, destination: HOST6, nextHeader: 0 },
      Uint8Array.of(60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0, 0, 0, 0, 0, 0),
    ),
  },
];

const spoilt = fc
  .record({
    which: fc.nat(GOOD.length - 1),
    changes: fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 }),
    cut: fc.nat(200),
    group: fc.boolean(),
  })
  .map(({ which, changes, cut, group }) => {
    const good = GOOD[which]!;
    const copy = good.bytes.slice(0, cut < 40 ? cut + 10 : undefined);
    for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
    return { type: good.type, bytes: copy, group };
  });

/** An IPv4 header with valid checksum around anything, so that what is behind the checksum is reached. */
const ipv4Around = fc
  .record({
    protocol: fc.constantFrom(1, 2, 6, 17, 58, 255),
    options: fc.uint8Array({ maxLength: 40 }),
    offset: fc.nat(8191),
    more: fc.boolean(),
    payload: bytes,
    to: fc.constantFrom(
      HOST4,
      parseAddress("10.0.0.255"),
      parseAddress("224.0.0.1"),
      parseAddress("10.7.7.7"),
    ),
    isPiece: fc.boolean(),
  })
  .map(({ protocol, options, offset, more, payload, to, isPiece }) => ({
    type: 0x0800,
    bytes: encodeIpv4(
      {
        source: PEER4,
        destination: to,
        protocol,
        options,
        fragmentOffset: isPiece ? offset * 8 : 0,
        moreFragments: isPiece && more,
        identification: 3,
      },
      payload,
    ),
    group: false,
  }));

const icmpv6Around = fc
  .record({
    type: fc.nat(255),
    code: fc.nat(3),
    body: bytes,
    to: fc.constantFrom(HOST6, IPV6_ALL_NODES, solicitedNode(HOST6)),
    hopLimit: fc.constantFrom(1, 64, 255),
  })
  .map(({ type: t, code, body, to, hopLimit }) => ({
    type: 0x86dd,
    bytes: encodeIpv6(
      { source: router, destination: to, nextHeader: 58, hopLimit },
      encodeIcmpv6({ type: t, code, body }, router, to),
    ),
    group: true,
  }));

describe("whatever comes in, nothing throws and nothing stays", () => {
  test.each([
    ["random frames", fc.record({ type, bytes, group: fc.boolean() }), false],
    ["spoilt good packets", spoilt, false],
    ["spoilt good packets at a router", spoilt, true],
    ["anything behind a good IPv4 header", ipv4Around, false],
    ["anything behind a good IPv4 header at a router", ipv4Around, true],
    ["ICMPv6 and neighbor discovery with good checksums", icmpv6Around, false],
  ] as const)(
    "%s",
    (_name, arbitrary, forwarding) => {
      const frames = fc.array(
        arbitrary as fc.Arbitrary<{ type: number; bytes: Uint8Array; group: boolean }>,
        { maxLength: 12 },
      );
      fc.assert(
        fc.property(frames, (list) => survive(list, forwarding)),
        { numRuns: 40 },
      );
      expect.assertions(0);
    },
    60_000,
  );

  test("bytes of any kind on a medium without Ethernet", () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 10 }), (list) => {
        const peer = new WirePeer({}, { medium: "ip" });
        for (const packet of list) peer.packet(packet);
        peer.run(100_000_000);
        peer.end();
      }),
      { numRuns: 40 },
    );
    expect.assertions(0);
  });
});

test("memory that is used up: packets are lost, nothing throws, and all is well again afterwards", () => {
  const peer = new WirePeer().knowPeer();
  const { memory } = peer.lan;
  const held: number[] = [];
  for (let frame = memory.alloc(100, true); frame !== 0; frame = memory.alloc(100, true))
    held.push(frame);
  // The reserve and one more: what comes in has a frame, an answer to it has none.
  for (const frame of held.splice(-5)) memory.release(frame);
  for (let i = 0; i < 5; i++) {
    peer.icmp({ type: 8, rest: i }).icmp({ type: 128, rest: i }, PEER6).run(1000);
    peer.arp(1, "10.0.0.2", "10.0.0.1").run(1000);
  }
  expect(peer.counters.memoryFailures).toBeGreaterThan(0);
  for (const frame of held) memory.release(frame);
  peer.lines();
  peer.icmp({ type: 8, rest: 77 }).run();
  expect(peer.lines("echo reply")).toHaveLength(1);
  peer.end();
});
