import {
  type CableOptions,
  type Connection,
  type FrameMemory,
  Network,
  realTime,
  type SocketHost,
} from "fullduplex";

export interface Two {
  readonly network: Network;
  readonly client: SocketHost;
  readonly server: SocketHost;
  close(): void;
}

/** Two hosts on a cable, as a program would make them: default settings, real time. */
export function twoHosts(cable: CableOptions = {}, memory?: FrameMemory): Two {
  const network = new Network({ clock: realTime(), ...(memory ? { memory } : {}) });
  const line = network.cable(cable);
  const client = network.host({ name: "client" });
  client.addInterface(line.a, { addresses: ["10.0.0.1/16"] });
  const server = network.host({ name: "server" });
  server.addInterface(line.b, { addresses: ["10.0.0.2/16"] });
  return { network, client, server, close: () => network.close() };
}

/** A connection from client to server, both ends. */
export async function connect(two: Two, count = 1): Promise<[Connection, Connection][]> {
  const listener = await two.server.listen({ port: 80, backlog: 4096 });
  const pairs: [Connection, Connection][] = [];
  for (let i = 0; i < count; i++) {
    const [here, there] = await Promise.all([
      two.client.connect({ host: "10.0.0.2", port: 80 }),
      listener.accept(),
    ]);
    pairs.push([here, there]);
  }
  listener.close();
  return pairs;
}

export async function connectOne(two: Two): Promise<[Connection, Connection]> {
  const [pair] = await connect(two);
  return pair!;
}
