import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useWords } from "../language.ts";
import { readRoute, writeRoute } from "../route.ts";
import { rowsOf } from "../views/ladder-rows.ts";
import { LadderSvg } from "../views/ladder-svg.tsx";
import { Strips } from "../views/strips.tsx";
import { rangesOf, receiveStrip, sendStrip } from "../../../../src/trace/ladder/strips.ts";
import { Builder } from "./builder.tsx";
import { CablePanel, FlowPanel } from "./panels.tsx";
import { Laboratory } from "./laboratory.ts";
import { NetworkSvg } from "./network-svg.tsx";
import { LabPlots } from "./plots.tsx";
import { fromUrlText, PRESETS, readSetup, type Setup, toUrlText } from "./setup.ts";

/** Seconds of virtual time in one real second. */
const SPEEDS = [0.005, 0.02, 0.1, 0.5, 1, 5, 20];
/** Real milliseconds between two drawings of the ladder and of the network. */
const LADDER_MS = 350;
const FRAME_MS = 30;
const FIRST = Object.keys(PRESETS)[0];

function setupOfAddress(): { setup: Setup; error: string } {
  const { query } = readRoute();
  const text = query.get("setup");
  try {
    if (text !== null) return { setup: fromUrlText(text), error: "" };
  } catch (error) {
    return { setup: PRESETS[FIRST], error: String(error) };
  }
  return { setup: PRESETS[query.get("preset") ?? FIRST] ?? PRESETS[FIRST], error: "" };
}

export function LabView({ dark }: { dark: boolean }) {
  const first = useMemo(setupOfAddress, []);
  const [setup, setSetup] = useState(first.setup);
  const [error, setError] = useState(first.error);
  const [lab, setLab] = useState<Laboratory>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let made: Laboratory | undefined;
    try {
      made = new Laboratory(setup);
      setLab(made);
    } catch (failure) {
      setLab(undefined);
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    return () => made?.close();
  }, [setup, round]);
  const use = (next: Setup) => {
    setError("");
    setSetup(next);
    setRound((n) => n + 1);
  };
  return (
    <div class="lab">
      {error !== "" && <p role="alert">{error}</p>}
      <Head setup={setup} lab={lab} use={use} fail={setError} />
      {lab !== undefined && <Bench key={round} lab={lab} setup={setup} dark={dark} use={use} />}
      {lab === undefined && <Builder setup={setup} use={use} />}
    </div>
  );
}

interface HeadProps {
  readonly setup: Setup;
  readonly lab: Laboratory | undefined;
  use(setup: Setup): void;
  fail(text: string): void;
}

function Head({ setup, lab, use, fail }: HeadProps) {
  const { t } = useWords();
  const file = useRef<HTMLInputElement>(null);
  const preset = Object.keys(PRESETS).find(
    (name) =>
      JSON.stringify({ ...PRESETS[name], seed: 0 }) === JSON.stringify({ ...setup, seed: 0 }),
  );
  const now = () => lab?.setup() ?? setup;
  const load = async (input: HTMLInputElement) => {
    const [chosen] = input.files ?? [];
    if (chosen === undefined) return;
    try {
      use(readSetup(await chosen.text()));
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
    input.value = "";
  };
  return (
    <div class="controls lab-head" role="group" aria-label={t("laboratory")}>
      <label>
        {t("preset")}
        <select
          value={preset ?? ""}
          onChange={(e) => {
            const name = e.currentTarget.value;
            writeRoute("lab", [], { preset: name, setup: undefined });
            use(PRESETS[name]);
          }}
        >
          {preset === undefined && <option value="">–</option>}
          {Object.keys(PRESETS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        {t("seed")}
        <input
          class="number-input"
          type="number"
          min={0}
          value={setup.seed}
          onChange={(e) => use({ ...now(), seed: Math.max(0, Number(e.currentTarget.value) || 0) })}
        />
      </label>
      <button type="button" data-action="restart" onClick={() => use(now())}>
        {t("restart")}
      </button>
      <span class="spacer" />
      <button
        type="button"
        onClick={() =>
          save(
            new Blob([JSON.stringify(now(), null, 2)], { type: "application/json" }),
            "laboratory.json",
          )
        }
      >
        {t("save")}
      </button>
      <button type="button" onClick={() => file.current?.click()}>
        {t("load")}
      </button>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label={t("load")}
        onChange={(e) => void load(e.currentTarget)}
      />
      <button
        type="button"
        data-action="share"
        title={t("copied")}
        onClick={() => writeRoute("lab", [], { setup: toUrlText(now()), preset: undefined })}
      >
        {t("share")}
      </button>
      <button
        type="button"
        data-action="pcapng"
        disabled={lab === undefined}
        onClick={() =>
          lab &&
          save(
            new Blob([lab.pcapng() as BlobPart], { type: "application/octet-stream" }),
            "laboratory.pcapng",
          )
        }
      >
        {t("pcap")}
      </button>
    </div>
  );
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface BenchProps {
  readonly lab: Laboratory;
  readonly setup: Setup;
  readonly dark: boolean;
  use(setup: Setup): void;
}

function Bench({ lab, setup, dark, use }: BenchProps) {
  const { t } = useWords();
  const [playing, setPlaying] = useState(true);
  const [speed, setSpeed] = useState(0.5);
  const [, setFrame] = useState(0);
  const redraw = () => setFrame((n) => n + 1);
  useDrive(lab, playing, speed, redraw);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (/^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(target.tagName) || event.ctrlKey || event.metaKey)
        return;
      if (event.key === " ") setPlaying((on) => !on);
      else if (event.key === "ArrowRight") void lab.step().then(redraw);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [lab]);
  // A ladder is read, not watched: while time runs it is redrawn a few times a second.
  const drawn = useRef({ at: 0, version: -1 });
  if (
    lab.packets.version !== drawn.current.version &&
    (!playing || performance.now() - drawn.current.at > LADDER_MS)
  ) {
    drawn.current = { at: performance.now(), version: lab.packets.version };
  }
  const { ladder, keys, rows } = useMemo(() => {
    const made = lab.ladder();
    return { ...made, rows: rowsOf(made.ladder) };
  }, [lab, drawn.current.version]);
  return (
    <>
      <div class="controls" role="group" aria-label={t("play")}>
        <button
          type="button"
          class="primary"
          data-action="play"
          onClick={() => setPlaying(!playing)}
        >
          {playing ? t("pause") : t("play")}
        </button>
        <button
          type="button"
          data-action="step"
          onClick={() => (setPlaying(false), void lab.step().then(redraw))}
        >
          {t("stepEvent")}
        </button>
        <label>
          {t("speed")}
          <select
            data-action="speed"
            value={String(speed)}
            onChange={(e) => setSpeed(Number(e.currentTarget.value))}
          >
            {SPEEDS.map((value) => (
              <option key={value} value={String(value)}>
                ×{value}
              </option>
            ))}
          </select>
        </label>
        <span class="clock" data-us={Math.round(lab.nowUs)}>
          {t("time")} {(lab.nowUs / 1e6).toFixed(3)} {t("seconds")}
        </span>
      </div>
      <div class="bench">
        <section class="card">
          <NetworkSvg
            lab={lab}
            setup={setup}
            label={t("preset")}
            onDrop={(flying, wire) => (wire.doom(flying, lab.packets), redraw())}
          />
          <p class="muted hint">{t("hint")}</p>
        </section>
        <section class="card">
          <h3>{t("flows")}</h3>
          <FlowPanel lab={lab} redraw={redraw} />
          <Strips strips={stripsOf(lab, t("send"), t("receive"))} />
        </section>
        <section class="card wide">
          <h3>{t("cables")}</h3>
          <CablePanel lab={lab} redraw={redraw} />
        </section>
        <section class="card wide">
          <h3>{t("plots")}</h3>
          <LabPlots lab={lab} dark={dark} />
        </section>
        <section class="card wide">
          <h3>{t("recent")}</h3>
          <LadderSvg
            ladder={ladder}
            rows={rows}
            shown={rows.length}
            label={t("recent")}
            onDrop={(arrow) => lab.dropArrow(arrow, keys) && redraw()}
          />
        </section>
        <section class="card wide">
          <h3>{t("build")}</h3>
          <Builder setup={lab.setup()} use={use} />
        </section>
      </div>
    </>
  );
}

/** Buffers of the first two connections; more would not be read. */
function stripsOf(lab: Laboratory, send: string, receive: string) {
  return lab.flows.slice(0, 2).flatMap((flow) => {
    const c = flow.connection?.socket.connection;
    const s = flow.accepted?.socket.connection;
    return [
      ...(c === undefined ? [] : [sendStrip(`${flow.setup.from}: ${send}`, c, c.iss)]),
      ...(s === undefined
        ? []
        : [
            receiveStrip(
              `${flow.setup.to}: ${receive}`,
              {
                rcvNxt: s.rcvNxt,
                rcvRead: s.rcvRead,
                rcvAdv: s.rcvAdv,
                finReceived: s.finReceived,
                ranges: rangesOf(s),
              },
              s.irs,
            ),
          ]),
    ];
  });
}

/** Moves virtual time along with real time; what is too much for a frame is left out, so the page stays quick. */
function useDrive(lab: Laboratory, playing: boolean, speed: number, redraw: () => void): void {
  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    let frame = 0;
    let alive = true;
    let drawn = 0;
    const turn = async (now: number) => {
      const passed = Math.min(100, now - last);
      last = now;
      await lab.runTo(lab.nowUs + passed * 1000 * speed, 14);
      if (!alive) return;
      if (now - drawn >= FRAME_MS) {
        drawn = now;
        redraw();
      }
      frame = requestAnimationFrame(turn);
    };
    frame = requestAnimationFrame(turn);
    return () => {
      alive = false;
      cancelAnimationFrame(frame);
    };
  }, [lab, playing, speed]);
}
