import { afterEach, describe, expect, test } from "vitest";
import { counting, HOST4, HOST6, PEER4, PEER6, WirePeer } from "../../test/support/wire-peer.ts";
import { concatBytes, viewOf } from "../wire/bytes.ts";
import { encodeIpv4, encodeIpv6 } from "../wire/ip-fields.ts";
import { writeFragmentHeader } from "../wire/ipv6-extensions.ts";

let peer: WirePeer;
afterEach(() => peer.end());

const DATA = counting(3000);

/** Records whole packets of protocol 200. */
function start(config = {}) {
  peer = new WirePeer(config).knowPeer();
  const heard: Uint8Array[] = [];
  const tos: number[] = [];
  peer.host.observe(200, (packet) => {
    heard.push(peer.lan.memory.bytes.slice(packet.offset, packet.offset + packet.length));
    tos.push(packet.tos);
  });
  return { heard, tos };
}

interface Piece {
  from: number;
  to: number;
  more?: boolean;
  id?: number;
  tos?: number;
  data?: Uint8Array;
}

function send4({ from, to, more, id = 7, tos = 0, data = DATA }: Piece) {
  peer.packet(
    encodeIpv4(
      {
        source: PEER4,
        destination: HOST4,
        protocol: 200,
        identification: id,
        fragmentOffset: from,
        moreFragments: more ?? to < DATA.length,
        tos,
        dontFragment: false,
      },
      data.slice(from, to),
    ),
  );
}

function send6({ from, to, more, id = 7, tos = 0, data = DATA }: Piece) {
  const header = new Uint8Array(8);
  writeFragmentHeader(viewOf(header), 0, 200, from, more ?? to < DATA.length, id);
  peer.packet(
    encodeIpv6(
      { source: PEER6, destination: HOST6, nextHeader: 44, trafficClass: tos },
      concatBytes(header, data.slice(from, to)),
    ),
  );
}

for (const [family, send] of [
  ["IPv4", send4],
  ["IPv6", send6],
] as const) {
  describe(`${family} pieces`, () => {
    const a = { from: 0, to: 1000 };
    const b = { from: 1000, to: 2000 };
    const c = { from: 2000, to: 3000 };

    for (const [name, order] of [
      ["in order", [a, b, c]],
      ["backwards", [c, b, a]],
      ["mixed", [b, c, a]],
    ] as const) {
      test(`${name}: the packet is whole`, () => {
        const { heard } = start();
        for (const piece of order) send(piece);
        expect(heard).toEqual([DATA]);
        expect(peer.counters.ipReasmOKs).toBe(1);
      });
    }

    test("an exact duplicate does no harm", () => {
      const { heard } = start();
      for (const piece of [a, b, b, a, c]) send(piece);
      expect(heard).toEqual([DATA]);
    });

    test("two packets at once are kept apart by their identification", () => {
      const { heard } = start();
      const other = counting(3000, 99);
      for (const piece of [a, b, c]) {
        send(piece);
        send({ ...piece, id: 8, data: other });
      }
      expect(heard).toEqual([DATA, other]);
    });

    test("RFC 5722 §3: overlapping pieces end the whole packet, the ones still to come included", () => {
      const { heard } = start();
      send(a);
      send({ from: 992, to: 2000, more: true });
      for (const piece of [b, c, a]) send(piece);
      expect(heard).toEqual([]);
      expect(peer.counters.ipReasmOverlaps).toBe(1);
      expect(peer.lan.memory.framesInUse).toBe(0);
    });

    test("a last piece that ends before what is here, or twice at different ends, is an overlap too", () => {
      const { heard } = start();
      send(c);
      send({ from: 2008, to: 2500, more: false });
      send({ from: 0, to: 1000, id: 9, more: true });
      send({ from: 496, to: 500, id: 9, more: false });
      expect(heard).toEqual([]);
      expect(peer.counters.ipReasmOverlaps).toBe(2);
    });

    test(`time is over after ${family === "IPv4" ? "30 s" : "60 s (RFC 8200 §4.5)"}: ICMP time exceeded with the first piece quoted`, () => {
      const { heard } = start();
      send(a);
      send(c);
      peer.run(family === "IPv4" ? 29_000_000 : 59_000_000);
      expect(peer.lines()).toEqual([]);
      peer.run(2_000_000);
      const packets = peer.packets();
      expect(packets).toHaveLength(1);
      const [error] = packets;
      expect(family === "IPv4" ? [error![20], error![21]] : [error![40], error![41]]).toEqual(
        family === "IPv4" ? [11, 1] : [3, 1],
      );
      send(b);
      expect(heard).toEqual([]);
      expect([peer.counters.ipReasmTimeout, peer.counters.ipReasmFails]).toEqual([1, 1]);
      peer.run(60_000_000);
      expect(peer.lan.memory.framesInUse).toBe(0);
    });

    test("without the first piece nobody is told", () => {
      start();
      send(c);
      peer.run(61_000_000);
      expect(peer.lines()).toEqual([]);
      expect(peer.counters.ipReasmTimeout).toBe(1);
    });

    test("RFC 3168 §5.3: one marked piece marks the packet; marked and not-capable pieces do not mix", () => {
      const { heard, tos } = start();
      send({ ...a, tos: 2 });
      send({ ...b, tos: 3 });
      send({ ...c, tos: 2 });
      expect(tos.map((t) => t & 3)).toEqual([3]);
      send({ ...a, tos: 3, id: 9 });
      send({ ...b, tos: 0, id: 9 });
      send({ ...c, tos: 0, id: 9 });
      expect(heard).toHaveLength(1);
    });

    test("memory for pieces is bounded: the oldest packet goes", () => {
      start({ reassemblyBytes: 10 * 2048 });
      for (let id = 0; id < 30; id++) send({ ...a, id });
      expect(peer.counters.ipReasmEvicted).toBe(20);
      expect(peer.lan.memory.framesInUse).toBe(10);
    });

    test("the number of packets and of pieces is bounded", () => {
      start({ reassemblyPackets: 4, reassemblyFragments: 8 });
      for (let id = 0; id < 9; id++) send({ ...a, id });
      expect(peer.counters.ipReasmEvicted).toBe(5);
      for (let i = 0; i < 20; i++) send({ from: 16 * i, to: 16 * i + 8, more: true, id: 77 });
      expect(peer.lan.memory.framesInUse).toBeLessThanOrEqual(12);
    });

    test("a piece that reaches beyond 65,535 bytes is refused", () => {
      start();
      send({ from: 65_528, to: 65_528 + 80, more: false, data: new Uint8Array(65_700) });
      expect(peer.counters.ipReasmFails).toBe(1);
      peer.run();
      // RFC 8200 §4.5: parameter problem, pointing at the fragment offset; RFC 791 has no such answer.
      const errors = peer.packets().map((p) => [p[40], p[41], p[47]]);
      expect(errors).toEqual(family === "IPv6" ? [[4, 0, 42]] : []);
    });
  });
}

test("RFC 8200 §4.5: a piece that is not a multiple of 8 bytes and not the last: parameter problem at the payload length", () => {
  start();
  send6({ from: 0, to: 1001, more: true });
  peer.run();
  const [error] = peer.packets();
  expect([error![40], error![41], error![47]]).toEqual([4, 0, 4]);
});

test("RFC 6946: an atomic fragment is a whole packet", () => {
  const { heard } = start();
  send6({ from: 0, to: 100, more: false, data: DATA });
  expect(heard).toEqual([DATA.slice(0, 100)]);
  expect(peer.counters.ipReasmReqds).toBe(0);
});

test("a host that ends gives pieces back", () => {
  start();
  send4({ from: 0, to: 1000 });
  expect(peer.lan.memory.framesInUse).toBe(1);
});
