import { lazy } from "./lazy.tsx";

/** Curves over time; the plotting library comes with the first of them. */
export const Chart = lazy(async () => (await import("./chart.tsx")).Chart);
