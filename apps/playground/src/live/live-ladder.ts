/** A ladder of one connection, out of the events of the stream. */
import type { Ladder, LadderArrow, LadderItem } from "../../../../src/trace/ladder/model.ts";
import type { LiveConnection, LiveEvent } from "./feed.ts";

const MOST = 24;

export function liveLadder(
  events: readonly LiveEvent[],
  connection: LiveConnection,
  peer: LiveConnection | undefined,
): Ladder {
  const ids = new Set([connection.id, peer?.id]);
  const columns = [
    { name: connection.host, detail: connection.local },
    { name: peer?.host ?? connection.remote, detail: peer === undefined ? "" : connection.remote },
  ];
  const iss = connection.iss ?? 0;
  const irs = connection.irs ?? 0;
  const items: LadderItem[] = [];
  const open = new Map<string, LadderArrow & { arrivedUs: number | undefined }>();
  for (const event of events) {
    if (event.connection === undefined || !ids.has(event.connection)) continue;
    const here = event.connection === connection.id ? 0 : 1;
    if (event.name === "tcp:state_updated") {
      items.push(mark("state", here, event, String(event.to)));
    } else if (event.name === "tcp:timer_fired") {
      items.push(mark("timer", here, event, `${event.timer} timer`));
    } else if (event.name === "tcp:congestion_updated") {
      items.push(mark("congestion", here, event, String(event.to)));
    } else if (event.name === "tcp:segment_sent" || event.name === "tcp:segment_received") {
      const out = event.name === "tcp:segment_sent";
      const from = out ? here : 1 - here;
      const key = `${from} ${event.seq} ${event.ack} ${event.length} ${event.flags?.join()}`;
      const known = out ? undefined : open.get(key);
      if (known !== undefined) {
        known.arrivedUs = event.timeUs;
        open.delete(key);
        continue;
      }
      const [first, other] = from === 0 ? [iss, irs] : [irs, iss];
      const length = event.length === 0 ? "" : ` len=${event.length}`;
      const hasAck = event.flags?.includes("ACK") === true;
      const arrow = {
        kind: "arrow" as const,
        from,
        to: 1 - from,
        timeUs: event.timeUs,
        // The other end is not watched, or its record was left out: drawn as having come at once.
        arrivedUs: out && peer !== undefined ? undefined : event.timeUs,
        lost: "",
        protocol: "tcp",
        head: event.flags?.join("+") ?? "",
        numbers: `seq=${((event.seq ?? 0) - first) >>> 0}${hasAck ? ` ack=${((event.ack ?? 0) - other) >>> 0}` : ""}${length}`,
        options: "",
        reason: event.reason ?? "",
        flow: "",
        packet: event.id,
      };
      if (out) open.set(key, arrow);
      items.push(arrow);
    }
  }
  return { title: "", columns, items: items.slice(-MOST) };
}

function mark(
  kind: "state" | "timer" | "congestion",
  column: number,
  event: LiveEvent,
  text: string,
) {
  return { kind, column, timeUs: event.timeUs, text, flow: "", event: event.id };
}
