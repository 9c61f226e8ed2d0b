/** Two hosts on a cable, and connections between them. */
import type { CableOptions } from "../../src/devices/cable.ts";
import {
  ACCEPTABLE,
  CONNECTED,
  type Host,
  type Network,
  NetworkOf,
  parseAddress,
  realTime,
  type TcpConnection,
} from "./stack.ts";

export interface Pair {
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
}

/** Two hosts with one address each on a cable without delay, in real time. */
export function makePair(cableOptions: CableOptions = {}): Pair {
  const network = new NetworkOf({ clock: realTime() });
  network.add({ onWork: undefined, poll: () => false, nextDeadline: () => Infinity, live: () => 1 });
  const cable = network.cable(cableOptions);
  const client = network.host({ name: "client" });
  const server = network.host({ name: "server" });
  client.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  server.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });
  return { network, client, server };
}

export interface Ends {
  readonly here: TcpConnection;
  readonly there: TcpConnection;
}

/** Opens `count` connections from client to server; both ends of each once all are established. */
export function connectPairs(pair: Pair, count: number, port = 5000): Promise<Ends[]> {
  const { client, server } = pair;
  const listener = server.tcp.listen({
    address: parseAddress("10.0.0.2"),
    port,
    backlog: 4096,
    options: server.tcp.env.defaultOptions,
  });
  const path = client.ip.path(parseAddress("10.0.0.1"), parseAddress("10.0.0.2"), 0)!;
  const accepted = new Map<number, TcpConnection>();
  const opened: TcpConnection[] = [];
  return new Promise((resolve) => {
    let connected = 0;
    let started = 0;
    const check = () => {
      if (connected < count || accepted.size < count) return;
      listener.close();
      resolve(opened.map((here) => ({ here, there: accepted.get(here.localPort)! })));
    };
    const open = () => {
      // A few at a time, as a user would who knows of backlogs.
      while (started < count && started - connected < 256) {
        const c = client.tcp.create();
        c.owner = {
          tcpEvents(bits) {
            if ((bits & CONNECTED) === 0) return;
            connected++;
            open();
            check();
          },
        };
        opened.push(c);
        client.tcp.connect(c, path, 10_000 + started++, port);
      }
    };
    listener.owner = {
      tcpEvents(bits) {
        if ((bits & ACCEPTABLE) === 0) return;
        for (let c = listener.accept(); c !== undefined; c = listener.accept()) {
          accepted.set(c.remotePort, c);
        }
        check();
      },
    };
    open();
  });
}
