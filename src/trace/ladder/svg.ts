/** Ladder diagrams as standalone SVG: time runs down, arrows fall with their delay. */
import {
  isMark,
  type Ladder,
  type LadderArrow,
  type LadderItem,
  type LadderMark,
  msText,
} from "./model.ts";
import {
  escapeXml,
  round,
  STRIP_HEIGHT,
  STYLE,
  svgStrip,
  svgText,
  textWidth,
} from "./svg-parts.ts";
import { wrapped } from "./text-row.ts";
import { AGAIN_WORD, type Language, LOST_WORD } from "./words.ts";

export interface LadderSvgOptions {
  readonly language?: Language;
}

/** Distance of two things at one host. */
const SLOT = 21;
const LINE_HEIGHT = 17;
/** Size that makes `textWidth` right for 11 px of a fixed-width font. */
const MONO_SIZE = 11.9;
/** Cells of a line of narration for each pixel of width. */
const CELL = 6.5;

/** A standalone SVG document. */
export function ladderSvg(ladder: Ladder, options: LadderSvgOptions = {}): string {
  return new Picture(ladder, options.language ?? "en").draw();
}

interface Moment {
  readonly timeUs: number;
  readonly item: LadderItem;
  readonly isArrival: boolean;
  /** Place among the items of its instant. */
  readonly order: number;
}

class Picture {
  private readonly ladder: Ladder;
  private readonly language: Language;
  private readonly x: number[] = [];
  private readonly width: number;
  private readonly out: string[] = [];
  /** Drawn first, so that lines lie below text. */
  private readonly under: string[] = [];
  private readonly sentY = new Map<LadderArrow, number>();
  private readonly arrivedY = new Map<LadderArrow, number>();
  private readonly free: number[];
  private baseY = 0;
  private bottomY = 0;
  private readonly margins: [number, number];
  private readonly lastTime = ["", ""];
  /** Where the hosts' lines run, between the boxes. */
  private readonly lives: [number, number][] = [];
  private lifeFrom = 0;

  constructor(ladder: Ladder, language: Language) {
    this.ladder = ladder;
    this.language = language;
    const count = Math.max(1, ladder.columns.length);
    let label = 240;
    const marks: [number, number] = [30, 30];
    for (const item of ladder.items) {
      if (item.kind === "arrow") {
        label = Math.max(label, textWidth(this.title(item), MONO_SIZE) + 40);
      } else if (isMark(item)) {
        if (item.column === 0) marks[0] = Math.max(marks[0], textWidth(item.text) + 24);
        if (item.column === count - 1) marks[1] = Math.max(marks[1], textWidth(item.text) + 24);
      }
    }
    this.margins = [Math.min(marks[0], 240), Math.min(marks[1], 240)];
    const gap = Math.min(label, 460);
    const left = 20 + 66 + this.margins[0];
    for (let i = 0; i < count; i++) this.x.push(left + i * gap);
    this.width = Math.max(640, this.x[count - 1] + this.margins[1] + 66 + 20);
    this.free = new Array<number>(count).fill(0);
  }

  private title(arrow: LadderArrow): string {
    const again = arrow.reason === "" ? "" : ` (${AGAIN_WORD[this.language]}: ${arrow.reason})`;
    return `${arrow.head} ${arrow.numbers}`.trim() + again;
  }

  draw(): string {
    const { ladder } = this;
    let y = 24;
    if (ladder.title !== "") {
      for (const line of wrapped(ladder.title, Math.floor((this.width - 40) / 9.4))) {
        this.out.push(svgText(20, y + 4, line, { className: "title" }));
        y += 22;
      }
      y += 8;
    }
    ladder.columns.forEach((column, i) => {
      this.out.push(
        svgText(this.x[i], y, column.name, { className: "name halo", anchor: "middle" }),
      );
      this.out.push(
        svgText(this.x[i], y + 15, column.detail, { className: "small halo", anchor: "middle" }),
      );
    });
    y += 30;
    this.settle(y);
    this.lifeFrom = y - 8;
    let lastUs: number | undefined;
    let underWay = 0;
    // A box never lies across an arrow: it waits until none is under way.
    let waiting: LadderItem[] = [];
    for (const moment of this.moments()) {
      const { item } = moment;
      const isBox = item.kind === "text" || item.kind === "strips";
      const departs = item.kind === "arrow" && !moment.isArrival;
      if (waiting.length > 0 && underWay === 0 && (departs || isBox || moment.timeUs > lastUs!)) {
        for (const box of waiting) this.box(box);
        waiting = [];
      }
      if (lastUs !== undefined && moment.timeUs > lastUs) {
        this.settle(this.bottomY + timeGap(moment.timeUs - lastUs));
      }
      lastUs = moment.timeUs;
      if (isBox) {
        if (underWay === 0) this.box(item);
        else waiting.push(item);
      } else if (item.kind === "arrow") {
        if (moment.isArrival) {
          underWay--;
          this.arrivedY.set(item, this.place(item.to, moment.timeUs));
        } else {
          if (item.arrivedUs !== undefined) underWay++;
          this.sentY.set(item, this.place(item.from, moment.timeUs, item.options !== ""));
        }
      } else if (isMark(item)) this.mark(item);
    }
    for (const box of waiting) this.box(box);
    const bottom = this.bottomY + 26;
    this.lives.push([this.lifeFrom, bottom]);
    for (const x of this.x) {
      for (const [from, to] of this.lives) {
        if (to > from)
          this.under.push(`<path d="M${round(x)} ${round(from)} V${round(to)}" class="life"/>`);
      }
    }
    for (const item of ladder.items) if (item.kind === "arrow") this.arrow(item);
    return this.document(bottom + 16);
  }

  /** A sentence or byte strips, across all columns. */
  private box(item: LadderItem): void {
    const from = this.bottomY + 14;
    this.lives.push([this.lifeFrom, from]);
    let below = from;
    if (item.kind === "text") below = this.sentence(item, from);
    else if (item.kind === "strips") below = this.strips(item, from);
    this.lifeFrom = below + 2;
    this.settle(below + 20);
  }

  private document(height: number): string {
    const size = `width="${Math.ceil(this.width)}" height="${Math.ceil(height)}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${Math.ceil(this.width)} ${Math.ceil(height)}" role="img">`,
      `<title>${escapeXml(this.ladder.title || "Ladder diagram")}</title>`,
      `<style>${STYLE}</style>`,
      `<rect class="bg" width="100%" height="100%" rx="8"/>`,
      ...this.under,
      ...this.out,
      "</svg>",
      "",
    ].join("\n");
  }

  /** Sendings, arrivals, marks and sentences by time; an arrival comes before what it brings about. */
  private moments(): Moment[] {
    const list: Moment[] = [];
    this.ladder.items.forEach((item, order) => {
      list.push({ timeUs: item.timeUs, item, isArrival: false, order });
      if (item.kind === "arrow" && item.arrivedUs !== undefined) {
        list.push({ timeUs: item.arrivedUs, item, isArrival: true, order: -1 });
      }
    });
    return list.sort((a, b) => a.timeUs - b.timeUs || a.order - b.order);
  }

  /** Everything from here on lies below `y`. */
  private settle(y: number): void {
    this.baseY = y;
    this.bottomY = y;
    this.free.fill(y);
  }

  /** A place on a column's line, below what stands there; writes the time beside it. */
  private place(column: number, timeUs: number, hasOptions = false): number {
    const y = Math.max(this.baseY, this.free[column]);
    this.free[column] = y + SLOT + (hasOptions ? 8 : 0);
    this.bottomY = Math.max(this.bottomY, y);
    this.time(column, timeUs, y);
    return y;
  }

  private time(column: number, timeUs: number, y: number): void {
    const last = this.x.length - 1;
    if (column !== 0 && column !== last) return;
    const side = column === 0 ? 0 : 1;
    const text = msText(timeUs);
    if (this.lastTime[side] === text) return;
    this.lastTime[side] = text;
    const x = side === 0 ? 76 : this.width - 20;
    this.out.push(svgText(x, y + 4, text, { className: "small", anchor: "end" }));
  }

  // Items

  private mark(mark: LadderMark): void {
    const x = this.x[mark.column];
    const y = this.place(mark.column, mark.timeUs);
    const anchor = mark.column === 0 ? "end" : "start";
    const text = mark.column === 0 ? x - 12 : x + 12;
    this.under.push(`<circle cx="${round(x)}" cy="${round(y)}" r="3.5" class="${mark.kind}"/>`);
    this.out.push(svgText(text, y + 4, mark.text, { className: `${mark.kind} halo`, anchor }));
  }

  private sentence(item: { readonly label: string; readonly text: string }, y: number): number {
    const inner = this.width - 40 - 44;
    const lines = wrapped(item.text, Math.floor(inner / CELL));
    const height = lines.length * LINE_HEIGHT + 14;
    this.out.push(
      `<rect x="20" y="${round(y)}" width="${round(this.width - 40)}" height="${height}" rx="6" class="box"/>`,
    );
    if (item.label !== "") {
      this.out.push(
        `<circle cx="39" cy="${round(y + 15)}" r="10" class="number"/>`,
        svgText(39, y + 19, item.label, { className: "onnumber", anchor: "middle" }),
      );
    }
    lines.forEach((line, i) => {
      this.out.push(svgText(item.label === "" ? 32 : 58, y + 19 + i * LINE_HEIGHT, line));
    });
    return y + height;
  }

  private strips(
    item: { readonly strips: readonly Parameters<typeof svgStrip>[0][] },
    y: number,
  ): number {
    for (const strip of item.strips) {
      this.out.push(svgStrip(strip, 30, y, this.width - 60, this.language));
      y += STRIP_HEIGHT + 8;
    }
    return y;
  }

  private arrow(arrow: LadderArrow): void {
    const y1 = this.sentY.get(arrow);
    if (y1 === undefined) return;
    const x1 = this.x[arrow.from];
    const x2 = this.x[arrow.to];
    const way = Math.sign(x2 - x1);
    const arrived = this.arrivedY.get(arrow);
    const isLost = arrow.lost !== "" && arrived === undefined;
    // What is lost falls as steeply as what was sent with it.
    const y2 = arrived ?? y1 + (isLost ? (this.slope(arrow) ?? 24) : 8);
    const reach = isLost ? 0.8 : 1;
    const ex = x1 + (x2 - x1) * reach - (isLost ? 0 : way * 2);
    const ey = y1 + (y2 - y1) * reach;
    const kind = isLost
      ? " lost"
      : arrow.reason !== ""
        ? " again"
        : /SYN|FIN|RST/.test(arrow.head)
          ? " strong"
          : "";
    this.under.push(
      `<path d="M${round(x1)} ${round(y1)} L${round(isLost ? ex : ex - way * 6)} ${round(ey)}" class="arrow${kind}"/>`,
    );
    if (isLost) this.cross(ex, ey, arrow.lost, way);
    else this.tip(ex, ey, x1, y1, kind);
    this.label(arrow, x1, y1, x2, y2, isLost);
  }

  /** How far its neighbor of the same direction and moment falls. */
  private slope(arrow: LadderArrow): number | undefined {
    for (const [other, y] of this.arrivedY) {
      if (other.timeUs === arrow.timeUs && other.from === arrow.from && other.to === arrow.to) {
        return y - this.sentY.get(other)!;
      }
    }
    return undefined;
  }

  private tip(x: number, y: number, x1: number, y1: number, kind: string): void {
    const angle = (Math.atan2(y - y1, x - x1) * 180) / Math.PI;
    this.under.push(
      `<path d="M0 0 L-10 4 L-10 -4 Z" transform="translate(${round(x)} ${round(y)}) rotate(${round(angle)})" class="tip${kind}"/>`,
    );
  }

  private cross(x: number, y: number, why: string, way: number): void {
    this.under.push(
      `<path d="M${round(x - 5)} ${round(y - 5)} l10 10 m0 -10 l-10 10" class="arrow lost" stroke-width="2.2"/>`,
    );
    const word = LOST_WORD[this.language];
    const text = why === "loss" ? word : `${word}: ${why}`;
    this.out.push(
      svgText(x + way * 12, y + 4, text, {
        className: "small losttext halo",
        anchor: way > 0 ? "start" : "end",
      }),
    );
  }

  /** Above the line and along it; options below. */
  private label(
    arrow: LadderArrow,
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    isLost: boolean,
  ): void {
    const [lx, ly, rx, ry] = x1 < x2 ? [x1, y1, x2, y2] : [x2, y2, x1, y1];
    const angle = (Math.atan2(ry - ly, rx - lx) * 180) / Math.PI;
    // The head of a lost packet is not reached: its text stays near its sender.
    // Beyond its neighbor a packet's text stands in the first gap, clear of the hosts between.
    const spans = Math.max(1, Math.abs(arrow.to - arrow.from));
    const fromSender = isLost ? 0.42 : 0.5 / spans;
    const part = x1 < x2 ? fromSender : 1 - fromSender;
    const mx = lx + (rx - lx) * part;
    const my = ly + (ry - ly) * part;
    const transform = `translate(${round(mx)} ${round(my)}) rotate(${round(angle)})`;
    const tone = isLost ? " losttext" : arrow.reason !== "" ? " againtext" : "";
    const room = (Math.hypot(rx - lx, ry - ly) * (isLost ? 0.84 : 1)) / spans - 18;
    this.out.push(
      svgText(0, -5, shortened(this.title(arrow), room, MONO_SIZE), {
        className: `mono halo${tone}`,
        anchor: "middle",
        transform,
      }),
    );
    if (arrow.options !== "") {
      this.out.push(
        svgText(0, 12, shortened(arrow.options, room, 10.5), {
          className: "small halo",
          anchor: "middle",
          transform,
        }),
      );
    }
  }
}

/** Cut to what fits, since nothing may be drawn beyond the lines. */
function shortened(text: string, room: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= room) return text;
  let cut = text;
  while (cut.length > 1 && textWidth(`${cut}…`, fontSize) > room) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

/** Longer times take more room, but never as much more as they are longer. */
function timeGap(us: number): number {
  return Math.min(64, 12 + 12 * Math.log10(1 + us / 1000));
}
