import { EPROTO } from "../base/errors.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { seqGeq, seqLt } from "../base/sequence.ts";
import { NEVER } from "../base/timers.ts";
import type { Path } from "../base/path.ts";
import {
  CALL_ABORT,
  CALL_CLOSE,
  CALL_CONNECT,
  CALL_RECEIVE,
  CALL_SEND,
  CALL_SHUTDOWN,
  type Tracer,
} from "../base/trace.ts";
import type { IcmpError, Transport } from "../base/transport.ts";
import { isUnspecifiedWords } from "../base/address.ts";
import {
  abortCall,
  close,
  connect,
  findTuple,
  receive,
  send,
  shutdownRead,
  shutdownWrite,
} from "./calls.ts";
import { changeController } from "./congestion-state.ts";
import { TCP_EVENT_WRITABLE, TcpConnection } from "./connection.ts";
import { NOBODY } from "./demux.ts";
import {
  FIRST_RETRY_US,
  LONGEST_RETRY_US,
  TcpEnvironment,
  type TcpResources,
} from "./environment.ts";
import { type TcpInfo, tcpInfo } from "./info.ts";
import { openingErrno } from "./icmp-opening.ts";
import { input } from "./input.ts";
import { inputRun } from "./input-run.ts";
import { armKeepAlive } from "./keepalive.ts";
import { terminate } from "./lifecycle.ts";
import { type ListenOptions, TcpListener } from "./listener.ts";
import { output, OUTPUT_DONE, OUTPUT_MORE } from "./output.ts";
import { synDataRoom } from "./handshake.ts";
import { pathMtuFell } from "./path-mtu.ts";
import { replyReset, sendReplies } from "./replies.ts";
import type { TcpSettings } from "./settings.ts";
import type { SocketOptions } from "./socket-options.ts";
import { CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT } from "./state.ts";
import { connectionTimer } from "./timers.ts";
import { ACK, RST } from "../wire/tcp.ts";

/** Connections without room that a poll looks at before it gives up: thousands may wait for one device. */
const MAX_BLOCKED = 16;

/** TCP of one host: the demultiplexer, the listeners, the ring of connections that may send. */
export class TcpStack implements Transport {
  readonly env: TcpEnvironment;
  private readonly listeners = new Map<number, TcpListener[]>();

  constructor(resources: TcpResources) {
    this.env = new TcpEnvironment(resources, (c, nowUs) => connectionTimer(this.env, c, nowUs));
  }

  // What IP and the host call

  input(packet: ReceivedPacket, nowUs: number): boolean {
    this.env.nowUs = nowUs;
    input(this.env, this, packet);
    return true;
  }

  inputRun(
    packet: ReceivedPacket,
    frames: Int32Array,
    from: number,
    to: number,
    offset: number,
  ): number {
    return inputRun(this.env, packet, frames, from, to, offset);
  }

  /**
   * RFC 9293 §3.9.2.2 and RFC 5927: an ICMP error counts only if the sequence
   * number inside is in flight. Hard errors end a connection that is being
   * opened; on a synchronized one all are soft.
   */
  icmpError(error: IcmpError, nowUs: number): void {
    const env = this.env;
    env.nowUs = nowUs;
    if (error.length < 8) return;
    const view = env.memory.view;
    const ports = view.getInt32(error.offset);
    const seq = view.getInt32(error.offset + 4);
    const id = env.demux.find(
      error.local0,
      error.local1,
      error.local2,
      error.local3,
      error.remote0,
      error.remote1,
      error.remote2,
      error.remote3,
      ports,
      0,
    );
    if (id <= NOBODY) return;
    const c = env.demux.connections[id]!;
    if (seqLt(seq, c.sndUna) || seqGeq(seq, c.sndNxt)) return;
    if (error.mtu > 0) {
      pathMtuFell(env, c, error.mtu);
      return;
    }
    if (error.errno === 0) return;
    const isOpening =
      c.state === SYN_SENT || (c.state === SYN_RECEIVED && !(c.fastOpenPassive && c.isAccepted));
    if (isOpening) {
      // A parameter problem is soft for TCP (MUST-56), whatever other sockets make of it.
      const { icmpInOpening, softErrorsEndOpening } = env.settings;
      const soft = softErrorsEndOpening && error.errno !== EPROTO ? error.errno : 0;
      const errno = openingErrno(icmpInOpening, error) || soft;
      if (errno !== 0) {
        terminate(env, c, errno);
        return;
      }
    }
    c.softError = error.errno;
    if (c.state === SYN_SENT && c.options.reportSoftErrors) terminate(env, c, error.errno);
  }

  /** Sends replies and what connections may send, about `budget` frames. True: there is more. */
  poll(nowUs: number, budget: number): boolean {
    const env = this.env;
    env.nowUs = nowUs;
    this.expireTimeWait(nowUs);
    if (env.retryAtUs <= nowUs) this.retryStarved();
    else if (env.retryAtUs === NEVER) env.retryDelayUs = FIRST_RETRY_US;
    if (env.replies.length > 0) sendReplies(env);
    let more = false;
    const ready = env.ready;
    // Each connection gets at most one turn in a poll, so that all share fairly.
    let blocked = 0;
    for (let turns = ready.length; turns > 0 && budget > 0 && blocked < MAX_BLOCKED; turns--) {
      const c = ready.shift()!;
      c.isQueued = false;
      const before = c.segsOut;
      env.outOfFrames = false;
      const result = output(env, c);
      budget -= c.segsOut - before;
      if (env.outOfFrames && c.state !== CLOSED) {
        if (!c.isQueued) {
          c.isQueued = true;
          env.starved.push(c);
        }
        continue;
      }
      if (result === OUTPUT_DONE) continue;
      env.wantOutput(c);
      if (result === OUTPUT_MORE) more = true;
      else blocked++;
    }
    if (env.replies.length > 0) sendReplies(env);
    // Those without room wait for the device's word, not for time.
    return more || ready.length > blocked;
  }

  nextDeadline(): number {
    return Math.min(this.env.demux.timeWait.nextExpiry(), this.env.retryAtUs);
  }

  /** Frames may be free again: those that found none have another turn. */
  private retryStarved(): void {
    const { env } = this;
    env.retryAtUs = NEVER;
    env.retryDelayUs = Math.min(2 * env.retryDelayUs, LONGEST_RETRY_US);
    for (let c = env.starved.shift(); c !== undefined; c = env.starved.shift()) env.ready.push(c);
    // Each writer asks again, and stands here again when there is still nothing.
    for (const c of env.pageless) if (c.sendBlocked) env.notify(c, TCP_EVENT_WRITABLE);
    env.pageless.clear();
  }

  /** Delivers the events noted until now. True: there were some. */
  takeEvents(): boolean {
    const events = this.env.events;
    const any = events.length > 0;
    for (let n = events.length; n > 0; n--) events.shift()!.deliverEvents();
    return any;
  }

  /** Closes still delivering. */
  live(): number {
    return this.env.orphans;
  }

  /** The host ends: listeners and connections are given up. */
  destroy(): void {
    for (const listener of [...this.allListeners()]) listener.close();
    for (const connection of [...this.connections()]) this.abort(connection);
  }

  private expireTimeWait(nowUs: number): void {
    const demux = this.env.demux;
    for (;;) {
      const record = demux.timeWait.takeExpired(nowUs);
      if (record < 0) return;
      demux.removeTimeWait(record);
      demux.timeWait.release(record);
    }
  }

  /** Ends every TIME-WAIT at once: an administrator's word. */
  dropTimeWait(): void {
    this.expireTimeWait(Number.POSITIVE_INFINITY);
  }

  // What sockets call

  get settings(): TcpSettings {
    return this.env.settings;
  }

  get tracer(): Tracer | undefined {
    return this.env.tracer;
  }

  set tracer(tracer: Tracer | undefined) {
    this.env.tracer = tracer;
  }

  set onWork(callback: () => void) {
    this.env.onWork = callback;
  }

  /** A connection in CLOSED, with the host's default options or these. */
  create(options: SocketOptions = this.env.defaultOptions): TcpConnection {
    return new TcpConnection(this.env, options);
  }

  connect(c: TcpConnection, path: Path, localPort: number, remotePort: number, scope = 0): number {
    const result = connect(this.env, c, path, localPort, remotePort, scope);
    this.env.tracer?.call(this.env.nowUs, c, CALL_CONNECT, remotePort, result);
    return result;
  }

  listen(options: ListenOptions): TcpListener {
    const listener = new TcpListener(this.env, options, (closed) => this.forget(closed));
    const list = this.listeners.get(options.port);
    if (list === undefined) this.listeners.set(options.port, [listener]);
    else list.push(listener);
    return listener;
  }

  /** Says what becomes of a SYN that a listener holds: "drop" is silence, "refuse" an RST. */
  answerSyn(c: TcpConnection, answer: "accept" | "refuse" | "drop"): void {
    if (c.state !== SYN_RECEIVED || !c.isHeld) return;
    c.isHeld = false;
    if (answer === "accept") {
      c.synDue = true;
      this.env.wantOutput(c);
    } else {
      if (answer === "refuse") this.env.replyFor(c, 0, RST | ACK);
      terminate(this.env, c, 0);
    }
    this.env.onWork();
  }

  send(c: TcpConnection, data: Uint8Array, offset: number, length: number, flags: number): number {
    const result = send(this.env, c, data, offset, length, flags);
    this.env.tracer?.call(this.env.nowUs, c, CALL_SEND, length, result);
    return result;
  }

  /** Data that a deferred SYN has room for (Fast Open). */
  synDataRoom(c: TcpConnection): number {
    return synDataRoom(this.env, c);
  }

  /** A deferred SYN goes without data. */
  sendDeferredSyn(c: TcpConnection): void {
    c.synDeferred = false;
    c.synDue = true;
    this.env.wantOutput(c);
    this.env.onWork();
  }

  receive(
    c: TcpConnection,
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
  ): number {
    const result = receive(this.env, c, into, offset, length, flags);
    this.env.tracer?.call(this.env.nowUs, c, CALL_RECEIVE, length, result);
    return result;
  }

  shutdownWrite(c: TcpConnection): number {
    const result = shutdownWrite(this.env, c);
    this.env.tracer?.call(this.env.nowUs, c, CALL_SHUTDOWN, 0, result);
    return result;
  }

  shutdownRead(c: TcpConnection): number {
    return shutdownRead(c);
  }

  close(c: TcpConnection): void {
    this.env.tracer?.call(this.env.nowUs, c, CALL_CLOSE, 0, 0);
    close(this.env, c);
  }

  abort(c: TcpConnection): void {
    this.env.tracer?.call(this.env.nowUs, c, CALL_ABORT, 0, 0);
    abortCall(this.env, c);
  }

  /** Takes the pending error (SO_ERROR), a positive errno; 0: none. */
  takeError(c: TcpConnection): number {
    const errno = c.error;
    c.error = 0;
    return errno;
  }

  /** Bytes that can be read now. */
  readable(c: TcpConnection): number {
    return c.readableBytes;
  }

  /** Bytes that `send` would take now. */
  writable(c: TcpConnection): number {
    const used = (c.sndEnd - c.sndUna) | 0;
    return Math.max(0, c.sndBufSize - Math.max(0, used));
  }

  /** Is it worth writing: a third of the buffer is free, and what is unsent is at most half of TCP_NOTSENT_LOWAT (Linux). */
  isWritable(c: TcpConnection): boolean {
    const used = Math.max(0, (c.sndEnd - c.sndUna) | 0);
    return used * 3 <= c.sndBufSize * 2 && c.unsentBytes * 2 <= c.options.notSentLowWater;
  }

  /** Bytes written and not acknowledged (SIOCOUTQ). */
  outq(c: TcpConnection): number {
    return Math.max(0, (c.sndEnd - c.sndUna) | 0);
  }

  hasTuple(path: Path, localPort: number, remotePort: number, scope = 0): boolean {
    return findTuple(this.env, path, localPort, remotePort, scope) !== NOBODY;
  }

  info(c: TcpConnection, nowUs = this.env.nowUs): TcpInfo {
    return tcpInfo(this.env, c, nowUs);
  }

  /** TCP_CONGESTION. False: there is no such algorithm. */
  setCongestionControl(c: TcpConnection, name: string): boolean {
    return changeController(this.env, c, name);
  }

  /** To be called after `c.options` was replaced: keep-alive, cork, Nagle and buffers may say otherwise now. */
  optionsChanged(c: TcpConnection): void {
    const env = this.env;
    const o = c.options;
    if (o.receiveBuffer > 0) c.rcvBufSize = o.receiveBuffer;
    if (o.sendBuffer > 0) c.sndBufSize = o.sendBuffer;
    if (c.state === CLOSED || c.state === LISTEN) return;
    armKeepAlive(env, c);
    env.wantOutput(c);
    env.onWork();
  }

  // Listeners

  /** Lookup order: address and port, IPv4 wildcard, IPv6 wildcard, any destination. */
  find(packet: ReceivedPacket, port: number): TcpListener | undefined {
    const list = this.listeners.get(port);
    let best: TcpListener | undefined;
    let bestRank = 0;
    let equals = 0;
    if (list !== undefined) {
      for (const listener of list) {
        const rank = rankOf(listener, packet);
        if (rank > bestRank) {
          best = listener;
          bestRank = rank;
          equals = 1;
        } else if (rank === bestRank && rank > 0) {
          equals++;
        }
      }
      if (equals > 1) best = this.share(list, packet, bestRank, equals);
    }
    if (best !== undefined || port === 0) return best;
    const any = this.listeners.get(0);
    return any?.find((l) => l.anyDestination && matchesInterface(l, packet));
  }

  /** Listeners on the same address and port have SO_REUSEPORT: each 4-tuple always finds the same one. */
  private share(
    list: readonly TcpListener[],
    packet: ReceivedPacket,
    rank: number,
    equals: number,
  ): TcpListener | undefined {
    const { view } = this.env.memory;
    const h = Math.imul(packet.source3 ^ view.getInt32(packet.offset), 0x9e3779b1);
    const mixed = Math.imul(h ^ (h >>> 15) ^ packet.source2 ^ packet.source1, 0x85ebca6b);
    let choice = ((mixed ^ (mixed >>> 13)) >>> 0) % equals;
    return list.find((listener) => rankOf(listener, packet) === rank && choice-- === 0);
  }

  private forget(listener: TcpListener): void {
    const list = this.listeners.get(listener.port);
    if (list === undefined) return;
    const rest = list.filter((other) => other !== listener);
    if (rest.length === 0) this.listeners.delete(listener.port);
    else this.listeners.set(listener.port, rest);
  }

  /** For a snapshot: every connection, and every listener. */
  *connections(): Iterable<TcpConnection> {
    for (const c of this.env.demux.connections) if (c !== undefined) yield c;
  }

  *allListeners(): Iterable<TcpListener> {
    for (const list of this.listeners.values()) yield* list;
  }

  /** RST to a packet that nobody wanted; for gateways that take any destination. */
  refuse(packet: ReceivedPacket, ports: number): void {
    replyReset(this.env, packet, ports, this.env.segment);
  }
}

function matchesInterface(listener: TcpListener, packet: ReceivedPacket): boolean {
  return listener.interfaceIndex === 0 || listener.interfaceIndex === packet.interfaceIndex;
}

/** 0: not for this listener; else how closely it fits. */
function rankOf(listener: TcpListener, packet: ReceivedPacket): number {
  if (!matchesInterface(listener, packet)) return 0;
  const bound = listener.interfaceIndex === 0 ? 0 : 8;
  const a = listener.address;
  if (isUnspecifiedWords(a.w0, a.w1, a.w2, a.w3)) {
    if (a.isIpv4) return packet.isIpv4 ? 2 + bound : 0;
    return packet.isIpv4 && listener.v6only ? 0 : 1 + bound;
  }
  return a.w3 === packet.destination3 &&
    a.w2 === packet.destination2 &&
    a.w1 === packet.destination1 &&
    a.w0 === packet.destination0
    ? 4 + bound
    : 0;
}
