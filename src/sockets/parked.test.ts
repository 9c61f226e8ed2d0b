import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import { EAGAIN, EBADF, ECANCELED, ECONNREFUSED, EINPROGRESS, ETIMEDOUT } from "../base/errors.ts";
import * as C from "./constants.ts";
import { socketAddress } from "./socket-address.ts";
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

function stream(host: SocketHost) {
  const fd = host.calls.socket(C.AF_INET, C.SOCK_STREAM);
  return { fd, socket: host.calls.lookup(fd)! };
}

function listening() {
  const made = stream(b);
  b.calls.bind(made.fd, socketAddress("0.0.0.0", 80));
  b.calls.listen(made.fd, 5);
  return made;
}

function connected() {
  const listener = listening();
  const client = stream(a);
  a.calls.connect(client.fd, socketAddress("10.0.0.2", 80));
  lan.pass(10);
  const fd = b.calls.accept(listener.fd);
  return { client, server: { fd, socket: b.calls.lookup(fd)! }, listener };
}

describe("parked operations", () => {
  test("no callback is called from inside the call, even when all is ready", () => {
    pair();
    const { client, server } = connected();
    const log: string[] = [];
    a.parked.write(client.socket, new Uint8Array(5), 0, 5, 0, (n) => log.push(`write ${n}`));
    b.parked.read(server.socket, new Uint8Array(9), 0, 9, 0, (n) => log.push(`read ${n}`));
    expect(log).toEqual([]);
    lan.pass(10);
    expect(log).toEqual(["write 5", "read 5"]);
  });

  test("reads are served in the order asked, each with its own bytes", () => {
    pair();
    const { client, server } = connected();
    const log: string[] = [];
    for (const name of ["first", "second", "third"]) {
      const into = new Uint8Array(3);
      b.parked.read(server.socket, into, 0, 3, C.MSG_WAITALL, (n) =>
        log.push(`${name} ${n} ${into}`),
      );
    }
    a.calls.write(client.fd, new Uint8Array([1, 2, 3, 4]));
    lan.pass(100);
    expect(log).toEqual(["first 3 1,2,3"]);
    a.calls.write(client.fd, new Uint8Array([5, 6, 7]));
    a.calls.shutdown(client.fd, C.SHUT_WR);
    lan.pass(100);
    expect(log).toEqual(["first 3 1,2,3", "second 3 4,5,6", "third 1 7,0,0"]);
  });

  test("SO_RCVLOWAT: a read waits for that much", () => {
    pair();
    const { client, server } = connected();
    b.calls.setsockopt(server.fd, C.SOL_SOCKET, C.SO_RCVLOWAT, 10);
    const log: number[] = [];
    b.parked.read(server.socket, new Uint8Array(50), 0, 50, 0, (n) => log.push(n));
    a.calls.write(client.fd, new Uint8Array(9));
    lan.pass(100);
    const entry = { fd: server.fd, events: C.POLLIN, revents: 0 };
    expect([b.calls.poll([entry]), log.length]).toEqual([0, 0]);
    a.calls.write(client.fd, new Uint8Array(6));
    lan.pass(100);
    expect(log).toEqual([15]);
  });

  test("a write completes when all is in the send buffer, however much that is", () => {
    pair();
    const { client, server } = connected();
    const data = new Uint8Array(3_000_000).map((_, i) => (i * 13) >> 2);
    let written: number | undefined;
    a.parked.write(client.socket, data, 0, data.length, 0, (n) => {
      written = n;
    });
    lan.pass(1000);
    expect(written).toBeUndefined();
    const got = new Uint8Array(data.length);
    let at = 0;
    const read = () =>
      b.parked.read(server.socket, got, at, Math.min(65_536, got.length - at), 0, (n) => {
        at += n;
        if (at < got.length) read();
      });
    read();
    lan.pass(20_000);
    expect(written).toBe(data.length);
    expect(at).toBe(data.length);
    expect(Buffer.compare(got, data)).toBe(0);
  });

  test("timeouts: EAGAIN for SO_RCVTIMEO, ETIMEDOUT for a connect with one, EINPROGRESS for SO_SNDTIMEO", () => {
    pair();
    const { server } = connected();
    const log: [string, number, number][] = [];
    const note = (name: string) => (n: number) => log.push([name, n, lan.time.now() / 1000]);
    const start = lan.time.now() / 1000;
    b.calls.setsockopt(server.fd, C.SOL_SOCKET, C.SO_RCVTIMEO, 30);
    b.parked.read(server.socket, new Uint8Array(1), 0, 1, 0, note("read"));
    const one = stream(a);
    a.parked.connect(one.socket, socketAddress("10.0.0.77", 1), note("connect"), 40);
    const two = stream(a);
    a.calls.setsockopt(two.fd, C.SOL_SOCKET, C.SO_SNDTIMEO, 50);
    a.parked.connect(two.socket, socketAddress("10.0.0.77", 1), note("sndtimeo"));
    lan.pass(100);
    expect(log).toEqual([
      ["read", -EAGAIN, start + 30],
      ["connect", -ETIMEDOUT, start + 40],
      ["sndtimeo", -EINPROGRESS, start + 50],
    ]);
  });

  test("cancel and close end what waits, once", () => {
    pair();
    const { server, listener } = connected();
    const log: string[] = [];
    const into = new Uint8Array(1);
    const one = b.parked.read(server.socket, into, 0, 1, 0, (n) => log.push(`one ${n}`));
    b.parked.read(server.socket, into, 0, 1, 0, (n) => log.push(`two ${n}`));
    b.parked.accept(listener.socket, (n) => log.push(`accept ${n}`));
    expect(b.parked.cancel(one, -ECANCELED)).toBe(true);
    expect(b.parked.cancel(one, -ECANCELED)).toBe(false);
    b.calls.close(server.fd);
    b.calls.close(listener.fd);
    b.parked.read(server.socket, into, 0, 1, 0, (n) => log.push(`late ${n}`));
    expect(log).toEqual([]);
    lan.pass(10);
    expect(log).toEqual([
      `one ${-ECANCELED}`,
      `two ${-EBADF}`,
      `accept ${-EBADF}`,
      `late ${-EBADF}`,
    ]);
  });

  test("connect and accept; a refused one says so", () => {
    pair();
    const log: string[] = [];
    const refused = stream(a);
    const to = socketAddress("10.0.0.2", 80);
    a.parked.connect(refused.socket, to, (n) => log.push(`refused ${n}`));
    lan.pass(10);
    const listener = listening();
    b.parked.accept(listener.socket, (n, op) => {
      log.push(`accept ${n} ${op.accepted!.remoteName()!.address}`);
      b.calls.install(op.accepted!);
    });
    a.parked.connect(stream(a).socket, to, (n) => log.push(`connect ${n}`));
    lan.pass(10);
    expect(log).toEqual([`refused ${-ECONNREFUSED}`, "connect 0", "accept 0 10.0.0.1"]);
  });

  test("poll over several descriptors, with a timeout, and cancelled", () => {
    pair();
    const { client, server, listener } = connected();
    const log: [number, number[], number][] = [];
    const entries = [server.fd, listener.fd, 99].map((fd) => ({
      fd,
      events: C.POLLIN,
      revents: 0,
    }));
    const note = (n: number) =>
      log.push([n, entries.map((e) => e.revents), Math.round(lan.time.now() / 1000)]);
    const start = Math.round(lan.time.now() / 1000);
    b.parked.poll(b.calls, entries, 50, note);
    lan.pass(1);
    expect(log).toEqual([[1, [0, 0, C.POLLNVAL], start]]);
    log.length = 0;
    entries.length = 2;
    b.parked.poll(b.calls, entries, 50, note);
    lan.pass(100);
    expect(log).toEqual([[0, [0, 0], start + 51]]);
    b.parked.poll(b.calls, entries, -1, note);
    a.calls.write(client.fd, new Uint8Array(1));
    lan.pass(10);
    expect(log[1]!.slice(0, 2)).toEqual([1, [C.POLLIN, 0]]);
    const waiting = b.parked.poll(b.calls, [{ fd: listener.fd, events: 1, revents: 0 }], -1, note);
    waiting.cancel(-ECANCELED);
    lan.pass(1);
    expect(log[2]![0]).toBe(-ECANCELED);
  });
});

describe("host.sockets: the textbook with promises", () => {
  test("a blocking echo server and client", async () => {
    pair();
    const server = async () => {
      const s = b.sockets;
      const fd = s.socket(C.AF_INET, C.SOCK_STREAM);
      s.bind(fd, socketAddress("0.0.0.0", 7));
      s.listen(fd, 5);
      const { fd: peer, name } = await s.accept(fd);
      expect(String(name!.address)).toBe("10.0.0.1");
      const buffer = new Uint8Array(100);
      for (let n = await s.read(peer, buffer); n > 0; n = await s.read(peer, buffer)) {
        await s.write(peer, buffer.subarray(0, n));
      }
      await s.close(peer);
      await s.close(fd);
    };
    const client = async () => {
      const s = a.sockets;
      const fd = s.socket(C.AF_INET, C.SOCK_STREAM);
      await s.connect(fd, socketAddress("10.0.0.2", 7));
      expect(s.getpeername(fd).port).toBe(7);
      const data = new Uint8Array(100_000).map((_, i) => i * 3);
      const writing = s.write(fd, data).then((n) => s.shutdown(fd, C.SHUT_WR) ?? n);
      const got = new Uint8Array(100_000);
      expect(await s.recv(fd, got, C.MSG_WAITALL)).toBe(100_000);
      expect(got).toEqual(data);
      expect(await writing).toBe(100_000);
      expect(await s.read(fd, got)).toBe(0);
      await s.close(fd);
    };
    await lan.settle(Promise.all([server(), client()]), 60_000);
  });

  test("O_NONBLOCK and MSG_DONTWAIT reject with EAGAIN, connect with EINPROGRESS", async () => {
    pair();
    const s = a.sockets;
    const udp = s.socket(C.AF_INET, C.SOCK_DGRAM);
    s.bind(udp, socketAddress("0.0.0.0", 9));
    const buffer = new Uint8Array(1);
    await expect(s.recvfrom(udp, buffer, C.MSG_DONTWAIT)).rejects.toMatchObject({
      code: "EAGAIN",
      syscall: "recvfrom",
      errno: -EAGAIN,
    });
    const fd = s.socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK);
    await expect(s.connect(fd, socketAddress("10.0.0.2", 80))).rejects.toMatchObject({
      code: "EINPROGRESS",
      address: "10.0.0.2",
      port: 80,
    });
    await expect(s.read(99, buffer)).rejects.toMatchObject({ code: "EBADF" });
    expect(() => s.bind(udp, socketAddress("0.0.0.0", 10))).toThrow("bind EINVAL");
  });

  test("SO_RCVTIMEO rejects with EAGAIN in time", async () => {
    pair();
    const s = a.sockets;
    const fd = s.socket(C.AF_INET, C.SOCK_DGRAM);
    s.setsockopt(fd, C.SOL_SOCKET, C.SO_RCVTIMEO, 250);
    await expect(lan.settle(s.recvmsg(fd, { buffers: [new Uint8Array(1)] }))).rejects.toMatchObject(
      { code: "EAGAIN" },
    );
    expect(lan.time.now()).toBe(250_000);
  });

  test("SO_LINGER: close() frees the number at once and resolves when all is delivered", async () => {
    pair({ delayMs: 20 });
    const { client } = connectedLate();
    const s = a.sockets;
    s.setsockopt(client, C.SOL_SOCKET, C.SO_LINGER, { on: true, seconds: 5 });
    expect(await lan.settle(s.write(client, new Uint8Array(1000)))).toBe(1000);
    const before = lan.time.now();
    const closing = s.close(client);
    expect(s.socket(C.AF_INET, C.SOCK_STREAM)).toBe(client);
    await lan.settle(closing);
    expect(lan.time.now() - before).toBeGreaterThanOrEqual(40_000);
  });

  function connectedLate() {
    const listener = listening();
    const client = stream(a);
    a.calls.connect(client.fd, socketAddress("10.0.0.2", 80));
    lan.pass(200);
    expect(b.calls.accept(listener.fd)).toBeGreaterThanOrEqual(0);
    return { client: client.fd };
  }

  test("poll() as a promise", async () => {
    pair();
    const { client, server } = connected();
    const entry = { fd: server.fd, events: C.POLLIN, revents: 0 };
    const polling = b.sockets.poll([entry]);
    a.calls.write(client.fd, new Uint8Array(1));
    expect(await lan.settle(polling)).toBe(1);
    expect(entry.revents).toBe(C.POLLIN);
  });
});

describe("raw sockets", () => {
  test("an ICMP echo made by hand, over IPv4 with its IP header", () => {
    pair();
    const fd = a.calls.socket(C.AF_INET, C.SOCK_RAW, C.IPPROTO_ICMP);
    const echo = new Uint8Array([8, 0, 0, 0, 0x12, 0x34, 0, 1, 9, 9]);
    // checksum of the words 0800 1234 0001 0909
    const sum = 0x0800 + 0x1234 + 1 + 0x0909;
    echo[2] = (~sum >> 8) & 255;
    echo[3] = ~sum & 255;
    expect(a.calls.sendto(fd, echo, 0, 10, 0, socketAddress("10.0.0.2", 0))).toBe(10);
    lan.pass(10);
    const into = new Uint8Array(100);
    const from = { name: undefined as undefined | ReturnType<typeof socketAddress> };
    expect(a.calls.recvfrom(fd, into, 0, 100, 0, from)).toBe(30);
    expect(String(from.name!.address)).toBe("10.0.0.2");
    expect([...into.subarray(20, 22), ...into.subarray(24, 30)]).toEqual([
      0, 0, 0x12, 0x34, 0, 1, 9, 9,
    ]);
    expect(a.calls.recvfrom(fd, into, 0, 100, 0, from)).toBe(-EAGAIN);
  });

  test("RFC 3542 §3.1: ICMPv6 without IP header, and the stack computes the checksum; §3.2: the filter", () => {
    pair();
    const fd = a.calls.socket(C.AF_INET6, C.SOCK_RAW, C.IPPROTO_ICMPV6);
    const filter = new Int32Array(8).fill(-1);
    filter[129 >> 5]! &= ~(1 << (129 & 31));
    expect(a.calls.setsockopt(fd, C.SOL_ICMPV6, C.ICMPV6_FILTER, filter)).toBe(0);
    const echo = new Uint8Array([128, 0, 0, 0, 0x12, 0x34, 0, 1, 5]);
    expect(a.calls.sendto(fd, echo, 0, 9, 0, socketAddress("fd00::2", 0))).toBe(9);
    lan.pass(10);
    const into = new Uint8Array(100);
    expect(a.calls.recv(fd, into)).toBe(9);
    expect([into[0], ...into.subarray(4, 9)]).toEqual([129, 0x12, 0x34, 0, 1, 5]);
    expect(a.calls.recv(fd, into)).toBe(-EAGAIN); // no neighbor discovery
  });
});
