import {
  type Frame,
  type FrameMemory,
  NO_FRAME,
  TRANSPORT_OFFSET,
} from "../../base/frame-memory.ts";
import type { MacAddress } from "../../base/mac.ts";
import { type Device, type DeviceOffload, type DeviceSink, NO_OFFLOAD } from "../../link/device.ts";
import { EAGAIN, EBADFD, EINTR, EIO } from "./constants.ts";
import { errnoName, TapError } from "./errors.ts";
import type { InterfaceControl } from "./interface-control.ts";
import type { Libc, PollHandle } from "./libc.ts";
import { readVnetHeader, VNET_HEADER, writeVnetHeader } from "./vnet-header.ts";

/**
 * Frames per event: an uncapped drain starves timers, and one frame per event
 * costs twice the CPU (measured).
 */
const BATCH = 64;
const ETHERNET_HEADER = 14;
/** Where the IP header goes in a slot: a multiple of 4, with room in front for any link header and ours. */
const IP_AT = 64;
/** Two VLAN tags beyond MTU and Ethernet header. */
const TAGS = 8;
/** A read with offloads may bring this much IP packet. */
const MAX_PACKET = 65_535;
/** What is copied into a small frame, so that the large one is free for the next read. */
const SMALL_PACKET = 1900;
const GSO_MAX_BYTES = 65_535 - 60 - 60;

export interface TapCounters {
  inFrames: number;
  inBytes: number;
  outFrames: number;
  outBytes: number;
  /** Lost on the way in because no frame was free. */
  inNoMemory: number;
  /** Lost on the way in because its header made no sense. */
  inErrors: number;
  /** Lost on the way out because the kernel's end is down. */
  outDown: number;
  /** Refused by the kernel: too short, or an offload it cannot do. */
  outErrors: number;
}

/** What a TAP device is made of once the kernel has agreed to it. */
export interface TapParts {
  readonly libc: Libc;
  readonly fd: number;
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  /** The frames carry a virtio-net header, and the kernel leaves cutting and summing to us and takes it from us. */
  readonly vnetHeader: boolean;
  readonly control: InterfaceControl;
  readonly mtuLimit: number;
}

/** A TAP or TUN interface of Linux as a device: made by `openTap`. */
export class TapDevice implements Device {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  /** The kernel's end has the interface's own address; ours is made up. */
  readonly mac: MacAddress | undefined = undefined;
  readonly headroom: number;
  readonly offload: DeviceOffload;
  readonly counters: TapCounters = {
    inFrames: 0,
    inBytes: 0,
    outFrames: 0,
    outBytes: 0,
    inNoMemory: 0,
    inErrors: 0,
    outDown: 0,
    outErrors: 0,
  };
  /** Why the device stopped by itself; undefined as long as it works. */
  failure: TapError | undefined = undefined;

  private readonly libc: Libc;
  private readonly fd: number;
  private readonly control: InterfaceControl;
  private readonly vnet: number;
  private readonly linkHeader: number;
  private mtu_: number;
  private readonly mtuLimit: number;
  private up: boolean;
  private handle: PollHandle | undefined = undefined;
  private sink: DeviceSink | undefined = undefined;
  private memory: FrameMemory | undefined = undefined;
  /** Address of the memory's first byte; `memory` keeps it alive, and it never moves. */
  private base = 0;
  /** A frame the kernel had no room for. */
  private waiting: Frame = NO_FRAME;
  private closing: Promise<void> | undefined = undefined;
  private readonly onPoll = (status: number) => this.ready(status);

  constructor(parts: TapParts) {
    this.libc = parts.libc;
    this.fd = parts.fd;
    this.name = parts.name;
    this.medium = parts.medium;
    this.control = parts.control;
    this.mtuLimit = parts.mtuLimit;
    this.vnet = parts.vnetHeader ? VNET_HEADER : 0;
    this.linkHeader = parts.medium === "ethernet" ? ETHERNET_HEADER : 0;
    this.headroom = this.vnet;
    this.offload = parts.vnetHeader
      ? { checksum: true, gsoMaxBytes: GSO_MAX_BYTES, coalesces: true }
      : NO_OFFLOAD;
    this.mtu_ = this.kernelMtu(1500);
    this.up = this.control.isUp(this.name) ?? false;
    this.control.watch(() => this.look());
  }

  get mtu(): number {
    return this.mtu_;
  }

  get linkUp(): boolean {
    return this.up;
  }

  private kernelMtu(otherwise: number): number {
    return Math.min(this.control.mtu(this.name) ?? otherwise, this.mtuLimit);
  }

  /** Asks the kernel again for what may have changed. */
  private look(): void {
    if (this.closing !== undefined || this.failure !== undefined) return;
    const up = this.control.isUp(this.name) ?? false;
    this.mtu_ = this.kernelMtu(this.mtu_);
    if (up === this.up) return;
    this.up = up;
    this.sink?.linkChanged(up);
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    if (this.sink !== undefined) throw new Error(`${this.name} has an interface already`);
    if (this.closing !== undefined) throw new Error(`${this.name} is closed: open it again`);
    this.sink = sink;
    this.memory = memory;
    this.base = this.libc.addressOf(memory.bytes);
    // The handle stays referenced by this object, or it would be collected and
    // reading would stop. It does not keep the process alive: open sockets do.
    if (this.handle === undefined) {
      this.handle = this.libc.poll(this.fd, this.onPoll);
      this.handle.unref();
    } else {
      this.handle.start({ readable: true }, this.onPoll);
    }
  }

  detach(): void {
    this.handle?.stop();
    this.dropWaiting();
    this.sink = undefined;
  }

  private dropWaiting(): void {
    if (this.waiting !== NO_FRAME) this.memory!.release(this.waiting);
    this.waiting = NO_FRAME;
  }

  // In

  private ready(status: number): void {
    // What is thrown out of this callback would surface in an unrelated call.
    try {
      if (this.waiting !== NO_FRAME) this.sendWaiting();
      if (this.sink !== undefined) this.readBatch();
      // A deleted interface signals an error; had the read not seen it, this would come back for ever.
      if (status < 0 && this.failure === undefined) this.fail(EBADFD);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  private readBatch(): void {
    const { libc, fd, vnet, linkHeader, counters } = this;
    const memory = this.memory!;
    // With offloads any read may bring 64 KB, and a buffer too small would cut it without a word.
    const expected = vnet > 0 ? MAX_PACKET : this.mtu_;
    const capacity = vnet + linkHeader + TAGS + expected;
    const copySmall = capacity > SMALL_PACKET;
    let frame: Frame = NO_FRAME;
    for (let count = 0; count < BATCH; ) {
      if (frame === NO_FRAME) {
        frame = memory.alloc(capacity - TRANSPORT_OFFSET + IP_AT);
        if (frame === NO_FRAME) {
          this.discard();
          break;
        }
      }
      const start = memory.start(frame) - TRANSPORT_OFFSET + IP_AT - linkHeader;
      const length = libc.read(fd, this.base + start - vnet, capacity) - vnet;
      if (length < 0) {
        const errno = libc.errno();
        if (length === -1 - vnet && errno === EINTR) continue;
        if (length === -1 - vnet && errno !== EAGAIN) this.fail(errno);
        break;
      }
      count++;
      counters.inFrames++;
      counters.inBytes += length;
      if (copySmall && length <= SMALL_PACKET) {
        this.receiveCopy(start, length);
        if (this.sink === undefined) break;
        continue;
      }
      memory.setRange(frame, start, length);
      if (vnet > 0 && !readVnetHeader(memory, start - vnet, frame, start, length)) {
        counters.inErrors++;
      } else {
        this.sink!.receive(frame);
      }
      memory.release(frame);
      frame = NO_FRAME;
      if (this.sink === undefined) break;
    }
    if (frame !== NO_FRAME) memory.release(frame);
  }

  /** Hands over a copy in a small frame (50 ns for 1500 bytes; a large frame is scarce). */
  private receiveCopy(start: number, length: number): void {
    const { vnet } = this;
    const memory = this.memory!;
    const frame = memory.alloc(length - TRANSPORT_OFFSET + IP_AT);
    if (frame === NO_FRAME) {
      this.counters.inNoMemory++;
      return;
    }
    const to = memory.start(frame) - TRANSPORT_OFFSET + IP_AT - this.linkHeader;
    memory.kernel.copy(to, start, length);
    memory.setRange(frame, to, length);
    // The header is read where it came in; the marks go to the copy.
    if (vnet > 0 && !readVnetHeader(memory, start - vnet, frame, to, length)) {
      this.counters.inErrors++;
    } else {
      this.sink!.receive(frame);
    }
    memory.release(frame);
  }

  /** No frame is free: takes a batch out of the kernel's queue and drops it, or the poll would spin. */
  private discard(): void {
    const bin = new Uint8Array(64);
    const address = this.libc.addressOf(bin);
    for (let count = 0; count < BATCH; count++) {
      if (this.libc.read(this.fd, address, bin.length) < 0) return;
      this.counters.inNoMemory++;
    }
  }

  /** The interface was deleted or broke: no more reading, and the link is down for good. */
  private fail(errno: number): void {
    const code = errnoName(errno);
    this.failure = new TapError(
      code,
      errno === EBADFD
        ? `the interface ${this.name} was deleted while it was in use`
        : `the interface ${this.name} failed (${code})`,
    );
    this.handle?.stop();
    this.dropWaiting();
    if (!this.up) return;
    this.up = false;
    this.sink?.linkChanged(false);
  }

  // Out

  /** A write delivers into the kernel at once, so there is practically always room. */
  room(): number {
    return this.waiting === NO_FRAME ? BATCH : 0;
  }

  transmit(frame: Frame): void {
    const memory = this.memory!;
    if (!this.up || this.sink === undefined || this.waiting !== NO_FRAME) {
      this.counters.outDown++;
      memory.release(frame);
      return;
    }
    if (memory.headroom(frame) < this.vnet) frame = this.withRoom(frame);
    if (frame === NO_FRAME || this.write(frame)) return;
    // "Full" practically never happens: the frame waits and the stack is stopped.
    this.waiting = frame;
    this.handle!.start({ readable: true, writable: true }, this.onPoll);
  }

  /** Writes and releases the frame; false when the kernel has no room, and the frame is kept. */
  private write(frame: Frame): boolean {
    const { libc, vnet, counters } = this;
    const memory = this.memory!;
    const start = memory.start(frame);
    const length = memory.length(frame);
    // Headroom is nobody's, so the header may be written though others hold the frame.
    if (vnet > 0) writeVnetHeader(memory, start - vnet, frame, start);
    let written = libc.write(this.fd, this.base + start - vnet, length + vnet);
    if (written < 0) {
      let errno = libc.errno();
      while (errno === EINTR && written < 0) {
        written = libc.write(this.fd, this.base + start - vnet, length + vnet);
        errno = libc.errno();
      }
      if (written < 0) {
        if (errno === EAGAIN) return false;
        if (errno === EIO) counters.outDown++;
        else counters.outErrors++;
        memory.release(frame);
        return true;
      }
    }
    counters.outFrames++;
    counters.outBytes += length;
    memory.release(frame);
    return true;
  }

  private sendWaiting(): void {
    const frame = this.waiting;
    if (!this.write(frame)) return;
    this.waiting = NO_FRAME;
    this.handle!.start({ readable: true }, this.onPoll);
    this.sink?.writable();
  }

  /** A copy with headroom for the virtio-net header, for frames that came from elsewhere without it. */
  private withRoom(frame: Frame): Frame {
    const memory = this.memory!;
    const length = memory.length(frame);
    const copy = memory.alloc(length);
    if (copy === NO_FRAME) {
      this.counters.outErrors++;
    } else {
      const from = memory.start(frame);
      const to = memory.start(copy) - TRANSPORT_OFFSET + IP_AT - this.linkHeader;
      memory.kernel.copy(to, from, length);
      memory.setRange(copy, to, length);
      const state = memory.checksumState(frame);
      memory.setPartialChecksum(
        copy,
        memory.checksumStart(frame) - from + to,
        memory.checksumOffset(frame),
      );
      memory.setChecksumState(copy, state);
      memory.setGso(copy, memory.gsoType(frame), memory.gsoSize(frame));
    }
    memory.release(frame);
    return copy;
  }

  /**
   * Gives the interface back. One that `openTap` created is gone from the
   * kernel when the promise resolves.
   */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    this.dropWaiting();
    const { sink } = this;
    const wasUp = this.up;
    this.up = false;
    this.handle?.close();
    this.handle = undefined;
    this.control.stop();
    if (wasUp) sink?.linkChanged(false);
    // A number that is closed too early can be another file's under a live
    // poll. Handles close at the end of a turn of the event loop: the second
    // turn from here is after it.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.libc.close(this.fd);
    this.control.finish();
  }
}
