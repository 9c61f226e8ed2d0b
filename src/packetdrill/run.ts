/** Runs the text of a script over the IP versions it is for, and says how it went. */
import type { IpAddress } from "../base/address.ts";
import { FrameMemory, frameMemoryBytes } from "../base/frame-memory.ts";
import { sipHash24 } from "../base/siphash.ts";
import { createKernel } from "../kernel/create-kernel.ts";
import { type Position, type Script, ScriptError } from "./ast.ts";
import { DEFAULT_ADDRESSES } from "./bench.ts";
import { Failure, Skip } from "./outcome.ts";
import { parseScript } from "./parser.ts";
import { ScriptRun } from "./script-run.ts";
import { type IpVersion, type RunOptions, scriptSettings, versionOf } from "./script-settings.ts";
import { parseFastOpenKey } from "../tcp/fast-open.ts";
import { hexText } from "./tcp-option-parser.ts";
import { Transcript } from "./transcript.ts";

export type Status = "ok" | "failed" | "skip";

/** How a script went over one IP version. */
export interface VersionResult {
  readonly version: IpVersion;
  readonly status: Status;
  /** Why not; empty when ok. */
  readonly message: string;
  readonly position?: Position;
  readonly expected?: string;
  readonly actual?: string;
  /** What happened, when a ladder was asked for. */
  readonly ladder?: readonly string[];
  /** What its code printed. */
  readonly printed?: readonly string[];
}

export interface ScriptOptions extends RunOptions {
  readonly definitions: ReadonlyMap<string, string>;
  /** What `#ifdef` takes as defined: `Linux`, `FreeBSD`, `STANDARD`. */
  readonly platform: string;
  /** Words for the Fast Open cookies that these keys make of the addresses. */
  readonly fastOpenCookies?: Readonly<Record<string, string>>;
  /** IP versions over which a script runs that names none. */
  readonly versions: readonly IpVersion[];
  /** Only this version, for scripts that leave it open. */
  readonly version?: IpVersion | undefined;
  /** Ladders of what happened, for scripts that do not pass. */
  readonly trace?: boolean;
  /** Its name; `...v4.pkt` and `...v6.pkt` are for one version. */
  readonly path?: string;
}

/** Enough for the windows that suites open. */
const MEMORY = { smallFrames: 4096, largeFrames: 16, pages: 8192 } as const;

let spare: FrameMemory | undefined;

/** The versions to run a script over. */
export function versionsFor(script: Script, options: ScriptOptions): IpVersion[] {
  const stated = versionOf(script);
  if (stated !== undefined) return [stated];
  if (options.version !== undefined) return [options.version];
  const { path = "" } = options;
  if (path.endsWith("v6.pkt")) return ["ipv6"];
  const { versions } = options;
  return path.endsWith("v4.pkt") ? versions.filter((v) => v !== "ipv6") : [...versions];
}

/** One result per IP version; one for all when the script cannot be read. */
export function runScript(text: string, options: ScriptOptions): VersionResult[] {
  let versions: IpVersion[] = [options.version ?? "ipv4"];
  try {
    versions = versionsFor(parseFor(text, versions[0]!, options), options);
  } catch (error) {
    return [resultOf(versions[0]!, error)];
  }
  const results = versions.map((version) => runVersion(text, version, options));
  // A script that names no version, with an ICMP message of one, is for the versions that have it.
  if (!results.some(({ status }) => status === "ok")) return results;
  return results.map((result) =>
    /^ICMPv[46] has no /.test(result.message) ? { ...result, status: "skip" } : result,
  );
}

function runVersion(text: string, version: IpVersion, options: ScriptOptions): VersionResult {
  const transcript = new Transcript();
  const printed: string[] = [];
  let run: ScriptRun | undefined;
  let result: VersionResult;
  const memory = spare ?? new FrameMemory(createKernel(frameMemoryBytes(MEMORY)), MEMORY);
  spare = undefined;
  try {
    const script = parseFor(text, version, options);
    const settings = scriptSettings(script, version, options);
    run = new ScriptRun({
      script,
      settings,
      memory,
      transcript,
      print: (line) => printed.push(line),
    });
    run.run();
    result = { version, status: "ok", message: "" };
  } catch (error) {
    result = resultOf(version, error);
  }
  // A memory that came back empty serves the next run.
  if (run === undefined || ended(run)) spare = memory;
  if (options.trace === true && result.status === "failed") {
    result = { ...result, ladder: transcript.format() };
  }
  return printed.length === 0 ? result : { ...result, printed };
}

function parseFor(text: string, version: IpVersion, options: ScriptOptions): Script {
  const definitions = new Map([
    ...versionDefinitions(version),
    ...cookieDefinitions(version, options.fastOpenCookies ?? {}),
    ...options.definitions,
  ]);
  return parseScript(text, { definitions, platform: options.platform });
}

function ended(run: ScriptRun): boolean {
  try {
    return run.end();
  } catch {
    return false;
  }
}

function resultOf(version: IpVersion, error: unknown): VersionResult {
  if (error instanceof Skip) return { version, status: "skip", message: error.message };
  if (error instanceof Failure) {
    const { message, position, expected, actual } = error;
    return {
      version,
      status: "failed",
      message,
      position,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    };
  }
  if (error instanceof ScriptError) {
    return { version, status: "failed", message: error.detail, position: error.position };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { version, status: "failed", message: `the stack broke: ${text}` };
}

/** What the suites' runners define for a version. */
function versionDefinitions(version: IpVersion): [string, string][] {
  const ipv4 = version === "ipv4";
  return [
    ["CMSG_LEVEL_IP", ipv4 ? "SOL_IP" : "SOL_IPV6"],
    ["CMSG_TYPE_RECVERR", ipv4 ? "IP_RECVERR" : "IPV6_RECVERR"],
  ];
}

/** The cookies that a server with these keys makes of the default addresses (RFC 7413 §4.1.2). */
function cookieDefinitions(
  version: IpVersion,
  keys: Readonly<Record<string, string>>,
): [string, string][] {
  const { local, remote } = version === "ipv6" ? DEFAULT_ADDRESSES.ipv6 : DEFAULT_ADDRESSES.ipv4;
  return Object.entries(keys).map(([name, key]) => [name, cookieText(key, remote, local)]);
}

function cookieText(key: string, remote: IpAddress, local: IpAddress): string {
  const bytes = new Uint8Array([...remote.toBytes(), ...local.toBytes()]);
  const view = new DataView(bytes.buffer);
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
  const cookie = new Uint8Array(8);
  const out = new DataView(cookie.buffer);
  sipHash24(parseFastOpenKey(key), words).forEach((word, i) => out.setInt32(4 * i, word, true));
  return hexText(cookie);
}
