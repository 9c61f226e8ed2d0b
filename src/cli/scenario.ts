import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import pc from "picocolors";
import stringWidth from "string-width";
import { actLadder } from "../scenarios/ladder.ts";
import { findScenario, SCENARIOS } from "../scenarios/registry.ts";
import { runScenario } from "../scenarios/run.ts";
import type { ActResult, Exhibit, ScenarioResult } from "../scenarios/scenario.ts";
import { curvesPlot } from "../trace/analysis/plots.ts";
import { exportJsonl } from "../trace/jsonl.ts";
import { ladderSvg } from "../trace/ladder/svg.ts";
import { ladderText } from "../trace/ladder/text.ts";
import { wrapped } from "../trace/ladder/text-row.ts";
import type { Language } from "../trace/ladder/words.ts";
import { pcapngBytes } from "../trace/pcapng-writer.ts";
import { Failure } from "./failure.ts";

export interface ScenarioFlags {
  readonly ladder?: boolean;
  readonly narration?: boolean;
  readonly svg?: string;
  readonly pcapng?: string;
  readonly json?: boolean;
  readonly lang: string;
  readonly set: readonly string[];
  readonly seed: number;
}

/** Lists the scenarios, or plays one and shows it. */
export async function scenario(name: string, flags: ScenarioFlags): Promise<void> {
  const language = languageOf(flags.lang);
  if (name === "list") {
    list(language);
    return;
  }
  const found = findScenario(name);
  if (found === undefined) {
    throw new Failure(`there is no scenario "${name}"; fullduplex scenario list names them all`);
  }
  const result = await runScenario(found, { settings: settingsOf(flags.set), seed: flags.seed });
  if (flags.svg !== undefined) await writeSvgs(result, flags.svg, language);
  if (flags.pcapng !== undefined) writeCaptures(result, flags.pcapng);
  if (flags.json === true) writeJson(result);
  else if (flags.svg === undefined && flags.pcapng === undefined) show(result, language, flags);
}

function languageOf(text: string): Language {
  if (text === "en" || text === "ko") return text;
  throw new Failure(`--lang ${text}: there are en and ko`);
}

function settingsOf(pairs: readonly string[]): Record<string, number> {
  const settings: Record<string, number> = {};
  for (const pair of pairs) {
    const [name, value] = pair.split("=");
    const number = Number(value);
    if (name === "" || value === undefined || value === "" || !Number.isFinite(number)) {
      throw new Failure(`--set ${pair}: write it as name=number, such as loss=0.05`);
    }
    settings[name] = number;
  }
  return settings;
}

function list(language: Language): void {
  const longest = Math.max(...SCENARIOS.map(({ name }) => name.length));
  for (const { name, title, settings } of SCENARIOS) {
    const names = Object.keys(settings ?? {}).join(", ");
    const tail = names === "" ? "" : pc.dim(`  --set ${names}`);
    process.stdout.write(`${pc.bold(name.padEnd(longest))}  ${title[language]}${tail}\n`);
  }
}

function show(result: ScenarioResult, language: Language, flags: ScenarioFlags): void {
  const width = Math.min(Math.max(process.stdout.columns ?? 100, 60), 140);
  const out = (text: string) => process.stdout.write(text);
  const { scenario: played, acts, values } = result;
  out(`${pc.bold(played.title[language])}\n\n`);
  out(`${wrapped(played.summary[language], width).join("\n")}\n\n`);
  for (const act of acts) {
    const ladder = actLadder(act, language, { narration: flags.narration ?? true });
    out(`${ladderText(ladder, { width, color: pc.isColorSupported, language })}\n`);
    const shown = ladder.items.filter((item) => item.kind === "arrow").length;
    if (shown === act.limit) out(pc.dim(`(the first ${shown} packets; --pcapng has them all)\n\n`));
    for (const exhibit of act.exhibits) out(exhibitText(exhibit, language));
  }
  for (const [name, value] of Object.entries(values)) {
    const items = Array.isArray(value) ? value : [value];
    out(
      `${pc.dim(`${name}:`)} ${items.join(items.some((each) => String(each).includes(" ")) ? "\n  " : ", ")}\n`,
    );
  }
}

/** A table, bytes; curves need a picture. */
function exhibitText(exhibit: Exhibit, language: Language): string {
  const lines = [pc.bold(exhibit.title[language])];
  if (exhibit.rows !== undefined) {
    const widths = exhibit.rows[0].map((_, i) =>
      Math.max(...exhibit.rows!.map((row) => stringWidth(row[i]))),
    );
    for (const row of exhibit.rows) {
      lines.push(row.map((cell, i) => cell + " ".repeat(widths[i] - stringWidth(cell))).join("  "));
    }
  }
  lines.push(...(exhibit.lines ?? []));
  return `${lines.join("\n")}\n\n`;
}

/** FILE for the first act, FILE-2 and so on for the others; plots as FILE-plot. */
async function writeSvgs(result: ScenarioResult, file: string, language: Language): Promise<void> {
  for (const [i, act] of result.acts.entries()) {
    write(numbered(file, i), ladderSvg(actLadder(act, language), { language }));
    for (const exhibit of act.exhibits) {
      if (exhibit.series === undefined) continue;
      const { title, yTitle } = exhibit;
      const svg = await curvesPlot(exhibit.series, title[language], yTitle?.[language] ?? "");
      write(file.replace(/(\.svg)?$/, "-plot.svg"), svg);
    }
  }
}

function writeCaptures(result: ScenarioResult, file: string): void {
  result.acts.forEach((act: ActResult, i) => write(numbered(file, i), pcapngBytes(act.log)));
}

function numbered(file: string, index: number): string {
  return index === 0 ? file : file.replace(/(\.[a-z]+)?$/, `-${index + 1}$1`);
}

function write(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  process.stderr.write(`${file}\n`);
}

/** The values, then each act's trace, a line each. */
function writeJson(result: ScenarioResult): void {
  const { scenario: played, settings, values, acts } = result;
  process.stdout.write(`${JSON.stringify({ scenario: played.name, settings, values })}\n`);
  for (const act of acts) {
    process.stdout.write(`${JSON.stringify({ act: act.title, steps: act.steps })}\n`);
    for (const line of exportJsonl(act.trace)) process.stdout.write(`${line}\n`);
  }
}
