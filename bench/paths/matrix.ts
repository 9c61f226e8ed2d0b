import type { Cell } from "./cell.ts";

const RATES = [1, 10, 100, 1000];
const RTTS = [1, 20, 100, 300];
const LOSSES = [0, 0.001, 0.01, 0.03, "burst"] as const;
const QUEUES = [0.5, 2, "codel"] as const;
export const ALGORITHMS = ["reno", "cubic", "bic", "westwood", "vegas", "bbr", "dctcp"];

/** Everything: some 1,700 cells, more than an hour. */
export function matrix(): Cell[] {
  const cells: Cell[] = [];
  for (const mbps of RATES)
    for (const rttMs of RTTS)
      for (const loss of LOSSES)
        for (const queue of QUEUES)
          for (const name of ALGORITHMS)
            cells.push({ mbps, rttMs, loss, queue, algorithms: [name] });
  return [...cells, ...shared()];
}

/** Flows that share a path: with their like, CUBIC beside Reno, BBR beside CUBIC. */
function shared(): Cell[] {
  const path = { mbps: 10, rttMs: 20, loss: 0, queue: 2 } as const;
  const cells: Cell[] = [];
  for (const name of ALGORITHMS) {
    for (const n of [2, 4, 8]) cells.push({ ...path, algorithms: new Array<string>(n).fill(name) });
  }
  cells.push({ ...path, algorithms: ["cubic", "reno"] });
  cells.push({ ...path, algorithms: ["bbr", "cubic"] });
  return cells;
}

/** What CI runs: some 40 cells within two minutes. */
export function subset(): Cell[] {
  const cells: Cell[] = [];
  for (const name of ALGORITHMS) {
    cells.push({ mbps: 10, rttMs: 20, loss: 0, queue: 2, algorithms: [name] });
    cells.push({ mbps: 10, rttMs: 100, loss: 0.01, queue: 2, algorithms: [name] });
    cells.push({ mbps: 100, rttMs: 20, loss: 0.001, queue: 0.5, algorithms: [name] });
    cells.push({ mbps: 10, rttMs: 20, loss: "burst", queue: "codel", algorithms: [name] });
  }
  for (const loss of [0, 0.001, 0.01, 0.03]) {
    cells.push({ mbps: 100, rttMs: 100, loss, queue: 2, seconds: 10, algorithms: ["cubic"] });
  }
  cells.push({ mbps: 1, rttMs: 300, loss: 0, queue: 2, algorithms: ["cubic"] });
  cells.push({ mbps: 1000, rttMs: 100, loss: 0, queue: 2, seconds: 5, algorithms: ["cubic"] });
  return [...cells, ...shared().filter((cell) => cell.algorithms.length <= 4)];
}
