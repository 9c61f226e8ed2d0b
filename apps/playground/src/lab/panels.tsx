import { congestionControlNames } from "../../../../src/tcp/congestion/registry.ts";
import { useWords } from "../language.ts";
import type { Flow } from "./flow.ts";
import type { Laboratory } from "./laboratory.ts";
import type { CableSetup } from "./setup.ts";
import type { Wire } from "./wire.ts";

interface Props {
  readonly lab: Laboratory;
  redraw(): void;
}

export function FlowPanel({ lab, redraw }: Props) {
  return (
    <div class="flows">
      {lab.flows.map((flow, i) => (
        <FlowRow key={flow.port} flow={flow} color={i} redraw={redraw} />
      ))}
    </div>
  );
}

function FlowRow({ flow, color, redraw }: { flow: Flow; color: number; redraw(): void }) {
  const { t } = useWords();
  const act = (work: () => void) => () => {
    work();
    redraw();
  };
  const info = flow.connection?.info();
  return (
    <fieldset class="flow" style={{ borderLeftColor: `var(--flow${color % 6})` }} data-flow={color}>
      <legend>{flow.name}</legend>
      <p class="flow-state">
        <b data-flow-state={color}>{flow.state}</b> · {(flow.receivedBytes / 1000).toFixed(0)} kB
        {info !== undefined && (
          <>
            {" "}
            · cwnd {info.sndCwndBytes.toLocaleString("en")} · ↻{" "}
            <span data-flow-retrans={color}>{info.totalRetrans}</span>
          </>
        )}
        {flow.error !== "" && <span class="bad"> {flow.error}</span>}
      </p>
      <div class="flow-buttons">
        {flow.isOpen ? (
          <>
            <button type="button" data-action="close" onClick={act(() => flow.close())}>
              {t("close")}
            </button>
            <button type="button" data-action="abort" onClick={act(() => flow.abort())}>
              {t("abort")}
            </button>
          </>
        ) : (
          <button type="button" data-action="open" onClick={act(() => flow.open())}>
            {t("open")}
          </button>
        )}
        <button
          type="button"
          data-action="write"
          disabled={!flow.isOpen}
          onClick={act(() => flow.write(10_000))}
        >
          {t("write")}
        </button>
        <label>
          <input
            type="checkbox"
            data-action="stream"
            checked={flow.setup.stream}
            onChange={(e) => (flow.configure({ stream: e.currentTarget.checked }), redraw())}
          />{" "}
          {t("stream")}
        </label>
        <label>
          <input
            type="checkbox"
            data-action="reading"
            checked={flow.setup.reading}
            onChange={(e) => (flow.configure({ reading: e.currentTarget.checked }), redraw())}
          />{" "}
          {t("reading")}
        </label>
        <select
          aria-label={`${t("control")}: ${flow.name}`}
          value={flow.setup.control}
          onChange={(e) => (flow.configure({ control: e.currentTarget.value }), redraw())}
        >
          {congestionControlNames().map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
    </fieldset>
  );
}

const FIELDS: readonly (readonly [
  Exclude<keyof CableSetup, "a" | "b">,
  "rate" | "delay" | "loss" | "queue",
  number,
  number,
  number,
])[] = [
  ["mbit", "rate", 0.01, 1000, 0.1],
  ["delayMs", "delay", 0, 5000, 1],
  ["loss", "loss", 0, 100, 0.1],
  ["queue", "queue", 1, 10000, 1],
];

export function CablePanel({ lab, redraw }: Props) {
  return (
    <div class="cables">
      {lab.wires.map((wire, i) => (
        <CableRow key={i} wire={wire} index={i} redraw={redraw} />
      ))}
    </div>
  );
}

function CableRow({ wire, index, redraw }: { wire: Wire; index: number; redraw(): void }) {
  const { t } = useWords();
  const { cable, setup } = wire;
  const name = `${setup.a} – ${setup.b}`;
  const act = (work: () => void) => () => {
    work();
    redraw();
  };
  return (
    <fieldset class="cable-row" data-cable={index}>
      <legend>{name}</legend>
      {FIELDS.map(([key, word, min, max, step]) => (
        <label key={key}>
          {t(word)}
          <input
            type="number"
            class="number-input"
            min={min}
            max={max}
            step={step === 0.1 ? "any" : step}
            value={setup[key]}
            onChange={(e) => {
              const value = Number(e.currentTarget.value);
              if (value >= min && value <= max) wire.configure({ [key]: value });
              redraw();
            }}
          />
        </label>
      ))}
      <span class="muted">
        {t("queueLength")} {wire.queued} · ✗ <span data-dropped={index}>{wire.dropped}</span>
      </span>
      <button type="button" data-action="drop-next" onClick={act(() => wire.doomNext())}>
        {t("dropNext")}
      </button>
      {cable.linkUp ? (
        <button type="button" data-action="cut" onClick={act(() => cable.down())}>
          {t("cut")}
        </button>
      ) : (
        <button type="button" class="primary" data-action="heal" onClick={act(() => cable.up())}>
          {t("heal")}
        </button>
      )}
    </fieldset>
  );
}
