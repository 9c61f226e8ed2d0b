/** Who was in which state at a moment, read back from the trace. */
import type { ActResult } from "../../../../src/scenarios/scenario.ts";
import type { ConnectionVariables } from "../../../../src/trace/events.ts";

export interface HostSnapshot {
  readonly host: string;
  /** "10.0.0.1:40000 – 10.0.0.2:80"; "" without a connection. */
  readonly ends: string;
  readonly variables: ConnectionVariables | undefined;
  readonly iss: number;
  readonly irs: number;
}

/** How far back the last event of a host is looked for. */
const REACH = 4000;

/** The last connection that each host did something with, as it was then. */
export function snapshot(act: ActResult, events: number): HostSnapshot[] {
  const { trace } = act;
  const found = new Map<string, HostSnapshot>();
  const listening = new Map<string, HostSnapshot>();
  const end = Math.min(events, trace.length);
  for (let i = end - 1; i >= Math.max(0, end - REACH) && found.size < act.hosts.length; i--) {
    const event = trace.event(i);
    if (!("variables" in event) || event.variables === undefined || event.connection === undefined)
      continue;
    const table = event.variables.state === "LISTEN" ? listening : found;
    if (table.has(event.host) || found.has(event.host)) continue;
    const owner = trace.connections[event.connection - 1];
    const state = event.name === "tcp:state_updated" ? event.to : event.variables.state;
    table.set(event.host, {
      host: event.host,
      ends: owner.remote === "" ? owner.local : `${owner.local} – ${owner.remote}`,
      variables: { ...event.variables, state },
      iss: owner.iss ?? 0,
      irs: owner.irs ?? 0,
    });
  }
  return act.hosts.map(
    (host) =>
      found.get(host) ??
      listening.get(host) ?? { host, ends: "", variables: undefined, iss: 0, irs: 0 },
  );
}
