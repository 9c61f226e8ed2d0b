/**
 * The stack under test: one host with its sockets, a device whose other end is the script, and a
 * clock that the script moves.
 */
import { type IpAddress, parseAddress } from "../base/address.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import { type Driven, STEP_IDLE, STEP_MORE, type StepResult } from "../base/pollable.ts";
import { SeededRandom } from "../base/random.ts";
import type { Interface } from "../host/interface.ts";
import type { SocketCalls } from "../sockets/calls.ts";
import { isStream } from "../sockets/options/kinds.ts";
import type { Parked } from "../sockets/parked.ts";
import { SocketHost } from "../sockets/socket-host.ts";
import type { TcpSettings } from "../tcp/settings.ts";
import { defaultSocketOptions } from "../tcp/socket-options.ts";
import { CLOSED, LISTEN, TIME_WAIT } from "../tcp/state.ts";
import type { TcpStack } from "../tcp/stack.ts";
import { ScriptClock } from "./script-clock.ts";
import { ScriptDevice } from "./script-device.ts";
import type { Mutable, SettingsChange } from "./settings-change.ts";
import type { SocketLine } from "./shell.ts";

export interface BenchOptions {
  readonly memory: FrameMemory;
  readonly mtu: number;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly tcp: Partial<TcpSettings>;
  /** Gets each packet that the host sends, and when. */
  readonly onPacket: (bytes: Uint8Array, timeUs: number) => void;
  readonly seed?: number;
}

export class Bench implements Driven {
  readonly clock = new ScriptClock();
  readonly host: SocketHost;
  readonly tcp: TcpStack;
  readonly calls: SocketCalls;
  readonly parked: Parked;
  readonly device: ScriptDevice;
  /** Changes while a script runs are made here; what a connection copied stays as it was. */
  readonly settings: Mutable<TcpSettings>;
  private readonly interface: Interface;
  private readonly localAddress: IpAddress;
  private readonly remoteAddress: IpAddress;

  constructor(options: BenchOptions) {
    const { memory, localAddress } = options;
    this.localAddress = localAddress;
    this.remoteAddress = options.remoteAddress;
    const random = new SeededRandom(options.seed ?? 1);
    const clock = this.clock;
    clock.attach(this);
    this.host = new SocketHost({
      name: "script",
      memory,
      random,
      clock,
      config: {
        duplicateAddressDetection: "off",
        announceAddresses: false,
        multicastReports: false,
        ipv6: localAddress.isIpv6,
        // Suites send ICMP errors with the smallest of MTUs.
        icmpRate: 1_000_000,
        icmpBurst: 1_000_000,
        tcp: options.tcp,
      },
    });
    this.device = new ScriptDevice(options.mtu, (bytes) => options.onPacket(bytes, clock.now()));
    this.interface = this.host.addInterface(this.device, {
      name: "tun0",
      slaac: false,
      addresses: [`${localAddress.toString()}/${localAddress.isIpv4 ? 16 : 64}`],
    });
    const destination = localAddress.isIpv4 ? "0.0.0.0/0" : "::/0";
    this.host.routes.add({ destination, interface: this.interface.index });
    this.tcp = this.host.tcp;
    this.settings = this.host.tcp.env.settings;
    this.calls = this.host.calls;
    this.parked = this.host.parked;
    clock.drain();
  }

  /** Changes settings while the host runs; what connections have copied stays as it was. */
  change(change: SettingsChange): void {
    const { env } = this.tcp;
    Object.assign(this.settings, change.tcp);
    if (change.dropTimeWait === true) this.tcp.dropTimeWait();
    if (change.flush === true) env.fastOpen.forget(this.remoteAddress);
    Object.assign(env.defaultOptions, defaultSocketOptions(this.settings));
    const { initialRtoUs, minRtoUs, maxRtoUs, rtoSlopUs: slopUs } = this.settings;
    Object.assign(env.rto, { initialRtoUs, minRtoUs, maxRtoUs, slopUs });
  }

  /** All TCP sockets, as `sockstat` lists them; `name` puts our state numbers into its words. */
  socketLines(name: (state: number) => string): SocketLine[] {
    const lines: SocketLine[] = [];
    for (const c of this.tcp.connections()) {
      const isIpv4 = c.path?.isIpv4 ?? true;
      lines.push({ isIpv4, localPort: c.localPort, state: name(c.state) });
    }
    for (const l of this.tcp.allListeners()) {
      lines.push({ isIpv4: l.address.isIpv4, localPort: l.port, state: name(LISTEN) });
    }
    for (const fd of this.calls.descriptors.list()) {
      const socket = this.calls.lookup(fd)!;
      if (isStream(socket) && !socket.isListening && socket.connection.state === CLOSED) {
        const { address, port } = socket.localName();
        lines.push({ isIpv4: address.isIpv4, localPort: port, state: name(CLOSED) });
      }
    }
    const { timeWait } = this.tcp.env.demux;
    for (let n = timeWait.count; n > 0; n--) {
      const { isIpv4 } = this.localAddress;
      lines.push({ isIpv4, localPort: 0, state: name(TIME_WAIT) });
    }
    return lines;
  }

  /** Hands the host a packet, IP header first. */
  inject(bytes: Uint8Array): void {
    this.device.inject(bytes);
    this.host.markWork();
  }

  /** Lets everything go. True: no frame and no page is left behind. */
  end(): boolean {
    this.calls.closeAll();
    for (const c of this.tcp.connections()) this.tcp.abort(c);
    this.clock.drain();
    this.host.destroy();
    const { memory } = this.host;
    return memory.framesInUse === 0 && memory.pagesInUse === 0;
  }

  // What the clock drives

  step(nowUs: number): StepResult {
    let more = this.host.poll(nowUs, 64);
    if (this.host.takeEvents()) more = true;
    return more ? STEP_MORE : STEP_IDLE;
  }

  nextDeadline(): number {
    return this.host.nextDeadline();
  }

  live(): number {
    return this.host.live();
  }
}

/** The addresses that scripts take for granted. */
export const DEFAULT_ADDRESSES = {
  ipv4: { local: parseAddress("192.168.0.1"), remote: parseAddress("192.0.2.1") },
  ipv6: { local: parseAddress("fd3d:a0b:17d6::1"), remote: parseAddress("fd3d:fa7b:d17d::1") },
} as const;
