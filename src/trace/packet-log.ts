/** Who sent it, as seen from the interface. */
export type PacketDirection = "in" | "out";

/** Where packets were seen: a port, an interface, a link. */
export interface CaptureInterface {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  /** The host it belongs to; "" when nobody says. */
  readonly host: string;
  readonly description?: string;
  /** Bytes kept of each packet; 0: all. */
  readonly snapLength?: number;
}

/** Takes captured packets: a log in memory, or a file that is being written. */
export interface PacketSink {
  /** The number of a new interface. */
  addInterface(description: CaptureInterface): number;
  /**
   * One packet: `length` bytes at `at` of `bytes`, which are the caller's
   * again afterwards. `timeUs` is microseconds since `epochUs`.
   */
  packet(
    interfaceId: number,
    timeUs: number,
    direction: PacketDirection | undefined,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void;
  /** Adds a remark to the last packet with these bytes; false: it is gone already. */
  comment(
    interfaceId: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    text: string,
  ): boolean;
}

/** Why a packet did not arrive; "" when it is not known to be lost. */
export interface LoggedPacket {
  readonly index: number;
  readonly interface: CaptureInterface;
  readonly interfaceId: number;
  /** Microseconds since the capture's epoch. */
  readonly timeUs: number;
  readonly direction: PacketDirection | undefined;
  /** What was kept of it; a view, valid while the log is. */
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly comments: readonly string[];
}

const CHUNK = 1 << 20;
/** How far back `comment` looks for its packet. */
const COMMENT_REACH = 4096;

/**
 * Captured packets in memory: columns of numbers and chunks of bytes, so that
 * a million packets cost their bytes and 32 more each.
 */
export class PacketLog implements PacketSink {
  readonly interfaces: CaptureInterface[] = [];
  /** Microseconds since 1970 at time 0 of this log; 0 for virtual time. */
  epochUs = 0;
  count = 0;
  /** Packets that were not kept because the log was full. */
  missed = 0;
  private readonly limitBytes: number;
  private times = new Float64Array(1024);
  /** interface << 2 | direction (0 unknown, 1 in, 2 out) */
  private marks = new Int32Array(1024);
  private starts = new Float64Array(1024);
  private lengths = new Int32Array(1024);
  private originals = new Int32Array(1024);
  private readonly chunks: Uint8Array[] = [];
  private used = 0;
  private readonly remarks = new Map<number, string[]>();

  /** `limitBytes`: packet bytes kept at most. Default 256 MB. */
  constructor(options: { readonly limitBytes?: number } = {}) {
    this.limitBytes = options.limitBytes ?? 256 * 2 ** 20;
  }

  addInterface(description: CaptureInterface): number {
    return this.interfaces.push(description) - 1;
  }

  packet(
    interfaceId: number,
    timeUs: number,
    direction: PacketDirection | undefined,
    bytes: Uint8Array,
    at: number,
    length: number,
    originalLength = length,
  ): void {
    const snap = this.interfaces[interfaceId].snapLength ?? 0;
    const kept = snap > 0 && length > snap ? snap : length;
    const start = this.room(kept);
    if (start < 0) {
      this.missed++;
      return;
    }
    this.chunks[Math.floor(start / CHUNK)].set(bytes.subarray(at, at + kept), start % CHUNK);
    if (this.count === this.times.length) this.grow();
    const i = this.count++;
    this.times[i] = timeUs;
    this.marks[i] = (interfaceId << 2) | (direction === undefined ? 0 : direction === "in" ? 1 : 2);
    this.starts[i] = start;
    this.lengths[i] = kept;
    this.originals[i] = originalLength;
  }

  /** Where so many bytes may stand, never across two chunks; -1: the log is full. */
  private room(length: number): number {
    if (length > CHUNK || this.used + length > this.limitBytes) return -1;
    if (this.used % CHUNK > CHUNK - length || this.chunks.length === 0) {
      this.used = this.chunks.length * CHUNK;
    }
    const chunk = Math.floor(this.used / CHUNK);
    if (chunk === this.chunks.length) this.chunks.push(new Uint8Array(CHUNK));
    const start = this.used;
    this.used += length;
    return start;
  }

  private grow(): void {
    const size = this.times.length * 2;
    const bigger = <T extends Float64Array | Int32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.times = bigger(this.times, new Float64Array(size));
    this.marks = bigger(this.marks, new Int32Array(size));
    this.starts = bigger(this.starts, new Float64Array(size));
    this.lengths = bigger(this.lengths, new Int32Array(size));
    this.originals = bigger(this.originals, new Int32Array(size));
  }

  comment(
    interfaceId: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    text: string,
  ): boolean {
    const end = Math.max(0, this.count - COMMENT_REACH);
    for (let i = this.count - 1; i >= end; i--) {
      if (this.marks[i] >> 2 !== interfaceId || this.originals[i] !== length) continue;
      const kept = this.bytes(i);
      if (sameBytes(kept, bytes, at, kept.length)) {
        this.remark(i, text);
        return true;
      }
    }
    return false;
  }

  /** Adds a remark to packet `i`. */
  remark(i: number, text: string): void {
    const list = this.remarks.get(i);
    if (list === undefined) this.remarks.set(i, [text]);
    else if (!list.includes(text)) list.push(text);
  }

  // Reading

  timeUs(i: number): number {
    return this.times[i];
  }
  interfaceId(i: number): number {
    return this.marks[i] >> 2;
  }
  direction(i: number): PacketDirection | undefined {
    const mark = this.marks[i] & 3;
    return mark === 0 ? undefined : mark === 1 ? "in" : "out";
  }
  originalLength(i: number): number {
    return this.originals[i];
  }
  comments(i: number): readonly string[] {
    return this.remarks.get(i) ?? [];
  }
  /** What was kept of packet `i`; a view. */
  bytes(i: number): Uint8Array {
    const start = this.starts[i];
    const at = start % CHUNK;
    const chunk = this.chunks[Math.floor(start / CHUNK)] ?? new Uint8Array(0);
    return chunk.subarray(at, at + this.lengths[i]);
  }

  get(i: number): LoggedPacket {
    const interfaceId = this.interfaceId(i);
    return {
      index: i,
      interface: this.interfaces[interfaceId],
      interfaceId,
      timeUs: this.times[i],
      direction: this.direction(i),
      bytes: this.bytes(i),
      originalLength: this.originals[i],
      comments: this.comments(i),
    };
  }

  *packets(): IterableIterator<LoggedPacket> {
    for (let i = 0; i < this.count; i++) yield this.get(i);
  }
}

/** The packets of one host's interfaces alone, as Wireshark wants them: one viewpoint. */
export function packetsOfHost(log: PacketLog, host: string): PacketLog {
  const made = new PacketLog();
  made.epochUs = log.epochUs;
  const ids = log.interfaces.map((each) => (each.host === host ? made.addInterface(each) : -1));
  for (let i = 0; i < log.count; i++) {
    const id = ids[log.interfaceId(i)];
    if (id < 0) continue;
    const bytes = log.bytes(i);
    made.packet(id, log.timeUs(i), log.direction(i), bytes, 0, bytes.length, log.originalLength(i));
    for (const text of log.comments(i)) made.remark(made.count - 1, text);
  }
  return made;
}

export function sameBytes(a: Uint8Array, b: Uint8Array, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[i] !== b[at + i]) return false;
  return true;
}
