/** Subnets, addresses and routes of a setup: a subnet for each piece of Ethernet. */
import type { Setup } from "./setup.ts";

/** One plug of a host or router. */
export interface Plug {
  readonly node: string;
  readonly cable: number;
  readonly end: "a" | "b";
  readonly subnet: number;
  /** "10.0.1.3" */
  readonly address: string;
}

export interface Plan {
  readonly plugs: readonly Plug[];
  /** Of a node: where packets for a subnet go next. */
  readonly routes: readonly {
    readonly node: string;
    readonly subnet: number;
    readonly gateway: string;
  }[];
}

export function planAddresses(setup: Setup): Plan {
  const kinds = new Map(setup.nodes.map((n) => [n.name, n.kind]));
  const subnetOf = setup.cables.map((_, i) => i);
  // Cables at one switch are one piece of Ethernet.
  for (const { name } of setup.nodes.filter((n) => n.kind === "switch")) {
    const here = setup.cables.flatMap((c, i) => (c.a === name || c.b === name ? [i] : []));
    const joined = new Set(here.map((i) => subnetOf[i]));
    const least = Math.min(...joined);
    subnetOf.forEach((s, i) => {
      if (joined.has(s)) subnetOf[i] = least;
    });
  }
  const plugs: Plug[] = [];
  const used = new Map<number, number>();
  setup.cables.forEach((cable, i) => {
    for (const end of ["a", "b"] as const) {
      const node = cable[end];
      if (kinds.get(node) === "switch") continue;
      const subnet = subnetOf[i];
      const number = (used.get(subnet) ?? 0) + 1;
      used.set(subnet, number);
      plugs.push({ node, cable: i, end, subnet, address: `10.0.${subnet}.${number}` });
    }
  });
  const routes: { node: string; subnet: number; gateway: string }[] = [];
  for (const { name } of setup.nodes.filter((n) => n.kind !== "switch")) {
    const seen = new Set(plugs.filter((p) => p.node === name).map((p) => p.subnet));
    let edge = [...seen].map((subnet) => ({ subnet, gateway: "" }));
    while (edge.length > 0) {
      const next: typeof edge = [];
      for (const { subnet, gateway } of edge) {
        for (const door of plugs.filter(
          (p) => p.subnet === subnet && p.node !== name && kinds.get(p.node) === "router",
        )) {
          for (const beyond of plugs.filter((p) => p.node === door.node && !seen.has(p.subnet))) {
            seen.add(beyond.subnet);
            const via = gateway || door.address;
            routes.push({ node: name, subnet: beyond.subnet, gateway: via });
            next.push({ subnet: beyond.subnet, gateway: via });
          }
        }
      }
      edge = next;
    }
  }
  return { plugs, routes };
}
