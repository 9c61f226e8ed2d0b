import { execFile } from "node:child_process";
import { TapError } from "./errors.ts";

/** How the kernel's side of a device that we create is set up. */
export interface TapCreateOptions {
  /** Addresses of the kernel's end, with prefix length: "10.9.0.1/24", "fd00:9::1/64". */
  readonly peers?: readonly string[];
  /**
   * Frames the kernel keeps for us; what comes beyond is lost. Default 10,000:
   * the kernel's own 1,000 overflow within a millisecond of a fast sender.
   */
  readonly txQueueLength?: number;
  /** Whether the kernel's end is set up at once. Default true. */
  readonly up?: boolean;
}

export const DEFAULT_TX_QUEUE_LENGTH = 10_000;

/** Sets the kernel's end of a device: queue, MTU, addresses, then up. */
export async function configureKernelSide(
  name: string,
  options: TapCreateOptions,
  mtu: number | undefined,
  netns: string | undefined,
): Promise<void> {
  const queue = options.txQueueLength ?? DEFAULT_TX_QUEUE_LENGTH;
  const link = ["link", "set", "dev", name, "txqueuelen", String(queue)];
  if (mtu !== undefined) link.push("mtu", String(mtu));
  await ip(link, netns);
  for (const peer of options.peers ?? []) {
    const args = ["address", "add", peer, "dev", name];
    // Nobody else is on this link yet, and detection would hold the address back for a second or two.
    if (peer.includes(":")) args.push("nodad");
    await ip(args, netns);
  }
  if (options.up !== false) await ip(["link", "set", "dev", name, "up"], netns);
}

/** Runs iproute2's `ip`. */
function ip(args: readonly string[], netns: string | undefined): Promise<void> {
  const all = netns === undefined ? args : ["-n", netns, ...args];
  return new Promise((resolve, reject) => {
    execFile("ip", all, { encoding: "utf8" }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      if (error.code === "ENOENT") {
        return reject(
          new TapError(
            "ENOENT",
            "the command ip is missing: install iproute2, or configure the interface yourself",
          ),
        );
      }
      reject(new TapError("EINVAL", `ip ${all.join(" ")}: ${stderr.trim() || error.message}`));
    });
  });
}
