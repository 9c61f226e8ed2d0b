import type { Strip, StripKind } from "./strips.ts";
import { fitted, type Style, stringWidth, TextRow } from "./text-row.ts";
import { type Language, STRIP_WORDS, WINDOW_WORD } from "./words.ts";

const FILL: Readonly<Record<StripKind, readonly [string, Style | undefined]>> = {
  acknowledged: ["█", "green"],
  "in-flight": ["▓", "yellow"],
  "may-send": ["░", "cyan"],
  open: [" ", "cyan"],
  "must-wait": ["·", "dim"],
  read: ["█", "green"],
  waiting: ["▓", "blue"],
  gap: [" ", "red"],
  "out-of-order": ["▒", "magenta"],
  free: ["░", "cyan"],
};

/** The rows of one strip: title and bar, byte numbers below it, the window's span. */
export function stripRows(strip: Strip, width: number, language: Language): TextRow[] {
  const titleWidth = Math.min(Math.max(18, stringWidth(strip.title) + 2), Math.floor(width / 3));
  const bar = new TextRow(width);
  const numbers = new TextRow(width);
  const window = new TextRow(width);
  bar.put(0, fitted(strip.title, titleWidth - 1), "bold");
  const { parts } = strip;
  if (parts.length === 0) {
    bar.put(titleWidth, "—", "dim");
    return [bar];
  }
  const widths = partWidths(strip, width - titleWidth - 8, language);
  let x = titleWidth;
  let windowFrom = -1;
  let windowTo = x;
  let nextNumber = x;
  const number = (value: number, at: number) => {
    const text = String(value);
    if (at < nextNumber) return;
    numbers.put(at, text, "dim");
    nextNumber = at + text.length + 1;
  };
  for (let i = 0; i < parts.length; i++) {
    const { kind, from, to } = parts[i];
    const [character, style] = FILL[kind];
    bar.put(x, "▕", "dim");
    number(from, x);
    const inner = widths[i];
    bar.fill(x + 1, x + 1 + inner, character, style);
    const label = ` ${labelOf(kind, to - from, inner - 2, language)} `;
    const start = x + 1 + Math.floor((inner - stringWidth(label)) / 2);
    bar.put(Math.max(x + 1, start), label, style);
    if (kind !== "acknowledged" && kind !== "read" && kind !== "waiting" && kind !== "must-wait") {
      if (windowFrom < 0) windowFrom = x;
      windowTo = x + 1 + inner;
    }
    x += 1 + inner;
  }
  bar.put(x, "▏", "dim");
  number(parts[parts.length - 1].to, x);
  if (windowFrom < 0) return [bar, numbers];
  const word = ` ${WINDOW_WORD[language]} `;
  window.put(windowFrom, "└", "cyan");
  window.fill(windowFrom + 1, windowTo, "─", "cyan");
  window.put(windowTo, "┘", "cyan");
  const room = windowTo - windowFrom - 1;
  if (room >= stringWidth(word)) {
    window.put(windowFrom + 1 + Math.floor((room - stringWidth(word)) / 2), word, "cyan");
  }
  return [bar, numbers, window];
}

/** "in flight 50", or only the number where there is no room. */
function labelOf(kind: StripKind, bytes: number, room: number, language: Language): string {
  const whole = `${STRIP_WORDS[language][kind]} ${bytes}`;
  if (stringWidth(whole) <= room) return whole;
  return fitted(String(bytes), Math.max(1, room));
}

/** As wide as the bytes are many, but never too narrow for the label. */
function partWidths(strip: Strip, room: number, language: Language): number[] {
  const { parts } = strip;
  const weights = partWeights(strip);
  const total = weights.reduce((sum, each) => sum + each, 0);
  const least = parts.map(
    (part) => stringWidth(`${STRIP_WORDS[language][part.kind]} ${part.to - part.from}`) + 2,
  );
  const needed = least.reduce((sum, each) => sum + each + 1, 0);
  if (needed > room) {
    const narrow = parts.map((part) => String(part.to - part.from).length + 2);
    return needed > 2 * room
      ? narrow
      : least.map((w, i) => Math.max(narrow[i], Math.floor((w * room) / needed)));
  }
  const spare = room - needed;
  return parts.map((_, i) => least[i] + Math.floor((spare * weights[i]) / total));
}

/** Bytes, but a large empty window shall not squeeze what there is: at most as much as all the rest. */
export function partWeights(strip: Strip): number[] {
  const isEmpty = (kind: StripKind) => kind === "open" || kind === "free";
  const sizes = strip.parts.map((part) => part.to - part.from);
  const rest = strip.parts.reduce((sum, part, i) => (isEmpty(part.kind) ? sum : sum + sizes[i]), 0);
  return sizes.map((size, i) =>
    rest > 0 && isEmpty(strip.parts[i].kind) ? Math.min(size, rest) : size,
  );
}
