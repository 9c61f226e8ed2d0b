/** A resolver that asks over a host's own sockets. */
import type { TimerTarget } from "../base/timers.ts";
import type { Deliverable } from "../sockets/operation.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { dnsTransport } from "./dns-transport.ts";
import { Resolver, type ResolverOptions } from "./resolver.ts";

/** Makes a resolver for a host; `host.resolver = hostResolver(host, { nameservers: ["10.0.0.1"] })`. */
export function hostResolver(host: SocketHost, options: ResolverOptions = {}): Resolver {
  const now = () => host.clock.now();
  const transport = dnsTransport({
    now,
    async udp(server) {
      const socket = await host.udp({ family: server.address.isIpv4 ? 4 : 6 });
      try {
        // The port is drawn when the peer is fixed (RFC 6056).
        socket.connect(server.address, server.port);
      } catch (error) {
        socket.close();
        throw error;
      }
      return socket;
    },
    connect: (server, timeout) =>
      host.connect({ address: server.address, port: server.port, timeout }),
  });
  const after = (delayUs: number, callback: () => void) => {
    const timer = new Alarm(host, callback);
    timer.arm(delayUs);
    return () => timer.cancel();
  };
  return new Resolver({ transport, random: host.random, now, after }, options);
}

class Alarm implements TimerTarget, Deliverable {
  private readonly host: SocketHost;
  private readonly callback: () => void;
  private id = -1;
  private isCancelled = false;

  constructor(host: SocketHost, callback: () => void) {
    this.host = host;
    this.callback = callback;
  }

  arm(delayUs: number): void {
    this.id = this.host.timers.register(this);
    this.host.timers.arm(this.id, this.host.clock.now() + delayUs);
    this.host.markWork();
  }

  cancel(): void {
    this.isCancelled = true;
    this.free();
  }

  private free(): void {
    if (this.id < 0) return;
    this.host.timers.unregister(this.id);
    this.id = -1;
  }

  /** A timer fires inside of poll, where nothing may call the application. */
  onTimer(): void {
    this.free();
    this.host.system.post(this);
  }

  deliver(): void {
    if (!this.isCancelled) this.callback();
  }
}
