import nodeHttp from "node:http";
import nodeHttps from "node:https";
import type nodeNet from "node:net";
import nodeTls from "node:tls";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { hookServer } from "./net-hooks.ts";
import { withParts, inherit, resolveBeforeListen } from "./net.ts";
import type { HostDns } from "./dns.ts";

type Constructor = new (...args: unknown[]) => object;
type Any = Record<string, unknown>;

/** A server class of Node's whose listening is the host's. */
function hostServer(Parent: unknown, host: SocketHost, dns: HostDns): Constructor {
  function Server(this: unknown, ...args: unknown[]): object {
    return Reflect.construct(Parent as Constructor, args, new.target ?? Server) as object;
  }
  inherit(Server, Parent as object);
  hookServer(Server.prototype as object, () => host);
  resolveBeforeListen(Server.prototype as object, dns);
  return Server as unknown as Constructor;
}

const create =
  (Class: Constructor) =>
  (...args: unknown[]) =>
    new Class(...args);

/** Node's `tls` with connections and servers on a host. */
export function hostTls(host: SocketHost, net: typeof nodeNet, dns: HostDns): typeof nodeTls {
  const connect = (...args: unknown[]) => {
    const [options, callback] = tlsArguments(args);
    // A path is a Unix-domain socket, which is the operating system's.
    const own = options.socket !== undefined || options.path !== undefined;
    const socket = own ? undefined : net.connect(transportOf(options) as never);
    const given = own ? options : { ...options, socket };
    const tlsSocket = nodeTls.connect(given as never, callback as never);
    if (socket !== undefined) follow(socket, tlsSocket);
    return tlsSocket;
  };
  const Server = hostServer(nodeTls.Server, host, dns);
  return withParts(nodeTls, { connect, Server, createServer: create(Server) });
}

/** The connection is the TLS socket's alone: its errors and its keeping of the process are too. */
function follow(socket: nodeNet.Socket, tlsSocket: nodeTls.TLSSocket): void {
  socket.on("error", (error) => tlsSocket.destroy(error));
  if (tlsSocket.timeout) socket.setTimeout(0);
}

/** tls.connect(options), (port, host, options), (port, options), with a callback at the end. */
function tlsArguments(args: unknown[]): [Any, unknown] {
  const last = args.at(-1);
  const callback = typeof last === "function" ? last : undefined;
  const rest = callback === undefined ? args : args.slice(0, -1);
  const options: Any = {};
  if (typeof rest[0] === "string" && Number.isNaN(Number(rest[0]))) options.path = rest[0];
  else if (typeof rest[0] !== "object") options.port = rest[0];
  if (typeof rest[1] === "string") options.host = rest[1];
  for (const arg of rest) if (arg !== null && typeof arg === "object") Object.assign(options, arg);
  return [options, callback];
}

/** What of the options is the connection's; `onread` and `signal` are the TLS socket's. */
function transportOf(options: Any): Any {
  const { onread: _onread, timeout: _timeout, ...rest } = options;
  return { ...rest, host: options.host ?? "localhost" };
}

/** Node's `http` with its connections and servers on a host. */
export function hostHttp(host: SocketHost, net: typeof nodeNet, dns: HostDns): typeof nodeHttp {
  class Agent extends nodeHttp.Agent {
    // Node's own hook: how an agent opens what it needs.
    override createConnection(options: never, callback?: never) {
      void callback;
      return net.createConnection(options);
    }
  }
  const Server = hostServer(nodeHttp.Server, host, dns);
  const made = requests(nodeHttp, Agent as unknown as Constructor);
  return withParts(nodeHttp, { ...made, Agent, Server, createServer: create(Server) });
}

/** Node's `https` with its connections and servers on a host. */
export function hostHttps(host: SocketHost, net: typeof nodeNet, dns: HostDns): typeof nodeHttps {
  const { createConnection } = nodeHttps.Agent.prototype as unknown as {
    createConnection(options: Any): nodeTls.TLSSocket;
  };
  class Agent extends nodeHttps.Agent {
    override createConnection(options: never, callback?: never) {
      void callback;
      const given = options as Any;
      if (given.socket !== undefined) return createConnection.call(this, given) as never;
      const socket = net.connect(transportOf(given) as never);
      const tlsSocket = createConnection.call(this, { ...given, socket });
      follow(socket, tlsSocket);
      return tlsSocket as never;
    }
  }
  const Server = hostServer(nodeHttps.Server, host, dns);
  const made = requests(nodeHttps, Agent as unknown as Constructor);
  return withParts(nodeHttps, { ...made, Agent, Server, createServer: create(Server) });
}

/** request() and get() that use an agent of the host's unless they are given another. */
function requests(module: typeof nodeHttp | typeof nodeHttps, Agent: Constructor): Any {
  const globalAgent = new Agent({ keepAlive: true, scheduling: "lifo", timeout: 5000 });
  const request = (...args: unknown[]) => {
    const at = typeof args[0] === "string" || args[0] instanceof URL ? 1 : 0;
    const options = args[at];
    const isObject = options !== null && typeof options === "object";
    const given = (isObject ? options : {}) as Any;
    let { agent } = given;
    if (agent === undefined || agent === null) agent = given.createConnection ? agent : globalAgent;
    // `agent: false` means one of its own for this request, of the same kind.
    if (agent === false) agent = new Agent();
    const rest = isObject ? args.slice(at + 1) : args.slice(at);
    const all = [...args.slice(0, at), { ...given, agent }, ...rest];
    return (module.request as (...args: unknown[]) => nodeHttp.ClientRequest)(...all);
  };
  const get = (...args: unknown[]) => {
    const made = request(...args);
    made.end();
    return made;
  };
  return { request, get, globalAgent };
}
