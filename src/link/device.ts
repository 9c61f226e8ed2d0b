import type { MacAddress } from "../base/mac.ts";
import type { Frame, FrameMemory } from "../base/frame-memory.ts";

/**
 * The device contract: what stands below a host's interface, be it a virtual
 * cable, a TAP device or a VPN tunnel. One of three fences of the design;
 * change it only with a page in docs/decisions.
 */
export interface Device {
  readonly name: string;
  /** ethernet: frames begin with an Ethernet header. ip: with the IP header. */
  readonly medium: "ethernet" | "ip";
  /** The device's own address when it has one; else the interface makes up a locally administered one. */
  readonly mac: MacAddress | undefined;
  /** Largest IP packet in bytes, whatever the medium. */
  readonly mtu: number;
  /** Bytes the device wants free in front of each frame. */
  readonly headroom: number;
  readonly offload: DeviceOffload;
  readonly linkUp: boolean;
  /** Connects the host's side. Called once, when an interface is made on this device. */
  attach(sink: DeviceSink, memory: FrameMemory): void;
  /** Ends the connection made by `attach`. */
  detach(): void;
  /** Frames that `transmit` takes now without dropping. After 0 the device calls `writable` when there is room. */
  room(): number;
  /** Takes ownership of the frame. Never calls the stack back. */
  transmit(frame: Frame): void;
  /** `transmit` of the first `count` of `frames`, in order; there is room for all. Absent: one at a time. */
  transmitRun?(frames: Int32Array, count: number): void;
  /** Which destination addresses the host wants to hear; absent: the device hands over everything. */
  setFilter?(addresses: readonly MacAddress[], promiscuous: boolean): void;
  /** Releases what the device holds outside the stack. */
  close?(): void;
}

/** What a device can do in the stack's place. */
export interface DeviceOffload {
  /** Takes frames marked CSUM_PARTIAL as they are. */
  readonly checksum: boolean;
  /** Most payload bytes of a TCP super-segment it takes; 0: none. */
  readonly gsoMaxBytes: number;
  /** May hand up several wire segments merged into one frame. */
  readonly coalesces: boolean;
}

export const NO_OFFLOAD: DeviceOffload = { checksum: false, gsoMaxBytes: 0, coalesces: false };

/** The host's side, as the device sees it. */
export interface DeviceSink {
  /** Lends a frame that came in; the sink takes a reference to keep it. Never transmits. */
  receive(frame: Frame): void;
  /** `receive` of the first `count` of `frames`, which came together, in order. Absent: one at a time. */
  receiveRun?(frames: Int32Array, count: number): void;
  /** There is room again. */
  writable(): void;
  linkChanged(up: boolean): void;
}
