/**
 * Nanoseconds per call of the two kernels: `npx tsx bench/micro/kernel.ts`.
 * Data in the first-level cache up to 16 KB. Each figure is the lower quartile
 * of rounds that interleave everything measured, so that a busy machine bends
 * all rows alike.
 */
import { createJsKernel } from "../../src/base/js-kernel.ts";
import type { MemoryKernel } from "../../src/base/memory-kernel.ts";
import { createWasmKernel } from "../../src/kernel/wasm-kernel.ts";

const LENGTHS = [0, 8, 20, 40, 64, 256, 1448, 1460, 4096, 16_384, 65_536];
const ROUNDS = 21;
const BYTES_PER_ROUND = 3e6;
const MAX_CALLS = 8000;
const SRC = 2048;
/** Not a multiple of 16 away, as a payload behind its headers mostly is. */
const DST = (1 << 20) + 66;

type Run = (calls: number, length: number) => number;

/** One loop for each kernel and operation, so that each sees one call target only. */
function loops(kernel: MemoryKernel): [string, Run][] {
  const make = (body: string): Run =>
    new Function(
      "kernel",
      `return (calls, length) => {
        let sum = 0;
        for (let i = 0; i < calls; i++) { const src = ${SRC} + ((i & 7) << 2); ${body}; }
        return sum;
      }`,
    )(kernel) as Run;
  return [
    [`${kernel.name} sum`, make("sum += kernel.sum(src, length)")],
    [`${kernel.name} copySum`, make(`sum += kernel.copySum(${DST}, src, length)`)],
    [`${kernel.name} copy`, make(`kernel.copy(${DST}, src, length)`)],
  ];
}

const size = 2 << 20;
const wasm = createWasmKernel(size);
if (wasm === undefined) console.log("no WebAssembly SIMD here");
const subjects = [...(wasm === undefined ? [] : loops(wasm)), ...loops(createJsKernel(size))].map(
  ([name, run]) => ({ name, run, ns: LENGTHS.map((): number[] => []) }),
);

for (let round = 0; round < ROUNDS; round++) {
  for (const { run, ns } of subjects) {
    LENGTHS.forEach((length, i) => {
      const calls = Math.min(MAX_CALLS, Math.ceil(BYTES_PER_ROUND / (length + 1)));
      const start = performance.now();
      run(calls, length);
      ns[i].push(((performance.now() - start) * 1e6) / calls);
    });
  }
}

const lowerQuartile = (values: number[]): number =>
  values.sort((a, b) => a - b)[values.length >> 2];
console.log("ns per call".padEnd(18) + LENGTHS.map((n) => String(n).padStart(9)).join(""));
for (const { name, ns } of subjects) {
  console.log(
    name.padEnd(18) + ns.map((values) => lowerQuartile(values).toFixed(1).padStart(9)).join(""),
  );
}
