import {
  CSUM_PARTIAL,
  type Frame,
  type FrameMemory,
  GSO_NONE,
  NO_FRAME,
} from "../base/frame-memory.ts";
import { isMulticastMac, type MacAddress } from "../base/mac.ts";
import type { Pollable } from "../base/pollable.ts";
import { type Device, type DeviceOffload, type DeviceSink, NO_OFFLOAD } from "../link/device.ts";
import { completeChecksum, cutSuperSegment } from "../link/offload.ts";
import { ethernetHeaderLength } from "../wire/ethernet.ts";
import type { Cable, CableOptions } from "./cable.ts";
import type { DeviceContext } from "./context.ts";
import type { DropObserver, FrameTap } from "./drop.ts";
import { FrameLine } from "./frame-line.ts";
import { MacTable } from "./mac-table.ts";
import { admit, maxFrameLength, TRUSTED_OFFLOAD } from "./offload.ts";

/** Frames a port takes before the switch has passed them on. */
const BATCH = 64;

/** Frames kept for a connected device that has no room. */
const UPLINK_QUEUE = 512;

const ETHERNET_HEADER = 14;

export interface SwitchOptions {
  readonly name?: string;
  /** Largest IP packet in bytes. Default 1500. */
  readonly mtu?: number;
  /** MAC addresses that are remembered. Default 8,192; frames to others are flooded. */
  readonly addresses?: number;
  /** How long an address is remembered without being heard of, in seconds. Default 300 (IEEE 802.1Q §8.8.3). */
  readonly ageingSeconds?: number;
  /** Frames pass with unfinished checksums and as super-segments. Default false. */
  readonly trusted?: boolean;
  readonly onDrop?: DropObserver;
}

/** Options of a port. Any of a cable's puts a cable of that kind between the port and the host. */
export interface SwitchPortOptions extends Omit<CableOptions, "medium" | "macA" | "macB"> {
  readonly mac?: MacAddress;
}

/**
 * A learning Ethernet switch. Frames are handed on by reference: a flooded
 * frame is lent to one port after the other.
 */
export class Switch implements Pollable {
  onWork: (() => void) | undefined = undefined;
  readonly name: string;
  readonly mtu: number;
  readonly trusted: boolean;
  onDrop: DropObserver | undefined;
  readonly context: DeviceContext;
  /** Set by the network: makes the cable of a port that has a cable's options. */
  makeCable: ((options: CableOptions) => Cable) | undefined = undefined;
  /** Frames that went to all ports because their destination was not known. */
  flooded = 0;
  private readonly ports: SwitchEnd[] = [];
  private readonly table: MacTable<SwitchEnd>;
  /** Ports with frames waiting, in the order they are served. */
  private waiting: SwitchEnd[] = [];

  constructor(context: DeviceContext, options: SwitchOptions = {}) {
    this.context = context;
    this.name = options.name ?? "switch";
    this.mtu = options.mtu ?? 1500;
    this.trusted = options.trusted ?? false;
    this.onDrop = options.onDrop;
    this.table = new MacTable(options.addresses ?? 8192, (options.ageingSeconds ?? 300) * 1e6);
  }

  /** A new port, for a host's interface. */
  port(options: SwitchPortOptions = {}): Device {
    const { name, mac, ...cable } = options;
    const portName = name ?? `${this.name}.${this.ports.length}`;
    if (Object.keys(cable).length > 0 && this.makeCable !== undefined) {
      const line = this.makeCable({ mtu: this.mtu, ...cable, name: portName, macA: mac });
      this.connect(line.b);
      return line.a;
    }
    const port = new SwitchPort(this, portName, mac);
    this.ports.push(port);
    return port;
  }

  /** Plugs a device into the switch: the end of a cable, a TAP device, another network. */
  connect(device: Device): void {
    if (device.medium !== "ethernet") {
      throw new Error(`${device.name} carries bare IP packets: a switch needs Ethernet frames`);
    }
    this.ports.push(new Uplink(this, device));
  }

  /** Removes a port or a connected device. */
  disconnect(device: Device): void {
    const at = this.ports.findIndex((port) => port.device === device);
    if (at < 0) return;
    const [port] = this.ports.splice(at, 1);
    this.table.forget(port);
    port.clear();
    if (port instanceof Uplink) device.detach();
  }

  /** Addresses known now. */
  get addresses(): number {
    return this.table.size;
  }

  close(): void {
    while (this.ports.length > 0) this.disconnect(this.ports[0].device);
  }

  /** Forgets the addresses behind a port that lost its link. */
  forget(port: SwitchEnd): void {
    this.table.forget(port);
  }

  /** A frame came in by a port; the switch owns it now. */
  accept(port: SwitchEnd, frame: Frame): void {
    if (port.incoming.count === 0) this.waiting.push(port);
    port.incoming.push(frame, 0);
    this.onWork?.();
  }

  poll(nowUs: number, budget: number): boolean {
    const turn = this.waiting;
    this.waiting = [];
    for (const port of turn) {
      for (let left = budget; left > 0 && port.incoming.count > 0; left--) {
        const frame = port.incoming.shift();
        this.forward(port, frame, nowUs);
        this.context.memory.release(frame);
      }
      if (port.incoming.count > 0) this.waiting.push(port);
      port.unblock();
    }
    return this.waiting.length > 0;
  }

  nextDeadline(): number {
    return this.waiting.length > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  private forward(from: SwitchEnd, frame: Frame, nowUs: number): void {
    const { memory } = this.context;
    const { view } = memory;
    const at = memory.start(frame);
    if (memory.length(frame) < ETHERNET_HEADER) {
      this.onDrop?.(frame, "runt", nowUs);
      return;
    }
    const high = view.getUint16(at);
    const low = view.getInt32(at + 2);
    const sourceHigh = view.getUint16(at + 6);
    if (!isMulticastMac(sourceHigh)) {
      this.table.learn(sourceHigh, view.getInt32(at + 8), from, nowUs);
    }
    if (!isMulticastMac(high)) {
      const to = this.table.find(high, low, nowUs);
      if (to !== undefined) {
        if (to !== from) to.send(frame, nowUs);
        return;
      }
    } else if (high === 0x0180 && low >>> 4 === 0xc200000) {
      return; // 01-80-C2-00-00-0X stays on its link (IEEE 802.1Q §8.6.3)
    }
    this.flooded++;
    for (const to of this.ports) {
      if (to !== from) to.send(frame, nowUs);
    }
  }
}

/** One of the switch's ends: a port for a host, or a device plugged in. */
interface SwitchEnd {
  readonly device: Device;
  /** Frames that came in here and wait for the switch. */
  readonly incoming: FrameLine;
  /** Sends out a frame that is only lent. */
  send(frame: Frame, nowUs: number): void;
  /** Tells a sender that found no room that there is some. */
  unblock(): void;
  /** Releases what is held. */
  clear(): void;
}

/** A port that a host's interface is made on. */
export class SwitchPort implements Device, SwitchEnd {
  readonly name: string;
  readonly medium = "ethernet";
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  readonly headroom = 0;
  readonly offload: DeviceOffload;
  readonly device = this;
  readonly incoming = new FrameLine();
  /** Sees each frame that passes this port. */
  tap: FrameTap | undefined = undefined;
  private readonly owner: Switch;
  private readonly maxLength: number;
  private sink: DeviceSink | undefined = undefined;
  private blocked = false;
  private up_ = true;

  constructor(owner: Switch, name: string, mac: MacAddress | undefined) {
    this.owner = owner;
    this.name = name;
    this.mac = mac;
    this.mtu = owner.mtu;
    this.maxLength = maxFrameLength("ethernet", owner.mtu);
    this.offload = owner.trusted ? TRUSTED_OFFLOAD : NO_OFFLOAD;
  }

  get linkUp(): boolean {
    return this.up_;
  }

  /** Pulls the plug; the switch forgets who was here. */
  down(): void {
    if (!this.up_) return;
    this.up_ = false;
    this.clear();
    this.owner.forget(this);
    this.sink?.linkChanged(false);
  }

  up(): void {
    if (this.up_) return;
    this.up_ = true;
    this.sink?.linkChanged(true);
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    if (memory !== this.owner.context.memory) {
      throw new Error(`${this.name}: all hosts of a switch need the network's frame memory`);
    }
    if (this.sink !== undefined) throw new Error(`${this.name} has an interface already`);
    this.sink = sink;
  }

  detach(): void {
    this.sink = undefined;
    this.clear();
    this.owner.forget(this);
  }

  room(): number {
    const room = BATCH - this.incoming.count;
    if (room > 0) return room;
    this.blocked = true;
    return 0;
  }

  transmit(frame: Frame): void {
    const { owner } = this;
    const { memory } = owner.context;
    if (this.tap !== undefined) this.tap(frame, "out", owner.context.now());
    const refused = this.up_ ? admit(memory, frame, this.maxLength, owner.trusted) : "down";
    if (refused === undefined) {
      owner.accept(this, frame);
      return;
    }
    owner.onDrop?.(frame, refused, owner.context.now());
    memory.release(frame);
  }

  send(frame: Frame, nowUs: number): void {
    if (this.sink === undefined || !this.up_) return;
    if (this.tap !== undefined) this.tap(frame, "in", nowUs);
    this.sink.receive(frame);
  }

  unblock(): void {
    if (!this.blocked || this.incoming.count >= BATCH) return;
    this.blocked = false;
    this.sink?.writable();
  }

  clear(): void {
    const { memory } = this.owner.context;
    while (this.incoming.count > 0) memory.release(this.incoming.shift());
  }
}

/** A device plugged into the switch, which is its host's side. */
class Uplink implements SwitchEnd, DeviceSink {
  readonly device: Device;
  readonly incoming = new FrameLine();
  private readonly owner: Switch;
  private readonly memory: FrameMemory;
  private readonly maxLength: number;
  /** Frames for the device that it had no room for. */
  private readonly outgoing = new FrameLine();

  constructor(owner: Switch, device: Device) {
    this.owner = owner;
    this.device = device;
    this.memory = owner.context.memory;
    this.maxLength = maxFrameLength("ethernet", owner.mtu);
    device.attach(this, this.memory);
  }

  receive(frame: Frame): void {
    const { memory, owner } = this;
    memory.retain(frame, "switch");
    const own = owner.trusted ? frame : memory.writable(frame);
    if (own === NO_FRAME) return;
    const refused = admit(memory, own, this.maxLength, owner.trusted);
    if (refused === undefined) {
      owner.accept(this, own);
      return;
    }
    owner.onDrop?.(own, refused, owner.context.now());
    memory.release(own);
  }

  writable(): void {
    const { outgoing, device } = this;
    while (outgoing.count > 0 && device.room() > 0) device.transmit(outgoing.shift());
  }

  linkChanged(up: boolean): void {
    if (!up) this.owner.forget(this);
  }

  /** What the device cannot do in our place is done here: cutting super-segments, completing checksums. */
  send(frame: Frame, nowUs: number): void {
    const { memory, device } = this;
    if (memory.gsoType(frame) !== GSO_NONE && memory.length(frame) > device.offload.gsoMaxBytes) {
      const header = ethernetHeaderLength(memory.view, memory.start(frame), memory.length(frame));
      cutSuperSegment(memory, frame, header, (piece) => this.pass(piece, nowUs));
      return;
    }
    memory.retain(frame, "switch");
    if (memory.checksumState(frame) === CSUM_PARTIAL && !device.offload.checksum) {
      frame = memory.writable(frame);
      if (frame === NO_FRAME) return;
      completeChecksum(memory, frame);
    }
    this.pass(frame, nowUs);
  }

  /** Gives a frame that is ours to the device, now or when it has room. */
  private pass(frame: Frame, nowUs: number): void {
    if (this.outgoing.count === 0 && this.device.room() > 0) {
      this.device.transmit(frame);
    } else if (this.outgoing.count < UPLINK_QUEUE) {
      this.outgoing.push(frame, 0);
    } else {
      this.owner.onDrop?.(frame, "queue", nowUs);
      this.memory.release(frame);
    }
  }

  unblock(): void {}

  clear(): void {
    while (this.incoming.count > 0) this.memory.release(this.incoming.shift());
    while (this.outgoing.count > 0) this.memory.release(this.outgoing.shift());
  }
}
