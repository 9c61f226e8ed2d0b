/** Runs what a program does on Node's own network and on a host of ours: it must see the same. */
import nodeDgram from "node:dgram";
import nodeDns from "node:dns";
import nodeNet from "node:net";
import { expect, test } from "vitest";
import { bindNode } from "../../src/adapters/node/index.ts";
import { Network } from "../../src/network/network.ts";
import { realTime } from "../../src/network/real-time.ts";

export interface Modules {
  readonly net: typeof nodeNet;
  readonly dgram: typeof nodeDgram;
  readonly dns: typeof nodeDns;
}

export type Log = (...entry: unknown[]) => void;
/** `end` is called when the program is over. */
export type Program = (modules: Modules, log: Log, end: () => void) => void;

const network = new Network({ clock: realTime() });
const host = network.host({ name: "node" });
host.addInterface(network.switch().port(), { addresses: ["10.0.0.1/24"] });
const ours: Modules = bindNode(host);
const theirs: Modules = { net: nodeNet, dgram: nodeDgram, dns: nodeDns };

/**
 * What was logged, by the first word of each entry: the order of what one
 * socket hears is told, but not which of two ends of a connection runs first.
 */
type Told = Record<string, unknown[]>;

function runOn(modules: Modules, program: Program): Promise<Told> {
  return new Promise((resolve, reject) => {
    const told: Told = {};
    const log: Log = (...entry) => {
      const [who] = entry;
      (told[typeof who === "string" ? who : "program"] ??= []).push(entry.map(plain));
    };
    const timer = setTimeout(() => {
      reject(new Error(`not over after 5 s; this far: ${JSON.stringify(told, undefined, 1)}`));
    }, 5000);
    const end = () => {
      clearTimeout(timer);
      // What comes too late is seen as well.
      setTimeout(() => resolve(told), 20);
    };
    try {
      program(modules, log, end);
    } catch (error) {
      clearTimeout(timer);
      reject(error);
    }
  });
}

/** Without the numbers of ports that the system chose; they are 30000 or more. */
function plain(value: unknown): unknown {
  if (typeof value === "number" && value > 30_000 && value < 65_536) return "port";
  if (typeof value === "string") return value.replace(/(?<=:)[3-6]\d{4}\b/g, "port");
  if (Buffer.isBuffer(value)) return `bytes ${value.toString("latin1")}`;
  if (value instanceof Error) {
    const { name, message } = value;
    const fields = { ...(value as object), code: (value as NodeJS.ErrnoException).code };
    return plain({ name, message, ...fields });
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** The program must log the same on both, and something. */
export function same(title: string, program: Program): void {
  test(title, async () => {
    const expected = await runOn(theirs, program);
    expect(Object.keys(expected).length, "the program logs something").toBeGreaterThan(0);
    expect(await runOn(ours, program)).toEqual(expected);
  });
}

/** Logs every event of a socket in the order they come. */
export function watch(
  name: string,
  emitter: NodeJS.EventEmitter,
  log: Log,
  events: string[],
): void {
  for (const event of events) {
    emitter.on(event, (...args: unknown[]) => log(name, event, ...args));
  }
}

export const SOCKET_EVENTS = [
  "lookup",
  "connect",
  "ready",
  "data",
  "end",
  "drain",
  "finish",
  "timeout",
  "error",
  "close",
];
