/** A run cut into moments: the places where stepping stops. */
import { actLadder } from "../../../../src/scenarios/ladder.ts";
import type { ActResult, ScenarioResult } from "../../../../src/scenarios/scenario.ts";
import type { Trace } from "../../../../src/trace/events.ts";
import type { Ladder } from "../../../../src/trace/ladder/model.ts";
import { isMark } from "../../../../src/trace/ladder/model.ts";
import { type LadderRow, rowsOf } from "../views/ladder-rows.ts";

export interface Moment {
  readonly act: number;
  readonly timeUs: number;
  /** Rows of the act's ladder that are shown: those before this number. */
  readonly rows: number;
  /** Events of the act's trace that have happened: those before this number. */
  readonly events: number;
  /** The last sentence said: an index of the act's steps; -1: none. */
  readonly said: number;
  /** It is the sentence's own moment. */
  readonly isSaid: boolean;
}

export interface ActScene {
  readonly act: ActResult;
  readonly ladder: Ladder;
  readonly rows: readonly LadderRow[];
}

export interface Scene {
  readonly result: ScenarioResult;
  readonly acts: readonly ActScene[];
  readonly moments: readonly Moment[];
}

export function sceneOf(result: ScenarioResult): Scene {
  const moments: Moment[] = [];
  const acts = result.acts.map((act, index) => {
    // The sentences are found again by their number, so the language does not matter here.
    const ladder = actLadder(act, "en");
    const rows = rowsOf(ladder);
    moments.push(...momentsOf(act, index, rows));
    return { act, ladder, rows };
  });
  return { result, acts, moments };
}

function momentsOf(act: ActResult, index: number, rows: readonly LadderRow[]): Moment[] {
  const made: Moment[] = [];
  const times = Float64Array.from(
    { length: act.trace.length },
    (_, i) => act.trace.event(i).timeUs,
  );
  let events = act.firstEvent;
  let said = -1;
  rows.forEach((row, i) => {
    const { item } = row;
    if (item.kind === "text") {
      said = act.steps.findIndex((step) => String(step.number) === item.label);
      events = Math.max(events, item.said?.events ?? 0, before(times, row.timeUs));
    } else if (isMark(item)) {
      events = Math.max(events, item.event + 1);
    } else if (item.kind === "arrow") {
      const host = act.hosts[row.kind === "arrive" ? item.to : item.from] ?? "";
      events = Math.max(events, eventOf(act.trace, times, row, host));
    }
    const isSaid = item.kind === "text";
    made.push({ act: index, timeUs: row.timeUs, rows: i + 1, events, said, isSaid });
  });
  if (made.length === 0) {
    const [first] = act.steps;
    made.push({
      act: index,
      timeUs: first?.timeUs ?? 0,
      rows: 0,
      events: act.trace.length,
      said: first === undefined ? -1 : 0,
      isSaid: true,
    });
  }
  return made;
}

/** How many events are earlier than this time. */
function before(times: Float64Array, timeUs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < timeUs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Just behind the event of this arrow's end: the segment with the same number at that host at that time. */
function eventOf(trace: Trace, times: Float64Array, row: LadderRow, host: string): number {
  const start = before(times, row.timeUs);
  if (row.item.kind !== "arrow") return start;
  const seq = Number(/seq=(\d+)/.exec(row.item.numbers)?.[1] ?? Number.NaN);
  const wanted = row.kind === "arrive" ? "tcp:segment_received" : "tcp:segment_sent";
  let end = start;
  for (; end < times.length && times[end] === row.timeUs; end++) {
    const event = trace.event(end);
    if (event.name === wanted && event.host === host && event.seq === seq) return end + 1;
  }
  return start;
}
