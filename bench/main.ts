/**
 * npm run bench [-- NAME...] [--json] [--compare FILE] [--save] [--dist DIR]
 * npm run bench -- paths [...]: the path laboratory (bench/paths).
 *
 * Each benchmark runs in a process of its own and prints the median and the
 * spread of its rounds, and beside it what the same machine did in the same
 * minutes with the same bytes: copying and summing them (memcpy + checksum),
 * and node:net over the kernel's loopback.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BENCHES, type Bench } from "./catalog.ts";
import { runPaths } from "./paths/main.ts";
import { median, type Outcome } from "./support/samples.ts";

interface Result {
  readonly bench: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  readonly nodeNet: number;
  readonly memcpyChecksum: number;
  readonly extra: Record<string, number | string>;
}

interface Saved {
  readonly machine: Record<string, string | number>;
  readonly results: readonly Result[];
}

const child = fileURLToPath(new URL("./child.ts", import.meta.url));

function measure(
  name: string,
  flags: readonly string[] = [],
): Outcome & { memcpyChecksum?: number } {
  const run = spawnSync(process.execPath, [...flags, "--import", "tsx", child, name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 900_000,
  });
  if (run.status !== 0) return { samples: [], skipped: `ended with ${run.status ?? run.signal}` };
  return JSON.parse(run.stdout.trim().split("\n").at(-1)!);
}

function figure(value: number): string {
  if (value >= 10_000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Share of its "must" that a figure reaches, absolutely or in proportion to node:net where that is the rule. */
function verdict(bench: Bench, result: Result): string {
  if (bench.must === undefined) return "";
  const ratio = bench.higherIsBetter ? result.median / bench.must : bench.must / result.median;
  return `${ratio >= 1 ? "met" : `${Math.round(ratio * 100)} %`} of ${figure(bench.must)}`;
}

function row(bench: Bench, result: Result, former: Result | undefined): string {
  const spread = `${figure(result.min)} - ${figure(result.max)}`;
  const ratio = bench.unit === "Gbit/s" ? `${(result.median / result.nodeNet).toFixed(1)}x` : "";
  const change =
    former === undefined
      ? ""
      : `${((result.median / former.median - 1) * 100).toFixed(1).padStart(6)} %`;
  const extra = Object.entries(result.extra)
    .map(([key, value]) => `${key} ${typeof value === "number" ? figure(value) : value}`)
    .join(", ");
  return [
    bench.name.padEnd(18),
    figure(result.median).padStart(11),
    bench.unit.padEnd(12),
    spread.padStart(22),
    ratio.padStart(7),
    verdict(bench, result).padStart(18),
    change,
    extra,
  ].join(" ");
}

function machine(): Saved["machine"] {
  let commit = "unknown";
  try {
    commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    // Not a checkout: an unpacked archive.
  }
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit,
    date: new Date().toISOString().slice(0, 10),
    load: rounded(loadavg()[0]!),
  };
}

function main(): number {
  const args = process.argv.slice(2);
  if (args[0] === "paths") return runPaths(args.slice(1));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      compare: { type: "string" },
      save: { type: "boolean", default: false },
      dist: { type: "string" },
    },
  });
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`no benchmark ${unknown.join(", ")}; there are:`);
    for (const bench of BENCHES) console.error(`  ${bench.name.padEnd(18)} ${bench.what}`);
    return 2;
  }
  if (values.dist !== undefined) process.env.FULLDUPLEX_DIST = values.dist;
  const chosen = BENCHES.filter((bench) =>
    positionals.length > 0 ? positionals.includes(bench.name) : bench.isLong !== true,
  );
  const former: Saved | undefined =
    values.compare === undefined ? undefined : JSON.parse(readFileSync(values.compare, "utf8"));
  const nodeNet = median(measure("node-net").samples);
  const here = machine();
  if (!values.json) {
    console.log(
      Object.entries(here)
        .map(([key, value]) => `${key} ${value}`)
        .join(", "),
    );
    console.log(`node:net over loopback ${figure(nodeNet)} Gbit/s`);
  }
  const results: Result[] = [];
  for (const bench of chosen) {
    const outcome = measure(bench.name, bench.flags);
    if (outcome.skipped !== undefined || outcome.samples.length === 0) {
      if (!values.json) console.log(`${bench.name.padEnd(18)} skipped: ${outcome.skipped}`);
      continue;
    }
    const result: Result = {
      bench: bench.name,
      median: rounded(median(outcome.samples)),
      min: rounded(Math.min(...outcome.samples)),
      max: rounded(Math.max(...outcome.samples)),
      unit: bench.unit,
      higherIsBetter: bench.higherIsBetter,
      nodeNet: rounded(nodeNet),
      memcpyChecksum: rounded(outcome.memcpyChecksum ?? 0),
      extra: outcome.extra ?? {},
    };
    results.push(result);
    const before = former?.results.find((other) => other.bench === bench.name);
    console.log(values.json ? JSON.stringify(result) : row(bench, result, before));
  }
  if (values.save) {
    const folder = fileURLToPath(new URL("./results/", import.meta.url));
    mkdirSync(folder, { recursive: true });
    const file = `${folder}${here.date}-${here.commit}.json`;
    writeFileSync(file, `${JSON.stringify({ machine: here, results }, null, 1)}\n`);
    if (!values.json) console.log(`kept in ${file}`);
  }
  return 0;
}

process.exitCode = main();
