import { EBADF } from "../base/errors.ts";
import { Queue } from "../base/queue.ts";
import { attempt, isReading, WAITING } from "./attempt.ts";
import {
  DEFAULT_SOCKET_SETTINGS,
  type SocketEnvironment,
  type SocketSettings,
} from "./environment.ts";
import { ReceiveInfo } from "./message.ts";
import type { Deliverable, Operation } from "./operation.ts";
import type { Socket } from "./socket.ts";
import { TimeWaitPorts } from "./time-wait-ports.ts";

/**
 * All sockets of one host: what they share, the operations that wait, and the
 * queue through which completions reach the application in order.
 */
export class SocketSystem {
  readonly env: SocketEnvironment;
  readonly settings: SocketSettings;
  /** Referenced sockets that have something to wait for: they keep the process alive. */
  liveSockets = 0;
  /** Sockets in being: for leak checks. */
  openSockets = 0;
  /** All sockets in being, each holding the next. */
  private firstSocket: Socket | undefined = undefined;
  /** The host is gone. */
  ended = false;
  /** Operations that wait: for leak checks. */
  parked = 0;
  /** Scratch for calls that do not keep what they learn. */
  readonly info = new ReceiveInfo();
  readonly timeWaitPorts: TimeWaitPorts;
  private readonly completions = new Queue<Deliverable>();
  private delivering = false;

  constructor(env: SocketEnvironment, settings: Partial<SocketSettings> = {}) {
    this.env = env;
    this.settings = { ...DEFAULT_SOCKET_SETTINGS, ...settings };
    const { mslUs, maxTimeWait } = env.tcp.env.settings;
    this.timeWaitPorts = new TimeWaitPorts(env.tcpPorts, env.timers, 2 * mslUs, maxTimeWait);
  }

  /**
   * Begins an operation: does at once what can be done, else parks it behind
   * those that wait already. The callback comes later in any case.
   */
  begin(operation: Operation): Operation {
    const { socket } = operation;
    if (socket.closed) {
      this.complete(operation, -EBADF);
      return operation;
    }
    const reading = isReading(operation);
    if (reading === undefined || !this.isBusy(socket, reading)) {
      const result = attempt(operation);
      if (result !== WAITING) {
        this.complete(operation, result);
        return operation;
      }
    }
    this.park(operation);
    return operation;
  }

  /** Completes an operation that never waited. */
  finish(operation: Operation, result: number): Operation {
    this.complete(operation, result);
    return operation;
  }

  /** Sets a time limit: `timeoutUs` from now the operation ends with `result` (or the bytes moved so far). */
  limit(operation: Operation, timeoutUs: number, result: number): void {
    if (operation.settled || !(timeoutUs < Number.POSITIVE_INFINITY)) return;
    const { timers } = this.env;
    operation.timerId = timers.register(operation);
    operation.timeoutResult = result;
    timers.arm(operation.timerId, this.env.now() + timeoutUs);
    this.env.wake();
  }

  /** Ends an operation that waits with this result; the bytes moved so far are in `done`. False: it had completed. */
  cancel(operation: Operation, result: number): boolean {
    if (operation.settled) return false;
    this.settle(operation, result);
    return true;
  }

  /** Something happened to a socket: tries its waiting operations in order. */
  wakeSocket(socket: Socket): void {
    let readsBlocked = false;
    let writesBlocked = false;
    let previous: Operation | undefined;
    for (let op = socket.waiting; op !== undefined; ) {
      const next: Operation | undefined = op.next;
      const reading = isReading(op);
      const blocked = reading === undefined ? false : reading ? readsBlocked : writesBlocked;
      const result = blocked ? WAITING : attempt(op);
      if (result === WAITING) {
        if (reading === true) readsBlocked = true;
        else if (reading === false) writesBlocked = true;
        previous = op;
      } else {
        if (previous === undefined) socket.waiting = next;
        else previous.next = next;
        op.next = undefined;
        this.parked--;
        this.complete(op, result);
      }
      op = next;
    }
  }

  /** Takes an operation off its socket's list and completes it. */
  settle(operation: Operation, result: number): void {
    if (operation.settled) return;
    this.unlink(operation);
    this.complete(operation, result);
  }

  /** A socket came into being. */
  adopt(socket: Socket): void {
    this.openSockets++;
    const first = this.firstSocket;
    socket.nextSocket = first;
    if (first !== undefined) first.previousSocket = socket;
    this.firstSocket = socket;
  }

  private disown(socket: Socket): void {
    this.openSockets--;
    const { nextSocket: next, previousSocket: previous } = socket;
    if (next !== undefined) next.previousSocket = previous;
    if (previous !== undefined) previous.nextSocket = next;
    else this.firstSocket = next;
    socket.nextSocket = undefined;
    socket.previousSocket = undefined;
  }

  /** The sockets in being, the newest first. */
  *sockets(): Iterable<Socket> {
    for (let s = this.firstSocket; s !== undefined; ) {
      const next: Socket | undefined = s.nextSocket;
      yield s;
      s = next;
    }
  }

  /** The host ends: all sockets are closed, and who waits is told at once. */
  end(): void {
    this.ended = true;
    for (const socket of this.sockets()) socket.close();
    this.timeWaitPorts.clear();
    this.takeEvents();
  }

  /** A socket was closed: its operations end with -EBADF. */
  abandon(socket: Socket): void {
    this.disown(socket);
    while (socket.waiting !== undefined) {
      const op = socket.waiting;
      this.settle(op, op.done > 0 ? op.done : -EBADF);
    }
  }

  /** Calls back who waited, in order. True when anyone was called. Never from inside input or poll. */
  takeEvents(): boolean {
    if (this.completions.length === 0 || this.delivering) return false;
    this.delivering = true;
    // What callbacks complete at once is delivered too, up to a limit, so that
    // one that always finds more to do cannot hold up the network.
    let budget = this.completions.length + 256;
    try {
      while (budget-- > 0 || this.ended) {
        const next = this.completions.shift();
        if (next === undefined) break;
        next.deliver();
      }
    } finally {
      this.delivering = false;
      if (this.completions.length > 0) this.env.wake();
    }
    return true;
  }

  get hasEvents(): boolean {
    return this.completions.length > 0;
  }

  private complete(operation: Operation, result: number): void {
    operation.settled = true;
    operation.result = result;
    if (operation.timerId >= 0) {
      this.env.timers.unregister(operation.timerId);
      operation.timerId = -1;
    }
    this.post(operation);
  }

  /** Puts something into the queue of what the application is told. */
  post(deliverable: Deliverable): void {
    this.completions.push(deliverable);
    if (!this.delivering) this.env.wake();
  }

  /** Does an operation of this direction wait already? Then new ones wait behind it. */
  isBusy(socket: Socket, reading: boolean): boolean {
    for (let op = socket.waiting; op !== undefined; op = op.next) {
      if (isReading(op) === reading) return true;
    }
    return false;
  }

  private park(operation: Operation): void {
    this.parked++;
    const { socket } = operation;
    if (socket.waiting === undefined) {
      socket.waiting = operation;
      return;
    }
    let last = socket.waiting;
    while (last.next !== undefined) last = last.next;
    last.next = operation;
  }

  private unlink(operation: Operation): void {
    const { socket } = operation;
    let previous: Operation | undefined;
    for (let op = socket.waiting; op !== undefined; op = op.next) {
      if (op === operation) {
        if (previous === undefined) socket.waiting = op.next;
        else previous.next = op.next;
        op.next = undefined;
        this.parked--;
        return;
      }
      previous = op;
    }
  }
}
