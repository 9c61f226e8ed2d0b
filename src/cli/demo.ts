import { createHash } from "node:crypto";
import pc from "picocolors";
import { serveHttp } from "../services/http-server.ts";
import { virtualTime } from "../sim/virtual-time.ts";
import { fetchHttp } from "./http-client.ts";
import { Capture } from "../trace/capture.ts";
import { buildLadder } from "../trace/ladder/build.ts";
import { ladderText } from "../trace/ladder/text.ts";
import { PacketLog } from "../trace/packet-log.ts";
import { Recorder } from "../trace/recorder.ts";
import { Failure } from "./failure.ts";
import { buildLan } from "./lan.ts";

export interface DemoFlags {
  readonly loss: number;
  readonly size: number;
  readonly seed: number;
}

/** One download across the virtual LAN with loss: the bytes are compared, and what happened is shown. */
export async function demo(flags: DemoFlags): Promise<void> {
  const clock = virtualTime();
  const lan = buildLan({ clock, seed: flags.seed, loss: flags.loss, delayMs: 5 });
  const file = new Uint8Array(flags.size);
  for (let i = 0, x = flags.seed | 1; i < file.length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    file[i] = x >>> 16;
  }
  const recorder = new Recorder();
  const log = new PacketLog();
  const capture = new Capture(lan.network.memory, log);
  for (const host of [lan.client, lan.server]) {
    host.tcp.tracer = recorder.tracer(host.name, lan.network);
    const now = () => lan.network.now();
    capture.interface(host.interface("eth0")!, now, { host: host.name });
  }
  const listener = await lan.server.listen({ port: 80 });
  void serveHttp(listener, () => ({ status: 200, body: file }));
  let firstUs = 0;
  let lastUs = 0;
  const began = performance.now();
  const got = await clock.settle(
    (async () => {
      const response = await fetchHttp(lan.client, new URL("http://server/file"));
      firstUs = clock.now();
      const parts: Uint8Array[] = [];
      for await (const part of response.body) parts.push(part.slice());
      lastUs = clock.now();
      return Buffer.concat(parts);
    })(),
  );
  const tookUs = clock.now();
  await clock.advance(1000);
  const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  if (hash(got) !== hash(file)) throw new Failure("the bytes that arrived are not those sent");
  const { tcpRetransSegs, tcpOutSegs, tcpTimeouts, tcpFastRetrans } = lan.server.counters;
  const picture = (title: string, fromUs: number, toUs: number) =>
    ladderText(
      buildLadder(log, recorder.read(), {
        title,
        order: [lan.client.name, lan.server.name],
        protocols: ["tcp"],
        marks: ["state"],
        fromUs,
        toUs,
        limit: 12,
        relative: true,
      }),
      { color: process.stdout.isTTY, width: Math.min(process.stdout.columns ?? 100, 120) },
    );
  process.stdout.write(`${picture("The handshake and the first data", 0, firstUs + 12_000)}\n`);
  process.stdout.write(`${picture("The close", lastUs - 1, clock.now())}\n`);
  const lines = [
    `${file.length} bytes over a line that loses ${flags.loss * 100} % of all frames: ${pc.green("equal")} (sha256 ${hash(got)}...)`,
    `virtual time ${(tookUs / 1e6).toFixed(3)} s, real time ${((performance.now() - began) / 1000).toFixed(3)} s`,
    `segments sent by the server ${tcpOutSegs}, of these again ${tcpRetransSegs} (recoveries ${tcpFastRetrans}, timeouts ${tcpTimeouts})`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  listener.close();
  lan.network.close();
}
