import type { Strip } from "../../../../src/trace/ladder/strips.ts";
import { STRIP_WORDS, WINDOW_WORD } from "../../../../src/trace/ladder/words.ts";
import { useWords } from "../language.ts";

/** Buffers as strips of bytes, all on one scale for a pair of hosts. */
export function Strips({ strips }: { strips: readonly Strip[] }) {
  const { lang } = useWords();
  const kinds = new Set(strips.flatMap((strip) => strip.parts.map((part) => part.kind)));
  return (
    <div class="strips">
      {strips.map((strip) => (
        <StripBar key={strip.title} strip={strip} />
      ))}
      <ul class="legend">
        {[...kinds].map((kind) => (
          <li key={kind}>
            <i class={`swatch ${kind}`} /> {STRIP_WORDS[lang][kind]}
          </li>
        ))}
      </ul>
    </div>
  );
}

function StripBar({ strip }: { strip: Strip }) {
  const { lang } = useWords();
  const { parts } = strip;
  const end = Math.max(1, strip.edge, parts[parts.length - 1]?.to ?? 0);
  // What is done with may be long and what the window opens wide: both are shown shortened.
  const widths = parts.map(({ kind, from, to }) => {
    const share = (to - from) / end;
    return Math.max(0.03, kind === "open" || kind === "free" ? Math.min(share, 0.45) : share);
  });
  const sum = widths.reduce((a, b) => a + b, 0) || 1;
  const said = parts.map((p) => `${STRIP_WORDS[lang][p.kind]} ${p.to - p.from}`).join(", ");
  let inWindow = false;
  return (
    <div class="strip">
      <div class="strip-title">
        <span>{strip.title}</span>
        <span class="edge">
          {WINDOW_WORD[lang]} → {strip.edge.toLocaleString("en")}
        </span>
      </div>
      <div class="bar" role="img" aria-label={`${strip.title}: ${said || "0"}`}>
        {parts.map((part, i) => {
          const size = part.to - part.from;
          const width = (widths[i] / sum) * 100;
          inWindow =
            strip.side === "send"
              ? part.kind === "in-flight" || part.kind === "may-send" || part.kind === "open"
              : part.kind === "free" || part.kind === "gap" || part.kind === "out-of-order";
          return (
            <div
              key={part.kind + i}
              class={`part ${part.kind}${inWindow ? " window" : ""}`}
              style={{ width: `${width}%` }}
              title={`${STRIP_WORDS[lang][part.kind]}: ${part.from} – ${part.to} (${size})`}
            >
              {width > 9 ? size.toLocaleString("en") : ""}
            </div>
          );
        })}
        {parts.length === 0 && <div class="part free" style={{ width: "100%" }} />}
      </div>
    </div>
  );
}
