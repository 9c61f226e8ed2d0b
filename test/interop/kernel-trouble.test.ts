import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { ImpairedDeviceOptions } from "../../src/devices/impaired-device.ts";
import { KERNEL4, KernelPair, OURS4 } from "../support/kernel-pair.ts";
import { interopObstacle } from "../support/netns.ts";

const title = interopObstacle === undefined ? "" : ` (skipped: ${interopObstacle})`;
const BYTES = 4 * 1024 * 1024;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

const TROUBLES: readonly [string, ImpairedDeviceOptions][] = [
  ["2 % loss, 5 ms each way", { loss: 0.02, delayMs: 5 }],
  ["reordering", { reorder: { packets: 0.02, distance: 5 }, delayMs: 2 }],
  ["duplicates", { duplicate: 0.05 }],
  ["corruption", { corrupt: 0.005, delayMs: 1 }],
  [
    "a bit of everything",
    { loss: 0.005, corrupt: 0.002, duplicate: 0.01, reorder: { packets: 0.01 } },
  ],
  [
    "50 Mbit/s, 10 ms, a short queue",
    { bitsPerSecond: 50e6, delayMs: 5, queue: { bytes: 60_000 } },
  ],
];

describe.skipIf(interopObstacle !== undefined)(`a bad line to the kernel${title}`, () => {
  let pair: KernelPair | undefined;
  afterEach(async () => {
    const used = pair;
    pair = undefined;
    await used?.checkLeaks().finally(() => used.close());
  });

  it.each(TROUBLES)("%s: 4 MB to the kernel arrive whole", async (_name, impairment) => {
    pair = await KernelPair.open({ offload: false, impairment });
    const data = randomBytes(BYTES);
    const listener = await pair.host.listen({ port: 7000 });
    const client = pair.node(`
      const hash = require("node:crypto").createHash("sha256");
      const socket = net.connect(7000, "${OURS4}");
      socket.on("data", (data) => hash.update(data)).on("end", () => log(hash.digest("hex")));
    `);
    const connection = await listener.accept({ timeout: 20_000 });
    await connection.write(data, { timeout: 60_000 });
    await connection.close();
    expect((await client).stdout).toBe(`${sha256(data)}\n`);
    listener.close();
  });

  it.each(TROUBLES)("%s: 4 MB from the kernel arrive whole", async (_name, impairment) => {
    pair = await KernelPair.open({ offload: false, impairment });
    const path = pair.file("data", randomBytes(BYTES));
    const server = await pair.startNode(`
      const server = net.createServer((socket) => {
        socket.end(require("node:fs").readFileSync(${JSON.stringify(path)}));
        server.close();
      }).listen(7000, () => log("ready"));
    `);
    const connection = await pair.host.connect({ host: KERNEL4, port: 7000, timeout: 20_000 });
    const hash = createHash("sha256");
    for await (const chunk of connection) hash.update(chunk);
    expect(hash.digest("hex")).toBe(sha256(readFileSync(path)));
    await connection.close();
    await server.output;
  });

  it("a link that goes down for a second: the transfer goes on after it", async () => {
    pair = await KernelPair.open();
    const data = randomBytes(BYTES);
    const listener = await pair.host.listen({ port: 7000 });
    const client = pair.node(`
      const hash = require("node:crypto").createHash("sha256");
      const socket = net.connect(7000, "${OURS4}");
      socket.on("data", (data) => hash.update(data)).on("end", () => log(hash.digest("hex")));
    `);
    const connection = await listener.accept({ timeout: 5000 });
    await connection.write(data.subarray(0, BYTES / 2), { timeout: 20_000 });
    await pair.kernel.run("ip", ["link", "set", "fd0", "down"]);
    const rest = connection.write(data.subarray(BYTES / 2), { timeout: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await pair.kernel.run("ip", ["link", "set", "fd0", "up"]);
    await rest;
    await connection.close();
    expect((await client).stdout).toBe(`${sha256(data)}\n`);
    listener.close();
  });
});
