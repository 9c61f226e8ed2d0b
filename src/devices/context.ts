import type { FrameMemory } from "../base/frame-memory.ts";
import type { RandomSource } from "../base/random.ts";

/** What a device with a life of its own (a cable, a switch) needs of its network. */
export interface DeviceContext {
  /** Where frames live; the same for all that is plugged together. */
  readonly memory: FrameMemory;
  /** Numbers of its own, so that one device's draws do not shift another's. */
  readonly random: RandomSource;
  /** Microseconds of the network's clock. */
  now(): number;
}
