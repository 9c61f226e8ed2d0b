import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ladder, LadderArrow, LadderMark } from "../../../../src/trace/ladder/model.ts";
import type { LadderRow } from "./ladder-rows.ts";

export interface LadderSvgProps {
  readonly ladder: Ladder;
  readonly rows: readonly LadderRow[];
  /** Rows that have happened. */
  readonly shown: number;
  readonly label: string;
  /** Called with the arrow when one that has not arrived is clicked. */
  readonly onDrop?: (arrow: LadderArrow) => void;
  /** Called with a row's number. */
  readonly onRow?: (row: number) => void;
}

const TOP = 44;

/** A ladder diagram that grows: time runs down, a row for each thing that happens. */
export function LadderSvg(props: LadderSvgProps) {
  const { ladder, rows, shown, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setWidth(Math.max(300, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const narrow = width < 560;
  const rowHeight = narrow ? 36 : 30;
  const columns = ladder.columns.length;
  const margin = narrow ? 77 : 150;
  const gap = columns > 1 ? (width - 2 * margin) / (columns - 1) : 0;
  const x = (column: number) => (columns === 1 ? width / 2 : margin + column * gap);
  const y = (row: number) => TOP + 20 + row * rowHeight;
  const height = y(Math.max(shown, 1)) + 24;

  useEffect(() => {
    const element = box.current!;
    const at = y(shown - 1);
    if (at > element.scrollTop + element.clientHeight - 60 || at < element.scrollTop + 60) {
      element.scrollTop = Math.max(0, at - element.clientHeight * 0.7);
    }
  }, [shown, rowHeight, ladder]);

  const arrivals = new Map<LadderArrow, number>();
  rows.forEach((row, i) => {
    if (row.kind === "arrive" && row.item.kind === "arrow") arrivals.set(row.item, i);
  });
  const place = { x, y, narrow, shown, arrivals, columns, width };
  return (
    <div class="ladder" ref={box} tabIndex={0} role="region" aria-label={label}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${label}: ${summary(rows, shown)}`}
      >
        {ladder.columns.map((column, i) => (
          <g key={column.name}>
            <line class="lifeline" x1={x(i)} x2={x(i)} y1={TOP} y2={height - 6} />
            <text class="host" x={x(i)} y={18} text-anchor="middle">
              {column.name}
            </text>
            <text class="address" x={x(i)} y={34} text-anchor="middle">
              {narrow && columns > 3 ? "" : column.detail}
            </text>
          </g>
        ))}
        {rows.slice(0, shown).map((row, i) => (
          <Row key={i} row={row} index={i} place={place} {...props} />
        ))}
      </svg>
    </div>
  );
}

interface Place {
  x(column: number): number;
  y(row: number): number;
  readonly narrow: boolean;
  readonly shown: number;
  readonly columns: number;
  readonly width: number;
  readonly arrivals: ReadonlyMap<LadderArrow, number>;
}

function Row(props: { row: LadderRow; index: number; place: Place } & LadderSvgProps) {
  const { row, index, place, onRow } = props;
  const { y, narrow } = place;
  const current = index === place.shown - 1;
  const { item } = row;
  const time = (row.timeUs / 1000).toFixed(row.timeUs % 1000 === 0 ? 0 : narrow ? 1 : 2);
  return (
    <g class={current ? "row current" : "row"}>
      {current && (
        <rect
          class="now"
          x={0}
          width={place.width}
          y={y(index) - 17}
          height={narrow ? 32 : 26}
          rx={4}
        />
      )}
      {item.kind === "text" ? (
        <Said number={item.label} y={y(index)} onClick={() => onRow?.(index)} />
      ) : (
        <text class="time" x={4} y={y(index) + (!sideMarks(row, place) ? 4 : narrow ? -9 : -7)}>
          {time}
        </text>
      )}
      {item.kind === "arrow" && row.kind === "depart" && <Arrow arrow={item} {...props} />}
      {item.kind === "arrow" &&
        row.beside.map((mark, i) => (
          <Mark
            key={i}
            mark={mark}
            y={y(index) + 4 + i * 12 - (row.beside.length - 1) * 6}
            place={place}
          />
        ))}
      {row.kind === "mark" && item.kind !== "arrow" && item.kind !== "text" && (
        <Mark mark={item} y={y(index) + 4} place={place} />
      )}
    </g>
  );
}

function sideMarks(row: LadderRow, place: Place): boolean {
  if (place.columns !== 2) return false;
  if (row.item.kind !== "arrow" && row.item.kind !== "text") return row.item.column === 0;
  return row.beside.some((mark) => mark.column === 0);
}

function Said({ number, y, onClick }: { number: string; y: number; onClick(): void }) {
  return (
    <g class="said" onClick={onClick}>
      <circle cx={14} cy={y} r={10} />
      <text x={14} y={y + 4} text-anchor="middle">
        {number}
      </text>
      <line x1={28} x2="99%" y1={y} y2={y} />
    </g>
  );
}

function Mark({ mark, y, place }: { mark: LadderMark; y: number; place: Place }) {
  const x = place.x(mark.column);
  const left = place.columns === 2 && mark.column === 0;
  const room = place.narrow ? 12 : 20;
  const text =
    mark.text.length > room && place.columns === 2 ? `${mark.text.slice(0, room - 1)}…` : mark.text;
  return (
    <g class={`mark ${mark.kind}`}>
      <circle cx={x} cy={y - 4} r={3} />
      <text x={left ? x - 7 : x + 7} y={y} text-anchor={left ? "end" : "start"}>
        {text}
        <title>{mark.text}</title>
      </text>
    </g>
  );
}

function Arrow({
  arrow,
  index,
  place,
  onDrop,
}: { arrow: LadderArrow; index: number; place: Place } & LadderSvgProps) {
  const { x, y, narrow, shown, arrivals } = place;
  const x1 = x(arrow.from);
  const x2 = x(arrow.to);
  const rightward = x2 > x1;
  const arrival = arrivals.get(arrow);
  // What was still under way when the run ended is not lost.
  const lost =
    arrow.lost !== "" && arrow.lost !== "not seen to arrive" && arrow.arrivedUs === undefined;
  const y1 = y(index);
  const arrived = arrival !== undefined && arrival < shown;
  // What is under way has come as far as the rows since it left.
  const total = (arrival ?? index + 1) - index;
  const share = lost
    ? 0.6
    : arrived
      ? 1
      : Math.min(0.85, Math.max(0.15, (shown - index) / (total + 1)));
  const y2 = lost ? y1 + 18 : y1 + share * (y(arrival ?? index + 1) - y1);
  const end = x1 + (x2 - x1) * share;
  const again = arrow.reason === "" ? "" : ` ↻ ${arrow.reason}`;
  const title = [arrow.head, arrow.numbers, arrow.options, again, lost ? arrow.lost : ""]
    .filter((text) => text !== "")
    .join(" ");
  const room = Math.floor(Math.abs(x2 - x1) / (narrow ? 5.4 : 6.7)) - 2;
  const numbers = fit(arrow.numbers, narrow ? room : room - arrow.head.length - again.length - 1);
  const options =
    !narrow &&
    arrow.options !== "" &&
    arrow.head.length + numbers.length + arrow.options.length + again.length + 2 < room
      ? ` ${arrow.options}`
      : "";
  const style = lost
    ? "lost"
    : arrow.reason !== ""
      ? "again"
      : /SYN|FIN|RST/.test(arrow.head)
        ? "strong"
        : "plain";
  const pending = !arrived && !lost;
  const anchor = rightward ? "start" : "end";
  const tx = rightward ? x1 + 9 : x1 - 9;
  const angle = (Math.atan2(y2 - y1, end - x1) * 180) / Math.PI;
  const drop = pending && onDrop !== undefined ? () => onDrop(arrow) : undefined;
  return (
    <g
      class={`arrow ${style}${pending ? " pending" : ""}`}
      data-packet={arrow.packet}
      {...(drop === undefined
        ? {}
        : {
            role: "button",
            tabIndex: 0,
            onClick: drop,
            onKeyDown: (e: KeyboardEvent) => e.key === "Enter" && drop(),
          })}
    >
      <title>{title}</title>
      <line x1={x1} y1={y1} x2={end} y2={y2} />
      {lost ? (
        <path class="cross" d={`M${end - 5} ${y2 - 5}l10 10m0 -10l-10 10`} />
      ) : (
        <path
          class="head"
          transform={`translate(${end} ${y2}) rotate(${angle})`}
          d="M0 0L-9 -4.5L-9 4.5Z"
        />
      )}
      {narrow ? (
        <text x={tx} y={y1 - 15} text-anchor={anchor}>
          <tspan class="title">{arrow.head + again}</tspan>
          <tspan x={tx} dy={11}>
            {numbers}
          </tspan>
        </text>
      ) : (
        <text x={tx} y={y1 - 4} text-anchor={anchor}>
          <tspan class="title">{arrow.head}</tspan> {numbers}
          {options}
          {again}
        </text>
      )}
    </g>
  );
}

/** Numbers that have room: the last ones are left out first. */
function fit(numbers: string, room: number): string {
  const parts = numbers.split(" ").filter((part) => part !== "");
  while (parts.length > 1 && parts.join(" ").length > room) {
    const window = parts.findIndex((part) => part.startsWith("win="));
    parts.splice(window >= 0 ? window : parts.length - 1, 1);
  }
  return parts.join(" ");
}

function summary(rows: readonly LadderRow[], shown: number): string {
  const last = rows[shown - 1];
  if (last === undefined || last.item.kind === "text") return `${shown}`;
  if (last.item.kind !== "arrow") return last.item.text;
  return `${last.kind === "arrive" ? "arrived" : "sent"} ${last.item.head} ${last.item.numbers}`;
}
