/**
 * Connections in TIME-WAIT as compact records (RFC 9293 §3.6.1): a connection
 * that is over needs its addresses, two sequence numbers and its last
 * timestamp for 2 MSL, not its buffers. 80 bytes each instead of a kilobyte.
 */
const ROW = 4; // log2 of the words of a record
export const TW_LOCAL = 0; // four words
export const TW_REMOTE = 4; // four words
export const TW_PORTS = 8;
export const TW_SCOPE = 9;
export const TW_RCV_NXT = 10;
export const TW_SND_NXT = 11;
export const TW_TS_RECENT = 12;
export const TW_TS_OFFSET = 13;
/** Raw window announced; bit 16: timestamps are on; 17 to 24: TTL; 25 to 30: DSCP. */
export const TW_WINDOW = 14;
export const TW_HASH = 15;

const MAX_TURNS = 16;

export class TimeWaitTable {
  private rows = new Int32Array(16 << ROW);
  private expiries = new Float64Array(16);
  private tsRecentTimes = new Float64Array(16);
  private free: number[] = [];
  private used = 0;
  count = 0;
  /** Records in the order in which they may expire; a restarted one stands twice and is skipped once. */
  private order = new Int32Array(16);
  private orderHead = 0;
  private orderLength = 0;

  get(record: number, column: number): number {
    return this.rows[(record << ROW) + column]!;
  }

  set(record: number, column: number, value: number): void {
    this.rows[(record << ROW) + column] = value;
  }

  expiry(record: number): number {
    return this.expiries[record]!;
  }

  tsRecentUs(record: number): number {
    return this.tsRecentTimes[record]!;
  }

  setTsRecentUs(record: number, us: number): void {
    this.tsRecentTimes[record] = us;
  }

  add(expiryUs: number): number {
    const record = this.free.length > 0 ? this.free.pop()! : this.used++;
    if (record >= this.expiries.length) this.grow();
    this.expiries[record] = expiryUs;
    this.count++;
    this.enqueue(record);
    return record;
  }

  /** The 2 MSL begin anew. */
  restart(record: number, expiryUs: number): void {
    this.expiries[record] = expiryUs;
  }

  /** Takes a record away before its time; its place in the order is skipped later. */
  remove(record: number): void {
    // The order still names it: it is free for use again only when that entry comes up.
    this.expiries[record] = Number.NEGATIVE_INFINITY;
    this.count--;
  }

  /** When the next record expires; Infinity: none. */
  nextExpiry(): number {
    const record = this.first();
    return record < 0 ? Number.POSITIVE_INFINITY : this.expiries[record]!;
  }

  /** The next record that has expired by `nowUs`, or -1. The caller takes it out of the demultiplexer, then calls `release`. */
  takeExpired(nowUs: number): number {
    const record = this.first();
    if (record < 0 || this.expiries[record]! > nowUs) return -1;
    this.dequeue();
    return record;
  }

  /**
   * The record at the head of the order, -1: none. Removed ones go; one that
   * was restarted while it waited lives longer than those behind it and goes to
   * the back. Only so many in a call: the peer decides how often it restarts.
   */
  private first(): number {
    for (let turns = 0; this.orderLength > 0; ) {
      const record = this.order[this.orderHead]!;
      const expiry = this.expiries[record]!;
      if (expiry === Number.NEGATIVE_INFINITY) {
        this.dequeue();
        this.free.push(record);
        continue;
      }
      if (this.orderLength === 1 || this.expiries[this.second()]! >= expiry) return record;
      if (++turns > MAX_TURNS) return record;
      this.dequeue();
      this.enqueue(record);
    }
    return -1;
  }

  release(record: number): void {
    this.count--;
    this.free.push(record);
  }

  private second(): number {
    return this.order[(this.orderHead + 1) & (this.order.length - 1)]!;
  }

  private enqueue(record: number): void {
    if (this.orderLength === this.order.length) {
      const order = new Int32Array(this.order.length * 2);
      for (let i = 0; i < this.orderLength; i++) {
        order[i] = this.order[(this.orderHead + i) & (this.order.length - 1)]!;
      }
      this.order = order;
      this.orderHead = 0;
    }
    this.order[(this.orderHead + this.orderLength++) & (this.order.length - 1)] = record;
  }

  private dequeue(): void {
    this.orderHead = (this.orderHead + 1) & (this.order.length - 1);
    this.orderLength--;
  }

  private grow(): void {
    const capacity = this.expiries.length * 2;
    const rows = new Int32Array(capacity << ROW);
    rows.set(this.rows);
    this.rows = rows;
    const expiries = new Float64Array(capacity);
    expiries.set(this.expiries);
    this.expiries = expiries;
    const times = new Float64Array(capacity);
    times.set(this.tsRecentTimes);
    this.tsRecentTimes = times;
  }
}
