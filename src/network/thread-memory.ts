import { FrameMemory, frameMemoryBytes } from "../base/frame-memory.ts";
import { createKernel } from "../kernel/create-kernel.ts";

let shared: FrameMemory | undefined;

/**
 * The frame memory that all networks of this thread share when they are given
 * none, so that frames pass between their hosts without being copied. Made
 * when first asked for, with the default sizes.
 */
export function threadMemory(): FrameMemory {
  shared ??= new FrameMemory(createKernel(frameMemoryBytes()));
  return shared;
}
