import { afterEach, describe, expect, test } from "vitest";
import { HOST4, PEER4, PEER_MAC, WirePeer } from "../../test/support/wire-peer.ts";
import { parseAddress } from "../base/address.ts";
import { MAC_BROADCAST, parseMac } from "../base/mac.ts";
import { ETHERTYPE_ARP } from "../wire/ethernet.ts";

let peer: WirePeer;
afterEach(() => peer.end());

const OTHER_MAC = parseMac("02:00:00:00:00:99");

describe("RFC 826", () => {
  test("a request for our address is answered to the asker, from poll and not from input", () => {
    peer = new WirePeer();
    peer.arp(1, "10.0.0.2", "10.0.0.1");
    expect(peer.port.sent).toEqual([]);
    peer.run();
    const frames = peer.port.sent.slice();
    expect(peer.lines()).toEqual(["ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28"]);
    expect(frames[0]!.slice(0, 6)).toEqual(PEER_MAC.toBytes());
    expect(frames[0]!.slice(32, 42)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 2, 10, 0, 0, 2));
  });

  test("who asks for us is remembered and not asked for in turn", () => {
    peer = new WirePeer();
    peer.arp(1, "10.0.0.2", "10.0.0.1").run();
    peer.lines();
    peer.lan.ping(peer.host, PEER4, {}, 1000);
    expect(peer.lines()).toEqual([expect.stringContaining("ICMP echo request")]);
  });

  test("a request for somebody else updates an entry but makes none", () => {
    peer = new WirePeer();
    peer.arp(1, "10.0.0.2", "10.0.0.77").run();
    expect(peer.iface.neighbors).toEqual([]);
    expect(peer.lines()).toEqual([]);
  });

  test("the first packet asks, the answer lets it go", () => {
    peer = new WirePeer();
    peer.host.echo(PEER4, { size: 4 }, () => {});
    peer.run();
    expect(peer.lines()).toEqual(["ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28"]);
    peer.arp(2, "10.0.0.2", "10.0.0.1", { destination: peer.iface.mac! }).run();
    expect(peer.lines()).toEqual([
      expect.stringContaining("10.0.0.1 > 10.0.0.2: ICMP echo request"),
    ]);
    expect(peer.iface.neighbors).toMatchObject([{ state: "reachable" }]);
  });

  test("a reply that nobody asked for makes no entry", () => {
    peer = new WirePeer();
    peer.arp(2, "10.0.0.2", "10.0.0.1").run();
    expect(peer.iface.neighbors).toEqual([]);
  });

  test("a multicast station, a short packet and a strange operation are refused and counted", () => {
    peer = new WirePeer();
    peer.arp(1, "10.0.0.2", "10.0.0.1", { senderMac: parseMac("01:00:5e:00:00:01") });
    peer.frame(ETHERTYPE_ARP, new Uint8Array(27), MAC_BROADCAST);
    peer.arp(9, "10.0.0.2", "10.0.0.1").run();
    expect(peer.counters.arpInErrors).toBe(3);
    expect(peer.lines()).toEqual([]);
  });

  test("nobody there: EHOSTUNREACH after three questions a second apart", () => {
    peer = new WirePeer();
    const result = peer.lan.ping(
      peer.host,
      parseAddress("10.0.0.9"),
      { timeoutUs: 60_000_000 },
      60_000_000,
    );
    expect(result).toMatchObject({ errno: 113, rttUs: 3_000_000 });
    expect(peer.lines("who-has 10.0.0.9")).toHaveLength(3);
  });
});

describe("RFC 5227", () => {
  test("§2.3: an address is announced when added and again two seconds later", () => {
    peer = new WirePeer(
      { announceAddresses: true, duplicateAddressDetection: "optimistic", ipv6: false },
      { addresses: ["10.0.0.1/24"] },
    );
    peer.run(10_000_000);
    expect(peer.lines("Announcement")).toEqual(
      Array<string>(2).fill("ARP, Announcement 10.0.0.1 at 02:00:00:00:00:01, length 28"),
    );
  });

  test("§2.1: strict: three probes with an empty sender, then the address is ours", () => {
    peer = new WirePeer(
      { announceAddresses: true, duplicateAddressDetection: "strict", ipv6: false },
      { addresses: ["10.0.0.1/24"] },
    );
    expect(peer.iface.addresses).toMatchObject([{ state: "tentative" }]);
    expect(peer.host.isLocalAddress(HOST4)).toBe(false);
    peer.arp(1, "10.0.0.2", "10.0.0.1").run(500_000);
    expect(peer.counters.arpOutReplies).toBe(0);
    peer.run(15_000_000);
    expect(peer.lines().map((line) => line.slice(0, 16))).toEqual([
      "ARP, Probe 10.0.",
      "ARP, Probe 10.0.",
      "ARP, Probe 10.0.",
      "ARP, Announcemen",
      "ARP, Announcemen",
    ]);
    expect(peer.iface.addresses).toMatchObject([{ state: "preferred" }]);
    expect(peer.host.isLocalAddress(HOST4)).toBe(true);
  });

  test("§2.1.1: strict: an address that another station has is not taken", () => {
    peer = new WirePeer(
      { duplicateAddressDetection: "strict", ipv6: false },
      { addresses: ["10.0.0.1/24"] },
    );
    peer.run(1_500_000);
    peer.arp(2, "10.0.0.1", "10.0.0.1", { senderMac: OTHER_MAC }).run(10_000_000);
    expect(peer.iface.addresses).toMatchObject([{ state: "duplicate" }]);
    expect(peer.counters.addressConflicts).toBe(1);
  });

  test("§2.1.1: two stations that probe for the same address both keep off", () => {
    peer = new WirePeer(
      { duplicateAddressDetection: "strict", ipv6: false },
      { addresses: ["10.0.0.1/24"] },
    );
    peer.run(100_000);
    peer.arp(1, "0.0.0.0", "10.0.0.1", { senderMac: OTHER_MAC }).run(10_000_000);
    expect(peer.iface.addresses).toMatchObject([{ state: "duplicate" }]);
  });

  test("optimistic: usable at once, given up when another station turns out to have it", () => {
    peer = new WirePeer(
      { duplicateAddressDetection: "optimistic", ipv6: false },
      { addresses: ["10.0.0.1/24"] },
    );
    expect(peer.host.isLocalAddress(HOST4)).toBe(true);
    peer.arp(1, "10.0.0.1", "10.0.0.1", { senderMac: OTHER_MAC }).run();
    expect(peer.iface.addresses).toMatchObject([{ state: "duplicate" }]);
  });

  test("§2.4: later we defend the address, at most every ten seconds", () => {
    peer = new WirePeer();
    for (let i = 0; i < 3; i++)
      peer.arp(1, "10.0.0.1", "10.0.0.1", { senderMac: OTHER_MAC }).run(1_000_000);
    expect(peer.lines("Announcement 10.0.0.1")).toHaveLength(1);
    peer.run(10_000_000);
    peer.arp(1, "10.0.0.1", "10.0.0.1", { senderMac: OTHER_MAC }).run();
    expect(peer.lines("Announcement 10.0.0.1")).toHaveLength(1);
    expect(peer.host.isLocalAddress(HOST4)).toBe(true);
  });
});
