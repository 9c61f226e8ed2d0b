/**
 * What can be measured. Names are as stable as an API: results of years are
 * compared by them. Workloads are loaded in the process that runs one, so that
 * none meets the type feedback or the garbage of another.
 */
import type { Outcome } from "./support/samples.ts";

export interface Bench {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** The figure the project wants, and the one after that. */
  readonly must?: number;
  readonly then?: number;
  /** Flags of the process. */
  readonly flags?: readonly string[];
  /** Without WebAssembly, as under some content-security policies. */
  readonly withoutWasm?: boolean;
  /** Not run unless named: takes minutes or much memory. */
  readonly isLong?: boolean;
  run(): Promise<Outcome>;
}

const MB = 1_048_576;
const bulkModule = () => import("./workloads/bulk.ts");
const connectionsModule = () => import("./workloads/connections.ts");
const gbits = { unit: "Gbit/s", higherIsBetter: true };
const perSecond = { unit: "/s", higherIsBetter: true };

export const BENCHES: readonly Bench[] = [
  {
    name: "bulk-1500",
    what: "one connection, MTU 1500, all checksums",
    ...gbits,
    must: 25,
    then: 35,
    run: async () => (await bulkModule()).bulk({}, 128 * MB),
  },
  {
    name: "bulk-1500-js",
    what: "the same without WebAssembly",
    ...gbits,
    must: 12,
    then: 15,
    withoutWasm: true,
    run: async () => (await bulkModule()).bulk({}, 64 * MB),
  },
  {
    name: "bulk-65535",
    what: "MTU 65535, all checksums",
    ...gbits,
    must: 50,
    then: 70,
    run: async () => (await bulkModule()).bulk({ mtu: 65_535 }, 256 * MB),
  },
  {
    name: "bulk-gso",
    what: "trusted cable: super-segments, no checksums",
    ...gbits,
    must: 60,
    then: 100,
    run: async () => (await bulkModule()).bulk({ trusted: true }, 256 * MB),
  },
  ...[
    [16, 20],
    [256, 15],
    [4096, 10],
  ].map(([count, must]) => ({
    name: `many-${count}`,
    what: `${count} connections at once, sum`,
    ...gbits,
    must,
    run: async () => (await bulkModule()).many(count!, 256 * MB),
  })),
  {
    name: "pingpong",
    what: "one byte there and back, callbacks",
    ...perSecond,
    must: 500_000,
    then: 1_000_000,
    run: async () => (await import("./workloads/pingpong.ts")).pingpong(),
  },
  {
    name: "pingpong-promises",
    what: "the same with promises",
    ...perSecond,
    must: 250_000,
    run: async () => (await import("./workloads/pingpong.ts")).pingpongPromises(),
  },
  {
    name: "connect",
    what: "connect and close, virtual time",
    ...perSecond,
    must: 200_000,
    then: 400_000,
    run: async () => (await connectionsModule()).connect(0),
  },
  {
    name: "connect-100k",
    what: "the same beside 100,000 idle connections",
    ...perSecond,
    must: 200_000,
    flags: ["--max-old-space-size=8000"],
    run: async () => (await connectionsModule()).connect(100_000),
  },
  {
    name: "memory-idle",
    what: "memory of an end of an idle connection",
    unit: "bytes",
    higherIsBetter: false,
    must: 1024,
    then: 600,
    flags: ["--expose-gc", "--max-old-space-size=8000"],
    run: async () => (await connectionsModule()).memoryIdle(),
  },
  {
    name: "million",
    what: "connections open in one process",
    unit: "connections",
    higherIsBetter: true,
    must: 1_000_000,
    isLong: true,
    flags: ["--max-old-space-size=16000"],
    run: async () => (await connectionsModule()).million(),
  },
  {
    name: "udp-64",
    what: "datagrams of 64 bytes, sent and read",
    ...perSecond,
    must: 2_000_000,
    run: async () => (await import("./workloads/udp.ts")).udp64(),
  },
  {
    name: "forward-64",
    what: "64-byte packets through a router, with sender and receiver",
    ...perSecond,
    must: 3_000_000,
    run: async () => (await import("./workloads/udp.ts")).forward64(),
  },
  {
    name: "virtual-time",
    what: "1 Gbit/s path of 50 ms, simulated",
    unit: "x real time",
    higherIsBetter: true,
    must: 10,
    run: async () => (await import("./workloads/time.ts")).virtualTime(),
  },
  {
    name: "timer-lateness",
    what: "99th percentile of a 10 ms timer beside a transfer",
    unit: "ms late",
    higherIsBetter: false,
    must: 20,
    run: async () => (await import("./workloads/time.ts")).timerLateness(),
  },
];
