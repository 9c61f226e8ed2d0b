/**
 * The commands in a script's backticks. No shell runs: the programs that the public suites call
 * are known by name and mean a change of configuration or a question about the stack's sockets;
 * any other skips the script and is named.
 */
import { join, NO_CHANGE, type SettingsChange, skip } from "./settings-change.ts";
import { applySysctl } from "./sysctl.ts";
import { LINUX_DEFAULTS_SH } from "./sysctl-linux.ts";

/** What `sockstat` shows of one socket. */
export interface SocketLine {
  readonly isIpv4: boolean;
  readonly localPort: number;
  /** As FreeBSD writes it: `TIME_WAIT`. */
  readonly state: string;
}

export interface ShellResult extends SettingsChange {
  /** The command would have failed: its exit status is not 0. */
  readonly failed?: string;
}

export type SocketQuery = () => readonly SocketLine[];

/** Runs the text of one pair of backticks. */
export function runCommand(text: string, sockets: SocketQuery): ShellResult {
  let result: ShellResult = NO_CHANGE;
  for (const line of splitCommands(text)) {
    const one = runPipeline(line, sockets);
    result = { ...join(result, one), failed: one.failed ?? result.failed };
  }
  return result;
}

/** Commands between newlines, `;`, `&&` and `||`, outside quotes and `$(( ))`. */
function splitCommands(text: string): string[] {
  const joined = text.replace(/\\\r?\n/g, " ");
  const commands: string[] = [];
  let current = "";
  let quote = "";
  for (let i = 0; i < joined.length; i++) {
    const char = joined[i]!;
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "#" && /(?:^|\s)$/.test(current)) {
      while (i < joined.length && joined[i] !== "\n") i++;
      commands.push(current);
      current = "";
      continue;
    } else if (char === "\n" || char === ";") {
      commands.push(current);
      current = "";
      continue;
    } else if ((char === "&" || char === "|") && joined[i + 1] === char) {
      commands.push(current);
      current = "";
      i++;
      continue;
    }
    current += char;
  }
  commands.push(current);
  return commands.map((command) => command.trim()).filter((command) => command !== "");
}

function runPipeline(command: string, sockets: SocketQuery): ShellResult {
  const stages = splitPipe(command).map(words);
  const first = stages[0]!;
  if (basename(first[0] ?? "") === "sockstat") return sockstat(stages, sockets, command);
  // The kernel's counters: only asked for, to be looked at by people.
  if (basename(first[0] ?? "") === "nstat") return NO_CHANGE;
  if (/\/proc\/net\/tcp/.test(command)) return procNetTcp(stages, sockets, command);
  if (stages.length > 1) return skip(`the pipeline '${command}' is not known here`);
  return runProgram(first, command);
}

function splitPipe(command: string): string[] {
  const parts: string[] = [""];
  let quote = "";
  for (const char of command) {
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "|") {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += char;
  }
  return parts;
}

/** Words without quotes and redirections; `$((...))` computed. */
function words(command: string): string[] {
  const plain = command
    .replace(/\$\(\(([-+*/() 0-9]+)\)\)/g, (_, sum: string) => String(arithmetic(sum)))
    .replace(/(?:^|\s)[0-9]?>>?\s*(?:&[0-9]|\/dev\/null)/g, " ");
  const list: string[] = [];
  for (const match of plain.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)) {
    list.push(
      match[0].replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ""),
    );
  }
  return list;
}

/** Sums, products and parentheses of integers. */
function arithmetic(text: string): number {
  const tokens = text.match(/[0-9]+|[-+*/()]/g) ?? [];
  let at = 0;
  const factor = (): number => {
    const token = tokens[at++];
    if (token === "-") return -factor();
    if (token !== "(") return Number(token);
    const value = sum();
    at++;
    return value;
  };
  const product = (): number => {
    let value = factor();
    while (tokens[at] === "*" || tokens[at] === "/") {
      value = tokens[at++] === "*" ? value * factor() : Math.trunc(value / factor());
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      value = tokens[at++] === "+" ? value + product() : value - product();
    }
    return value;
  };
  return sum();
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function runProgram(args: readonly string[], command: string): SettingsChange {
  const rest = args.slice(1);
  switch (basename(args[0] ?? "")) {
    case "sysctl":
      return assignments(rest.filter((word) => !word.startsWith("-")));
    case "set_sysctls.py":
      return assignments(rest);
    case "defaults.sh":
      return linuxDefaults(args[0]!);
    case "tc":
      // One without room drops everything.
      if (args.includes("limit") && args[args.indexOf("limit") + 1] === "0") {
        return skip(`'${command}': a queueing discipline is the kernel's`);
      }
      if (args.includes("qdisc") && /\b(?:fq|pfifo|pfifo_fast|noqueue)\b|\bdel\b/.test(command)) {
        return NO_CHANGE;
      }
      return skip(`'${command}': a queueing discipline is the kernel's`);
    case "ethtool":
    case "sleep":
    case "true":
    case ":":
    case "set":
    case "sync":
      return NO_CHANGE;
    case "tcpdrop":
      if (rest[0] === "-s" && rest[1] === "TIME_WAIT" && rest.length === 2) {
        return { dropTimeWait: true };
      }
      return skip(`'${command}': only TIME_WAIT can be dropped here`);
    case "ip":
      return ipCommand(rest, command);
    case "echo":
      return echo(rest, command);
    case "kldload":
    case "kldstat":
      return /\b(?:cc_newreno|cc_cubic|newreno|cubic)\b/.test(command)
        ? NO_CHANGE
        : skip(`'${command}': kernel modules do not apply`);
    default:
      return skip(`the program '${args[0] ?? command}' is not known here`);
  }
}

/** The file that the suites share sets more of Fast Open than the kernel's own: listeners need not ask for it. */
function linuxDefaults(path: string): SettingsChange {
  const change = LINUX_DEFAULTS_SH.reduce(
    (sum, [name, value]) => join(sum, applySysctl(name, value)),
    { flush: true } as SettingsChange,
  );
  return path.includes("common/")
    ? join(change, applySysctl("net.ipv4.tcp_fastopen", "0x70403"))
    : change;
}

/** `name=value` words; a name alone is only asked for. */
function assignments(list: readonly string[]): SettingsChange {
  let change = NO_CHANGE;
  for (const word of list) {
    const equals = word.indexOf("=");
    if (equals > 0) {
      change = join(change, applySysctl(word.slice(0, equals), word.slice(equals + 1)));
    }
  }
  return change;
}

function ipCommand(args: readonly string[], command: string): SettingsChange {
  const list = args.filter((word) => !word.startsWith("-"));
  if (list[0] === "tcp_metrics" && list[1] === "flush") return { flush: true };
  if (list[0] === "route" && list[1] === "flush") return { flush: true };
  const mtu = list.indexOf("mtu");
  if (list[0] === "link" && list[1] === "set" && mtu > 0) return { mtu: Number(list[mtu + 1]) };
  return skip(`'${command}': this route or link setting is not known here`);
}

/** `echo VALUE > /proc/sys/...`, and module parameters. */
function echo(args: readonly string[], command: string): SettingsChange {
  const target = />\s*(\S+)/.exec(command)?.[1] ?? "";
  if (target === "") return NO_CHANGE;
  const value = args[0] ?? "";
  if (target.startsWith("/proc/sys/")) return applySysctl(target, value);
  switch (basename(target)) {
    case "hystart_detect":
      return Number(value) === 0 ? { tcp: { hystart: false } } : NO_CHANGE;
    case "hystart":
      return { tcp: { hystart: Number(value) !== 0 } };
    default:
      return skip(`'${command}': this parameter is not known here`);
  }
}

const PROC_STATES: Readonly<Record<string, string>> = { "01": "ESTABLISHED", "0A": "LISTEN" };

/** `grep " 0A " /proc/net/tcp ... | grep ":1F90"`: is there a socket in this state, at this port? */
function procNetTcp(
  stages: readonly (readonly string[])[],
  query: SocketQuery,
  command: string,
): ShellResult {
  let lines = query();
  for (const stage of stages) {
    const pattern = (stage.find((word, i) => i > 0 && !word.startsWith("-")) ?? "").trim();
    const state = PROC_STATES[pattern];
    const port = /^:([0-9A-F]{4})$/.exec(pattern)?.[1];
    if (basename(stage[0] ?? "") !== "grep" || (state === undefined && port === undefined)) {
      return skip(`the pipeline '${command}' is not known here`);
    }
    lines = lines.filter((line) =>
      state !== undefined
        ? line.state === state
        : line.localPort === Number.parseInt(port ?? "", 16),
    );
  }
  return lines.length > 0 ? NO_CHANGE : { failed: `'${command}' found no socket` };
}

/**
 * `sockstat ... | grep X | grep -c STATE | grep N`: counts the sockets in a state. grep succeeds
 * when a line matched, so the pipeline asks whether the count contains the digits N.
 */
function sockstat(
  stages: readonly (readonly string[])[],
  query: SocketQuery,
  command: string,
): ShellResult {
  const args = stages[0]!;
  const port = args.indexOf("-p");
  let lines = query().filter(
    (line) =>
      (!args.includes("-4") || line.isIpv4) &&
      (!args.includes("-6") || !line.isIpv4) &&
      (port < 0 || args[port + 1]!.split(",").map(Number).includes(line.localPort)),
  );
  let count: number | undefined;
  for (const stage of stages.slice(1)) {
    if (basename(stage[0] ?? "") !== "grep")
      return skip(`the pipeline '${command}' is not known here`);
    const pattern = stage[stage.length - 1]!;
    if (count !== undefined) {
      if (String(count).includes(pattern)) continue;
      return { failed: `'${command}' counted ${count}, not ${pattern}` };
    }
    // The process is always called packetdrill there.
    if (!"packetdrill".startsWith(pattern)) {
      lines = lines.filter((line) => line.state.includes(pattern));
    }
    if (stage.includes("-c")) count = lines.length;
  }
  if (count === undefined && lines.length === 0) return { failed: `'${command}' found no socket` };
  return NO_CHANGE;
}
