/** Ladder diagrams in a terminal. */
import pc from "picocolors";
import {
  isMark,
  type Ladder,
  type LadderArrow,
  type LadderItem,
  type LadderMark,
  msText,
} from "./model.ts";
import { stripRows } from "./strip-text.ts";
import { fitted, type Paint, type Style, stringWidth, TextRow, wrapped } from "./text-row.ts";
import { AGAIN_WORD, type Language, LOST_WORD } from "./words.ts";

export interface LadderTextOptions {
  /** Cells of a line. Default 100, at least 60. */
  readonly width?: number;
  /** Default false. */
  readonly color?: boolean;
  readonly language?: Language;
}

const MARK_STYLE: Readonly<Record<LadderMark["kind"], Style>> = {
  state: "cyan",
  timer: "yellow",
  call: "green",
  drop: "red",
  congestion: "magenta",
  note: "dim",
};

/** The diagram as lines of text, without an end of line. */
export function ladderLines(ladder: Ladder, options: LadderTextOptions = {}): string[] {
  const colors = pc.createColors(options.color ?? false);
  const paint: Paint = (text, style) => colors[style](text);
  const drawing = new Drawing(ladder, Math.max(60, options.width ?? 100), options.language ?? "en");
  return drawing.draw().map((row) => row.toString(paint));
}

export function ladderText(ladder: Ladder, options: LadderTextOptions = {}): string {
  return `${ladderLines(ladder, options).join("\n")}\n`;
}

/** Marks that stand beside an arrow's ends. */
interface Beside {
  left: LadderMark[];
  right: LadderMark[];
}

class Drawing {
  private readonly ladder: Ladder;
  private readonly width: number;
  private readonly language: Language;
  private readonly rows: TextRow[] = [];
  private readonly timeWidth: number;
  /** Room beside the outer lines for marks; 0 with more than two columns. */
  private readonly margins: [number, number];
  /** Where the lines of the columns stand. */
  private readonly lines: number[] = [];
  private readonly twoSided: boolean;
  /** How many rows there were behind the last one that shows the lines alone. */
  private gapAt = -1;

  constructor(ladder: Ladder, width: number, language: Language) {
    this.ladder = ladder;
    this.width = width;
    this.language = language;
    const count = Math.max(2, ladder.columns.length);
    this.twoSided = count === 2;
    let longest = 0;
    for (const item of ladder.items) {
      longest = Math.max(longest, msText(item.timeUs).length);
      if (item.kind === "arrow" && item.arrivedUs !== undefined) {
        longest = Math.max(longest, msText(item.arrivedUs).length);
      }
    }
    this.timeWidth = Math.max(7, longest);
    this.margins = this.twoSided ? this.marginWidths() : [0, 0];
    const left = this.timeWidth + 1 + this.margins[0] + (this.margins[0] > 0 ? 1 : 0);
    const tail = this.margins[1] + (this.margins[1] > 0 ? 1 : 0);
    const right = this.twoSided ? this.timeWidth + 1 + tail : 16;
    const span = width - left - right - 1;
    const first = this.twoSided ? left : left + 6;
    const step = (this.twoSided ? span : span - 6) / (count - 1);
    for (let i = 0; i < count; i++) this.lines.push(first + Math.floor(i * step));
  }

  private marginWidths(): [number, number] {
    const widths: [number, number] = [0, 0];
    for (const item of this.ladder.items) {
      if (isMark(item)) {
        widths[item.column] = Math.max(widths[item.column], stringWidth(item.text));
      }
    }
    const most = Math.max(12, Math.floor((this.width - 2 * this.timeWidth - 48) / 2));
    return [Math.min(widths[0], most), Math.min(widths[1], most)];
  }

  draw(): TextRow[] {
    const { ladder } = this;
    if (ladder.title !== "") {
      for (const line of wrapped(ladder.title, this.width)) this.plain(line, "bold");
      this.rows.push(new TextRow(this.width));
    }
    this.head();
    const beside = this.twoSided ? assign(ladder.items) : undefined;
    for (const item of ladder.items) {
      switch (item.kind) {
        case "arrow":
          this.arrow(item, beside?.arrows.get(item));
          break;
        case "text":
          this.sentence(item.label, item.text);
          break;
        case "strips":
          this.rows.push(new TextRow(this.width));
          for (const strip of item.strips) {
            for (const row of stripRows(strip, this.width, this.language)) this.rows.push(row);
          }
          this.rows.push(new TextRow(this.width));
          break;
        default:
          if (beside === undefined || beside.alone.has(item)) this.mark(item);
      }
    }
    return this.rows;
  }

  private plain(text: string, style?: Style): void {
    const row = new TextRow(this.width);
    row.put(0, text, style);
    this.rows.push(row);
  }

  private head(): void {
    const names = new TextRow(this.width);
    const details = new TextRow(this.width);
    names.put(this.timeWidth - 2, "ms", "dim");
    let free = this.timeWidth + 1;
    this.ladder.columns.forEach((column, i) => {
      const last = i === this.lines.length - 1;
      const next = last ? this.width : this.lines[i + 1] - 2;
      for (const [row, text, style] of [
        [names, column.name, "bold"],
        [details, column.detail, "dim"],
      ] as const) {
        const shown = fitted(text, Math.max(8, next - free));
        const centered = this.lines[i] - Math.floor(stringWidth(shown) / 2);
        const at = Math.min(Math.max(free, centered), this.width - stringWidth(shown));
        row.put(at, shown, style);
      }
      free =
        this.lines[i] +
        Math.ceil(Math.max(stringWidth(column.name), stringWidth(column.detail)) / 2) +
        1;
    });
    this.rows.push(names, details);
    this.gap();
  }

  private lifelines(): TextRow {
    const row = new TextRow(this.width);
    for (const x of this.lines) row.put(x, "│", "dim");
    return row;
  }

  private sentence(label: string, text: string): void {
    this.gap();
    const indent = label === "" ? 0 : Math.max(3, stringWidth(label) + 2);
    wrapped(text, this.width - indent).forEach((line, i) => {
      const row = new TextRow(this.width);
      if (i === 0 && label !== "") row.put(0, label, "bold");
      row.put(indent, line);
      this.rows.push(row);
    });
    this.gap();
  }

  /** One row of lines alone, never two. */
  private gap(): void {
    if (this.gapAt === this.rows.length) return;
    this.rows.push(this.lifelines());
    this.gapAt = this.rows.length;
  }

  // Arrows

  private arrow(arrow: LadderArrow, beside: Beside | undefined): void {
    const x1 = this.lines[arrow.from];
    const x2 = this.lines[arrow.to];
    const rightward = x2 > x1;
    const [a, b] = rightward ? [x1, x2] : [x2, x1];
    const room = b - a - 1;
    const title = `${arrow.head} ${arrow.numbers}`.trim();
    const again = arrow.reason === "" ? "" : `(${AGAIN_WORD[this.language]}: ${arrow.reason})`;
    const whole = [title, arrow.options, again].filter((text) => text !== "").join(" ");
    const fits = (text: string) => stringWidth(text) + 6 <= room;
    const above: string[] = [];
    const below: string[] = [];
    let inside = whole;
    if (!fits(whole)) {
      inside = [title, again].filter((text) => text !== "").join(" ");
      if (arrow.options !== "") below.push(...wrapped(arrow.options, room - 2));
      if (!fits(inside)) {
        above.push(...wrapped(inside, room - 2));
        inside = "";
      }
    }
    // What a host does before it sends stands above, what an arrival brings about below.
    const departing = beside === undefined ? [] : rightward ? beside.left : beside.right;
    const arriving = beside === undefined ? [] : rightward ? beside.right : beside.left;
    for (const mark of departing.slice(0, -1)) this.mark(mark);
    for (const text of above) this.label(a, text);
    const row = this.lifelines();
    this.shaft(row, a, b, rightward, inside, arrow);
    row.put(
      this.timeWidth - msText(arrow.timeUs).length,
      rightward || !this.twoSided ? msText(arrow.timeUs) : "",
    );
    if (this.twoSided) this.ends(row, arrow, rightward);
    const near = departing[departing.length - 1];
    if (near !== undefined) this.markInto(row, near);
    if (arriving.length > 0) this.markInto(row, arriving[0]);
    this.rows.push(row);
    for (const text of below) this.label(a, text, "dim");
    for (const mark of arriving.slice(1)) this.mark(mark, false);
  }

  /** The times at both ends of an arrow. */
  private ends(row: TextRow, arrow: LadderArrow, rightward: boolean): void {
    const [left, right] = rightward
      ? [arrow.timeUs, arrow.arrivedUs]
      : [arrow.arrivedUs, arrow.timeUs];
    if (left !== undefined) row.put(this.timeWidth - msText(left).length, msText(left));
    if (right !== undefined) row.put(this.width - msText(right).length, msText(right));
  }

  private shaft(
    row: TextRow,
    a: number,
    b: number,
    rightward: boolean,
    text: string,
    arrow: LadderArrow,
  ): void {
    const style: Style | undefined =
      arrow.lost !== "" ? "red" : arrow.reason !== "" ? "yellow" : undefined;
    const room = b - a - 1;
    const line = arrow.reason !== "" ? "╌" : "─";
    row.fill(a + 1, b, line, style);
    if (rightward) row.put(b - 1, "►", style);
    else row.put(a + 1, "◄", style);
    const label = text === "" ? "" : ` ${text} `;
    const at = a + 1 + Math.max(2, Math.floor((room - stringWidth(label)) / 2));
    if (arrow.lost !== "" && arrow.arrivedUs === undefined) {
      this.lostShaft(row, a, b, rightward, label, arrow.lost, line);
      return;
    }
    if (label !== "")
      row.put(
        at,
        label,
        style ??
          (arrow.head.includes("SYN") || arrow.head.includes("FIN") || arrow.head.includes("RST")
            ? "bold"
            : undefined),
      );
  }

  /** A line that ends on its way, in an x. */
  private lostShaft(
    row: TextRow,
    a: number,
    b: number,
    rightward: boolean,
    label: string,
    why: string,
    line: string,
  ): void {
    const room = b - a - 1;
    row.fill(a + 1, b, " ");
    const reason = ` ${LOST_WORD[this.language]}${why === "loss" ? "" : `: ${why}`}`;
    const wanted = stringWidth(label) + 6;
    const length = Math.min(room - 1, Math.max(wanted, Math.floor(room * 0.7)));
    const spare = room - length - 1;
    const shown = stringWidth(reason) <= spare ? reason : "";
    if (rightward) {
      row.fill(a + 1, a + 1 + length, line, "red");
      row.put(a + 1 + length, "✗", "red");
      row.put(a + 3, label, "red");
      if (shown !== "") row.put(a + 2 + length, shown, "red");
    } else {
      row.fill(b - length, b, line, "red");
      row.put(b - length - 1, "✗", "red");
      row.put(b - 2 - stringWidth(label), label, "red");
      if (shown !== "") row.put(Math.max(a + 1, b - length - 2 - stringWidth(shown)), shown, "red");
    }
  }

  private label(a: number, text: string, style?: Style): void {
    const row = this.lifelines();
    row.put(a + 3, text, style);
    this.rows.push(row);
  }

  // Marks

  private mark(mark: LadderMark, withTime = true): void {
    const row = this.lifelines();
    const time = msText(mark.timeUs);
    if (withTime) {
      if (this.twoSided && mark.column === 1) row.put(this.width - time.length, time);
      else row.put(this.timeWidth - time.length, time);
    }
    this.markInto(row, mark);
    this.rows.push(row);
  }

  private markInto(row: TextRow, mark: LadderMark): void {
    const style = MARK_STYLE[mark.kind];
    const x = this.lines[mark.column];
    if (this.twoSided && mark.column === 0) {
      const text = fitted(mark.text, this.margins[0]);
      row.put(x - 1 - stringWidth(text), text, style);
    } else if (this.twoSided) {
      row.put(x + 2, fitted(mark.text, this.margins[1]), style);
    } else {
      const next = this.lines[mark.column + 1] ?? this.width;
      row.put(x + 2, fitted(mark.text, next - x - 3), style);
    }
  }
}

/**
 * Puts marks beside arrows: what happens when a packet arrives stands at its
 * head, what a host does at the moment it sends stands at its tail.
 */
function assign(items: readonly LadderItem[]): {
  arrows: Map<LadderArrow, Beside>;
  alone: Set<LadderMark>;
} {
  const arrows = new Map<LadderArrow, Beside>();
  const alone = new Set<LadderMark>();
  const heads = new Map<string, LadderArrow>();
  const tails = new Map<string, LadderArrow>();
  for (const item of items) {
    if (item.kind !== "arrow") continue;
    arrows.set(item, { left: [], right: [] });
    // Once by its connection, once for marks that name none.
    for (const flow of [item.flow, ""]) {
      const tail = `${item.from} ${item.timeUs} ${flow}`;
      if (!tails.has(tail)) tails.set(tail, item);
      if (item.arrivedUs === undefined) continue;
      const head = `${item.to} ${item.arrivedUs} ${flow}`;
      if (!heads.has(head)) heads.set(head, item);
    }
  }
  for (const item of items) {
    if (!isMark(item)) continue;
    const key = `${item.column} ${item.timeUs} ${item.flow}`;
    const caused =
      item.kind === "state" ||
      item.kind === "congestion" ||
      item.kind === "drop" ||
      item.kind === "note";
    const arrow = (caused ? heads.get(key) : undefined) ?? tails.get(key) ?? heads.get(key);
    const beside = arrow === undefined ? undefined : arrows.get(arrow);
    if (beside === undefined) alone.add(item);
    else (item.column === 0 ? beside.left : beside.right).push(item);
  }
  return { arrows, alone };
}
