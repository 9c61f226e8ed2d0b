/** Two hosts on a cable, and connections between them. */
import {
  type CableOptions,
  type Connection,
  type Network,
  type SocketHost,
  stack,
} from "./stack.ts";

export interface Pair {
  readonly network: Network;
  readonly client: SocketHost;
  readonly server: SocketHost;
}

export const SERVER = "10.0.0.2";

/** Two hosts with one address each on a cable without delay, in real time. */
export function makePair(cableOptions: CableOptions = {}): Pair {
  const network = new stack.Network({ clock: stack.realTime() });
  const cable = network.cable(cableOptions);
  const client = network.host({ name: "client" });
  const server = network.host({ name: "server" });
  client.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  server.addInterface(cable.b, { addresses: [`${SERVER}/24`] });
  return { network, client, server };
}

export interface Ends {
  readonly here: Connection;
  readonly there: Connection;
}

/** Opens `count` connections from client to server, 64 at a time. */
export async function openConnections(pair: Pair, count: number, port = 5000): Promise<Ends[]> {
  const listener = await pair.server.listen({ port });
  const accepted = new Map<number, Connection>();
  const opened: Connection[] = [];
  while (opened.length < count) {
    const batch = Math.min(64, count - opened.length);
    const connecting = Array.from({ length: batch }, () =>
      pair.client.connect({ host: SERVER, port }),
    );
    for (let i = 0; i < batch; i++) {
      const there = await listener.accept();
      accepted.set(there.remotePort, there);
    }
    opened.push(...(await Promise.all(connecting)));
  }
  listener.close();
  return opened.map((here) => ({ here, there: accepted.get(here.localPort)! }));
}
