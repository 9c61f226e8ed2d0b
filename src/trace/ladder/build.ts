/** Ladders from captured packets and, where there is one, the trace of the hosts. */
import type { Trace, TraceEvent } from "../events.ts";
import type { PacketLog } from "../packet-log.ts";
import { reasonKey, reasonsOf } from "../reasons.ts";
import { correlate, isDropped, type Journey } from "./correlate.ts";
import { Labeler, type LabelOptions } from "./label.ts";
import {
  flowOf,
  type Ladder,
  type LadderArrow,
  type LadderColumn,
  type LadderItem,
  type LadderMark,
  type MarkKind,
  type Said,
} from "./model.ts";

export interface LadderOptions extends Partial<LabelOptions> {
  readonly title?: string;
  /** Columns from left to right, by host name or address. Default: as they appear. */
  readonly order?: readonly string[];
  /** Which marks of the trace are shown. Default: states, timers, drops, congestion, notes. */
  readonly marks?: readonly MarkKind[];
  /** Which packets are shown, by protocol: tcp, udp, dns, icmp, arp, ip, link. Default: all. */
  readonly protocols?: readonly string[];
  /** Only packets of these ports, of both sides. */
  readonly port?: number;
  /** Packets and events from these numbers on. */
  readonly firstPacket?: number;
  readonly firstEvent?: number;
  /** Only what happens in [from, to], microseconds. */
  readonly fromUs?: number;
  readonly toUs?: number;
  /** At most so many packets. Default 1,000. */
  readonly limit?: number;
  /** More items: sentences, strips. */
  readonly extra?: readonly LadderItem[];
}

const DEFAULT_MARKS: readonly MarkKind[] = ["state", "timer", "drop", "congestion", "note"];

export function buildLadder(
  log: PacketLog,
  trace: Trace | undefined,
  options: LadderOptions = {},
): Ladder {
  const columns = new Columns(options.order ?? []);
  const labeler = new Labeler({
    relative: options.relative ?? false,
    options: options.options ?? "syn",
  });
  const reasons = trace === undefined ? new Map<string, string>() : reasonsOf(trace);
  const items: LadderItem[] = [];
  const limit = options.limit ?? 1000;
  const { fromUs = Number.NEGATIVE_INFINITY, toUs = Number.POSITIVE_INFINITY } = options;
  let count = 0;
  for (const journey of correlate(log)) {
    const arrow = arrowOf(log, journey, columns, labeler, reasons, options);
    if (arrow === undefined || arrow.packet < (options.firstPacket ?? 0)) continue;
    if (arrow.timeUs < fromUs || arrow.timeUs > toUs) continue;
    if (count++ >= limit) break;
    items.push(arrow);
  }
  if (trace !== undefined) {
    const wanted = options.marks ?? DEFAULT_MARKS;
    for (let i = options.firstEvent ?? 0; i < trace.length; i++) {
      const mark = markOf(trace, i, columns, wanted);
      if (mark !== undefined && mark.timeUs >= fromUs && mark.timeUs <= toUs) items.push(mark);
    }
  }
  return {
    title: options.title ?? "",
    columns: columns.list,
    items: ordered(items, options.extra ?? []),
  };
}

/**
 * By time; within an instant by what a sentence follows, then what a host does
 * before what it sends.
 */
function ordered(items: readonly LadderItem[], extra: readonly LadderItem[]): LadderItem[] {
  const saids: Said[] = [];
  for (const item of extra) {
    const said = "said" in item ? item.said : undefined;
    if (said !== undefined && saids[saids.length - 1] !== said) saids.push(said);
  }
  // How many sentences came before it; a sentence stands half a step behind its predecessors.
  const scene = (item: LadderItem): number => {
    if (item.kind === "arrow") return saids.filter((said) => said.packets <= item.packet).length;
    if (item.kind === "text" || item.kind === "strips") {
      return item.said === undefined ? 0 : saids.indexOf(item.said) + 0.5;
    }
    return saids.filter((said) => said.events <= item.event).length;
  };
  const keyed = [...items, ...extra].map((item) => ({ item, scene: scene(item) }));
  keyed.sort(
    (a, b) => a.item.timeUs - b.item.timeUs || a.scene - b.scene || rank(a.item) - rank(b.item),
  );
  return keyed.map(({ item }) => item);
}

function rank(item: LadderItem): number {
  if (item.kind === "text") return 0;
  return item.kind === "arrow" ? 2 : item.kind === "strips" ? 3 : 1;
}

/** Hosts, or addresses where no host is named. */
class Columns {
  readonly list: { name: string; detail: string }[] = [];
  private readonly byName = new Map<string, number>();

  constructor(order: readonly string[]) {
    for (const name of order) this.column(name);
  }

  column(name: string, detail = ""): number {
    let index = this.byName.get(name);
    if (index === undefined) {
      index = this.list.push({ name, detail }) - 1;
      this.byName.set(name, index);
    }
    if (this.list[index].detail === "" && detail !== name) this.list[index].detail = detail;
    return index;
  }

  find(name: string): number {
    return this.byName.get(name) ?? -1;
  }
}

export type { LadderColumn };

function arrowOf(
  log: PacketLog,
  journey: Journey,
  columns: Columns,
  labeler: Labeler,
  reasons: ReadonlyMap<string, string>,
  options: LadderOptions,
): LadderArrow | undefined {
  const i = journey.sent >= 0 ? journey.sent : journey.arrived;
  const seenAt = log.interfaces[log.interfaceId(i)];
  const { frame, ...label } = labeler.label(log.bytes(i), seenAt.medium);
  if (options.protocols !== undefined && !options.protocols.includes(label.protocol)) {
    return undefined;
  }
  const transport = frame.tcp ?? frame.udp;
  if (
    options.port !== undefined &&
    transport?.sourcePort !== options.port &&
    transport?.destinationPort !== options.port
  ) {
    return undefined;
  }
  const source = String(frame.source ?? frame.arp?.senderIp ?? "?");
  const target = String(frame.destination ?? frame.arp?.targetIp ?? "?");
  const sender = journey.sent >= 0 ? log.interfaces[log.interfaceId(journey.sent)].host : "";
  const receiver =
    journey.arrived >= 0 ? log.interfaces[log.interfaceId(journey.arrived)].host : "";
  const hasHosts = seenAt.host !== "" && log.direction(i) !== undefined && isSeveral(log);
  if (hasHosts && journey.sent < 0) return undefined; // its sender was not watched
  // A router passes on what others wrote; what begins its life here bears its own address.
  const isOwn =
    frame.arp !== undefined || INITIAL_TTLS.has(frame.ipv4?.ttl ?? frame.ipv6?.hopLimit ?? 0);
  const from = columns.column(hasHosts ? sender : source, isOwn ? source : "");
  const lost = isDropped(log, i);
  const to = hasHosts
    ? columns.column(receiver || otherHost(log, sender, columns, target))
    : columns.column(target, target);
  if (from === to) return undefined;
  const timeUs = log.timeUs(i);
  const arrivedUs =
    journey.arrived >= 0 && journey.sent >= 0 ? log.timeUs(journey.arrived) : undefined;
  const dropped = lost ? log.comments(i).find((text) => text.startsWith("dropped")) : undefined;
  const reason =
    frame.tcp === undefined
      ? undefined
      : reasons.get(reasonKey(sender, timeUs, frame.tcp.sequence, frame.payloadLength));
  return {
    kind: "arrow",
    from,
    to,
    timeUs,
    arrivedUs,
    lost:
      dropped?.replace(/^dropped by link: /, "") ??
      (hasHosts && arrivedUs === undefined ? "not seen to arrive" : ""),
    ...label,
    reason: reason ?? "",
    flow: transport === undefined ? "" : flowOf(transport.sourcePort, transport.destinationPort),
    packet: i,
  };
}

/** From one viewpoint alone, arrivals elsewhere cannot be known: columns are addresses then. */
function isSeveral(log: PacketLog): boolean {
  const first = log.interfaces[0]?.host;
  return log.interfaces.some((each) => each.host !== first);
}

/** Where a packet that never arrived was going: the other host, if there is but one. */
function otherHost(log: PacketLog, sender: string, columns: Columns, target: string): string {
  for (const column of columns.list) if (column.detail === target) return column.name;
  const others = new Set(
    log.interfaces.map((each) => each.host).filter((h) => h !== sender && h !== ""),
  );
  return others.size === 1 ? [...others][0] : target;
}

/** What hosts set; ARP and neighbor discovery use the largest. */
const INITIAL_TTLS: ReadonlySet<number> = new Set([32, 64, 128, 255]);

function markOf(
  trace: Trace,
  index: number,
  columns: Columns,
  wanted: readonly MarkKind[],
): LadderMark | undefined {
  const event = trace.event(index);
  const found = textOf(event);
  if (found === undefined || !wanted.includes(found[0])) return undefined;
  const column = columns.find(event.host);
  if (column < 0) return undefined;
  const id = "connection" in event ? event.connection : undefined;
  const owner = id === undefined ? undefined : trace.connections[id - 1];
  const flow = owner === undefined ? "" : flowOf(portOf(owner.local), portOf(owner.remote));
  return { kind: found[0], column, timeUs: event.timeUs, text: found[1], flow, event: index };
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

const CALL_TEXT: Readonly<Record<string, string>> = { receive: "read", send: "write" };

function textOf(event: TraceEvent): [MarkKind, string] | undefined {
  switch (event.name) {
    case "tcp:state_updated":
      return ["state", event.to];
    case "tcp:timer_fired":
      return ["timer", `${event.timer} timer`];
    case "tcp:congestion_updated":
      return ["congestion", `${event.to}: cwnd ${event.variables.cwnd}`];
    case "tcp:segment_dropped":
      return ["drop", `dropped: ${event.reason}`];
    case "socket:call": {
      const name = CALL_TEXT[event.call] ?? event.call;
      const asked = event.asked > 0 ? event.asked : "";
      return ["call", `${name}(${asked}) = ${event.result}`];
    }
    case "neighbor:updated":
      return ["note", `${event.address} ${event.event}`];
    case "dns:question":
      return ["note", `${event.question} ${event.event}`];
    case "note":
      return ["note", event.text];
    default:
      return undefined;
  }
}
