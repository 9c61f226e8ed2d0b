/** What is said about scripts: lines for people, objects for programs. */
import { formatIpVersion } from "./script-settings.ts";
import type { Status, VersionResult } from "./run.ts";

/** A script and how it went, over all its IP versions. */
export interface ScriptReport {
  readonly path: string;
  readonly status: Status;
  readonly results: readonly VersionResult[];
}

/** Failed if any version failed; skipped if none could be run. */
export function reportOf(path: string, results: readonly VersionResult[]): ScriptReport {
  const has = (status: Status) => results.some((result) => result.status === status);
  const status = has("failed") ? "failed" : has("ok") ? "ok" : "skip";
  return { path, status, results };
}

/** One line per script, and for what failed what was expected beside what came. */
export function formatReport(report: ScriptReport): string[] {
  const { path, status, results } = report;
  if (status === "ok") {
    const skipped = results.filter((result) => result.status === "skip");
    const over = skipped
      .map((r) => `${formatIpVersion(r.version)} skipped: ${r.message}`)
      .join("; ");
    return [`ok ${path}${over === "" ? "" : ` (${over})`}`];
  }
  if (status === "skip") return [`skip ${path}: ${results[0]?.message ?? "nothing to run"}`];
  const failed = results.filter((result) => result.status === "failed");
  // The same failure over several versions is told once.
  const first = failed[0]!;
  const alike = failed.filter(
    (r) => r.message === first.message && r.position?.line === first.position?.line,
  );
  const versions = alike.map((r) => formatIpVersion(r.version)).join(", ");
  const lines = failureLines(path, first, versions);
  for (const other of failed) {
    if (!alike.includes(other))
      lines.push(...failureLines(path, other, formatIpVersion(other.version), "  "));
  }
  return lines;
}

function failureLines(
  path: string,
  result: VersionResult,
  versions: string,
  indent = "",
): string[] {
  const { position, message, expected, actual, ladder = [] } = result;
  const where = position === undefined ? path : `${path}:${position.line}:${position.column}`;
  const lines = [`${indent}not ok ${where} (${versions}): ${message}`];
  if (expected !== undefined) lines.push(`${indent}    expected: ${expected}`);
  if (actual !== undefined) lines.push(`${indent}    got:      ${actual}`);
  return lines.concat(ladder.map((line) => indent + line));
}

/** `12 passed, 1 failed, 0 skipped` */
export function formatSummary(reports: readonly ScriptReport[]): string {
  const count = (status: Status) => reports.filter((report) => report.status === status).length;
  return `${count("ok")} passed, ${count("failed")} failed, ${count("skip")} skipped`;
}

/** One object per script, for `--json`. */
export function jsonOf(report: ScriptReport): object {
  return { path: report.path, status: report.status, results: report.results };
}
