import { createReadStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pc from "picocolors";
import { type AnalyzedConnection, analyzeConnections } from "../trace/analysis/connections.ts";
import { rttPlot, timeSequencePlot, windowPlot } from "../trace/analysis/plots.ts";
import { summaryLines } from "../trace/analysis/summary-text.ts";
import { JsonlReader } from "../trace/jsonl.ts";
import { buildLadder } from "../trace/ladder/build.ts";
import type { Ladder } from "../trace/ladder/model.ts";
import { ladderSvg } from "../trace/ladder/svg.ts";
import { ladderText } from "../trace/ladder/text.ts";
import type { PacketLog } from "../trace/packet-log.ts";
import { readCapture } from "../trace/pcap-reader.ts";
import { Failure } from "./failure.ts";

export interface TraceFlags {
  readonly ladder?: boolean;
  readonly svg?: string;
  readonly plots?: string;
  readonly relative?: boolean;
  readonly options: string;
  readonly port?: number;
  readonly limit: number;
}

/** Shows a capture (pcapng, pcap) or an exported trace (JSON lines): summary, ladder, plots. */
export async function trace(file: string, flags: TraceFlags): Promise<void> {
  if (/\.jsonl?$|\.qlog$/.test(file)) {
    await showTrace(file);
    return;
  }
  const log = open(file);
  const connections = analyzeConnections(log);
  if (flags.svg !== undefined) writeFileSync(flags.svg, ladderSvg(ladderOf(log, flags)));
  if (flags.plots !== undefined) await writePlots(connections, flags.plots, flags.limit);
  process.stdout.write(`${log.count} packets, ${connections.length} TCP connections\n`);
  for (const { summary } of connections.slice(0, flags.limit)) {
    process.stdout.write(`\n${summaryLines(summary).join("\n")}\n`);
  }
  if (flags.ladder !== true) return;
  const width = Math.min(Math.max(process.stdout.columns ?? 100, 60), 160);
  process.stdout.write(
    `\n${ladderText(ladderOf(log, flags), { width, color: pc.isColorSupported })}`,
  );
}

function open(file: string): PacketLog {
  try {
    return readCapture(readFileSync(file));
  } catch (error) {
    throw new Failure(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function ladderOf(log: PacketLog, flags: TraceFlags): Ladder {
  if (!["none", "syn", "all"].includes(flags.options)) {
    throw new Failure(`--options ${flags.options}: there are none, syn and all`);
  }
  return buildLadder(log, undefined, {
    relative: flags.relative ?? false,
    options: flags.options as "none" | "syn" | "all",
    limit: flags.limit,
    ...(flags.port === undefined ? {} : { port: flags.port }),
  });
}

async function writePlots(
  connections: readonly AnalyzedConnection[],
  folder: string,
  limit: number,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const connection of connections.slice(0, limit)) {
    const { id, directions } = connection.summary;
    for (const direction of [0, 1] as const) {
      const { from, to, streamBytes } = directions[direction];
      if (streamBytes === 0) continue;
      const series = connection.series(direction);
      const stem = join(folder, `connection-${id}-${direction === 0 ? "out" : "back"}`);
      const title = `${from} > ${to}`;
      writeFileSync(`${stem}-sequence.svg`, await timeSequencePlot(series, title));
      writeFileSync(`${stem}-window.svg`, await windowPlot(series, title));
      writeFileSync(`${stem}-rtt.svg`, await rttPlot(series, title));
    }
  }
}

/** What a trace holds: events by name, and its connections. */
async function showTrace(file: string): Promise<void> {
  const reader = new JsonlReader();
  for await (const line of createInterface({ input: createReadStream(file) })) reader.line(line);
  const { trace: read } = reader;
  const counts = new Map<string, number>();
  for (const { name } of read.events()) counts.set(name, (counts.get(name) ?? 0) + 1);
  process.stdout.write(
    `${read.length} events of ${read.hosts.join(", ")}; ${read.lost} before them were forgotten\n`,
  );
  for (const [name, count] of [...counts].sort())
    process.stdout.write(`${String(count).padStart(9)}  ${name}\n`);
  for (const c of read.connections) {
    process.stdout.write(`#${c.id} ${c.host}: ${c.local} > ${c.remote}\n`);
  }
}
