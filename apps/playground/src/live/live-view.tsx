import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { AlignedData } from "uplot";
import { receiveStrip, sendStrip } from "../../../../src/trace/ladder/strips.ts";
import { useWords } from "../language.ts";
import { Chart } from "../views/charts.ts";
import { rowsOf } from "../views/ladder-rows.ts";
import { LadderSvg } from "../views/ladder-svg.tsx";
import { StateMachine } from "../views/state-machine.tsx";
import { Strips } from "../views/strips.tsx";
import { Feed, isFound, type LiveConnection } from "./feed.ts";
import { liveLadder } from "./live-ladder.ts";

/** The page follows the stream so often. */
const REDRAW_MS = 200;
const MOST_PACKETS = 60;

export function LiveView({ dark, token }: { dark: boolean; token: string }) {
  const { t } = useWords();
  const [, setFrame] = useState(0);
  const [feed, setFeed] = useState<Feed>();
  const [chosen, setChosen] = useState<number>();
  useEffect(() => {
    if (token === "") return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const made = new Feed(token, () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setFrame((n) => n + 1);
      }, REDRAW_MS);
    });
    setFeed(made);
    return () => {
      clearTimeout(timer);
      made.close();
    };
  }, [token]);
  if (token === "" || feed === undefined) {
    return (
      <div class="live">
        <section class="card">
          <p>{t("noLive")}</p>
          <pre>{"npm start\nfullduplex up --tap fd0 --address 10.9.0.2/24 --inspect"}</pre>
        </section>
      </div>
    );
  }
  const words = { connecting: t("connecting"), connected: t("connected"), lost: t("lostServer") };
  const connection = chosen === undefined ? undefined : feed.connections.get(chosen);
  return (
    <div class="live">
      <p class="live-state" role="status">
        <b data-live={feed.state}>{words[feed.state]}</b> ·{" "}
        {feed.hosts.map((host) => host.name).join(", ")} ·{" "}
        <span data-seen={feed.seen}>{feed.seen.toLocaleString("en")}</span>
        {feed.left > 0 && (
          <span class="muted" data-left={feed.left}>
            {" "}
            ({feed.left.toLocaleString("en")} {t("sampled")})
          </span>
        )}
      </p>
      <section class="card">
        <h3>{t("flows")}</h3>
        <ConnectionTable feed={feed} chosen={chosen} choose={setChosen} />
      </section>
      {connection !== undefined && <Detail feed={feed} connection={connection} dark={dark} />}
      <section class="card">
        <h3>{t("packets")}</h3>
        <PacketList feed={feed} />
      </section>
    </div>
  );
}

function ConnectionTable({
  feed,
  chosen,
  choose,
}: {
  feed: Feed;
  chosen: number | undefined;
  choose(id: number): void;
}) {
  const { t } = useWords();
  const list = [...feed.connections.values()]
    .reverse()
    .sort(
      (a, b) => Number(a.variables.state === "CLOSED") - Number(b.variables.state === "CLOSED"),
    );
  const ms = (us: number) => (us <= 0 ? "–" : (us / 1000).toFixed(2));
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={t("flows")}>
      <table class="ss">
        <thead>
          <tr>
            {[
              "State",
              "Host",
              "Recv-Q",
              "Send-Q",
              "Local",
              "Peer",
              "cwnd",
              "ssthresh",
              "flight",
              "rtt/var ms",
              "rto ms",
              "snd_wnd",
              "mss",
            ].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.slice(0, 60).map(({ id, host, local, remote, variables: v }) => (
            <tr key={id} class={id === chosen ? "chosen" : ""} data-connection={id}>
              <td>{v.state}</td>
              <td>{host}</td>
              <td>{Math.max(0, (v.rcvNxt - v.rcvRead - (v.finReceived ? 1 : 0)) | 0)}</td>
              <td>{Math.max(0, (v.sndEnd - v.sndUna) | 0)}</td>
              <td>
                <button
                  type="button"
                  class="link"
                  aria-pressed={id === chosen}
                  onClick={() => choose(id)}
                >
                  {local}
                </button>
              </td>
              <td>{remote}</td>
              <td>{v.cwnd}</td>
              <td>{v.ssthresh ?? "∞"}</td>
              <td>{v.pipe}</td>
              <td>
                {ms(v.srttUs)}/{ms(v.rttvarUs)}
              </td>
              <td>{ms(v.rtoUs)}</td>
              <td>{v.sndWnd}</td>
              <td>{v.sndMss}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Detail({
  feed,
  connection,
  dark,
}: {
  feed: Feed;
  connection: LiveConnection;
  dark: boolean;
}) {
  const { t } = useWords();
  const peer = [...feed.connections.values()].findLast(
    (c) => c.local === connection.remote && c.remote === connection.local,
  );
  const last = feed.events[feed.events.length - 1]?.id ?? 0;
  const { ladder, rows } = useMemo(() => {
    const made = liveLadder(feed.events, connection, peer);
    return { ladder: made, rows: rowsOf(made) };
  }, [feed, connection.id, last]);
  const h = feed.histories.get(connection.id);
  const v = connection.variables;
  const charts: [string, (number | null)[]][] =
    h === undefined
      ? []
      : [
          ["cwnd (bytes)", h.cwnd],
          ["ssthresh (bytes)", h.ssthresh],
          ["flight (bytes)", h.flight],
          ["SRTT (ms)", h.rtt],
          ["RTO (ms)", h.rto],
          ["goodput (Mbit/s)", h.goodput],
        ];
  return (
    <div class="detail" data-detail={connection.id}>
      <section class="card">
        <h3>
          {t("ladder")}: {connection.local} – {connection.remote}
        </h3>
        <LadderSvg ladder={ladder} rows={rows} shown={rows.length} label={t("ladder")} />
      </section>
      <section class="card">
        <h3>{t("buffers")}</h3>
        <Strips
          strips={[
            sendStrip(`${connection.host}: ${t("send")}`, v, connection.iss ?? 0),
            receiveStrip(`${connection.host}: ${t("receive")}`, v, connection.irs ?? 0),
          ]}
        />
        <div class="machines">
          <StateMachine host={connection.host} state={v.state} side={0} />
        </div>
      </section>
      <section class="card wide">
        <h3>{t("plots")}</h3>
        <div class="plots">
          {h !== undefined &&
            charts.map(([title, values], color) => (
              <Chart
                key={title}
                title={title}
                xLabel="s"
                dark={dark}
                lines={[{ label: title, color }]}
                data={[h.seconds.slice(), values.slice()] as AlignedData}
              />
            ))}
        </div>
      </section>
    </div>
  );
}

function PacketList({ feed }: { feed: Feed }) {
  const { t } = useWords();
  const [query, setQuery] = useState("");
  const [paused, setPaused] = useState(false);
  const kept = useRef(feed.events);
  if (!paused) kept.current = feed.events;
  const found = [];
  for (let i = kept.current.length - 1; i >= 0 && found.length < MOST_PACKETS; i--) {
    const { name } = kept.current[i];
    if (name === "tcp:timer_set" || name === "socket:call") continue;
    if (isFound(kept.current[i], query)) found.push(kept.current[i]);
  }
  return (
    <>
      <div class="row">
        <input
          type="search"
          class="search"
          aria-label={t("search")}
          placeholder={t("search")}
          value={query}
          onInput={(e) => setQuery(e.currentTarget.value)}
        />
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? t("play") : t("pause")}
        </button>
      </div>
      <div class="scroll tall" tabIndex={0} role="region" aria-label={t("packets")}>
        <table class="packets">
          <tbody>
            {found.map((event) => (
              <tr key={event.id}>
                <td>{(event.timeUs / 1e6).toFixed(6)}</td>
                <td>{event.host}</td>
                <td>{event.name.replace(/^tcp:segment_/, "")}</td>
                <td>
                  {event.local} {event.remote && "–"} {event.remote}
                </td>
                <td>{event.flags?.join(" ") ?? event.to ?? event.timer ?? ""}</td>
                <td>
                  {event.seq === undefined
                    ? ""
                    : `seq ${event.seq} ack ${event.ack} len ${event.length ?? 0}`}
                </td>
                <td class="bad">{event.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
