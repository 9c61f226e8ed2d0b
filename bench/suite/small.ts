import { setTimeout as sleep } from "node:timers/promises";
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  socketAddress,
} from "fullduplex/sockets";
import { Network, type SocketHost, virtualTime } from "fullduplex";
import type { Runs } from "./figure.ts";
import { connectOne, twoHosts } from "./hosts.ts";

/** 1-byte request and response over promises, both ends in this thread. */
export async function pingpongPromises(): Promise<Runs> {
  const two = twoHosts();
  const [here, there] = await connectOne(two);
  const byte = new Uint8Array([1]);
  const buffer = new Uint8Array(16);
  const answers = new Uint8Array(16);
  void (async () => {
    while ((await there.readInto(buffer)) > 0) await there.write(byte);
  })();
  const runs: number[] = [];
  for (let run = 0; run < 6; run++) {
    const count = 50_000;
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      await here.write(byte);
      await here.readInto(answers);
    }
    if (run > 0) runs.push((count * 1000) / (performance.now() - began));
  }
  two.close();
  return { unit: "requests/s", higherIsBetter: true, runs };
}

/** The same over callbacks. */
export async function pingpong(): Promise<Runs> {
  const two = twoHosts();
  const [a, b] = await connectOne(two);
  const byte = new Uint8Array([1]);
  const buffer = new Uint8Array(16);
  const answers = new Uint8Array(16);
  const { parked: client } = two.client;
  const { parked: server } = two.server;
  const serve = () =>
    server.read(b.socket, buffer, 0, 16, 0, (n: number) => {
      if (n <= 0) return;
      server.write(b.socket, byte, 0, 1, 0, () => {});
      serve();
    });
  serve();
  const runs: number[] = [];
  for (let run = 0; run < 6; run++) {
    const count = 100_000;
    const began = performance.now();
    await new Promise<void>((resolve) => {
      let left = count;
      const ask = () => {
        client.write(a.socket, byte, 0, 1, 0, () => {});
        client.read(a.socket, answers, 0, 16, 0, () => {
          if (--left > 0) ask();
          else resolve();
        });
      };
      ask();
    });
    if (run > 0) runs.push((count * 1000) / (performance.now() - began));
  }
  two.close();
  return { unit: "requests/s", higherIsBetter: true, runs };
}

/** 64-byte datagrams from socket to socket. */
export async function udp64(): Promise<Runs> {
  const two = twoHosts();
  const { calls: a } = two.client;
  const { calls: b } = two.server;
  const to = b.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  b.bind(to, socketAddress("10.0.0.2", 9));
  const from = a.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  a.connect(from, socketAddress("10.0.0.2", 9));
  const data = new Uint8Array(64).fill(3);
  const into = new Uint8Array(64);
  const receiver = b.lookup(to)!;
  const runs: number[] = [];
  let got = 0;
  const read = () =>
    two.server.parked.read(receiver, into, 0, 64, 0, (n: number) => {
      if (n < 0) return;
      got++;
      while (b.recv(to, into, MSG_DONTWAIT) >= 0) got++;
      read();
    });
  read();
  for (let run = 0; run < 6; run++) {
    const count = 500_000;
    const until = got + count;
    const began = performance.now();
    let sent = 0;
    while (got < until) {
      while (sent < count && a.send(from, data, 0) >= 0) sent++;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (run > 0) runs.push((count * 1000) / (performance.now() - began));
  }
  two.close();
  return { unit: "datagrams/s", higherIsBetter: true, runs };
}

const MSG_DONTWAIT = 0x40;

/** Connect, accept, both close: handshakes, four-way closes and TIME-WAIT records, no resets. */
export async function connectClose(idle: number): Promise<Runs> {
  const clock = virtualTime();
  const network = new Network({ clock, seed: 1 });
  const cable = network.cable();
  const addresses = (base: number) =>
    Array.from({ length: 16 }, (_, i) => `10.0.${base}.${i + 1}/16`);
  const client = network.host({ name: "client" });
  client.addInterface(cable.a, { addresses: addresses(1) });
  const server = network.host({ name: "server" });
  server.addInterface(cable.b, { addresses: addresses(2) });
  const accepted = accepting(server);
  const waiting = { count: 0 };
  const open = (n: number) => opening(client, n, waiting);
  // The first packets to a neighbor wait for ARP, and only a few may: their SYNs go again.
  const settle = () => {
    clock.runSync(clock.now());
    while (waiting.count > 0) clock.runSync(clock.now() + 100_000);
  };
  let tuple = 0;
  for (let i = 0; i < Math.max(idle, 500); i += 500) {
    for (let k = 0; k < 500; k++) open(tuple++);
    settle();
  }
  const before = accepted.count;
  const runs: number[] = [];
  const batch = 500;
  for (let run = 0; run < 6; run++) {
    const count = 50_000;
    const began = performance.now();
    for (let done = 0; done < count; done += batch) {
      const fds: number[] = [];
      for (let k = 0; k < batch; k++) fds.push(open(tuple++));
      settle();
      for (const fd of fds) client.calls.close(fd);
      clock.runSync(clock.now());
      accepted.closeLatest(batch);
      clock.runSync(clock.now());
    }
    if (run > 0) runs.push((count * 1000) / (performance.now() - began));
    clock.runSync(clock.now() + 61e6);
  }
  if (accepted.count - before < 300_000) throw new Error(`only ${accepted.count} were accepted`);
  if (client.counters.tcpOutRsts + server.counters.tcpOutRsts > 0) throw new Error("resets");
  return { unit: "connections/s", higherIsBetter: true, runs };
}

function accepting(server: SocketHost) {
  const { calls, parked } = server;
  const fd = calls.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  calls.bind(fd, socketAddress("0.0.0.0", 80));
  calls.listen(fd, 4096);
  const listener = calls.lookup(fd)!;
  const fds: number[] = [];
  const state = {
    count: 0,
    closeLatest(n: number) {
      for (const done of fds.splice(fds.length - n, n)) calls.close(done);
    },
  };
  const accept = () =>
    parked.accept(listener, (result: number, operation: { accepted?: unknown }) => {
      if (result < 0 || operation.accepted === undefined) return;
      state.count++;
      fds.push(calls.install(operation.accepted as never));
      accept();
    });
  accept();
  return state;
}

function opening(client: SocketHost, n: number, waiting: { count: number }): number {
  const { calls, parked } = client;
  const fd = calls.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  const pair = n & 255;
  calls.bind(fd, socketAddress(`10.0.1.${(pair >> 4) + 1}`, 1024 + ((n >> 8) % 60_000)));
  waiting.count++;
  const to = socketAddress(`10.0.2.${(pair & 15) + 1}`, 80);
  parked.connect(calls.lookup(fd) as never, to, (result: number) => {
    if (result !== 0) throw new Error(`connect: ${result}`);
    waiting.count--;
  });
  return fd;
}

/** Memory of idle connections that each carried a byte both ways: bytes an end. */
export async function memoryIdle(): Promise<Runs> {
  const clock = virtualTime();
  const network = new Network({ clock, seed: 1 });
  const cable = network.cable();
  const client = network.host({ name: "client" });
  client.addInterface(cable.a, {
    addresses: Array.from({ length: 16 }, (_, i) => `10.0.1.${i + 1}/16`),
  });
  const server = network.host({ name: "server" });
  server.addInterface(cable.b, { addresses: Array.from({ length: 16 }, (_, i) => `10.0.2.${i + 1}/16`) });
  const { calls } = server;
  const byte = new Uint8Array([7]);
  const into = new Uint8Array(8);
  accepting(server);
  const used = () => {
    globalThis.gc!();
    const m = process.memoryUsage();
    return m.heapUsed + m.external + network.memory.pagesInUse * 4160 + network.memory.framesInUse * 2048;
  };
  const before = used();
  const waiting = { count: 0 };
  const count = 100_000;
  const fds: number[] = [];
  for (let i = 0; i < count; i += 500) {
    for (let k = 0; k < 500; k++) fds.push(opening(client, i + k, waiting));
    clock.runSync(clock.now());
    while (waiting.count > 0) clock.runSync(clock.now() + 100_000);
    for (let k = 0; k < 500; k++) client.calls.write(fds[i + k]!, byte);
    clock.runSync(clock.now());
    for (let fd = 4 + i; fd < 4 + i + 500; fd++) {
      if (calls.read(fd, into) === 1) calls.write(fd, byte);
    }
    clock.runSync(clock.now());
    for (let k = 0; k < 500; k++) client.calls.read(fds[i + k]!, into);
    clock.runSync(clock.now() + 100_000);
  }
  const after = used();
  return {
    unit: "bytes/end",
    higherIsBetter: false,
    runs: [(after - before) / (2 * count)],
    note: "sockets and descriptors included",
  };
}

/** 64-byte packets from cable to cable through a router. */
export async function forward64(): Promise<Runs> {
  const clock = virtualTime();
  const network = new Network({ clock, seed: 1 });
  const left = network.cable();
  const right = network.cable();
  const router = network.host({ name: "router", config: { forwarding: true } });
  router.addInterface(left.b, { addresses: ["10.1.0.1/24"] });
  router.addInterface(right.a, { addresses: ["10.2.0.1/24"] });
  const a = network.host({ name: "a" });
  a.addInterface(left.a, { addresses: ["10.1.0.2/24"], gateway: "10.1.0.1" });
  const b = network.host({ name: "b" });
  b.addInterface(right.b, { addresses: ["10.2.0.2/24"], gateway: "10.2.0.1" });
  const from = a.calls.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  a.calls.connect(from, socketAddress("10.2.0.2", 9));
  const to = b.calls.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  b.calls.bind(to, socketAddress("10.2.0.2", 9));
  const data = new Uint8Array(22); // 64 bytes with Ethernet, IP and UDP headers
  const into = new Uint8Array(64);
  const runs: number[] = [];
  for (let run = 0; run < 6; run++) {
    const count = 200_000;
    let got = 0;
    const began = performance.now();
    for (let sent = 0; got < count; ) {
      for (let k = 0; k < 64 && sent < count; k++) if (a.calls.send(from, data, 0) >= 0) sent++;
      clock.runSync(clock.now() + 1);
      while (b.calls.recv(to, into, 0x40) >= 0) got++;
    }
    if (run > 0) runs.push((count * 1000) / (performance.now() - began));
  }
  return {
    unit: "packets/s",
    higherIsBetter: true,
    runs,
    note: "sending and receiving sockets included",
  };
}

/** How much faster than real time a 1 Gbit/s path of 50 ms RTT runs in virtual time. */
export async function virtualTimeSpeed(): Promise<Runs> {
  const clock = virtualTime();
  const network = new Network({ clock, seed: 1 });
  const cable = network.cable({
    delayMs: 25,
    aToB: { bitsPerSecond: 1e9, queue: { bytes: 6_250_000 } },
  });
  const a = network.host();
  a.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  const b = network.host();
  b.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });
  const listener = await b.listen({ port: 80 });
  void (async () => {
    const connection = await listener.accept();
    const into = new Uint8Array(262_144);
    while ((await connection.readInto(into)) > 0);
  })();
  void (async () => {
    const connection = await a.connect({ host: "10.0.0.2", port: 80 });
    const chunk = new Uint8Array(262_144);
    for (;;) await connection.write(chunk);
  })().catch(() => {});
  const runs: number[] = [];
  for (let run = 0; run < 4; run++) {
    const began = performance.now();
    await clock.advance(3000);
    if (run > 0) runs.push(3000 / (performance.now() - began));
  }
  network.close();
  return { unit: "x real time", higherIsBetter: true, runs };
}

/** How late a 10 ms timer is beside a bulk transfer: p99 in milliseconds. */
export async function timerLateness(): Promise<Runs> {
  const two = twoHosts();
  const [here, there] = await connectOne(two);
  let running = true;
  const chunk = new Uint8Array(65_536);
  void (async () => {
    const into = new Uint8Array(65_536);
    while (running) await there.readInto(into);
  })();
  void (async () => {
    while (running) await here.write(chunk);
  })();
  const late: number[] = [];
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    await sleep(10);
    late.push(performance.now() - began - 10);
  }
  running = false;
  two.close();
  late.sort((x, y) => x - y);
  return {
    unit: "ms late (p99)",
    higherIsBetter: false,
    runs: [late[197]!],
    note: `p50 ${late[100]!.toFixed(2)}, max ${late[199]!.toFixed(2)}`,
  };
}
