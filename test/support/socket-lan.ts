/** Two or more hosts with sockets on a network in virtual time, for tests of sockets and what stands on them. */
import { expect } from "vitest";
import { SocketHost, type SocketHostOptions } from "../../src/sockets/socket-host.ts";
import { Network } from "../../src/network/network.ts";
import { virtualTime } from "../../src/sim/virtual-time.ts";
import type { CableOptions } from "../../src/devices/cable.ts";

type Extra = Partial<Omit<SocketHostOptions, "memory" | "random" | "clock">>;

export class SocketLan {
  readonly time = virtualTime();
  readonly net: Network;
  readonly hosts: SocketHost[] = [];

  constructor(seed = 1) {
    this.net = new Network({
      clock: this.time,
      seed,
      memory: { smallFrames: 4096, largeFrames: 32, pages: 4096 },
    });
  }

  host(name: string, options: Extra = {}): SocketHost {
    const host = new SocketHost({ name, ...this.net.context(), clock: this.net, ...options });
    this.net.add(host, () => host.destroy());
    this.hosts.push(host);
    return host;
  }

  /** Hosts a (10.0.0.1, fd00::1) and b (10.0.0.2, fd00::2) joined by a cable. */
  static pair(cable: CableOptions = {}, a: Extra = {}, b: Extra = {}) {
    const lan = new SocketLan();
    const made = lan.net.cable(cable);
    const hostA = lan.host("a", a);
    const hostB = lan.host("b", b);
    hostA.addInterface(made.a, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
    hostB.addInterface(made.b, { addresses: ["10.0.0.2/24", "fd00::2/64"] });
    return { lan, a: hostA, b: hostB };
  }

  /** Runs until a promise settles. */
  settle<T>(promise: Promise<T>, ms?: number): Promise<T> {
    return this.time.settle(promise, ms);
  }

  /** Lets this much time go by. */
  pass(ms: number): void {
    this.time.runSync(this.time.now() + ms * 1000);
  }

  /** Nothing may be left once the sockets are closed and the network is. */
  end(): void {
    for (const host of this.hosts) {
      expect(host.system.openSockets, `${host.name}: sockets`).toBe(0);
      expect(host.system.parked, `${host.name}: waiting operations`).toBe(0);
      expect(host.system.liveSockets, `${host.name}: live sockets`).toBe(0);
      expect(host.calls.descriptors.open, `${host.name}: descriptors`).toBe(0);
    }
    this.net.close();
    for (const host of this.hosts) {
      expect(host.system.env.udpPorts.size, `${host.name}: UDP ports`).toBe(0);
      expect(host.system.env.tcpPorts.size, `${host.name}: TCP ports`).toBe(0);
      expect(host.timers.registered, `${host.name}: timers`).toBe(0);
    }
    expect(this.net.memory.framesInUse, "frames").toBe(0);
    expect(this.net.memory.pagesInUse, "pages").toBe(0);
  }
}
