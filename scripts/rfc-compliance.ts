/**
 * Writes docs/rfc-compliance.md from the titles of the tests: for each numbered
 * requirement of RFC 9293 the tests that name it, and by section the tests of
 * the other RFCs. `--check` only compares. Fails when a MUST has neither a test
 * nor a reason.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { REQUIREMENTS } from "./rfc-requirements.ts";

const PAGE = "docs/rfc-compliance.md";

/** RFCs whose tests are listed by section, and their names. */
const BY_SECTION: readonly (readonly [number, string])[] = [
  [1122, "Requirements for Internet Hosts"],
  [1191, "Path MTU Discovery"],
  [2018, "TCP Selective Acknowledgment Options"],
  [2883, "An Extension to SACK: D-SACK"],
  [3042, "Limited Transmit"],
  [3168, "Explicit Congestion Notification"],
  [4987, "SYN Flooding and Mitigations"],
  [5681, "TCP Congestion Control"],
  [5682, "F-RTO"],
  [5927, "ICMP Attacks against TCP"],
  [5961, "Robustness to Blind In-Window Attacks"],
  [6298, "Computing the Retransmission Timer"],
  [6528, "Defending against Sequence Number Attacks"],
  [6582, "NewReno"],
  [6675, "Loss Recovery Based on SACK"],
  [6928, "Increasing the Initial Window"],
  [7323, "TCP Extensions for High Performance"],
  [7413, "TCP Fast Open"],
  [8985, "RACK-TLP"],
  [9293, "Transmission Control Protocol"],
];

interface Title {
  readonly file: string;
  /** Titles of the describe blocks around it, then its own. */
  readonly chain: readonly string[];
  readonly text: string;
}

function filesUnder(folder: string, end: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name).replaceAll("\\", "/"))
    .sort();
}

/** Names of the function a call is of: `test`, `test.each`, `describe.skip` ... */
function calleeName(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node)) return calleeName(node.expression);
  if (ts.isCallExpression(node)) return calleeName(node.expression);
  if (ts.isTaggedTemplateExpression(node)) return calleeName(node.tag);
  return "";
}

function textOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.templateSpans.reduce(
    (text, span) => `${text}<${span.expression.getText()}>${span.literal.text}`,
    node.head.text,
  );
}

function titlesOf(file: string): Title[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const titles: Title[] = [];
  const visit = (node: ts.Node, chain: readonly string[]): void => {
    let inner = chain;
    // Of `test.each(table)(title, body)` only the outer call has the title.
    if (ts.isCallExpression(node)) {
      const name = calleeName(node.expression);
      const text = textOf(node.arguments[0]);
      if (text !== undefined && (name === "test" || name === "it" || name === "describe")) {
        inner = [...chain, text];
        if (name !== "describe") titles.push({ file, chain: inner, text });
      }
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(source, []);
  return titles;
}

/** A packetdrill script is titled by the comment it begins with. */
function scriptTitle(file: string): Title[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  const text = lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(" ");
  return text === "" ? [] : [{ file, chain: [text], text }];
}

function compareIds(a: string, b: string): number {
  const numbers = (text: string) => text.split(".").map(Number);
  const left = numbers(a);
  const right = numbers(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? -1) - (right[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

const escape = (text: string) =>
  text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const link = (file: string) => `[${file.split("/").at(-1)}](../${file})`;

const titles = [
  ...filesUnder("src", ".test.ts").flatMap(titlesOf),
  ...filesUnder("test", ".test.ts").flatMap(titlesOf),
  ...filesUnder("test/conformance", ".pkt").flatMap(scriptTitle),
];

// Numbered requirements

const open: string[] = [];
const counts = { tested: 0, without: 0 };
const requirementLines = REQUIREMENTS.map(({ id, text, without }) => {
  const named = new RegExp(`\\b${id}\\b`);
  const tests = titles.filter((title) => named.test(title.chain.join(" ")));
  let proof: string;
  if (tests.length > 0) {
    counts.tested++;
    proof = tests
      .map(
        (t) =>
          `${link(t.file)}: ${escape(t.text.replace(/^(?:(?:MUST|SHLD|MAY|REC)-\d+(?:, )?)+[:,]? ?/, ""))}`,
      )
      .join("<br>");
  } else if (without !== undefined) {
    counts.without++;
    proof = `*${escape(without)}*`;
  } else {
    open.push(id);
    proof = "**open**";
  }
  return `| ${id} | ${escape(text)} | ${proof} |`;
});

// By section

const sections = new Map<number, Map<string, Title[]>>();
for (const title of titles) {
  let rfc = 0;
  const found = new Set<string>();
  for (const part of title.chain) {
    for (const match of part.matchAll(/RFC (\d+)|§(\d+(?:\.\d+)*)/g)) {
      if (match[1] !== undefined) rfc = Number(match[1]);
      else if (rfc !== 0) found.add(`${rfc} ${match[2]}`);
    }
  }
  for (const key of found) {
    const [number, section] = key.split(" ") as [string, string];
    let ofRfc = sections.get(Number(number));
    if (ofRfc === undefined) sections.set(Number(number), (ofRfc = new Map()));
    const list = ofRfc.get(section);
    if (list === undefined) ofRfc.set(section, [title]);
    else list.push(title);
  }
}

function sectionTable([rfc, name]: readonly [number, string]): string[] {
  const ofRfc = sections.get(rfc);
  if (ofRfc === undefined) return [];
  const rows = [...ofRfc].sort(([a], [b]) => compareIds(a, b));
  return [
    `### RFC ${rfc}: ${name}`,
    "",
    "| Section | Tests | Where |",
    "|---|---|---|",
    ...rows.map(([section, list]) => {
      const files = [...new Set(list.map((title) => title.file))].sort();
      return `| §${section} | ${list.length} | ${files.map(link).join(", ")} |`;
    }),
    "",
  ];
}

const page = `${[
  "# Conformance",
  "",
  "Written by `npm run docs:rfc` from the titles of the tests: what is named here has a test that",
  "names it, and CI fails when this page and the tests differ. A title with parameters counts once.",
  "",
  "## RFC 9293, Appendix B",
  "",
  `${counts.tested} of ${REQUIREMENTS.length} numbered requirements have tests; ${counts.without} are not implemented or not ours to fulfil, with the reason${open.length > 0 ? `; open: ${open.join(", ")}` : ""}.`,
  "",
  "| Number | What it asks | Proof |",
  "|---|---|---|",
  ...requirementLines,
  "",
  "## By section",
  "",
  ...BY_SECTION.flatMap(sectionTable),
].join("\n")}`;

const openMusts = open.filter((id) => id.startsWith("MUST-"));
if (openMusts.length > 0) {
  console.error(`without a test or a reason: ${openMusts.join(", ")}`);
  process.exitCode = 1;
}
if (process.argv.includes("--check")) {
  if (!existsSync(PAGE) || readFileSync(PAGE, "utf8") !== page) {
    console.error(`${PAGE} is not what the tests say; run "npm run docs:rfc"`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(PAGE, page);
  console.log(
    `${PAGE}: ${counts.tested} tested, ${counts.without} with a reason, ${open.length} open`,
  );
}
