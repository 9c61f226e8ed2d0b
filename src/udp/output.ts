import type { Counters } from "../base/counters.ts";
import { ENOBUFS } from "../base/errors.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { IpSender } from "../base/path.ts";
import { DATAGRAM_ERROR, DATAGRAM_WRITABLE, type DatagramEndpoint } from "./endpoint.ts";

/** Datagrams of one endpoint before the next one's turn. */
const QUANTUM = 16;

/**
 * The ring of endpoints with something to send, and the list of those with
 * something to tell. Sending happens in poll, telling in takeEvents.
 */
export class DatagramOutput {
  private readonly memory: FrameMemory;
  private readonly ip: IpSender;
  private readonly counters: Counters;
  private ring: DatagramEndpoint[] = [];
  private ringHead = 0;
  private telling: DatagramEndpoint[] = [];
  /** True when the last poll stopped because nothing had room. */
  private blocked = false;

  constructor(memory: FrameMemory, ip: IpSender, counters: Counters) {
    this.memory = memory;
    this.ip = ip;
    this.counters = counters;
  }

  /** Puts an endpoint, whose queue has something, in the ring. */
  enlist(endpoint: DatagramEndpoint): void {
    this.blocked = false;
    if (endpoint.ready) return;
    endpoint.ready = true;
    this.ring.push(endpoint);
  }

  signal(endpoint: DatagramEndpoint, bits: number): void {
    if (endpoint.pendingEvents === 0) this.telling.push(endpoint);
    endpoint.pendingEvents |= bits;
  }

  /** True when a poll would send, as far as is known. */
  get hasWork(): boolean {
    return this.ring.length > this.ringHead && !this.blocked;
  }

  get hasEvents(): boolean {
    return this.telling.length > 0;
  }

  /** Sends at most `budget` datagrams. True: there is more that has room. */
  poll(budget: number): boolean {
    if (this.ring.length === 0) return false;
    this.blocked = false;
    let stuck = 0;
    while (this.ringHead < this.ring.length) {
      if (stuck >= this.ring.length - this.ringHead) {
        this.blocked = true;
        break;
      }
      if (budget <= 0) return true;
      const endpoint = this.ring[this.ringHead++]!;
      const sent = this.serve(endpoint, Math.min(QUANTUM, budget));
      budget -= sent;
      if (endpoint.unsent.count > 0) {
        this.ring.push(endpoint);
        stuck = sent === 0 ? stuck + 1 : 0;
      } else {
        endpoint.ready = false;
      }
      if (this.ringHead >= 1024) {
        this.ring.splice(0, this.ringHead);
        this.ringHead = 0;
      }
    }
    if (this.ringHead === this.ring.length) {
      this.ring.length = 0;
      this.ringHead = 0;
    }
    return false;
  }

  private serve(endpoint: DatagramEndpoint, limit: number): number {
    const queue = endpoint.unsent;
    let sent = 0;
    while (queue.count > 0 && sent < limit) {
      const path = queue.path;
      if (path.usable && path.room() <= 0) break;
      const { frame, protocol, tos, ttl, flags } = queue;
      queue.shift();
      const result = this.ip.send(path, frame, protocol, tos, ttl, flags);
      sent++;
      if (result < 0) this.failed(endpoint, -result);
    }
    if (endpoint.wantsRoom && queue.bytes < endpoint.sendBuffer >> 1) {
      endpoint.wantsRoom = false;
      this.signal(endpoint, DATAGRAM_WRITABLE);
    }
    return sent;
  }

  /** The call that sent it has long returned, so only who asked for errors hears of them, as with Linux's device queues. */
  private failed(endpoint: DatagramEndpoint, errno: number): void {
    this.counters.udpSndbufErrors++;
    if (!endpoint.receiveErrors && errno === ENOBUFS) return;
    if (!endpoint.receiveErrors && !endpoint.connected) return;
    endpoint.error = errno;
    this.signal(endpoint, DATAGRAM_ERROR);
  }

  /** Tells owners what happened, in order. True when any was told. */
  takeEvents(): boolean {
    const list = this.telling;
    if (list.length === 0) return false;
    for (let i = 0; i < list.length; i++) {
      const endpoint = list[i]!;
      const bits = endpoint.pendingEvents;
      endpoint.pendingEvents = 0;
      endpoint.owner?.datagramEvents(bits, endpoint);
    }
    list.length = 0;
    return true;
  }

  /** Endpoints that still have something to send, closed ones among them. */
  get unsentEndpoints(): number {
    return this.ring.length - this.ringHead;
  }

  /** Drops everything unsent: the host ends. */
  clear(): void {
    for (let i = this.ringHead; i < this.ring.length; i++) {
      this.ring[i]!.ready = false;
      this.ring[i]!.unsent.clear(this.memory);
    }
    this.ring.length = 0;
    this.ringHead = 0;
    this.telling.length = 0;
  }
}
