/** What a scenario is, and what a run of it brings. */
import type { Trace } from "../trace/events.ts";
import type { LadderItem, MarkKind, Said } from "../trace/ladder/model.ts";
import type { Strip } from "../trace/ladder/strips.ts";
import type { PacketLog } from "../trace/packet-log.ts";
import type { Theatre } from "./theatre.ts";

/** The same sentence in both languages. */
export interface Text {
  readonly en: string;
  readonly ko: string;
}

/** What may be changed from outside (`--set loss=0.05`). */
export interface Setting {
  readonly value: number;
  readonly help: Text;
}

export interface Scenario {
  /** "three-way-handshake" */
  readonly name: string;
  readonly title: Text;
  /** Two or three sentences: what is to be seen. */
  readonly summary: Text;
  readonly settings?: Readonly<Record<string, Setting>>;
  /** Plays it on the real stack in virtual time. */
  play(theatre: Theatre): Promise<void>;
}

/** A moment of the narration. */
export interface Step {
  readonly timeUs: number;
  /** From 1, through all acts. */
  readonly number: number;
  readonly text: Text;
  readonly strips: readonly Strip[];
  readonly said: Said;
}

/** A value that a run is about, and that its test holds. */
export type Value = number | string | boolean | readonly (number | string)[];

/** A table or a drawing beside the ladder. */
export interface Exhibit {
  readonly timeUs: number;
  readonly title: Text;
  /** Rows of cells, the first being the head. */
  readonly rows?: readonly (readonly string[])[];
  /** Curves over time: congestion windows, timeouts. */
  readonly series?: readonly Series[];
  readonly yTitle?: Text;
  /** Lines of fixed-width text: bytes and headers. */
  readonly lines?: readonly string[];
}

export interface Series {
  readonly name: string;
  /** Milliseconds and values. */
  readonly points: readonly (readonly [number, number])[];
}

/** One run on one network; a scenario has one or several. */
export interface ActResult {
  readonly title: Text;
  readonly hosts: readonly string[];
  readonly steps: readonly Step[];
  readonly exhibits: readonly Exhibit[];
  readonly log: PacketLog;
  readonly trace: Trace;
  /** Marks that the ladder of this act shows. */
  readonly marks: readonly MarkKind[];
  /** Protocols that it shows; undefined: all. */
  readonly protocols: readonly string[] | undefined;
  /** From which packet and event on the ladder shows it. */
  readonly firstPacket: number;
  readonly firstEvent: number;
  /** Most packets that the ladder shows; the rest is in the log. */
  readonly limit: number;
  readonly extra: readonly LadderItem[];
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly settings: Readonly<Record<string, number>>;
  readonly acts: readonly ActResult[];
  readonly values: Readonly<Record<string, Value>>;
}
