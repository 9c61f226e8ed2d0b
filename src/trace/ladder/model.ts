/** What a ladder diagram shows, whoever draws it. */
import type { Strip } from "./strips.ts";

export interface LadderColumn {
  readonly name: string;
  /** A second, smaller line: an address. */
  readonly detail: string;
}

/** A packet on its way. */
export interface LadderArrow {
  readonly kind: "arrow";
  readonly from: number;
  readonly to: number;
  /** When it left and arrived; undefined: it did not, or nobody saw it. */
  readonly timeUs: number;
  readonly arrivedUs: number | undefined;
  /** Why it did not arrive; "" when it did or when nobody knows. */
  readonly lost: string;
  readonly protocol: string;
  /** "SYN+ACK", "PSH+ACK", "who-has", ... */
  readonly head: string;
  /** The numbers: "seq=1000 ack=1 len=10 win=65535". */
  readonly numbers: string;
  /** TCP options and the like; "" when there are none. */
  readonly options: string;
  /** Sent again, or a probe: why. */
  readonly reason: string;
  /** Both ports, smaller first: "80-40000"; "" where there are none. */
  readonly flow: string;
  /** Index in the packet log. */
  readonly packet: number;
}

export type MarkKind = "state" | "timer" | "call" | "drop" | "congestion" | "note";

/** What had happened when a sentence was said: it stands behind that, also within one instant. */
export interface Said {
  /** Packets captured and events recorded before it. */
  readonly packets: number;
  readonly events: number;
}

/** Something that happens at a host. */
export interface LadderMark {
  readonly kind: MarkKind;
  readonly column: number;
  readonly timeUs: number;
  readonly text: string;
  /** Of which connection, as in `LadderArrow.flow`. */
  readonly flow: string;
  /** Index in the trace. */
  readonly event: number;
}

/** A sentence across the whole diagram. */
export interface LadderText {
  readonly kind: "text";
  readonly timeUs: number;
  /** "1", "2", ...; "" without a number. */
  readonly label: string;
  readonly text: string;
  readonly said?: Said;
}

/** Byte strips of a moment. */
export interface LadderStrips {
  readonly kind: "strips";
  readonly timeUs: number;
  readonly strips: readonly Strip[];
  readonly said?: Said;
}

export type LadderItem = LadderArrow | LadderMark | LadderText | LadderStrips;

export interface Ladder {
  readonly title: string;
  readonly columns: readonly LadderColumn[];
  /** In the order of time; at one instant what a host does before what it sends. */
  readonly items: readonly LadderItem[];
}

export function flowOf(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`;
}

export function isMark(item: LadderItem): item is LadderMark {
  return item.kind !== "arrow" && item.kind !== "text" && item.kind !== "strips";
}

/** "0.000", "1234.567": milliseconds. */
export function msText(timeUs: number): string {
  return (timeUs / 1000).toFixed(3);
}

/** "250 µs", "40 ms", "1.5 s". */
export function durationText(us: number): string {
  if (us < 1000) return `${trimmed(us, 1)} µs`;
  if (us < 1e6) return `${trimmed(us / 1000, 3)} ms`;
  return `${trimmed(us / 1e6, 3)} s`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
