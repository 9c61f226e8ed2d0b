/**
 * Assembles src/kernel/memory-kernel.wat into src/kernel/wasm-binary.ts.
 * With `--check` it writes nothing and fails when the committed file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const SOURCE = new URL("../src/kernel/memory-kernel.wat", import.meta.url);
const TARGET = new URL("../src/kernel/wasm-binary.ts", import.meta.url);
/** Keeps the embedded kernel a small part of any bundle, and below the 4 KB that some browsers compile synchronously. */
const MAX_BYTES = 2048;

const { parseWat } = await wabt();
const parsed = parseWat("memory-kernel.wat", readFileSync(SOURCE, "utf8"), {
  simd: true,
  bulk_memory: true,
});
parsed.validate();
const binary = parsed.toBinary({}).buffer;
if (binary.length > MAX_BYTES) {
  throw new Error(`the kernel has ${binary.length} bytes, at most ${MAX_BYTES} are allowed`);
}
const base64 = Buffer.from(binary).toString("base64");
const text = `// Generated from memory-kernel.wat by \`npm run build:kernel\`. Do not edit.
// ${binary.length} bytes of WebAssembly.
export const WASM_BASE64 =
  "${base64}";
`;

if (process.argv.includes("--check")) {
  if (readFileSync(TARGET, "utf8") !== text) {
    console.error("src/kernel/wasm-binary.ts is stale: run `npm run build:kernel`.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, text);
  console.log(`src/kernel/wasm-binary.ts: ${binary.length} bytes of WebAssembly`);
}
