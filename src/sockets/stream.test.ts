import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import { SocketError } from "../base/errors.ts";
import type { Connection } from "./connection.ts";
import type { SocketHost } from "./socket-host.ts";

let lan: SocketLan;
let a: SocketHost;
let b: SocketHost;

function pair(...options: Parameters<typeof SocketLan.pair>) {
  ({ lan, a, b } = SocketLan.pair(...options));
}

afterEach(() => {
  for (const host of lan.hosts) host.calls.closeAll();
  lan.pass(200_000);
  lan.end();
});

const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

async function joined(port = 80): Promise<[Connection, Connection]> {
  const listener = await b.listen({ port });
  const accepting = listener.accept();
  const client = await lan.settle(a.connect({ host: "10.0.0.2", port }));
  const server = await lan.settle(accepting);
  listener.close();
  return [client, server];
}

describe("connections with promises", () => {
  test("connect, write, read, half-close, close, over IPv4 and IPv6", async () => {
    pair();
    const listener = await b.listen({ port: 80 });
    for (const host of ["10.0.0.2", "fd00::2"]) {
      const accepting = listener.accept();
      const client = await lan.settle(a.connect({ host, port: 80 }));
      const server = await lan.settle(accepting);
      expect(client.remoteAddress).toBe(host);
      expect(client.remotePort).toBe(80);
      expect(server.remotePort).toBe(client.localPort);
      expect(server.localAddress).toBe(host);
      await lan.settle(client.write("grüß"));
      expect(text(await lan.settle(server.read()))).toBe("grüß");
      client.closeWrite();
      expect(await lan.settle(server.read())).toBeNull();
      await lan.settle(server.write(new Uint8Array([1, 2, 3])));
      const into = new Uint8Array(10);
      expect(await lan.settle(client.readInto(into))).toBe(3);
      const over = Promise.all([client.closed, server.closed]);
      await server.close();
      expect(await lan.settle(client.readInto(into))).toBe(0);
      await client.close();
      await lan.settle(over);
    }
    listener.close();
  });

  test("1 MB each way at once, compared", async () => {
    pair();
    const [client, server] = await joined();
    const data = new Uint8Array(1_000_000).map((_, i) => (i * 7 + (i >> 8)) & 255);
    const send = async (c: Connection) => {
      for (let at = 0; at < data.length; at += 50_000)
        await c.write(data.subarray(at, at + 50_000));
      c.closeWrite();
    };
    const collect = async (c: Connection) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of c) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const [, , one, two] = await lan.settle(
      Promise.all([send(client), send(server), collect(client), collect(server)]),
      60_000,
    );
    expect(one.equals(data)).toBe(true);
    expect(two.equals(data)).toBe(true);
    await client.close();
    await server.close();
  });

  test("a closed port refuses", async () => {
    pair();
    const failing = lan.settle(a.connect({ host: "10.0.0.2", port: 81 }));
    await expect(failing).rejects.toMatchObject({
      code: "ECONNREFUSED",
      syscall: "connect",
      address: "10.0.0.2",
      port: 81,
    });
  });

  test("nobody there: EHOSTUNREACH or the timeout given, whichever is first", async () => {
    pair();
    await expect(
      lan.settle(a.connect({ host: "10.0.0.77", port: 80, timeout: 500 })),
    ).rejects.toMatchObject({
      code: "ETIMEDOUT",
    });
    await expect(
      lan.settle(a.connect({ host: "10.0.0.77", port: 80 }), 600_000),
    ).rejects.toBeInstanceOf(SocketError);
    await expect(lan.settle(a.connect({ host: "192.168.77.1", port: 80 }))).rejects.toMatchObject({
      code: "ENETUNREACH",
    });
  });

  test("an AbortSignal ends connect, accept and read with its reason", async () => {
    pair();
    const listener = await b.listen({ port: 80 });
    const reason = new Error("enough");
    for (const begin of [
      (signal: AbortSignal) => listener.accept({ signal }),
      (signal: AbortSignal) => a.connect({ host: "10.0.0.77", port: 80, signal }),
    ]) {
      const controller = new AbortController();
      const promise = begin(controller.signal);
      lan.net.after(1000, () => controller.abort(reason));
      await expect(lan.settle(promise as Promise<unknown>)).rejects.toBe(reason);
      await expect(begin(controller.signal)).rejects.toBe(reason);
    }
    const connecting = lan.settle(a.connect({ host: "10.0.0.2", port: 80 }));
    const client = await connecting;
    const controller = new AbortController();
    const reading = client.read({ signal: controller.signal });
    lan.net.after(1000, () => controller.abort(reason));
    await expect(lan.settle(reading)).rejects.toBe(reason);
    await expect(lan.settle(client.read({ timeout: 20 }))).rejects.toMatchObject({
      code: "ETIMEDOUT",
    });
    await client.close();
    const server = await lan.settle(listener.accept());
    await server.close();
    listener.close();
  });

  test("abort() is a reset for the peer and ECONNABORTED for who still reads", async () => {
    pair();
    const [client, server] = await joined();
    const mine = client.read();
    const theirs = server.read();
    client.abort();
    const results = Promise.allSettled([mine, theirs, server.closed, client.closed]);
    expect(await lan.settle(results)).toMatchObject([
      { reason: { code: "ECONNABORTED" } },
      { reason: { code: "ECONNRESET" } },
      { reason: { code: "ECONNRESET" } },
      { status: "fulfilled" },
    ]);
    await server.close();
  });

  test("close() with unread data resets (RFC 9293 SHLD-3)", async () => {
    pair();
    const [client, server] = await joined();
    await server.write("unread");
    lan.pass(10);
    await client.close();
    await expect(lan.settle(server.read())).rejects.toMatchObject({ code: "ECONNRESET" });
    await server.close();
  });

  test("close() while a read waits: the read ends as at the end of data", async () => {
    pair();
    const [client, server] = await joined();
    const reading = client.read();
    await client.close();
    expect(await lan.settle(reading)).toBeNull();
    await expect(client.read()).rejects.toMatchObject({ code: "EBADF" });
    await expect(client.write("x")).rejects.toMatchObject({ code: "EBADF" });
    await server.close();
  });

  test("write() waits while the peer does not read, and gives up at its timeout", async () => {
    pair();
    const [client, server] = await joined();
    let written = 0;
    const chunk = new Uint8Array(100_000);
    const writing = (async () => {
      for (;;) {
        await client.write(chunk, { timeout: 5000 });
        written += chunk.length;
      }
    })();
    await expect(lan.settle(writing, 60_000)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(written).toBeGreaterThan(100_000);
    client.abort();
    await server.close();
  });

  test("connections wait in the accept queue; iteration gives them all and ends with close()", async () => {
    pair();
    const listener = await b.listen({ port: 80, backlog: 100 });
    const clients = await lan.settle(
      Promise.all(Array.from({ length: 100 }, () => a.connect({ host: "10.0.0.2", port: 80 }))),
    );
    const servers: Connection[] = [];
    const loop = (async () => {
      for await (const connection of listener) {
        servers.push(connection);
        if (servers.length === 100) listener.close();
      }
    })();
    await lan.settle(loop);
    expect(new Set(servers.map((s) => s.remotePort)).size).toBe(100);
    for (const c of [...clients, ...servers]) await c.close();
  });

  test("closing a listener rejects who waits in accept()", async () => {
    pair();
    const listener = await b.listen({ port: 80 });
    const accepting = listener.accept();
    listener.close();
    await expect(lan.settle(accepting)).rejects.toMatchObject({ code: "EBADF" });
  });

  test("SO_LINGER: close() resolves when the peer has it all", async () => {
    pair({ delayMs: 50 });
    const [client, server] = await joined();
    client.setOption("SO_LINGER", { on: true, seconds: 10 });
    await client.write("last words");
    const before = lan.time.now();
    await lan.settle(client.close());
    expect(lan.time.now() - before).toBeGreaterThanOrEqual(100_000);
    expect(text(await lan.settle(server.read()))).toBe("last words");
    await server.close();
  });

  test("SO_LINGER 0: close() resets", async () => {
    pair();
    const [client, server] = await joined();
    client.setOption("SO_LINGER", { on: true, seconds: 0 });
    await client.close();
    await expect(lan.settle(server.read())).rejects.toMatchObject({ code: "ECONNRESET" });
    await server.close();
  });

  test("names go through host.resolver, and the second address is tried when the first is silent (RFC 8305)", async () => {
    pair();
    const { parseAddress } = await import("../base/address.ts");
    a.resolver = {
      lookup: async (name) => {
        expect(name).toBe("server.example");
        return ["10.0.0.99", "10.0.0.2"].map((t) => parseAddress(t));
      },
    };
    const listener = await b.listen({ port: 80 });
    const before = lan.time.now();
    const client = await lan.settle(a.connect({ host: "server.example", port: 80 }));
    expect(client.remoteAddress).toBe("10.0.0.2");
    expect(lan.time.now() - before).toBeLessThan(400_000);
    const server = await lan.settle(listener.accept());
    await client.close();
    await server.close();
    listener.close();
    a.resolver = undefined;
    await expect(a.connect({ host: "server.example", port: 80 })).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  test("ping with promises", async () => {
    pair({ delayMs: 5 });
    const reply = await lan.settle(a.ping("10.0.0.2"));
    expect(reply).toMatchObject({ address: "10.0.0.2", size: 56, ttl: 64 });
    expect(reply.timeMs).toBeGreaterThanOrEqual(10);
    await expect(lan.settle(a.ping("10.0.0.77"))).rejects.toMatchObject({ syscall: "ping" });
  });

  test("host.close() delivers what was written, then is gone; the peer sees an orderly end", async () => {
    pair({ delayMs: 30 });
    const [client, server] = await joined();
    await lan.settle(client.write(new Uint8Array(100_000)));
    const reading = (async () => {
      let total = 0;
      for await (const chunk of server) total += chunk.length;
      return total;
    })();
    const [total] = await lan.settle(Promise.all([reading, a.close()]));
    expect(total).toBe(100_000);
    expect(lan.time.now()).toBeLessThan(3_000_000);
    await server.close();
    await expect(a.connect({ host: "10.0.0.2", port: 80 })).rejects.toBeInstanceOf(SocketError);
  });

  test("host.close() resets what is not delivered in time", async () => {
    pair();
    const [client, server] = await joined();
    await lan.settle(client.write(new Uint8Array(100_000)));
    lan.pass(100);
    await expect(
      lan.settle(client.write(new Uint8Array(9_000_000), { timeout: 1000 })),
    ).rejects.toThrow();
    const before = lan.time.now();
    await lan.settle(a.close({ timeout: 500 }));
    expect(lan.time.now() - before).toBeGreaterThanOrEqual(500_000);
    expect(lan.time.now() - before).toBeLessThan(600_000);
    const reading = (async () => {
      for await (const chunk of server) void chunk;
    })();
    await expect(lan.settle(reading)).rejects.toMatchObject({ code: "ECONNRESET" });
    await server.close();
  });

  test("the network ends: every promise settles", async () => {
    pair();
    const [client, server] = await joined();
    const listener = await b.listen({ port: 81 });
    const socket = await a.udp({ port: 9 });
    const all = Promise.allSettled([
      client.read(),
      server.readInto(new Uint8Array(1)),
      listener.accept(),
      socket.receive(),
      client.closed,
      a.connect({ host: "10.0.0.77", port: 1 }),
    ]);
    await Promise.resolve();
    lan.net.close();
    const results = await all;
    expect(results.map((r) => r.status)).toEqual([
      "rejected",
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
    await expect(a.connect({ host: "10.0.0.2", port: 1 })).rejects.toMatchObject({
      code: "ENETDOWN",
    });
    await expect(a.listen({ port: 1 })).rejects.toMatchObject({ code: "ENETDOWN" });
    await expect(a.udp()).rejects.toMatchObject({ code: "ENETDOWN" });
    await expect(client.read()).rejects.toMatchObject({ code: "EBADF" });
    await expect(listener.accept()).rejects.toMatchObject({ code: "EBADF" });
    await expect(socket.receive()).rejects.toMatchObject({ code: "EBADF" });
    await expect(socket.send("x")).rejects.toMatchObject({ code: "EBADF" });
    expect(a.calls.socket(2, 1)).toBeLessThan(0);
  });
});
