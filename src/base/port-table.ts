import { MAPPED } from "./address.ts";
import { EADDRINUSE, EADDRNOTAVAIL } from "./errors.ts";
import { type RandomSource, randomBetween } from "./random.ts";

/** SO_REUSEADDR of the holder. */
export const PORT_REUSE_ADDRESS = 1;
/** SO_REUSEPORT of the holder. */
export const PORT_REUSE_PORT = 2;
/** IPV6_V6ONLY: an IPv6 wildcard leaves IPv4 to others. */
export const PORT_V6_ONLY = 4;
/** A TCP listener: SO_REUSEADDR does not open its port to others. */
export const PORT_LISTENING = 8;
/** Chosen by connect(): shared by connections whose 4-tuples differ. */
export const PORT_CONNECT = 16;

/** A row of the table; 0 is none. */
export type PortHandle = number;

export interface PortTableOptions {
  readonly random: RandomSource;
  /** First and last port given to who does not ask for one. Default 32768-60999, as Linux. */
  readonly firstPort?: number;
  readonly lastPort?: number;
}

// Columns of a row.
const ROW = 4; // log2
const PORT = 0;
const W0 = 1;
const W1 = 2;
const W2 = 3;
const W3 = 4;
const DEVICE = 5;
const FLAGS = 6;
const COUNT = 7;
const NEXT = 8;
const PREVIOUS = 9;

/**
 * Who holds which port of one protocol on one host, with Linux's rules of who
 * gets in whose way (docs/sockets.md has them as a table).
 *
 * A row is a local address, a port, an interface and the options that matter;
 * holders that are alike in all of these share it, so that a server with
 * 100,000 accepted connections has two rows. A handle is an integer: a compact
 * TIME-WAIT record can keep it.
 */
export class PortTable {
  readonly firstPort: number;
  readonly lastPort: number;
  private readonly random: RandomSource;
  private rows = new Int32Array(16 << ROW);
  /** First row by port. */
  private readonly heads = new Map<number, number>();
  private free = 0;
  private used = 1;
  private live = 0;

  constructor(options: PortTableOptions) {
    this.random = options.random;
    this.firstPort = options.firstPort ?? 32768;
    this.lastPort = options.lastPort ?? 60999;
    if (!(this.firstPort >= 1 && this.firstPort <= this.lastPort && this.lastPort <= 65535)) {
      throw new RangeError(
        `port range ${this.firstPort}-${this.lastPort}: give first <= last, both 1 to 65535`,
      );
    }
  }

  /** Rows in use: for leak checks. */
  get size(): number {
    return this.live;
  }

  port(handle: PortHandle): number {
    return this.rows[(handle << ROW) + PORT]!;
  }

  /**
   * Holds a port for bind(); `port` 0 chooses a free one at random (RFC 6056 §3.3.1).
   * Answers a handle, or -EADDRINUSE.
   */
  bind(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    device: number,
    flags: number,
  ): PortHandle {
    if (port !== 0) {
      return this.conflicts(w0, w1, w2, w3, port, device, flags, 0, true)
        ? -EADDRINUSE
        : this.add(w0, w1, w2, w3, port, device, flags);
    }
    // Reuse is not considered here: who asks for any port wants one of its own.
    const chosen = this.choose((candidate) => {
      return !this.conflicts(w0, w1, w2, w3, candidate, device, flags, 0, false);
    });
    return chosen === 0 ? -EADDRINUSE : this.add(w0, w1, w2, w3, chosen, device, flags);
  }

  /**
   * Holds a port for a connect() of an unbound socket: one that nobody took by
   * bind() and for which `unique` says that the 4-tuple is free, so that each
   * destination has the whole range (RFC 6056 §3.2). A handle or -EADDRNOTAVAIL.
   */
  bindForConnect(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    device: number,
    flags: number,
    unique: (port: number) => boolean,
  ): PortHandle {
    flags |= PORT_CONNECT;
    const chosen = this.choose((port) => {
      for (let at = this.heads.get(port) ?? 0; at !== 0; at = this.rows[(at << ROW) + NEXT]!) {
        if ((this.rows[(at << ROW) + FLAGS]! & PORT_CONNECT) === 0) return false;
      }
      return unique(port);
    });
    return chosen === 0 ? -EADDRNOTAVAIL : this.add(w0, w1, w2, w3, chosen, device, flags);
  }

  /** One more holder of the same row. */
  retain(handle: PortHandle): void {
    this.rows[(handle << ROW) + COUNT]!++;
  }

  /** A row for a connection that a listener accepted: the listener's options at the address it came in by. */
  bindAccepted(listener: PortHandle, w0: number, w1: number, w2: number, w3: number): PortHandle {
    const row = listener << ROW;
    const flags = this.rows[row + FLAGS]! & ~PORT_LISTENING;
    return this.add(w0, w1, w2, w3, this.rows[row + PORT]!, this.rows[row + DEVICE]!, flags);
  }

  /**
   * Gives a holder other flags or another address (listen() adds
   * PORT_LISTENING; options changed after bind() count from then on, as in
   * Linux). Answers the handle to use from now on, or -EADDRINUSE when listen()
   * comes second, and then the old one stays.
   */
  change(handle: PortHandle, flags: number): PortHandle {
    const rows = this.rows;
    const row = handle << ROW;
    if (rows[row + FLAGS] === flags) return handle;
    const w0 = rows[row + W0]!;
    const w1 = rows[row + W1]!;
    const w2 = rows[row + W2]!;
    const w3 = rows[row + W3]!;
    const port = rows[row + PORT]!;
    const device = rows[row + DEVICE]!;
    if (
      (flags & PORT_LISTENING) !== 0 &&
      this.conflicts(w0, w1, w2, w3, port, device, flags, handle, true)
    ) {
      return -EADDRINUSE;
    }
    this.release(handle);
    return this.add(w0, w1, w2, w3, port, device, flags);
  }

  flags(handle: PortHandle): number {
    return this.rows[(handle << ROW) + FLAGS]!;
  }

  /** Gives a holder's part back; the last one frees the row. */
  release(handle: PortHandle): void {
    const rows = this.rows;
    const row = handle << ROW;
    const count = --rows[row + COUNT]!;
    if (count > 0) return;
    if (count < 0) {
      rows[row + COUNT] = 0;
      throw new Error(`port handle ${handle} released more often than it was held`);
    }
    const next = rows[row + NEXT]!;
    const previous = rows[row + PREVIOUS]!;
    if (next !== 0) rows[(next << ROW) + PREVIOUS] = previous;
    if (previous !== 0) rows[(previous << ROW) + NEXT] = next;
    else if (next !== 0) this.heads.set(rows[row + PORT]!, next);
    else this.heads.delete(rows[row + PORT]!);
    rows[row + NEXT] = this.free;
    this.free = handle;
    this.live--;
  }

  /** True if anyone holds this port at an address that overlaps with the one given. */
  taken(w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    return this.conflicts(w0, w1, w2, w3, port, 0, 0, 0, false);
  }

  /**
   * Linux's inet_bind_conflict and udp_lib_lport_inuse, which differ only in
   * listeners. Two holders are in each other's way when address and interface
   * overlap, unless both have SO_REUSEPORT, or both have SO_REUSEADDR and the
   * present one does not listen. TIME-WAIT counts as the socket it was.
   */
  private conflicts(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    device: number,
    flags: number,
    self: PortHandle,
    mayShare: boolean,
  ): boolean {
    const rows = this.rows;
    for (let at = this.heads.get(port) ?? 0; at !== 0; at = rows[(at << ROW) + NEXT]!) {
      const row = at << ROW;
      // A row shared with another holder still stands in the way of ourselves
      // only if that other one does: both then have the same options.
      if (at === self && rows[row + COUNT] === 1) continue;
      const otherDevice = rows[row + DEVICE]!;
      if (device !== 0 && otherDevice !== 0 && device !== otherDevice) continue;
      const other = rows[row + FLAGS]!;
      if (mayShare) {
        const both = flags & other;
        if ((both & PORT_REUSE_ADDRESS) !== 0 && (other & PORT_LISTENING) === 0) continue;
        if ((both & PORT_REUSE_PORT) !== 0) continue;
      }
      if (
        overlaps(
          w0,
          w1,
          w2,
          w3,
          (flags & PORT_V6_ONLY) !== 0,
          rows[row + W0]!,
          rows[row + W1]!,
          rows[row + W2]!,
          rows[row + W3]!,
          (other & PORT_V6_ONLY) !== 0,
        )
      ) {
        return true;
      }
    }
    return false;
  }

  /**
   * Tries each port of the range once, from a random one on with a random
   * stride (RFC 6056 §3.3.1 with double hashing: 1/(1 - load) tries on average,
   * where steps of one would run into clusters). 0 when none will do.
   */
  private choose(free: (port: number) => boolean): number {
    const range = this.lastPort - this.firstPort + 1;
    let at = randomBetween(this.random, 0, range);
    let stride = range === 1 ? 1 : randomBetween(this.random, 1, range);
    while (gcd(stride, range) !== 1) stride = stride === range - 1 ? 1 : stride + 1;
    for (let tries = 0; tries < range; tries++) {
      if (free(this.firstPort + at)) return this.firstPort + at;
      at += stride;
      if (at >= range) at -= range;
    }
    return 0;
  }

  /** The row for such a holder, made or shared. */
  private add(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    device: number,
    flags: number,
  ): PortHandle {
    const head = this.heads.get(port) ?? 0;
    for (let at = head; at !== 0; at = this.rows[(at << ROW) + NEXT]!) {
      const row = at << ROW;
      if (
        this.rows[row + W3] === w3 &&
        this.rows[row + W2] === w2 &&
        this.rows[row + W1] === w1 &&
        this.rows[row + W0] === w0 &&
        this.rows[row + DEVICE] === device &&
        this.rows[row + FLAGS] === flags
      ) {
        this.rows[row + COUNT]!++;
        return at;
      }
    }
    let handle = this.free;
    if (handle !== 0) {
      this.free = this.rows[(handle << ROW) + NEXT]!;
    } else {
      handle = this.used++;
      if (handle << ROW >= this.rows.length) this.grow();
    }
    const rows = this.rows;
    const row = handle << ROW;
    rows[row + PORT] = port;
    rows[row + W0] = w0;
    rows[row + W1] = w1;
    rows[row + W2] = w2;
    rows[row + W3] = w3;
    rows[row + DEVICE] = device;
    rows[row + FLAGS] = flags;
    rows[row + COUNT] = 1;
    rows[row + NEXT] = head;
    rows[row + PREVIOUS] = 0;
    if (head !== 0) rows[(head << ROW) + PREVIOUS] = handle;
    this.heads.set(port, handle);
    this.live++;
    return handle;
  }

  private grow(): void {
    const rows = new Int32Array(this.rows.length * 2);
    rows.set(this.rows);
    this.rows = rows;
  }
}

/**
 * Do two local addresses claim a packet in common? An IPv4 wildcard
 * (::ffff:0:0) covers all of IPv4, an IPv6 wildcard (::) everything, or all
 * but IPv4 with IPV6_V6ONLY. Two IPv6 wildcards always overlap.
 */
function overlaps(
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  aV6Only: boolean,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
  bV6Only: boolean,
): boolean {
  if (a3 === b3 && a2 === b2 && a1 === b1 && a0 === b0) return true;
  const aMapped = a0 === 0 && a1 === 0 && a2 === MAPPED;
  const bMapped = b0 === 0 && b1 === 0 && b2 === MAPPED;
  if (aMapped && bMapped) return a3 === 0 || b3 === 0;
  const aAny = a0 === 0 && a1 === 0 && a2 === 0 && a3 === 0;
  const bAny = b0 === 0 && b1 === 0 && b2 === 0 && b3 === 0;
  return (aAny && !(aV6Only && bMapped)) || (bAny && !(bV6Only && aMapped));
}

function gcd(a: number, b: number): number {
  while (b !== 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
