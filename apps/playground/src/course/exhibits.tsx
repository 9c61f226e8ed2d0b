import type { Exhibit } from "../../../../src/scenarios/scenario.ts";
import { useWords } from "../language.ts";
import { Chart } from "../views/charts.ts";

export function Exhibits({ exhibits, dark }: { exhibits: readonly Exhibit[]; dark: boolean }) {
  return (
    <>
      {exhibits.map((exhibit, i) => (
        <ExhibitView key={i} exhibit={exhibit} dark={dark} />
      ))}
    </>
  );
}

function ExhibitView({ exhibit, dark }: { exhibit: Exhibit; dark: boolean }) {
  const { lang } = useWords();
  const title = exhibit.title[lang];
  return (
    <section class="card">
      <h3>{title}</h3>
      {exhibit.rows !== undefined && (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead>
              <tr>
                {exhibit.rows[0]?.map((cell, i) => (
                  <th scope="col" key={i}>
                    {cell}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {exhibit.rows.slice(1).map((row, i) => (
                <tr key={i}>
                  {row.map((cell, j) => (
                    <td key={j}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {exhibit.lines !== undefined && (
        <pre tabIndex={0} role="region" aria-label={title}>
          {exhibit.lines.join("\n")}
        </pre>
      )}
      {exhibit.series !== undefined && (
        <Chart
          title={exhibit.yTitle?.[lang] ?? ""}
          xLabel="ms"
          height={260}
          dark={dark}
          lines={exhibit.series.map((series, color) => ({ label: series.name, color }))}
          data={aligned(exhibit.series.map((series) => series.points))}
        />
      )}
    </section>
  );
}

/** One x axis for all curves; between its own points a curve keeps its last value. */
function aligned(
  curves: readonly (readonly (readonly [number, number])[])[],
): [number[], ...(number | null)[][]] {
  const xs = [...new Set(curves.flatMap((points) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = curves.map((points) => {
    let i = 0;
    return xs.map((x) => {
      while (i + 1 < points.length && points[i + 1][0] <= x) i++;
      return points.length === 0 || points[0][0] > x ? null : points[i][1];
    });
  });
  return [xs, ...columns];
}
