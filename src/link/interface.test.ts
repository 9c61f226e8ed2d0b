import { afterEach, describe, expect, test } from "vitest";
import { Lan } from "../../test/support/lan.ts";
import { type DeviceOffload, NO_OFFLOAD } from "./device.ts";
import { counting, HOST4, PEER4, PEER_MAC, WirePeer } from "../../test/support/wire-peer.ts";
import { GSO_TCPV4, GSO_TCPV6 } from "../base/frame-memory.ts";
import { MAC_BROADCAST, parseMac } from "../base/mac.ts";
import { parseAddress } from "../base/address.ts";
import { viewOf } from "../wire/bytes.ts";
import { describe as describeFrame } from "../wire/description.ts";
import { encodeEthernet } from "../wire/ethernet-fields.ts";
import { encodeIcmpv4 } from "../wire/icmp-fields.ts";
import { encodeIp } from "../wire/ip-fields.ts";
import { decodeTcp } from "../wire/tcp-fields.ts";
import { ACK, CWR, FIN, PSH, writeTcpHeader } from "../wire/tcp.ts";
import { transportSum } from "../wire/transport-sum.ts";

let peer: WirePeer;
let lan: Lan | undefined;
afterEach(() => {
  if (lan !== undefined) lan.end();
  else peer.end();
  lan = undefined;
});

const ping = () =>
  encodeIp({ source: PEER4, destination: HOST4, protocol: 1 }, encodeIcmpv4({ type: 8, rest: 1 }));

describe("frames in", () => {
  test("RFC 894: for our address, broadcast and multicast; others' are not ours", () => {
    peer = new WirePeer().knowPeer();
    peer.packet(ping()).packet(ping(), parseMac("02:00:00:00:00:55")).run();
    expect(peer.lines("echo reply")).toHaveLength(1);
    expect(peer.counters.linkInOthers).toBe(1);
  });

  test("RFC 1122 §3.3.6: link-layer broadcast with a unicast destination inside is dropped", () => {
    peer = new WirePeer().knowPeer();
    peer.packet(ping(), MAC_BROADCAST).run();
    expect(peer.lines()).toEqual([]);
    expect(peer.counters.ipInAddrErrors).toBe(1);
  });

  test("802.1Q: a priority tag (VLAN 0) is read through, other VLANs are not ours", () => {
    peer = new WirePeer().knowPeer();
    for (const vlan of [0x6000, 5]) {
      peer.port.inject(
        encodeEthernet(
          { destination: peer.iface.mac!, source: PEER_MAC, type: 0x0800, vlan },
          ping(),
        ),
      );
    }
    peer.run();
    expect(peer.lines("echo reply")).toHaveLength(1);
    expect(peer.counters.linkInVlanDrops).toBe(1);
  });

  test("runts and unknown types are counted", () => {
    peer = new WirePeer();
    for (const length of [1, 13]) peer.port.inject(new Uint8Array(length));
    peer.frame(0x88cc, new Uint8Array(20)).run();
    expect([peer.counters.linkInErrors, peer.counters.linkInUnknownProtos]).toEqual([2, 1]);
  });

  test("padding behind the IP packet is not part of it", () => {
    peer = new WirePeer().knowPeer();
    const padded = new Uint8Array(46);
    padded.set(ping());
    peer.packet(padded).run();
    const [reply] = peer.packets();
    expect(reply!.length).toBe(28);
  });

  test("a medium without Ethernet carries bare packets", () => {
    peer = new WirePeer({}, { medium: "ip" });
    peer.packet(ping()).run();
    expect(peer.lines()).toEqual([
      "IP 10.0.0.1 > 10.0.0.2: ICMP echo reply, id 0, seq 1, length 8",
    ]);
    peer.packet(Uint8Array.of(0x12, 0)).run();
    expect(peer.counters.linkInErrors).toBe(1);
  });

  test("the device learns which addresses to let through", () => {
    peer = new WirePeer();
    const texts = peer.port.filter.map(String);
    expect(texts).toContain("02:00:00:00:00:01");
    expect(texts).toContain("33:33:ff:00:00:01");
    expect(texts).toContain("01:00:5e:00:00:01");
  });
});

describe("frames out", () => {
  test("no room: -ENOBUFS, counted; the frame comes back to the memory", () => {
    peer = new WirePeer().knowPeer();
    const path = peer.host.ip.path(HOST4, PEER4, 0)!;
    peer.port.roomLeft = 0;
    expect(path.room()).toBe(0);
    const frame = peer.lan.memory.alloc(10);
    expect(peer.host.ip.send(path, frame, 17, 0, 0, 0)).toBe(-105);
    expect(peer.counters.linkOutDiscards).toBe(1);
    expect(peer.lan.memory.framesInUse).toBe(0);
  });

  test("a dead link loses frames as a pulled cable does, and nobody waits for room", () => {
    peer = new WirePeer().knowPeer();
    const path = peer.host.ip.path(HOST4, PEER4, 0)!;
    peer.port.setLink(false);
    expect(path.room()).toBeGreaterThan(0);
    expect(peer.host.ip.send(path, peer.lan.memory.alloc(10), 17, 0, 0, 0)).toBe(0);
    expect(peer.counters.linkOutDiscards).toBe(1);
    expect(peer.lan.memory.framesInUse).toBe(0);
  });
});

/** A TCP super-segment sent by a host over a device that cuts nothing itself. */
function superSegment(
  family: 4 | 6,
  payload: number,
  mss: number,
  offload: DeviceOffload = NO_OFFLOAD,
): { pieces: Uint8Array[]; host: Lan["hosts"][0] } {
  lan = new Lan();
  const host = lan.host("a", {
    duplicateAddressDetection: "off",
    announceAddresses: false,
    multicastReports: false,
  });
  const port = lan.port({ offload });
  lan.join(port);
  const iface = host.addInterface(port, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
  const local = parseAddress(family === 4 ? "10.0.0.1" : "fd00::1");
  const remote = parseAddress(family === 4 ? "10.0.0.2" : "fd00::2");
  iface.addNeighbor(remote, PEER_MAC);
  const path = host.ip.path(local, remote, 0)!;
  const { memory } = lan;
  const frame = memory.alloc(20 + payload);
  const at = memory.start(frame);
  memory.setRange(frame, at, 20 + payload);
  const flags = ACK | PSH | FIN | CWR;
  writeTcpHeader(memory.view, at, 1000, 80, 0xffffff00 | 0, 7, 20, flags, 500, 0, 0);
  memory.bytes.set(counting(payload), at + 20);
  memory.setPartialChecksum(frame, at, 16);
  memory.setGso(frame, family === 4 ? GSO_TCPV4 : GSO_TCPV6, mss);
  expect(host.ip.send(path, frame, 6, 0, 64, 1)).toBe(0);
  lan.run();
  return { pieces: port.sent.map((bytes) => bytes.slice(14)), host };
}

describe("segmentation in the device's stead", () => {
  test("a device that cuts and sums itself gets the super-segment whole, up to its limit", () => {
    const able = { checksum: true, gsoMaxBytes: 2500, coalesces: true };
    const { pieces, host } = superSegment(4, 2500, 1000, able);
    expect(pieces.map((p) => p.length)).toEqual([2540]);
    expect([host.counters.linkOutSegmented, host.counters.linkOutChecksummed]).toEqual([0, 0]);
    lan!.end();
    expect(superSegment(4, 2700, 1000, able).pieces.map((p) => p.length - 40)).toEqual([
      1000, 1000, 700,
    ]);
  });

  for (const family of [4, 6] as const) {
    test(`IPv${family}: pieces with right lengths, sequence numbers, flags and checksums`, () => {
      const { pieces, host } = superSegment(family, 2500, 1000);
      const header = family === 4 ? 20 : 40;
      expect(pieces.map((p) => p.length - header - 20)).toEqual([1000, 1000, 500]);
      const source = parseAddress(family === 4 ? "10.0.0.1" : "fd00::1");
      const destination = parseAddress(family === 4 ? "10.0.0.2" : "fd00::2");
      let sequence = 0xffffff00 | 0;
      const whole: number[] = [];
      for (const [i, piece] of pieces.entries()) {
        const view = viewOf(piece);
        const tcp = decodeTcp(view, header, piece.length - header)!;
        expect(tcp.sequence).toBe(sequence);
        sequence = (sequence + piece.length - header - 20) | 0;
        const last = i === pieces.length - 1;
        expect(tcp.flags).toBe(ACK | (last ? PSH | FIN : 0) | (i === 0 ? CWR : 0));
        expect(transportSum(piece.subarray(header), 6, source, destination)).toBe(0xffff);
        // The identification counts up (RFC 6864 leaves it free); IPv6 has its payload length there.
        expect(view.getUint16(4)).toBe(family === 4 ? i : piece.length - 40);
        expect(describeFrame(piece, "ip")).not.toContain("bad");
        whole.push(...piece.subarray(header + 20));
      }
      expect(Uint8Array.from(whole)).toEqual(counting(2500));
      expect(host.counters.linkOutSegmented).toBe(1);
    });
  }
});
