import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cssColor } from "../theme.ts";

export interface ChartLine {
  readonly label: string;
  /** Which of the flow colours. */
  readonly color: number;
  readonly dashed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  readonly xLabel: string;
  readonly lines: readonly ChartLine[];
  /** x, then one column per line. */
  readonly data: uPlot.AlignedData;
  readonly height?: number;
  readonly dark: boolean;
  /** Changes with the data where the arrays stay the same. */
  readonly version?: number;
}

export const FLOW_COLORS = 6;

/** Curves over time. */
export function Chart({ title, xLabel, lines, data, height = 170, dark, version = 0 }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const key = lines.map((line) => line.label + line.color + (line.dashed ?? "")).join();
  useEffect(() => {
    const element = box.current!;
    const ink = cssColor("--muted");
    const grid = { stroke: cssColor("--line"), width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "11px system-ui" };
    const made = new uPlot(
      {
        width: Math.max(240, element.clientWidth),
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 5 } },
        scales: {
          x: { time: false },
          y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(1, (max ?? 1) * 1.08)] },
        },
        axes: [
          { ...axis, size: 30 },
          { ...axis, size: 56, values: (_, ticks) => ticks.map(short) },
        ],
        series: [
          { label: xLabel },
          ...lines.map((line) => ({
            label: line.label,
            stroke: cssColor(`--flow${line.color % FLOW_COLORS}`),
            width: 1.6,
            points: { show: false },
            spanGaps: false,
            ...(line.dashed ? { dash: [5, 4] } : {}),
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(240, element.clientWidth), height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [key, dark, height, xLabel]);
  useEffect(() => plot.current?.setData(data), [data, version]);
  return (
    <figure class="chart" data-points={data[0].length}>
      <figcaption>
        {title}
        <span class="keys">
          {lines
            .filter((line) => !line.dashed)
            .map((line) => (
              <span key={line.label}>
                <i style={{ background: `var(--flow${line.color % FLOW_COLORS})` }} />
                {line.label}
              </span>
            ))}
        </span>
      </figcaption>
      <div ref={box} role="img" aria-label={title} />
    </figure>
  );
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toFixed(2))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toFixed(1))} k`;
  return String(Number(value.toFixed(2)));
}
