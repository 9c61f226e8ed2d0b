import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import type { SocketHost } from "./socket-host.ts";

let lan: SocketLan;
let a: SocketHost;
let b: SocketHost;

function pair(...options: Parameters<typeof SocketLan.pair>) {
  ({ lan, a, b } = SocketLan.pair(...options));
}

afterEach(() => {
  lan.pass(100);
  lan.end();
});

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("UDP with promises", () => {
  test("send, receive, answer; IPv4 and IPv6 on one socket", async () => {
    pair();
    const server = await b.udp({ port: 5000 });
    for (const address of ["10.0.0.2", "fd00::2"]) {
      const client = await a.udp({ family: address.includes(":") ? 6 : 4 });
      const receiving = server.receive();
      await client.send("question", { address, port: 5000 });
      const datagram = await lan.settle(receiving);
      expect(text(datagram.data)).toBe("question");
      expect(datagram.port).toBe(client.localPort);
      await server.send(new Uint8Array([52, 50]), datagram);
      const answer = await lan.settle(client.receive());
      expect([text(answer.data), answer.address, answer.port]).toEqual(["42", address, 5000]);
      client.close();
    }
    server.close();
  });

  test("connected: no address needed, names are told, ECONNREFUSED rejects the next call", async () => {
    pair();
    const client = await a.udp({ address: "10.0.0.1", port: 4000 });
    client.connect("10.0.0.2", 9);
    expect([client.localAddress, client.localPort]).toEqual(["10.0.0.1", 4000]);
    expect([client.remoteAddress, client.remotePort]).toEqual(["10.0.0.2", 9]);
    const receiving = client.receive();
    await client.send("x");
    await expect(lan.settle(receiving)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    client.close();
  });

  test("iteration gives every datagram, empty ones too, and ends with close()", async () => {
    pair();
    const server = await b.udp({ port: 5000 });
    const client = await a.udp();
    const got: string[] = [];
    const loop = (async () => {
      for await (const { data } of server) {
        got.push(text(data));
        if (got.length === 3) server.close();
      }
    })();
    for (const each of ["one", "", "three"]) {
      await client.send(each, { address: "10.0.0.2", port: 5000 });
    }
    await lan.settle(loop);
    expect(got).toEqual(["one", "", "three"]);
    client.close();
  });

  test("send waits for room when the buffer is full, and loses nothing", async () => {
    pair({ bitsPerSecond: 10_000_000, queue: { packets: 5, whenFull: "wait" } });
    await lan.settle(a.ping("10.0.0.2")); // ARP holds only so many packets
    const server = await b.udp({ port: 5000, receiveBuffer: 4_000_000 });
    const client = await a.udp({ sendBuffer: 10_000 });
    const sending = (async () => {
      for (let i = 0; i < 300; i++) {
        await client.send(new Uint8Array(1000).fill(i), { address: "10.0.0.2", port: 5000 });
      }
    })();
    await lan.settle(sending);
    lan.pass(1000);
    for (let i = 0; i < 300; i++) {
      expect((await lan.settle(server.receive())).data[999]).toBe(i & 255);
    }
    server.close();
    client.close();
  });

  test("timeout, signal and close settle a waiting receive", async () => {
    pair();
    const socket = await a.udp({ port: 5000 });
    await expect(lan.settle(socket.receive({ timeout: 100 }))).rejects.toMatchObject({
      code: "ETIMEDOUT",
    });
    const controller = new AbortController();
    const aborted = socket.receive({ signal: controller.signal });
    lan.net.after(1000, () => controller.abort(new Error("enough")));
    await expect(lan.settle(aborted)).rejects.toThrow("enough");
    const closed = socket.receive();
    socket.close();
    await expect(lan.settle(closed)).rejects.toMatchObject({ code: "EBADF" });
  });

  test("a group on the same host and on another", async () => {
    pair();
    const here = await a.udp({ family: 4, port: 5000 });
    const there = await b.udp({ family: 4, port: 5000 });
    for (const [socket, host] of [
      [here, a],
      [there, b],
    ] as const) {
      socket.join("239.1.1.1", host.interface("eth0")!.index);
    }
    const sender = await a.udp({ address: "10.0.0.1" });
    await sender.send("all", { address: "239.1.1.1", port: 5000 });
    for (const socket of [here, there]) {
      expect((await lan.settle(socket.receive())).address).toBe("10.0.0.1");
    }
    sender.setOption("IP_MULTICAST_LOOP", false);
    await sender.send("others", { address: "239.1.1.1", port: 5000 });
    expect(text((await lan.settle(there.receive())).data)).toBe("others");
    await expect(lan.settle(here.receive({ timeout: 10 }))).rejects.toMatchObject({
      code: "ETIMEDOUT",
    });
    here.close();
    there.close();
    sender.close();
    lan.pass(5000);
  });

  test("port and address in use, an address that is not ours", async () => {
    pair();
    const socket = await a.udp({ port: 5000 });
    await expect(a.udp({ port: 5000 })).rejects.toMatchObject({
      code: "EADDRINUSE",
      syscall: "bind",
      port: 5000,
    });
    await expect(a.udp({ address: "10.0.0.77" })).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
    await expect(socket.send("x", { address: "nonsense", port: 1 })).rejects.toMatchObject({
      code: "ERR_INVALID_ADDRESS",
    });
    socket.close();
  });

  test("fe80::1%eth0 names the interface", async () => {
    pair();
    lan.pass(3000);
    const server = await b.udp({ port: 5000 });
    const linkLocal = b
      .interface("eth0")!
      .addresses.find((entry) => entry.address.isLinkLocal)!.address;
    const client = await a.udp();
    const plain = linkLocal.withScope(0).toString();
    await client.send("x", { address: `${plain}%eth0`, port: 5000 });
    const { address } = await lan.settle(server.receive());
    expect(address).toMatch(new RegExp(`^fe80::.*%${b.interface("eth0")!.index}$`));
    await server.send("y", { address, port: client.localPort });
    expect(text((await lan.settle(client.receive())).data)).toBe("y");
    server.close();
    client.close();
  });
});
