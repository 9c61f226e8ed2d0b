import type { FrameMemoryOptions } from "../base/frame-memory.ts";
import { parseMac } from "../base/mac.ts";
import type { CableOptions, Cable } from "../devices/cable.ts";
import type { HostConfigOptions } from "../host/config.ts";
import type { Interface } from "../host/interface.ts";
import { Network } from "../network/network.ts";
import { virtualTime, type VirtualTime } from "../sim/virtual-time.ts";
import type { Connection } from "../sockets/connection.ts";
import type { Listener } from "../sockets/listener.ts";
import type { StreamOptions } from "../sockets/option-names.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { Capture } from "../trace/capture.ts";
import { buildLadder } from "../trace/ladder/build.ts";
import { isMark, type LadderArrow, type MarkKind } from "../trace/ladder/model.ts";
import { rangesOf, receiveStrip, type Strip, sendStrip } from "../trace/ladder/strips.ts";
import { PacketLog } from "../trace/packet-log.ts";
import { commentRetransmissions } from "../trace/reasons.ts";
import { Recorder } from "../trace/recorder.ts";
import type { ActResult, Exhibit, Step, Text } from "./scenario.ts";

export interface StageOptions {
  /** What the ladder shows beside packets. Default: states, timers, drops, congestion. */
  readonly marks?: readonly MarkKind[];
  /** Default: everything but ARP. */
  readonly protocols?: readonly string[];
  /** Most packets in the ladder. Default 60. */
  readonly limit?: number;
  /** Sizes of the frame memory; the default is enough for some hundred packets. */
  readonly memory?: FrameMemoryOptions;
  /** Events recorded. Default 16,384. */
  readonly events?: number;
}

export interface Opened {
  /** The client's end. */
  readonly connection: Connection;
  /** The server's end. */
  readonly accepted: Connection;
  readonly listener: Listener;
}

const MEMORY: FrameMemoryOptions = { smallFrames: 2048, largeFrames: 8, pages: 512, reserve: 16 };

/** One way in milliseconds unless a scenario says otherwise: numbers that are easy to read. */
export const DELAY_MS = 10;

/** A network with hosts, a clock that stands until it is moved, and a pen for the narration. */
export class Stage {
  readonly clock: VirtualTime = virtualTime();
  readonly network: Network;
  readonly recorder: Recorder;
  readonly log = new PacketLog();
  readonly capture: Capture;
  private readonly hosts: SocketHost[] = [];
  private readonly interfaces = new Map<string, Interface[]>();
  private readonly steps: Step[] = [];
  private readonly exhibits: Exhibit[] = [];
  private readonly options: StageOptions;
  private readonly firstStep: number;
  private nextAddress = 1;
  private firstEvent = 0;
  private firstPacket = 0;

  constructor(seed: number, firstStep: number, options: StageOptions) {
    this.options = options;
    this.firstStep = firstStep;
    this.network = new Network({ clock: this.clock, seed, memory: options.memory ?? MEMORY });
    this.recorder = new Recorder({ capacity: options.events ?? 16_384 });
    this.capture = new Capture(this.network.memory, this.log);
  }

  // Building

  /** A host that speaks IPv4 alone and announces nothing, so that only what matters is seen. Timestamps are off: numbers stay small. */
  host(name: string, config: HostConfigOptions = {}): SocketHost {
    const host = this.network.host({
      name,
      config: {
        ipv6: false,
        duplicateAddressDetection: "off",
        announceAddresses: false,
        multicastReports: false,
        ...config,
        tcp: { timestamps: false, ...config.tcp },
      },
    });
    host.tcp.tracer = this.recorder.tracer(name, this.network);
    this.hosts.push(host);
    return host;
  }

  /**
   * Joins two hosts by a cable: 10.0.0.1 and 10.0.0.2 of the first, 10.0.1.1
   * and 10.0.1.2 of the second. They know each other's MAC address unless
   * `strangers` is set.
   */
  cable(
    a: SocketHost,
    b: SocketHost,
    options: CableOptions & { readonly strangers?: boolean } = {},
  ): Cable {
    const { strangers = false, ...line } = options;
    const net = this.nextAddress++ - 1;
    const macA = parseMac(`02:00:00:00:0${net}:0a`);
    const macB = parseMac(`02:00:00:00:0${net}:0b`);
    const cable = this.network.cable({
      name: `${a.name}-${b.name}`,
      delayMs: DELAY_MS,
      ...line,
      macA,
      macB,
    });
    const ia = a.addInterface(cable.a, { addresses: [`10.0.${net}.1/24`] });
    const ib = b.addInterface(cable.b, { addresses: [`10.0.${net}.2/24`] });
    if (!strangers) {
      ia.addNeighbor(`10.0.${net}.2`, macB);
      ib.addNeighbor(`10.0.${net}.1`, macA);
    }
    this.remember(a, ia);
    this.remember(b, ib);
    this.capture.link(
      cable,
      { host: a.name, name: `${a.name}.${ia.name}` },
      { host: b.name, name: `${b.name}.${ib.name}` },
    );
    return cable;
  }

  /** Joins several hosts by a switch with a cable of that delay each: 10.0.0.1, 10.0.0.2, ... They know each other. */
  lan(hosts: readonly SocketHost[], options: CableOptions = {}): void {
    const net = this.nextAddress++ - 1;
    const middle = this.network.switch({ name: "switch" });
    const made = hosts.map((host, i) => {
      const mac = parseMac(`02:00:00:00:0${net}:${(i + 1).toString(16).padStart(2, "0")}`);
      const cable = this.network.cable({
        name: host.name,
        delayMs: DELAY_MS / 2,
        ...options,
        macA: mac,
      });
      middle.connect(cable.b);
      const iface = host.addInterface(cable.a, { addresses: [`10.0.${net}.${i + 1}/24`] });
      this.remember(host, iface);
      this.capture.device(cable.a, { host: host.name, name: `${host.name}.${iface.name}` });
      return { host, iface, mac, address: `10.0.${net}.${i + 1}` };
    });
    for (const one of made) {
      for (const other of made) {
        if (one !== other) one.iface.addNeighbor(other.address, other.mac);
      }
    }
  }

  private remember(host: SocketHost, iface: Interface): void {
    const list = this.interfaces.get(host.name);
    if (list === undefined) this.interfaces.set(host.name, [iface]);
    else list.push(iface);
  }

  /** A client and a server on one cable; the server's address is 10.0.0.2. */
  pair(
    options: CableOptions & { readonly strangers?: boolean } = {},
    client: HostConfigOptions = {},
    server: HostConfigOptions = client,
  ): { client: SocketHost; server: SocketHost; cable: Cable } {
    const a = this.host("client", client);
    const b = this.host("server", server);
    return { client: a, server: b, cable: this.cable(a, b, options) };
  }

  /** A connection between two hosts, opened and accepted. ISN 1000 and 2000, ports 40000 and 80, unless said otherwise. */
  async open(
    client: SocketHost,
    server: SocketHost,
    options: {
      readonly address?: string;
      readonly port?: number;
      readonly client?: StreamOptions & { readonly localPort?: number };
      readonly server?: StreamOptions;
    } = {},
  ): Promise<Opened> {
    const { port = 80, address = "10.0.0.2" } = options;
    const listener = await server.listen({ port, isn: 2000, ...options.server });
    const connecting = client.connect({
      host: address,
      port,
      localPort: 40_000,
      isn: 1000,
      ...options.client,
    });
    const accepted = await this.until(listener.accept());
    return { connection: await this.until(connecting), accepted, listener };
  }

  /** The curtain rises: what was before is not shown. */
  begin(): void {
    this.firstPacket = this.log.count;
    this.firstEvent = this.recorder.store.written;
  }

  // Time

  get nowUs(): number {
    return this.clock.now();
  }

  /** Runs until the promise settles. */
  until<T>(promise: PromiseLike<T>): Promise<T> {
    return this.clock.settle(promise, 600_000);
  }

  /** Runs for that many milliseconds. */
  wait(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Runs until nothing is scheduled any more. */
  rest(): Promise<void> {
    return this.clock.run();
  }

  // Narration

  /** A step of the narration, at this moment, with the buffers as they are now. */
  say(en: string, ko: string, ...strips: Strip[]): void {
    this.steps.push({
      timeUs: this.nowUs,
      number: this.firstStep + this.steps.length + 1,
      text: { en, ko },
      strips,
      said: { packets: this.log.count, events: this.recorder.store.written },
    });
  }

  show(exhibit: Omit<Exhibit, "timeUs">): void {
    this.exhibits.push({ timeUs: this.nowUs, ...exhibit });
  }

  /** The send buffer of a connection now; `total`: what the application wants to send in all. */
  sendBuffer(name: string, connection: Connection, total = 0): Strip {
    const c = connection.socket.connection;
    return sendStrip(name, c, c.iss, total);
  }

  /** The receive buffer of a connection now. */
  receiveBuffer(name: string, connection: Connection): Strip {
    const c = connection.socket.connection;
    return receiveStrip(name, { ...pick(c), ranges: rangesOf(c) }, c.irs);
  }

  // Looking back

  /** Packets as lines, in the order in which they left: "client > server SYN seq=1000 win=65535". */
  lines(
    options: { readonly window?: boolean; readonly protocols?: readonly string[] } = {},
  ): string[] {
    return this.arrows(options.protocols).map(({ arrow, from, to }) => {
      const numbers =
        options.window === true ? arrow.numbers : arrow.numbers.replace(/ ?win=\d+/, "");
      const lost = arrow.lost === "" ? "" : " (lost)";
      const again = arrow.reason === "" ? "" : ` (again: ${arrow.reason})`;
      return `${from} > ${to} ${arrow.head} ${numbers}`.trim() + again + lost;
    });
  }

  /** Packets with the names of both ends. */
  arrows(
    protocols: readonly string[] | undefined = this.options.protocols ?? NO_ARP,
  ): { arrow: LadderArrow; from: string; to: string }[] {
    const ladder = buildLadder(this.log, this.recorder.read(), {
      protocols,
      marks: [],
      limit: 100_000,
      order: this.hosts.map((host) => host.name),
    });
    const found: { arrow: LadderArrow; from: string; to: string }[] = [];
    for (const item of ladder.items) {
      if (isMark(item) || item.kind !== "arrow") continue;
      if (item.packet < this.firstPacket) continue;
      const [from, to] = [item.from, item.to].map((i) => ladder.columns[i].name);
      found.push({ arrow: item, from, to });
    }
    return found;
  }

  /** The states that a host went through, without repetition. */
  states(host: string): string[] {
    const names: string[] = [];
    for (const event of this.recorder.read().events()) {
      if (event.name === "tcp:state_updated" && event.host === host) names.push(event.to);
    }
    return names;
  }

  /** The curtain falls: everything ends at once. */
  finish(title: Text): ActResult {
    const trace = this.recorder.read();
    this.capture.stop();
    commentRetransmissions(this.log, trace);
    for (const host of this.hosts) host.tcp.tracer = undefined;
    this.network.close();
    return {
      title,
      hosts: this.hosts.map((host) => host.name),
      steps: this.steps,
      exhibits: this.exhibits,
      log: this.log,
      trace,
      marks: this.options.marks ?? ["state", "timer", "drop", "congestion"],
      protocols: this.options.protocols ?? NO_ARP,
      firstPacket: this.firstPacket,
      firstEvent: this.firstEvent,
      limit: this.options.limit ?? 60,
      extra: [],
    };
  }
}

const NO_ARP: readonly string[] = ["tcp", "udp", "dns", "icmp", "ip"];

function pick(c: Connection["socket"]["connection"]) {
  const { rcvNxt, rcvRead, rcvAdv, finReceived } = c;
  return { rcvNxt, rcvRead, rcvAdv, finReceived };
}

/** So many bytes that count up: 0, 1, ... 255, 0, ... */
export function bytes(count: number, from = 0): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (from + i) & 0xff);
}
