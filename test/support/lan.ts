/**
 * Hosts on virtual segments for tests below the sockets: virtual time, wire
 * bytes in and out, nothing mocked. A segment hands each frame to all other
 * ports, as a hub does.
 */
import type { IpAddress } from "../../src/base/address.ts";
import {
  type Frame,
  FrameMemory,
  type FrameMemoryOptions,
  frameMemoryBytes,
} from "../../src/base/frame-memory.ts";
import { createJsKernel } from "../../src/base/js-kernel.ts";
import type { MacAddress } from "../../src/base/mac.ts";
import { SeededRandom } from "../../src/base/random.ts";
import type { HostConfig } from "../../src/host/config.ts";
import { Host } from "../../src/host/host.ts";
import type { EchoOptions, EchoResult } from "../../src/ip/echo.ts";
import type { Device, DeviceOffload, DeviceSink } from "../../src/link/device.ts";
import { NO_OFFLOAD } from "../../src/link/device.ts";

const SMALL: FrameMemoryOptions = { smallFrames: 4096, largeFrames: 32, pages: 16, reserve: 4 };

export class TestPort implements Device {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  readonly mac = undefined;
  readonly mtu: number;
  readonly headroom = 0;
  readonly offload: DeviceOffload;
  linkUp = true;
  /** Frames that may still be transmitted; the test sets it. */
  roomLeft = 1_000_000;
  /** A copy of each frame sent. */
  readonly sent: Uint8Array[] = [];
  readonly queue: Frame[] = [];
  sink: DeviceSink | undefined;
  filter: readonly MacAddress[] = [];
  private readonly memory: FrameMemory;

  constructor(
    memory: FrameMemory,
    options: { name?: string; medium?: "ethernet" | "ip"; mtu?: number; offload?: DeviceOffload },
  ) {
    this.memory = memory;
    this.name = options.name ?? "port";
    this.medium = options.medium ?? "ethernet";
    this.mtu = options.mtu ?? 1500;
    this.offload = options.offload ?? NO_OFFLOAD;
  }

  attach(sink: DeviceSink): void {
    this.sink = sink;
  }
  detach(): void {
    for (const frame of this.queue.splice(0)) this.memory.release(frame);
    this.sink = undefined;
  }
  room(): number {
    return this.roomLeft;
  }
  transmit(frame: Frame): void {
    this.roomLeft--;
    this.sent.push(this.memory.copyOut(frame));
    this.queue.push(frame);
  }
  setFilter(addresses: readonly MacAddress[]): void {
    this.filter = addresses;
  }
  setLink(up: boolean): void {
    this.linkUp = up;
    this.sink?.linkChanged(up);
  }
  /** Gives the host a frame made of these bytes. */
  inject(bytes: Uint8Array): void {
    const frame = this.memory.allocFrom(bytes, this.medium === "ethernet" ? 14 : 0);
    if (frame === 0) throw new Error("no frame left for the test");
    this.sink?.receive(frame);
    this.memory.release(frame);
  }
}

export class Lan {
  readonly memory: FrameMemory;
  readonly hosts: Host[] = [];
  readonly segments: TestPort[][] = [];
  nowUs = 0;
  /** A frame for which this answers true is lost. */
  lose: ((bytes: Uint8Array) => boolean) | undefined;
  private seed: number;

  constructor(options: { seed?: number; memory?: FrameMemoryOptions } = {}) {
    const memory = { ...SMALL, ...options.memory };
    this.memory = new FrameMemory(createJsKernel(frameMemoryBytes(memory)), memory);
    this.memory.holders = new Map();
    this.seed = options.seed ?? 1;
  }

  host(name: string, config: Partial<HostConfig> = {}): Host {
    const host = new Host({
      name,
      memory: this.memory,
      random: new SeededRandom(this.seed++),
      clock: { now: () => this.nowUs },
      config,
    });
    this.hosts.push(host);
    return host;
  }

  port(
    options: {
      name?: string;
      medium?: "ethernet" | "ip";
      mtu?: number;
      offload?: DeviceOffload;
    } = {},
  ): TestPort {
    return new TestPort(this.memory, options);
  }

  /** Joins ports to one segment. */
  join(...ports: TestPort[]): void {
    this.segments.push(ports);
  }

  /** Lets everything happen that happens until `untilUs` (relative). */
  run(forUs = 0): void {
    const endUs = this.nowUs + forUs;
    for (let round = 0; ; round++) {
      if (round > 200_000) throw new Error("the hosts never come to rest");
      let isBusy = false;
      for (const host of this.hosts) {
        if (host.nextDeadline() <= this.nowUs) {
          host.poll(this.nowUs, 64);
          isBusy = true;
        }
      }
      if (this.carry()) isBusy = true;
      for (const host of this.hosts) host.takeEvents();
      if (isBusy) continue;
      const next = Math.min(...this.hosts.map((host) => host.nextDeadline()));
      if (next > endUs) break;
      this.nowUs = next;
    }
    this.nowUs = endUs;
  }

  private carry(): boolean {
    let moved = false;
    for (const segment of this.segments) {
      for (const port of segment) {
        for (const frame of port.queue.splice(0)) {
          moved = true;
          const isLost = this.lose?.(this.memory.copyOut(frame)) ?? false;
          if (!isLost)
            for (const other of segment)
              if (other !== port && other.linkUp && port.linkUp) other.sink?.receive(frame);
          this.memory.release(frame);
        }
      }
    }
    return moved;
  }

  /** Pings and answers what became of it. */
  ping(
    from: Host,
    to: IpAddress,
    options: EchoOptions = {},
    forUs = 5_000_000,
  ): EchoResult | undefined {
    let result: EchoResult | undefined;
    from.echo(to, options, (answer) => {
      result = answer;
    });
    this.run(forUs);
    return result;
  }

  /** Ends all hosts; throws when a frame or a timer is still held. */
  end(): void {
    for (const host of this.hosts) host.destroy();
    for (const segment of this.segments) for (const port of segment) port.detach();
    const held = [...(this.memory.holders ?? [])].map(
      ([frame, list]) => `${frame}: ${list.join(", ")}`,
    );
    if (this.memory.framesInUse > 0) throw new Error(`frames still held: ${held.join("; ")}`);
    for (const host of this.hosts) {
      if (host.timers.registered > 0)
        throw new Error(`${host.name} still holds ${host.timers.registered} timers`);
    }
  }
}
