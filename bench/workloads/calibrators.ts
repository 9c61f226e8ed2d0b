/** What the same machine does with the same bytes in the same minute. */
import net from "node:net";
import { randomBytes } from "../support/bytes.ts";
import { median, type Outcome, rounds, seconds } from "../support/samples.ts";
import { stack } from "../support/stack.ts";

/** Gbit/s of the memory's kernel: copying 1,448 bytes into a frame and summing them, frame after frame. */
export async function memcpyChecksum(): Promise<number> {
  const { memory } = new stack.Network({ clock: stack.virtualTime(), seed: 1 });
  const { kernel } = memory;
  const source = memory.allocPage();
  memory.bytes.set(randomBytes(4096), source);
  const frames = Array.from({ length: 64 }, () => memory.alloc(1500));
  const count = 100_000;
  const samples = await rounds(7, () => {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      kernel.copySum(memory.start(frames[i & 63]!) + 32, source + 64 * (i & 31), 1448);
    }
    return (count * 1448 * 8) / seconds(start) / 1e9;
  });
  for (const frame of frames) memory.release(frame);
  memory.freePage(source);
  return median(samples);
}

/** Gbit/s of node:net over the kernel's loopback, both ends in this thread, 64 KB writes. */
export async function nodeNet(): Promise<Outcome> {
  const chunk = Buffer.alloc(65_536, 7);
  const total = 256 * 1024 * 1024;
  const round = () =>
    new Promise<number>((resolve, reject) => {
      let received = 0;
      let start = 0;
      const server = net.createServer((socket) => {
        socket.on("data", (data) => {
          received += data.length;
          if (received < total) return;
          resolve((total * 8) / seconds(start) / 1e9);
          socket.end();
          server.close();
        });
        socket.on("error", reject);
      });
      server.listen(0, "127.0.0.1", () => {
        const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
        socket.on("error", reject);
        socket.on("connect", () => {
          start = performance.now();
          let sent = 0;
          const write = () => {
            while (sent < total) {
              sent += chunk.length;
              if (!socket.write(chunk)) {
                socket.once("drain", write);
                return;
              }
            }
            socket.end();
          };
          write();
        });
      });
    });
  return { samples: await rounds(5, round) };
}
