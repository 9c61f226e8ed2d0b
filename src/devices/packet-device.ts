import { type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import type { MacAddress } from "../base/mac.ts";
import type { Pollable } from "../base/pollable.ts";
import { type Device, type DeviceSink, NO_OFFLOAD } from "../link/device.ts";
import { FrameLine } from "./frame-line.ts";
import { maxFrameLength } from "./offload.ts";

export interface PacketDeviceOptions {
  /** What packets begin with: an Ethernet header, or the IP header. */
  readonly medium: "ethernet" | "ip";
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  /**
   * Sends a packet; the bytes are a copy and the receiver's to keep. `false`
   * says that this one was taken but the next would not be, until `writable`
   * is called; anything else means: go on.
   */
  send(bytes: Uint8Array): unknown;
  readonly mac?: MacAddress;
  readonly name?: string;
  /** Whether there is a link at the start. Default true. */
  readonly linkUp?: boolean;
  /** Called when the host lets the device go. */
  close?(): void;
}

/** Packets sent in one go before the host looks again. */
const BATCH = 64;

/** True while some device's `send` runs: the stack is in the middle of something. */
let sending = false;

/**
 * A device made of two functions: `send` gets each packet of the host as
 * bytes, `receive` hands the host a packet. With it the stack runs over
 * anything that moves packets: a WebSocket, a VPN tunnel, a serial line, an
 * emulator's network card.
 */
export class PacketDevice implements Device, Pollable {
  /** Set when the device is part of a network, which `Network.packetDevice` sees to. */
  onWork: (() => void) | undefined = undefined;
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  readonly headroom = 0;
  readonly offload = NO_OFFLOAD;
  /** Packets that were dropped: too long, no frame free, link down or no host. */
  dropped = 0;
  private readonly options: PacketDeviceOptions;
  private readonly maxLength: number;
  private sink: DeviceSink | undefined = undefined;
  private memory: FrameMemory | undefined = undefined;
  private up: boolean;
  private readonly waiting = new FrameLine();
  private blocked = false;
  private closed = false;

  constructor(options: PacketDeviceOptions) {
    if (!(options.mtu >= 68)) {
      throw new RangeError(`mtu is ${options.mtu}: IP needs at least 68 bytes (IPv6: 1280)`);
    }
    this.options = options;
    this.name = options.name ?? "packet";
    this.medium = options.medium;
    this.mac = options.mac;
    this.mtu = options.mtu;
    this.up = options.linkUp ?? true;
    this.maxLength = maxFrameLength(this.medium, this.mtu);
  }

  get linkUp(): boolean {
    return this.up && !this.closed;
  }

  /**
   * Hands a packet to the host. The bytes are copied, so the buffer may be
   * used again at once. False: it was dropped. A packet that comes from inside
   * `send` is handed over a little later, because the stack is not re-entered.
   */
  receive(bytes: Uint8Array): boolean {
    const { memory, sink } = this;
    if (
      memory === undefined ||
      sink === undefined ||
      !this.linkUp ||
      bytes.length > this.maxLength
    ) {
      this.dropped++;
      return false;
    }
    const frame = memory.allocFrom(bytes, this.medium === "ethernet" ? 14 : 0);
    if (frame === NO_FRAME) {
      this.dropped++;
      return false;
    }
    if (!sending) {
      sink.receive(frame);
      memory.release(frame);
      return true;
    }
    this.waiting.push(frame, 0);
    if (this.onWork !== undefined) this.onWork();
    else if (this.waiting.count === 1) queueMicrotask(() => this.poll());
    return true;
  }

  /** Hands over what came from inside `send`. */
  poll(): boolean {
    const { waiting, memory } = this;
    while (waiting.count > 0) {
      const frame = waiting.shift();
      if (this.linkUp) this.sink?.receive(frame);
      memory!.release(frame);
    }
    return false;
  }

  /** 0, which is always due, or Infinity. */
  nextDeadline(): number {
    return this.waiting.count > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Says that `send` may be called again after it answered false. */
  writable(): void {
    if (!this.blocked) return;
    this.blocked = false;
    this.sink?.writable();
  }

  /** Tells the host that the link went up or down. */
  setLink(up: boolean): void {
    if (this.up === up || this.closed) return;
    this.up = up;
    this.sink?.linkChanged(up);
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    if (this.sink !== undefined) throw new Error(`${this.name} has an interface already`);
    this.sink = sink;
    this.memory = memory;
  }

  detach(): void {
    this.sink = undefined;
    this.poll(); // lets go of what was waiting
  }

  room(): number {
    return this.blocked ? 0 : BATCH;
  }

  transmit(frame: Frame): void {
    const memory = this.memory!;
    if (!this.linkUp || memory.length(frame) > this.maxLength) {
      this.dropped++;
      memory.release(frame);
      return;
    }
    const bytes = memory.copyOut(frame);
    memory.release(frame);
    const outer = sending;
    sending = true;
    try {
      if (this.options.send(bytes) === false) this.blocked = true;
    } finally {
      sending = outer;
    }
  }

  /** The link goes down for good. */
  close(): void {
    if (this.closed) return;
    this.setLink(false);
    this.closed = true;
    this.options.close?.();
  }
}
