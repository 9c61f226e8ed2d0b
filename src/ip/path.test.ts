import { afterEach, describe, expect, test } from "vitest";
import {
  counting,
  HOST4,
  HOST6,
  PEER4,
  PEER6,
  PEER_MAC,
  WirePeer,
} from "../../test/support/wire-peer.ts";
import { IPV4_ANY, IPV4_BROADCAST, IPV6_ANY, parseAddress } from "../base/address.ts";
import { macFromBytes } from "../base/mac.ts";
import { SEND_DONT_FRAGMENT } from "../base/path.ts";
import type { IcmpError } from "../base/transport.ts";
import { concatBytes, viewOf } from "../wire/bytes.ts";
import { pseudoSumWords } from "../wire/checksum.ts";
import { decodeIpv4, decodeIpv6 } from "../wire/ip-fields.ts";
import type { IpPath } from "./path.ts";

let peer: WirePeer;
afterEach(() => peer.end());

function send(
  path: IpPath,
  size: number,
  flags = 0,
  options: { tos?: number; ttl?: number } = {},
): number {
  const { memory } = peer.lan;
  const frame = memory.alloc(size);
  memory.setRange(frame, memory.start(frame), size);
  memory.bytes.set(counting(size), memory.start(frame));
  return peer.host.ip.send(path, frame, 200, options.tos ?? 0, options.ttl ?? 0, flags);
}

const pathTo = (
  remote: string,
  local = parseAddress(remote).isIpv4 ? IPV4_ANY : IPV6_ANY,
  bound = 0,
) => peer.host.ip.path(local, parseAddress(remote), bound) as IpPath | undefined;

/** Records errors that reach the transport of protocol 200. */
function errors(): Partial<IcmpError>[] {
  const list: Partial<IcmpError>[] = [];
  peer.host.ip.registerTransport(200, {
    input: () => true,
    icmpError: (e) => {
      const bytes = peer.lan.memory.bytes;
      list.push({
        type: e.type,
        code: e.code,
        errno: e.errno,
        hard: e.hard,
        mtu: e.mtu,
        length: e.length,
        local3: e.local3,
        remote3: e.remote3,
        reporter3: e.reporter3,
        offset: bytes[e.offset]!,
      });
    },
  });
  return list;
}

describe("paths", () => {
  test("one object for each pair of addresses, with its constants", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    expect(pathTo("10.0.0.2", HOST4)).toBe(path);
    expect(path).toMatchObject({
      isIpv4: true,
      mtu: 1500,
      interfaceMtu: 1500,
      headerLength: 20,
      usable: true,
      gsoMaxBytes: 0,
      checksumOffload: false,
    });
    expect(String(path.local)).toBe("10.0.0.1");
    const six = pathTo("fd00::2")!;
    expect(six.headerLength).toBe(40);
    for (const p of [path, six]) {
      const { local: l, remote: r } = p;
      expect(p.pseudoSum % 0xffff).toBe(
        pseudoSumWords(l.w0, l.w1, l.w2, l.w3, r.w0, r.w1, r.w2, r.w3, 0, 0) % 0xffff,
      );
    }
  });

  test("IPv4 header: values, and a checksum that holds, whatever they are", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    for (const [size, tos, ttl, flags] of [
      [0, 0, 0, 1],
      [1, 255, 255, 0],
      [1480, 3, 1, 1],
      [700, 0x10, 64, 0],
    ] as const) {
      expect(send(path, size, flags, { tos, ttl })).toBe(0);
      const [packet] = peer.packets();
      const header = decodeIpv4(viewOf(packet!), 0, packet!.length)!;
      expect(header).toMatchObject({
        tos,
        ttl: ttl || 64,
        totalLength: 20 + size,
        protocol: 200,
        dontFragment: flags === 1,
      });
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += viewOf(packet!).getUint16(i);
      expect(((sum & 0xffff) + (sum >>> 16)) & 0xffff).toBe(0xffff);
      expect(packet!.slice(20)).toEqual(counting(size));
    }
  });

  test("IPv6 header", () => {
    peer = new WirePeer().knowPeer();
    send(pathTo("fd00::2")!, 100, 0, { tos: 0xb9, ttl: 3 });
    const [packet] = peer.packets();
    expect(decodeIpv6(viewOf(packet!), 0, packet!.length)).toMatchObject({
      trafficClass: 0xb9,
      hopLimit: 3,
      payloadLength: 100,
      nextHeader: 200,
    });
  });

  test("no route: no path; a path that loses its route is not usable until there is one again", () => {
    peer = new WirePeer().knowPeer();
    expect(pathTo("8.8.8.8")).toBeUndefined();
    const route = peer.host.routes.add({ destination: "default", gateway: "10.0.0.2" });
    const path = pathTo("8.8.8.8")!;
    expect(path.usable).toBe(true);
    peer.host.routes.remove(route);
    expect(path.usable).toBe(false);
    expect(send(path, 10)).toBe(-101);
    expect(peer.counters.ipOutNoRoutes).toBe(1);
    peer.host.routes.add({ destination: "8.0.0.0/8", gateway: "10.0.0.2" });
    expect(path.usable).toBe(true);
    expect(send(path, 10)).toBe(0);
    expect(peer.lines()).toHaveLength(1);
  });

  test("an address taken away makes its paths unusable", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    peer.iface.addAddress("10.0.0.50/24");
    peer.iface.removeAddress("10.0.0.1");
    expect(path.usable).toBe(false);
    expect(String(pathTo("10.0.0.2")!.local)).toBe("10.0.0.50");
  });

  test("an interface that is down carries nothing; up again it does", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    peer.iface.down();
    expect(path.usable).toBe(false);
    peer.iface.up();
    expect(path.usable).toBe(true);
    expect(send(path, 10)).toBe(0);
  });

  test("broadcast and multicast go to their MAC, and back to ourselves where we belong", () => {
    peer = new WirePeer();
    const heard: number[] = [];
    peer.host.observe(200, (packet) =>
      heard.push(packet.interfaceIndex, packet.isMulticast ? 1 : 0),
    );
    // RFC 1112 §6.1: one hop for multicast unless asked otherwise.
    const cases = [
      ["255.255.255.255", "ff:ff:ff:ff:ff:ff", 64],
      ["10.0.0.255", "ff:ff:ff:ff:ff:ff", 64],
      ["224.0.0.1", "01:00:5e:00:00:01", 1],
      ["239.129.1.2", "01:00:5e:01:01:02", 1],
      ["ff02::1", "33:33:00:00:00:01", 1],
    ] as const;
    for (const [address, mac, ttl] of cases) {
      send(pathTo(address)!, 8);
      const [frame] = peer.frames();
      expect(String(macFromBytes(frame!))).toBe(mac);
      expect(frame![address.includes(":") ? 21 : 22]).toBe(ttl);
    }
    peer.run();
    expect(heard).toEqual([2, 1, 2, 1, 2, 1, 2, 1]);
  });

  test("a host without an address can broadcast (RFC 2131 §4.1)", () => {
    peer = new WirePeer({}, { addresses: [] });
    const path = peer.host.ip.path(IPV4_ANY, IPV4_BROADCAST, 2) as IpPath;
    expect(send(path, 8)).toBe(0);
    expect(peer.lines()).toEqual([expect.stringContaining("0.0.0.0 > 255.255.255.255")]);
  });

  test("link-local addresses need a scope when there are several interfaces", () => {
    peer = new WirePeer();
    const iface = peer.iface.index;
    expect(String(pathTo("fe80::9")!.local)).toMatch(/^fe80::.*%2$/);
    const port = peer.lan.port();
    peer.lan.join(port);
    const second = peer.host.addInterface(port, { addresses: ["10.7.0.1/24"] });
    expect(pathTo("fe80::9")).toBeUndefined();
    expect(pathTo(`fe80::9%${iface}`)!.iface!.index).toBe(iface);
    expect(pathTo("fe80::9", IPV6_ANY, second.index)!.iface!.index).toBe(second.index);
  });

  test("SO_BINDTODEVICE: only routes of that interface count", () => {
    peer = new WirePeer();
    const port = peer.lan.port();
    peer.lan.join(port);
    const second = peer.host.addInterface(port, {
      addresses: ["10.7.0.1/24"],
      gateway: "10.7.0.254",
    });
    expect(pathTo("10.0.0.2", IPV4_ANY, second.index)!.nextHop.toString()).toBe("10.7.0.254");
    expect(pathTo("10.0.0.2", IPV4_ANY, peer.iface.index)!.nextHop.toString()).toBe("10.0.0.2");
  });

  test("the table of paths is bounded, and an evicted path goes on working", () => {
    peer = new WirePeer({ pathLimit: 8 }).knowPeer();
    const first = pathTo("10.0.0.2")!;
    for (let i = 3; i < 200; i++) pathTo(`10.0.0.${i}`);
    expect(peer.host.ip.context.paths.size).toBe(8);
    expect(send(first, 10)).toBe(0);
    expect(peer.lines()).toHaveLength(1);
  });
});

describe("ourselves", () => {
  test.each(["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "fd00::1", "0.0.0.0", "::"])(
    "ping %s never touches the wire",
    (address) => {
      peer = new WirePeer();
      expect(peer.lan.ping(peer.host, parseAddress(address), { size: 3000 })).toMatchObject({
        errno: 0,
        size: 3000,
      });
      expect(peer.lines()).toEqual([]);
    },
  );

  test.each(["127.0.0.1", "127.0.0.5", "::1", "10.0.0.1", "fd00::1"])(
    "%s: a port nobody listens on is refused here too",
    (address) => {
      peer = new WirePeer();
      const heard: number[] = [];
      peer.host.ip.registerTransport(17, {
        input: () => false,
        icmpError: (error) => heard.push(error.errno, error.length),
      });
      const { memory } = peer.lan;
      const frame = memory.alloc(8);
      memory.setRange(frame, memory.start(frame), 8);
      peer.host.ip.send(pathTo(address)!, frame, 17, 0, 0, 0);
      peer.run();
      expect(heard).toEqual([111, 8]);
    },
  );

  test("our own link-local address answers under its scope", () => {
    peer = new WirePeer();
    const own = peer.iface.addresses.find((a) => a.origin === "link-local")!.address;
    expect(peer.lan.ping(peer.host, own)).toMatchObject({ errno: 0, from: own });
    expect(peer.lines()).toEqual([]);
  });

  test("what stays here comes back in the next poll through a bounded ring, not from within send", () => {
    peer = new WirePeer({ loopbackRing: 4 });
    let heard = 0;
    peer.host.observe(200, () => heard++);
    const path = pathTo("127.0.0.1")!;
    expect(path).toMatchObject({ checksumOffload: true, coalesces: true });
    for (let i = 0; i < 4; i++) {
      expect(path.room()).toBe(4 - i);
      expect(send(path, 10)).toBe(0);
    }
    expect([heard, path.room(), send(path, 10)]).toEqual([0, 0, -105]);
    peer.run();
    expect([heard, path.room()]).toEqual([4, 4]);
  });
});

describe("fragmentation at the source", () => {
  test("RFC 791 §2.3: pieces of a multiple of 8 bytes with one identification; DF set, or asked for: -EMSGSIZE", () => {
    peer = new WirePeer({}, { deviceMtu: 600 }).knowPeer();
    const path = pathTo("10.0.0.2")!;
    expect(send(path, 581, SEND_DONT_FRAGMENT)).toBe(-90);
    expect(send(path, 580, SEND_DONT_FRAGMENT)).toBe(0);
    peer.lines();
    expect(send(path, 1500)).toBe(0);
    const headers = peer.packets().map((p) => decodeIpv4(viewOf(p), 0, p.length)!);
    expect(headers.map((h) => [h.totalLength, h.fragmentOffset, h.moreFragments])).toEqual([
      [596, 0, true],
      [596, 576, true],
      [368, 1152, false],
    ]);
    expect(new Set(headers.map((h) => h.identification)).size).toBe(1);
    expect([
      peer.counters.ipFragOKs,
      peer.counters.ipFragCreates,
      peer.counters.ipFragFails,
    ]).toEqual([1, 3, 1]);
  });

  test("RFC 6864 §4.2: consecutive packets that may be cut differ in identification", () => {
    peer = new WirePeer().knowPeer();
    for (let i = 0; i < 3; i++) send(pathTo("10.0.0.2")!, 10);
    const ids = peer.packets().map((p) => viewOf(p).getUint16(4));
    expect(new Set(ids).size).toBe(3);
  });

  test("RFC 8200 §4.5: a fragment header in each piece", () => {
    peer = new WirePeer({}, { deviceMtu: 1280 }).knowPeer();
    send(pathTo("fd00::2")!, 2500);
    const pieces = peer.packets();
    expect(pieces.map((p) => [p.length, p[6], p[40], viewOf(p).getUint16(42)])).toEqual([
      [1280, 44, 200, 1],
      [1280, 44, 200, 1233],
      [84, 44, 200, 2464],
    ]);
    expect(concatBytes(...pieces.map((p) => p.slice(48)))).toEqual(counting(2500));
  });

  test("more than 65,535 bytes is -EMSGSIZE", () => {
    peer = new WirePeer().knowPeer();
    expect(send(pathTo("10.0.0.2")!, 65_516)).toBe(-90);
    expect(send(pathTo("fd00::2")!, 65_536)).toBe(-90);
    expect(send(pathTo("10.0.0.2")!, 65_515)).toBe(0);
  });
});

describe("path MTU", () => {
  const tooBig = (mtu: number, quoted: Uint8Array, isIpv4 = true) =>
    isIpv4
      ? peer.icmp({ type: 3, code: 4, rest: mtu, body: quoted }, parseAddress("10.0.0.9"))
      : peer.icmp({ type: 2, rest: mtu, body: quoted }, parseAddress("fd00::9"), HOST6);

  test("RFC 1191 §3: the transport hears of it with the MTU and the header quoted, and decides", () => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    const path = pathTo("10.0.0.2")!;
    send(path, 1480, SEND_DONT_FRAGMENT);
    const [sent] = peer.packets();
    tooBig(1400, sent!.slice(0, 28)).run();
    expect(heard).toEqual([
      {
        type: 3,
        code: 4,
        errno: 90,
        hard: false,
        mtu: 1400,
        length: 8,
        local3: HOST4.w3,
        remote3: PEER4.w3,
        reporter3: 0x0a000009,
        offset: 0,
      },
    ]);
    expect(path.mtu).toBe(1500); // RFC 5927 §7: not before the transport says so
    path.reportMtu(heard[0]!.mtu!);
    expect(path.mtu).toBe(1400);
    expect(send(path, 1381, SEND_DONT_FRAGMENT)).toBe(-90);
    expect(pathTo("10.0.0.3")!.mtu).toBe(1500);
  });

  test("RFC 1191 §6.3: it rises again after ten minutes", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    path.reportMtu(1000);
    peer.run(599_000_000);
    expect(path.mtu).toBe(1000);
    peer.run(2_000_000);
    expect(path.mtu).toBe(1500);
  });

  test("RFC 1191 §7.1: a router that names no MTU: the next smaller plateau", () => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    send(pathTo("10.0.0.2")!, 1480, SEND_DONT_FRAGMENT);
    const [sent] = peer.packets();
    tooBig(0, sent!).run();
    expect(heard).toMatchObject([{ mtu: 1492 }]);
  });

  test("a report below the floor of 552 makes packets go without DF instead", () => {
    peer = new WirePeer().knowPeer();
    const path = pathTo("10.0.0.2")!;
    path.reportMtu(68);
    expect(path.mtu).toBe(552);
    expect(send(path, 100, SEND_DONT_FRAGMENT)).toBe(0);
    const [packet] = peer.packets();
    expect(decodeIpv4(viewOf(packet!), 0, packet!.length)!.dontFragment).toBe(false);
  });

  test("RFC 8201 §4: IPv6 never below 1280; larger than what we have is ignored", () => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    const path = pathTo("fd00::2")!;
    send(path, 1400);
    const [sent] = peer.packets();
    tooBig(600, sent!, false).run();
    path.reportMtu(heard[0]!.mtu!);
    expect(path.mtu).toBe(1280);
    path.reportMtu(1400);
    expect(path.mtu).toBe(1280);
  });
});

describe("errors for our packets", () => {
  test.each([
    [3, 0, 101, false],
    [3, 1, 113, false],
    [3, 2, 92, true],
    [3, 3, 111, true],
    [3, 13, 113, true],
    [11, 0, 113, false],
    [12, 0, 71, true],
  ])("ICMP type %i code %i is errno %i, hard %s", (type, code, errno, hard) => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    send(pathTo("10.0.0.2")!, 40);
    const [sent] = peer.packets();
    peer.icmp({ type, code, body: sent!.slice(0, 28) }).run();
    expect(heard).toMatchObject([{ errno, hard }]);
  });

  test.each([
    [1, 0, 101, false],
    [1, 1, 13, true],
    [1, 3, 113, false],
    [1, 4, 111, true],
    [3, 0, 113, false],
    [4, 1, 71, true],
  ])("ICMPv6 type %i code %i is errno %i, hard %s", (type, code, errno, hard) => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    send(pathTo("fd00::2")!, 40);
    const [sent] = peer.packets();
    peer.icmp({ type, code, body: sent! }, PEER6).run();
    expect(heard).toMatchObject([{ errno, hard }]);
  });

  test("RFC 1122 §3.2.2.1: quotes of packets that are not ours, or too short, concern nobody", () => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    send(pathTo("10.0.0.2")!, 40);
    const [sent] = peer.packets();
    const foreign = sent!.slice();
    foreign[15] = 99;
    const later = sent!.slice();
    later[7] = 8;
    for (const body of [foreign, later, sent!.slice(0, 27), sent!.slice(0, 5), new Uint8Array(0)]) {
      peer.icmp({ type: 3, code: 3, body });
    }
    peer.run();
    expect(heard).toEqual([]);
    expect(peer.counters.icmpInNotOurs).toBe(5);
  });

  test("RFC 6633: source quench is ignored", () => {
    peer = new WirePeer().knowPeer();
    const heard = errors();
    send(pathTo("10.0.0.2")!, 40);
    const [sent] = peer.packets();
    peer.icmp({ type: 4, body: sent! }).run();
    expect(heard).toEqual([]);
  });

  test("a neighbor that does not answer: EHOSTUNREACH to the transport of each waiting packet", () => {
    peer = new WirePeer();
    const heard = errors();
    expect(send(pathTo("10.0.0.9")!, 40)).toBe(0);
    expect(send(pathTo("fd00::9")!, 40)).toBe(0);
    peer.run(4_000_000);
    expect(heard).toMatchObject([
      { errno: 113, hard: false, length: 40, local3: HOST4.w3, remote3: 0x0a000009 },
      { errno: 113, hard: false, length: 40, local3: HOST6.w3, remote3: 9 },
    ]);
  });
});

test("RFC 1122 §3.3.1.4: a dead gateway gives way to the second one", () => {
  peer = new WirePeer();
  peer.iface.addNeighbor("10.0.0.3", PEER_MAC);
  peer.host.routes.add({ destination: "default", gateway: "10.0.0.9" });
  peer.host.routes.add({ destination: "default", gateway: "10.0.0.3", metric: 10 });
  send(pathTo("8.8.8.8")!, 10);
  peer.run(4_000_000);
  peer.lines();
  send(pathTo("8.8.8.8")!, 10);
  expect(peer.lines()).toEqual([expect.stringContaining("10.0.0.1 > 8.8.8.8")]);
  peer.run(40_000_000);
  send(pathTo("8.8.8.8")!, 10);
  peer.run();
  expect(peer.lines("who-has 10.0.0.9")).toHaveLength(1);
});
