import type { Frame, FrameMemory } from "../base/frame-memory.ts";
import { type Device, type DeviceSink, NO_OFFLOAD } from "../link/device.ts";

/** The wire under a script: takes what the stack sends, copied, and hands in what the script says. */
export class ScriptDevice implements Device {
  readonly name = "tun0";
  readonly medium = "ip";
  readonly mac = undefined;
  readonly mtu: number;
  readonly headroom = 0;
  // Bursts are put together by the script's expectations, so segments come one by one.
  readonly offload = NO_OFFLOAD;
  readonly linkUp = true;
  private sink: DeviceSink | undefined;
  private memory: FrameMemory | undefined;
  private readonly onPacket: (bytes: Uint8Array) => void;

  constructor(mtu: number, onPacket: (bytes: Uint8Array) => void) {
    this.mtu = mtu;
    this.onPacket = onPacket;
  }

  attach(sink: DeviceSink, memory: FrameMemory): void {
    this.sink = sink;
    this.memory = memory;
  }

  detach(): void {
    this.sink = undefined;
  }

  room(): number {
    return 0x7fffffff;
  }

  transmit(frame: Frame): void {
    this.onPacket(this.memory!.copyOut(frame));
    this.memory!.release(frame);
  }

  /** A packet from the wire, IP header first. */
  inject(bytes: Uint8Array): void {
    const frame = this.memory!.allocFrom(bytes);
    if (frame === 0) throw new Error("no frame is free for the script's packet");
    this.sink!.receive(frame);
    this.memory!.release(frame);
  }
}
