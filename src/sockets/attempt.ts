import { EAGAIN, EINPROGRESS } from "../base/errors.ts";
import { MSG_ERRQUEUE, MSG_PEEK, MSG_WAITALL, POLLERR, POLLHUP, SOCK_STREAM } from "./constants.ts";
import {
  OPERATION_ACCEPT,
  OPERATION_CHUNK,
  OPERATION_CONNECT,
  OPERATION_DATAGRAM,
  OPERATION_LINGER,
  OPERATION_POLL,
  OPERATION_READ,
  OPERATION_WRITE,
  type Operation,
} from "./operation.ts";
import type { Socket } from "./socket.ts";

/** What attempt answers for an operation that goes on waiting. */
export const WAITING = Number.NEGATIVE_INFINITY;

/** true and false: operations of one direction wait for each other; undefined: for nobody. */
export function isReading(op: Operation): boolean | undefined {
  switch (op.kind) {
    case OPERATION_READ:
    case OPERATION_CHUNK:
    case OPERATION_DATAGRAM:
    case OPERATION_ACCEPT:
      return true;
    case OPERATION_WRITE:
    case OPERATION_CONNECT:
      return false;
    default:
      return undefined;
  }
}

/** Does what can be done now: the result, or WAITING. */
export function attempt(op: Operation): number {
  switch (op.kind) {
    case OPERATION_READ:
      return attemptRead(op);
    case OPERATION_WRITE:
      return attemptWrite(op);
    case OPERATION_CHUNK: {
      const chunk = readChunk(op.socket);
      if (typeof chunk === "number") return chunk === -EAGAIN ? WAITING : chunk;
      op.buffer = chunk;
      return chunk.length;
    }
    case OPERATION_DATAGRAM: {
      const { socket } = op;
      const length = socket.inq();
      if (length > op.buffer.length) op.buffer = new Uint8Array(length);
      const result = socket.receive(op.buffer, 0, length, 0, op.info);
      return result === -EAGAIN ? WAITING : result;
    }
    case OPERATION_ACCEPT: {
      const accepted = op.socket.accept();
      if (typeof accepted === "number") return accepted === -EAGAIN ? WAITING : accepted;
      op.accepted = accepted;
      return 0;
    }
    case OPERATION_CONNECT: {
      const result = op.socket.connectResult();
      return result === -EINPROGRESS ? WAITING : result;
    }
    case OPERATION_POLL: {
      const bits = op.socket.poll() & (op.mask | POLLERR | POLLHUP);
      return bits !== 0 ? bits : WAITING;
    }
    case OPERATION_LINGER:
      return op.socket.outq() > 0 ? WAITING : 0;
    default:
      throw new Error(`unknown operation ${op.kind}`);
  }
}

/**
 * As a blocking read: returns with what there is once that is SO_RCVLOWAT
 * bytes, or all that was asked for with MSG_WAITALL, or at the end of data. An
 * error after some bytes is kept for the next call.
 */
function attemptRead(op: Operation): number {
  const { socket } = op;
  for (;;) {
    const result = socket.receive(
      op.buffer,
      op.offset + op.done,
      op.length - op.done,
      op.flags,
      op.info,
    );
    if (result === -EAGAIN) {
      return op.done > 0 && op.done >= wanted(op) ? op.done : WAITING;
    }
    if (result < 0) {
      if (op.done === 0) return result;
      socket.restoreError(-result);
      return op.done;
    }
    if (socket.type !== SOCK_STREAM || (op.flags & (MSG_PEEK | MSG_ERRQUEUE)) !== 0) return result;
    op.done += result;
    if (result === 0 || op.done >= wanted(op)) return op.done;
  }
}

function wanted(op: Operation): number {
  if ((op.flags & MSG_WAITALL) !== 0) return op.length;
  return Math.min(op.length, op.socket.receiveLowWater);
}

/** Most bytes of one chunk: enough to make its cost per byte small, and not a large object. */
const MAX_CHUNK = 65_536;

const PROBE = new Uint8Array(1);

/** What can be read now as a buffer of its own; 0 at the end of data, or -errno. */
export function readChunk(socket: Socket): Uint8Array | number {
  const available = socket.inq();
  if (available <= 0) {
    const result = socket.receive(PROBE, 0, 1, 0, undefined);
    return result > 0 ? PROBE.slice() : result;
  }
  const chunk = new Uint8Array(Math.min(available, MAX_CHUNK));
  const result = socket.receive(chunk, 0, chunk.length, 0, undefined);
  return result > 0 && result < chunk.length ? chunk.slice(0, result) : result > 0 ? chunk : result;
}

/** As a blocking write: returns when all bytes are in the send buffer. */
function attemptWrite(op: Operation): number {
  const { socket } = op;
  for (;;) {
    if (op.opens) {
      // The first bytes went with the SYN (RFC 7413): the call also waits for the handshake.
      if (socket.isOpening) return WAITING;
      op.opens = false;
      const result = socket.connectResult();
      if (result < 0) return result;
      if (op.done >= op.length) return op.done;
    }
    const result = socket.send(
      op.buffer,
      op.offset + op.done,
      op.length - op.done,
      op.flags,
      op.to,
      undefined,
    );
    if (result === -EAGAIN || (result === -EINPROGRESS && socket.isOpening)) {
      socket.noteWaitingWriter();
      op.opens = result === -EINPROGRESS;
      return WAITING;
    }
    if (result < 0) {
      if (op.done === 0) return result;
      socket.restoreError(-result);
      return op.done;
    }
    op.done += result;
    if (socket.isOpening) {
      op.opens = true;
      if (op.done < op.length) socket.noteWaitingWriter();
    } else if (op.done >= op.length || socket.type !== SOCK_STREAM) return op.done;
  }
}
