/** What a laboratory is made of: saved, shared and loaded as JSON. */
export type NodeKind = "host" | "switch" | "router";

export interface NodeSetup {
  readonly name: string;
  readonly kind: NodeKind;
  /** In the drawing: 0 to 100 across, 0 to 60 down. */
  readonly x: number;
  readonly y: number;
}

export interface CableSetup {
  readonly a: string;
  readonly b: string;
  readonly mbit: number;
  readonly delayMs: number;
  /** Percent of packets. */
  readonly loss: number;
  /** Packets that may wait in front of it. */
  readonly queue: number;
}

export interface FlowSetup {
  readonly from: string;
  readonly to: string;
  readonly control: string;
  /** Goes on sending for ever. */
  readonly stream: boolean;
  readonly reading: boolean;
}

export interface Setup {
  readonly seed: number;
  readonly nodes: readonly NodeSetup[];
  readonly cables: readonly CableSetup[];
  readonly flows: readonly FlowSetup[];
}

const FAST = { mbit: 100, delayMs: 1, loss: 0, queue: 200 };

const host = (name: string, x: number, y: number): NodeSetup => ({ name, kind: "host", x, y });
const flow = (from: string, to: string, control: string): FlowSetup => ({
  from,
  to,
  control,
  stream: true,
  reading: true,
});

export const PRESETS: Readonly<Record<string, Setup>> = {
  "two hosts, one cable": {
    seed: 1,
    nodes: [host("client", 18, 30), host("server", 82, 30)],
    cables: [{ a: "client", b: "server", mbit: 1, delayMs: 40, loss: 0, queue: 20 }],
    flows: [flow("client", "server", "cubic")],
  },
  "three flows, one bottleneck": {
    seed: 1,
    nodes: [
      host("reno", 10, 10),
      host("cubic", 10, 30),
      host("vegas", 10, 50),
      { name: "router", kind: "router", x: 40, y: 30 },
      host("server", 90, 30),
    ],
    cables: [
      { a: "reno", b: "router", ...FAST },
      { a: "cubic", b: "router", ...FAST },
      { a: "vegas", b: "router", ...FAST },
      { a: "router", b: "server", mbit: 5, delayMs: 20, loss: 0, queue: 30 },
    ],
    flows: [
      flow("reno", "server", "reno"),
      flow("cubic", "server", "cubic"),
      flow("vegas", "server", "vegas"),
    ],
  },
  "three peers on a switch": {
    seed: 1,
    nodes: [
      host("ann", 12, 14),
      host("bob", 12, 48),
      host("eve", 88, 30),
      { name: "switch", kind: "switch", x: 48, y: 30 },
    ],
    cables: ["ann", "bob", "eve"].map((a) => ({
      a,
      b: "switch",
      mbit: 2,
      delayMs: 10,
      loss: 0,
      queue: 25,
    })),
    flows: [flow("ann", "eve", "cubic"), flow("eve", "bob", "cubic")],
  },
};

/** A setup out of text that somebody else wrote. Throws a sentence that says what is wrong. */
export function readSetup(text: string): Setup {
  const value = JSON.parse(text) as Partial<Setup>;
  const list = <T>(name: keyof Setup): T[] => {
    const found = value[name];
    if (!Array.isArray(found)) throw new Error(`the setup has no list "${name}"`);
    return (found as T[]).slice(0, 24);
  };
  const within = (x: unknown, low: number, high: number, otherwise: number) =>
    typeof x === "number" && Number.isFinite(x) ? Math.min(high, Math.max(low, x)) : otherwise;
  const nodes = list<NodeSetup>("nodes").map((n) => ({
    name: String(n.name).slice(0, 16),
    kind: n.kind === "switch" || n.kind === "router" ? n.kind : ("host" as const),
    x: within(n.x, 4, 96, 50),
    y: within(n.y, 4, 56, 30),
  }));
  const names = new Set(nodes.map((n) => n.name));
  if (names.size !== nodes.length) throw new Error("two nodes have the same name");
  const known = (name: string) => {
    if (!names.has(name)) throw new Error(`there is no node "${name}"`);
    return name;
  };
  const cables = list<CableSetup>("cables").map((c) => ({
    a: known(c.a),
    b: known(c.b),
    mbit: within(c.mbit, 0.01, 1000, 10),
    delayMs: within(c.delayMs, 0, 5000, 10),
    loss: within(c.loss, 0, 100, 0),
    queue: Math.round(within(c.queue, 1, 10_000, 50)),
  }));
  const flows = list<FlowSetup>("flows").map((f) => ({
    from: known(f.from),
    to: known(f.to),
    control: String(f.control),
    stream: f.stream === true,
    reading: f.reading !== false,
  }));
  return { seed: Math.round(within(value.seed, 0, 2 ** 31 - 1, 1)), nodes, cables, flows };
}

export function toUrlText(setup: Setup): string {
  const bytes = new TextEncoder().encode(JSON.stringify(setup));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromUrlText(text: string): Setup {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return readSetup(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
}
