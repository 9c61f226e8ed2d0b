import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveDnsTcp, serveDnsUdp } from "../../src/services/dns-server.ts";
import { DnsZone } from "../../src/services/dns-zone.ts";
import { serveChargen } from "../../src/services/chargen.ts";
import { serveDiscard } from "../../src/services/discard.ts";
import { serveEcho, serveEchoUdp } from "../../src/services/echo.ts";
import { KernelPair, OURS4, OURS6 } from "../support/kernel-pair.ts";
import { interopObstacle } from "../support/netns.ts";

const title = interopObstacle === undefined ? "" : ` (skipped: ${interopObstacle})`;

describe.skipIf(interopObstacle !== undefined)(`services for the kernel's programs${title}`, () => {
  let pair: KernelPair;
  beforeAll(async () => {
    pair = await KernelPair.open();
  });
  afterAll(async () => {
    await pair.checkLeaks().finally(() => pair.close());
  });

  it("another resolver understands our DNS server, over UDP and, for large answers, TCP", async () => {
    const zone = new DnsZone("lan", [
      { name: "www", type: "A", address: "10.0.0.1" },
      { name: "www", type: "AAAA", address: "fd00::1" },
      { name: "alias", type: "CNAME", target: "www" },
      { name: "_http._tcp", type: "SRV", priority: 1, weight: 2, port: 80, target: "www" },
      { name: "text", type: "TXT", strings: [new TextEncoder().encode("hello")] },
      ...Array.from({ length: 200 }, (_, i) => ({
        name: "many",
        type: "A" as const,
        address: `10.0.1.${i}`,
      })),
    ]);
    const udp = await pair.host.udp({ port: 53 });
    const listener = await pair.host.listen({ port: 53 });
    const serving = [serveDnsUdp([zone], udp), serveDnsTcp([zone], listener)];
    for (const server of [OURS4, `[${OURS6}]`]) {
      const { stdout, stderr } = await pair.node(`
        const resolver = new dns.promises.Resolver();
        resolver.setServers(["${server}"]);
        (async () => log(JSON.stringify([
          await resolver.resolve4("alias.lan"),
          await resolver.resolve6("www.lan"),
          await resolver.resolveSrv("_http._tcp.lan"),
          await resolver.resolveTxt("text.lan"),
          (await resolver.resolve4("many.lan")).length,
          await resolver.resolve4("none.lan").catch((error) => error.code),
          await resolver.resolveMx("www.lan").catch((error) => error.code),
        ])))();
      `);
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual([
        ["10.0.0.1"],
        ["fd00::1"],
        [{ name: "www.lan", port: 80, priority: 1, weight: 2 }],
        [["hello"]],
        200,
        "ENOTFOUND",
        "ENODATA",
      ]);
    }
    udp.close();
    listener.close();
    await Promise.all(serving);
  });

  it("echo (RFC 862), discard (RFC 863) and chargen (RFC 864)", async () => {
    const { host } = pair;
    const listeners = await Promise.all([7, 9, 19].map((port) => host.listen({ port })));
    const udp = await host.udp({ port: 7 });
    const serving = [
      serveEcho(listeners[0]),
      serveDiscard(listeners[1]),
      serveChargen(listeners[2]),
      serveEchoUdp(udp),
    ];
    const { stdout, stderr } = await pair.node(`
      const get = (port, send, limit) => new Promise((resolve) => {
        let got = "";
        const socket = net.connect(port, "${OURS4}", () => socket.end(send));
        socket.on("data", (data) => {
          got += data;
          if (got.length >= limit) { socket.destroy(); resolve(got.slice(0, limit)); }
        });
        socket.on("end", () => resolve(got));
      });
      const chargen = () => new Promise((resolve) => {
        let got = "";
        const socket = net.connect(19, "${OURS4}");
        socket.on("data", (data) => {
          got += data;
          if (got.length >= 1_000_000) { socket.destroy(); resolve(got); }
        });
      });
      const echoUdp = () => new Promise((resolve) => {
        const socket = dgram.createSocket("udp6");
        socket.on("message", (data) => { socket.close(); resolve(String(data)); });
        socket.send("datagram", 7, "${OURS6}");
      });
      (async () => {
        const big = "0123456789".repeat(100_000);
        log(JSON.stringify([
          (await get(7, big, 1e9)) === big, await get(9, big, 1e9), await echoUdp(),
          (await chargen()).split("\\r\\n").slice(0, 95),
        ]));
      })();
    `);
    expect(stderr).toBe("");
    const [echoed, discarded, datagram, lines] = JSON.parse(stdout);
    expect([echoed, discarded, datagram]).toEqual([true, "", "datagram"]);
    expect(lines[0]).toBe(
      ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_\`abcdefg`,
    );
    expect(lines[1].slice(0, 3)).toBe('!"#');
    expect(lines[94].slice(0, 3)).toBe("~ !");
    for (const listener of listeners) listener.close();
    udp.close();
    await Promise.all(serving);
  });
});
