/** The descriptors of a script and the live ones behind them; each call made ready to be made. */
import { IPV4_ANY, IPV6_ANY, type IpAddress, tryParseAddress } from "../base/address.ts";
import type { SocketCalls } from "../sockets/calls.ts";
import { AF_INET6 } from "../sockets/constants.ts";
import type { Parked } from "../sockets/parked.ts";
import type { SocketAddress } from "../sockets/socket-address.ts";
import type { Call, Expression } from "./ast.ts";
import { Epoll } from "./epoll.ts";
import type { ScriptSocket } from "./script-socket.ts";
import { CallError, field, isEllipsis, numberValue } from "./values.ts";

export interface CallEnvironment {
  readonly calls: SocketCalls;
  readonly parked: Parked;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  /** AF_INET, or AF_INET6 for IPv6 and IPv4-mapped runs. */
  readonly family: number;
  readonly bindPort: number;
  readonly connectPort: number;
  /** Numbers and habits of FreeBSD's calls. */
  readonly freebsd: boolean;
  /** A socket was made, or begins a conversation with the remote address and port. */
  onSocket(socket: ScriptSocket): void;
  onConnect(socket: ScriptSocket, remote: SocketAddress): void;
  /** A live socket was accepted: the connection of the script that it is. */
  onAccept(listener: ScriptSocket, liveFd: number, remotePort: number): ScriptSocket;
}

/** A call made ready. */
export interface Prepared {
  /** Makes it; -errno or the script's result. */
  now(): number;
  /** Makes it and waits; absent where waiting makes no difference. */
  park?(done: (result: number) => void): void;
  /** What else differs, once it succeeded. */
  after?(result: number): string | undefined;
  /** The call blocks unless told otherwise, so that -EAGAIN without `...` is the script's mistake. */
  readonly blocking?: boolean;
}

export class ScriptCalls {
  readonly environment: CallEnvironment;
  readonly sockets = new Map<number, ScriptSocket>();
  private readonly epolls = new Map<number, Epoll>();
  private zeros = new Uint8Array(65_536);

  constructor(env: CallEnvironment) {
    this.environment = env;
  }

  /** To be told whenever the stack has come to rest: epoll's edges. */
  observe(): void {
    for (const epoll of this.epolls.values()) epoll.observe();
  }

  number(call: Call, index: number): number {
    return numberValue(call.args[index], call.position);
  }

  /** The script's socket for an argument; one that is not open is answered with EBADF by the call itself. */
  socketAt(call: Call, index = 0): ScriptSocket | undefined {
    return this.sockets.get(this.number(call, index));
  }

  liveFd(call: Call, index = 0): number {
    return this.liveOf(this.number(call, index));
  }

  /** The live descriptor behind a script's; -1: none. */
  liveOf(scriptFd: number): number {
    const socket = this.sockets.get(scriptFd);
    return socket === undefined || socket.closed ? -1 : socket.liveFd;
  }

  isBlocking(liveFd: number): boolean {
    return this.environment.calls.lookup(liveFd)?.nonblocking === false;
  }

  /** What the script wants the result to be; a descriptor gets this number. */
  wanted(call: Call): number {
    return isEllipsis(call.result) ? -1 : numberValue(call.result, call.position);
  }

  buffer(length: number): Uint8Array {
    if (length > this.zeros.length) this.zeros = new Uint8Array(length);
    return this.zeros;
  }

  /** `...` is the default address; a structure says its own. */
  address(expression: Expression | undefined, fallback: SocketAddress): SocketAddress {
    if (expression?.kind === "word") {
      // AF_UNSPEC alone: an address of no family.
      return { ...fallback, family: numberValue(expression, expression.position) };
    }
    if (expression?.kind !== "struct") return fallback;
    const port = field(expression, "sin_port") ?? field(expression, "sin6_port");
    const where = field(expression, "sin_addr") ?? field(expression, "sin6_addr");
    const family = field(expression, "sa_family") ?? field(expression, "sin_family");
    const text = where?.kind === "apply" ? where.args[where.args.length - 1] : where;
    return {
      family: family === undefined ? fallback.family : numberValue(family, expression.position),
      address: addressOf(text, fallback.address),
      port: port === undefined ? fallback.port : numberValue(port, expression.position),
    };
  }

  get bindAddress(): SocketAddress {
    const { family, bindPort } = this.environment;
    return { family, address: anyOf(family), port: bindPort };
  }

  get remote(): SocketAddress {
    const { family, remoteAddress, connectPort } = this.environment;
    return { family, address: remoteAddress, port: connectPort };
  }

  /** Whom a socket talks to: the one it has talked to, else the default. */
  remoteOf(socket: ScriptSocket | undefined): SocketAddress {
    const flow = socket?.flow;
    if (flow === undefined) return this.remote;
    return { family: this.environment.family, address: flow.remoteAddress, port: flow.remotePort };
  }

  adopt(scriptFd: number, socket: ScriptSocket): number {
    this.sockets.set(scriptFd, socket);
    return scriptFd;
  }

  epollAt(call: Call): Epoll {
    const epoll = this.epolls.get(this.number(call, 0));
    if (epoll === undefined)
      throw new CallError(call.position, `${call.name}: not an epoll descriptor`);
    return epoll;
  }

  makeEpoll(scriptFd: number): number {
    this.epolls.set(
      scriptFd,
      new Epoll({
        poll: (fd) => this.environment.calls.lookup(fd)?.poll() ?? 0,
        waiting: (fd) => Math.max(0, this.environment.calls.lookup(fd)?.inq() ?? 0),
      }),
    );
    return scriptFd;
  }

  closeEpoll(scriptFd: number): boolean {
    return this.epolls.delete(scriptFd);
  }

  forgetInEpolls(scriptFd: number): void {
    for (const epoll of this.epolls.values()) epoll.forget(scriptFd);
  }
}

function addressOf(text: Expression | undefined, fallback: IpAddress): IpAddress {
  if (text?.kind !== "string") return fallback;
  return tryParseAddress(text.value) ?? fallback;
}

/** The unspecified address of a socket's family. */
function anyOf(family: number): IpAddress {
  return family === AF_INET6 ? IPV6_ANY : IPV4_ANY;
}
