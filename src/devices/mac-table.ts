/** How often an address that keeps sending is noted again. */
const REFRESH_US = 1e6;

interface Row<T> {
  port: T;
  heardUs: number;
}

/**
 * Which MAC address is behind which port. The map keeps its rows in the order
 * they were last heard of, so that room for a new address is found at its
 * front; when all rows are fresh, the new address is not learnt, and a flood
 * of made-up addresses cannot push out the real ones.
 */
export class MacTable<T> {
  private readonly rows = new Map<number, Row<T>>();
  private readonly limit: number;
  private readonly ageingUs: number;

  constructor(limit: number, ageingUs: number) {
    this.limit = limit;
    this.ageingUs = ageingUs;
  }

  /** Rows, those that have aged and were not yet replaced included. */
  get size(): number {
    return this.rows.size;
  }

  learn(high: number, low: number, port: T, nowUs: number): void {
    const key = high * 0x100000000 + (low >>> 0);
    const row = this.rows.get(key);
    if (row === undefined) {
      if (this.rows.size >= this.limit && !this.makeRoom(nowUs)) return;
      this.rows.set(key, { port, heardUs: nowUs });
    } else if (row.port !== port || nowUs - row.heardUs >= REFRESH_US) {
      row.port = port;
      row.heardUs = nowUs;
      this.rows.delete(key);
      this.rows.set(key, row);
    }
  }

  find(high: number, low: number, nowUs: number): T | undefined {
    const key = high * 0x100000000 + (low >>> 0);
    const row = this.rows.get(key);
    if (row === undefined) return undefined;
    if (nowUs - row.heardUs < this.ageingUs) return row.port;
    this.rows.delete(key);
    return undefined;
  }

  forget(port: T): void {
    for (const [key, row] of this.rows) if (row.port === port) this.rows.delete(key);
  }

  /** Removes the row not heard of for longest, if it has aged. */
  private makeRoom(nowUs: number): boolean {
    const oldest = this.rows.entries().next().value;
    if (oldest === undefined || nowUs - oldest[1].heardUs < this.ageingUs) return false;
    this.rows.delete(oldest[0]);
    return true;
  }
}
