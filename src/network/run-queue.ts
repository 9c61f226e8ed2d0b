import type { Pollable } from "../base/pollable.ts";

/** A pollable's place in the network's order. */
export class Entry {
  readonly pollable: Pollable;
  /** Creation number: who was added first comes first among those due at the same time. */
  readonly number: number;
  /** When it is to be polled. Infinity: nothing to do. */
  key = Number.POSITIVE_INFINITY;
  /** Index in the heap, -1 outside it. */
  place = -1;
  /** The step that polled it last. */
  polledIn = 0;
  /** What `live()` said last. */
  live = 0;
  removed = false;

  /** Called when the network closes. */
  readonly close: (() => void) | undefined;

  constructor(pollable: Pollable, number: number, close?: () => void) {
    this.pollable = pollable;
    this.number = number;
    this.close = close;
  }
}

/**
 * Those with something to do, in the order (time, creation number), as an
 * indexed heap: the idle ones are not in it at all, so that ten thousand idle
 * hosts cost a step nothing.
 */
export class RunQueue {
  private readonly heap: Entry[] = [];

  /** The earliest entry; undefined when nobody has anything to do. */
  first(): Entry | undefined {
    return this.heap[0];
  }

  get size(): number {
    return this.heap.length;
  }

  /** Takes an entry in, or moves it to the place of its new key. */
  put(entry: Entry): void {
    if (entry.place < 0) {
      entry.place = this.heap.length;
      this.heap.push(entry);
      this.siftUp(entry);
    } else {
      this.siftDown(entry);
      this.siftUp(entry);
    }
  }

  remove(entry: Entry): void {
    const place = entry.place;
    if (place < 0) return;
    entry.place = -1;
    const last = this.heap.pop()!;
    if (last === entry) return;
    last.place = place;
    this.heap[place] = last;
    this.siftDown(last);
    this.siftUp(last);
  }

  private siftUp(entry: Entry): void {
    const heap = this.heap;
    let place = entry.place;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = heap[parent];
      if (!before(entry, other)) break;
      heap[place] = other;
      other.place = place;
      place = parent;
    }
    heap[place] = entry;
    entry.place = place;
  }

  private siftDown(entry: Entry): void {
    const heap = this.heap;
    const size = heap.length;
    let place = entry.place;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1], heap[child])) child++;
      const other = heap[child];
      if (!before(other, entry)) break;
      heap[place] = other;
      other.place = place;
      place = child;
    }
    heap[place] = entry;
    entry.place = place;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.key < b.key || (a.key === b.key && a.number < b.number);
}
