import { useEffect, useMemo, useState } from "preact/hooks";
import type { Scenario } from "../../../../src/scenarios/scenario.ts";
import { receiveStrip, sendStrip } from "../../../../src/trace/ladder/strips.ts";
import { useWords } from "../language.ts";
import { type Route, writeRoute } from "../route.ts";
import { LadderSvg } from "../views/ladder-svg.tsx";
import { StateMachine } from "../views/state-machine.tsx";
import { Strips } from "../views/strips.tsx";
import { Variables } from "../views/variables.tsx";
import { Exhibits } from "./exhibits.tsx";
import { type Scene, sceneOf } from "./moments.ts";
import { PlayControls } from "./play-controls.tsx";
import { snapshot } from "./snapshot.ts";

type Data = typeof import("../../../../src/scenarios/registry.ts") &
  typeof import("../../../../src/scenarios/run.ts");

/** The scenarios and their narrations are fetched when the course is opened. */
async function load(): Promise<Data> {
  const [registry, run] = await Promise.all([
    import("../../../../src/scenarios/registry.ts"),
    import("../../../../src/scenarios/run.ts"),
  ]);
  return { ...registry, ...run };
}

export function Course({ route, dark }: { route: Route; dark: boolean }) {
  const { t, lang } = useWords();
  const [data, setData] = useState<Data>();
  const [scene, setScene] = useState<Scene>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    load().then(setData, (error: unknown) => setFailure(String(error)));
  }, []);
  const scenario = data?.findScenario(route.parts[0] ?? "") ?? data?.SCENARIOS[0];
  useEffect(() => {
    if (data === undefined || scenario === undefined) return;
    let current = true;
    setScene(undefined);
    setFailure("");
    data.runScenario(scenario).then(
      (result) => current && setScene(sceneOf(result)),
      (error: unknown) => current && setFailure(String(error)),
    );
    return () => {
      current = false;
    };
  }, [data, scenario]);
  const last = (scene?.moments.length ?? 1) - 1;
  const step = Math.min(last, Math.max(0, Number(route.parts[1] ?? 0) || 0));
  const go = (to: number) =>
    scenario !== undefined &&
    writeRoute("course", [scenario.name, Math.min(last, Math.max(0, to))]);

  if (data === undefined || scenario === undefined)
    return <p class="wait">{failure || t("running")}</p>;
  return (
    <div class="course">
      <ScenarioList scenarios={data.SCENARIOS} current={scenario} />
      <div class="stage">
        <div class="headline">
          <h2>{scenario.title[lang]}</h2>
          <p>{scenario.summary[lang]}</p>
        </div>
        {failure !== "" && <p role="alert">{failure}</p>}
        {scene === undefined || scene.result.scenario !== scenario ? (
          failure === "" && <p class="wait">{t("running")}</p>
        ) : (
          <Run scene={scene} step={step} go={go} dark={dark} />
        )}
      </div>
    </div>
  );
}

function ScenarioList({
  scenarios,
  current,
}: {
  scenarios: readonly Scenario[];
  current: Scenario;
}) {
  const { t, lang } = useWords();
  const open = (name: string) => writeRoute("course", [name, 0], {}, true);
  return (
    <>
      <nav class="scenarios" aria-label={t("scenarios")}>
        <ol>
          {scenarios.map((scenario) => (
            <li key={scenario.name}>
              <button
                type="button"
                aria-current={scenario === current ? "true" : undefined}
                onClick={() => open(scenario.name)}
              >
                {scenario.title[lang]}
              </button>
            </li>
          ))}
        </ol>
      </nav>
      <label class="scenario-select">
        {t("scenario")}
        <select value={current.name} onChange={(e) => open(e.currentTarget.value)}>
          {scenarios.map((scenario, i) => (
            <option key={scenario.name} value={scenario.name}>
              {i + 1}. {scenario.title[lang]}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

interface RunProps {
  readonly scene: Scene;
  readonly step: number;
  readonly dark: boolean;
  go(step: number): void;
}

function Run({ scene, step, go, dark }: RunProps) {
  const { t, lang } = useWords();
  const moment = scene.moments[step];
  const { act, ladder, rows } = scene.acts[moment.act];
  const before = scene.moments[step - 1];
  const now = useMemo(() => snapshot(act, moment.events), [act, moment.events]);
  const old = useMemo(
    () => (before === undefined || before.act !== moment.act ? [] : snapshot(act, before.events)),
    [act, before, moment.act],
  );
  const words = moment.said < 0 ? undefined : act.steps[moment.said];
  const strips = now.flatMap(({ host, variables, iss, irs }) =>
    variables === undefined || variables.state === "LISTEN"
      ? []
      : [
          sendStrip(`${host}: ${t("send")}`, variables, iss),
          receiveStrip(`${host}: ${t("receive")}`, variables, irs),
        ],
  );
  const exhibits = act.exhibits.filter((exhibit) => exhibit.timeUs <= moment.timeUs);
  const isEnd = step === scene.moments.length - 1;
  const firstOfAct = scene.moments.findIndex((m) => m.act === moment.act);
  return (
    <>
      <PlayControls scene={scene} step={step} go={go} />
      <div class="panels">
        <section class="card narration" aria-live="polite">
          {scene.acts.length > 1 && (
            <p class="act">
              {t("act")} {moment.act + 1}/{scene.acts.length}: {act.title[lang]}
            </p>
          )}
          {words === undefined ? (
            <p>{t("noText")}</p>
          ) : (
            <p data-said={words.number}>
              <b class="number">{words.number}</b> {words.text[lang]}
            </p>
          )}
        </section>
        <section class="card ladder-card">
          <h3>{t("ladder")}</h3>
          <LadderSvg
            ladder={ladder}
            rows={rows}
            shown={moment.rows}
            label={t("ladder")}
            onRow={(row) => go(firstOfAct + row)}
          />
        </section>
        <div class="side">
          <Exhibits exhibits={exhibits} dark={dark} />
          <section class="card">
            <h3>{t("buffers")}</h3>
            {strips.length === 0 ? (
              <p class="muted">{t("noConnection")}</p>
            ) : (
              <Strips strips={strips} />
            )}
          </section>
          <section class="card">
            <h3>{t("states")}</h3>
            <div class="machines">
              {now.map(({ host, variables }, i) => (
                <StateMachine key={host} host={host} state={variables?.state ?? ""} side={i} />
              ))}
            </div>
          </section>
          <section class="card">
            <h3>{t("variables")}</h3>
            <Variables
              columns={now.map(({ host, ends, variables }, i) => ({
                host,
                ends,
                now: variables,
                before: old[i]?.variables,
              }))}
            />
          </section>
          {isEnd && <Values values={scene.result.values} />}
        </div>
      </div>
    </>
  );
}

function Values({ values }: { values: Scene["result"]["values"] }) {
  const { t } = useWords();
  return (
    <section class="card values">
      <h3>{t("numbers")}</h3>
      <dl>
        {Object.entries(values).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-value={name}>
              {Array.isArray(value)
                ? value.map((each, i) => <code key={i}>{String(each)}</code>)
                : String(value)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
