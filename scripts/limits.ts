/**
 * Writes docs/limits.md: every setting with its default, unit and meaning,
 * taken from the source, so that the page cannot drift. `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import ts from "typescript";
import { hostConfig } from "../src/host/config.ts";
import { DEFAULT_SOCKET_SETTINGS } from "../src/sockets/environment.ts";

interface Source {
  readonly title: string;
  readonly intro: string;
  readonly file: string;
  readonly type: string;
  readonly values: Record<string, unknown>;
}

const config = hostConfig() as unknown as Record<string, unknown>;
const SOURCES: Source[] = [
  {
    title: "TCP",
    intro:
      '`net.host({ config: { tcp: { ... } } })`; what is marked "Socket" also by socket options.',
    file: "src/tcp/settings.ts",
    type: "TcpSettings",
    values: config["tcp"] as Record<string, unknown>,
  },
  {
    title: "IP",
    intro: "`net.host({ config: { ... } })`.",
    file: "src/ip/settings.ts",
    type: "IpSettings",
    values: config,
  },
  {
    title: "Link and neighbors",
    intro: "`net.host({ config: { ... } })`.",
    file: "src/link/settings.ts",
    type: "LinkSettings",
    values: config,
  },
  {
    title: "Sockets",
    intro: "Given when a host is made.",
    file: "src/sockets/environment.ts",
    type: "SocketSettings",
    values: DEFAULT_SOCKET_SETTINGS as unknown as Record<string, unknown>,
  },
  {
    title: "Frame memory",
    intro:
      "`new Network({ memory: { ... } })`; all hosts of a thread share one. Memory that is not touched costs nothing. When frames run out, what asked for one is dropped or waits, and `memoryFailures` counts it; when pages run out, in-window data is dropped unacknowledged (`tcpRcvMemoryDrops`) and writers wait.",
    file: "src/base/frame-memory.ts",
    type: "FrameMemoryOptions",
    values: {},
  },
];

function comment(node: ts.Node, text: string): string {
  const ranges = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  return ranges
    .map((range) => text.slice(range.pos, range.end))
    .filter((part) => part.startsWith("/**"))
    .join(" ")
    .replaceAll(/^\/\*\*|\*\/$/g, "")
    .replaceAll(/\n\s*\*/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll("|", "\\|")
    .trim();
}

function shown(name: string, value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "number") return `\`${String(value)}\``;
  if (!name.endsWith("Us")) return value.toLocaleString("en");
  if (value === Number.POSITIVE_INFINITY) return "never";
  if (value >= 1_000_000) return `${value / 1_000_000} s`;
  return value >= 1000 ? `${value / 1000} ms` : `${value} us`;
}

function table(source: Source): string {
  const text = readFileSync(source.file, "utf8");
  const file = ts.createSourceFile(source.file, text, ts.ScriptTarget.Latest, true);
  const rows: string[] = [];
  file.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== source.type) return;
    for (const member of node.members) {
      const name = member.name?.getText(file) ?? "";
      rows.push(`| \`${name}\` | ${shown(name, source.values[name])} | ${comment(member, text)} |`);
    }
  });
  if (rows.length === 0) throw new Error(`${source.type} is not in ${source.file}`);
  return `## ${source.title}\n\n${source.intro}\n\n| setting | default | meaning |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

const page = `# Limits and defaults

Every value that bounds or times something, with its default. Times are
microseconds in the settings (suffix \`Us\`) and are written here in the unit
that reads best; sizes are bytes unless they count something. This page is
made from the source by \`npm run docs:limits\`.

${SOURCES.map(table).join("\n")}`;

const path = "docs/limits.md";
if (process.argv.includes("--check")) {
  if (readFileSync(path, "utf8") !== page) {
    console.error(`${path} is not what the source says: run npm run docs:limits`);
    process.exit(1);
  }
} else writeFileSync(path, page);
