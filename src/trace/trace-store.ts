import { RECORD_SHIFT, RECORD_WORDS } from "./record.ts";

/** One side of a connection, as a trace names it. */
export interface TraceConnection {
  /** From 1, in the order in which the trace met them. */
  readonly id: number;
  readonly host: string;
  /** "10.0.0.1:40000", "[fd00::1]:40000"; empty while unknown. */
  local: string;
  remote: string;
  /** Initial sequence numbers, unsigned; undefined: not known (yet). */
  iss: number | undefined;
  irs: number | undefined;
  /** Window scale shifts of what it sends to and announces to the peer. */
  sndWscale: number;
  rcvWscale: number;
}

export interface TraceStoreOptions {
  /** Records kept, rounded up to a power of two. Default 65,536 (8.5 MB). */
  readonly capacity?: number;
  /** Grow instead of forgetting the oldest, up to so many records. Default: a ring. */
  readonly growTo?: number;
}

/** Strings that events point at; the oldest are forgotten. */
const MAX_STRINGS = 65_536;

/**
 * Trace events as numbers: a ring (or a growing list) of records, and tables
 * of the hosts, connections and texts they name.
 */
export class TraceStore {
  words: Int32Array;
  times: Float64Array;
  readonly hosts: string[] = [];
  readonly connections: TraceConnection[] = [];
  /** Records written since the start. */
  written = 0;
  private capacity: number;
  private mask: number;
  private readonly growTo: number;
  private readonly strings: string[] = [];
  private readonly stringIndex = new Map<string, number>();

  constructor(options: TraceStoreOptions = {}) {
    const wanted = Math.max(16, options.capacity ?? 65_536);
    this.capacity = 2 ** Math.ceil(Math.log2(wanted));
    this.mask = this.capacity - 1;
    this.growTo = options.growTo ?? 0;
    this.words = new Int32Array(this.capacity * RECORD_WORDS);
    this.times = new Float64Array(this.capacity);
  }

  /** Room for the next record: where its words begin. Words that the writer leaves out keep old values, so it writes all. */
  append(timeUs: number): number {
    if (this.written === this.capacity && this.capacity < this.growTo) this.grow();
    const index = this.written++ & this.mask;
    this.times[index] = timeUs;
    return index << RECORD_SHIFT;
  }

  private grow(): void {
    this.capacity *= 2;
    this.mask = this.capacity - 1;
    const words = new Int32Array(this.capacity * RECORD_WORDS);
    words.set(this.words);
    this.words = words;
    const times = new Float64Array(this.capacity);
    times.set(this.times);
    this.times = times;
  }

  /** Records that can still be read. */
  get length(): number {
    return Math.min(this.written, this.capacity);
  }

  /** Records forgotten because newer ones took their place. */
  get lost(): number {
    return Math.max(0, this.written - this.capacity);
  }

  /** Where the words of record `i` begin; 0 is the oldest that is kept. */
  at(i: number): number {
    return ((this.lost + i) & this.mask) << RECORD_SHIFT;
  }

  time(i: number): number {
    return this.times[(this.lost + i) & this.mask];
  }

  /** Number of a host, from 0. */
  host(name: string): number {
    const known = this.hosts.indexOf(name);
    return known >= 0 ? known : this.hosts.push(name) - 1;
  }

  addConnection(connection: Omit<TraceConnection, "id">): TraceConnection {
    const made = { id: this.connections.length + 1, ...connection };
    this.connections.push(made);
    return made;
  }

  connection(id: number): TraceConnection | undefined {
    return this.connections[id - 1];
  }

  /** Number of a text. */
  string(text: string): number {
    const known = this.stringIndex.get(text);
    if (known !== undefined) return known;
    const index = this.strings.length;
    if (index < MAX_STRINGS) {
      this.strings.push(text);
      this.stringIndex.set(text, index);
      return index;
    }
    return -1;
  }

  text(index: number): string {
    return this.strings[index] ?? "";
  }

  clear(): void {
    this.written = 0;
    this.connections.length = 0;
  }
}
