import type { CableOptions, Connection, FrameMemory } from "fullduplex";
import { patternBytes, type Runs } from "./figure.ts";
import { connect, twoHosts } from "./hosts.ts";

const CHUNK = 65_536;
const RING = 16 * CHUNK;
const SOURCE = patternBytes(RING);

export interface BulkOptions {
  readonly cable?: CableOptions;
  readonly memory?: FrameMemory;
  readonly connections?: number;
  /** Bytes of one run, all connections together. */
  readonly total?: number;
  readonly runs?: number;
}

/** One-way bulk transfer, `write` and `readInto` of 64 KB; bytes compared after each run. Gbit/s of application payload. */
export async function bulk(options: BulkOptions = {}): Promise<Runs> {
  const { connections = 1, total = 500e6, runs = 5 } = options;
  const two = twoHosts(options.cable, options.memory);
  const pairs = await connect(two, connections);
  const each = Math.ceil(total / connections / CHUNK) * CHUNK;
  const round = () => Promise.all(pairs.map((pair) => transfer(pair, each)));
  await round(); // warm-up
  const figures: number[] = [];
  for (let n = 0; n < runs; n++) {
    const began = performance.now();
    await round();
    figures.push((each * connections * 8) / (performance.now() - began) / 1e6);
  }
  two.close();
  return { unit: "Gbit/s", higherIsBetter: true, runs: figures };
}

async function transfer([here, there]: [Connection, Connection], total: number): Promise<void> {
  const target = new Uint8Array(Math.min(RING, total));
  const sending = async () => {
    for (let sent = 0; sent < total; sent += CHUNK) {
      const at = sent % RING;
      await here.write(SOURCE.subarray(at, at + CHUNK));
    }
  };
  const receiving = async () => {
    for (let got = 0; got < total; ) {
      const at = got % target.length;
      const n = await there.readInto(
        target.subarray(at, Math.min(at + CHUNK, target.length, at + total - got)),
      );
      if (n === 0) throw new Error(`the connection ended after ${got} of ${total} bytes`);
      got += n;
    }
  };
  await Promise.all([sending(), receiving()]);
  if (Buffer.compare(target, SOURCE.subarray(0, target.length)) !== 0) {
    throw new Error("bytes received differ from those sent");
  }
}
