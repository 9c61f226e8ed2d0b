/** epoll(7) over the stack's poll: level- and edge-triggered, one-shot. */
import { EBADF, ENOENT } from "../base/errors.ts";

const EEXIST = 17;

const EPOLLERR = 0x8;
const EPOLLHUP = 0x10;
const EPOLLIN = 0x1;
const EPOLLET = 0x80000000;
const EPOLLONESHOT = 0x40000000;

export interface EpollEvent {
  readonly events: number;
  readonly data: number;
}

interface Entry {
  liveFd: number;
  events: number;
  data: number;
  /** Edge-triggered: bits that came up and were not reported yet, and what held at the last look. */
  edges: number;
  last: number;
  lastWaiting: number;
  disabled: boolean;
}

/** What epoll needs of the stack. */
export interface EpollSource {
  /** Poll bits that hold, all of them. */
  poll(liveFd: number): number;
  /** Bytes that wait to be read. */
  waiting(liveFd: number): number;
}

export class Epoll {
  private readonly entries = new Map<number, Entry>();
  private readonly source: EpollSource;

  constructor(source: EpollSource) {
    this.source = source;
  }

  /** EPOLL_CTL_ADD 1, DEL 2, MOD 3, on a script's descriptor. */
  control(op: number, fd: number, liveFd: number, events: number, data: number): number {
    const known = this.entries.get(fd);
    if (liveFd < 0) return -EBADF;
    if (op === 1) {
      if (known !== undefined) return -EEXIST;
    } else if (known === undefined) return -ENOENT;
    if (op === 2) {
      this.entries.delete(fd);
      return 0;
    }
    // Adding and changing arm the entry with what holds now.
    const entry = { liveFd, events, data, edges: 0, last: 0, lastWaiting: 0, disabled: false };
    this.entries.set(fd, entry);
    this.look(entry);
    return 0;
  }

  /** Notes edges; called whenever the stack has come to rest. */
  observe(): void {
    for (const entry of this.entries.values()) if ((entry.events & EPOLLET) !== 0) this.look(entry);
  }

  forget(fd: number): void {
    this.entries.delete(fd);
  }

  /** What epoll_wait would report now. */
  take(most: number): EpollEvent[] {
    const ready: EpollEvent[] = [];
    for (const entry of this.entries.values()) {
      if (ready.length >= most) break;
      if (entry.disabled) continue;
      const wanted = (entry.events | EPOLLERR | EPOLLHUP) & ~(EPOLLET | EPOLLONESHOT);
      const now = this.source.poll(entry.liveFd) & wanted;
      const edge = (entry.events & EPOLLET) !== 0;
      if (now === 0 || (edge && entry.edges === 0)) continue;
      entry.edges = 0;
      if ((entry.events & EPOLLONESHOT) !== 0) entry.disabled = true;
      ready.push({ events: now, data: entry.data });
    }
    return ready;
  }

  private look(entry: Entry): void {
    const wanted = (entry.events | EPOLLERR | EPOLLHUP) & ~(EPOLLET | EPOLLONESHOT);
    const now = this.source.poll(entry.liveFd) & wanted;
    const waiting = this.source.waiting(entry.liveFd);
    entry.edges |= now & ~entry.last;
    if (waiting > entry.lastWaiting) entry.edges |= now & EPOLLIN;
    entry.last = now;
    entry.lastWaiting = waiting;
  }
}
