import type { IpAddress } from "../base/address.ts";
import { Queue } from "../base/queue.ts";
import {
  TCP_EVENT_ACCEPTABLE,
  TCP_EVENT_SYN,
  type PassiveOpener,
  type TcpConnection,
} from "./connection.ts";
import type { EventSource, TcpEnvironment } from "./environment.ts";
import { abort, terminate } from "./lifecycle.ts";
import type { SocketOptions } from "./socket-options.ts";
import { CLOSED, SYN_RECEIVED } from "./state.ts";
import { ECONNRESET } from "../base/errors.ts";

export interface ListenOptions {
  /** Unspecified: every address of the host. */
  readonly address: IpAddress;
  readonly port: number;
  /** 0: any interface. */
  readonly interfaceIndex?: number;
  /** An IPv6 wildcard that does not take IPv4; an IPv4 wildcard is one with a mapped address. */
  readonly v6only?: boolean;
  readonly backlog: number;
  /** Options that accepted connections inherit. */
  readonly options: SocketOptions;
  /** Takes connections to any destination of its interface (gateways, tunnels). */
  readonly anyDestination?: boolean;
  /** Leaves each SYN unanswered until `answerSyn` says what to do with it. */
  readonly holdSyns?: boolean;
}

/** Who hears that a connection waits to be accepted. */
export interface ListenerOwner {
  tcpEvents(bits: number, listener: TcpListener): void;
}

/**
 * A socket in LISTEN: the SYN queue (connections in SYN-RECEIVED) and the
 * accept queue. A full accept queue leaves the last ACK of a handshake
 * unanswered, so that the peer sends again, and takes no new SYN (counted).
 */
export class TcpListener implements PassiveOpener, EventSource {
  readonly address: IpAddress;
  readonly port: number;
  readonly interfaceIndex: number;
  readonly v6only: boolean;
  readonly anyDestination: boolean;
  readonly holdSyns: boolean;
  /** The socket's, as they are now: connections take them with their SYN. */
  options: SocketOptions;
  owner: ListenerOwner | undefined = undefined;
  pendingEvents = 0;
  isClosed = false;
  backlog: number;
  private readonly env: TcpEnvironment;
  private readonly accepted = new Queue<TcpConnection>();
  private readonly held = new Queue<TcpConnection>();
  private readonly halfOpen = new Set<TcpConnection>();
  private readonly onClose: (listener: TcpListener) => void;

  constructor(env: TcpEnvironment, o: ListenOptions, onClose: (listener: TcpListener) => void) {
    this.env = env;
    this.address = o.address;
    this.port = o.port;
    this.interfaceIndex = o.interfaceIndex ?? 0;
    this.v6only = o.v6only ?? false;
    this.anyDestination = o.anyDestination ?? false;
    this.holdSyns = o.holdSyns ?? false;
    this.options = o.options;
    this.backlog = 0;
    this.onClose = onClose;
    this.setBacklog(o.backlog);
  }

  /** Connections ready to be accepted. */
  get pending(): number {
    return this.accepted.length;
  }

  /** Connections whose handshake is not complete. */
  get halfOpenCount(): number {
    return this.halfOpen.size;
  }

  setBacklog(backlog: number): void {
    this.backlog = Math.max(0, Math.min(backlog, this.env.settings.maxBacklog));
  }

  hasRoom(): boolean {
    const most = Math.max(this.backlog, this.env.settings.backlogPlusOne ? 0 : 1);
    return this.env.settings.backlogPlusOne
      ? this.accepted.length <= most
      : this.accepted.length < most;
  }

  /** Whether another SYN may wait for its ACK. */
  hasSynRoom(): boolean {
    return this.halfOpen.size < this.env.settings.maxSynBacklog;
  }

  addHalfOpen(c: TcpConnection): void {
    this.halfOpen.add(c);
    c.listener = this;
  }

  /** A SYN waits for the application's word. */
  hold(c: TcpConnection): void {
    this.held.push(c);
    this.env.notify(this, TCP_EVENT_SYN);
  }

  /** The oldest SYN that waits for a word, or undefined. */
  nextSyn(): TcpConnection | undefined {
    for (;;) {
      const c = this.held.shift();
      if (c === undefined || c.state === SYN_RECEIVED) return c;
    }
  }

  /** Connections accepted by cookie whose handshake is not complete; bounded by TCP_FASTOPEN's number. */
  private fastOpens = 0;

  /** TCP_FASTOPEN's number; the backlog where every listener is a Fast Open server. */
  get fastOpenLimit(): number {
    const { fastOpen } = this.options;
    return fastOpen > 0 || (this.env.settings.fastOpen & 0x400) === 0 ? fastOpen : this.backlog;
  }

  /** May a connection go to the accept queue before its handshake is complete? */
  beginFastOpen(c: TcpConnection): boolean {
    if (this.fastOpens >= this.fastOpenLimit || !this.hasRoom()) return false;
    this.fastOpens++;
    this.halfOpen.delete(c);
    this.accepted.push(c);
    this.env.notify(this, TCP_EVENT_ACCEPTABLE);
    return true;
  }

  connectionReady(c: TcpConnection): void {
    if (c.fastOpenPassive) {
      this.fastOpens--;
      return;
    }
    this.halfOpen.delete(c);
    this.accepted.push(c);
    this.env.notify(this, TCP_EVENT_ACCEPTABLE);
  }

  connectionGone(c: TcpConnection): void {
    // One that was reset in the accept queue stays there: accept returns it, and reading tells.
    this.halfOpen.delete(c);
    if (c.fastOpenPassive && c.state === SYN_RECEIVED) this.fastOpens--;
  }

  /** The oldest connection that waits, or undefined. */
  accept(): TcpConnection | undefined {
    const c = this.accepted.shift();
    // One whose handshake is not complete still counts against TCP_FASTOPEN's number.
    if (c !== undefined && c.state !== SYN_RECEIVED) c.listener = undefined;
    else if (c !== undefined) c.isAccepted = true;
    return c;
  }

  deliverEvents(): void {
    const bits = this.pendingEvents;
    this.pendingEvents = 0;
    this.owner?.tcpEvents(bits, this);
  }

  /** Ends listening: what was not accepted is reset (RFC 9293 §3.10.4, CLOSE in LISTEN). */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose(this);
    for (const c of this.halfOpen) {
      c.listener = undefined;
      if (c.state === SYN_RECEIVED) terminate(this.env, c, ECONNRESET);
    }
    this.halfOpen.clear();
    for (let c = this.accept(); c !== undefined; c = this.accept()) {
      if (c.state !== CLOSED) abort(this.env, c, ECONNRESET);
      c.rcvBuf.clear(this.env.memory);
    }
    this.env.onWork();
  }
}
