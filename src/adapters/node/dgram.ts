import nodeDgram from "node:dgram";
import type { SocketHost } from "../../sockets/socket-host.ts";
import type { HostDns } from "./dns.ts";
import { DGRAM_STATE, OWNER } from "./internals.ts";
import { define } from "./net-hooks.ts";
import { type Lookup, UdpHandle, type UdpType } from "./udp-handle.ts";

type Dgram = typeof nodeDgram;

interface NativeUdp {
  readonly lookup: Lookup;
  close(): void;
}

interface State {
  handle: NativeUdp | UdpHandle | null;
}

/** Node's own, also when `dgram.Socket` has been replaced since. */
const BuiltinSocket = nodeDgram.Socket;

type Options = { type: UdpType; lookup?: unknown };

/**
 * Node's `dgram` with its sockets on a host: the socket is Node's own, the
 * handle under it ours. Without `dns` names are looked up as Node does.
 */
export function hostDgram(
  hostOf: () => SocketHost,
  dns?: HostDns,
): Pick<Dgram, "Socket" | "createSocket"> {
  const call = BuiltinSocket as unknown as (this: unknown, ...args: unknown[]) => void;

  function Socket(this: unknown, type: unknown, listener?: unknown): unknown {
    const options = withLookup(type, dns);
    if (new.target === undefined) {
      // As in `util.inherits` times: dgram.Socket.call(this, "udp4").
      call.call(this, options, listener);
      adopt(this as object, hostOf());
      return undefined;
    }
    const socket = Reflect.construct(BuiltinSocket, [options, listener], new.target) as object;
    adopt(socket, hostOf());
    return socket;
  }
  Socket.prototype = BuiltinSocket.prototype;
  Object.setPrototypeOf(Socket, BuiltinSocket);
  define(Socket, "name", "Socket");
  const Made = Socket as unknown as new (type: unknown, listener?: unknown) => nodeDgram.Socket;
  const createSocket = (type: unknown, listener?: unknown) => new Made(type, listener);
  return { Socket, createSocket } as unknown as Pick<Dgram, "Socket" | "createSocket">;
}

function withLookup(type: unknown, dns: HostDns | undefined): unknown {
  if (dns === undefined) return type;
  if (type !== null && typeof type === "object") {
    const options = type as Options;
    return options.lookup === undefined ? { ...options, lookup: dns.lookup } : options;
  }
  return { type, lookup: dns.lookup };
}

/** Puts a handle of ours in the place of the kernel's. */
function adopt(socket: object, host: SocketHost): void {
  const state = (socket as Record<symbol, State>)[DGRAM_STATE]!;
  const { handle } = state;
  // A signal that was aborted before has closed the socket by now.
  if (handle === null) return;
  handle.close();
  const { type } = socket as { type: UdpType };
  const own = new UdpHandle(host, type, handle.lookup);
  (own as unknown as Record<symbol, unknown>)[OWNER] = socket;
  state.handle = own;
}
