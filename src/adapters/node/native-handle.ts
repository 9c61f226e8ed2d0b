import { JSStream, TCP } from "./internals.ts";

/**
 * The base of our TCP handles: one of Node's own streams whose other side is
 * JavaScript, so that tls, http and http2, which work on streams in C++, take
 * it as they take a kernel socket; and an heir of TCP's, because `net` asks
 * `handle instanceof TCP`. What a TCP handle does natively is overridden.
 */
export interface NativeHandle {
  /** Called with what was read; see Node's lib/internal/stream_base_commons.js. */
  onread: ((buffer?: ArrayBuffer) => unknown) | undefined;
  readonly isStreamBase: boolean;
  getAsyncId(): number;
  /** Gives bytes to whoever reads this stream, in C++ or JavaScript. They are copied. */
  readBuffer(bytes: Uint8Array): void;
  emitEOF(): void;
  /** Ends a request that came through `onwrite` or `onshutdown`. */
  finishWrite(request: object, status: number): void;
  finishShutdown(request: object, status: number): void;
  useUserBuffer(buffer: Uint8Array): void;
}

const prototype = Object.create(TCP.prototype) as object;
for (let at = JSStream.prototype as object; at !== Object.prototype; ) {
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
    if (key !== "constructor" && key !== "onread" && !Object.hasOwn(prototype, key)) {
      Object.defineProperty(prototype, key, descriptor);
    }
  }
  at = Object.getPrototypeOf(at) as object;
}

// In Node 20 not a plain accessor: only its holder can be asked for it.
Object.defineProperty(prototype, "onread", {
  get(this: object): unknown {
    return Reflect.get(JSStream.prototype as object, "onread", this);
  },
  set(this: object, value: unknown) {
    Reflect.set(JSStream.prototype as object, "onread", value, this);
  },
  configurable: true,
});

// Made first and given its prototype then: constructed with it as new.target,
// each object would have hidden classes of its own, 4 KB of them.
function Base(this: object): object {
  return Object.setPrototypeOf(new JSStream(), (new.target as { prototype: object }).prototype);
}
Base.prototype = prototype;

export const NativeHandle = Base as unknown as new () => NativeHandle;
