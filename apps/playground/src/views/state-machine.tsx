/** The states of RFC 9293 §3.3.2 (figure 5) as a small map with the current one lit. */
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  CLOSED: [160, 18],
  LISTEN: [70, 58],
  "SYN-SENT": [250, 58],
  "SYN-RECEIVED": [70, 104],
  ESTABLISHED: [250, 104],
  "FIN-WAIT-1": [52, 156],
  CLOSING: [160, 156],
  "CLOSE-WAIT": [270, 156],
  "FIN-WAIT-2": [52, 204],
  "TIME-WAIT": [160, 204],
  "LAST-ACK": [270, 204],
};

const WAYS: readonly (readonly [string, string])[] = [
  ["CLOSED", "LISTEN"],
  ["CLOSED", "SYN-SENT"],
  ["LISTEN", "SYN-RECEIVED"],
  ["SYN-SENT", "SYN-RECEIVED"],
  ["SYN-SENT", "ESTABLISHED"],
  ["SYN-RECEIVED", "ESTABLISHED"],
  ["SYN-RECEIVED", "FIN-WAIT-1"],
  ["ESTABLISHED", "FIN-WAIT-1"],
  ["ESTABLISHED", "CLOSE-WAIT"],
  ["FIN-WAIT-1", "FIN-WAIT-2"],
  ["FIN-WAIT-1", "CLOSING"],
  ["FIN-WAIT-2", "TIME-WAIT"],
  ["CLOSING", "TIME-WAIT"],
  ["CLOSE-WAIT", "LAST-ACK"],
];

const WIDTH = 92;
const HEIGHT = 24;

export function StateMachine({ host, state, side }: { host: string; state: string; side: number }) {
  return (
    <figure class={`machine side${side % 4}`}>
      <figcaption>
        {host}: <b data-state={host}>{state || "–"}</b>
      </figcaption>
      <svg viewBox="0 0 320 222" role="img" aria-label={`${host}: ${state || "no connection"}`}>
        {WAYS.map(([from, to]) => (
          <Way key={from + to} from={from} to={to} />
        ))}
        {Object.entries(PLACES).map(([name, [x, y]]) => (
          <g key={name} class={name === state ? "state lit" : "state"}>
            <rect x={x - WIDTH / 2} y={y - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx={6} />
            <text x={x} y={y + 4} text-anchor="middle">
              {name}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** A line from border to border, with a head. */
function Way({ from, to }: { from: string; to: string }) {
  const [x1, y1] = PLACES[from];
  const [x2, y2] = PLACES[to];
  const dx = x2 - x1;
  const dy = y2 - y1;
  const share = (at: number) =>
    Math.min(Math.abs(WIDTH / 2 / (dx || 1e-9)), Math.abs(HEIGHT / 2 / (dy || 1e-9))) * at;
  const a = share(1);
  const b = 1 - share(1);
  const angle = (Math.atan2(dy, dx) * 180) / Math.PI;
  const [ex, ey] = [x1 + dx * b, y1 + dy * b];
  return (
    <g class="way">
      <line x1={x1 + dx * a} y1={y1 + dy * a} x2={ex} y2={ey} />
      <path transform={`translate(${ex} ${ey}) rotate(${angle})`} d="M0 0L-6 -3L-6 3Z" />
    </g>
  );
}
