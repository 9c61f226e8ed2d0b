/** How fast simulated time passes, and how late a timer is beside a transfer. */
import { makePair, openConnections, SERVER } from "../support/pair.ts";
import { type Outcome, rounds, seconds } from "../support/samples.ts";
import { stack } from "../support/stack.ts";

const CHUNK = new Uint8Array(65_536).fill(7);

/** Seconds of virtual time a second, while one connection fills a path of 1 Gbit/s and 50 ms. */
export async function virtualTime(): Promise<Outcome> {
  const clock = stack.virtualTime();
  const network = new stack.Network({ clock, seed: 1 });
  const cable = network.cable({ bitsPerSecond: 1e9, delayMs: 25 });
  const client = network.host();
  const server = network.host();
  client.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  server.addInterface(cable.b, { addresses: [`${SERVER}/24`] });
  const listener = await clock.settle(server.listen({ port: 5000 }));
  const connecting = client.connect({ host: SERVER, port: 5000 });
  const there = await clock.settle(listener.accept());
  const here = await clock.settle(connecting);
  let received = 0;
  const write = async () => {
    for (;;) await here.write(CHUNK);
  };
  const read = async () => {
    const into = new Uint8Array(65_536);
    for (;;) received += await there.readInto(into);
  };
  void write().catch(() => {});
  void read().catch(() => {});
  let goodput = 0;
  const samples = await rounds(
    5,
    async () => {
      const start = performance.now();
      const before = received;
      await clock.advance(2000);
      goodput = ((received - before) * 8) / 2e6;
      return 2 / seconds(start);
    },
    2,
  );
  network.close();
  return { samples, extra: { goodputMbit: Math.round(goodput) } };
}

/** 99th percentile of how late a 10 ms timer is while a bulk transfer runs in the same thread, milliseconds. */
export async function timerLateness(): Promise<Outcome> {
  const pair = makePair();
  const [ends] = await openConnections(pair, 1);
  const { here, there } = ends!;
  let isOver = false;
  const write = async () => {
    while (!isOver) await here.write(CHUNK);
  };
  const read = async () => {
    const into = new Uint8Array(65_536);
    while (!isOver) await there.readInto(into);
  };
  const work = Promise.all([write(), read()]);
  const late: number[] = [];
  const samples = await rounds(3, async () => {
    late.length = 0;
    for (let i = 0; i < 100; i++) {
      const due = performance.now() + 10;
      await new Promise((resolve) => setTimeout(resolve, 10));
      late.push(performance.now() - due);
    }
    late.sort((a, b) => a - b);
    return late[98]!;
  });
  isOver = true;
  await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 50))]);
  pair.network.close();
  return { samples };
}
