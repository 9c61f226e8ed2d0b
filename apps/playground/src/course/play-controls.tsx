import { useEffect, useState } from "preact/hooks";
import { useWords } from "../language.ts";
import type { Scene } from "./moments.ts";

interface Props {
  readonly scene: Scene;
  readonly step: number;
  go(step: number): void;
}

/** Milliseconds from one moment to the next at speed 1; explanations stand longer. */
const STEP_MS = 700;
const TEXT_MS = 4200;
const SPEEDS = [0.25, 0.5, 1, 2, 4, 16];

export function PlayControls({ scene, step, go }: Props) {
  const { t } = useWords();
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const last = scene.moments.length - 1;
  const moment = scene.moments[step];

  useEffect(() => {
    if (!playing) return;
    if (step >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => go(step + 1), (moment.isSaid ? TEXT_MS : STEP_MS) / speed);
    return () => clearTimeout(timer);
  }, [playing, step, speed, last, scene]);

  const text = (direction: 1 | -1) => {
    let to = step + direction;
    while (to > 0 && to < last && !scene.moments[to].isSaid) to += direction;
    go(to);
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return;
      const action: Record<string, () => void> = {
        ArrowRight: () => go(step + 1),
        ArrowLeft: () => go(step - 1),
        PageDown: () => text(1),
        PageUp: () => text(-1),
        Home: () => go(0),
        End: () => go(last),
        " ": () => setPlaying((on) => !on),
      };
      if (event.key === " " && target.tagName === "BUTTON") return;
      const act = action[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });

  const button = (label: string, sign: string, act: () => void, disabled = false, name = "") => (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={act}
      data-action={name}
    >
      {sign}
    </button>
  );
  return (
    <div class="controls" role="group" aria-label={t("play")}>
      <div class="buttons">
        {button(t("start"), "|«", () => go(0), step === 0, "start")}
        {button(t("previousText"), "«", () => text(-1), step === 0, "previous-text")}
        {button(t("back"), "‹", () => go(step - 1), step === 0, "back")}
        <button
          type="button"
          class="primary"
          onClick={() => (step >= last ? (go(0), setPlaying(true)) : setPlaying(!playing))}
          data-action="play"
        >
          {playing ? t("pause") : t("play")}
        </button>
        {button(t("forward"), "›", () => go(step + 1), step === last, "forward")}
        {button(t("nextText"), "»", () => text(1), step === last, "next-text")}
        {button(t("end"), "»|", () => go(last), step === last, "end")}
      </div>
      <input
        type="range"
        aria-label={t("step")}
        min={0}
        max={last}
        value={step}
        onInput={(e) => go(Number(e.currentTarget.value))}
      />
      <span class="clock" data-step={step} data-last={last}>
        {step}/{last} · {(moment.timeUs / 1000).toFixed(1)} ms
      </span>
      <label>
        {t("speed")}{" "}
        <select value={String(speed)} onChange={(e) => setSpeed(Number(e.currentTarget.value))}>
          {SPEEDS.map((value) => (
            <option key={value} value={String(value)}>
              ×{value}
            </option>
          ))}
        </select>
      </label>
      <span class="keys-hint">{t("keys")}</span>
    </div>
  );
}
