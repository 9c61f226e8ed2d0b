import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import type { MacAddress } from "../base/mac.ts";
import type { Pollable } from "../base/pollable.ts";
import type { Device, DeviceOffload, DeviceSink } from "../link/device.ts";
import type { DeviceContext } from "./context.ts";
import type { DropObserver, DropReason, FrameTap } from "./drop.ts";
import { Lane, type LaneOptions } from "./lane.ts";

/** Options of both directions, and what differs in one. */
export interface ImpairedDeviceOptions extends LaneOptions {
  /** From the host into the device. */
  readonly out?: LaneOptions;
  /** From the device to the host. */
  readonly in?: LaneOptions;
  readonly onDrop?: DropObserver;
}

/**
 * Puts a bad line in front of any device, a TAP device for instance: frames
 * pass a lane with delay, rate, queue and impairments each way. Super-segments
 * are refused on the way out, so that what happens, happens to packets.
 */
export class ImpairedDevice implements Device, DeviceSink, Pollable {
  onWork: (() => void) | undefined = undefined;
  onDrop: DropObserver | undefined;
  /** Sees each frame on the host's side of the bad line. */
  tap: FrameTap | undefined = undefined;
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  readonly headroom: number;
  readonly offload: DeviceOffload;
  readonly device: Device;
  /** The two directions. */
  readonly outward: Lane;
  readonly inward: Lane;
  private readonly context: DeviceContext;
  private sink: DeviceSink | undefined = undefined;
  /** The device has no room, and will say when it has. */
  private deviceFull = false;

  constructor(context: DeviceContext, device: Device, options: ImpairedDeviceOptions) {
    const { name, medium, mac, mtu, headroom, offload } = device;
    this.context = context;
    this.device = device;
    this.name = name;
    this.medium = medium;
    this.mac = mac;
    this.mtu = mtu;
    this.headroom = headroom;
    this.offload = { ...offload, gsoMaxBytes: 0 };
    this.onDrop = options.onDrop;
    this.outward = this.lane({ ...options, ...options.out });
    this.inward = this.lane({ ...options, ...options.in });
  }

  private lane(options: LaneOptions): Lane {
    const lane = new Lane(this.context, this.medium, options);
    lane.onWork = () => this.onWork?.();
    lane.onDrop = (frame, reason, timeUs) => this.onDrop?.(frame, reason, timeUs);
    return lane;
  }

  /** Changes delay, rate, queue or impairments while the device is in use. */
  configure(options: LaneOptions, direction?: "in" | "out"): void {
    if (direction !== "in") this.outward.configure(options);
    if (direction !== "out") this.inward.configure(options);
    this.onWork?.();
  }

  // The host's side

  get linkUp(): boolean {
    return this.device.linkUp;
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    if (memory !== this.context.memory) {
      throw new Error(`${this.name}: an impaired device needs the network's frame memory`);
    }
    this.sink = sink;
    this.device.attach(this, memory);
  }

  detach(): void {
    this.device.detach();
    this.clear("detached");
    this.sink = undefined;
  }

  room(): number {
    return this.outward.room(this.context.now());
  }

  transmit(frame: Frame): void {
    const nowUs = this.context.now();
    if (this.tap !== undefined) this.tap(frame, "out", nowUs);
    if (this.device.linkUp) this.outward.transmit(frame, nowUs);
    else this.outward.drop(frame, "down", nowUs);
  }

  setFilter(addresses: readonly MacAddress[], promiscuous: boolean): void {
    this.device.setFilter?.(addresses, promiscuous);
  }

  close(): void {
    this.clear("closed");
    this.device.close?.();
  }

  // The device's side

  receive(frame: Frame): void {
    this.context.memory.retain(frame, "impaired device");
    this.inward.transmit(frame, this.context.now());
  }

  writable(): void {
    this.deviceFull = false;
    this.onWork?.();
  }

  linkChanged(up: boolean): void {
    if (!up) this.clear("down");
    this.sink?.linkChanged(up);
  }

  // The network's side

  poll(nowUs: number, budget: number): boolean {
    const more = this.inward.deliver(nowUs, budget, this.toHost);
    return this.pollOutward(nowUs, budget) || more;
  }

  nextDeadline(): number {
    const inwardUs = this.inward.nextDeadline();
    return this.deviceFull ? inwardUs : Math.min(inwardUs, this.outward.nextDeadline());
  }

  private pollOutward(nowUs: number, budget: number): boolean {
    const room = this.device.linkUp ? this.device.room() : budget;
    this.deviceFull = room <= 0;
    if (this.deviceFull) return false;
    const more = this.outward.deliver(nowUs, Math.min(budget, room), this.toDevice);
    if (this.outward.takeUnblocked(nowUs)) this.sink?.writable();
    return more;
  }

  private readonly toHost = {
    deliver: (frames: Int32Array, count: number, timeUs: number) => {
      for (let i = 0; i < count; i++) {
        const frame = frames[i]!;
        if (this.tap !== undefined) this.tap(frame, "in", timeUs);
        this.sink?.receive(frame);
        this.context.memory.release(frame);
      }
    },
  };

  private readonly toDevice = {
    deliver: (frames: Int32Array, count: number) => {
      for (let i = 0; i < count; i++) this.device.transmit(frames[i]!);
    },
  };

  private clear(reason: DropReason): void {
    const nowUs = this.context.now();
    this.outward.clear(reason, nowUs);
    this.inward.clear(reason, nowUs);
  }
}
