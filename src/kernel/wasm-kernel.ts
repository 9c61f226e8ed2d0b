import type { MemoryKernel } from "../base/memory-kernel.ts";
import { WASM_BASE64 } from "./wasm-binary.ts";

/** A WebAssembly page in bytes. */
const PAGE = 65_536;

/** What is used of the engine, declared here so that no DOM lib is needed. */
interface Engine {
  readonly WebAssembly?: {
    readonly Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
    readonly Module: new (binary: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { exports: unknown };
  };
  readonly atob?: (base64: string) => string;
}

type Exports = Pick<MemoryKernel, "copy" | "sum" | "copySum">;

/**
 * The kernel in WebAssembly SIMD (memory-kernel.wat), over a memory of its own
 * of `bytes` bytes, rounded up to 64 KB. `undefined` when WebAssembly or SIMD is
 * missing, a content-security policy forbids it, or so much memory is not to
 * be had.
 *
 * The memory is made at its final size: growing it would detach its buffer,
 * which slows typed arrays in the whole process. The methods are the module's
 * exports themselves: a function around each costs 4-5 ns a call. For the same
 * reason there is no JavaScript path for short ranges: a call costs 6.5
 * ns, as much as a loop over 8 bytes (`sum` of 20: 7 against 14).
 */
export function createWasmKernel(bytes: number): MemoryKernel | undefined {
  const { WebAssembly, atob } = globalThis as Engine;
  if (WebAssembly === undefined || atob === undefined) return undefined;
  try {
    const pages = Math.ceil(bytes / PAGE);
    const binary = Uint8Array.from(atob(WASM_BASE64), (char) => char.charCodeAt(0));
    const module = new WebAssembly.Module(binary);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(module, { kernel: { memory } });
    const { copy, sum, copySum } = instance.exports as Exports;
    return { name: "wasm-simd", buffer: memory.buffer, copy, sum, copySum };
  } catch {
    return undefined;
  }
}
