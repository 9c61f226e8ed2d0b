import nodeNet from "node:net";
import type { SocketHost } from "../../sockets/socket-host.ts";
import type { HostDns } from "./dns.ts";
import { define, hookServer, hookSocket } from "./net-hooks.ts";
import { hookTls } from "./tls-hooks.ts";

type Net = typeof nodeNet;

/** Node's `net` with its sockets and servers on a host. */
export function hostNet(host: SocketHost, dns: HostDns): Net {
  hookTls();
  const hostOf = () => host;

  function Socket(this: unknown, options?: unknown): object {
    return Reflect.construct(nodeNet.Socket, [options], new.target ?? Socket) as object;
  }
  inherit(Socket, nodeNet.Socket);
  hookSocket(Socket.prototype as object, hostOf);
  useResolver(Socket.prototype as object, dns);
  // Node itself makes the sockets of a server's connections.
  Object.defineProperty(Socket, Symbol.hasInstance, {
    value(this: unknown, instance: unknown) {
      const wanted = this === Socket ? nodeNet.Socket : (this as { prototype: object });
      return hasPrototype(instance, wanted.prototype as object);
    },
  });

  function Server(this: unknown, ...args: unknown[]): object {
    return Reflect.construct(nodeNet.Server, args, new.target ?? Server) as object;
  }
  inherit(Server, nodeNet.Server);
  hookServer(Server.prototype as object, hostOf);
  resolveBeforeListen(Server.prototype as object, dns);

  const connect = (...args: unknown[]) => {
    const normalized = normalize(args);
    const options = normalized[0] as { timeout?: number };
    const socket = new (Socket as unknown as typeof nodeNet.Socket)(options as never);
    if (options.timeout) socket.setTimeout(options.timeout);
    return socket.connect(normalized as never);
  };
  const createServer = (...args: unknown[]) =>
    new (Server as unknown as new (...args: unknown[]) => nodeNet.Server)(...args);
  const made = {
    Socket,
    Stream: Socket,
    Server,
    connect,
    createConnection: connect,
    createServer,
  };
  return withParts(nodeNet, made);
}

const normalize = (nodeNet as unknown as { _normalizeArgs(args: unknown[]): unknown[] })
  ._normalizeArgs;

/** A module's exports, accessors and all, with some replaced. */
export function withParts<Module extends object>(module: Module, parts: object): Module {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(module), ...Object.getOwnPropertyDescriptors(parts) },
  ) as Module;
}

export function inherit(child: object, parent: object): void {
  const { prototype } = parent as { prototype: object };
  const own = Object.create(prototype) as object;
  define(own, "constructor", child);
  (child as { prototype: object }).prototype = own;
  Object.setPrototypeOf(child, parent);
}

function hasPrototype(instance: unknown, prototype: object): boolean {
  return typeof instance === "object" && instance !== null
    ? Object.prototype.isPrototypeOf.call(prototype, instance)
    : false;
}

interface LookupOptions {
  host?: string;
  lookup?: unknown;
}

/** Names are looked up by the host's resolver unless the options bring one. */
function useResolver(prototype: object, dns: HostDns): void {
  const { connect } = prototype as { connect(...args: unknown[]): unknown };
  define(prototype, "connect", function (this: unknown, ...args: unknown[]) {
    const [first] = args;
    const normalized = (
      Array.isArray(first) && Object.getOwnPropertySymbols(first).length > 0
        ? first
        : normalize(args)
    ) as unknown[];
    const options = normalized[0] as LookupOptions;
    const marked = normalized.slice() as unknown[] & Record<symbol, unknown>;
    for (const symbol of Object.getOwnPropertySymbols(normalized)) marked[symbol as never] = true;
    if (options.lookup == null) marked[0] = { ...options, lookup: dns.lookup };
    return connect.call(this, marked);
  });
}

/** `listen({ host: name })`: Node would ask the system's resolver. */
export function resolveBeforeListen(prototype: object, dns: HostDns): void {
  const listen = (nodeNet.Server.prototype as unknown as Record<string, unknown>).listen as (
    ...args: unknown[]
  ) => nodeNet.Server;
  define(prototype, "listen", function (this: nodeNet.Server, ...args: unknown[]) {
    const [options, callback] = normalize(args) as [LookupOptions & { port?: number }, unknown];
    const { host } = options;
    if (typeof host !== "string" || host === "" || nodeNet.isIP(host) || this.listening) {
      return listen.apply(this, args);
    }
    const backlog = args.find((arg, index) => index > 1 && typeof arg === "number");
    const rest = backlog === undefined ? options : { backlog, ...options };
    if (typeof callback === "function") this.once("listening", callback as () => void);
    dns.lookup(host, (error: Error | null, address?: unknown) => {
      if (error) this.emit("error", error);
      else listen.call(this, { ...rest, host: address });
    });
    return this;
  });
}
