import { describe, expect, it } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import { parseAddress } from "../base/address.ts";
import { DNS_A } from "../wire/dns-constants.ts";
import { serveDnsTcp, serveDnsUdp } from "./dns-server.ts";
import { DnsZone, reverseZones, type ZoneEntry } from "./dns-zone.ts";
import { serveEcho } from "./echo.ts";
import { hostResolver } from "./host-resolver.ts";
import { serveHttp } from "./http-server.ts";

const ENTRIES: ZoneEntry[] = [
  { name: "server", type: "A", address: "10.0.0.2" },
  { name: "server", type: "AAAA", address: "fd00::2" },
  ...Array.from({ length: 100 }, (_, i) => ({
    name: "many",
    type: "A" as const,
    address: `10.0.1.${i}`,
  })),
];

/** Two hosts; b serves DNS for "lan". */
async function lanWithDns(cable = {}) {
  const { lan, a, b } = SocketLan.pair(cable);
  const zones = [
    new DnsZone("lan", ENTRIES),
    ...reverseZones([{ name: "server.lan", address: parseAddress("10.0.0.2") }]),
  ];
  const udp = await b.udp({ port: 53 });
  const listener = await b.listen({ port: 53 });
  const serving = [serveDnsUdp(zones, udp), serveDnsTcp(zones, listener)];
  const resolver = hostResolver(a, { nameservers: ["10.0.0.2"], search: ["lan"] });
  a.resolver = resolver;
  const end = async () => {
    udp.close();
    listener.close();
    await lan.settle(Promise.all(serving));
    await lan.time.advance(120_000); // TIME-WAIT
    lan.end();
  };
  return { lan, a, b, resolver, end };
}

describe("the resolver over a host's sockets", () => {
  it("finds names, so that connect takes them (happy eyeballs, RFC 8305)", async () => {
    const { lan, a, b, end } = await lanWithDns();
    const listener = await b.listen({ port: 7 });
    const serving = serveEcho(listener);
    const connection = await lan.settle(a.connect({ host: "server", port: 7 }));
    expect(connection.remoteAddress).toBe("fd00::2");
    await connection.write("hello");
    const back = await lan.settle(connection.read());
    expect(new TextDecoder().decode(back!)).toBe("hello");
    await connection.close();
    listener.close();
    await lan.settle(serving);
    await end();
  });

  it("asks over TCP when the answer does not fit a datagram (RFC 7766 §5)", async () => {
    const { lan, b, resolver, end } = await lanWithDns();
    expect(await lan.settle(resolver.resolve("many", DNS_A))).toHaveLength(100);
    expect(b.counters.tcpPassiveOpens).toBe(1);
    await end();
  });

  it("finds the name of an address", async () => {
    const { lan, resolver, end } = await lanWithDns();
    expect(await lan.settle(resolver.reverse("10.0.0.2"))).toEqual(["server.lan"]);
    await end();
  });

  it("draws its ports at random (RFC 5452 §9.2)", async () => {
    const { lan, b, resolver, end } = await lanWithDns();
    const ports = new Set<number>();
    const spy = await b.udp({ port: 54 });
    resolver.configure({ nameservers: [{ address: "10.0.0.2", port: 54 }], timeoutMs: 100 });
    const failed = resolver.lookup("x.lan").catch((error) => error.code);
    for (let i = 0; i < 6; i++) ports.add((await lan.settle(spy.receive())).port);
    expect(ports.size).toBe(6);
    expect(await lan.settle(failed)).toBe("ETIMEOUT");
    spy.close();
    await end();
  });

  it("repeats what a bad line loses", async () => {
    const { lan, resolver, end } = await lanWithDns({ loss: [2, 3] });
    expect(await lan.settle(resolver.lookup("server", { family: 4 }))).toHaveLength(1);
    await end();
  });

  it("ends with ECONNREFUSED where no DNS server is (ICMP port unreachable)", async () => {
    const { lan, a, end } = await lanWithDns();
    const resolver = hostResolver(a, { nameservers: [{ address: "10.0.0.2", port: 99 }] });
    await expect(lan.settle(resolver.lookup("server.lan"))).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    await end();
  });

  it("takes a signal and a timeout", async () => {
    const { lan, a, end } = await lanWithDns();
    const resolver = hostResolver(a, { nameservers: ["10.0.0.99"] });
    const startUs = lan.time.now();
    await expect(lan.settle(resolver.lookup("server.lan", { timeout: 300 }))).rejects.toMatchObject(
      { code: "ETIMEOUT" },
    );
    expect(lan.time.now() - startUs).toBe(300_000);
    const controller = new AbortController();
    const aborted = resolver.lookup("server.lan", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(lan.settle(aborted)).rejects.toThrow("enough");
    await lan.time.advance(60_000);
    await end();
  });
});

it("HTTP: two requests on one connection across the LAN, bodies of 1 MB whole under loss", async () => {
  const { lan, a, b } = SocketLan.pair({ loss: 0.02, delayMs: 1 });
  const listener = await b.listen({ port: 80 });
  const body = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) & 255);
  const serving = serveHttp(listener, () => ({ status: 200, body }));
  const client = async () => {
    const connection = await a.connect({ host: "10.0.0.2", port: 80 });
    const ask = "GET / HTTP/1.1\r\nHost: x\r\n";
    await connection.write(`${ask}\r\n${ask}Connection: close\r\n\r\n`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of connection) chunks.push(chunk);
    await connection.close();
    return Buffer.concat(chunks);
  };
  const got = await lan.settle(client(), 600_000);
  const text = got.toString("latin1", 0, 200);
  const head = text.indexOf("\r\n\r\n") + 4;
  expect(text.slice(0, 15)).toBe("HTTP/1.1 200 OK");
  expect(Buffer.compare(got.subarray(head, head + body.length), body)).toBe(0);
  expect(Buffer.compare(got.subarray(got.length - body.length), body)).toBe(0);
  listener.close();
  await lan.settle(serving);
  await lan.time.advance(120_000);
  lan.end();
});
