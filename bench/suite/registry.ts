import { createJsKernel, FrameMemory, frameMemoryBytes } from "fullduplex";
import { bulk } from "./bulk.ts";
import type { Benchmark } from "./figure.ts";
import {
  connectClose,
  forward64,
  memoryIdle,
  pingpong,
  pingpongPromises,
  timerLateness,
  udp64,
  virtualTimeSpeed,
} from "./small.ts";

/** A detached ArrayBuffer anywhere in the process slows typed arrays down; real programs do that. */
function detachOne(): void {
  const channel = new MessageChannel();
  const buffer = new ArrayBuffer(16);
  channel.port1.postMessage(buffer, [buffer]);
  channel.port1.close();
}

/** Names are as stable as an API. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  "bulk-1500": () => bulk(),
  "bulk-1500-detached": () => {
    detachOne();
    return bulk();
  },
  "bulk-1500-js": () =>
    bulk({ memory: new FrameMemory(createJsKernel(frameMemoryBytes())), total: 300e6 }),
  "bulk-65535": () => bulk({ cable: { mtu: 65_535 }, total: 1e9 }),
  "bulk-gso": () => bulk({ cable: { trusted: true }, total: 1e9 }),
  "many-16": () => bulk({ connections: 16 }),
  "many-256": () => bulk({ connections: 256 }),
  "many-4096": () => bulk({ connections: 4096, runs: 3 }),
  pingpong,
  "pingpong-promises": pingpongPromises,
  connect: () => connectClose(0),
  "connect-100k": () => connectClose(100_000),
  "memory-idle": memoryIdle,
  "udp-64": udp64,
  "forward-64": forward64,
  "virtual-time": virtualTimeSpeed,
  "timer-lateness": timerLateness,
};
