import type { FrameMemory } from "../base/frame-memory.ts";

/**
 * Below this a loop is faster than a native copy, which needs a view (15-50
 * ns) of the part that is meant.
 */
const LOOP = 64;

/** Application bytes into the frame memory. */
export function copyIn(
  memory: FrameMemory,
  to: number,
  data: Uint8Array,
  offset: number,
  length: number,
): void {
  const bytes = memory.bytes;
  if (length <= LOOP) {
    for (let i = 0; i < length; i++) bytes[to + i] = data[offset + i]!;
  } else if (offset === 0 && length === data.length) {
    bytes.set(data, to);
  } else {
    bytes.set(data.subarray(offset, offset + length), to);
  }
}

/** Bytes of the frame memory to the application. */
export function copyOut(
  memory: FrameMemory,
  from: number,
  into: Uint8Array,
  offset: number,
  length: number,
): void {
  const bytes = memory.bytes;
  if (length <= LOOP) {
    for (let i = 0; i < length; i++) into[offset + i] = bytes[from + i]!;
  } else {
    into.set(bytes.subarray(from, from + length), offset);
  }
}
