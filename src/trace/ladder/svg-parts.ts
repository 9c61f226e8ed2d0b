/** Pieces of an SVG picture: text, its width, byte strips, the colours of both themes. */
import stringWidth from "string-width";
import { partWeights } from "./strip-text.ts";
import type { Strip, StripKind } from "./strips.ts";
import { type Language, STRIP_WORDS, WINDOW_WORD } from "./words.ts";

/** Fonts that have Latin and Korean letters on the usual systems. */
const SANS =
  "system-ui, -apple-system, 'Segoe UI', 'Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', NanumGothic, sans-serif";
const MONO =
  "ui-monospace, 'SF Mono', Consolas, 'DejaVu Sans Mono', D2Coding, NanumGothicCoding, monospace";

/** Both themes; a viewer that knows no preference shows the light one. */
export const STYLE = `
text { font-family: ${SANS}; font-size: 12px; fill: #1f2328 }
.mono { font-family: ${MONO}; font-size: 11px }
.title { font-size: 16px; font-weight: 600 }
.name { font-size: 13px; font-weight: 600 }
.small { font-size: 10.5px; fill: #656d76 }
.bg { fill: #ffffff }
.halo { stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke }
.life { stroke: #afb8c1; stroke-width: 1.5 }
.arrow { stroke: #424a53; stroke-width: 1.4; fill: none }
.tip { fill: #424a53 }
.strong { stroke: #0969da; stroke-width: 1.8 }
.tip.strong { fill: #0969da; stroke: none }
.again { stroke: #bc4c00; stroke-dasharray: 6 3 }
.tip.again { fill: #bc4c00; stroke: none }
.lost { stroke: #cf222e }
.losttext { fill: #cf222e }
.againtext { fill: #bc4c00 }
.state { fill: #0550ae; font-weight: 600 }
.timer { fill: #9a6700 }
.call { fill: #116329 }
.drop { fill: #cf222e }
.congestion { fill: #8250df }
.note { fill: #656d76 }
.box { fill: #f6f8fa; stroke: #d0d7de }
.number { fill: #0969da }
.onnumber { fill: #ffffff; font-weight: 600; font-size: 11px }
.edge { stroke: #8c959f; stroke-width: 1 }
.window { stroke: #0969da; stroke-width: 1.5; fill: none }
.windowtext { fill: #0969da; font-size: 10.5px }
.part { stroke: #8c959f; stroke-width: 0.8 }
.acknowledged, .read { fill: #aceebb }
.in-flight { fill: #fae17d }
.may-send, .free { fill: #ddf4ff }
.open { fill: #f6f8fa }
.must-wait { fill: #eaeef2 }
.waiting { fill: #80ccff }
.gap { fill: #ffcecb }
.out-of-order { fill: #d8b9ff }
.partlabel { fill: #1f2328; font-size: 11px }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #8d96a0 }
.bg { fill: #0d1117 }
.halo { stroke: #0d1117 }
.life { stroke: #484f58 }
.arrow { stroke: #adbac7 }
.tip { fill: #adbac7 }
.strong { stroke: #4493f8 }
.tip.strong { fill: #4493f8 }
.again { stroke: #f0883e }
.tip.again { fill: #f0883e }
.lost { stroke: #ff7b72 }
.losttext { fill: #ff7b72 }
.againtext { fill: #f0883e }
.state { fill: #79c0ff }
.timer { fill: #e3b341 }
.call { fill: #7ee787 }
.drop { fill: #ff7b72 }
.congestion { fill: #d2a8ff }
.note { fill: #8d96a0 }
.box { fill: #161b22; stroke: #30363d }
.window { stroke: #4493f8 }
.windowtext { fill: #4493f8 }
.acknowledged, .read { fill: #2ea043 }
.in-flight { fill: #bb8009 }
.may-send, .free { fill: #1f4d7a }
.open { fill: #161b22 }
.must-wait { fill: #30363d }
.waiting { fill: #1f6feb }
.gap { fill: #b62324 }
.out-of-order { fill: #8957e5 }
.partlabel { fill: #f0f6fc }
}
`;

export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** About as wide as the text is drawn, on the safe side: no font can be asked. */
export function textWidth(text: string, fontSize = 12): number {
  return stringWidth(text) * fontSize * 0.56;
}

export interface TextOptions {
  readonly anchor?: "start" | "middle" | "end";
  readonly className?: string;
  readonly transform?: string;
}

export function svgText(x: number, y: number, text: string, options: TextOptions = {}): string {
  const { anchor, className, transform } = options;
  const attributes = [
    `x="${round(x)}" y="${round(y)}"`,
    className === undefined ? "" : ` class="${className}"`,
    anchor === undefined || anchor === "start" ? "" : ` text-anchor="${anchor}"`,
    transform === undefined ? "" : ` transform="${transform}"`,
  ];
  return `<text ${attributes.join("")}>${escapeXml(text)}</text>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export const STRIP_HEIGHT = 62;

/** One strip: title, bar with labels, byte numbers, and the window's span below. */
export function svgStrip(
  strip: Strip,
  x: number,
  y: number,
  width: number,
  language: Language,
): string {
  const out: string[] = [svgText(x, y + 11, strip.title, { className: "small" })];
  const { parts } = strip;
  if (parts.length === 0) return out.join("");
  const weights = partWeights(strip);
  const total = weights.reduce((sum, each) => sum + each, 0);
  const labels = parts.map((part) => `${STRIP_WORDS[language][part.kind]} ${part.to - part.from}`);
  const least = labels.map((label) => textWidth(label, 11) + 10);
  const needed = least.reduce((sum, each) => sum + each, 0);
  const spare = Math.max(0, width - needed);
  const scale = needed > width ? width / needed : 1;
  let at = x;
  let nextNumber = x;
  let windowFrom = -1;
  let windowTo = at;
  const number = (value: number, where: number, anchor: "start" | "middle" | "end") => {
    if (where < nextNumber) return;
    out.push(svgText(where, y + 47, String(value), { className: "small", anchor }));
    nextNumber = where + textWidth(String(value), 10.5) + 8;
  };
  parts.forEach((part, i) => {
    const w = least[i] * scale + (spare * weights[i]) / total;
    out.push(
      `<rect x="${round(at)}" y="${y + 16}" width="${round(w)}" height="20" class="part ${part.kind}"/>`,
    );
    out.push(svgText(at + w / 2, y + 30, labels[i], { className: "partlabel", anchor: "middle" }));
    number(part.from, at, at > x ? "middle" : "start");
    if (isWindow(part.kind)) {
      if (windowFrom < 0) windowFrom = at;
      windowTo = at + w;
    }
    at += w;
  });
  number(parts[parts.length - 1].to, at, "end");
  if (windowFrom >= 0) {
    const top = y + 51;
    out.push(
      `<path d="M${round(windowFrom)} ${top} v5 H${round(windowTo)} v-5" class="window"/>`,
      svgText((windowFrom + windowTo) / 2, top + 10, WINDOW_WORD[language], {
        className: "windowtext halo",
        anchor: "middle",
      }),
    );
  }
  return out.join("");
}

function isWindow(kind: StripKind): boolean {
  return !["acknowledged", "read", "waiting", "must-wait"].includes(kind);
}
