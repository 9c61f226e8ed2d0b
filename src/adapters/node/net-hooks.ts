import nodeNet from "node:net";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { OWNER, REINITIALIZE, TCP } from "./internals.ts";
import { TcpHandle } from "./tcp-handle.ts";

/** The parts of Node's sockets and servers that are theirs alone. */
interface Internals {
  _handle: unknown;
  _peername?: unknown;
  _sockname?: unknown;
  destroyed?: boolean;
  [key: symbol]: unknown;
}

type Method = (this: unknown, ...args: never[]) => unknown;

const SocketPrototype = nodeNet.Socket.prototype as unknown as Record<string | symbol, Method>;
const ServerPrototype = nodeNet.Server.prototype as unknown as Record<string, Method>;
const connect = SocketPrototype.connect as (this: unknown, ...args: unknown[]) => unknown;
const reinitialize = SocketPrototype[REINITIALIZE] as (this: unknown, handle: unknown) => void;
const setUpListening = ServerPrototype._listen2 as (this: unknown, ...args: unknown[]) => void;

/** Which host a socket's network is on. */
type HostOf = () => SocketHost;

const normalize = (nodeNet as unknown as { _normalizeArgs(args: unknown[]): [object, unknown] })
  ._normalizeArgs;

/** Is this what `connect` was given when its arguments were sorted out before? */
function isNormalized(args: unknown[]): boolean {
  const [first] = args;
  return Array.isArray(first) && Object.getOwnPropertySymbols(first).length > 0;
}

interface Target {
  readonly path?: unknown;
  readonly port?: unknown;
}

/**
 * Puts what makes Node's sockets use a host's stack on a prototype: handles of
 * ours where Node would make a kernel's. Everything above the handle stays
 * Node's own, with its events, errors and options. Answers what was replaced.
 */
export function hookSocket(prototype: object, hostOf: HostOf): void {
  define(prototype, "connect", function (this: unknown, ...args: unknown[]) {
    const self = this as Internals;
    const normalized = isNormalized(args) ? (args[0] as [object, unknown]) : normalize(args);
    const { path, port } = normalized[0] as Target;
    // Unix-domain paths are the operating system's; a call without a port throws.
    if (!path && port !== undefined) {
      if (self.destroyed) {
        self._handle = null;
        self._peername = null;
        self._sockname = null;
      }
      if (!self._handle) reinitialize.call(self, new TcpHandle(hostOf()));
    }
    return connect.call(self, normalized);
  });
  // One attempt after another (autoSelectFamily): each has a handle of its own.
  define(prototype, REINITIALIZE, function (this: unknown, handle: unknown) {
    reinitialize.call(this, ours(handle, hostOf));
  });
}

/** A handle of ours for one that was made for the kernel. */
export function ours(handle: unknown, hostOf: HostOf): unknown {
  if (!(handle instanceof TCP) || handle instanceof TcpHandle) return handle;
  (handle as unknown as TcpHandle).close();
  return new TcpHandle(hostOf());
}

/** The same for servers: `_listen2` is what makes and binds their handle. */
export function hookServer(prototype: object, hostOf: HostOf): void {
  define(
    prototype,
    "_listen2",
    function (
      this: unknown,
      address: string | null,
      port: number | null,
      addressType: number | null,
      backlog: number,
      fd: number | undefined,
      flags: number | undefined,
    ) {
      const self = this as Internals;
      const isPath = port === -1 && addressType === -1;
      if (self._handle || isPath || typeof fd === "number") {
        return setUpListening.call(this, address, port, addressType, backlog, fd, flags);
      }
      const bound = bindServer(hostOf(), address, port ?? 0, addressType, flags);
      self._handle = bound.handle;
      setUpListening.call(this, bound.address, port, bound.addressType, backlog, fd, flags);
      return undefined;
    },
  );
}

interface Bound {
  readonly handle: TcpHandle;
  readonly address: string;
  readonly addressType: number;
}

/** As Node: without an address all of IPv6 and IPv4, or of IPv4 where there is no IPv6. */
function bindServer(
  host: SocketHost,
  address: string | null,
  port: number,
  addressType: number | null,
  flags: number | undefined,
): Bound {
  const handle = new TcpHandle(host);
  if (address) {
    const result =
      addressType === 6 ? handle.bind6(address, port, flags) : handle.bind(address, port, flags);
    return { handle: orFailed(handle, host, result), address, addressType: addressType ?? 4 };
  }
  if (handle.bind6("::", port, flags) === 0) return { handle, address: "::", addressType: 6 };
  handle.close();
  const second = new TcpHandle(host);
  const result = second.bind("0.0.0.0", port, flags);
  return { handle: orFailed(second, host, result), address: "0.0.0.0", addressType: 4 };
}

/** A bound handle, or libuv's number for why there is none. */
export function serverHandle(
  host: SocketHost,
  address: string | null,
  port: number,
  addressType: number,
  flags?: number,
): TcpHandle | number {
  const { handle } = bindServer(host, address, port, addressType, flags);
  return handle instanceof FailedHandle ? handle.result : handle;
}

/** Node makes the error of a failed bind out of what listen() answers. */
function orFailed(handle: TcpHandle, host: SocketHost, result: number): TcpHandle {
  if (result === 0) return handle;
  handle.close();
  return new FailedHandle(host, result);
}

class FailedHandle extends TcpHandle {
  readonly result: number;

  constructor(host: SocketHost, result: number) {
    super(host);
    this.result = result;
  }

  override listen(): number {
    return this.result;
  }
}

export function define(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: typeof name === "string",
  });
}

export function setOwner(handle: object, owner: unknown): void {
  (handle as Record<symbol, unknown>)[OWNER] = owner;
}
