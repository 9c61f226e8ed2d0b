import { describe as group, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { MAC_BROADCAST, parseMac } from "../base/mac.ts";
import { asciiBytes, bytesFromHex, concatBytes, viewOf } from "./bytes.ts";
import { describe, describeAt } from "./description.ts";
import { describeTcpFlags } from "./description-transport.ts";
import { dnsQuery, dnsReply } from "./dns.ts";
import { encodeDns } from "./dns-encode.ts";
import { encodeArp, encodeEthernet } from "./ethernet-fields.ts";
import { encodeTcpPacket, encodeUdpPacket } from "./frame-fields.ts";
import { encodeIcmpv4, encodeIcmpv6, type IcmpFields } from "./icmp-fields.ts";
import { IGMPV2_REPORT, RECORD_TO_EXCLUDE, writeIgmpv2, writeIgmpv3Report } from "./igmp.ts";
import { encodeIp, encodeIpv4, encodeIpv6 } from "./ip-fields.ts";
import { writeMldv2Report, writeRouterAlertHeader } from "./mld.ts";
import { encodeNdp, type NdpMessage } from "./ndp-fields.ts";
import { ACK, FIN, PSH, RST, SYN, URG } from "./tcp.ts";

const a = parseAddress("10.0.0.1");
const b = parseAddress("10.0.0.2");
const a6 = parseAddress("fd00::1");
const b6 = parseAddress("fd00::2");
const macA = parseMac("02:00:00:00:00:01");
const macB = parseMac("02:00:00:00:00:02");
const v4 = { source: a, destination: b };
const v6 = { source: a6, destination: b6 };
const ports = { sourcePort: 1234, destinationPort: 80 };
const nothing = new Uint8Array(0);

group("TCP", () => {
  test("a SYN with the options of Linux", () => {
    const syn = encodeTcpPacket(v4, {
      ...ports,
      flags: SYN,
      sequence: 1000,
      options: [
        { kind: "mss", mss: 1460 },
        { kind: "sackOK" },
        { kind: "timestamps", val: 1, ecr: 0 },
        { kind: "nop" },
        { kind: "wscale", shift: 7 },
      ],
    });
    expect(describe(syn, "ip")).toBe(
      "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1000, win 65535, " +
        "options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0",
    );
  });

  test("data has a range across the wrap; a bare ACK has no number; RST has one", () => {
    const line = (flags: number, sequence: number, payload = nothing, acknowledgment = -2) =>
      describe(
        encodeTcpPacket(v6, { ...ports, flags, sequence, acknowledgment, rawWindow: 5 }, payload),
        "ip",
      ).replace("IP6 fd00::1.1234 > fd00::2.80: ", "");
    expect(line(PSH | ACK, -3, new Uint8Array(10))).toBe(
      "Flags [P.], seq 4294967293:7, ack 4294967294, win 5, length 10",
    );
    expect(line(ACK, 9)).toBe("Flags [.], ack 4294967294, win 5, length 0");
    expect(line(RST, 9)).toBe("Flags [R], seq 9, win 5, length 0");
    expect(line(FIN | ACK, 9)).toBe("Flags [F.], seq 9, ack 4294967294, win 5, length 0");
    expect(line(URG, 9)).toBe("Flags [U], win 5, urg 0, length 0");
  });

  test("all flags have a letter", () => {
    expect(describeTcpFlags(0x1ff)).toBe("FSRP.UEWe");
    expect(describeTcpFlags(0)).toBe("none");
  });

  test("the rarer options", () => {
    const packet = encodeTcpPacket(v4, {
      ...ports,
      flags: ACK,
      options: [
        { kind: "sack", blocks: [[-1, 5]] },
        { kind: "fastOpen", cookie: bytesFromHex("a1b2c3d4"), experimental: false },
        { kind: "fastOpen", cookie: nothing, experimental: true },
        { kind: "userTimeout", raw: 0x8005 },
        { kind: "other", number: 77, data: bytesFromHex("01") },
        { kind: "rest", bytes: bytesFromHex("0801") },
      ],
    });
    expect(describe(packet, "ip")).toContain(
      "options [sack 4294967295:5,FO a1b2c3d4,FOEXP,uto 5 min,option 77 01,bad 0801",
    );
  });

  test("a segment cut in the header, and one cut in the data, say so", () => {
    const packet = encodeTcpPacket(v4, { ...ports, flags: ACK }, new Uint8Array(100));
    expect(describe(packet.subarray(0, 60), "ip")).toBe(
      "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [.], seq 0:100, ack 0, win 65535, length 100",
    );
    expect(describe(packet.subarray(0, 30), "ip")).toBe(
      "IP 10.0.0.1 > 10.0.0.2: [|tcp] length 120",
    );
  });
});

group("IP", () => {
  test("ECN, a wrong header checksum, other protocols and versions", () => {
    const odd = encodeIpv4({ ...v4, protocol: 132, tos: 3, checksum: 1 }, new Uint8Array(4));
    expect(describe(odd, "ip")).toBe(
      "IP [bad ip cksum] [CE] 10.0.0.1 > 10.0.0.2: ip-proto-132, length 4",
    );
    expect(describe(Uint8Array.of(0x50), "ip")).toBe("IP version 5, length 1");
    expect(describe(nothing, "ip")).toBe("[|ip] length 0");
  });

  test("fragments of both families", () => {
    const first = encodeUdpPacket(v4, ports, new Uint8Array(16));
    const fragment = { ...v4, protocol: 17, identification: 7 };
    expect(
      describe(encodeIpv4({ ...fragment, moreFragments: true }, first.subarray(20)), "ip"),
    ).toBe("IP 10.0.0.1.1234 > 10.0.0.2.80: UDP, length 16 (frag 7:24@0+)");
    expect(describe(encodeIpv4({ ...fragment, fragmentOffset: 24 }, first), "ip")).toBe(
      "IP 10.0.0.1 > 10.0.0.2: udp (frag 7:44@24)",
    );
    const later = bytesFromHex("1100 05a8 0000abcd 0102030405060708");
    expect(describe(encodeIpv6({ ...v6, nextHeader: 44 }, later), "ip")).toBe(
      "IP6 fd00::1 > fd00::2: udp (frag 0xabcd:8@1448)",
    );
  });

  test("bad extension headers", () => {
    const bad = encodeIpv6({ ...v6, nextHeader: 60 }, bytesFromHex("1109"));
    expect(describe(bad, "ip")).toBe("IP6 fd00::1 > fd00::2: bad extension headers, length 2");
    const unknown = encodeIpv6({ ...v6, nextHeader: 60 }, bytesFromHex("11009e0400000000"));
    expect(describe(unknown, "ip")).toBe("IP6 fd00::1 > fd00::2: parameter problem at 42");
  });
});

group("ICMP", () => {
  const line = (fields: IcmpFields) =>
    describe(encodeIp({ ...v4, protocol: 1 }, encodeIcmpv4(fields)), "ip").replace(
      "IP 10.0.0.1 > 10.0.0.2: ICMP ",
      "",
    );
  const line6 = (fields: IcmpFields) =>
    describe(encodeIp({ ...v6, protocol: 58 }, encodeIcmpv6(fields, a6, b6)), "ip").replace(
      "IP6 fd00::1 > fd00::2: ICMP6, ",
      "",
    );
  const quoted = encodeUdpPacket({ source: b, destination: a }, ports, nothing);
  const quoted6 = encodeUdpPacket({ source: b6, destination: a6 }, ports, nothing);

  test("messages of IPv4", () => {
    expect(line({ type: 8, rest: 0x00010002, body: new Uint8Array(56) })).toBe(
      "echo request, id 1, seq 2, length 64",
    );
    expect(line({ type: 0, rest: 0x00010002 })).toBe("echo reply, id 1, seq 2, length 8");
    expect(line({ type: 3, code: 3, body: quoted })).toBe(
      "10.0.0.1 udp port 80 unreachable, length 36",
    );
    expect(line({ type: 3, code: 4, rest: 1400, body: quoted })).toBe(
      "10.0.0.1 unreachable - need to frag (mtu 1400), length 36",
    );
    expect(line({ type: 3, code: 1, body: quoted })).toBe("host 10.0.0.1 unreachable, length 36");
    expect(line({ type: 11, body: quoted })).toBe("time exceeded in-transit, length 36");
    expect(line({ type: 12, rest: 20 << 24 })).toBe("parameter problem - octet 20, length 8");
    expect(line({ type: 5, code: 1, rest: 0x0a000003, body: quoted })).toBe(
      "redirect 10.0.0.1 to host 10.0.0.3, length 36",
    );
    expect(line({ type: 40, code: 2 })).toBe("type 40, code 2, length 8");
  });

  test("messages of IPv6", () => {
    expect(line6({ type: 128, rest: 0x00010002 })).toBe("echo request, id 1, seq 2, length 8");
    expect(line6({ type: 1, code: 4, body: quoted6 })).toBe(
      "destination unreachable, fd00::1 udp port 80, length 56",
    );
    expect(line6({ type: 1, code: 0, body: quoted6 })).toBe(
      "destination unreachable, no route fd00::1, length 56",
    );
    expect(line6({ type: 2, rest: 1280 })).toBe("packet too big, mtu 1280, length 8");
    expect(line6({ type: 4, code: 1, rest: 6 })).toBe(
      "parameter problem, code 1 - octet 6, length 8",
    );
  });

  test("neighbor discovery", () => {
    const ndp = (message: NdpMessage) =>
      describe(encodeIp({ ...v6, protocol: 58 }, encodeNdp(message, a6, b6)), "ip").replace(
        "IP6 fd00::1 > fd00::2: ICMP6, ",
        "",
      );
    expect(
      ndp({
        type: "neighborSolicitation",
        target: b6,
        options: [{ kind: "sourceLink", mac: macA }],
      }),
    ).toBe("neighbor solicitation, who has fd00::2, source link 02:00:00:00:00:01, length 32");
    expect(
      ndp({
        type: "neighborAdvertisement",
        target: b6,
        router: true,
        solicited: true,
        override: false,
        options: [],
      }),
    ).toBe("neighbor advertisement, tgt is fd00::2, flags [RS], length 24");
    expect(
      ndp({
        type: "routerAdvertisement",
        hopLimit: 64,
        managed: false,
        otherConfig: false,
        routerLifetimeS: 1800,
        reachableTimeMs: 0,
        retransTimerMs: 0,
        options: [
          { kind: "mtu", mtu: 1400 },
          { kind: "rdnss", lifetimeS: 9, servers: [a6, b6] },
        ],
      }),
    ).toBe(
      "router advertisement, hop limit 64, flags [none], lifetime 1800s, mtu 1400, " +
        "rdnss fd00::1 fd00::2, length 64",
    );
  });

  test("IGMP and MLD", () => {
    const igmp = new Uint8Array(16);
    writeIgmpv3Report(viewOf(igmp), 0, RECORD_TO_EXCLUDE, parseAddress("224.0.0.251").w3);
    expect(describe(encodeIp({ ...v4, protocol: 2 }, igmp), "ip")).toBe(
      "IP 10.0.0.1 > 10.0.0.2: igmp v3 report, to_ex 224.0.0.251",
    );
    writeIgmpv2(viewOf(igmp), 0, IGMPV2_REPORT, 0, parseAddress("239.1.1.1").w3);
    expect(describe(encodeIp({ ...v4, protocol: 2 }, igmp.subarray(0, 8)), "ip")).toBe(
      "IP 10.0.0.1 > 10.0.0.2: igmp v2 report 239.1.1.1",
    );
    const mld = new Uint8Array(36);
    const g = parseAddress("ff02::1:ff00:2");
    writeRouterAlertHeader(viewOf(mld), 0);
    writeMldv2Report(viewOf(mld), 8, RECORD_TO_EXCLUDE, g.w0, g.w1, g.w2, g.w3, 0);
    expect(describe(encodeIpv6({ ...v6, nextHeader: 0 }, mld), "ip")).toBe(
      "IP6 fd00::1 > fd00::2: ICMP6, multicast listener report v2, to_ex ff02::1:ff00:2, length 28",
    );
  });
});

group("UDP and DNS", () => {
  test("plain, and with a length that cannot be", () => {
    expect(describe(encodeUdpPacket(v4, ports, new Uint8Array(5)), "ip")).toBe(
      "IP 10.0.0.1.1234 > 10.0.0.2.80: UDP, length 5",
    );
    expect(describe(encodeUdpPacket(v4, { ...ports, length: 3 }, nothing), "ip")).toBe(
      "IP 10.0.0.1.1234 > 10.0.0.2.80: UDP, bad length 3",
    );
  });

  test("a query and its answer", () => {
    const query = dnsQuery(4660, "example.com", 28);
    const bytes = encodeDns(query);
    const dns = { sourcePort: 1234, destinationPort: 53 };
    expect(describe(encodeUdpPacket(v4, dns, bytes), "ip")).toBe(
      "IP 10.0.0.1.1234 > 10.0.0.2.53: 4660+ AAAA? example.com. (29)",
    );
    const reply = dnsReply(query);
    reply.answers.push(
      { name: "example.com", type: 28, class: 1, ttl: 1, data: { kind: "address", address: a6 } },
      {
        name: "example.com",
        type: 16,
        class: 1,
        ttl: 1,
        data: { kind: "txt", strings: [concatBytes(asciiBytes('a"'), Uint8Array.of(10))] },
      },
    );
    const back = { sourcePort: 53, destinationPort: 1234 };
    expect(describe(encodeUdpPacket(v4, back, encodeDns(reply)), "ip")).toBe(
      'IP 10.0.0.1.53 > 10.0.0.2.1234: 4660 AAAA? example.com. 2/0/0 AAAA fd00::1, TXT "a\\"\\010" (73)',
    );
    const none = encodeUdpPacket(v4, back, encodeDns(dnsReply(query, 3)));
    expect(describe(none, "ip")).toContain(": 4660 NXDomain AAAA? example.com. 0/0/0 (29)");
  });
});

group("Ethernet", () => {
  const arp = (operation: number, sender: string, target: string) =>
    describe(
      encodeEthernet(
        { destination: MAC_BROADCAST, source: macA, type: 0x0806 },
        encodeArp({
          operation,
          senderMac: macA,
          senderIp: parseAddress(sender),
          targetMac: macB,
          targetIp: parseAddress(target),
        }),
      ),
      "ethernet",
    );

  test("ARP in its uses", () => {
    expect(arp(1, "10.0.0.1", "10.0.0.2")).toBe(
      "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
    );
    expect(arp(2, "10.0.0.1", "10.0.0.2")).toBe(
      "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28",
    );
    expect(arp(1, "0.0.0.0", "10.0.0.2")).toBe("ARP, Probe 10.0.0.2, length 28");
    expect(arp(1, "10.0.0.1", "10.0.0.1")).toBe(
      "ARP, Announcement 10.0.0.1 at 02:00:00:00:00:01, length 28",
    );
  });

  test("tags, unknown types, scraps, and a frame inside a larger memory", () => {
    const packet = encodeUdpPacket(v4, ports, nothing);
    const link = { destination: macB, source: macA };
    const tagged = encodeEthernet({ ...link, type: 0x0800, vlan: 5 }, packet);
    const line = "vlan 5, IP 10.0.0.1.1234 > 10.0.0.2.80: UDP, length 0";
    expect(describe(tagged, "ethernet")).toBe(line);
    const memory = concatBytes(new Uint8Array(7).fill(1), tagged, new Uint8Array(9).fill(2));
    expect(describeAt(viewOf(memory), 7, tagged.length, "ethernet")).toBe(line);
    expect(describe(encodeEthernet({ ...link, type: 0x88cc }, nothing), "ethernet")).toBe(
      "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88cc, length 14",
    );
    expect(describe(new Uint8Array(13), "ethernet")).toBe("[|ether] length 13");
  });
});
