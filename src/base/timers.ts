/** Who is told that its time has come. */
export interface TimerTarget {
  onTimer(nowUs: number): void;
}

/** Not armed. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * The timers of one host: deadlines in microseconds, fired in the order
 * (deadline, id), so that a run replays exactly.
 *
 * A four-way heap with lazy updates: putting a deadline off, or disarming,
 * only stores a number, and the entry is moved when its old time comes. A TCP
 * re-arms its timer with every ACK and nearly always to a later time, so the
 * usual cost is one store. Each id has at most one entry in the heap.
 */
export class Timers {
  private targets: (TimerTarget | undefined)[] = [];
  /** The deadline wanted, by id. */
  private wanted = new Float64Array(16);
  /** The key under which the id stands in the heap; at most `wanted`. */
  private keys = new Float64Array(16);
  /** Place in the heap by id, -1 when absent. */
  private places = new Int32Array(16).fill(-1);
  private heap = new Int32Array(16);
  private size = 0;
  private freeIds: number[] = [];

  /** A new timer, not armed. */
  register(target: TimerTarget): number {
    const id = this.freeIds.length > 0 ? this.freeIds.pop()! : this.targets.length;
    if (id >= this.wanted.length) this.grow();
    this.targets[id] = target;
    this.wanted[id] = NEVER;
    return id;
  }

  /** Forgets a timer; its id may be given to another. */
  unregister(id: number): void {
    if (this.places[id]! >= 0) this.remove(id);
    this.targets[id] = undefined;
    this.wanted[id] = NEVER;
    this.freeIds.push(id);
  }

  /** Sets or moves the deadline; `NEVER` disarms. */
  arm(id: number, deadlineUs: number): void {
    this.wanted[id] = deadlineUs;
    if (this.places[id]! < 0) {
      if (deadlineUs === NEVER) return;
      this.keys[id] = deadlineUs;
      this.heap[this.size] = id;
      this.places[id] = this.size;
      this.siftUp(this.size++);
    } else if (deadlineUs < this.keys[id]!) {
      this.keys[id] = deadlineUs;
      this.siftUp(this.places[id]!);
    }
  }

  /** The deadline of a timer; `NEVER` when it is not armed. */
  deadline(id: number): number {
    return this.wanted[id]!;
  }

  /** Timers registered, armed or not: for leak checks. */
  get registered(): number {
    return this.targets.length - this.freeIds.length;
  }

  /** The earliest deadline; `NEVER` when none is armed. */
  nextDeadline(): number {
    while (this.size > 0) {
      const id = this.heap[0]!;
      if (this.wanted[id] === this.keys[id]) return this.keys[id]!;
      this.settle(id);
    }
    return NEVER;
  }

  /** Fires at most `budget` timers due at `nowUs`, each disarmed before its target hears of it. True: more are due. */
  advance(nowUs: number, budget: number): boolean {
    while (this.size > 0) {
      const id = this.heap[0]!;
      if (this.keys[id]! > nowUs) return false;
      if (this.wanted[id] !== this.keys[id]) {
        this.settle(id);
        continue;
      }
      if (budget-- <= 0) return true;
      this.remove(id);
      this.wanted[id] = NEVER;
      this.targets[id]!.onTimer(nowUs);
    }
    return false;
  }

  /** Brings the entry at the root to the time that is wanted by now. */
  private settle(id: number): void {
    if (this.wanted[id] === NEVER) {
      this.remove(id);
    } else {
      this.keys[id] = this.wanted[id]!;
      this.siftDown(0);
    }
  }

  private remove(id: number): void {
    const place = this.places[id]!;
    this.places[id] = -1;
    const last = this.heap[--this.size]!;
    if (place === this.size) return;
    this.heap[place] = last;
    this.places[last] = place;
    this.siftDown(place);
    this.siftUp(this.places[last]!);
  }

  private before(a: number, b: number): boolean {
    const ka = this.keys[a]!;
    const kb = this.keys[b]!;
    return ka < kb || (ka === kb && a < b);
  }

  private siftUp(place: number): void {
    const id = this.heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      const other = this.heap[parent]!;
      if (!this.before(id, other)) break;
      this.heap[place] = other;
      this.places[other] = place;
      place = parent;
    }
    this.heap[place] = id;
    this.places[id] = place;
  }

  private siftDown(place: number): void {
    const id = this.heap[place]!;
    for (;;) {
      const first = (place << 2) + 1;
      if (first >= this.size) break;
      let best = first;
      const end = Math.min(first + 4, this.size);
      for (let i = first + 1; i < end; i++) {
        if (this.before(this.heap[i]!, this.heap[best]!)) best = i;
      }
      const other = this.heap[best]!;
      if (!this.before(other, id)) break;
      this.heap[place] = other;
      this.places[other] = place;
      place = best;
    }
    this.heap[place] = id;
    this.places[id] = place;
  }

  private grow(): void {
    const capacity = this.wanted.length * 2;
    const wanted = new Float64Array(capacity);
    wanted.set(this.wanted);
    this.wanted = wanted;
    const keys = new Float64Array(capacity);
    keys.set(this.keys);
    this.keys = keys;
    const places = new Int32Array(capacity).fill(-1);
    places.set(this.places);
    this.places = places;
    const heap = new Int32Array(capacity);
    heap.set(this.heap);
    this.heap = heap;
  }
}
