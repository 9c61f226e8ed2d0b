import { EAGAIN, EINPROGRESS } from "../base/errors.ts";
import { MSG_ERRQUEUE, MSG_PEEK, MSG_WAITALL, POLLERR, POLLHUP, SOCK_STREAM } from "./constants.ts";
import {
  OPERATION_ACCEPT,
  OPERATION_CONNECT,
  OPERATION_LINGER,
  OPERATION_POLL,
  OPERATION_READ,
  OPERATION_WRITE,
  type Operation,
} from "./operation.ts";

/** What attempt answers for an operation that goes on waiting. */
export const WAITING = Number.NEGATIVE_INFINITY;

/** true and false: operations of one direction wait for each other; undefined: for nobody. */
export function isReading(op: Operation): boolean | undefined {
  switch (op.kind) {
    case OPERATION_READ:
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

/** As a blocking write: returns when all bytes are in the send buffer. */
function attemptWrite(op: Operation): number {
  const { socket } = op;
  for (;;) {
    const result = socket.send(
      op.buffer,
      op.offset + op.done,
      op.length - op.done,
      op.flags,
      op.to,
      undefined,
    );
    if (result === -EAGAIN) return WAITING;
    if (result < 0) {
      if (op.done === 0) return result;
      socket.restoreError(-result);
      return op.done;
    }
    op.done += result;
    if (op.done >= op.length || socket.type !== SOCK_STREAM) return op.done;
  }
}
