/** Scripts as jobs, for this thread or for several. */
import { readFileSync } from "node:fs";
import { DEFAULT_TCP_SETTINGS, type TcpSettings } from "../tcp/settings.ts";
import { DIALECTS } from "../packetdrill/dialects.ts";
import { type ManifestEntry } from "../packetdrill/manifest.ts";
import { reportOf, type ScriptReport } from "../packetdrill/report.ts";
import { runScript } from "../packetdrill/run.ts";
import type { IpVersion } from "../packetdrill/script-settings.ts";

/** What all scripts of a call share; plain data, so that it can be sent to a thread. */
export interface JobSettings {
  readonly preset: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly define: Readonly<Record<string, string>>;
  readonly strict: boolean;
  readonly strictSegments: boolean;
  readonly trace: boolean;
  readonly ip: IpVersion | undefined;
}

export interface Job {
  readonly index: number;
  readonly path: string;
  readonly entry: ManifestEntry;
}

export function runJob(job: Job, settings: JobSettings): ScriptReport {
  const { path, entry } = job;
  const dialect = DIALECTS[settings.preset]!;
  const version = (entry.ip ?? settings.ip) as IpVersion | undefined;
  if (entry.skip !== undefined) {
    return reportOf(path, [{ version: version ?? "ipv4", status: "skip", message: entry.skip }]);
  }
  const results = runScript(readFileSync(path, "utf8"), {
    tcp: { ...dialect.tcp, ...typed(settings.set), ...typed(entry.set ?? {}) },
    freebsd: dialect.freebsd,
    platform: dialect.platform,
    fastOpenCookies: dialect.fastOpenCookies,
    ignorePush: entry.ignorePush ?? dialect.ignorePush,
    strict: entry.strict ?? settings.strict,
    strictSegments: entry.strictSegments ?? settings.strictSegments,
    versions: dialect.versions,
    definitions: new Map(Object.entries({ ...settings.define, ...entry.define })),
    version,
    trace: settings.trace,
    path,
    ...(entry.toleranceUs === undefined ? {} : { toleranceUs: entry.toleranceUs }),
  });
  return reportOf(path, results);
}

/** Values of `--set`, as the kind of the setting they are for. Throws RangeError for a name that is none. */
export function typed(values: Readonly<Record<string, unknown>>): Partial<TcpSettings> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (!Object.hasOwn(DEFAULT_TCP_SETTINGS, key)) {
      throw new RangeError(`there is no setting '${key}'; src/tcp/settings.ts lists them`);
    }
    const kind = typeof DEFAULT_TCP_SETTINGS[key as keyof TcpSettings];
    const text = String(value);
    if (kind === "boolean") result[key] = text === "true" || text === "1" || text === "on";
    else if (kind === "string") result[key] = text;
    else result[key] = Number(text);
    if (Number.isNaN(result[key])) throw new RangeError(`${key} needs a number, not '${text}'`);
  }
  return result as Partial<TcpSettings>;
}
