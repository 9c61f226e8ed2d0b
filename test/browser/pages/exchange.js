// The built package as it is, without a bundler.
import { Network, realTime } from "../../../dist/index.js";

/** A megabyte over TCP between two hosts in this thread. */
export async function exchange() {
  const network = new Network({ clock: realTime() });
  const cable = network.cable();
  const a = network.host({ name: "a" });
  const b = network.host({ name: "b" });
  a.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  b.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });
  const listener = await b.listen({ port: 80 });
  const serving = listener.accept().then(async (connection) => {
    let sum = 0;
    let length = 0;
    for await (const chunk of connection) {
      length += chunk.length;
      for (const byte of chunk) sum = (sum + byte) | 0;
    }
    return { sum, length };
  });
  const connection = await a.connect({ address: "10.0.0.2", port: 80 });
  const data = new Uint8Array(1_000_000).map((_, i) => i % 251);
  await connection.write(data);
  await connection.close();
  const { sum, length } = await serving;
  const expected = data.reduce((x, y) => (x + y) | 0, 0);
  const { kernel } = network.memory;
  network.close();
  if (sum !== expected) throw new Error(`the bytes differ: ${sum}, not ${expected}`);
  return `${length} bytes, kernel ${kernel.name}`;
}
