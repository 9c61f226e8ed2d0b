import { afterEach, describe, expect, test } from "vitest";
import { counting, HOST4, PEER4, WirePeer } from "../../test/support/wire-peer.ts";
import { IPV6_ALL_NODES, parseAddress } from "../base/address.ts";
import { multicastMac } from "../base/mac.ts";
import { concatBytes, viewOf } from "../wire/bytes.ts";
import { checksumOf, sumBytes } from "../wire/checksum.ts";
import { encodeIcmpv6 } from "../wire/icmp-fields.ts";
import { encodeIpv4, encodeIpv6 } from "../wire/ip-fields.ts";

let peer: WirePeer;
afterEach(() => peer.end());

const GROUP = parseAddress("239.1.2.3");
const GROUP6 = parseAddress("ff05::123");
const QUERIER6 = parseAddress("fe80::99");

function start(config = {}) {
  peer = new WirePeer({ multicastReports: true, ...config });
  peer.run(2_000_000);
  peer.lines();
}

/** An IGMP query: 8 bytes for version 2 (or 1, without a time), 12 for version 3. */
function query(group: string, tenths: number, length = 12) {
  const message = new Uint8Array(length);
  message.set([0x11, tenths]);
  viewOf(message).setInt32(4, parseAddress(group).w3);
  viewOf(message).setUint16(2, checksumOf(sumBytes(viewOf(message), 0, length)));
  const to = group === "0.0.0.0" ? parseAddress("224.0.0.1") : parseAddress(group);
  const options = Uint8Array.of(148, 4, 0, 0);
  peer.packet(
    encodeIpv4({ source: PEER4, destination: to, protocol: 2, ttl: 1, options }, message),
    multicastMac(to),
  );
}

function query6(group: string, ms: number, length = 28) {
  const body = new Uint8Array(length - 8);
  const g = parseAddress(group);
  viewOf(body).setInt32(0, g.w0);
  viewOf(body).setInt32(12, g.w3);
  const message = encodeIcmpv6({ type: 130, rest: ms << 16, body }, QUERIER6, IPV6_ALL_NODES);
  const alert = Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0);
  const fields = { source: QUERIER6, destination: IPV6_ALL_NODES, nextHeader: 0, hopLimit: 1 };
  peer.packet(encodeIpv6(fields, concatBytes(alert, message)), multicastMac(IPV6_ALL_NODES));
}

describe("membership", () => {
  test("only what is sent to our groups is delivered, by each of our memberships once", () => {
    start();
    let heard = 0;
    peer.host.observe(200, (packet) => (heard += packet.isMulticast ? 1 : 100));
    const send = () => peer.ip(PEER4, GROUP, 200, counting(4));
    send();
    peer.iface.joinGroup("239.1.2.3");
    peer.iface.joinGroup("239.1.2.3");
    send();
    peer.iface.leaveGroup("239.1.2.3");
    send();
    peer.iface.leaveGroup("239.1.2.3");
    send();
    expect(heard).toBe(2);
    expect(peer.iface.leaveGroup("239.1.2.3")).toBe(false);
  });

  test("the device's filter follows", () => {
    start();
    const mac = "01:00:5e:01:02:03";
    peer.iface.joinGroup("239.1.2.3");
    expect(peer.port.filter.map(String)).toContain(mac);
    peer.iface.leaveGroup("239.1.2.3");
    peer.run(3_000_000);
    expect(peer.port.filter.map(String)).not.toContain(mac);
  });
});

describe("IGMP", () => {
  test("RFC 3376 §5.1: joining is reported twice, to 224.0.0.22 with TTL 1 and Router Alert; leaving too", () => {
    start();
    peer.iface.joinGroup("239.1.2.3");
    peer.run(2_000_000);
    const reports = peer.packets();
    expect(reports).toHaveLength(2);
    for (const report of reports) {
      expect(report.slice(16, 24)).toEqual(Uint8Array.of(224, 0, 0, 22, 148, 4, 0, 0));
      expect(report[8]).toBe(1);
      expect([...report.slice(24, 25), ...report.slice(30, 33), ...report.slice(36, 40)]).toEqual([
        0x22, 0, 1, 4, 239, 1, 2, 3,
      ]);
      expect(sumBytes(viewOf(report), 24, 16)).toBe(0xffff);
      expect(sumBytes(viewOf(report), 0, 24)).toBe(0xffff);
    }
    peer.iface.leaveGroup("239.1.2.3");
    peer.run(2_000_000);
    expect(peer.packets().map((p) => p[32])).toEqual([3, 3]);
  });

  test("RFC 3376 §5.2: a query is answered within its time for each group, or for the one asked for", () => {
    start();
    for (const group of ["239.1.2.3", "239.1.2.4"]) peer.iface.joinGroup(group);
    peer.run(5_000_000);
    peer.lines();
    query("0.0.0.0", 100);
    peer.run(10_000_000);
    expect(peer.packets().map((p) => p[32])).toEqual([2, 2]);
    query("239.1.2.4", 10);
    peer.run(1_000_000);
    expect(peer.packets().map((p) => [p[32], p[39]])).toEqual([[2, 4]]);
    expect(peer.counters.igmpInQueries).toBe(2);
  });

  test("RFC 2236: while a version 2 querier speaks: version 2 reports to the group, and a leave to all routers", () => {
    start();
    peer.iface.joinGroup("239.1.2.3");
    peer.run(5_000_000);
    peer.lines();
    query("0.0.0.0", 100, 8);
    peer.run(10_000_000);
    peer.iface.leaveGroup("239.1.2.3");
    peer.run(5_000_000);
    expect(peer.packets().map((p) => [p[16], p[19], p[24]])).toEqual([
      [239, 3, 0x16],
      [224, 2, 0x17],
    ]);
  });

  test("RFC 2236 §3: another member's answer spares ours", () => {
    start();
    peer.iface.joinGroup("239.1.2.3");
    peer.run(5_000_000);
    peer.lines();
    query("0.0.0.0", 100, 8);
    const report = Uint8Array.of(0x16, 0, 0, 0, 239, 1, 2, 3);
    viewOf(report).setUint16(2, checksumOf(sumBytes(viewOf(report), 0, 8)));
    peer.ip(PEER4, GROUP, 2, report, 1);
    peer.run(20_000_000);
    expect(peer.lines()).toEqual([]);
  });

  test("RFC 3376 §9.1: a query that came through a router, or is damaged, is none", () => {
    start();
    peer.iface.joinGroup("239.1.2.3");
    peer.run(5_000_000);
    peer.lines();
    const message = Uint8Array.of(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0);
    peer.ip(PEER4, parseAddress("224.0.0.1"), 2, message, 2);
    peer.ip(PEER4, parseAddress("224.0.0.1"), 2, Uint8Array.of(0x11, 100, 0, 0, 0, 0, 0, 0), 1);
    peer.run(20_000_000);
    expect([peer.lines(), peer.counters.igmpInErrors]).toEqual([[], 2]);
    expect(HOST4.isIpv4).toBe(true);
  });
});

describe("MLD", () => {
  test("RFC 3810 §5.2: joining is reported to ff02::16 from the link-local address with Router Alert", () => {
    start();
    peer.iface.joinGroup(GROUP6);
    peer.run(2_000_000);
    expect(peer.lines()).toEqual(
      Array(2).fill(
        "IP6 fe80::ff:fe00:1 > ff02::16: ICMP6, multicast listener report v2, to_ex ff05::123, length 28",
      ),
    );
  });

  test("each address's solicited-node group is reported when it is added (RFC 4861 §7.2.1)", () => {
    start();
    peer.iface.addAddress("fd00::abcd/64");
    peer.run(2_000_000);
    expect(peer.lines("ff02::1:ff00:abcd").length).toBeGreaterThanOrEqual(2);
    peer.iface.removeAddress("fd00::abcd");
    peer.run(2_000_000);
    expect(peer.lines("to_in ff02::1:ff00:abcd")).toHaveLength(2);
  });

  test("RFC 3810 §6.2: queries are answered; RFC 2710 ones in version 1", () => {
    start();
    peer.iface.joinGroup(GROUP6);
    peer.run(5_000_000);
    peer.lines();
    query6("ff05::123", 1000);
    peer.run(1_000_000);
    expect(peer.lines("is_ex ff05::123")).toHaveLength(1);
    query6("ff05::123", 1000, 24);
    peer.run(1_000_000);
    peer.iface.leaveGroup(GROUP6);
    peer.run(1_000_000);
    expect(peer.packets().map((p) => p[48])).toEqual([131, 132]);
    expect(peer.counters.mldInQueries).toBe(2);
  });
});
