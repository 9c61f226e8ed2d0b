import { afterEach, describe, expect, test } from "vitest";
import { Network } from "../../network/network.ts";
import { realTime } from "../../network/real-time.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { directSockets, winterSockets } from "./index.ts";
import type { TCPSocket } from "./index.ts";

const networks: Network[] = [];
afterEach(() => {
  for (const network of networks.splice(0)) {
    // Nothing may be left: the sockets that a test opened are closed by their streams.
    network.close();
  }
});

function pair(): { a: SocketHost; b: SocketHost } {
  const network = new Network({ clock: realTime(), seed: 7 });
  networks.push(network);
  const cable = network.cable();
  const a = network.host({ name: "a" });
  const b = network.host({ name: "b" });
  a.addInterface(cable.a, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
  b.addInterface(cable.b, { addresses: ["10.0.0.2/24", "fd00::2/64"] });
  return { a, b };
}

/** A host b that gives back what it gets, at port 7. */
async function echo(b: SocketHost): Promise<void> {
  const listener = await b.listen({ port: 7 });
  void (async () => {
    for await (const connection of listener) {
      void (async () => {
        for await (const chunk of connection) await connection.write(chunk);
        await connection.close();
      })().catch(() => {});
    }
  })();
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

const bytes = (value: string) => new TextEncoder().encode(value);

async function send(stream: WritableStream, value: string | Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(typeof value === "string" ? bytes(value) : value);
  await writer.close();
}

describe("Direct Sockets, TCPSocket", () => {
  test("opened tells addresses; closing the writable is a half-close; closed resolves", async () => {
    const { a, b } = pair();
    await echo(b);
    const { TCPSocket } = directSockets(a);
    const socket = new TCPSocket("10.0.0.2", 7, { noDelay: true });
    const info = await socket.opened;
    expect(info).toMatchObject({
      remoteAddress: "10.0.0.2",
      remotePort: 7,
      localAddress: "10.0.0.1",
    });
    expect(info.localPort).toBeGreaterThan(0);
    const [, answer] = await Promise.all([send(info.writable, "hello"), text(info.readable)]);
    expect(answer).toBe("hello");
    await socket.closed;
  });

  test("1 MB through a reader with buffers of its own (BYOB)", async () => {
    const { a, b } = pair();
    await echo(b);
    const { readable, writable } = await new (directSockets(a).TCPSocket)("10.0.0.2", 7).opened;
    const sent = new Uint8Array(1 << 20).map((_, i) => i * 7);
    const sending = send(writable, sent);
    const reader = readable.getReader({ mode: "byob" });
    const received = new Uint8Array(sent.length);
    let count = 0;
    let buffer = new ArrayBuffer(10_000);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value !== undefined) {
        received.set(value, count);
        count += value.length;
        buffer = value.buffer as ArrayBuffer;
      }
      if (done) break;
    }
    await sending;
    expect(count).toBe(sent.length);
    expect(Buffer.compare(received, sent)).toBe(0);
  });

  test("a closed port: opened and closed reject with NetworkError, the cause has the code", async () => {
    const { a } = pair();
    const socket = new (directSockets(a).TCPSocket)("10.0.0.2", 9);
    const error = await socket.opened.then(
      () => undefined,
      (e: unknown) => e as DOMException,
    );
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({ name: "NetworkError", cause: { code: "ECONNREFUSED" } });
    await expect(socket.closed).rejects.toMatchObject({ name: "NetworkError" });
  });

  test("a reset errors the streams and rejects closed", async () => {
    const { a, b } = pair();
    const listener = await b.listen({ port: 7 });
    const socket = new (directSockets(a).TCPSocket)("10.0.0.2", 7);
    const { readable, writable } = await socket.opened;
    const peer = await listener.accept();
    peer.abort();
    await expect(readable.getReader().read()).rejects.toMatchObject({
      name: "NetworkError",
      cause: { code: "ECONNRESET" },
    });
    await expect(writable.getWriter().write(bytes("x"))).rejects.toBeDefined();
    await expect(socket.closed).rejects.toMatchObject({ name: "NetworkError" });
    listener.close();
  });

  test("close(): InvalidStateError while a stream is locked or nothing is open", async () => {
    const { a, b } = pair();
    await echo(b);
    const socket = new (directSockets(a).TCPSocket)("10.0.0.2", 7);
    await expect(socket.close()).rejects.toMatchObject({ name: "InvalidStateError" });
    const { readable } = await socket.opened;
    const reader = readable.getReader();
    await expect(socket.close()).rejects.toMatchObject({ name: "InvalidStateError" });
    reader.releaseLock();
    await socket.close();
  });

  test("text and wrong options are TypeErrors", async () => {
    const { a, b } = pair();
    await echo(b);
    const { TCPSocket } = directSockets(a);
    expect(() => new TCPSocket("10.0.0.2", 0)).toThrow(TypeError);
    expect(() => new TCPSocket("10.0.0.2", 70_000)).toThrow(TypeError);
    expect(() => new TCPSocket("10.0.0.2", 7, { sendBufferSize: 0 })).toThrow(TypeError);
    expect(() => new TCPSocket("10.0.0.2", 7, { keepAliveDelay: 10 })).toThrow(TypeError);
    const { writable } = await new TCPSocket("10.0.0.2", 7).opened;
    await expect(writable.getWriter().write("text" as never)).rejects.toBeInstanceOf(TypeError);
  });
});

describe("Direct Sockets, TCPServerSocket", () => {
  test("connections come as TCPSockets; close() ends it", async () => {
    const { a, b } = pair();
    const server = new (directSockets(b).TCPServerSocket)("::", { localPort: 80, backlog: 8 });
    const { readable, localAddress, localPort } = await server.opened;
    expect([localAddress, localPort]).toEqual(["::", 80]);
    const client = new (directSockets(a).TCPSocket)("fd00::2", 80);
    const reader = readable.getReader() as ReadableStreamDefaultReader<TCPSocket>;
    const { value: accepted } = await reader.read();
    const [inside, outside] = await Promise.all([accepted!.opened, client.opened]);
    expect(inside.remotePort).toBe(outside.localPort);
    await Promise.all([send(inside.writable, "from the server"), send(outside.writable, "x")]);
    expect(await text(outside.readable)).toBe("from the server");
    expect(await text(inside.readable)).toBe("x");
    reader.releaseLock();
    await server.close();
    await server.closed;
    await expect(new (directSockets(a).TCPSocket)("10.0.0.2", 80).opened).rejects.toBeDefined();
  });

  test("a port in use: NetworkError with EADDRINUSE", async () => {
    const { b } = pair();
    const { TCPServerSocket } = directSockets(b);
    const first = new TCPServerSocket("10.0.0.2", { localPort: 80 });
    await first.opened;
    const second = new TCPServerSocket("10.0.0.2", { localPort: 80 });
    await expect(second.opened).rejects.toMatchObject({ cause: { code: "EADDRINUSE" } });
    await first.close();
  });
});

describe("Direct Sockets, UDPSocket", () => {
  test("bound and connected sockets exchange messages", async () => {
    const { a, b } = pair();
    const bound = new (directSockets(b).UDPSocket)({ localAddress: "10.0.0.2", localPort: 53 });
    const server = await bound.opened;
    const connected = new (directSockets(a).UDPSocket)({
      remoteAddress: "10.0.0.2",
      remotePort: 53,
    });
    const client = await connected.opened;
    expect(client).toMatchObject({ remoteAddress: "10.0.0.2", remotePort: 53 });
    const writer = client.writable.getWriter();
    await writer.write({ data: bytes("question") });
    const { value } = await server.readable.getReader().read();
    expect(value).toMatchObject({ remoteAddress: "10.0.0.1", remotePort: client.localPort });
    const { remoteAddress, remotePort } = value!;
    await server.writable
      .getWriter()
      .write({ data: bytes("answer"), remoteAddress: remoteAddress!, remotePort: remotePort! });
    const reader = client.readable.getReader();
    const answer = await reader.read();
    expect(Buffer.from(answer.value!.data as Uint8Array).toString()).toBe("answer");
    expect(answer.value).not.toHaveProperty("remoteAddress");
    reader.releaseLock();
    writer.releaseLock();
    await connected.close();
    await connected.closed;
  });

  test("modes do not mix", () => {
    const { a } = pair();
    const { UDPSocket } = directSockets(a);
    expect(() => new UDPSocket({})).toThrow(TypeError);
    expect(() => new UDPSocket({ remoteAddress: "10.0.0.2" })).toThrow(TypeError);
    expect(() => new UDPSocket({ localPort: 1 })).toThrow(TypeError);
    expect(
      () => new UDPSocket({ localAddress: "::", remoteAddress: "10.0.0.2", remotePort: 1 }),
    ).toThrow(TypeError);
  });

  test("groups are joined and left", async () => {
    const { a, b } = pair();
    const { multicastController, readable } = await new (directSockets(b).UDPSocket)({
      localAddress: "0.0.0.0",
      localPort: 5000,
    }).opened;
    await multicastController!.joinGroup("239.1.2.3");
    expect(multicastController!.joinedGroups).toEqual(["239.1.2.3"]);
    await expect(multicastController!.joinGroup("239.1.2.3")).rejects.toMatchObject({
      name: "InvalidStateError",
    });
    const sender = await a.udp({ family: 4 });
    await sender.send("to all", { address: "239.1.2.3", port: 5000 });
    const { value } = await readable.getReader().read();
    expect(Buffer.from(value!.data as Uint8Array).toString()).toBe("to all");
    await multicastController!.leaveGroup("239.1.2.3");
    sender.close();
  });
});

describe("WinterTC connect()", () => {
  test("the streams are there at once, opened tells addresses", async () => {
    const { a, b } = pair();
    await echo(b);
    const socket = winterSockets(a).connect("10.0.0.2:7", { allowHalfOpen: true });
    const [, answer] = await Promise.all([send(socket.writable, "early"), text(socket.readable)]);
    expect(answer).toBe("early");
    expect(await socket.opened).toMatchObject({ remoteAddress: "10.0.0.2:7", alpn: null });
    await socket.closed;
  });

  test("1 MB with BYOB", async () => {
    const { a, b } = pair();
    await echo(b);
    const socket = winterSockets(a).connect({ hostname: "fd00::2", port: 7 });
    const sending = send(socket.writable, new Uint8Array(1 << 20).fill(5));
    const reader = socket.readable.getReader({ mode: "byob" });
    let count = 0;
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(50_000));
      for (const byte of value ?? []) count += byte === 5 ? 1 : 0;
      if (done) break;
    }
    await sending;
    expect(count).toBe(1 << 20);
    await socket.closed;
  });

  test("without allowHalfOpen the peer's end closes the socket", async () => {
    const { a, b } = pair();
    const listener = await b.listen({ port: 7 });
    const socket = winterSockets(a).connect("10.0.0.2:7");
    const peer = await listener.accept();
    peer.closeWrite();
    expect(await text(socket.readable)).toBe("");
    await socket.closed;
    expect(await peer.read()).toBe(null);
    await peer.close();
    listener.close();
  });

  test("a closed port rejects opened, closed and the streams", async () => {
    const { a } = pair();
    const socket = winterSockets(a).connect("10.0.0.2:9");
    const expected = { name: "SocketError", cause: { code: "ECONNREFUSED" } };
    await expect(socket.opened).rejects.toMatchObject(expected);
    await expect(socket.closed).rejects.toMatchObject(expected);
    await expect(socket.readable.getReader().read()).rejects.toMatchObject(expected);
    await expect(socket.writable.getWriter().write(bytes("x"))).rejects.toMatchObject(expected);
  });

  test("close() delivers what was written", async () => {
    const { a, b } = pair();
    const listener = await b.listen({ port: 7 });
    const socket = winterSockets(a).connect("10.0.0.2:7");
    const writer = socket.writable.getWriter();
    await writer.write(bytes("last words"));
    await socket.close();
    const peer = await listener.accept();
    const chunks: Uint8Array[] = [];
    for await (const chunk of peer) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("last words");
    await peer.close();
    listener.close();
  });

  test("addresses that are none, and TLS, are refused with a sentence", () => {
    const { connect } = winterSockets(pair().a);
    expect(() => connect("10.0.0.2")).toThrow(/write NAME:PORT/);
    expect(() => connect("10.0.0.2:7", { secureTransport: "on" })).toThrow(/has no TLS/);
    expect(() => connect("10.0.0.2:7", { secureTransport: "x" as never })).toThrow(TypeError);
  });
});
