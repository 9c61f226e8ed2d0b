import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createKernel } from "../../src/kernel/create-kernel.ts";
import { median } from "./figure.ts";

/** Gbit/s of copying and summing the same bytes in frame memory: what no stack can pass. */
export function memcpyChecksum(): number {
  const kernel = createKernel(8 * 1024 * 1024);
  const runs: number[] = [];
  for (let run = 0; run < 5; run++) {
    const began = performance.now();
    let bytes = 0;
    for (let i = 0; i < 200_000; i++) {
      kernel.copySum(4 * 1024 * 1024 + (i & 1023) * 2048, (i & 1023) * 2048, 1448);
      bytes += 1448;
    }
    runs.push((bytes * 8) / (performance.now() - began) / 1e6);
  }
  return median(runs);
}

/** Gbit/s of node:net over the kernel's loopback, both ends in this thread, 64 KB writes. */
export async function nodeNet(total = 300e6): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connect(port, "127.0.0.1");
  const [peer] = (await once(server, "connection")) as [Socket];
  const chunk = Buffer.alloc(65_536, 7);
  const runs: number[] = [];
  for (let run = 0; run < 3; run++) {
    const began = performance.now();
    let got = 0;
    const done = new Promise<void>((resolve) => {
      const data = (part: Buffer) => {
        got += part.length;
        if (got < total) return;
        peer.off("data", data);
        resolve();
      };
      peer.on("data", data);
    });
    for (let sent = 0; sent < total; sent += chunk.length) {
      if (!client.write(chunk)) await once(client, "drain");
    }
    await done;
    runs.push((got * 8) / (performance.now() - began) / 1e6);
  }
  client.destroy();
  server.close();
  return median(runs);
}
