import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { openTap, type TapCreateOptions, type TapDevice } from "../../src/devices/tap/index.ts";

/**
 * Why tests against the kernel cannot run here; undefined when they can. Tests
 * put it into their title, so that a skip says what it lacks.
 */
export const interopObstacle: string | undefined = findObstacle();

function findObstacle(): string | undefined {
  if (process.platform !== "linux") return `needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "needs root";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "needs /dev/net/tun";
  }
  const probe = randomName();
  try {
    execFileSync("ip", ["netns", "add", probe], { stdio: "pipe" });
    execFileSync("ip", ["netns", "del", probe], { stdio: "pipe" });
  } catch (error) {
    return `ip netns add failed: ${(error as Error).message.split("\n").slice(0, 2).join(" ")}`;
  }
  return undefined;
}

/** Why tests that need these programs cannot run; undefined when they can. */
export function missingPrograms(...names: string[]): string | undefined {
  const missing = names.filter((name) => {
    try {
      execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "pipe" });
      return false;
    } catch {
      return true;
    }
  });
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}`;
}

function randomName(): string {
  return `fdx-${randomBytes(4).toString("hex")}`;
}

export interface CommandResult {
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input, which is then closed. Default: closed at once. */
  readonly input?: string | Uint8Array;
  /** Ended by force after this time. Default 60 s. */
  readonly timeoutMs?: number;
}

/** A network namespace of its own: the kernel's side of a test, apart from the machine's interfaces. */
export class Namespace {
  readonly name: string;
  private readonly children = new Set<ChildProcess>();
  private readonly taps: TapDevice[] = [];

  private constructor(name: string) {
    this.name = name;
  }

  /** Makes one with loopback up. `sysctls` are set in it, by their dotted names. */
  static create(sysctls: Record<string, string | number> = {}): Namespace {
    const name = randomName();
    execFileSync("ip", ["netns", "add", name], { stdio: "pipe" });
    const namespace = new Namespace(name);
    execFileSync("ip", ["-n", name, "link", "set", "lo", "up"], { stdio: "pipe" });
    for (const [key, value] of Object.entries(sysctls)) namespace.sysctl(key, value);
    return namespace;
  }

  sysctl(key: string, value: string | number): void {
    const path = `/proc/sys/${key.replaceAll(".", "/")}`;
    const script = `printf %s "$1" > "$2"`;
    execFileSync(
      "ip",
      ["netns", "exec", this.name, "sh", "-c", script, "sh", String(value), path],
      { stdio: "pipe" },
    );
  }

  /** Opens a TAP device whose kernel's end is in this namespace. */
  async tap(
    options: { peers?: readonly string[]; offload?: boolean; tun?: boolean; mtu?: number } & Pick<
      TapCreateOptions,
      "up"
    > = {},
  ): Promise<TapDevice> {
    const { peers, up, ...rest } = options;
    const tap = await openTap({ ...rest, name: "fd%d", netns: this.name, create: { peers, up } });
    this.taps.push(tap);
    return tap;
  }

  /** Starts a program in the namespace; it is ended with it. */
  start(command: string, args: readonly string[] = []): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.name, command, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.children.add(child);
    child.once("exit", () => this.children.delete(child));
    child.stdin.on("error", () => undefined); // it may end before it has read everything
    return child;
  }

  /** Runs a program in the namespace to its end. */
  run(
    command: string,
    args: readonly string[] = [],
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    const child = this.start(command, args);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin!.end(options.input);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        clearTimeout(timer);
        resolve({
          code: code ?? -1,
          stdout: Buffer.concat(stdout).toString(),
          stderr: Buffer.concat(stderr).toString(),
        });
      });
    });
  }

  /** Ends what runs in the namespace, then the namespace itself. */
  async close(): Promise<void> {
    for (const child of this.children) child.kill("SIGKILL");
    for (const tap of this.taps) await tap.close();
    execFileSync("ip", ["netns", "del", this.name], { stdio: "pipe" });
  }
}
