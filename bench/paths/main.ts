/**
 * The path laboratory: every congestion control on paths of many kinds, in
 * virtual time. `npm run bench -- paths [--subset] [--json] [--plot FILE] [--check FILE] [--only TEXT]`
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Cell, type CellResult, nameOf, runCell } from "./cell.ts";
import { matrix, subset } from "./matrix.ts";

export interface Row {
  readonly cell: string;
  readonly result: CellResult;
}

/** A cell that falls by more than this share of its goodput fails a check. */
const TOLERANCE = 0.1;

export function runPaths(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      subset: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      check: { type: "string" },
      only: { type: "string" },
    },
  });
  const cells = (values.subset ? subset() : matrix()).filter(
    (cell) => values.only === undefined || nameOf(cell).includes(values.only),
  );
  const rows: Row[] = [];
  if (!values.json) console.log(HEAD);
  for (const cell of cells) {
    const row = { cell: nameOf(cell), result: runCell(cell) };
    rows.push(row);
    console.log(values.json ? JSON.stringify(row) : lineOf(cell, row.result));
  }
  return values.check === undefined ? 0 : check(rows, values.check);
}

const HEAD = [
  "rate".padStart(9),
  "RTT".padStart(7),
  "loss".padStart(6),
  "queue".padStart(7),
  "algorithm".padEnd(22),
  "Mbit/s".padStart(9),
  "used".padStart(7),
  "again".padStart(7),
  "queue ms".padStart(9),
  "p95".padStart(8),
  "fair".padStart(6),
].join("  ");

function lineOf(cell: Cell, r: CellResult): string {
  const percent = (share: number, digits: number) => `${(share * 100).toFixed(digits)}%`;
  return [
    `${cell.mbps} Mbit`.padStart(9),
    `${cell.rttMs} ms`.padStart(7),
    (cell.loss === "burst" ? "burst" : percent(cell.loss, 1)).padStart(6),
    (cell.queue === "codel" ? "codel" : `${cell.queue} BDP`).padStart(7),
    cell.algorithms.join("+").padEnd(22),
    r.goodput.toFixed(2).padStart(9),
    percent(r.utilisation, 1).padStart(7),
    percent(r.retransmitted, 2).padStart(7),
    r.queueMedian.toFixed(1).padStart(9),
    r.queueP95.toFixed(1).padStart(8),
    (cell.algorithms.length > 1 ? r.fairness.toFixed(2) : "").padStart(6),
  ].join("  ");
}

/** Compares with rows kept before, one JSON object a line. Virtual time: exact for a seed, so that any difference is a change of ours. */
function check(rows: readonly Row[], file: string): number {
  const before = new Map(
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Row)
      .map((row) => [row.cell, row.result]),
  );
  let failed = 0;
  for (const { cell, result } of rows) {
    const old = before.get(cell);
    if (old === undefined) {
      console.log(`new: ${cell}`);
    } else if (result.goodput < old.goodput * (1 - TOLERANCE)) {
      failed++;
      console.log(
        `worse: ${cell}: ${result.goodput.toFixed(2)} Mbit/s, was ${old.goodput.toFixed(2)}`,
      );
    }
  }
  console.log(`${rows.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.url === `file://${process.argv[1]}`)
  process.exitCode = runPaths(process.argv.slice(2));
