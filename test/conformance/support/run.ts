import { expect } from "vitest";
import type { TcpSettings } from "../../../src/tcp/settings.ts";
import { DIALECTS } from "../../../src/packetdrill/dialects.ts";
import { formatReport, reportOf } from "../../../src/packetdrill/report.ts";
import { runScript } from "../../../src/packetdrill/run.ts";

/** Runs a script and fails the test with the script's own report, ladder included, unless it passes. */
export function expectPass(
  script: string | readonly string[],
  options: {
    readonly preset?: "default" | "linux" | "freebsd";
    readonly tcp?: Partial<TcpSettings>;
    readonly path?: string;
    readonly strict?: boolean;
  } = {},
): void {
  const { preset = "default", path = "script", strict = true } = options;
  const dialect = DIALECTS[preset]!;
  const text = typeof script === "string" ? script : script.join("\n");
  const results = runScript(text, {
    ...dialect,
    tcp: { ...dialect.tcp, ...options.tcp },
    definitions: new Map(),
    strict,
    strictSegments: false,
    trace: true,
    path,
  });
  const report = reportOf(path, results);
  const told = formatReport(report).join("\n");
  expect(report.status, `${told}\n\n${text}`).toBe("ok");
}
