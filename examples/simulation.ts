/** A bad line in virtual time, from a seed: an hour of trouble replays exactly, in a moment. */
import { Network, virtualTime } from "fullduplex";

async function run(seed: number): Promise<string> {
  const clock = virtualTime();
  const net = new Network({ clock, seed });
  const cable = net.cable({ delayMs: 40, bitsPerSecond: 10e6, loss: 0.02, jitterMs: 3 });
  const a = net.host({ name: "a" });
  a.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  const b = net.host({ name: "b" });
  b.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });
  const listener = await b.listen({ port: 80 });
  const received = (async () => {
    let bytes = 0;
    const connection = await listener.accept();
    for await (const chunk of connection) bytes += chunk.length;
    await connection.close();
    return bytes;
  })();
  const sent = (async () => {
    const connection = await a.connect({ host: "10.0.0.2", port: 80 });
    await connection.write(new Uint8Array(1_000_000));
    await connection.close();
  })();
  const [bytes] = await clock.settle(Promise.all([received, sent]));
  const { tcpRetransSegs, tcpTimeouts } = a.counters;
  net.close();
  return `${bytes} bytes in ${(clock.now() / 1e6).toFixed(3)} s, ${tcpRetransSegs} segments again, ${tcpTimeouts} timeouts`;
}

for (const seed of [1, 2, 1]) console.log(`seed ${seed}: ${await run(seed)}`);
