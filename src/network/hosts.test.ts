import { expect, test } from "vitest";
import { assertNoLeaks } from "../../test/support/leak-check.ts";
import { parseAddress } from "../base/address.ts";
import type { CableOptions } from "../devices/cable.ts";
import type { PacketDevice } from "../devices/packet-device.ts";
import type { Host } from "../host/host.ts";
import type { EchoResult } from "../ip/echo.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import { Network } from "./network.ts";
import { realTime } from "./real-time.ts";

const MEMORY = { smallFrames: 8192, largeFrames: 16, pages: 16 };

function ping(from: Host, to: string, size = 56): Promise<EchoResult> {
  return new Promise((resolve) => {
    from.echo(parseAddress(to), { size, timeoutUs: 5e6 }, (result) => resolve({ ...result }));
  });
}

function simulation(seed = 1) {
  const time = virtualTime();
  const net = new Network({ clock: time, seed, memory: MEMORY });
  const end = (...hosts: Host[]) => {
    net.close();
    assertNoLeaks({ memory: net.memory, timers: hosts.map((host) => host.timers) });
  };
  return { time, net, end };
}

function pair(options: CableOptions) {
  const { time, net, end } = simulation();
  const cable = net.cable(options);
  const [a, b] = [net.host(), net.host()];
  a.addInterface(cable.a, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
  b.addInterface(cable.b, { addresses: ["10.0.0.2/24", "fd00::2/64"] });
  return { time, net, cable, a, b, end: () => end(a, b) };
}

test("two hosts on a cable ping each other over both families, in pieces too", async () => {
  const { time, a, end } = pair({ delayMs: 10 });
  for (const address of ["10.0.0.2", "fd00::2"]) {
    for (const size of [0, 56, 4000]) {
      const result = await time.settle(ping(a, address, size));
      expect(result).toMatchObject({ errno: 0, size });
    }
    // The neighbor is known by now.
    const { rttUs } = await time.settle(ping(a, address));
    expect(rttUs).toBe(20_000);
  }
  end();
});

test("a run with the same seed replays exactly", async () => {
  const run = async (seed: number) => {
    const { time, net, end } = simulation(seed);
    const lan = net.switch();
    const log: string[] = [];
    const hosts = [1, 2, 3].map((n) => {
      const host = net.host();
      const port = lan.port({ delayMs: 1, jitterMs: 1, loss: 0.1, duplicate: 0.1 });
      const iface = host.addInterface(port, { addresses: [`10.0.0.${n}/24`] });
      iface.setTap((frame, out) => {
        log.push(`${net.now()} ${n} ${out} ${net.memory.copyOut(frame).join()}`);
      });
      return host;
    });
    for (let i = 0; i < 20; i++) void ping(hosts[i % 3], `10.0.0.${1 + ((i + 1) % 3)}`);
    await time.run({ untilMs: 20_000 });
    end();
    return log;
  };
  const first = await run(5);
  expect(first.length).toBeGreaterThan(60);
  expect(await run(5)).toEqual(first);
  expect(await run(6)).not.toEqual(first);
});

test("three hundred hosts on a switch cost nothing while two of them talk", async () => {
  const { time, net, end } = simulation();
  const lan = net.switch();
  const polls = new Map<Host, number>();
  const hosts = Array.from({ length: 300 }, (_, i) => {
    const host = net.host();
    const poll = host.poll.bind(host);
    host.poll = (nowUs, budget) => {
      polls.set(host, (polls.get(host) ?? 0) + 1);
      return poll(nowUs, budget);
    };
    host.addInterface(lan.port(), { addresses: [`10.0.${i >> 8}.${i & 255}/16`], slaac: false });
    return host;
  });
  expect((await time.settle(ping(hosts[1], "10.0.0.2"))).errno).toBe(0);
  polls.clear();
  for (let i = 0; i < 100; i++) await time.settle(ping(hosts[1], "10.0.0.2"));
  expect(polls.get(hosts[1])).toBeGreaterThanOrEqual(100);
  const others = [...polls].filter(([host]) => host !== hosts[1] && host !== hosts[2]);
  expect(others.length).toBe(0);
  end();
});

test("a cut cable stops a ping, which settles with an error; healed it goes on", async () => {
  const { time, a, cable, end } = pair({ delayMs: 1 });
  cable.down();
  expect((await time.settle(ping(a, "10.0.0.2"))).errno).not.toBe(0);
  cable.up();
  expect((await time.settle(ping(a, "10.0.0.2"))).errno).toBe(0);
  end();
});

test("hosts joined by nothing but two packet devices, in virtual time", async () => {
  const { time, net, end } = simulation();
  const options = { medium: "ip", mtu: 1400 } as const;
  const left: PacketDevice = net.packetDevice({
    ...options,
    send: (bytes) => right.receive(bytes),
  });
  const right: PacketDevice = net.packetDevice({
    ...options,
    send: (bytes) => left.receive(bytes),
  });
  const [a, b] = [net.host(), net.host()];
  a.addInterface(left, { addresses: ["10.0.0.1/24"] });
  b.addInterface(right, { addresses: ["10.0.0.2/24"] });
  expect(await time.settle(ping(a, "10.0.0.2", 3000))).toMatchObject({ errno: 0, size: 3000 });
  const fromB = ping(b, "10.0.0.1");
  await time.advance(1);
  expect((await fromB).errno).toBe(0);
  end();
});

test("the same in real time", async () => {
  const net = new Network({ clock: realTime(), memory: MEMORY });
  const lan = net.switch();
  const [a, b] = [net.host(), net.host()];
  a.addInterface(lan.port(), { addresses: ["10.0.0.1/24"] });
  b.addInterface(lan.port(), { addresses: ["10.0.0.2/24"] });
  const result = await ping(a, "10.0.0.2");
  expect(result.errno).toBe(0);
  expect(result.rttUs).toBeLessThan(500_000);
  net.close();
  assertNoLeaks({ memory: net.memory });
});
