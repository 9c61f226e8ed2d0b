import { useRef } from "preact/hooks";
import type { AlignedData } from "uplot";
import { useWords } from "../language.ts";
import type { ChartLine } from "../views/chart.tsx";
import { Chart } from "../views/charts.ts";
import type { Laboratory } from "./laboratory.ts";
import type { FlowCurve } from "./samples.ts";

const TITLES: readonly (readonly [FlowCurve, string])[] = [
  ["cwnd", "cwnd, ssthresh (bytes)"],
  ["flight", "flight (bytes)"],
  ["rtt", "SRTT (ms)"],
  ["rto", "RTO (ms)"],
  ["goodput", "goodput (Mbit/s)"],
];

/** Curves are drawn so many times a second at most. */
const REDRAW_MS = 120;

export function LabPlots({ lab, dark }: { lab: Laboratory; dark: boolean }) {
  const { t } = useWords();
  const drawn = useRef({
    at: 0,
    version: 0,
    count: -1,
    data: [] as { title: string; lines: ChartLine[]; data: AlignedData }[],
  });
  const now = performance.now();
  const { samples } = lab;
  const state = drawn.current;
  if (samples.seconds.length !== state.count && (now - state.at > REDRAW_MS || state.count < 0)) {
    state.at = now;
    state.count = samples.seconds.length;
    state.version++;
    state.data = curves(lab, t("queueLength"));
  }
  return (
    <div class="plots">
      {state.data.map(({ title, lines, data }) => (
        <Chart
          key={title}
          title={title}
          xLabel="s"
          lines={lines}
          data={data}
          dark={dark}
          version={state.version}
        />
      ))}
    </div>
  );
}

function curves(lab: Laboratory, queueTitle: string) {
  const { samples, flows, wires } = lab;
  const xs = samples.seconds.slice();
  const made = TITLES.map(([name, title]) => {
    const lines: ChartLine[] = flows.map((flow, color) => ({ label: flow.name, color }));
    const columns = samples.flows.map((flow) => flow[name].slice());
    if (name === "cwnd") {
      flows.forEach((flow, color) =>
        lines.push({ label: `ssthresh ${flow.name}`, color, dashed: true }),
      );
      columns.push(...samples.flows.map((flow) => flow.ssthresh.slice()));
    }
    return { title, lines, data: [xs, ...columns] as AlignedData };
  });
  const lines = wires.map((wire, color) => ({ label: wire.cable.name, color }));
  made.push({
    title: `${queueTitle} (packets)`,
    lines,
    data: [xs, ...samples.queues.map((q) => q.slice())] as AlignedData,
  });
  return made;
}
