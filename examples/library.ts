/** Two hosts on a switch inside this process: a server that shouts back, and a client. */
import { Network, realTime } from "fullduplex";

const net = new Network({ clock: realTime() });
const lan = net.switch();

const server = net.host({ name: "server" });
server.addInterface(lan.port(), { addresses: ["10.0.0.2/24", "fd00::2/64"] });
const client = net.host({ name: "client" });
client.addInterface(lan.port(), { addresses: ["10.0.0.3/24", "fd00::3/64"] });

const listener = await server.listen({ port: 7 });
const serving = (async () => {
  for await (const connection of listener) {
    for await (const chunk of connection) {
      await connection.write(new TextDecoder().decode(chunk).toUpperCase());
    }
    await connection.close();
  }
})();

const connection = await client.connect({ host: "10.0.0.2", port: 7, timeout: 1000 });
await connection.write("hello, stack");
await connection.closeWrite();
for await (const chunk of connection) console.log(new TextDecoder().decode(chunk));
console.log(`round trip ${connection.info().rttUs} us, ${connection.info().state}`);
await connection.close();

listener.close();
await serving;
// Nothing is open any more: the process ends by itself.
