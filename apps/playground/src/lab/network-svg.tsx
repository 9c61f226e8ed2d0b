import type { Laboratory } from "./laboratory.ts";
import type { NodeSetup, Setup } from "./setup.ts";
import type { Flying, Wire } from "./wire.ts";

interface Props {
  readonly lab: Laboratory;
  readonly setup: Setup;
  readonly label: string;
  onDrop(flying: Flying, wire: Wire): void;
}

/** More dots than this say nothing. */
const MOST_DOTS = 160;

/** The network with what is on its cables; a packet that is clicked is dropped. */
export function NetworkSvg({ lab, setup, label, onDrop }: Props) {
  const places = new Map(setup.nodes.map((n) => [n.name, n]));
  const nowUs = lab.nowUs;
  return (
    <svg class="network" viewBox="0 0 400 240" role="group" aria-label={label}>
      {lab.wires.map((wire, i) => {
        const a = places.get(wire.setup.a)!;
        const b = places.get(wire.setup.b)!;
        const up = wire.cable.linkUp;
        return (
          <g key={i} class={up ? "cable" : "cable cut"}>
            <line x1={a.x * 4} y1={a.y * 4} x2={b.x * 4} y2={b.y * 4} />
            {!up && (
              <path
                class="cross"
                d={`M${(a.x + b.x) * 2 - 7} ${(a.y + b.y) * 2 - 7}l14 14m0 -14l-14 14`}
              />
            )}
            <text x={(a.x + b.x) * 2} y={(a.y + b.y) * 2 - 14} text-anchor="middle">
              {wire.setup.mbit} M · {wire.setup.delayMs} ms
            </text>
          </g>
        );
      })}
      {lab.wires.map((wire, i) => (
        <Dots
          key={i}
          wire={wire}
          a={places.get(wire.setup.a)!}
          b={places.get(wire.setup.b)!}
          nowUs={nowUs}
          lab={lab}
          onDrop={onDrop}
        />
      ))}
      {setup.nodes.map((node) => (
        <g key={node.name} class={`node ${node.kind}`}>
          <rect
            x={node.x * 4 - 32}
            y={node.y * 4 - 15}
            width={64}
            height={30}
            rx={node.kind === "host" ? 7 : node.kind === "router" ? 15 : 2}
          />
          <text x={node.x * 4} y={node.y * 4 + 4} text-anchor="middle">
            {node.name}
          </text>
          <text class="address" x={node.x * 4} y={node.y * 4 + 27} text-anchor="middle">
            {node.kind === "host" ? lab.addresses.get(node.name) : ""}
          </text>
        </g>
      ))}
    </svg>
  );
}

function Dots({
  wire,
  a,
  b,
  nowUs,
  lab,
  onDrop,
}: {
  wire: Wire;
  a: NodeSetup;
  b: NodeSetup;
  nowUs: number;
  lab: Laboratory;
  onDrop: Props["onDrop"];
}) {
  const all = [...wire.onWire()];
  const shown = all.length > MOST_DOTS ? all.slice(0, MOST_DOTS) : all;
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  return (
    <>
      {shown.map((flying) => {
        const share = Math.min(
          1,
          Math.max(0, (nowUs - flying.sentUs) / Math.max(1, flying.dueUs - flying.sentUs)),
        );
        const along = flying.end === "a" ? share : 1 - share;
        // Each direction on its own side of the cable.
        const aside = (flying.end === "a" ? 1.1 : -1.1) / length;
        const x = (a.x + (b.x - a.x) * along - (b.y - a.y) * aside) * 4;
        const y = (a.y + (b.y - a.y) * along + (b.x - a.x) * aside) * 4;
        const flow = lab.flows.findIndex((f) => f.port === flying.serverPort);
        const name = `${flying.isData ? "data" : "ACK"} ${flying.bytes}`;
        return (
          <circle
            key={flying.id}
            class={`dot${flying.isData ? "" : " small"}${flying.doomed ? " doomed" : ""}`}
            data-id={flying.id}
            cx={x}
            cy={y}
            r={flying.isData ? 4.4 : 3}
            style={{
              fill: flying.doomed
                ? "var(--lost)"
                : flow < 0
                  ? "var(--muted)"
                  : `var(--flow${flow % 6})`,
            }}
            onPointerDown={() => onDrop(flying, wire)}
          >
            <title>{name}</title>
          </circle>
        );
      })}
    </>
  );
}
