import { createJsKernel } from "../base/js-kernel.ts";
import type { MemoryKernel } from "../base/memory-kernel.ts";
import { createWasmKernel } from "./wasm-kernel.ts";

/** The fastest kernel that runs here, over a memory of at least `bytes` bytes. */
export function createKernel(bytes: number): MemoryKernel {
  return createWasmKernel(bytes) ?? createJsKernel(bytes);
}
