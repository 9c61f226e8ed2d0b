import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImpairedDeviceOptions } from "../../src/devices/impaired-device.ts";
import type { TapDevice } from "../../src/devices/tap/index.ts";
import { Network } from "../../src/network/network.ts";
import { realTime } from "../../src/network/real-time.ts";
import type { SocketHost } from "../../src/sockets/socket-host.ts";
import { assertNoLeaks } from "./leak-check.ts";
import { type CommandResult, Namespace } from "./netns.ts";

/** Addresses of the two ends. */
export const KERNEL4 = "10.9.0.1";
export const KERNEL6 = "fd00:9::1";
export const OURS4 = "10.9.0.2";
export const OURS6 = "fd00:9::2";

export interface KernelPairOptions {
  readonly offload?: boolean;
  readonly tun?: boolean;
  readonly mtu?: number;
  /** Trouble on the way, in our own device: this kernel has no netem. */
  readonly impairment?: ImpairedDeviceOptions;
}

/** One of our hosts and the real kernel, joined by a TAP device, in a namespace of their own. */
export class KernelPair {
  readonly net: Network;
  readonly host: SocketHost;
  readonly tap: TapDevice;
  readonly kernel: Namespace;
  /** A folder for files, gone at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), "fdx-"));

  private constructor(net: Network, host: SocketHost, tap: TapDevice, kernel: Namespace) {
    this.net = net;
    this.host = host;
    this.tap = tap;
    this.kernel = kernel;
  }

  static async open(options: KernelPairOptions = {}): Promise<KernelPair> {
    const { impairment, ...tapOptions } = options;
    const kernel = Namespace.create();
    try {
      const net = new Network({
        clock: realTime(),
        memory: { smallFrames: 8192, largeFrames: 256, pages: 16_384 },
      });
      const host = net.host();
      const tap = await kernel.tap({
        ...tapOptions,
        peers: [`${KERNEL4}/24`, `${KERNEL6}/64`],
      });
      const device = impairment === undefined ? tap : net.impair(tap, impairment);
      host.addInterface(device, { addresses: [`${OURS4}/24`, `${OURS6}/64`] });
      return new KernelPair(net, host, tap, kernel);
    } catch (error) {
      await kernel.close();
      throw error;
    }
  }

  /** A file in the pair's folder; its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /**
   * Runs JavaScript in a Node process on the kernel's side; it ends when
   * nothing is left to do. `net`, `dgram`, `dns` and `log` are at hand.
   */
  node(script: string, timeoutMs?: number): Promise<CommandResult> {
    return this.kernel.run(process.execPath, ["-e", PRELUDE + script], { timeoutMs });
  }

  /** Starts such a process; resolves with what it prints in its first line, as soon as it has. */
  async startNode(script: string): Promise<{
    readonly line: string;
    /** What it has printed in all, once it has ended. */
    readonly output: Promise<string>;
    say(line: string): void;
  }> {
    const child = this.kernel.start(process.execPath, ["-e", PRELUDE + script]);
    let text = "";
    let errors = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout!.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const end = text.indexOf("\n");
        if (end >= 0) resolve(text.slice(0, end));
      });
      child.once("exit", () => reject(new Error(`it ended without a word: ${errors}`)));
    });
    const output = new Promise<string>((resolve) => {
      child.once("close", () => resolve(text + errors));
    });
    return { line, output, say: (words) => child.stdin!.write(`${words}\n`) };
  }

  /** Waits until our side holds no frame and no page any more; throws when something is left over. */
  async checkLeaks(timeoutMs = 3000): Promise<void> {
    const { memory } = this.net;
    const deadline = performance.now() + timeoutMs;
    while (memory.framesInUse + memory.pagesInUse > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertNoLeaks({ memory });
  }

  async close(): Promise<void> {
    this.host.destroy();
    await this.kernel.close();
    this.net.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const PRELUDE = `
const net = require("node:net"), dgram = require("node:dgram"), dns = require("node:dns");
const log = (...words) => console.log(...words);
process.on("uncaughtException", (error) => { console.error(error); process.exit(1); });
`;
