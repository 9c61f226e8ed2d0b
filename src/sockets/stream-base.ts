import {
  IPV4_ANY,
  IPV4_LOOPBACK,
  IPV6_ANY,
  IPV6_LOOPBACK,
  type IpAddress,
} from "../base/address.ts";
import { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH } from "../base/errors.ts";
import {
  PORT_REUSE_ADDRESS,
  PORT_REUSE_PORT,
  PORT_V6_ONLY,
  type PortHandle,
} from "../base/port-table.ts";
import type { TcpConnection, TcpOwner } from "../tcp/connection.ts";
import type { TcpInfo } from "../tcp/info.ts";
import type { ListenerOwner, TcpListener } from "../tcp/listener.ts";
import type { SocketOptions } from "../tcp/socket-options.ts";
import { CLOSED, SYN_SENT, TIME_WAIT } from "../tcp/state.ts";
import { AF_INET6, AF_UNSPEC, SOCK_STREAM } from "./constants.ts";
import { ADDRESS_BROADCAST, ADDRESS_MULTICAST, ADDRESS_OTHER } from "./environment.ts";
import { SOCKET_FIRST_FREE, Socket } from "./socket.ts";
import type { SocketAddress } from "./socket-address.ts";
import type { SocketSystem } from "./socket-system.ts";

// Where a stream socket stands, as Linux's SS_* has it: connect() reports a
// connection once after it came about, so this lags behind TCP's state.
export const IDLE = 0;
export const CONNECTING = 1;
export const CONNECTED = 2;
export const LISTENING = 3;

// Flags of a stream socket.
/** bind() named the port: it stays with the socket when a connection ends. */
export const PORT_LOCKED = SOCKET_FIRST_FREE;
export const OWNS_OPTIONS = SOCKET_FIRST_FREE << 1;
export const BIND_WITHOUT_PORT = SOCKET_FIRST_FREE << 2;
export const ANY_DESTINATION = SOCKET_FIRST_FREE << 3;
export const ABORTED = SOCKET_FIRST_FREE << 4;
// shutdown() of either side, by us.
export const READ_SHUT = SOCKET_FIRST_FREE << 5;
export const WRITE_SHUT = SOCKET_FIRST_FREE << 6;

/** What a stream socket has and is called: its connection, options, port and names. */
export abstract class StreamBase extends Socket implements TcpOwner, ListenerOwner {
  override readonly type = SOCK_STREAM;
  connection: TcpConnection;
  listener: TcpListener | undefined = undefined;
  protected phase = IDLE;
  protected binding: PortHandle = 0;
  protected boundAddress: IpAddress;
  protected boundPort = 0;
  /** Told once when the connection is over, in the course of takeEvents. */
  onGone: (() => void) | undefined = undefined;
  /** What broke the connection, kept beside the error that the calls report once; 0: nothing did. */
  finalError = 0;
  /** The urgent pointer whose byte was read by recv(MSG_OOB). */
  protected oobReadUp: number | undefined = undefined;

  constructor(system: SocketSystem, domain: number, protocol: number, connection?: TcpConnection) {
    super(system, domain, protocol);
    this.connection = connection ?? system.env.tcp.create();
    this.connection.owner = this;
    this.boundAddress = domain === AF_INET6 ? IPV6_ANY : IPV4_ANY;
    system.adopt(this);
  }

  // Options

  /** IP_BIND_ADDRESS_NO_PORT: bind() to an address and port 0 leaves the port to connect(). */
  get bindWithoutPort(): boolean {
    return this.is(BIND_WITHOUT_PORT);
  }
  set bindWithoutPort(on: boolean) {
    this.put(BIND_WITHOUT_PORT, on);
  }
  /** Listen for every destination of the interface, not only for the host's addresses: gateways and tunnels. */
  /**
   * Set before listen(), with `anyDestination`: listens at every port that
   * nobody else listens at, leaves SYNs unanswered and calls this, until
   * `listener.nextSyn()` and `answerSyn` say what becomes of them.
   */
  onSyn: (() => void) | undefined = undefined;

  get anyDestination(): boolean {
    return this.is(ANY_DESTINATION);
  }
  set anyDestination(on: boolean) {
    this.put(ANY_DESTINATION, on);
  }
  /** abort() was called. */
  get wasAborted(): boolean {
    return this.is(ABORTED);
  }

  /** Changes options of this socket alone; they are shared until then. */
  change(edit: (options: SocketOptions) => void): void {
    const c = this.connection;
    if (!this.is(OWNS_OPTIONS)) {
      c.options = { ...c.options };
      this.put(OWNS_OPTIONS, true);
    }
    edit(c.options);
    if (this.listener !== undefined) this.listener.options = c.options;
    this.system.env.tcp.optionsChanged(c);
  }

  setReceiveBuffer(bytes: number): void {
    this.connection.rcvBufSize = bytes;
    this.change((o) => (o.receiveBuffer = bytes));
  }

  setSendBuffer(bytes: number): void {
    this.connection.sndBufSize = bytes;
    this.change((o) => (o.sendBuffer = bytes));
  }

  // The port

  override bind(to: SocketAddress): number {
    const { env } = this.system;
    const { address } = to;
    if (to.family === AF_UNSPEC && this.domain !== AF_INET6 && address.isUnspecified) {
      // Old programs leave the family out for 0.0.0.0; Linux lets them.
    } else if (!this.fits(to)) {
      return -EAFNOSUPPORT;
    }
    if (this.binding !== 0 || this.phase !== IDLE || this.connection.state !== CLOSED)
      return -EINVAL;
    if (address.isIpv4 && this.isIpv6 && this.v6only) return -EINVAL;
    if (!address.isUnspecified) {
      const kind = env.kindOf(address);
      if (kind === ADDRESS_OTHER) return -EADDRNOTAVAIL;
      if (kind === ADDRESS_MULTICAST && address.isIpv6) return -EINVAL;
    }
    if (address.isIpv6 && address.isLinkLocal) {
      const result = this.bindScope(address);
      if (result < 0) return result;
    }
    if (to.port === 0 && this.bindWithoutPort) {
      this.boundAddress = address;
      return 0;
    }
    const result = this.take(address, to.port);
    if (result === 0) this.put(PORT_LOCKED, to.port !== 0);
    return result;
  }

  /** A link-local address means one interface (RFC 4007 §6). */
  protected bindScope(address: IpAddress): number {
    const scope = address.scope || this.device;
    if (scope === 0) return -EINVAL;
    if (this.device !== 0 && this.device !== scope) return -EINVAL;
    this.device = scope;
    return 0;
  }

  protected take(address: IpAddress, port: number): number {
    const { w0, w1, w2, w3 } = address;
    const ports = this.system.env.tcpPorts;
    const handle = ports.bind(w0, w1, w2, w3, port, this.device, this.portFlags());
    if (handle < 0) return handle;
    this.binding = handle;
    this.boundAddress = address;
    this.boundPort = ports.port(handle);
    return 0;
  }

  protected portFlags(): number {
    return (
      (this.reuseAddress ? PORT_REUSE_ADDRESS : 0) |
      (this.reusePort ? PORT_REUSE_PORT : 0) |
      (this.v6only ? PORT_V6_ONLY : 0)
    );
  }

  get isBound(): boolean {
    return this.binding !== 0;
  }

  protected unbind(): void {
    if (this.binding === 0) return;
    const { env, timeWaitPorts } = this.system;
    if (this.connection.state === TIME_WAIT) timeWaitPorts.hold(this.binding, env.now());
    else env.tcpPorts.release(this.binding);
    this.binding = 0;
  }

  // Names

  override localName(): SocketAddress {
    const { path } = this.connection;
    if (path !== undefined && this.phase !== LISTENING) {
      return this.name(path.local, this.connection.localPort);
    }
    return this.name(this.boundAddress, this.boundPort);
  }

  override remoteName(): SocketAddress | undefined {
    const c = this.connection;
    if (c.path === undefined || c.state === CLOSED || c.state === SYN_SENT) return undefined;
    return this.name(c.path.remote, c.remotePort);
  }

  /** The address to connect to: the unspecified one means this host. */
  protected remoteOf(address: IpAddress): IpAddress | number {
    if (address.isUnspecified) return address.isIpv4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
    const kind = this.system.env.kindOf(address);
    if (kind === ADDRESS_MULTICAST || kind === ADDRESS_BROADCAST) return -ENETUNREACH;
    if (address.isIpv6 && address.isLinkLocal) {
      const result = this.bindScope(address);
      if (result < 0) return result;
      return address.withScope(this.device);
    }
    return address;
  }

  /** After a connection that failed the socket may try again, with the same options. */
  protected renew(): void {
    const old = this.connection;
    if (old.path === undefined) return;
    old.owner = undefined;
    const fresh = this.system.env.tcp.create(old.options);
    fresh.owner = this;
    this.connection = fresh;
    this.put(READ_SHUT, false);
    this.put(WRITE_SHUT, false);
  }

  /** The connection is over, or there never was one. */
  get isGone(): boolean {
    const { state } = this.connection;
    return this.phase !== LISTENING && (state === CLOSED || state === TIME_WAIT);
  }

  /** All that the peer sent was read, up to its FIN. */
  get hasReadAll(): boolean {
    const c = this.connection;
    return c.finReceived && c.readableBytes === 0;
  }

  /** The peer's name, also after the connection ended. */
  peerName(): SocketAddress {
    const c = this.connection;
    const none = this.isIpv6 ? IPV6_ANY : IPV4_ANY;
    return this.name(c.path?.remote ?? none, c.remotePort);
  }

  /** A listener has no connection, but a state. */
  info(): TcpInfo {
    const { env } = this.system;
    const info = env.tcp.info(this.connection, env.now());
    return this.isListening ? { ...info, state: "LISTEN" } : info;
  }

  get isListening(): boolean {
    return this.phase === LISTENING;
  }

  abstract tcpEvents(bits: number, source: TcpConnection | TcpListener): void;
}
