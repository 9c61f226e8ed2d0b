import { afterEach, describe, expect, test } from "vitest";
import { Lan, type TestPort } from "../../test/support/lan.ts";
import { parseAddress } from "../base/address.ts";
import { GSO_TCPV4 } from "../base/frame-memory.ts";
import type { Host } from "../host/host.ts";
import { NO_OFFLOAD } from "../link/device.ts";
import { viewOf } from "../wire/bytes.ts";
import { describe as line } from "../wire/description.ts";
import { encodeIpv4 } from "../wire/ip-fields.ts";
import { ACK, writeTcpHeader } from "../wire/tcp.ts";

let lan: Lan;
afterEach(() => lan.end());

const QUIET = {
  duplicateAddressDetection: "off",
  announceAddresses: false,
  multicastReports: false,
} as const;

interface Net {
  a: Host;
  b: Host;
  router: Host;
  /** The router's ports. */
  left: TestPort;
  right: TestPort;
}

/** a - router - b, the second link with an MTU of its own. */
function net(options: { mtu?: number; routerConfig?: object } = {}): Net {
  lan = new Lan();
  const a = lan.host("a", QUIET);
  const b = lan.host("b", QUIET);
  const router = lan.host("router", { ...QUIET, forwarding: true, ...options.routerConfig });
  const mtu = options.mtu ?? 1500;
  const [pa, left, right, pb] = [lan.port(), lan.port(), lan.port({ mtu }), lan.port({ mtu })];
  lan.join(pa!, left!);
  lan.join(right!, pb!);
  router.addInterface(left!, { addresses: ["10.0.0.254/24", "fd00::ff/64"] });
  router.addInterface(right!, { addresses: ["10.0.1.254/24", "fd01::ff/64"] });
  a.addInterface(pa!, {
    addresses: ["10.0.0.1/24", "fd00::1/64"],
    gateway: ["10.0.0.254", "fd00::ff"],
  });
  b.addInterface(pb!, {
    addresses: ["10.0.1.1/24", "fd01::1/64"],
    gateway: ["10.0.1.254", "fd01::ff"],
  });
  lan.run();
  return { a, b, router, left: left!, right: right! };
}

describe("through a router", () => {
  for (const address of ["10.0.1.1", "fd01::1"]) {
    for (const size of [0, 1400, 5000, 65_000]) {
      test(`ping ${address} with ${size} bytes`, () => {
        const { a, router } = net();
        expect(lan.ping(a, parseAddress(address), { size })).toMatchObject({
          errno: 0,
          size,
          ttl: 63,
        });
        expect(router.counters.ipForwDatagrams).toBeGreaterThanOrEqual(2);
      });
    }
  }

  test("RFC 1812 §5.3.1: the TTL falls by one, the checksum holds (RFC 1624), the rest stays", () => {
    const { a, right } = net();
    lan.ping(a, parseAddress("10.0.1.1"), { ttl: 2 });
    const request = right.sent.map((f) => f.slice(14)).find((p) => p[0] === 0x45)!;
    expect(request[8]).toBe(1);
    expect(line(request, "ip")).not.toContain("bad");
  });

  test.each(["10.0.1.1", "fd01::1"])(
    "%s: TTL or hop limit at its end: time exceeded from the router",
    (address) => {
      const { a } = net();
      const result = lan.ping(a, parseAddress(address), { ttl: 1 });
      expect(result).toMatchObject({ errno: 113 });
      expect(String(result!.from)).toBe(address.includes(":") ? "fd00::ff" : "10.0.0.254");
    },
  );

  test.each(["10.9.9.9", "fd09::9"])("%s: no route: unreachable", (address) => {
    const { a } = net();
    expect(lan.ping(a, parseAddress(address))).toMatchObject({ errno: 101 });
  });

  test.each(["10.0.1.77", "fd01::77"])(
    "%s: RFC 1812 §5.2.7.1: nobody there: host unreachable",
    (address) => {
      const { a } = net();
      expect(lan.ping(a, parseAddress(address), { timeoutUs: 1e7 })).toMatchObject({ errno: 113 });
    },
  );

  test("a host that is no router does not pass on", () => {
    const { a, router } = net({ routerConfig: { forwarding: false } });
    expect(lan.ping(a, parseAddress("10.0.1.1"))).toMatchObject({ errno: 110 });
    expect(router.counters.ipInNotForwarded).toBe(1);
  });

  test("link-local addresses stay on their link (RFC 4291 §2.5.6, RFC 3927 §2.7)", () => {
    const { router, left, right } = net();
    const bytes = encodeIpv4(
      { source: parseAddress("169.254.1.1"), destination: parseAddress("10.0.1.1"), protocol: 200 },
      new Uint8Array(8),
    );
    const mac = router.interface("eth0")!.mac!.toBytes();
    left.inject(Uint8Array.of(...mac, 2, 0, 0, 0, 0, 9, 8, 0, ...bytes));
    lan.run();
    expect(right.sent).toEqual([]);
  });
});

describe("a narrower link", () => {
  test("RFC 1191 §4: with DF: fragmentation needed with the next hop's MTU, which the sender then keeps to", () => {
    const { a } = net({ mtu: 1300 });
    const to = parseAddress("10.0.1.1");
    expect(lan.ping(a, to, { size: 1400, dontFragment: true })).toMatchObject({
      errno: 90,
      mtu: 1300,
    });
    expect(lan.ping(a, to, { size: 1400, dontFragment: true }, 0)).toMatchObject({
      errno: 90,
      mtu: 1300,
    });
    expect(lan.ping(a, to, { size: 1272, dontFragment: true })).toMatchObject({ errno: 0 });
  });

  test("RFC 1812 §5.2.6: without DF the router cuts, pieces of pieces included", () => {
    const { a, router } = net({ mtu: 1300 });
    expect(lan.ping(a, parseAddress("10.0.1.1"), { size: 10_000 })).toMatchObject({
      errno: 0,
      size: 10_000,
    });
    expect(router.counters.ipFragCreates).toBeGreaterThan(7);
  });

  test("RFC 8201: IPv6 is never cut on the way: packet too big, then pieces from the source", () => {
    const { a, router } = net({ mtu: 1300 });
    const to = parseAddress("fd01::1");
    expect(lan.ping(a, to, { size: 1400 })).toMatchObject({ errno: 90, mtu: 1300 });
    expect(lan.ping(a, to, { size: 1400 })).toMatchObject({ errno: 0, size: 1400 });
    expect(router.counters.ipFragCreates).toBe(0);
    expect(router.counters.icmpOutPktTooBigs).toBe(1);
  });
});

describe("frames", () => {
  test("the only holder's frame is passed on without a copy; a frame that others hold is copied", () => {
    const { a, router, left, right } = net();
    lan.ping(a, parseAddress("10.0.1.1"));
    const bytes = encodeIpv4(
      { source: parseAddress("10.0.0.1"), destination: parseAddress("10.0.1.1"), protocol: 200 },
      new Uint8Array(8),
    );
    const mac = router.interface("eth0")!.mac!.toBytes();
    const whole = Uint8Array.of(...mac, 2, 0, 0, 0, 0, 9, 8, 0, ...bytes);
    for (const isHeld of [false, true]) {
      const frame = lan.memory.allocFrom(whole, 14);
      left.sink!.receive(frame);
      if (!isHeld) lan.memory.release(frame);
      router.poll(lan.nowUs, 64);
      expect(right.queue).toHaveLength(1);
      expect(right.queue[0] === frame).toBe(!isHeld);
      const held = isHeld ? lan.memory.copyOut(frame) : whole;
      expect(held).toEqual(whole);
      if (isHeld) lan.memory.release(frame);
      lan.run();
    }
  });

  test("a super-segment is judged by its wire segments and cut at the way out", () => {
    const { a, router, left, right } = net();
    lan.ping(a, parseAddress("10.0.1.1"));
    right.sent.length = 0;
    const payload = 5000;
    const bytes = encodeIpv4(
      { source: parseAddress("10.0.0.1"), destination: parseAddress("10.0.1.1"), protocol: 6 },
      new Uint8Array(20 + payload),
    );
    writeTcpHeader(viewOf(bytes), 20, 1, 2, 1000, 1, 20, ACK, 10, 0, 0);
    const mac = router.interface("eth0")!.mac!.toBytes();
    const frame = lan.memory.allocFrom(Uint8Array.of(...mac, 2, 0, 0, 0, 0, 9, 8, 0, ...bytes), 14);
    lan.memory.setGso(frame, GSO_TCPV4, 1460);
    lan.memory.setPartialChecksum(frame, lan.memory.start(frame) + 34, 16);
    left.sink!.receive(frame);
    lan.memory.release(frame);
    router.poll(lan.nowUs, 64);
    expect(right.sent.map((f) => f.length - 54)).toEqual([1460, 1460, 1460, 620]);
    expect(right.offload).toBe(NO_OFFLOAD);
    lan.run();
  });

  test("the ring of packets to pass on is bounded", () => {
    const { router, left, right } = net({ routerConfig: { forwardRing: 4 } });
    const bytes = encodeIpv4(
      { source: parseAddress("10.0.0.1"), destination: parseAddress("10.0.1.1"), protocol: 200 },
      new Uint8Array(8),
    );
    const mac = router.interface("eth0")!.mac!.toBytes();
    for (let i = 0; i < 10; i++)
      left.inject(Uint8Array.of(...mac, 2, 0, 0, 0, 0, 9, 8, 0, ...bytes));
    expect(router.counters.ipInDiscards).toBe(6);
    lan.run();
    expect(right.sent.filter((frame) => frame[23] === 200)).toHaveLength(4);
  });
});
