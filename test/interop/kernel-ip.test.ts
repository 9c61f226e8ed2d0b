import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KERNEL4, KERNEL6, KernelPair, OURS4, OURS6 } from "../support/kernel-pair.ts";
import { interopObstacle, missingPrograms } from "../support/netns.ts";

const obstacle = interopObstacle ?? missingPrograms("ping");
const title = obstacle === undefined ? "" : ` (skipped: ${obstacle})`;

/** Whole, exactly the MTU, one byte more, many fragments, nearly the largest packet. */
const SIZES4 = [0, 56, 1472, 1473, 8000, 60_000];
const SIZES6 = [0, 56, 1452, 1453, 8000, 60_000];

describe.skipIf(obstacle !== undefined).each([
  { offload: true, tun: false },
  { offload: false, tun: false },
  { offload: true, tun: true },
  { offload: false, tun: false, mtu: 9000 },
])(`IP against the kernel, %o${title}`, (options) => {
  let pair: KernelPair;
  beforeAll(async () => {
    pair = await KernelPair.open(options);
  });
  afterAll(async () => {
    await pair.checkLeaks().finally(() => pair.close());
  });

  it.each([
    ...SIZES4.map((size) => ({ to: OURS4, size })),
    ...SIZES6.map((size) => ({ to: OURS6, size })),
  ])("the kernel pings us: $to, $size bytes", async ({ to, size }) => {
    // One at a time: after a first answer ping waits for the rest no longer than two round trips.
    const args = ["-n", "-c", "1", "-W", "2", "-s", String(size), to];
    const { code, stdout } = await pair.kernel.run("ping", args);
    expect(stdout).toContain(" 0% packet loss");
    expect(code).toBe(0);
  });

  it.each([
    ...SIZES4.map((size) => ({ to: KERNEL4, size })),
    ...SIZES6.map((size) => ({ to: KERNEL6, size })),
  ])("we ping the kernel: $to, $size bytes", async ({ to, size }) => {
    const reply = await pair.host.ping(to, { size, timeout: 2000 });
    expect(reply).toMatchObject({ address: to, size, ttl: 64 });
  });

  if (!options.tun) {
    it("the kernel pings our link-local address (RFC 4291 §2.5.6)", async () => {
      const ours = pair.host.interfaces[1].addresses.find((entry) =>
        String(entry.address).startsWith("fe80:"),
      );
      const address = String(ours?.address).replace(/%.*/, "");
      const { stdout } = await pair.kernel.run("ping", [
        "-n",
        "-c",
        "1",
        "-W",
        "2",
        `${address}%fd0`,
      ]);
      expect(stdout).toContain(" 0% packet loss");
    });
  }

  it("UDP goes both ways, datagrams of one byte to many fragments", async () => {
    const server = await pair.startNode(`
      const socket = dgram.createSocket("udp6");
      socket.on("message", (data, from) => socket.send(data, from.port, from.address));
      socket.bind(5000, () => log("ready"));
      process.stdin.once("data", () => process.exit());
    `);
    const socket = await pair.host.udp({});
    for (const address of [KERNEL4, KERNEL6]) {
      for (const size of [1, 1000, 1472, 1473, 5000, 60_000]) {
        const data = new Uint8Array(size).fill(size & 255);
        await socket.send(data, { address, port: 5000 });
        const echoed = await socket.receive({ timeout: 2000 });
        expect(echoed.port).toBe(5000);
        expect(Buffer.compare(echoed.data, data)).toBe(0);
      }
    }
    socket.close();
    server.say("end");
  });

  it("a closed UDP port gives ECONNREFUSED on both sides (RFC 1122 §4.1.3.3)", async () => {
    const socket = await pair.host.udp({ family: 4 });
    socket.connect(KERNEL4, 9);
    await socket.send(new Uint8Array(10));
    await expect(socket.receive({ timeout: 2000 })).rejects.toMatchObject({ code: "ECONNREFUSED" });
    socket.close();
    const { stdout } = await pair.node(`
      const socket = dgram.createSocket("udp4");
      socket.on("error", (error) => { log(error.code); socket.close(); });
      socket.connect(9, "${OURS4}", () => socket.send("x"));
    `);
    expect(stdout).toBe("ECONNREFUSED\n");
  });
});
