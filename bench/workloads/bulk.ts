/** One-way bulk transfer: `write` and `readInto` of 64 KB each, bytes compared. */
import { randomBytes } from "../support/bytes.ts";
import { type Ends, makePair, openConnections } from "../support/pair.ts";
import { type Outcome, median, rounds, seconds } from "../support/samples.ts";
import type { CableOptions } from "../support/stack.ts";

const CHUNK = 65_536;
/** What is sent is this often repeated; what is received is kept in as much, and compared. */
const RING = 4 * CHUNK;
const source = randomBytes(RING);
const chunks = Array.from({ length: 4 }, (_, i) => source.subarray(i * CHUNK, (i + 1) * CHUNK));

async function send({ here }: Ends, total: number): Promise<void> {
  for (let sent = 0; sent < total; sent += CHUNK) await here.write(chunks[(sent / CHUNK) % 4]!);
}

/** Reads `total` bytes, the last of which stay in `target` at their place. */
async function receive({ there }: Ends, total: number, target: Uint8Array): Promise<void> {
  const parts = Array.from({ length: 4 }, (_, i) => target.subarray(i * CHUNK, (i + 1) * CHUNK));
  for (let received = 0; received < total; ) {
    const at = received % RING;
    const part = parts[at >>> 16]!;
    const from = at & (CHUNK - 1);
    received += await there.readInto(from === 0 ? part : part.subarray(from));
  }
}

/** Sends `total` bytes, a multiple of the ring, and answers how many seconds it took until all were read. */
async function transfer(ends: Ends, total: number): Promise<number> {
  const target = new Uint8Array(RING);
  const start = performance.now();
  await Promise.all([send(ends, total), receive(ends, total, target)]);
  const took = seconds(start);
  if (Buffer.compare(target, source) !== 0) throw new Error("bytes differ from those sent");
  return took;
}

/** Every byte of a transfer compared as it comes; not part of the measurement. */
async function proof(ends: Ends, total: number): Promise<void> {
  const sending = send(ends, total);
  const target = new Uint8Array(CHUNK);
  for (let received = 0; received < total; ) {
    const n = await ends.there.readInto(target);
    for (let i = 0; i < n; i++) {
      if (target[i] !== source[(received + i) % RING]) throw new Error(`byte ${received + i}`);
    }
    received += n;
  }
  await sending;
}

const gbits = (bytes: number, took: number): number => (bytes * 8) / took / 1e9;

/** Gbit/s of application payload over one connection. */
export async function bulk(cable: CableOptions, total: number): Promise<Outcome> {
  const pair = makePair(cable);
  const [ends] = await openConnections(pair, 1);
  const round = async () => gbits(total, await transfer(ends!, total));
  const samples = await rounds(15, round, 4);
  await proof(ends!, 32 * RING);
  // Real programs do detach buffers; it slows all code that knows typed arrays.
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  const detached = median(await rounds(5, round, 1));
  pair.network.close();
  return { samples, extra: { detached } };
}

/** The sum over `count` connections at once, each sending its part of `total`. */
export async function many(count: number, total: number): Promise<Outcome> {
  const pair = makePair();
  const all = await openConnections(pair, count);
  const each = Math.ceil(total / count / RING) * RING;
  const round = async () => {
    const start = performance.now();
    const shared = new Uint8Array(RING);
    const last = all.at(-1)!;
    const own = new Uint8Array(RING);
    await Promise.all(
      all.flatMap((ends) => [send(ends, each), receive(ends, each, ends === last ? own : shared)]),
    );
    const took = seconds(start);
    if (Buffer.compare(own, source) !== 0) throw new Error("bytes differ from those sent");
    return gbits(each * count, took);
  };
  const samples = await rounds(5, round);
  pair.network.close();
  return { samples };
}
