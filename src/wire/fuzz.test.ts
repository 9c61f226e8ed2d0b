/**
 * Every parser over any bytes: it neither throws nor looks outside [at, at + length). The bytes
 * stand alone in a view, where a stray read throws, and again in the middle of two memories with
 * different surroundings, where a stray read changes the answer.
 */
import fc from "fast-check";
import { describe as group, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { validateArp } from "./arp.ts";
import { viewOf } from "./bytes.ts";
import { describeAt } from "./description.ts";
import { decodeDns, dnsQuery, dnsReply, optRecord } from "./dns.ts";
import { encodeDns } from "./dns-encode.ts";
import type { DnsRecord } from "./dns-types.ts";
import { validateEthernet } from "./ethernet.ts";
import { decodeArp, encodeEthernet } from "./ethernet-fields.ts";
import { decodeFrame, encodeTcpPacket, encodeUdpPacket } from "./frame-fields.ts";
import { decodeIcmp, encodeIcmpv4, encodeIcmpv6 } from "./icmp-fields.ts";
import { validateIcmpv4 } from "./icmpv4.ts";
import { validateIgmp } from "./igmp.ts";
import { decodeIpv4, decodeIpv6, encodeIp, encodeIpv6 } from "./ip-fields.ts";
import { validateIpv4 } from "./ipv4.ts";
import { checkIpv4Options, findIpv4Option } from "./ipv4-options.ts";
import { validateIpv6 } from "./ipv6.ts";
import { Ipv6Walk, walkIpv6Extensions } from "./ipv6-extensions.ts";
import { findNdpOption, validateNdp } from "./ndp.ts";
import { decodeNdp, encodeNdp } from "./ndp-fields.ts";
import { TCP_HEADER, tcpHeaderLength, validateTcp } from "./tcp.ts";
import { decodeTcp } from "./tcp-fields.ts";
import { parseTcpOptions, TcpOptions } from "./tcp-options.ts";
import { decodeTcpOptions } from "./tcp-options-fields.ts";
import { decodeUdp } from "./udp-fields.ts";
import { validateUdp } from "./udp.ts";

type Parser = (view: DataView, at: number, length: number) => unknown;

/** Absolute offsets in results become relative, so that runs at different places compare. */
function relative(value: unknown, at: number): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, inner) =>
      /(At|^offset)$/.test(key) && typeof inner === "number" && inner >= 0 ? inner - at : inner,
    ),
  );
}

function survives(parser: Parser, bytes: Uint8Array): void {
  const alone = relative(parser(viewOf(bytes), 0, bytes.length), 0);
  for (const filler of [0x00, 0xff, 0x45]) {
    const memory = new Uint8Array(bytes.length + 130).fill(filler);
    memory.set(bytes, 65);
    expect(relative(parser(viewOf(memory), 65, bytes.length), 65)).toEqual(alone);
  }
}

const parsers: Record<string, Parser> = {
  describeEthernet: (view, at, length) => describeAt(view, at, length, "ethernet"),
  describeIp: (view, at, length) => describeAt(view, at, length, "ip"),
  decodeFrame: (view, at, length) => decodeFrame(view, at, length, "ethernet"),
  decodeIpFrame: (view, at, length) => decodeFrame(view, at, length, "ip"),
  validateEthernet,
  validateArp,
  decodeArp,
  decodeIpv4,
  ipv4: (view, at, length) => {
    const verdict = validateIpv4(view, at, length);
    // Options are looked at behind a valid header only.
    return verdict !== 0
      ? verdict
      : [checkIpv4Options(view, at), findIpv4Option(view, at, 148), findIpv4Option(view, at, 7)];
  },
  decodeIpv6,
  ipv6: (view, at, length) => {
    const verdict = validateIpv6(view, at, length);
    if (verdict !== 0) return verdict;
    const walk = new Ipv6Walk();
    walkIpv6Extensions(view, at, 40 + view.getUint16(at + 4), walk);
    expect(walk.offset - at + walk.length).toBe(40 + view.getUint16(at + 4));
    return walk;
  },
  validateUdp,
  decodeUdp,
  decodeTcp,
  tcp: (view, at, length) => {
    const verdict = validateTcp(view, at, length);
    if (verdict !== 0) return verdict;
    const options = new TcpOptions();
    const room = tcpHeaderLength(view, at) - TCP_HEADER;
    return [parseTcpOptions(view, at + TCP_HEADER, room, options), options];
  },
  tcpOptions: (view, at, length) => {
    const options = new TcpOptions();
    return [parseTcpOptions(view, at, Math.min(length, 40), options), options];
  },
  decodeTcpOptions,
  validateIcmpv4,
  decodeIcmp,
  decodeNdp,
  ndp: (view, at, length) => {
    // The IPv6 header in front belongs to what may be read.
    if (length < 40) return undefined;
    const verdict = validateNdp(view, at + 40, length - 40, at);
    return verdict !== 0
      ? verdict
      : relative({ foundAt: findNdpOption(view, at + 40, length - 40, 1) }, at);
  },
  validateIgmp,
  decodeDns,
};

const a = parseAddress("10.0.0.1");
const b = parseAddress("10.0.0.2");
const a6 = parseAddress("fe80::1");
const b6 = parseAddress("fe80::2");
const reply = dnsReply(dnsQuery(7, "www.example.com", 15));
reply.answers.push(
  {
    name: "www.example.com",
    type: 15,
    class: 1,
    ttl: 1,
    data: { kind: "mx", preference: 1, exchange: "m.example.com" },
  },
  { name: "m.example.com", type: 1, class: 1, ttl: 1, data: { kind: "address", address: a } },
);
const scalars = { name: "x.example.com", class: 1, ttl: 1 };
const text: DnsRecord = {
  ...scalars,
  type: 16,
  data: { kind: "txt", strings: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
};
const textBytes = encodeDns({ ...dnsReply(dnsQuery(7, "x.example.com", 16)), answers: [text] });
const serviceBytes = encodeDns({
  ...dnsReply(dnsQuery(7, "x.example.com", 33)),
  answers: [
    {
      ...scalars,
      type: 33,
      data: { kind: "srv", priority: 1, weight: 2, port: 3, target: "y.example.com" },
    },
  ],
  additionals: [optRecord(1232, 0, [{ code: 10, data: new Uint8Array(8) }])],
});
reply.additionals.push(optRecord(1232));
const dnsBytes = encodeDns(reply);
const tcpPacket = encodeTcpPacket(
  { source: a, destination: b },
  {
    sourcePort: 1,
    destinationPort: 2,
    flags: 0x18,
    options: [
      { kind: "timestamps", val: 1, ecr: 2 },
      { kind: "sack", blocks: [[1, 2]] },
    ],
  },
  new Uint8Array(8),
);
const udpPacket = encodeUdpPacket(
  { source: a, destination: b },
  { sourcePort: 53, destinationPort: 9 },
  dnsBytes,
);
const advertisement = encodeNdp(
  {
    type: "routerAdvertisement",
    hopLimit: 64,
    managed: true,
    otherConfig: true,
    routerLifetimeS: 1,
    reachableTimeMs: 1,
    retransTimerMs: 1,
    options: [
      { kind: "dnssl", lifetimeS: 1, domains: ["example.com"] },
      { kind: "rdnss", lifetimeS: 1, servers: [a6] },
    ],
  },
  a6,
  b6,
);
const ndpPacket = encodeIpv6(
  { source: a6, destination: b6, nextHeader: 58, hopLimit: 255 },
  advertisement,
);
const chain = Uint8Array.from([
  60, 0, 5, 2, 0, 0, 1, 0, 44, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0, 0, 0, 0, 0, 1,
]);

/** Valid messages to be damaged: random bytes alone rarely get past the first check. */
const samples: Uint8Array[] = [
  dnsBytes,
  textBytes,
  serviceBytes,
  encodeIp(
    { source: a, destination: b, protocol: 1 },
    encodeIcmpv4({ type: 3, code: 3, body: udpPacket.subarray(0, 24) }),
  ),
  encodeIp(
    { source: a6, destination: b6, protocol: 58 },
    encodeIcmpv6(
      {
        type: 1,
        code: 4,
        body: encodeIpv6(
          { source: a6, destination: b6, nextHeader: 17 },
          udpPacket.subarray(20, 24),
        ),
      },
      a6,
      b6,
    ),
  ),
  tcpPacket,
  tcpPacket.subarray(20),
  tcpPacket.subarray(40),
  udpPacket,
  udpPacket.subarray(20),
  advertisement,
  ndpPacket,
  encodeIpv6(
    { source: a6, destination: b6, nextHeader: 0 },
    Uint8Array.of(...chain, ...advertisement),
  ),
  encodeIp(
    { source: a, destination: b, protocol: 1 },
    encodeIcmpv4({ type: 3, code: 3, body: udpPacket }),
  ),
  encodeIp(
    { source: a6, destination: b6, protocol: 58 },
    encodeIcmpv6({ type: 1, code: 4, body: ndpPacket }, a6, b6),
  ),
  encodeIp(
    { source: a6, destination: b6, protocol: 58 },
    encodeIcmpv6({ type: 143, rest: 3, body: new Uint8Array(60) }, a6, b6),
  ),
  encodeIp(
    { source: a, destination: b, protocol: 2 },
    Uint8Array.of(0x22, 0, 0, 0, 0, 0, 0, 9, 4, 0, 0, 0, 224, 0, 0, 1),
  ),
];
for (const packet of [tcpPacket, udpPacket, ndpPacket]) {
  const mac = { high: 0x0200, low: 1 };
  const type = packet === ndpPacket ? 0x86dd : 0x0800;
  const header = { destination: mac, source: mac, type } as Parameters<typeof encodeEthernet>[0];
  samples.push(encodeEthernet(header, packet), encodeEthernet({ ...header, vlan: 9 }, packet));
}

const damaged = fc
  .record({
    sample: fc.constantFrom(...samples),
    edits: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    cut: fc.oneof(fc.constant(0), fc.nat(60)),
  })
  .map(({ sample, edits, cut }) => {
    const bytes = sample.slice(0, Math.max(0, sample.length - cut));
    for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 120 }), damaged, damaged);

group("any bytes", () => {
  test.each(Object.keys(parsers))("%s never throws and reads only what it was given", (name) => {
    fc.assert(
      fc.property(anyBytes, (bytes) => survives(parsers[name], bytes)),
      { numRuns: 1000 },
    );
  });

  test("a description is one line of printable ASCII", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        for (const medium of ["ethernet", "ip"] as const) {
          expect(describeAt(viewOf(bytes), 0, bytes.length, medium)).toMatch(/^[\x20-\x7e]+$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
