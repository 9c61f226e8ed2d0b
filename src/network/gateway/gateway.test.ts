import dgram from "node:dgram";
import net from "node:net";
import { afterEach, expect, test } from "vitest";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { hostResolver } from "../../services/host-resolver.ts";
import { Network } from "../network.ts";
import { realTime } from "../real-time.ts";
import { type Gateway, type GatewayOptions, openGateway } from "./gateway.ts";
import { publish } from "./publish.ts";

const MACHINE = "10.0.0.254";
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function lan(
  options: GatewayOptions = {},
): Promise<{ client: SocketHost; gateway: Gateway }> {
  const network = new Network({ clock: realTime() });
  closing.push(() => network.close());
  const wire = network.switch();
  const router = network.host({ name: "gateway" });
  router.addInterface(wire.port(), {
    addresses: ["10.0.0.1/24", `${MACHINE}/24`],
    acceptAnyDestination: true,
  });
  const client = network.host({ name: "client" });
  client.addInterface(wire.port(), { addresses: ["10.0.0.2/24"], gateway: "10.0.0.1" });
  client.resolver = hostResolver(client, { nameservers: ["10.0.0.1"] });
  const gateway = await openGateway(router, { machine: MACHINE, ...options });
  closing.push(() => gateway.close(100));
  return { client, gateway };
}

function kernelServer(onConnection: (socket: net.Socket) => void): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      onConnection(socket);
    });
    closing.push(() => server.close());
    server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
  });
}

async function readAll(connection: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of connection) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("4 MB go out and come back, and a half-close is a half-close on the other side", async () => {
  const port = await kernelServer((socket) => socket.pipe(socket));
  const { client, gateway } = await lan();
  const connection = await client.connect({ host: MACHINE, port });
  const sent = Buffer.alloc(4 << 20, "gateway!1");
  const [received] = await Promise.all([
    readAll(connection),
    connection.write(sent).then(() => connection.closeWrite()),
  ]);
  expect(received.equals(sent)).toBe(true);
  await connection.close();
  await expect.poll(() => gateway.connections).toBe(0);
});

test("what the real network refuses is refused inside", async () => {
  const { client } = await lan();
  await expect(client.connect({ host: MACHINE, port: 1 })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

test("a reset outside is a reset inside, and the other way", async () => {
  let outside: net.Socket | undefined;
  const errors: string[] = [];
  const port = await kernelServer((socket) => {
    outside = socket;
    socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code ?? ""));
    socket.resume();
  });
  const { client } = await lan();
  const first = await client.connect({ host: MACHINE, port });
  await first.write("x");
  await expect.poll(() => outside?.bytesRead).toBe(1);
  outside!.resetAndDestroy();
  await expect(first.read()).rejects.toMatchObject({ code: "ECONNRESET" });
  await first.close();

  const second = await client.connect({ host: MACHINE, port });
  await second.write("y");
  await expect.poll(() => outside?.bytesRead).toBe(1);
  second.abort();
  await expect.poll(() => errors, { timeout: 5000 }).toEqual(["ECONNRESET"]);
});

test("a reader that stops outside stops the writer inside", async () => {
  let outside: net.Socket | undefined;
  const port = await kernelServer((socket) => {
    outside = socket;
    socket.pause();
  });
  const { client } = await lan();
  const connection = await client.connect({ host: MACHINE, port });
  const data = new Uint8Array(24 << 20);
  const write = connection.write(data);
  const isDone = await Promise.race([
    write.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
  ]);
  expect(isDone).toBe(false);
  let count = 0;
  outside!.on("data", (chunk: Buffer) => (count += chunk.length));
  outside!.resume();
  await write;
  connection.closeWrite();
  await expect.poll(() => count, { timeout: 10_000 }).toBe(data.length);
  outside!.end();
  await connection.close();
}, 20_000);

test("limits: more connections than allowed are refused", async () => {
  const port = await kernelServer((socket) => socket.resume());
  const { client } = await lan({ limits: { connections: 1 } });
  const first = await client.connect({ host: MACHINE, port });
  await expect(client.connect({ host: MACHINE, port })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
  first.abort();
});

test("without leave neither the machine's loopback nor link-local addresses are reached", async () => {
  const { client } = await lan({ machine: "10.0.0.253" });
  await expect(client.connect({ host: "169.254.169.254", port: 80 })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

test("permit decides, and hears what for", async () => {
  const port = await kernelServer((socket) => socket.end("in"));
  const asked: unknown[] = [];
  const { client } = await lan({
    permit: (address, to, protocol) => {
      asked.push([address, to, protocol]);
      return false;
    },
  });
  await expect(client.connect({ host: MACHINE, port })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
  expect(asked).toEqual([["127.0.0.1", port, "tcp"]]);
});

test("UDP: answers come from the address that was asked, flows are bounded", async () => {
  const echo = dgram.createSocket("udp4", (data, from) => echo.send(data, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, "127.0.0.1", resolve));
  closing.push(() => echo.close());
  const { port } = echo.address();
  const { client, gateway } = await lan({ limits: { udpFlows: 2 } });
  for (let i = 0; i < 4; i++) {
    const socket = await client.udp({ family: 4 });
    await socket.send(`hello ${i}`, { address: MACHINE, port });
    const { data, address, port: from } = await socket.receive({ timeout: 2000 });
    expect([Buffer.from(data).toString(), address, from]).toEqual([`hello ${i}`, MACHINE, port]);
    socket.close();
  }
  expect(gateway.udpFlows).toBe(2);
});

test("names are asked of the operating system's resolver", async () => {
  const { client } = await lan();
  const found = await client.resolve("localhost", { family: 4 });
  expect(found.map(String)).toContain("127.0.0.1");
  await expect(client.resolve("nobody.invalid")).rejects.toMatchObject({ code: "ENOTFOUND" });
});

test("publish: from the machine to a host inside, and the limit holds", async () => {
  const { client } = await lan();
  const listener = await client.listen({ port: 80 });
  void (async () => {
    for await (const connection of listener) {
      const got = await readAll(connection);
      await connection.write(`${got.length} bytes`);
      await connection.close();
    }
  })();
  closing.push(() => listener.close());
  const published = await publish(client, { port: 0, to: { host: "10.0.0.2", port: 80 } });
  closing.push(() => published.close(100));
  const socket = net.connect({ port: published.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(Buffer.alloc(100_000));
  expect((await readAll(socket)).toString()).toBe("100000 bytes");
});
