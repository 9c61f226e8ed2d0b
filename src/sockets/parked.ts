import { EAGAIN, EFAULT, EINPROGRESS, EINVAL, ETIMEDOUT } from "../base/errors.ts";
import type { TimerTarget } from "../base/timers.ts";
import type { PollEntry, SocketCalls } from "./calls.ts";
import {
  OPERATION_ACCEPT,
  OPERATION_CHUNK,
  OPERATION_CONNECT,
  OPERATION_DATAGRAM,
  OPERATION_LINGER,
  OPERATION_POLL,
  OPERATION_READ,
  OPERATION_WRITE,
  type Completion,
  type Deliverable,
  Operation,
} from "./operation.ts";
import type { ReceiveInfo } from "./message.ts";
import { isPort, type SocketAddress } from "./socket-address.ts";
import type { Socket } from "./socket.ts";
import type { SocketSystem } from "./socket-system.ts";

/**
 * Calls that wait, with a callback in place of a promise. It is called from
 * takeEvents, in the order in which things came about, never from inside the
 * call that began it, with a number >= 0 or -errno. What an operation waits
 * for is cancelled with `cancel`; closing the socket ends it with -EBADF.
 *
 * SO_RCVTIMEO and SO_SNDTIMEO hold unless `timeoutMs` is given. O_NONBLOCK
 * does not: who does not want to wait uses the calls themselves.
 */
export class Parked {
  readonly system: SocketSystem;

  constructor(system: SocketSystem) {
    this.system = system;
  }

  /** Completes with 0; the new socket is `operation.accepted`. */
  accept(socket: Socket, callback: Completion, timeoutMs = socket.receiveTimeoutMs): Operation {
    return this.start(new Operation(OPERATION_ACCEPT, socket, callback), timeoutMs, -EAGAIN);
  }

  /** Connects and completes with 0 once the handshake is over. */
  connect(socket: Socket, address: SocketAddress, callback: Completion, timeoutMs = 0): Operation {
    const operation = new Operation(OPERATION_CONNECT, socket, callback);
    const result = isPort(address.port) ? socket.connect(address) : -EINVAL;
    if (result !== -EINPROGRESS) return this.system.finish(operation, result);
    if (timeoutMs > 0) return this.start(operation, timeoutMs, -ETIMEDOUT);
    return this.start(operation, socket.sendTimeoutMs, -EINPROGRESS);
  }

  /** Completes with the bytes read, 0 at the end of data. */
  read(
    socket: Socket,
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    callback: Completion,
    info?: ReceiveInfo,
    timeoutMs = socket.receiveTimeoutMs,
  ): Operation {
    const operation = new Operation(OPERATION_READ, socket, callback);
    operation.buffer = into;
    operation.offset = offset;
    operation.length = length;
    operation.flags = flags;
    operation.info = info;
    if (offset < 0 || length < 0 || offset + length > into.length) {
      return this.system.finish(operation, -EFAULT);
    }
    return this.start(operation, timeoutMs, -EAGAIN);
  }

  /** Completes with the length of `operation.buffer`, a fresh buffer with what had come; 0 at the end of data. */
  readChunk(socket: Socket, callback: Completion, timeoutMs = socket.receiveTimeoutMs): Operation {
    return this.start(new Operation(OPERATION_CHUNK, socket, callback), timeoutMs, -EAGAIN);
  }

  /** Completes with the length of a datagram, which is in `operation.buffer`. */
  readDatagram(
    socket: Socket,
    info: ReceiveInfo,
    callback: Completion,
    timeoutMs = socket.receiveTimeoutMs,
  ): Operation {
    const operation = new Operation(OPERATION_DATAGRAM, socket, callback);
    operation.info = info;
    return this.start(operation, timeoutMs, -EAGAIN);
  }

  /** Completes when all is in the send buffer; with fewer bytes only after an error or a timeout. */
  write(
    socket: Socket,
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    callback: Completion,
    to?: SocketAddress,
    timeoutMs = socket.sendTimeoutMs,
  ): Operation {
    const operation = new Operation(OPERATION_WRITE, socket, callback);
    operation.buffer = data;
    operation.offset = offset;
    operation.length = length;
    operation.flags = flags;
    operation.to = to;
    if (offset < 0 || length < 0 || offset + length > data.length) {
      return this.system.finish(operation, -EFAULT);
    }
    return this.start(operation, timeoutMs, -EAGAIN);
  }

  /** Completes with the poll bits out of `mask` (and ERR, HUP) that hold; 0 after the timeout. */
  wait(socket: Socket, mask: number, callback: Completion, timeoutMs = 0): Operation {
    const operation = new Operation(OPERATION_POLL, socket, callback);
    operation.mask = mask;
    return this.start(operation, timeoutMs, 0);
  }

  /** Completes with 0 when the peer has acknowledged all that was written, with 1 after the timeout. */
  drain(socket: Socket, callback: Completion, timeoutMs: number): Operation {
    return this.start(new Operation(OPERATION_LINGER, socket, callback), timeoutMs, 1);
  }

  /** Ends an operation that still waits; its callback gets `result`. False: it was over already. */
  cancel(operation: Operation, result: number): boolean {
    return this.system.cancel(operation, result);
  }

  /**
   * poll(2) on several descriptors: calls back with the number of entries whose
   * `revents` are set, 0 after the timeout. `timeoutMs` negative: no limit;
   * 0: answers with what holds now.
   */
  poll(
    calls: SocketCalls,
    entries: readonly PollEntry[],
    timeoutMs: number,
    callback: (result: number) => void,
  ): { cancel(result: number): void } {
    return new PollWait(this, calls, entries, timeoutMs, callback);
  }

  private start(operation: Operation, timeoutMs: number, timeoutResult: number): Operation {
    this.system.begin(operation);
    if (timeoutMs > 0) this.system.limit(operation, timeoutMs * 1000, timeoutResult);
    return operation;
  }
}

/** One poll over several sockets: the first that has something ends the waiting on all. */
class PollWait implements Deliverable, TimerTarget {
  private readonly parked: Parked;
  private readonly calls: SocketCalls;
  private readonly entries: readonly PollEntry[];
  private readonly callback: (result: number) => void;
  private readonly operations: Operation[] = [];
  private timerId = -1;
  private posted = false;
  /** undefined: as the entries then are. */
  private result: number | undefined = undefined;

  constructor(
    parked: Parked,
    calls: SocketCalls,
    entries: readonly PollEntry[],
    timeoutMs: number,
    callback: (result: number) => void,
  ) {
    this.parked = parked;
    this.calls = calls;
    this.entries = entries;
    this.callback = callback;
    if (calls.poll(entries) > 0 || timeoutMs === 0) {
      this.post();
      return;
    }
    const wake: Completion = () => this.post();
    for (const entry of entries) {
      const socket = calls.lookup(entry.fd);
      if (socket !== undefined) this.operations.push(parked.wait(socket, entry.events, wake));
    }
    if (timeoutMs > 0) {
      const { env } = parked.system;
      const { timers } = env;
      this.timerId = timers.register(this);
      timers.arm(this.timerId, env.now() + timeoutMs * 1000);
      env.wake();
    }
  }

  onTimer(): void {
    this.post();
  }

  cancel(result: number): void {
    this.result ??= result;
    this.post();
  }

  private post(): void {
    if (this.posted) return;
    this.posted = true;
    const { system } = this.parked;
    if (this.timerId >= 0) system.env.timers.unregister(this.timerId);
    for (const operation of this.operations) system.cancel(operation, 0);
    system.post(this);
  }

  deliver(): void {
    this.callback(this.result ?? this.calls.poll(this.entries));
  }
}
