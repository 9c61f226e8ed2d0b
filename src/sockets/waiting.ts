import { ECANCELED, ETIMEDOUT, SocketError } from "../base/errors.ts";
import type { Operation } from "./operation.ts";

/** The part of AbortSignal that is used here; any AbortSignal is one. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What every call that waits takes. */
export interface WaitOptions {
  /** Ends the waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds of the network's time; the promise rejects with ETIMEDOUT. Default: no limit. */
  readonly timeout?: number | undefined;
}

/** Binds a signal to an operation: how the promise hears of it. Gives what takes the listener off again. */
export function onAbort(operation: Operation, signal: AbortSignalLike | undefined): () => void {
  if (signal === undefined) return NOTHING;
  const { system } = operation.socket;
  const abort = () => system.cancel(operation, -ECANCELED);
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
}

const NOTHING = () => {};

/** What to reject with when an operation ends with this errno: the signal's reason if it was the signal. */
export function reasonOf(
  errno: number,
  syscall: string,
  signal: AbortSignalLike | undefined,
): unknown {
  if (errno === -ECANCELED && signal?.aborted) return signal.reason;
  return new SocketError(errno, syscall);
}

export function timeoutError(syscall: string, ms: number): SocketError {
  return new SocketError(ETIMEDOUT, syscall, `not done after ${ms} ms, the timeout given`);
}
