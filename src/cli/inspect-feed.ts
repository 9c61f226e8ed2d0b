import { decodeEvent } from "../trace/events.ts";
import {
  KIND_CALL,
  KIND_DATAGRAM,
  KIND_SEGMENT,
  KIND_TIMER_SET,
  W_A,
  W_B,
  W_C,
  W_CONNECTION,
  W_F,
  W_KIND,
} from "../trace/record.ts";
import { Recorder, type Traceable } from "../trace/recorder.ts";
import { FIN, RST, SYN } from "../wire/tcp.ts";

/** Events that one message carries at most, and how many records wait between two messages. */
const MOST_EVENTS = 150;
const CAPACITY = 65_536;
/** Connections in the table; older ones are left out. */
const MOST_CONNECTIONS = 200;

/** What a message tells: see `Batch` for what was left out of it. */
export interface Batch {
  readonly type: "trace";
  readonly nowUs: number;
  /** Events since the last message, and how many of them are not in it. */
  readonly count: number;
  readonly left: number;
  readonly events: readonly unknown[];
  readonly connections: readonly unknown[];
}

/**
 * Reads what the hosts of a process do, a batch at a time. Records only while
 * somebody watches. When more happens than a page can show, what is rare is
 * kept (states, losses, retransmissions, SYN, FIN, RST), and of the other
 * segments one in so many, chosen by their numbers, so that both ends of a
 * connection show the same ones.
 */
export class InspectFeed {
  private readonly hosts: readonly Traceable[];
  private readonly now: () => number;
  private recorder: Recorder | undefined;
  private stops: (() => void)[] = [];
  private readUpTo = 0;

  constructor(hosts: readonly Traceable[], now: () => number) {
    this.hosts = hosts;
    this.now = now;
  }

  start(): void {
    if (this.recorder !== undefined) return;
    const recorder = new Recorder({ capacity: CAPACITY });
    this.recorder = recorder;
    this.stops = this.hosts.map((host) => recorder.attach(host));
    this.readUpTo = 0;
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
    this.recorder = undefined;
  }

  /** What happened since the last batch; undefined: nothing. */
  batch(): Batch | undefined {
    const store = this.recorder?.store;
    if (store === undefined || store.written === this.readUpTo) return undefined;
    const count = store.written - this.readUpTo;
    const first = Math.max(0, store.length - count);
    this.readUpTo = store.written;
    const stride = Math.max(1, Math.ceil((store.length - first) / MOST_EVENTS));
    const picked: number[] = [];
    const last = new Map<number, number>();
    for (let i = first; i < store.length; i++) {
      const at = store.at(i);
      const id = store.words[at + W_CONNECTION];
      if (id !== 0) last.set(id, i);
      if (isPicked(store.words, at, stride)) picked.push(i);
    }
    const events = picked.slice(-MOST_EVENTS).map((i) => {
      const event = decodeEvent(store, i);
      if (!("variables" in event)) return event;
      const { variables: _, ...rest } = event;
      return rest;
    });
    const connections = [...last].slice(-MOST_CONNECTIONS).flatMap(([id, i]) => {
      const event = decodeEvent(store, i);
      const owner = store.connection(id);
      if (owner === undefined || !("variables" in event) || event.variables === undefined)
        return [];
      const state = event.name === "tcp:state_updated" ? event.to : event.variables.state;
      return [{ ...owner, timeUs: event.timeUs, variables: { ...event.variables, state } }];
    });
    return {
      type: "trace",
      nowUs: this.now(),
      count,
      left: count - events.length,
      events,
      connections,
    };
  }
}

function isPicked(words: Int32Array, at: number, stride: number): boolean {
  if (stride === 1) return true;
  const kind = words[at + W_KIND] & 0xff;
  if (kind === KIND_TIMER_SET || kind === KIND_CALL) return false;
  if (kind !== KIND_SEGMENT && kind !== KIND_DATAGRAM) return true;
  if (
    kind === KIND_SEGMENT &&
    ((words[at + W_C] & (SYN | FIN | RST)) !== 0 || words[at + W_F] !== 0)
  ) {
    return true;
  }
  const hash = Math.imul(words[at + W_A] ^ (words[at + W_B] << 7), 0x9e3779b1) >>> 8;
  return hash % stride === 0;
}
