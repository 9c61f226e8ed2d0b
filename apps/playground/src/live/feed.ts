/** What the server streams (src/cli/inspect-feed.ts), kept for the page. */
import type { ConnectionVariables } from "../../../../src/trace/events.ts";

export interface LiveEvent {
  /** Counts up on this page. */
  readonly id: number;
  readonly name: string;
  readonly timeUs: number;
  readonly host: string;
  readonly connection?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: readonly string[];
  readonly length?: number;
  readonly rawWindow?: number;
  readonly reason?: string;
  readonly to?: string;
  readonly timer?: string;
  readonly local?: string;
  readonly remote?: string;
  readonly [other: string]: unknown;
}

export interface LiveConnection {
  readonly id: number;
  readonly host: string;
  readonly local: string;
  readonly remote: string;
  readonly iss?: number;
  readonly irs?: number;
  readonly timeUs: number;
  readonly variables: ConnectionVariables;
}

/** Curves of one connection; seconds and values. */
export interface History {
  readonly seconds: number[];
  readonly cwnd: number[];
  readonly ssthresh: (number | null)[];
  readonly flight: number[];
  readonly rtt: number[];
  readonly rto: number[];
  readonly goodput: number[];
  lastBytes: number;
}

const KEPT_EVENTS = 3000;
const KEPT_POINTS = 900;
const KEPT_CONNECTIONS = 300;

export type FeedState = "connecting" | "connected" | "lost";

export class Feed {
  state: FeedState = "connecting";
  hosts: { name: string; addresses: string[] }[] = [];
  events: LiveEvent[] = [];
  readonly connections = new Map<number, LiveConnection>();
  readonly histories = new Map<number, History>();
  seen = 0;
  left = 0;
  private readonly socket: WebSocket;
  private readonly changed: () => void;
  private ids = 0;

  constructor(token: string, changed: () => void) {
    this.changed = changed;
    const url = new URL("trace", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    url.search = `token=${encodeURIComponent(token)}`;
    this.socket = new WebSocket(url);
    this.socket.onmessage = (message) => this.take(JSON.parse(String(message.data)));
    this.socket.onopen = () => this.become("connected");
    this.socket.onclose = () => this.become("lost");
  }

  close(): void {
    this.socket.onclose = null;
    this.socket.close();
  }

  private become(state: FeedState): void {
    this.state = state;
    this.changed();
  }

  private take(message: { type: string } & Record<string, unknown>): void {
    if (message.type === "hello") {
      this.hosts = message["hosts"] as typeof this.hosts;
    } else if (message.type === "trace") {
      this.seen += message["count"] as number;
      this.left += message["left"] as number;
      for (const c of message["connections"] as LiveConnection[]) this.takeConnection(c);
      for (const event of message["events"] as LiveEvent[]) {
        const owner =
          event.connection === undefined ? undefined : this.connections.get(event.connection);
        const ends = owner === undefined ? {} : { local: owner.local, remote: owner.remote };
        this.events.push({ ...event, ...ends, id: ++this.ids });
      }
      if (this.events.length > KEPT_EVENTS) this.events = this.events.slice(-KEPT_EVENTS);
    }
    this.changed();
  }

  private takeConnection(c: LiveConnection): void {
    this.connections.set(c.id, c);
    if (this.connections.size > KEPT_CONNECTIONS) {
      const [oldest] = this.connections.keys();
      this.connections.delete(oldest);
      this.histories.delete(oldest);
    }
    let h = this.histories.get(c.id);
    const v = c.variables;
    const bytes = v.sndUna + v.rcvNxt;
    if (h === undefined) {
      h = {
        seconds: [],
        cwnd: [],
        ssthresh: [],
        flight: [],
        rtt: [],
        rto: [],
        goodput: [],
        lastBytes: bytes,
      };
      this.histories.set(c.id, h);
    }
    const second = c.timeUs / 1e6;
    const last = h.seconds[h.seconds.length - 1];
    if (last !== undefined && second <= last) return;
    h.seconds.push(second);
    h.cwnd.push(v.cwnd);
    h.ssthresh.push(v.ssthresh ?? null);
    h.flight.push((v.sndNxt - v.sndUna) >>> 0);
    h.rtt.push(v.srttUs / 1000);
    h.rto.push(v.rtoUs / 1000);
    // Both directions: what was acknowledged and what arrived.
    h.goodput.push(
      last === undefined ? 0 : (((bytes - h.lastBytes) | 0) * 8) / 1e6 / (second - last),
    );
    h.lastBytes = bytes;
    if (h.seconds.length > KEPT_POINTS) {
      for (const column of [h.seconds, h.cwnd, h.ssthresh, h.flight, h.rtt, h.rto, h.goodput])
        column.splice(0, 100);
    }
  }
}

/** "server 10.0.0.2:80 10.0.0.1:40000 SYN ACK rto": what the search looks at. */
export function searchText(event: LiveEvent): string {
  const { host, local = "", remote = "", flags = [], reason = "", name } = event;
  return `${host} ${local} ${remote} ${flags.join(" ")} ${reason} ${name} ${String(event["localPort"] ?? "")} ${String(event["remotePort"] ?? "")}`.toLowerCase();
}

/** Every word must be there; a number alone is a port. */
export function isFound(event: LiveEvent, query: string): boolean {
  const text = searchText(event);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every(
      (word) =>
        word === "" ||
        (/^\d+$/.test(word) ? new RegExp(`[: ]${word}(\\s|$)`).test(text) : text.includes(word)),
    );
}
