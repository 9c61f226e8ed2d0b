/** The calls of the textbook, on descriptors: socket, bind, listen, accept, connect, read, write, close. */
import { Network, virtualTime } from "fullduplex";
import { AF_INET, SOCK_STREAM, socketAddress } from "fullduplex/sockets";

const clock = virtualTime();
const net = new Network({ clock, seed: 1 });
const cable = net.cable({ delayMs: 10 });
const server = net.host({ name: "server" });
server.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
const client = net.host({ name: "client" });
client.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });

async function serve(): Promise<void> {
  const s = server.sockets;
  const fd = s.socket(AF_INET, SOCK_STREAM);
  s.bind(fd, socketAddress("0.0.0.0", 80));
  s.listen(fd, 5);
  const { fd: connected } = await s.accept(fd);
  const buffer = new Uint8Array(100);
  for (;;) {
    const n = await s.read(connected, buffer);
    if (n === 0) break;
    console.log(`server: read ${n} bytes at ${clock.now() / 1000} ms`);
    await s.write(connected, buffer.subarray(0, n));
  }
  s.close(connected);
  s.close(fd);
}

async function ask(): Promise<void> {
  const s = client.sockets;
  const fd = s.socket(AF_INET, SOCK_STREAM);
  await s.connect(fd, socketAddress("10.0.0.1", 80));
  console.log(`client: connected at ${clock.now() / 1000} ms`);
  await s.write(fd, new TextEncoder().encode("forty bytes of nothing in particular...."));
  const buffer = new Uint8Array(10);
  for (let n = 0; n < 4; n++) {
    const got = await s.read(fd, buffer);
    console.log(
      `client: read ${got} bytes, "${new TextDecoder().decode(buffer.subarray(0, got))}"`,
    );
  }
  s.close(fd);
}

await clock.settle(Promise.all([serve(), ask()]));
