/** `fullduplex packetdrill`: runs packetdrill scripts against the stack, in virtual time. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { DIALECTS } from "../packetdrill/dialects.ts";
import { type Manifest, manifestEntry, parseManifest } from "../packetdrill/manifest.ts";
import { formatReport, formatSummary, jsonOf, type ScriptReport } from "../packetdrill/report.ts";
import type { IpVersion } from "../packetdrill/script-settings.ts";
import { type Job, type JobSettings, runJob, typed } from "./packetdrill-jobs.ts";

export const PACKETDRILL_USAGE = `fullduplex packetdrill [options] PATH...

Runs packetdrill scripts (or all .pkt files in a folder) against the stack.

  --preset linux|freebsd|default  what the scripts take for granted (default)
  --set KEY=VALUE                 a TCP setting, repeatable
  -D, --define NAME=VALUE         a word of the scripts, repeatable
  --manifest FILE                 what single scripts need: settings, leniencies, skips
  --ip ipv4|ipv4-mapped-ipv6|ipv6 only this version (scripts that name none run over all)
  --strict                        packets that nobody expected fail a script at its end
  --strict-segments               bursts are not put together before they are compared
  --trace                         a ladder of what happened for each script that fails
  --json                          one object per script
  --jobs N                        threads (as many as there are processors)`;

/** Few scripts are sooner done than threads begun. */
const SCRIPTS_PER_THREAD = 40;

interface Output {
  write(text: string): unknown;
}

/** Runs the command; the exit code: 0 if no script failed, 1 if one did, 2 if the call makes no sense. */
export async function packetdrill(
  args: readonly string[],
  out: Output = process.stdout,
  err: Output = process.stderr,
): Promise<number> {
  let call: ReturnType<typeof readCall>;
  try {
    call = readCall(args);
  } catch (error) {
    err.write(`${(error as Error).message}\n\n${PACKETDRILL_USAGE}\n`);
    return 2;
  }
  if (call === "help") {
    out.write(`${PACKETDRILL_USAGE}\n`);
    return 0;
  }
  const { jobs, settings, json, threads } = call;
  const reports: ScriptReport[] = new Array(jobs.length);
  let shown = 0;
  const finished = (index: number, report: ScriptReport) => {
    reports[index] = report;
    // In order, as soon as all before are there.
    for (; shown < jobs.length && reports[shown] !== undefined; shown++) {
      const next = reports[shown]!;
      const lines = json ? [JSON.stringify(jsonOf(next))] : formatReport(next);
      out.write(`${lines.join("\n")}\n`);
    }
  };
  const count = Math.min(threads, Math.ceil(jobs.length / SCRIPTS_PER_THREAD));
  if (count > 1) await runInThreads(jobs, settings, count, finished);
  else for (const job of jobs) finished(job.index, runJob(job, settings));
  (json ? err : out).write(`${formatSummary(reports)}\n`);
  return reports.some((report) => report.status === "failed") ? 1 : 0;
}

function readCall(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      preset: { type: "string", default: "default" },
      set: { type: "string", multiple: true, default: [] },
      define: { type: "string", short: "D", multiple: true, default: [] },
      manifest: { type: "string" },
      ip: { type: "string" },
      strict: { type: "boolean", default: false },
      "strict-segments": { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      jobs: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help" as const;
  const { preset, ip } = values;
  if (!Object.hasOwn(DIALECTS, preset)) throw new Error(`there is no preset '${preset}'`);
  if (ip !== undefined && !["ipv4", "ipv4-mapped-ipv6", "ipv6"].includes(ip)) {
    throw new Error(`there is no IP version '${ip}'`);
  }
  if (positionals.length === 0) throw new Error("name a script or a folder of scripts");
  const manifest: Manifest =
    values.manifest === undefined
      ? { scripts: {} }
      : parseManifest(readFileSync(values.manifest, "utf8"));
  const settings: JobSettings = {
    preset,
    set: pairs(values.set, "--set"),
    define: pairs(values.define, "-D"),
    strict: values.strict,
    strictSegments: values["strict-segments"],
    trace: values.trace,
    ip: ip as IpVersion | undefined,
  };
  typed(settings.set);
  const threads = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
  if (!Number.isInteger(threads) || threads < 1) throw new Error("--jobs needs a number from 1 on");
  const paths = positionals.flatMap(scriptsAt);
  if (paths.length === 0) throw new Error(`no .pkt files in ${positionals.join(", ")}`);
  const jobs = paths.map((path, index): Job => {
    return { index, path, entry: manifestEntry(manifest, path) };
  });
  return { jobs, settings, json: values.json, threads };
}

function pairs(list: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    list.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) throw new Error(`${option} needs NAME=VALUE, not '${pair}'`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** The script itself, or all scripts below a folder, in order. */
function scriptsAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".pkt"))
    .sort()
    .map((name) => join(path, name));
}

/** Hands each thread the next script as soon as it has done one. */
async function runInThreads(
  jobs: readonly Job[],
  settings: JobSettings,
  count: number,
  finished: (index: number, report: ScriptReport) => void,
): Promise<void> {
  let next = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = startWorker(settings);
      const hand = () => {
        const job = jobs[next++];
        if (job === undefined) void worker.terminate().then(() => resolve());
        else worker.postMessage(job);
      };
      worker.on("message", ({ index, report }: { index: number; report: ScriptReport }) => {
        finished(index, report);
        hand();
      });
      worker.on("error", reject);
      hand();
    });
  await Promise.all(Array.from({ length: count }, work));
}

/** From the built file, or in a checkout from its source, which a thread has to learn to read first. */
function startWorker(settings: JobSettings): Worker {
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./packetdrill-worker.js", import.meta.url), {
      workerData: settings,
    });
  }
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const source = JSON.stringify(new URL("./packetdrill-worker.ts", import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(code, { eval: true, workerData: settings });
}
