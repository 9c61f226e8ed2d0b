import type { ConnectionVariables } from "../../../../src/trace/events.ts";
import { useWords } from "../language.ts";

export interface Column {
  readonly host: string;
  readonly ends: string;
  readonly now: ConnectionVariables | undefined;
  readonly before: ConnectionVariables | undefined;
}

type Cell = (v: ConnectionVariables) => string;
const number = (value: number | undefined) =>
  value === undefined ? "∞" : value.toLocaleString("en");
const ms = (us: number) => (us <= 0 ? "–" : `${Number((us / 1000).toFixed(2))} ms`);

const ROWS: readonly (readonly [string, Cell])[] = [
  ["state", (v) => v.state],
  ["SND.UNA", (v) => String(v.sndUna)],
  ["SND.NXT", (v) => String(v.sndNxt)],
  ["SND.WND", (v) => number(v.sndWnd)],
  ["written, not sent", (v) => number(Math.max(0, (v.sndEnd - v.sndNxt) | 0))],
  ["RCV.NXT", (v) => String(v.rcvNxt)],
  ["RCV.WND", (v) => number(Math.max(0, (v.rcvAdv - v.rcvNxt) | 0))],
  ["unread", (v) => number(Math.max(0, (v.rcvNxt - v.rcvRead - (v.finReceived ? 1 : 0)) | 0))],
  ["out of order", (v) => number(v.outOfOrder)],
  ["cwnd", (v) => number(v.cwnd)],
  ["ssthresh", (v) => number(v.ssthresh)],
  ["flight", (v) => number(v.pipe)],
  ["SRTT", (v) => ms(v.srttUs)],
  ["RTTVAR", (v) => ms(v.rttvarUs)],
  ["RTO", (v) => ms(v.rtoUs)],
  ["MSS", (v) => number(v.sndMss)],
];

/** The control blocks of all hosts side by side; what the last step changed is marked. */
export function Variables({ columns }: { columns: readonly Column[] }) {
  const { t } = useWords();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("variables")}>
      <table class="variables">
        <thead>
          <tr>
            <th scope="col">{t("variables")}</th>
            {columns.map((c) => (
              <th scope="col" key={c.host}>
                {c.host}
                <small>{c.ends || t("noConnection")}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([name, cell]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {columns.map((c) => {
                const text = c.now === undefined ? "" : cell(c.now);
                const old = c.before === undefined ? "" : cell(c.before);
                const changed = text !== old && text !== "";
                return (
                  <td
                    key={c.host}
                    class={changed ? "changed" : ""}
                    data-variable={`${c.host}.${name}`}
                  >
                    {text}
                    {changed && old !== "" && <span class="was">{old}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
