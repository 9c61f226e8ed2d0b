import type { FrameMemory } from "../../src/base/frame-memory.ts";
import type { Timers } from "../../src/base/timers.ts";

/** What a test used, and must have given back. */
export interface LeakCheckParts {
  readonly memory: FrameMemory;
  readonly timers?: readonly Timers[];
}

/**
 * Throws when frames, buffer pages or timers are still held, and says by whom
 * if `memory.holders` was set. For the end of every test.
 */
export function assertNoLeaks({ memory, timers = [] }: LeakCheckParts): void {
  const leaks: string[] = [];
  if (memory.framesInUse > 0) leaks.push(`${memory.framesInUse} frames${holders(memory)}`);
  if (memory.pagesInUse > 0) leaks.push(`${memory.pagesInUse} pages`);
  const armed = timers.reduce((sum, each) => sum + each.registered, 0);
  if (armed > 0) leaks.push(`${armed} timers`);
  if (leaks.length > 0) throw new Error(`still held: ${leaks.join(", ")}`);
}

function holders(memory: FrameMemory): string {
  if (memory.holders === undefined) return "";
  const lines = [...memory.holders].map(([frame, names]) => `frame ${frame}: ${names.join(" > ")}`);
  return ` (${lines.slice(0, 10).join("; ")})`;
}
