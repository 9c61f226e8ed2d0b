import { AsyncResource } from "node:async_hooks";

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

export function contextOf(type: string): AsyncResource {
  return new AsyncResource(type);
}
