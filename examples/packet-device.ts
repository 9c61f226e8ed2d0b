/**
 * Embedding: whatever yields packets becomes a network card. Here two stacks
 * are joined by plain functions, as a tunnel, a WebSocket or a VM would.
 */
import { Network, PacketDevice, realTime } from "fullduplex";

const here = new Network({ clock: realTime() });
const there = new Network({ clock: realTime() });

// `send` gets each IP packet that goes out; the bytes are ours only during the call.
const ours: PacketDevice = new PacketDevice({
  medium: "ip",
  mtu: 1400,
  send: (bytes) => tunnel(theirs, bytes),
});
const theirs: PacketDevice = new PacketDevice({
  medium: "ip",
  mtu: 1400,
  send: (bytes) => tunnel(ours, bytes),
});

function tunnel(to: PacketDevice, bytes: Uint8Array): void {
  const packet = bytes.slice();
  setImmediate(() => to.receive(packet));
}

const client = here.host({ name: "client" });
client.addInterface(ours, { addresses: ["192.168.7.1/24"] });
const server = there.host({ name: "server" });
server.addInterface(theirs, { addresses: ["192.168.7.2/24"] });

const listener = await server.listen({ port: 80 });
const accepted = listener.accept();
const connection = await client.connect({ host: "192.168.7.2", port: 80 });
const peer = await accepted;
await connection.write("through the tunnel");
console.log(new TextDecoder().decode((await peer.read()) ?? undefined));
console.log(`MSS ${connection.info().sndMss}: 1400 less 20 (IP), 20 (TCP) and 12 (timestamps)`);
await Promise.all([connection.close(), peer.close()]);
listener.close();
