/** Plots as SVG, drawn by Vega, which is loaded when the first one is made. */
import type { TopLevelSpec } from "vega-lite";
import type { ConnectionSeries } from "./connections.ts";

/** Points of one plot: more would only make the file larger. */
const MAX_POINTS = 4000;

interface Point {
  readonly ms: number;
  readonly value: number;
  readonly series: string;
}

/** Sequence numbers over time: segments, what was sent again, ACKs, and the edge of the window. */
export function timeSequencePlot(series: ConnectionSeries, title: string): Promise<string> {
  return render({
    title,
    layer: [
      lineLayer([
        ...series.window.map((p) => point(p.timeUs, p.seq, "window edge")),
        ...series.acks.map((p) => point(p.timeUs, p.seq, "acknowledged")),
      ]),
      dotLayer(
        thin(series.segments).map((p) =>
          point(p.timeUs, p.seq + p.length, p.again ? "sent again" : "segment"),
        ),
      ),
    ],
    ...axes("sequence number, bytes"),
  } as TopLevelSpec);
}

/** Bytes in flight and the room that the receiver gave. */
export function windowPlot(series: ConnectionSeries, title: string): Promise<string> {
  const room: Point[] = [];
  for (let i = 0; i < series.window.length; i++) {
    const { timeUs, seq } = series.window[i];
    room.push(point(timeUs, Math.max(0, seq - series.acks[i].seq), "receive window"));
  }
  return render({
    title,
    layer: [
      lineLayer([...room, ...series.inFlight.map((p) => point(p.timeUs, p.bytes, "in flight"))]),
    ],
    ...axes("bytes"),
  } as TopLevelSpec);
}

export function rttPlot(series: ConnectionSeries, title: string): Promise<string> {
  const points = series.rtt.map((p) => point(p.timeUs, p.us / 1000, "round trip"));
  return render({ title, layer: [dotLayer(thin(points))], ...axes("ms") } as TopLevelSpec);
}

/** Any curves over milliseconds: congestion windows, timeouts. */
export function curvesPlot(
  curves: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
  }[],
  title: string,
  yTitle: string,
): Promise<string> {
  const points = curves.flatMap(({ name, points: list }) =>
    thin(list).map(([ms, value]): Point => ({ ms, value, series: name })),
  );
  return render({ title, layer: [lineOf(points)], ...axes(yTitle) } as TopLevelSpec);
}

function point(timeUs: number, value: number, series: string): Point {
  return { ms: timeUs / 1000, value, series };
}

const ENCODING = {
  x: { field: "ms", type: "quantitative", title: "ms", scale: { zero: false } },
  y: { field: "value", type: "quantitative" },
  color: { field: "series", type: "nominal", title: null },
} as const;

function lineLayer(points: readonly Point[]) {
  const bySeries = new Map<string, Point[]>();
  for (const each of points) {
    const list = bySeries.get(each.series);
    if (list === undefined) bySeries.set(each.series, [each]);
    else list.push(each);
  }
  return lineOf(
    [...bySeries.values()].flatMap((list) => thin(list)),
    "step-after",
  );
}

function lineOf(points: readonly Point[], interpolate: "linear" | "step-after" = "linear") {
  return {
    data: { values: points as Point[] },
    mark: { type: "line", interpolate, strokeWidth: 1.3 },
    encoding: ENCODING,
  };
}

function dotLayer(points: readonly Point[]) {
  return {
    data: { values: points as Point[] },
    mark: { type: "point", filled: true, size: 14, opacity: 0.8 },
    encoding: ENCODING,
  };
}

function axes(yTitle: string) {
  return {
    width: 720,
    height: 360,
    resolve: { scale: { y: "shared" } },
    config: {
      background: "white",
      axis: { gridColor: "#e6e8eb", titleFontWeight: "normal" },
      legend: { orient: "bottom" },
    },
    encoding: { y: { title: yTitle } },
  };
}

/** Evenly fewer, first and last kept. */
function thin<T>(points: readonly T[]): T[] {
  if (points.length <= MAX_POINTS) return [...points];
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, i) => points[Math.round(i * step)]);
}

async function render(spec: TopLevelSpec): Promise<string> {
  const [vega, lite] = await Promise.all([import("vega"), import("vega-lite")]);
  const compiled = lite.compile(spec).spec;
  return new vega.View(vega.parse(compiled), { renderer: "none" }).toSVG();
}
