import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import { EAGAIN } from "../base/errors.ts";
import { PacketDevice } from "../devices/packet-device.ts";
import { AF_INET6, SOCK_DGRAM } from "../sockets/constants.ts";
import { socketAddress } from "../sockets/socket-address.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { pseudoSumIpv4, pseudoSumIpv6, sumBytes, udpChecksumOf } from "../wire/checksum.ts";
import { writeIpv4Header } from "../wire/ipv4.ts";
import { writeIpv6Header } from "../wire/ipv6.ts";

let lan: SocketLan;
let host: SocketHost;
let device: PacketDevice;
let fd: number;
let sent: Uint8Array[];

const V4 = [0x0a000002, 0x0a000001] as const;
const V6 = [0xfd000000, 0, 0, 2, 0xfd000000, 0, 0, 1] as const;

beforeEach(() => {
  lan = new SocketLan();
  host = lan.host("host");
  sent = [];
  device = lan.net.packetDevice({
    medium: "ip",
    mtu: 1500,
    send: (bytes) => sent.push(bytes.slice()),
  });
  host.addInterface(device, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
  lan.pass(3000);
  sent.length = 0;
  fd = host.calls.socket(AF_INET6, SOCK_DGRAM);
  expect(host.calls.bind(fd, socketAddress("::", 5000))).toBe(0);
});

afterEach(() => {
  host.calls.closeAll();
  lan.end();
});

interface Changes {
  readonly port?: number;
  /** What the UDP length field says; default the truth. */
  readonly length?: number;
  /** XORed into the checksum. */
  readonly spoil?: number;
  /** The checksum field as such. */
  readonly checksum?: number;
}

function packet(ipv4: boolean, payload: Uint8Array, changes: Changes = {}): Uint8Array {
  const headers = ipv4 ? 20 : 40;
  const bytes = new Uint8Array(headers + 8 + payload.length);
  const view = new DataView(bytes.buffer);
  const length = 8 + payload.length;
  if (ipv4) writeIpv4Header(view, 0, 0, bytes.length, 1, 0, 64, 17, V4[0], V4[1]);
  else writeIpv6Header(view, 0, 0, 0, length, 17, 64, ...V6);
  view.setUint16(headers, 4000);
  view.setUint16(headers + 2, changes.port ?? 5000);
  view.setUint16(headers + 4, changes.length ?? length);
  bytes.set(payload, headers + 8);
  const pseudo = ipv4 ? pseudoSumIpv4(V4[0], V4[1], 17, length) : pseudoSumIpv6(...V6, 17, length);
  const right = udpChecksumOf(sumBytes(view, headers, length, pseudo));
  view.setUint16(headers + 6, changes.checksum ?? right ^ (changes.spoil ?? 0));
  return bytes;
}

function receive(bytes: Uint8Array): number {
  device.receive(bytes);
  lan.pass(1);
  return host.calls.recv(fd, new Uint8Array(2000));
}

const HELLO = new TextEncoder().encode("hello");

describe.each([
  ["IPv4", true],
  ["IPv6", false],
] as const)("datagrams on the wire, %s", (_, ipv4) => {
  test("RFC 1122 §4.1.3.4: a right checksum is taken, a wrong one dropped and counted", () => {
    expect(receive(packet(ipv4, HELLO))).toBe(5);
    expect(receive(packet(ipv4, HELLO, { spoil: 0x0100 }))).toBe(-EAGAIN);
    expect(host.counters.udpInCsumErrors).toBe(1);
    expect(host.counters.udpInErrors).toBe(1);
    expect(sent).toEqual([]);
  });

  test("RFC 768, RFC 8200 §8.1: checksum 0 is for IPv4 alone", () => {
    expect(receive(packet(ipv4, HELLO, { checksum: 0 }))).toBe(ipv4 ? 5 : -EAGAIN);
    expect(host.counters.udpInCsumErrors).toBe(ipv4 ? 0 : 1);
  });

  test("RFC 768: a length below the header or beyond the packet is dropped", () => {
    for (const length of [0, 7, 14, 65_535]) {
      expect(receive(packet(ipv4, HELLO, { length, checksum: ipv4 ? 0 : 1 }))).toBe(-EAGAIN);
    }
    expect(host.counters.udpInErrors).toBe(4);
    expect(sent).toEqual([]);
  });

  test("a length shorter than the packet is legal: the rest is padding", () => {
    const bytes = packet(ipv4, HELLO);
    const padded = packet(ipv4, new Uint8Array([...HELLO, 1, 2, 3]));
    // Header and checksum of the short one, in a packet that is longer.
    padded.set(bytes.subarray(ipv4 ? 20 : 40), ipv4 ? 20 : 40);
    expect(receive(padded)).toBe(5);
  });

  test("RFC 1122 §4.1.3.1: nobody at the port: ICMP port unreachable", () => {
    expect(receive(packet(ipv4, HELLO, { port: 9 }))).toBe(-EAGAIN);
    expect(host.counters.udpNoPorts).toBe(1);
    expect(sent).toHaveLength(1);
    const at = ipv4 ? 20 : 40;
    expect([sent[0]![at], sent[0]![at + 1]]).toEqual(ipv4 ? [3, 3] : [1, 4]);
  });

  test("any bytes behind the IP header are survived, and nothing is left behind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (junk) => {
        const whole = packet(ipv4, new Uint8Array(Math.max(0, junk.length - 8)));
        const at = ipv4 ? 20 : 40;
        const bytes = whole.slice(0, at + junk.length);
        bytes.set(junk, at);
        if (ipv4) {
          const view = new DataView(bytes.buffer);
          writeIpv4Header(view, 0, 0, bytes.length, 1, 0, 64, 17, V4[0], V4[1]);
        } else {
          new DataView(bytes.buffer).setUint16(4, junk.length);
        }
        receive(bytes);
      }),
      { numRuns: 200 },
    );
    lan.pass(10);
    expect(lan.net.memory.framesInUse).toBe(0);
  });
});
