import { Failure } from "./failure.ts";
import { type HostFlags, openHost } from "./host-options.ts";

/** Looks a name up with the host's own resolver. */
export async function resolve(name: string, flags: HostFlags & { type: string }): Promise<void> {
  const running = await openHost(flags);
  try {
    const found = await running.host.resolve(name, {
      ...(flags.type === "A" ? { family: 4 as const } : {}),
      ...(flags.type === "AAAA" ? { family: 6 as const } : {}),
    });
    if (found.length === 0) throw new Failure(`"${name}" has no address`);
    for (const address of found) process.stdout.write(`${address}\n`);
  } finally {
    await running.close(0);
  }
}
