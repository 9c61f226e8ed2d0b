/** Writes docs/scenarios/: a page for each worked example, with its pictures, in both languages. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { actLadder } from "../src/scenarios/ladder.ts";
import { SCENARIOS } from "../src/scenarios/registry.ts";
import { runScenario } from "../src/scenarios/run.ts";
import type { Exhibit, Scenario, ScenarioResult } from "../src/scenarios/scenario.ts";
import { curvesPlot } from "../src/trace/analysis/plots.ts";
import { ladderSvg } from "../src/trace/ladder/svg.ts";
import type { Language } from "../src/trace/ladder/words.ts";

const FOLDER = new URL("../docs/scenarios/", import.meta.url);
const LANGUAGES: readonly Language[] = ["en", "ko"];

const WORDS = {
  en: {
    course: "TCP by its worked examples",
    intro:
      "Each page is a run of the real stack in virtual time: the numbers are what it did, not what somebody drew. Start anywhere; from the first to the last they are a course.",
    run: "Run it yourself",
    settings: "Settings",
    values: "Numbers of this run",
    before: "Before",
    next: "Next",
    all: "All examples",
    other: "한국어",
  },
  ko: {
    course: "예제로 배우는 TCP",
    intro:
      "페이지마다 실제 스택을 가상 시간으로 돌린 결과다. 숫자는 누가 그린 것이 아니라 스택이 실제로 한 일이다. 아무 데서나 시작해도 되고, 처음부터 끝까지 읽으면 하나의 강의가 된다.",
    run: "직접 돌려 보기",
    settings: "설정",
    values: "이번 실행의 숫자",
    before: "이전",
    next: "다음",
    all: "모든 예제",
    other: "English",
  },
} as const;

const pageOf = (scenario: Scenario, language: Language) =>
  language === "en" ? `${scenario.name}.md` : `${scenario.name}.ko.md`;

function write(name: string, text: string): void {
  writeFileSync(new URL(name, FOLDER), text);
}

function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const [head, ...rest] = rows;
  return [line(head), line(head.map(() => "---")), ...rest.map(line)].join("\n");
}

async function exhibitText(exhibit: Exhibit, stem: string, language: Language): Promise<string[]> {
  const out = [`### ${exhibit.title[language]}`, ""];
  if (exhibit.series !== undefined) {
    const file = `${stem}-plot.${language}.svg`;
    write(
      file,
      await curvesPlot(exhibit.series, exhibit.title[language], exhibit.yTitle?.[language] ?? ""),
    );
    out.push(`![${exhibit.title[language]}](${file})`, "");
  }
  if (exhibit.rows !== undefined) out.push(table(exhibit.rows), "");
  if (exhibit.lines !== undefined) out.push("```", ...exhibit.lines, "```", "");
  return out;
}

function valueLines(result: ScenarioResult): string[] {
  return Object.entries(result.values).map(([name, value]) => {
    const shown = Array.isArray(value)
      ? value.map((each) => `\`${each}\``).join(", ")
      : `\`${value}\``;
    return `- ${name}: ${shown}`;
  });
}

async function page(result: ScenarioResult, index: number, language: Language): Promise<string> {
  const { scenario } = result;
  const words = WORDS[language];
  const other: Language = language === "en" ? "ko" : "en";
  const out = [
    `# ${index + 1}. ${scenario.title[language]}`,
    "",
    `[${words.all}](README${language === "en" ? "" : ".ko"}.md) · [${words.other}](${pageOf(scenario, other)})`,
    "",
    scenario.summary[language],
    "",
    `${words.run}: \`fullduplex scenario ${scenario.name}${language === "en" ? "" : " --lang ko"}\``,
    "",
  ];
  for (const [i, act] of result.acts.entries()) {
    const stem = `${scenario.name}-${i + 1}`;
    if (result.acts.length > 1) out.push(`## ${act.title[language]}`, "");
    write(`${stem}.${language}.svg`, ladderSvg(actLadder(act, language), { language }));
    // The picture has the narration too; as text it can be read aloud and searched.
    for (const step of act.steps) out.push(`${step.number}. ${step.text[language]}`);
    if (act.steps.length > 0) out.push("");
    out.push(`![${act.title[language]}](${stem}.${language}.svg)`, "");
    for (const exhibit of act.exhibits) out.push(...(await exhibitText(exhibit, stem, language)));
  }
  const settings = Object.entries(scenario.settings ?? {});
  if (settings.length > 0) {
    out.push(`## ${words.settings}`, "");
    for (const [name, { value, help }] of settings) {
      out.push(`- \`--set ${name}=${value}\`: ${help[language]}`);
    }
    out.push("");
  }
  out.push(`## ${words.values}`, "", ...valueLines(result), "");
  const before = SCENARIOS[index - 1];
  const next = SCENARIOS[index + 1];
  const links: string[] = [];
  if (before)
    links.push(`${words.before}: [${before.title[language]}](${pageOf(before, language)})`);
  if (next) links.push(`${words.next}: [${next.title[language]}](${pageOf(next, language)})`);
  out.push("---", "", links.join(" · "), "");
  return out.join("\n");
}

mkdirSync(FOLDER, { recursive: true });
for (const file of readdirSync(FOLDER)) rmSync(new URL(file, FOLDER));
for (const [index, scenario] of SCENARIOS.entries()) {
  const result = await runScenario(scenario);
  for (const language of LANGUAGES) {
    write(pageOf(scenario, language), await page(result, index, language));
  }
}
for (const language of LANGUAGES) {
  const words = WORDS[language];
  const list = SCENARIOS.map(
    (scenario, i) => `${i + 1}. [${scenario.title[language]}](${pageOf(scenario, language)})`,
  );
  const other = language === "en" ? "README.ko.md" : "README.md";
  const text = [
    `# ${words.course}`,
    "",
    `[${words.other}](${other})`,
    "",
    words.intro,
    "",
    ...list,
    "",
  ];
  write(language === "en" ? "README.md" : "README.ko.md", text.join("\n"));
}
