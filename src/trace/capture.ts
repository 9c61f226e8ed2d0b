import { CSUM_PARTIAL, type Frame, type FrameMemory } from "../base/frame-memory.ts";
import { checksumOf } from "../wire/checksum.ts";
import type { CaptureInterface, PacketDirection, PacketSink } from "./packet-log.ts";

type Tap = (frame: Frame, direction: PacketDirection, timeUs: number) => void;
type DropWatcher<Reason extends string> = (frame: Frame, reason: Reason, timeUs: number) => void;

/** A device whose frames can be watched: a cable's or a switch's port, a line with impairments. */
export interface TappedDevice {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  tap: Tap | undefined;
}

/** A cable: two ports and what is lost between them. */
export interface TappedLink<Reason extends string> {
  readonly a: TappedDevice;
  readonly b: TappedDevice;
  onDrop: DropWatcher<Reason> | undefined;
}

/** An interface of a host. */
export interface TappedInterface {
  readonly name: string;
  readonly device: { readonly medium: "ethernet" | "ip" };
  setTap(tap: ((frame: Frame, isOutgoing: boolean) => void) | undefined): void;
}

export interface CaptureOptions {
  /** Default: the device's. */
  readonly name?: string;
  /** Whose port it is: the column of a ladder diagram. */
  readonly host?: string;
  /** Bytes kept of each packet. Default: all. */
  readonly snapLength?: number;
}

/**
 * Copies the frames that pass ports, cables and interfaces into a sink: a
 * `PacketLog` or a `PcapngWriter`. Checksums that a device was still to
 * complete are completed in the copy. Whoever watched before goes on watching.
 */
export class Capture {
  readonly sink: PacketSink;
  private readonly memory: FrameMemory;
  private readonly scratch = new Uint8Array(65_536 + 256);
  private readonly ends: (() => void)[] = [];

  constructor(memory: FrameMemory, sink: PacketSink) {
    this.memory = memory;
    this.sink = sink;
  }

  /** Captures at a port or device. Answers the number of its interface in the sink. */
  device(device: TappedDevice, options: CaptureOptions = {}): number {
    const id = this.sink.addInterface(describe(device.name, device.medium, options));
    const before = device.tap;
    const tap: Tap = (frame, direction, timeUs) => {
      before?.(frame, direction, timeUs);
      this.take(id, frame, direction, timeUs);
    };
    device.tap = tap;
    this.ends.push(() => {
      if (device.tap === tap) device.tap = before;
    });
    return id;
  }

  /** Captures at both ends of a cable; a packet that is lost on it says why in its comment. */
  link<Reason extends string>(
    link: TappedLink<Reason>,
    a: CaptureOptions = {},
    b: CaptureOptions = {},
  ): void {
    const ids = [this.device(link.a, a), this.device(link.b, b)];
    const before = link.onDrop;
    const onDrop: DropWatcher<Reason> = (frame, reason, timeUs) => {
      before?.(frame, reason, timeUs);
      this.dropped(ids, frame, reason);
    };
    link.onDrop = onDrop;
    this.ends.push(() => {
      if (link.onDrop === onDrop) link.onDrop = before;
    });
  }

  /** Captures at an interface of a host; `now` is the network's clock. */
  interface(iface: TappedInterface, now: () => number, options: CaptureOptions = {}): number {
    const id = this.sink.addInterface(describe(iface.name, iface.device.medium, options));
    iface.setTap((frame, isOutgoing) => this.take(id, frame, isOutgoing ? "out" : "in", now()));
    this.ends.push(() => iface.setTap(undefined));
    return id;
  }

  /** Ends everything that this capture watches. */
  stop(): void {
    for (const end of this.ends.splice(0).reverse()) end();
  }

  private take(id: number, frame: Frame, direction: PacketDirection, timeUs: number): void {
    const { memory, scratch } = this;
    const at = memory.start(frame);
    const length = memory.length(frame);
    if (memory.checksumState(frame) !== CSUM_PARTIAL) {
      this.sink.packet(id, timeUs, direction, memory.bytes, at, length);
      return;
    }
    this.finished(frame);
    this.sink.packet(id, timeUs, direction, scratch, 0, length);
  }

  private dropped(ids: readonly number[], frame: Frame, reason: string): void {
    const { memory, scratch } = this;
    const length = memory.length(frame);
    const partial = memory.checksumState(frame) === CSUM_PARTIAL;
    if (partial) this.finished(frame);
    const bytes = partial ? scratch : memory.bytes;
    const at = partial ? 0 : memory.start(frame);
    const text = `dropped by link: ${reason}`;
    for (const id of ids) if (this.sink.comment(id, bytes, at, length, text)) return;
  }

  /** Copies a frame into the scratch memory and completes its checksum there. */
  private finished(frame: Frame): void {
    const { memory, scratch } = this;
    const at = memory.start(frame);
    const length = memory.length(frame);
    scratch.set(memory.bytes.subarray(at, at + length));
    const start = memory.checksumStart(frame);
    const offset = memory.checksumOffset(frame);
    // The field holds the pseudo-header's sum, so it is part of what is summed.
    let checksum = checksumOf(memory.kernel.sum(start, at + length - start));
    if (checksum === 0 && offset === 6) checksum = 0xffff; // UDP (RFC 768)
    const field = start - at + offset;
    scratch[field] = checksum >>> 8;
    scratch[field + 1] = checksum & 0xff;
  }
}

function describe(
  name: string,
  medium: "ethernet" | "ip",
  options: CaptureOptions,
): CaptureInterface {
  return {
    name: options.name ?? name,
    medium,
    host: options.host ?? "",
    snapLength: options.snapLength ?? 0,
  };
}
