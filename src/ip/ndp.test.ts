import { afterEach, describe, expect, test } from "vitest";
import { HOST6, HOST_MAC, PEER6, PEER_MAC, WirePeer } from "../../test/support/wire-peer.ts";
import { IPV6_ALL_NODES, IPV6_ANY, parseAddress, solicitedNode } from "../base/address.ts";
import { macFromBytes, parseMac } from "../base/mac.ts";
import type { NdpMessage, NdpOption } from "../wire/ndp-fields.ts";

let peer: WirePeer;
afterEach(() => peer.end());

const ROUTER = parseAddress("fe80::ff");
const LINK = { kind: "sourceLink", mac: PEER_MAC } as const;
const TARGET_LINK = { kind: "targetLink", mac: PEER_MAC } as const;

const solicitation = (target = HOST6, options: NdpOption[] = [LINK]): NdpMessage => ({
  type: "neighborSolicitation",
  target,
  options,
});

const advertisement = (
  target = PEER6,
  flags: { solicited?: boolean; override?: boolean; router?: boolean } = {},
  options: NdpOption[] = [TARGET_LINK],
): NdpMessage => ({
  type: "neighborAdvertisement",
  target,
  router: flags.router ?? false,
  solicited: flags.solicited ?? false,
  override: flags.override ?? true,
  options,
});

const advertised = (options: NdpOption[] = [], routerLifetimeS = 1800, more = {}): NdpMessage => ({
  type: "routerAdvertisement",
  hopLimit: 0,
  managed: false,
  otherConfig: false,
  routerLifetimeS,
  reachableTimeMs: 0,
  retransTimerMs: 0,
  options,
  ...more,
});

const prefix = (
  validLifetimeS = 7200 * 12,
  preferredLifetimeS = validLifetimeS / 2,
  more = {},
): NdpOption => ({
  kind: "prefix",
  prefix: parseAddress("2001:db8:1::"),
  prefixLength: 64,
  onLink: true,
  autonomous: true,
  validLifetimeS,
  preferredLifetimeS,
  ...more,
});

describe("neighbor solicitation and advertisement", () => {
  test("RFC 4861 §7.2.4: who asks is answered, solicited and overriding, with our link-layer address", () => {
    peer = new WirePeer();
    peer.ndp(solicitation(), PEER6, solicitedNode(HOST6)).run();
    expect(peer.lines()).toEqual([
      "IP6 fd00::1 > fd00::2: ICMP6, neighbor advertisement, tgt is fd00::1, flags [SO], target link 02:00:00:00:00:01, length 32",
    ]);
    expect(peer.iface.neighbors).toMatchObject([{ mac: PEER_MAC, state: "stale" }]);
  });

  test("a router says that it is one", () => {
    peer = new WirePeer({ forwarding: true });
    peer.ndp(solicitation(), PEER6, solicitedNode(HOST6)).run();
    expect(peer.lines("flags [RSO]")).toHaveLength(1);
  });

  test("§7.2.2: the first packet asks the solicited-node group with its own source, the answer lets it go", () => {
    peer = new WirePeer();
    peer.host.echo(PEER6, { size: 4 }, () => {});
    peer.run();
    expect(peer.lines()).toEqual([
      "IP6 fd00::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fd00::2, source link 02:00:00:00:00:01, length 32",
    ]);
    peer.ndp(advertisement(PEER6, { solicited: true }), PEER6, HOST6).run();
    expect(peer.lines()).toEqual([
      expect.stringContaining("fd00::1 > fd00::2: ICMP6, echo request"),
    ]);
    expect(peer.iface.neighbors).toMatchObject([{ state: "reachable" }]);
  });

  test("§7.2.5: an advertisement without an entry is of no interest", () => {
    peer = new WirePeer();
    peer.ndp(advertisement(PEER6, { solicited: true }), PEER6, HOST6).run();
    expect(peer.iface.neighbors).toEqual([]);
  });

  test("§7.1: a hop limit below 255 has passed a router: dropped and counted", () => {
    peer = new WirePeer();
    peer.ndp(solicitation(), PEER6, solicitedNode(HOST6), 254).run();
    expect([peer.lines(), peer.counters.ndpInErrors]).toEqual([[], 1]);
  });

  test("a question for an address that is not ours stays unanswered", () => {
    peer = new WirePeer();
    peer.ndp(solicitation(parseAddress("fd00::77")), PEER6, HOST6).run();
    expect(peer.lines()).toEqual([]);
  });

  test("§7.3.3: a stale neighbor is probed by unicast and forgotten when silent", () => {
    peer = new WirePeer();
    peer.ndp(solicitation(), PEER6, HOST6).run();
    peer.lines();
    peer.host.echo(PEER6, { timeoutUs: 1e9 }, () => {});
    peer.run(9_000_000);
    const probes = peer.frames().filter((frame) => frame[54] === 135);
    expect(probes.map((frame) => String(macFromBytes(frame)))).toEqual(
      Array<string>(3).fill("02:00:00:00:00:02"),
    );
    expect(peer.iface.neighbors).toEqual([]);
  });
});

describe("duplicate address detection, RFC 4862 §5.4", () => {
  const strict = () =>
    new WirePeer(
      { duplicateAddressDetection: "strict", multicastReports: false },
      { addresses: ["fd00::1/64"] },
    );
  const stateOf = (p: WirePeer) => p.iface.addresses.find((a) => a.address.equals(HOST6))!.state;

  test("strict: asks from :: for the address, which is ours a second later", () => {
    peer = strict();
    expect(stateOf(peer)).toBe("tentative");
    peer.run(1_000_000);
    expect(peer.lines("who has fd00::1")).toEqual([
      "IP6 :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has fd00::1, length 24",
    ]);
    peer.run(1_000_000);
    expect(stateOf(peer)).toBe("preferred");
  });

  test("§5.4.3: a tentative address does not answer", () => {
    peer = strict();
    peer.ndp(solicitation(), PEER6, solicitedNode(HOST6)).run();
    expect(peer.lines("advertisement")).toEqual([]);
  });

  test("§5.4.3: another that asks for it at the same time, or §5.4.4: that has it, and we keep off", () => {
    for (const message of [solicitation(HOST6, []), advertisement(HOST6)]) {
      peer = strict();
      peer.run(200_000);
      const isQuestion = message.type === "neighborSolicitation";
      peer.ndp(
        message,
        isQuestion ? IPV6_ANY : HOST6,
        isQuestion ? solicitedNode(HOST6) : IPV6_ALL_NODES,
      );
      peer.run(5_000_000);
      expect(stateOf(peer)).toBe("duplicate");
      expect(peer.host.isLocalAddress(HOST6)).toBe(false);
      if (isQuestion) peer.end();
    }
  });

  test("an address in use is defended against who asks from ::", () => {
    peer = new WirePeer();
    peer.ndp(solicitation(HOST6, []), IPV6_ANY, solicitedNode(HOST6)).run();
    expect(peer.lines()).toEqual([
      "IP6 fd00::1 > ff02::1: ICMP6, neighbor advertisement, tgt is fd00::1, flags [O], target link 02:00:00:00:00:01, length 32",
    ]);
  });

  test("RFC 4429: optimistic: usable at once, given up on an advertisement for it", () => {
    peer = new WirePeer({ duplicateAddressDetection: "optimistic" }, { addresses: ["fd00::1/64"] });
    expect(peer.host.isLocalAddress(HOST6)).toBe(true);
    peer.ndp(advertisement(HOST6), HOST6, IPV6_ALL_NODES).run();
    expect(stateOf(peer)).toBe("duplicate");
  });

  test("the automatic link-local address comes from the MAC (RFC 4291, appendix A)", () => {
    peer = new WirePeer();
    expect(peer.iface.addresses.map((a) => String(a.address))).toContain(
      `fe80::ff:fe00:1%${peer.iface.index}`,
    );
  });
});

describe("router discovery", () => {
  const slaac = (config = {}) => new WirePeer(config, { addresses: [], slaac: true });

  test("RFC 4861 §6.3.7: three solicitations four seconds apart while no router speaks", () => {
    peer = slaac();
    peer.run(60_000_000);
    expect(peer.lines("router solicitation")).toHaveLength(3);
    expect(peer.counters.ndpOutRouterSolicits).toBe(3);
  });

  test("…and silence once one has spoken", () => {
    peer = slaac();
    peer.ndp(advertised([LINK]), ROUTER, IPV6_ALL_NODES).run(60_000_000);
    expect(peer.lines("router solicitation")).toHaveLength(1);
  });

  test("RFC 4861 §6.3.4: the default route lives as long as the router says", () => {
    peer = slaac();
    peer.ndp(advertised([LINK], 30), ROUTER, IPV6_ALL_NODES).run();
    expect(peer.host.routes.list()).toMatchObject([
      {
        destination: "::/0",
        gateway: `fe80::ff%${peer.iface.index}`,
        origin: "router-advertisement",
      },
    ]);
    expect(peer.iface.neighbors).toMatchObject([{ isRouter: true, mac: PEER_MAC }]);
    peer.run(29_000_000);
    expect(peer.host.routes.list()).toHaveLength(1);
    peer.run(2_000_000);
    expect(peer.host.routes.list()).toEqual([]);
    peer.ndp(advertised([], 30), ROUTER, IPV6_ALL_NODES);
    peer.ndp(advertised([], 0), ROUTER, IPV6_ALL_NODES).run();
    expect(peer.host.routes.list()).toEqual([]);
  });

  test("RFC 4862 §5.5.3: a prefix gives an address, on-link route included, and a way out", () => {
    peer = slaac();
    peer.ndp(advertised([LINK, prefix()]), ROUTER, IPV6_ALL_NODES).run(2_000_000);
    const address = "2001:db8:1::ff:fe00:1";
    expect(peer.iface.addresses.map((a) => [String(a.address), a.origin, a.state])).toContainEqual([
      address,
      "slaac",
      "preferred",
    ]);
    expect(peer.host.routes.list().map((r) => r.destination)).toEqual(["2001:db8:1::/64", "::/0"]);
    peer.lines();
    peer.host.echo(parseAddress("2001:db8:ffff::1"), {}, () => {});
    peer.run();
    expect(peer.lines()).toEqual([
      expect.stringContaining(`${address} > 2001:db8:ffff::1: ICMP6, echo request`),
    ]);
  });

  test("§5.5.4: preferred, then deprecated, then gone; a fresh advertisement keeps it", () => {
    peer = slaac();
    const state = () => peer.iface.addresses.find((a) => a.origin === "slaac")?.state;
    peer.ndp(advertised([prefix(20_000, 100)]), ROUTER, IPV6_ALL_NODES).run(99_000_000);
    expect(state()).toBe("preferred");
    peer.run(2_000_000);
    expect(state()).toBe("deprecated");
    peer.ndp(advertised([prefix(20_000, 100)]), ROUTER, IPV6_ALL_NODES).run();
    expect(state()).toBe("preferred");
    peer.run(19_999_000_000);
    expect(state()).toBe("deprecated");
    peer.run(2_000_000);
    expect(state()).toBeUndefined();
  });

  test("§5.5.3 (e): an advertisement cannot shorten a lifetime below two hours", () => {
    peer = slaac();
    const has = () => peer.iface.addresses.some((a) => a.origin === "slaac");
    peer.ndp(advertised([prefix(100_000)]), ROUTER, IPV6_ALL_NODES);
    peer.ndp(advertised([prefix(10, 10)]), ROUTER, IPV6_ALL_NODES).run(7_199_000_000);
    expect(has()).toBe(true);
    peer.run(2_000_000);
    expect(has()).toBe(false);
  });

  test.each([
    ["preferred longer than valid", { preferredLifetimeS: 9, validLifetimeS: 8 }],
    ["not 64 bits long", { prefixLength: 56 }],
    ["link-local", { prefix: parseAddress("fe80::") }],
    ["multicast", { prefix: parseAddress("ff02::") }],
    ["not autonomous", { autonomous: false }],
  ])("§5.5.3: a prefix that is %s gives no address", (_name, more) => {
    peer = slaac();
    peer.ndp(advertised([prefix(1000, 500, more)]), ROUTER, IPV6_ALL_NODES).run();
    expect(peer.iface.addresses.filter((a) => a.origin === "slaac")).toEqual([]);
  });

  test("MTU, hop limit and neighbor timers are taken over", () => {
    peer = slaac();
    const more = { hopLimit: 17, reachableTimeMs: 5000, retransTimerMs: 250 };
    peer
      .ndp(
        advertised([LINK, prefix(), { kind: "mtu", mtu: 1400 }], 1800, more),
        ROUTER,
        IPV6_ALL_NODES,
      )
      .run(2_000_000);
    peer.lines();
    peer.host.echo(parseAddress("2001:db8:ffff::1"), { size: 1400 }, () => {});
    const frames = peer.frames();
    expect(frames.map((f) => [f.length, f[21]])).toEqual([
      [1414, 17],
      [expect.any(Number), 17],
    ]);
    peer.host.echo(parseAddress("2001:db8:1::9"), {}, () => {});
    peer.run(1_000_000);
    expect(peer.lines("who has 2001:db8:1::9")).toHaveLength(3); // 250 ms apart
  });

  test("RFC 8106 §5.1: name servers are kept for the resolver and end with their lifetime", () => {
    peer = slaac();
    const servers = [parseAddress("2001:db8::53"), parseAddress("fe80::53")];
    peer
      .ndp(advertised([{ kind: "rdnss", lifetimeS: 60, servers }]), ROUTER, IPV6_ALL_NODES)
      .run(59_000_000);
    expect(peer.iface.nameServers.map(String)).toEqual([
      "2001:db8::53",
      `fe80::53%${peer.iface.index}`,
    ]);
    peer.run(2_000_000);
    expect(peer.iface.nameServers).toEqual([]);
  });

  test("a flood of routers and prefixes stays within bounds", () => {
    peer = slaac({ routerLimit: 4, slaacAddressLimit: 4 });
    for (let i = 0; i < 100; i++) {
      const option = prefix(100_000, 50_000, {
        prefix: parseAddress(`2001:db8:${(i + 1).toString(16)}::`),
      });
      peer.ndp(
        advertised([LINK, option]),
        parseAddress(`fe80::${(i + 1).toString(16)}`),
        IPV6_ALL_NODES,
      );
    }
    peer.run(1_000_000);
    expect(peer.iface.addresses.filter((a) => a.origin === "slaac")).toHaveLength(4);
    expect(peer.host.routes.list().length).toBeLessThanOrEqual(12);
  });

  test("a router and an interface configured by hand do not listen", () => {
    peer = new WirePeer({}, { addresses: ["fd00::1/64"] });
    peer.ndp(advertised([LINK, prefix()]), ROUTER, IPV6_ALL_NODES).run();
    expect(peer.host.routes.list().filter((r) => r.origin === "router-advertisement")).toEqual([]);
    expect(peer.lines("router solicitation")).toEqual([]);
  });
});

test("a MAC that names a group is no neighbor's", () => {
  peer = new WirePeer();
  const option = { kind: "sourceLink", mac: parseMac("33:33:00:00:00:01") } as const;
  peer.ndp(solicitation(HOST6, [option]), PEER6, solicitedNode(HOST6)).run();
  expect(peer.iface.neighbors).toEqual([]);
  expect(String(HOST_MAC)).toBe(String(peer.iface.mac));
});
