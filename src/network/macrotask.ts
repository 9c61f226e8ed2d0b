/** Something queued; where the platform can, it may be told not to keep the process alive. */
export interface Macrotask {
  ref?(): void;
  unref?(): void;
}

type Immediate = (callback: () => void) => Macrotask;

/**
 * Runs a function in a turn of the event loop of its own, as soon as possible:
 * after pending promises, timers and I/O had theirs. `setImmediate` where there
 * is one (0.9 us in Node), a MessageChannel in browsers, where `setTimeout(0)`
 * would wait for 4 ms.
 */
export const macrotask: Immediate =
  typeof globalThis.setImmediate === "function"
    ? (callback) => globalThis.setImmediate(callback)
    : typeof globalThis.MessageChannel === "function"
      ? messageChannel()
      : (callback) => {
          globalThis.setTimeout(callback, 0);
          return {};
        };

/**
 * Runs a function once all promises that can settle have, however long their
 * chains; to be called from within a promise's reaction. Node runs its ticks
 * when the queue of microtasks is empty (0.1 us, and no look at I/O); elsewhere
 * only a turn of the event loop is sure to be late enough.
 */
export const afterPromises: (callback: () => void) => void =
  typeof (globalThis as Partial<NodeLike>).process?.nextTick === "function"
    ? (callback) => (globalThis as unknown as NodeLike).process.nextTick(callback)
    : macrotask;

interface NodeLike {
  readonly process: { nextTick(callback: () => void): void };
}

function messageChannel(): Immediate {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  const handle = {};
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(0);
    return handle;
  };
}
