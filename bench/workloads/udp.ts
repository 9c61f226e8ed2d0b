/** Datagrams of 64 bytes through sockets, and 64-byte packets through a router. */
import { makePair, SERVER } from "../support/pair.ts";
import { type Outcome, rounds, seconds } from "../support/samples.ts";
import { stack } from "../support/stack.ts";

/** Datagrams a second that were sent and read, both ends counted as one. */
export async function udp64(): Promise<Outcome> {
  const pair = makePair();
  const receiver = await pair.server.udp({ port: 9000, address: SERVER });
  const sender = await pair.client.udp({ address: "10.0.0.1" });
  sender.connect(SERVER, 9000);
  receiver.setOption("SO_RCVBUF", 4 * 1024 * 1024);
  const data = new Uint8Array(64).fill(7);
  const from = sender.socket;
  const to = receiver.socket;
  const into = new Uint8Array(2048);
  const client = pair.client.parked;
  const server = pair.server.parked;
  const count = 400_000;
  const round = () =>
    new Promise<number>((resolve, reject) => {
      const start = performance.now();
      let sent = 0;
      let received = 0;
      const send = () => {
        while (sent < count) {
          const n = from.send(data, 0, 64, 0, undefined, undefined);
          if (n < 0) {
            client.wait(from, 4, send);
            return;
          }
          sent++;
        }
      };
      const receive = () => {
        for (;;) {
          const n = to.receive(into, 0, 2048, 0, undefined);
          if (n < 0) {
            server.wait(to, 1, receive);
            return;
          }
          if (n !== 64 || into[63] !== 7) return reject(new Error("wrong datagram"));
          if (++received === count) return resolve(count / seconds(start));
        }
      };
      receive();
      send();
    });
  const samples = await rounds(7, round, 2);
  pair.network.close();
  return { samples };
}

/** Packets a second through a host that forwards between two cables. */
export async function forward64(): Promise<Outcome> {
  const network = new stack.Network({ clock: stack.realTime() });
  const left = network.cable();
  const right = network.cable();
  const router = network.host({ name: "router", config: { forwarding: true } });
  router.addInterface(left.b, { addresses: ["10.0.1.1/24"] });
  router.addInterface(right.a, { addresses: ["10.0.2.1/24"] });
  const client = network.host({ name: "client" });
  client.addInterface(left.a, { addresses: ["10.0.1.2/24"], gateway: "10.0.1.1" });
  const server = network.host({ name: "server" });
  server.addInterface(right.b, { addresses: ["10.0.2.2/24"], gateway: "10.0.2.1" });
  const receiver = await server.udp({ port: 9000, address: "10.0.2.2" });
  receiver.setOption("SO_RCVBUF", 4 * 1024 * 1024);
  const sender = await client.udp({ address: "10.0.1.2" });
  sender.connect("10.0.2.2", 9000);
  // 64 bytes of IP packet: 20 of header, 8 of UDP, 36 of data.
  const data = new Uint8Array(36).fill(7);
  const from = sender.socket;
  const to = receiver.socket;
  const into = new Uint8Array(2048);
  const count = 200_000;
  const round = () =>
    new Promise<number>((resolve) => {
      const start = performance.now();
      let sent = 0;
      let received = 0;
      const send = () => {
        while (sent < count) {
          if (from.send(data, 0, 36, 0, undefined, undefined) < 0) {
            client.parked.wait(from, 4, send);
            return;
          }
          sent++;
        }
      };
      const receive = () => {
        while (received < count) {
          if (to.receive(into, 0, 2048, 0, undefined) < 0) {
            server.parked.wait(to, 1, receive);
            return;
          }
          received++;
        }
        resolve(count / seconds(start));
      };
      receive();
      send();
    });
  const samples = await rounds(5, round, 2);
  network.close();
  return { samples, extra: { dropped: left.a.lane.droppedFrames + right.a.lane.droppedFrames } };
}
