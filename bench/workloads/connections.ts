/** Many connections: opened and closed, idle, and as many as fit. Virtual time, as TIME-WAIT lasts a minute. */
import { freemem } from "node:os";
import { type Outcome, rounds, seconds } from "../support/samples.ts";
import { type Connection, type Network, type SocketHost, stack } from "../support/stack.ts";

const ADDRESSES = 16;
const PORT = 80;

interface Crowd {
  readonly network: Network;
  readonly clock: ReturnType<typeof stack.virtualTime>;
  readonly client: SocketHost;
  readonly server: SocketHost;
}

const clientAddress = (i: number) => `10.0.1.${i + 1}`;
const serverAddress = (i: number) => `10.0.2.${i + 1}`;

/** Two hosts with 16 addresses each: 16 x 16 pairs, each with all ports. */
function makeCrowd(): Crowd {
  const clock = stack.virtualTime();
  const network = new stack.Network({ clock, seed: 1 });
  const cable = network.cable();
  const addresses = (of: (i: number) => string) =>
    Array.from({ length: ADDRESSES }, (_, i) => `${of(i)}/16`);
  const client = network.host({ name: "client" });
  const server = network.host({ name: "server" });
  client.addInterface(cable.a, { addresses: addresses(clientAddress) });
  server.addInterface(cable.b, { addresses: addresses(serverAddress) });
  return { network, clock, client, server };
}

/** Opens `count` connections, 512 at a time; the pairs of addresses in turns. */
async function open(crowd: Crowd, count: number, exchange: boolean): Promise<Connection[]> {
  const { clock, client, server } = crowd;
  const listener = await clock.settle(server.listen({ port: PORT, backlog: 4096 }));
  const all: Connection[] = [];
  const byte = Uint8Array.of(1);
  const into = new Uint8Array(1);
  const one = async (i: number) => {
    const here = await client.connect({
      address: serverAddress(i % ADDRESSES),
      port: PORT,
      localAddress: clientAddress((i >> 4) % ADDRESSES),
    });
    all.push(here);
    if (!exchange) return;
    await here.write(byte);
    if ((await here.readInto(into)) !== 1) throw new Error("no answer");
  };
  const serve = async (n: number) => {
    for (let i = 0; i < n; i++) {
      const there = await listener.accept();
      all.push(there);
      if (exchange) void answer(there);
    }
  };
  const answer = async (there: Connection) => {
    const buffer = new Uint8Array(1);
    await there.readInto(buffer);
    await there.write(buffer);
  };
  for (let i = 0; i < count; i += 512) {
    const n = Math.min(512, count - i);
    const batch = Array.from({ length: n }, (_, k) => one(i + k));
    await clock.settle(Promise.all([serve(n), ...batch]));
  }
  await clock.advance(1000);
  listener.close();
  return all;
}

/** Connections opened and closed a second: the client closes first, TIME-WAIT is kept, and two MSL pass between rounds. */
export async function connect(idle: number): Promise<Outcome> {
  const crowd = makeCrowd();
  const { clock, client, server } = crowd;
  const kept = await open(crowd, idle, false);
  const listener = await clock.settle(server.listen({ port: PORT + 1, backlog: 4096 }));
  const serve = async () => {
    const into = new Uint8Array(16);
    for (;;) {
      const there = await listener.accept();
      void there.readInto(into).then(() => there.close());
    }
  };
  void serve().catch(() => {});
  let next = 0;
  const worker = async (n: number) => {
    const into = new Uint8Array(16);
    for (let i = 0; i < n; i++) {
      const k = next++;
      const here = await client.connect({
        address: serverAddress(k % ADDRESSES),
        port: PORT + 1,
        localAddress: clientAddress((k >> 4) % ADDRESSES),
      });
      here.closeWrite();
      await here.readInto(into);
      await here.close();
    }
  };
  const count = 64 * 400;
  const round = async () => {
    const start = performance.now();
    await clock.settle(Promise.all(Array.from({ length: 64 }, () => worker(count / 64))));
    const took = seconds(start);
    await clock.advance(61_000);
    return count / took;
  };
  const samples = await rounds(7, round, 2);
  const resets = client.counters.tcpOutRsts + server.counters.tcpOutRsts;
  listener.close();
  crowd.network.close();
  return { samples, extra: { resets, idle: kept.length / 2 } };
}

/** Bytes per end of an idle connection that carried a byte each way. */
export async function memoryIdle(): Promise<Outcome> {
  const gc = (globalThis as { gc?: () => void }).gc!;
  const count = 100_000;
  const crowd = makeCrowd();
  const { memory } = crowd.network;
  memory.bytes.fill(0);
  await open(crowd, 64, true);
  const used = () => {
    gc();
    gc();
    const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
    return { heap: heapUsed + external, arrayBuffers, rss, pages: memory.pagesInUse };
  };
  const before = used();
  const kept = await open(crowd, count, true);
  const after = used();
  const pages = (after.pages - before.pages) * 4096;
  const bytes = after.heap - before.heap + pages;
  const samples = [bytes / kept.length];
  crowd.network.close();
  return {
    samples,
    extra: {
      rssPerEnd: Math.round((after.rss - before.rss + pages) / kept.length),
      framePages: after.pages - before.pages,
      ends: kept.length,
    },
  };
}

/** A million connections in one process, each of which answers a byte. */
export async function million(): Promise<Outcome> {
  const free = freemem() / 2 ** 30;
  if (free < 8)
    return { samples: [], skipped: `needs 8 GB of memory, ${free.toFixed(1)} are free` };
  const crowd = makeCrowd();
  const start = performance.now();
  const kept = await open(crowd, 1_000_000, true);
  const took = seconds(start);
  const { rss } = process.memoryUsage();
  const outcome = { samples: [kept.length / 2], extra: { seconds: took, rssGB: rss / 2 ** 30 } };
  crowd.network.close();
  return outcome;
}
