import type { Frame } from "../base/frame-memory.ts";

/** Why a device dropped a frame. */
export type DropReason =
  /** The link was down, or was cut while the frame was on it. */
  | "down"
  /** Nobody is attached to the other end. */
  | "detached"
  /** Longer than the MTU allows. */
  | "oversize"
  /** Shorter than an Ethernet header. */
  | "runt"
  /** The queue in front of a bottleneck was full. */
  | "queue"
  /** CoDel decided so (RFC 8289). */
  | "codel"
  /** Lost at random, by plan or in a burst, as the impairment says. */
  | "loss"
  /** No frame was free for a copy that was to be changed. */
  | "memory"
  /** The device was closed with the frame in it. */
  | "closed";

/** Told of each frame that is dropped, before it is released. */
export type DropObserver = (frame: Frame, reason: DropReason, timeUs: number) => void;

/** Sees each frame that passes a port: `out` from the host into the device, `in` the other way. Must not keep or change it. */
export type FrameTap = (frame: Frame, direction: "in" | "out", timeUs: number) => void;
