import {
  isMark,
  type Ladder,
  type LadderArrow,
  type LadderItem,
  type LadderMark,
  type LadderText,
} from "../../../../src/trace/ladder/model.ts";

/** One line of a drawn ladder: something leaves, arrives, happens or is said. */
export interface LadderRow {
  readonly kind: "depart" | "arrive" | "mark" | "text";
  readonly timeUs: number;
  readonly item: LadderArrow | LadderMark | LadderText;
  /** What happens at the same place and time. */
  readonly beside: LadderMark[];
  /** Of an arrival: the row of its departure. */
  readonly other: number;
}

interface Entry {
  readonly timeUs: number;
  readonly order: number;
  readonly item: LadderItem;
  readonly arrival: boolean;
}

/** The ladder's items with arrivals at their own time; a mark joins the arrow's end that brought it about. */
export function rowsOf(ladder: Ladder): LadderRow[] {
  const entries: Entry[] = [];
  ladder.items.forEach((item, order) => {
    if (item.kind === "strips") return;
    entries.push({ timeUs: item.timeUs, order, item, arrival: false });
  });
  // Arrivals come first within their instant: what follows from them is behind them.
  for (const item of ladder.items) {
    if (item.kind !== "arrow" || item.arrivedUs === undefined) continue;
    const order = item.arrivedUs === item.timeUs ? Number.POSITIVE_INFINITY : -1;
    entries.push({ timeUs: item.arrivedUs, order, item, arrival: true });
  }
  entries.sort((a, b) => a.timeUs - b.timeUs || a.order - b.order);
  const rows: LadderRow[] = [];
  const departures = new Map<LadderItem, number>();
  for (const { timeUs, item, arrival } of entries) {
    if (item.kind === "strips") continue;
    if (isMark(item)) {
      const host = rows.findLast(
        (row) => row.timeUs !== timeUs || row.kind === "text" || placeOf(row) === item.column,
      );
      if (
        host !== undefined &&
        host.timeUs === timeUs &&
        host.kind !== "text" &&
        host.kind !== "mark" &&
        host.beside.length < 2
      ) {
        host.beside.push(item);
        continue;
      }
      rows.push({ kind: "mark", timeUs, item, beside: [], other: -1 });
    } else if (item.kind === "text") {
      rows.push({ kind: "text", timeUs, item, beside: [], other: -1 });
    } else {
      const other = arrival ? (departures.get(item) ?? -1) : -1;
      if (!arrival) departures.set(item, rows.length);
      rows.push({ kind: arrival ? "arrive" : "depart", timeUs, item, beside: [], other });
    }
  }
  return rows;
}

function placeOf(row: LadderRow): number {
  if (row.item.kind === "text") return -1;
  if (row.item.kind !== "arrow") return row.item.column;
  return row.kind === "arrive" ? row.item.to : row.item.from;
}
