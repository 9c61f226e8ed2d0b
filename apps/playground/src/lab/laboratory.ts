import type { FrameMemoryOptions } from "../../../../src/base/frame-memory.ts";
import { Network } from "../../../../src/network/network.ts";
import { type VirtualTime, virtualTime } from "../../../../src/sim/virtual-time.ts";
import type { SocketHost } from "../../../../src/sockets/socket-host.ts";
import type { Switch } from "../../../../src/devices/switch.ts";
import { Capture } from "../../../../src/trace/capture.ts";
import { buildLadder } from "../../../../src/trace/ladder/build.ts";
import type { Ladder, LadderArrow } from "../../../../src/trace/ladder/model.ts";
import { pcapngBytes } from "../../../../src/trace/pcapng-writer.ts";
import { Recorder } from "../../../../src/trace/recorder.ts";
import { planAddresses } from "./addressing.ts";
import { Flow } from "./flow.ts";
import { RecentPackets } from "./recent-packets.ts";
import { Samples } from "./samples.ts";
import type { Setup } from "./setup.ts";
import { Wire } from "./wire.ts";

const MEMORY: FrameMemoryOptions = { smallFrames: 8192, largeFrames: 16, pages: 4096, reserve: 64 };

/** A small network in virtual time, with everything in reach. */
export class Laboratory {
  readonly clock: VirtualTime = virtualTime();
  readonly network: Network;
  readonly wires: Wire[] = [];
  readonly flows: Flow[] = [];
  readonly samples: Samples;
  readonly packets = new RecentPackets();
  readonly addresses = new Map<string, string>();
  private readonly recorder = new Recorder({ capacity: 4096 });
  private readonly original: Setup;
  private readonly hosts = new Map<string, SocketHost>();
  private readonly capture: Capture;
  private busy = false;

  constructor(setup: Setup) {
    this.original = setup;
    this.network = new Network({ clock: this.clock, seed: setup.seed, memory: MEMORY });
    this.capture = new Capture(this.network.memory, this.packets);
    this.build(setup);
    setup.flows.forEach((flow, i) => {
      const from = this.hosts.get(flow.from);
      const to = this.hosts.get(flow.to);
      const address = this.addresses.get(flow.to);
      if (from === undefined || to === undefined || address === undefined || from === to) {
        throw new Error(`${flow.from} and ${flow.to} cannot talk: give both a cable`);
      }
      this.flows.push(new Flow(flow, 5001 + i, from, to, address));
    });
    this.samples = new Samples(this.flows.length, this.wires.length);
    for (const flow of this.flows) flow.open();
  }

  private build(setup: Setup): void {
    const { network } = this;
    const switches = new Map<string, Switch>();
    for (const { name, kind } of setup.nodes) {
      if (kind === "switch") switches.set(name, network.switch({ name }));
      else this.hosts.set(name, this.host(name, kind === "router"));
    }
    const plan = planAddresses(setup);
    setup.cables.forEach((line, i) => {
      const cable = network.cable({ name: `${line.a}–${line.b}` });
      const wire = new Wire(cable, line, network.memory);
      wire.configure({});
      this.wires.push(wire);
      for (const end of ["a", "b"] as const) {
        const node = line[end];
        const plug = plan.plugs.find((p) => p.cable === i && p.end === end);
        if (plug === undefined) {
          switches.get(node)?.connect(cable[end]);
          continue;
        }
        this.hosts.get(node)!.addInterface(cable[end], { addresses: [`${plug.address}/24`] });
        if (!this.addresses.has(node)) this.addresses.set(node, plug.address);
        const isHost = setup.nodes.some((n) => n.name === node && n.kind === "host");
        if (isHost) this.capture.device(cable[end], { host: node, name: `${node}.${i}` });
      }
      wire.watch(this.packets);
    });
    for (const { node, subnet, gateway } of plan.routes) {
      this.hosts.get(node)!.routes.add({ destination: `10.0.${subnet}.0/24`, gateway });
    }
  }

  private host(name: string, forwarding: boolean): SocketHost {
    const quiet = {
      ipv6: false,
      duplicateAddressDetection: "off",
      announceAddresses: false,
      multicastReports: false,
    } as const;
    const host = this.network.host({ name, config: { ...quiet, forwarding } });
    host.tcp.tracer = this.recorder.tracer(name, this.network);
    return host;
  }

  get nowUs(): number {
    return this.clock.now();
  }

  /** Runs until that time, or until `budgetMs` of real time are used up. */
  async runTo(untilUs: number, budgetMs: number): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const end = performance.now() + budgetMs;
      while (this.nowUs < untilUs && performance.now() < end) {
        const next = Math.min(
          untilUs,
          this.nowUs + 5000,
          Math.max(this.samples.nextUs, this.nowUs + 1),
        );
        await this.clock.run(next);
        this.samples.take(this.nowUs, this.flows, this.wires);
      }
    } finally {
      this.busy = false;
    }
  }

  /** The next thing that happens. */
  async step(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const atUs = this.clock.nextDeadline();
      if (atUs !== Number.POSITIVE_INFINITY) await this.clock.run(atUs);
      this.samples.take(this.nowUs, this.flows, this.wires);
    } finally {
      this.busy = false;
    }
  }

  /** The last packets as a ladder, and the key of each by its number. */
  ladder(): { ladder: Ladder; keys: readonly string[] } {
    const { log, keys } = this.packets.snapshot();
    const hosts = [...this.hosts.keys()].filter((name) =>
      log.interfaces.some((i) => i.host === name),
    );
    const built = buildLadder(log, this.recorder.read(), {
      order: hosts,
      protocols: ["tcp", "icmp"],
      marks: ["state", "timer", "congestion"],
      fromUs: log.count > 0 ? log.timeUs(0) : 0,
      relative: true,
    });
    return { ladder: { ...built, items: built.items.slice(-36) }, keys };
  }

  /** Drops a packet that is still on its way. False: it is not. */
  drop(key: string): boolean {
    for (const wire of this.wires) {
      for (const flying of wire.onWire()) {
        if (flying.key !== key || flying.doomed) continue;
        wire.doom(flying, this.packets);
        return true;
      }
    }
    return false;
  }

  dropArrow(arrow: LadderArrow, keys: readonly string[]): boolean {
    return this.drop(keys[arrow.packet] ?? "");
  }

  pcapng(): Uint8Array {
    return pcapngBytes(this.packets.log, "Fullduplex laboratory");
  }

  /** As it is now, to be saved. */
  setup(): Setup {
    return {
      ...this.original,
      cables: this.wires.map((wire) => wire.setup),
      flows: this.flows.map((flow) => flow.setup),
    };
  }

  close(): void {
    this.capture.stop();
    this.network.close();
  }
}
