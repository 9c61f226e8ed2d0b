/**
 * The few parts of Node that its own `net` and `dgram` are built on and that
 * are not public: what a stream handle is made of. They are the same in Node
 * 20, 22 and 24; a Node without them gets an error that says so.
 */
import dgram from "node:dgram";
import net from "node:net";

/** A request as `net` makes it: `oncomplete` is called once, when it is over. */
export interface Request {
  oncomplete?: ((...args: unknown[]) => void) | undefined;
  error?: string;
}

/** What Node's native streams share with its JavaScript: see `StreamBase` in Node's sources. */
interface StreamWrap {
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
}

type Constructor = new (...args: never[]) => object;

interface Bindings {
  readonly stream_wrap: StreamWrap;
  readonly js_stream: { readonly JSStream: Constructor };
  readonly tcp_wrap: { readonly TCP: Constructor; readonly constants: Record<string, number> };
  readonly udp_wrap: { readonly UDP: Constructor; readonly constants: Record<string, number> };
  readonly uv: Readonly<Record<string, number>>;
}

function missing(what: string): Error {
  const text =
    `${what} is not there in Node ${process.version}; ` +
    "fullduplex/node and fullduplex/register work with Node 20, 22 and 24";
  return Object.assign(new Error(text), { code: "ERR_FULLDUPLEX_NODE_VERSION" });
}

function binding<Name extends keyof Bindings>(name: Name): Bindings[Name] {
  const { binding: get } = process as unknown as { binding?: (name: string) => unknown };
  try {
    const found = get?.call(process, name);
    if (found !== undefined) return found as Bindings[Name];
  } catch {
    // Not on Node's list of what may be had.
  }
  throw missing(`process.binding("${name}")`);
}

function symbolOf(object: object, description: string): symbol {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((s) => s.description === description);
    if (found !== undefined) return found;
  }
  throw missing(`Symbol(${description})`);
}

export const { JSStream } = binding("js_stream");
export const { TCP, constants: TCP_CONSTANTS } = binding("tcp_wrap");
export const { UDP } = binding("udp_wrap");
export const UV = binding("uv");

const wrap = binding("stream_wrap");
export const streamState = wrap.streamBaseState;
export const READ_BYTES_OR_ERROR = wrap.kReadBytesOrError;
export const ARRAY_BUFFER_OFFSET = wrap.kArrayBufferOffset;
export const BYTES_WRITTEN = wrap.kBytesWritten;
export const WAS_ASYNC = wrap.kLastWriteWasAsync;

/** A handle's socket or server. */
export const OWNER = ownerSymbol();
/** `net.Socket.prototype[REINITIALIZE](handle)`: gives a socket a handle, as if it were new. */
export const REINITIALIZE = symbolOf(net.Socket.prototype, "kReinitializeHandle");
/** `dgram.Socket`'s state, with the handle in it. */
export const DGRAM_STATE = dgramState();

function ownerSymbol(): symbol {
  const handle = { getAsyncId: () => 1 };
  const socket = new net.Socket({
    handle,
    manualStart: true,
  } as unknown as net.SocketConstructorOpts);
  (socket as unknown as { _handle: unknown })._handle = null;
  return symbolOf(handle, "owner_symbol");
}

function dgramState(): symbol {
  const socket = dgram.createSocket({ type: "udp4", lookup: () => {} });
  const symbol = symbolOf(socket, "state symbol");
  socket.close();
  return symbol;
}
