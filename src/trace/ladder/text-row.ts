/** One line of a terminal: cells with styles, aware that some characters take two. */
import stringWidth from "string-width";

export type Style = "dim" | "bold" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

export type Paint = (text: string, style: Style) => string;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export { stringWidth };

/** A text cut to at most `width` cells, with an ellipsis when something is missing. */
export function fitted(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let result = "";
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const cells = stringWidth(segment);
    if (used + cells > width - 1) break;
    result += segment;
    used += cells;
  }
  return width <= 0 ? "" : `${result}…`;
}

/** Lines of at most `width` cells, broken at spaces; a longer word is broken inside. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      const joined = line === "" ? word : `${line} ${word}`;
      if (stringWidth(joined) <= width) {
        line = joined;
        continue;
      }
      if (line !== "") lines.push(line);
      line = word;
      while (stringWidth(line) > width) {
        const head = fitted(line, width + 1).slice(0, -1);
        if (head === "") break;
        lines.push(head);
        line = line.slice(head.length);
      }
    }
    lines.push(line);
  }
  return lines;
}

export class TextRow {
  private readonly cells: string[];
  private readonly styles: (Style | undefined)[];

  constructor(width: number) {
    this.cells = new Array<string>(width).fill(" ");
    this.styles = new Array<Style | undefined>(width).fill(undefined);
  }

  /** Writes a text at a cell; what does not fit is left out. */
  put(x: number, text: string, style?: Style): void {
    for (const { segment } of segmenter.segment(text)) {
      const width = stringWidth(segment);
      if (width === 0) continue;
      if (x < 0 || x + width > this.cells.length) return;
      this.cells[x] = segment;
      this.styles[x] = style;
      for (let i = 1; i < width; i++) {
        this.cells[x + i] = "";
        this.styles[x + i] = style;
      }
      x += width;
    }
  }

  /** Fills [from, to) with one character of width 1. */
  fill(from: number, to: number, character: string, style?: Style): void {
    for (let x = Math.max(0, from); x < Math.min(to, this.cells.length); x++) {
      this.cells[x] = character;
      this.styles[x] = style;
    }
  }

  toString(paint: Paint): string {
    let text = "";
    let run = "";
    let style: Style | undefined;
    let end = this.cells.length;
    while (end > 0 && this.cells[end - 1] === " ") end--;
    for (let x = 0; x < end; x++) {
      if (this.styles[x] !== style) {
        text += style === undefined ? run : paint(run, style);
        run = "";
        style = this.styles[x];
      }
      run += this.cells[x];
    }
    return text + (style === undefined ? run : paint(run, style));
  }
}
