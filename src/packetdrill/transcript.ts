/** What happened in a run, as a ladder: the script's side left, the stack's right. */
import { formatTime } from "./format.ts";

interface Line {
  readonly timeUs: number;
  readonly direction: "in" | "out" | "note";
  /** Made when printed: only then are all initial sequence numbers known. */
  readonly text: () => string;
}

export class Transcript {
  private readonly lines: Line[] = [];

  add(timeUs: number, direction: Line["direction"], text: () => string): void {
    this.lines.push({ timeUs, direction, text });
  }

  /** The last `count` lines. */
  format(count = 30): string[] {
    const shown = this.lines.slice(-count);
    const left = this.lines.length - shown.length;
    const head = left > 0 ? [`  (${left} lines before)`] : [];
    return head.concat(
      shown.map(({ timeUs, direction, text }) => {
        const arrow = direction === "in" ? "------>" : direction === "out" ? "<------" : "       ";
        return `  ${formatTime(timeUs).padStart(12)}  ${arrow}  ${text()}`;
      }),
    );
  }
}
