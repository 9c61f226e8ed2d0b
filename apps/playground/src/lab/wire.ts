import type { Frame, FrameMemory } from "../../../../src/base/frame-memory.ts";
import type { Cable, CablePort } from "../../../../src/devices/cable.ts";
import type { CableSetup } from "./setup.ts";
import { packetKey, type RecentPackets } from "./recent-packets.ts";

/** A packet on a cable. */
export interface Flying {
  readonly id: number;
  readonly end: "a" | "b";
  readonly sentUs: number;
  /** About when it arrives: the cable does not tell. */
  readonly dueUs: number;
  readonly bytes: number;
  readonly serverPort: number;
  readonly isData: boolean;
  readonly key: string;
  doomed: boolean;
}

/** A cable with eyes and scissors: what is on it, and how to take one packet off. */
export class Wire {
  readonly cable: Cable;
  setup: CableSetup;
  dropped = 0;
  private readonly memory: FrameMemory;
  private readonly flying = { a: new Map<Frame, Flying>(), b: new Map<Frame, Flying>() };
  private readonly freeAtUs = { a: 0, b: 0 };
  private ids = 0;
  private dropNext = false;

  constructor(cable: Cable, setup: CableSetup, memory: FrameMemory) {
    this.cable = cable;
    this.setup = setup;
    this.memory = memory;
  }

  /** Begins to look, when both ends have their owners and captures. */
  watch(packets: RecentPackets): void {
    this.watchPort(this.cable.a, "a", packets);
    this.watchPort(this.cable.b, "b", packets);
    const captured = this.cable.onDrop;
    this.cable.onDrop = (frame, reason, timeUs) => {
      captured?.(frame, reason, timeUs);
      this.dropped++;
      const lost = this.flying.a.get(frame) ?? this.flying.b.get(frame);
      this.flying.a.delete(frame);
      this.flying.b.delete(frame);
      if (lost !== undefined) packets.lost(lost.key, reason);
    };
  }

  private watchPort(port: CablePort, end: "a" | "b", packets: RecentPackets): void {
    const other = end === "a" ? "b" : "a";
    const captured = port.tap;
    const owner = port.sink;
    port.tap = (frame, direction, timeUs) => {
      if (direction === "in" && this.flying[other].get(frame)?.doomed) return;
      captured?.(frame, direction, timeUs);
      if (direction === "out") this.leaves(frame, end, timeUs, packets);
    };
    // One frame arrives at a time; a doomed one is seen by nobody.
    port.sink = {
      receive: (frame) => {
        const arriving = this.flying[other].get(frame);
        this.flying[other].delete(frame);
        if (arriving?.doomed) this.dropped++;
        else owner?.receive(frame);
      },
      writable: () => owner?.writable(),
      linkChanged: (up) => owner?.linkChanged(up),
    };
  }

  private leaves(frame: Frame, end: "a" | "b", nowUs: number, packets: RecentPackets): void {
    const { memory, setup } = this;
    const bytes = memory.length(frame);
    const at = memory.start(frame);
    const beginUs = Math.max(nowUs, this.freeAtUs[end]);
    const endUs = beginUs + (bytes * 8) / setup.mbit;
    // A queue that is full drops it: then the estimate must not grow.
    if ((endUs - nowUs) * setup.mbit < (setup.queue + 2) * 1514 * 8) this.freeAtUs[end] = endUs;
    const all = memory.bytes;
    const tcp = at + 14 + ((all[at + 14] & 15) << 2);
    const ports = [(all[tcp] << 8) | all[tcp + 1], (all[tcp + 2] << 8) | all[tcp + 3]];
    const flying: Flying = {
      id: ++this.ids,
      end,
      sentUs: nowUs,
      dueUs: endUs + setup.delayMs * 1000,
      bytes,
      serverPort: Math.min(...ports),
      isData: bytes > 100,
      key: packetKey(all, at),
      doomed: false,
    };
    this.flying[end].set(frame, flying);
    if (this.dropNext) {
      this.dropNext = false;
      this.doom(flying, packets);
    }
  }

  *onWire(): IterableIterator<Flying> {
    yield* this.flying.a.values();
    yield* this.flying.b.values();
  }

  /** Takes a packet off the cable. */
  doom(flying: Flying, packets: RecentPackets): void {
    flying.doomed = true;
    packets.lost(flying.key, "by hand");
  }

  doomNext(): void {
    this.dropNext = true;
  }

  configure(change: Partial<CableSetup>): void {
    this.setup = { ...this.setup, ...change };
    const { mbit, delayMs, loss, queue } = this.setup;
    this.cable.configure({
      bitsPerSecond: mbit * 1e6,
      delayMs,
      loss: loss / 100,
      queue: { packets: queue },
    });
  }

  get queued(): number {
    return Math.max(this.cable.a.lane.queuedPackets, this.cable.b.lane.queuedPackets);
  }
}
