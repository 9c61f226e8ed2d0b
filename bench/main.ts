/**
 * `npm run bench [-- NAME...] [--json] [--compare FILE] [--save FILE]`: each
 * benchmark in a process of its own, with calibrators of the same run. `paths`
 * is the path laboratory (virtual time; runs only when named).
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runPaths } from "./paths/main.ts";
import { memcpyChecksum, nodeNet } from "./suite/calibrate.ts";
import { median, type Runs } from "./suite/figure.ts";
import { BENCHMARKS } from "./suite/registry.ts";

interface Row {
  readonly bench: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  readonly nodeNet: number;
  readonly memcpyChecksum: number;
  readonly note?: string;
}

const args = process.argv.slice(2);
if (args[0] === "paths") process.exit(runPaths(args.slice(1)));

const { values, positionals } = parseArgs({
  args,
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    child: { type: "string" },
    compare: { type: "string" },
    save: { type: "string" },
  },
});

if (values.child !== undefined) {
  const result = await BENCHMARKS[values.child]!();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
for (const name of names) {
  if (BENCHMARKS[name] === undefined) {
    console.error(`there is no benchmark ${name}: ${Object.keys(BENCHMARKS).join(", ")}, paths`);
    process.exit(2);
  }
}
const calibration = { nodeNet: await nodeNet(), memcpyChecksum: memcpyChecksum() };
const digits = (x: number) => (x >= 1000 ? Math.round(x).toLocaleString("en") : x.toFixed(2));
if (!values.json) {
  console.log(`${cpus()[0]?.model}, Node ${process.version}`);
  console.log(
    `calibrators: node:net loopback ${digits(calibration.nodeNet)} Gbit/s, copy+checksum ${digits(calibration.memcpyChecksum)} Gbit/s`,
  );
}
const before =
  values.compare === undefined
    ? undefined
    : new Map(
        readFileSync(values.compare, "utf8")
          .trim()
          .split("\n")
          .map((text) => JSON.parse(text) as Row)
          .map((row) => [row.bench, row]),
      );
const rows: Row[] = [];
for (const name of names) {
  const row = measure(name);
  if (row === undefined) continue;
  rows.push(row);
  console.log(values.json ? JSON.stringify(row) : lineOf(row, before?.get(name)));
}
if (values.save !== undefined) {
  writeFileSync(values.save, `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`);
}

function measure(name: string): Row | undefined {
  const child = spawnSync(
    process.execPath,
    ["--expose-gc", "--import", "tsx", fileURLToPath(import.meta.url), "--child", name],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], timeout: 180_000 },
  );
  const last = child.stdout.trim().split("\n").at(-1) ?? "";
  if (child.status !== 0 || last === "") {
    console.log(`${name}: failed (${child.signal ?? child.status})`);
    process.exitCode = 1;
    return undefined;
  }
  const result = JSON.parse(last) as Runs & { skipped?: string };
  if (result.skipped !== undefined) {
    console.log(`${name}: skipped, ${result.skipped}`);
    return undefined;
  }
  const { runs, unit, higherIsBetter, note } = result;
  return {
    bench: name,
    median: median(runs),
    min: Math.min(...runs),
    max: Math.max(...runs),
    unit,
    higherIsBetter,
    ...calibration,
    ...(note === undefined ? {} : { note }),
  };
}

function lineOf(row: Row, old: Row | undefined): string {
  const ratio =
    row.unit === "Gbit/s" ? `  ${(row.median / row.nodeNet).toFixed(2)} x node:net` : "";
  const change =
    old === undefined ? "" : `  was ${digits(old.median)} (${(row.median / old.median).toFixed(2)} x)`;
  const note = row.note === undefined ? "" : `  (${row.note})`;
  return `${row.bench.padEnd(20)} ${digits(row.median).padStart(10)} ${row.unit}  [${digits(row.min)} .. ${digits(row.max)}]${ratio}${change}${note}`;
}
