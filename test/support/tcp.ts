/**
 * Two hosts on a cable with TCP's calls below the sockets: no promises, virtual
 * time, bytes compared end to end. For one host whose peer is the test itself
 * see `tcp-peer.ts`.
 */
import { parseAddress } from "../../src/base/address.ts";
import { IPV4_ANY, IPV6_ANY } from "../../src/base/address.ts";
import { errnoName } from "../../src/base/errors.ts";
import type { FrameMemoryOptions } from "../../src/base/frame-memory.ts";
import type { Cable, CableOptions } from "../../src/devices/cable.ts";
import type { HostConfigOptions } from "../../src/host/config.ts";
import { Network } from "../../src/network/network.ts";
import { type VirtualTime, virtualTime } from "../../src/sim/virtual-time.ts";
import type { SocketHost } from "../../src/sockets/socket-host.ts";
import {
  TCP_EVENT_CLOSED,
  TCP_EVENT_CONNECTED,
  type TcpConnection,
} from "../../src/tcp/connection.ts";
import type { TcpListener } from "../../src/tcp/listener.ts";
import type { TcpSettings } from "../../src/tcp/settings.ts";
import type { SocketOptions } from "../../src/tcp/socket-options.ts";
import { stateName } from "../../src/tcp/state.ts";
import { assertNoLeaks } from "./leak-check.ts";

/** Senders start here, so that every test crosses the wrap of the sequence space. */
export const NEAR_WRAP = -20_000;

const MEMORY: FrameMemoryOptions = { smallFrames: 4096, largeFrames: 64, pages: 8192 };

export interface PairOptions {
  readonly seed?: number;
  readonly cable?: CableOptions;
  /** TCP settings of both hosts, of the first, of the second. */
  readonly tcp?: Partial<TcpSettings>;
  readonly tcpA?: Partial<TcpSettings>;
  readonly tcpB?: Partial<TcpSettings>;
  readonly config?: HostConfigOptions;
  readonly memory?: FrameMemoryOptions;
  readonly ipv6?: boolean;
  /** Neighbors need not be asked for. Default true. */
  readonly staticNeighbors?: boolean;
}

/** Byte `i` of the stream `salt`: no page, segment or window apart has the same. */
export function patternByte(salt: number, i: number): number {
  const h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b);
  return (h ^ (h >>> 15) ^ (h >>> 7)) & 0xff;
}

/** One end of a connection: writes a stream, reads and compares the other one, notes what happened. */
export class TcpEnd {
  readonly host: SocketHost;
  readonly c: TcpConnection;
  readonly name: string;
  /** Bytes to write before FIN, and those written. */
  toSend = 0;
  sent = 0;
  received = 0;
  sendSalt = 1;
  receiveSalt = 2;
  /** Position of the first wrong byte; -1: none. */
  wrongAt = -1;
  /** FIN goes behind what is to be sent. */
  finWhenSent = true;
  /** Nothing is read while this is false. */
  isReading = true;
  /** Reads this much at a time. */
  readSize = 65_536;
  connected = false;
  isShut = false;
  peerFin = false;
  closed = false;
  /** First error seen, by name. */
  error = "";
  events = 0;
  onEvent: ((bits: number) => void) | undefined = undefined;
  private readonly chunk = new Uint8Array(16_384);
  private readonly into = new Uint8Array(65_536);

  constructor(host: SocketHost, c: TcpConnection, name: string) {
    this.host = host;
    this.c = c;
    this.name = name;
    c.owner = this;
  }

  get state(): string {
    return stateName(this.c.state);
  }

  tcpEvents(bits: number): void {
    this.events |= bits;
    if ((bits & TCP_EVENT_CONNECTED) !== 0) this.connected = true;
    if ((bits & TCP_EVENT_CLOSED) !== 0) this.closed = true;
    if (this.c.error !== 0 && this.error === "") this.error = errnoName(this.c.error);
    this.pump();
    this.onEvent?.(bits);
  }

  /** Sends `bytes` of the stream, then FIN unless told otherwise. */
  stream(bytes: number): void {
    this.toSend += bytes;
    this.pump();
  }

  /** Writes and reads what is possible now. */
  pump(): void {
    this.write();
    this.read();
  }

  private write(): void {
    const { tcp } = this.host;
    while (this.sent < this.toSend) {
      const n = Math.min(this.chunk.length, this.toSend - this.sent);
      for (let i = 0; i < n; i++) this.chunk[i] = patternByte(this.sendSalt, this.sent + i);
      const taken = tcp.send(this.c, this.chunk, 0, n, 0);
      if (taken <= 0) return;
      this.sent += taken;
    }
    if (this.finWhenSent && this.toSend > 0 && this.connected && !this.isShut) {
      this.isShut = tcp.shutdownWrite(this.c) === 0;
    }
  }

  private read(): void {
    while (this.isReading && !this.peerFin) {
      const n = this.host.tcp.receive(this.c, this.into, 0, this.readSize, 0);
      if (n === 0) this.peerFin = true;
      if (n <= 0) return;
      for (let i = 0; i < n && this.wrongAt < 0; i++) {
        if (this.into[i] !== patternByte(this.receiveSalt, this.received + i)) {
          this.wrongAt = this.received + i;
        }
      }
      this.received += n;
    }
  }

  finish(): void {
    if (!this.isShut) this.isShut = this.host.tcp.shutdownWrite(this.c) === 0;
  }

  close(): void {
    this.host.tcp.close(this.c);
  }
}

/** Hosts a (10.0.0.1, fd00::1) and b (10.0.0.2, fd00::2). */
export class TcpPair {
  readonly time: VirtualTime = virtualTime();
  readonly net: Network;
  readonly cable: Cable;
  readonly a: SocketHost;
  readonly b: SocketHost;
  readonly ipv6: boolean;
  private nextPort = 40_000;

  constructor(options: PairOptions = {}) {
    const { seed = 1, config, tcp } = options;
    this.ipv6 = options.ipv6 ?? false;
    this.net = new Network({ clock: this.time, seed, memory: options.memory ?? MEMORY });
    // Memory is small in tests, so that running out is a failure that shows.
    this.cable = this.net.cable(options.cable ?? {});
    const make = (name: string, own: Partial<TcpSettings> | undefined) =>
      this.net.host({ name, config: { ...config, tcp: { isn: NEAR_WRAP, ...tcp, ...own } } });
    this.a = make("a", options.tcpA);
    this.b = make("b", options.tcpB);
    const ia = this.a.addInterface(this.cable.a, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
    const ib = this.b.addInterface(this.cable.b, { addresses: ["10.0.0.2/24", "fd00::2/64"] });
    // Address resolution has tests of its own; and a bad line may teach a wrong MAC, which no
    // checksum guards as it does on a real link.
    const known = options.staticNeighbors ?? true;
    for (const address of known ? ["10.0.0.2", "fd00::2"] : []) ia.addNeighbor(address, ib.mac!);
    for (const address of known ? ["10.0.0.1", "fd00::1"] : []) ib.addNeighbor(address, ia.mac!);
    this.run(2000);
  }

  /** Lets this many milliseconds go by. */
  run(ms: number): void {
    this.time.runSync(this.time.now() + ms * 1000);
  }

  /** Runs until `done`, or for at most `ms`. Answers whether it was done. */
  until(done: () => boolean, ms: number): boolean {
    const endUs = this.time.now() + ms * 1000;
    while (!done()) {
      if (this.time.nextDeadline() > endUs) return false;
      this.time.step();
    }
    return true;
  }

  get nowMs(): number {
    return this.time.now() / 1000;
  }

  listen(port = 80, backlog = 128, options: Partial<SocketOptions> = {}): TcpListener {
    const { tcp } = this.b;
    const address = this.ipv6 ? IPV6_ANY : IPV4_ANY;
    return tcp.listen({
      address,
      port,
      backlog,
      options: { ...tcp.env.defaultOptions, ...options },
    });
  }

  /** Starts to connect from a; answers the end, whose `connected` or `error` tells the outcome. */
  connect(
    port = 80,
    to = this.ipv6 ? "fd00::2" : "10.0.0.2",
    options: Partial<SocketOptions> = {},
  ): TcpEnd {
    const { a } = this;
    const remote = parseAddress(to);
    const path = a.ip.path(remote.isIpv4 ? IPV4_ANY : IPV6_ANY, remote, 0);
    if (path === undefined) throw new Error(`no route to ${to}`);
    const c = a.tcp.create({ ...a.tcp.env.defaultOptions, ...options });
    const result = a.tcp.connect(c, path, this.nextPort++, port);
    if (result < 0) throw new Error(`connect: ${errnoName(-result)}`);
    return new TcpEnd(a, c, "client");
  }

  /** The next connection that waits on a listener. */
  accept(listener: TcpListener): TcpEnd {
    const c = listener.accept();
    if (c === undefined) throw new Error("no connection waits to be accepted");
    const end = new TcpEnd(this.b, c, "server");
    end.connected = true;
    end.sendSalt = 2;
    end.receiveSalt = 1;
    return end;
  }

  /** An established connection: client end on a, server end on b. */
  join(
    clientOptions: Partial<SocketOptions> = {},
    serverOptions: Partial<SocketOptions> = {},
  ): [client: TcpEnd, server: TcpEnd] {
    const port = 1000 + this.nextPort;
    const listener = this.listen(port, 1, serverOptions);
    const client = this.connect(port, undefined, clientOptions);
    if (!this.until(() => listener.pending > 0, 60_000)) throw new Error("the handshake failed");
    const server = this.accept(listener);
    listener.close();
    // The client may still wait for the SYN-ACK's retransmission on a bad line.
    this.until(() => client.connected, 60_000);
    return [client, server];
  }

  /** Nothing may be left: connections, TIME-WAIT (2 MSL go by), frames, pages, timers, replies. */
  end(): void {
    this.run(400_000);
    const left: string[] = [];
    for (const host of [this.a, this.b]) {
      const { env } = host.tcp;
      for (const c of host.tcp.connections()) {
        left.push(`${host.name}: connection ${c.id} in ${stateName(c.state)}`);
      }
      if (env.demux.timeWait.count > 0)
        left.push(`${host.name}: ${env.demux.timeWait.count} TIME-WAIT`);
      if (env.orphans !== 0) left.push(`${host.name}: ${env.orphans} orphans`);
      if (env.replies.length > 0) left.push(`${host.name}: ${env.replies.length} replies`);
      if (env.ready.length > 0) left.push(`${host.name}: ${env.ready.length} want to send`);
    }
    if (left.length > 0) throw new Error(left.join("; "));
    if (this.net.memory.pagesInUse > 0) throw new Error(`${this.net.memory.pagesInUse} pages held`);
    this.net.close();
    assertNoLeaks({ memory: this.net.memory, timers: [this.a.timers, this.b.timers] });
  }
}
