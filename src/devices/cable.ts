import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import type { MacAddress } from "../base/mac.ts";
import type { Pollable } from "../base/pollable.ts";
import { type Device, type DeviceOffload, type DeviceSink, NO_OFFLOAD } from "../link/device.ts";
import type { DeviceContext } from "./context.ts";
import type { DropObserver, DropReason, FrameTap } from "./drop.ts";
import { Lane, type LaneEnd, type LaneOptions } from "./lane.ts";
import { admit, maxFrameLength, TRUSTED_OFFLOAD } from "./offload.ts";

/** Options of a cable; those of a lane hold for both directions. */
export interface CableOptions extends LaneOptions {
  readonly name?: string;
  /** What frames begin with. Default "ethernet". */
  readonly medium?: "ethernet" | "ip";
  /** Largest IP packet in bytes. Default 1500. */
  readonly mtu?: number;
  /** MAC addresses of the ports; without them the interfaces make up their own. */
  readonly macA?: MacAddress;
  readonly macB?: MacAddress;
  /** Frames pass with unfinished checksums and as super-segments: memory does not corrupt them. Default false. */
  readonly trusted?: boolean;
  /** What differs in one direction. */
  readonly aToB?: LaneOptions;
  readonly bToA?: LaneOptions;
  readonly onDrop?: DropObserver;
}

/**
 * A full-duplex link between two ports. Frames are handed over by reference:
 * both ends must use the same frame memory. Without delay and rate a cable
 * takes batches of 64 frames and says by `room` when it is full; with them it
 * behaves like a long line with a queue in front.
 */
export class Cable implements Pollable {
  onWork: (() => void) | undefined = undefined;
  readonly name: string;
  readonly a: CablePort;
  readonly b: CablePort;
  /** Told of each frame that is dropped. */
  onDrop: DropObserver | undefined;
  /** Set by the network, to forget a cable that was closed. */
  onClosed: (() => void) | undefined = undefined;
  private readonly context: DeviceContext;
  private up_ = true;

  constructor(context: DeviceContext, options: CableOptions = {}) {
    this.context = context;
    this.name = options.name ?? "cable";
    this.onDrop = options.onDrop;
    const medium = options.medium ?? "ethernet";
    const laneA = this.lane(medium, { ...options, ...options.aToB });
    const laneB = this.lane(medium, { ...options, ...options.bToA });
    this.a = new CablePort(this, `${this.name}.a`, context, laneA, options, options.macA);
    this.b = new CablePort(this, `${this.name}.b`, context, laneB, options, options.macB);
    this.a.peer = this.b;
    this.b.peer = this.a;
  }

  private lane(medium: "ethernet" | "ip", options: LaneOptions): Lane {
    const lane = new Lane(this.context, medium, options);
    lane.onWork = () => this.onWork?.();
    lane.onDrop = (frame, reason, timeUs) => this.onDrop?.(frame, reason, timeUs);
    return lane;
  }

  /** Changes delay, rate, queue or impairments while the cable is in use. */
  configure(options: LaneOptions, direction?: "aToB" | "bToA"): void {
    if (direction !== "bToA") this.a.lane.configure(options);
    if (direction !== "aToB") this.b.lane.configure(options);
    this.onWork?.();
  }

  get linkUp(): boolean {
    return this.up_;
  }

  /** Pulls the plug: both ends see the link go down, and what is on the cable is lost. */
  down(): void {
    if (!this.up_) return;
    this.up_ = false;
    this.clear("down");
    this.a.sink?.linkChanged(false);
    this.b.sink?.linkChanged(false);
  }

  /** Puts it back. */
  up(): void {
    if (this.up_) return;
    this.up_ = true;
    this.a.sink?.linkChanged(true);
    this.b.sink?.linkChanged(true);
  }

  /** Takes the cable out of the network for good. */
  close(): void {
    this.down();
    this.clear("closed");
    this.onClosed?.();
  }

  private clear(reason: DropReason): void {
    const nowUs = this.context.now();
    this.a.lane.clear(reason, nowUs);
    this.b.lane.clear(reason, nowUs);
  }

  poll(nowUs: number, budget: number): boolean {
    const { a, b } = this;
    const moreToB = a.lane.deliver(nowUs, budget, b);
    const moreToA = b.lane.deliver(nowUs, budget, a);
    if (a.lane.takeUnblocked(nowUs)) a.sink?.writable();
    if (b.lane.takeUnblocked(nowUs)) b.sink?.writable();
    return moreToB || moreToA;
  }

  nextDeadline(): number {
    return Math.min(this.a.lane.nextDeadline(), this.b.lane.nextDeadline());
  }
}

/** One end of a cable: the device a host's interface is made on. */
export class CablePort implements Device, LaneEnd {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  readonly headroom = 0;
  readonly offload: DeviceOffload;
  readonly cable: Cable;
  /** The direction that begins here. */
  readonly lane: Lane;
  peer: CablePort | undefined = undefined;
  sink: DeviceSink | undefined = undefined;
  /** Sees each frame that passes this port. */
  tap: FrameTap | undefined = undefined;
  private readonly context: DeviceContext;
  private readonly memory: FrameMemory;
  private readonly maxLength: number;
  private readonly trusted: boolean;

  constructor(
    cable: Cable,
    name: string,
    context: DeviceContext,
    lane: Lane,
    options: CableOptions,
    mac: MacAddress | undefined,
  ) {
    this.cable = cable;
    this.name = name;
    this.context = context;
    this.memory = context.memory;
    this.lane = lane;
    this.mac = mac;
    this.medium = options.medium ?? "ethernet";
    this.mtu = options.mtu ?? 1500;
    this.maxLength = maxFrameLength(this.medium, this.mtu);
    this.trusted = options.trusted ?? false;
    this.offload = this.trusted ? TRUSTED_OFFLOAD : NO_OFFLOAD;
  }

  get linkUp(): boolean {
    return this.cable.linkUp;
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    if (memory !== this.memory) {
      throw new Error(`${this.name}: both ends of a cable need the network's frame memory`);
    }
    if (this.sink !== undefined) throw new Error(`${this.name} has an interface already`);
    this.sink = sink;
  }

  detach(): void {
    this.sink = undefined;
  }

  room(): number {
    return this.lane.room(this.context.now());
  }

  transmit(frame: Frame): void {
    const { memory, lane } = this;
    const nowUs = this.context.now();
    if (this.tap !== undefined) this.tap(frame, "out", nowUs);
    const refused = this.cable.linkUp ? admit(memory, frame, this.maxLength, this.trusted) : "down";
    if (refused === undefined) lane.transmit(frame, nowUs);
    else lane.drop(frame, refused, nowUs);
  }

  transmitRun(frames: Int32Array, count: number): void {
    const { memory, lane } = this;
    const nowUs = this.context.now();
    if (this.cable.linkUp && this.tap === undefined) {
      let i = 0;
      while (i < count && admit(memory, frames[i]!, this.maxLength, this.trusted) === undefined)
        i++;
      if (i === count) {
        lane.transmitRun(frames, count, nowUs);
        return;
      }
    }
    for (let i = 0; i < count; i++) this.transmit(frames[i]!);
  }

  /** Frames arrived at this end. */
  deliver(frames: Int32Array, count: number, timeUs: number): void {
    const { memory, sink, tap } = this;
    if (tap !== undefined) for (let i = 0; i < count; i++) tap(frames[i]!, "in", timeUs);
    if (sink?.receiveRun !== undefined) sink.receiveRun(frames, count);
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      if (sink === undefined) {
        this.peer!.lane.drop(frame, "detached", timeUs);
        continue;
      }
      if (sink.receiveRun === undefined) sink.receive(frame);
      memory.release(frame);
    }
  }
}
