import { setTimeout as sleep } from "node:timers/promises";
import { Failure, sentence } from "./failure.ts";
import { type HostFlags, openHost } from "./host-options.ts";

export interface PingFlags extends HostFlags {
  readonly count: number;
  readonly interval: number;
  readonly size: number;
  readonly timeout: number;
}

/** Echo requests, a line for each answer, and a summary as one knows it. */
export async function ping(name: string, flags: PingFlags): Promise<void> {
  const running = await openHost(flags);
  try {
    const [address] = await running.host.resolve(name);
    if (address === undefined) throw new Failure(`"${name}" has no address`);
    process.stdout.write(`PING ${name} (${address}) ${flags.size} bytes of data\n`);
    const times: number[] = [];
    for (let n = 1; n <= flags.count; n++) {
      if (n > 1) await sleep(flags.interval * 1000);
      try {
        const reply = await running.host.ping(address, {
          size: flags.size,
          timeout: flags.timeout * 1000,
        });
        times.push(reply.timeMs);
        process.stdout.write(
          `${reply.size + 8} bytes from ${reply.address}: seq=${n} ttl=${reply.ttl} time=${reply.timeMs.toFixed(3)} ms\n`,
        );
      } catch (error) {
        process.stdout.write(`seq=${n} ${sentence(error)}\n`);
      }
    }
    summary(name, flags.count, times);
    if (times.length === 0) process.exitCode = 1;
  } finally {
    await running.close();
  }
}

function summary(name: string, sent: number, times: readonly number[]): void {
  const lost = sent === 0 ? 0 : Math.round((100 * (sent - times.length)) / sent);
  process.stdout.write(`--- ${name} ---\n${sent} sent, ${times.length} received, ${lost} % lost\n`);
  if (times.length === 0) return;
  const mean = times.reduce((sum, t) => sum + t, 0) / times.length;
  process.stdout.write(
    `min/avg/max ${Math.min(...times).toFixed(3)}/${mean.toFixed(3)}/${Math.max(...times).toFixed(3)} ms\n`,
  );
}
