/** One-way bulk transfer: 64 KB writes, 64 KB reads, bytes compared. */
import type { CableOptions } from "../../src/devices/cable.ts";
import { randomBytes } from "../support/bytes.ts";
import { connectPairs, type Ends, makePair, type Pair } from "../support/pair.ts";
import { READABLE, WRITABLE } from "../support/stack.ts";

const CHUNK = 65_536;
/** What is sent is this often repeated; what is received is kept in as much, and compared. */
const RING = 4 * CHUNK;
const source = randomBytes(RING);

/** Sends `total` bytes from one end to the other and resolves when all have been read. */
export function transfer(pair: Pair, { here, there }: Ends, total: number): Promise<Uint8Array> {
  const target = new Uint8Array(Math.min(RING, total)).fill(0);
  const client = pair.client.tcp;
  const server = pair.server.tcp;
  return new Promise((resolve) => {
    let sent = 0;
    let received = 0;
    const write = () => {
      while (sent < total) {
        const at = sent % RING;
        const n = client.send(here, source, at, Math.min(CHUNK - (at % CHUNK), total - sent), 0);
        if (n < 0) return;
        sent += n;
      }
    };
    const read = () => {
      while (received < total) {
        const at = received % RING;
        const n = server.receive(there, target, at, CHUNK - (at % CHUNK), 0);
        if (n < 0) return;
        received += n;
      }
      resolve(target);
    };
    here.owner = { tcpEvents: (bits) => bits & WRITABLE && write() };
    there.owner = { tcpEvents: (bits) => bits & READABLE && read() };
    write();
  });
}

function check(target: Uint8Array): void {
  if (Buffer.compare(target, source.subarray(0, target.length)) !== 0) {
    throw new Error("bytes received differ from those sent");
  }
}

/** Gbit/s of application payload of each round. */
export async function bulk(
  cable: CableOptions,
  rounds: number,
  total: number,
  between: () => void | Promise<void> = () => {},
): Promise<number[]> {
  const pair = makePair(cable);
  const [ends] = await connectPairs(pair, 1);
  const figures: number[] = [];
  await transfer(pair, ends, total); // warm-up
  for (let round = 0; round < rounds; round++) {
    await between();
    const cpu = process.cpuUsage();
    const start = performance.now();
    const target = await transfer(pair, ends, total);
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const ms = process.env.WALL ? wall : (user + system) / 1000;
    figures.push((total * 8) / ms / 1e6);
    check(target);
  }
  pair.network.close();
  return figures;
}
