import { AsyncResource } from "node:async_hooks";
import { TCP, TCP_CONSTANTS } from "./internals.ts";

/**
 * Node calls back once per turn: after every callback of a handle the queues
 * of process.nextTick and of promises run, before the next one. What the
 * network tells comes in batches, so each callback gets an immediate of its
 * own, in the asynchronous context (AsyncLocalStorage) that it belongs to.
 */
export function nextTurn(resource: AsyncResource, callback: () => void): void {
  setImmediate(run, resource, callback);
}

function run(resource: AsyncResource, callback: () => void): void {
  resource.runInAsyncScope(callback);
}

const NativeTcp = TCP as unknown as new (type: number) => { close(callback: () => void): void };

/**
 * Calls back when libuv tells of handles that were closed: at the end of this
 * turn of the event loop, after what the others hear in it. A kernel handle
 * that was never opened is what takes part in that.
 */
export function whenClosed(resource: AsyncResource, callback: () => void): void {
  new NativeTcp(TCP_CONSTANTS.SOCKET ?? 0).close(() => resource.runInAsyncScope(callback));
}

export function contextOf(type: string): AsyncResource {
  return new AsyncResource(type);
}
