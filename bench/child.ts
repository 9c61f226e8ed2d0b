/** Runs one benchmark and prints its outcome as a line of JSON. */
import { BENCHES } from "./catalog.ts";
import { cpuShare } from "./support/samples.ts";

const name = process.argv[2]!;
// Before the stack is loaded, which looks for WebAssembly once.
const bench = BENCHES.find((candidate) => candidate.name === name);
if (bench?.withoutWasm === true) Reflect.deleteProperty(globalThis, "WebAssembly");
const calibrators = await import("./workloads/calibrators.ts");

if (name === "node-net") {
  console.log(JSON.stringify(await calibrators.nodeNet()));
} else {
  const memcpyChecksum = await calibrators.memcpyChecksum();
  const outcome = await bench!.run();
  const extra = { ...outcome.extra, cpuShare };
  console.log(JSON.stringify({ ...outcome, extra, memcpyChecksum }));
}
process.exit(0);
