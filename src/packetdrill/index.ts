/** The interpreter of the packetdrill language: scripts against the stack, in virtual time. */
export { ScriptError, type Position, type Script } from "./ast.ts";
export { DIALECTS, type Dialect } from "./dialects.ts";
export { parseScript, type ParseOptions } from "./parser.ts";
export { formatReport, formatSummary, reportOf, type ScriptReport } from "./report.ts";
export { runScript, type ScriptOptions, type Status, type VersionResult } from "./run.ts";
export type { IpVersion } from "./script-settings.ts";
