import { IPV4_ANY, IPV6_ANY, type IpAddress } from "../base/address.ts";
import {
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  ECONNABORTED,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOTCONN,
} from "../base/errors.ts";
<<<<<<< HEAD
import { PORT_LISTENING } from "../base/port-table.ts";
import { TCP_EVENT_CLOSED, type TcpConnection } from "../tcp/connection.ts";
import type { TcpListener } from "../tcp/listener.ts";
import { CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from "../tcp/state.ts";
import { AF_UNSPEC, SHUT_RD, SHUT_RDWR } from "./constants.ts";
=======
import {
  PORT_LISTENING,
  PORT_REUSE_ADDRESS,
  PORT_REUSE_PORT,
  PORT_V6_ONLY,
  type PortHandle,
} from "../base/port-table.ts";
import { RECEIVE_DISCARD, RECEIVE_PEEK, SEND_MORE, SEND_URGENT } from "../tcp/calls.ts";
import { TCP_EVENT_CLOSED, TCP_EVENT_SYN, type TcpConnection, type TcpOwner } from "../tcp/connection.ts";
import type { TcpInfo } from "../tcp/info.ts";
import type { ListenerOwner, TcpListener } from "../tcp/listener.ts";
import type { SocketOptions } from "../tcp/socket-options.ts";
import {
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  LAST_ACK,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "../tcp/state.ts";
import {
  AF_INET6,
  AF_UNSPEC,
  MSG_ERRQUEUE,
  MSG_FASTOPEN,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
  SHUT_RD,
  SHUT_RDWR,
  SOCK_STREAM,
  SOL_TCP,
  TCP_CM_INQ,
} from "./constants.ts";
import { ADDRESS_BROADCAST, ADDRESS_MULTICAST, ADDRESS_OTHER } from "./environment.ts";
import type { ControlMessage, ReceiveInfo } from "./message.ts";
import { SOCKET_FIRST_FREE, Socket } from "./socket.ts";
>>>>>>> node
import type { SocketAddress } from "./socket-address.ts";
import {
  ABORTED,
  CONNECTED,
  CONNECTING,
  IDLE,
  LISTENING,
  PORT_LOCKED,
  READ_SHUT,
  WRITE_SHUT,
} from "./stream-base.ts";
import { StreamData } from "./stream-data.ts";

/** SOCK_STREAM: a TCP connection or listener with the manners of Linux's socket calls. */
<<<<<<< HEAD
export class StreamSocket extends StreamData {
=======
export class StreamSocket extends Socket implements TcpOwner, ListenerOwner {
  override readonly type = SOCK_STREAM;
  connection: TcpConnection;
  listener: TcpListener | undefined = undefined;
  private phase = IDLE;
  private binding: PortHandle = 0;
  private boundAddress: IpAddress;
  private boundPort = 0;
  /**
   * Set before listen(), with `anyDestination`: listens at every port that
   * nobody else listens at, and leaves each SYN unanswered until
   * `listener.nextSyn()` and `answerSyn` say what becomes of it.
   */
  onSyn: (() => void) | undefined = undefined;
  /** Told once when the connection is over, in the course of takeEvents. */
  onGone: (() => void) | undefined = undefined;
  /** What broke the connection, kept beside the error that the calls report once; 0: nothing did. */
  finalError = 0;
  /** The urgent pointer whose byte was read by recv(MSG_OOB). */
  private oobReadUp: number | undefined = undefined;

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

  // Names

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
  private bindScope(address: IpAddress): number {
    const scope = address.scope || this.device;
    if (scope === 0) return -EINVAL;
    if (this.device !== 0 && this.device !== scope) return -EINVAL;
    this.device = scope;
    return 0;
  }

  private take(address: IpAddress, port: number): number {
    const { w0, w1, w2, w3 } = address;
    const ports = this.system.env.tcpPorts;
    const handle = ports.bind(w0, w1, w2, w3, port, this.device, this.portFlags());
    if (handle < 0) return handle;
    this.binding = handle;
    this.boundAddress = address;
    this.boundPort = ports.port(handle);
    return 0;
  }

  private portFlags(): number {
    return (
      (this.reuseAddress ? PORT_REUSE_ADDRESS : 0) |
      (this.reusePort ? PORT_REUSE_PORT : 0) |
      (this.v6only ? PORT_V6_ONLY : 0)
    );
  }

  get isBound(): boolean {
    return this.binding !== 0;
  }

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

>>>>>>> node
  // Opening

  override connect(to: SocketAddress): number {
    if (to.family === AF_UNSPEC) return this.disconnect();
    if (this.phase === CONNECTED) return -EISCONN;
    if (this.phase === CONNECTING) {
      if (this.connection.synDeferred) return -EISCONN;
      const result = this.connectResult();
      return result === -EINPROGRESS ? -EALREADY : result;
    }
    if (!this.fits(to)) return -EAFNOSUPPORT;
    if (this.phase === LISTENING) return -EISCONN;
    if (to.address.isIpv4 && this.isIpv6 && this.v6only) return -ENETUNREACH;
    const remote = this.remoteOf(to.address);
    if (typeof remote === "number") return remote;
    return this.open(remote, to.port);
  }

  private open(remote: IpAddress, remotePort: number): number {
    const { env } = this.system;
    const any = remote.isIpv4 ? IPV4_ANY : IPV6_ANY;
    const bound = this.boundAddress;
    if (!bound.isUnspecified && bound.isIpv4 !== remote.isIpv4) return -EINVAL;
    const path = env.ip.path(bound.isUnspecified ? any : bound, remote, this.device);
    if (path === undefined) return -ENETUNREACH;
    this.renew();
    const { tcp, tcpPorts } = env;
    const local = path.local;
    const scope = remote.isIpv6 && remote.isLinkLocal ? this.device : 0;
    const free = (port: number) => !tcp.hasTuple(path, port, remotePort, scope);
    let chosen = false;
    if (this.binding === 0) {
      const { w0, w1, w2, w3 } = local;
      const handle = tcpPorts.bindForConnect(w0, w1, w2, w3, this.device, this.portFlags(), free);
      if (handle < 0) return handle;
      this.binding = handle;
      this.boundPort = tcpPorts.port(handle);
      chosen = true;
    } else if (!free(this.boundPort)) {
      return -EADDRNOTAVAIL;
    }
    const result = tcp.connect(this.connection, path, this.boundPort, remotePort, scope);
    if (result < 0) {
      if (chosen) this.unbind();
      return result;
    }
    this.phase = CONNECTING;
    this.setActive(true);
    // TCP_FASTOPEN_CONNECT with a cookie: the SYN waits for the first data.
    return this.connection.synDeferred ? 0 : -EINPROGRESS;
  }

  override connectResult(): number {
    if (this.phase !== CONNECTING) return this.phase === CONNECTED ? 0 : -ENOTCONN;
    const c = this.connection;
    if (c.synDeferred) return 0;
    if (c.state === SYN_SENT || c.state === SYN_RECEIVED) return -EINPROGRESS;
    if (c.state === CLOSED) {
      this.phase = IDLE;
      this.setActive(false);
      return -(this.takeError() || ECONNABORTED);
    }
    this.phase = CONNECTED;
    return 0;
  }

  /** connect(AF_UNSPEC): aborts what there is, and the socket is as new; a bound address stays. */
  private disconnect(): number {
    if (this.phase === LISTENING) this.stopListening();
    else if (this.connection.state !== CLOSED) this.system.env.tcp.abort(this.connection);
    this.phase = IDLE;
    this.renew();
    this.setActive(false);
    return 0;
  }

  override listen(backlog: number): number {
    if (this.phase === LISTENING) {
      this.listener!.setBacklog(backlog);
      return 0;
    }
    if (this.phase !== IDLE || this.connection.state !== CLOSED) return -EINVAL;
    const { env } = this.system;
    if (this.binding === 0) {
      const result = this.take(this.boundAddress, 0);
      if (result < 0) return result;
    }
    const handle = env.tcpPorts.change(this.binding, this.portFlags() | PORT_LISTENING);
    if (handle < 0) return handle;
    this.binding = handle;
    this.renew();
    this.listener = env.tcp.listen({
      address: this.boundAddress,
      port: this.onSyn === undefined ? this.boundPort : 0,
      interfaceIndex: this.device,
      v6only: this.v6only,
      backlog,
      options: this.connection.options,
      anyDestination: this.anyDestination,
      holdSyns: this.onSyn !== undefined,
    });
    this.listener.owner = this;
    this.phase = LISTENING;
    this.setActive(true);
    return 0;
  }

  private stopListening(): void {
    this.listener!.owner = undefined;
    this.listener!.close();
    this.listener = undefined;
    const { tcpPorts } = this.system.env;
    this.binding = tcpPorts.change(this.binding, tcpPorts.flags(this.binding) & ~PORT_LISTENING);
  }

  override accept(): StreamSocket | number {
    if (this.phase !== LISTENING) return -EINVAL;
    const c = this.listener!.accept();
    if (c === undefined) return -EAGAIN;
    const socket = new StreamSocket(this.system, this.domain, this.protocol, c);
    const { w0, w1, w2, w3 } = c.path!.local;
    socket.binding = this.system.env.tcpPorts.bindAccepted(this.binding, w0, w1, w2, w3);
    socket.boundAddress = c.path!.local;
    socket.boundPort = c.localPort;
    socket.phase = CONNECTED;
    socket.device = this.device;
    socket.v6only = this.v6only;
    socket.reuseAddress = this.reuseAddress;
    socket.reusePort = this.reusePort;
    socket.receiveTimeoutMs = this.receiveTimeoutMs;
    socket.sendTimeoutMs = this.sendTimeoutMs;
    // One that was reset while it waited has told so already, to nobody.
    if (socket.isGone) socket.finalError = c.error;
    else socket.setActive(true);
    return socket;
  }

  // Ending

  override shutdown(how: number): number {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    const { tcp } = this.system.env;
    const c = this.connection;
    if (this.phase === LISTENING) {
      if (how === SHUT_RD || how === SHUT_RDWR) {
        this.stopListening();
        this.phase = IDLE;
        this.setActive(false);
        this.system.wakeSocket(this);
      }
      return 0;
    }
    if (c.state === CLOSED) return -ENOTCONN;
    if (c.state === SYN_SENT) {
      tcp.abort(c);
      return 0;
    }
    if (how !== SHUT_RD) {
      this.put(WRITE_SHUT, true);
      tcp.shutdownWrite(c);
    }
    if (how === SHUT_RD || how === SHUT_RDWR) {
      this.put(READ_SHUT, true);
      tcp.shutdownRead(c);
    }
    this.system.wakeSocket(this);
    return 0;
  }

<<<<<<< HEAD
=======
  /** Linux's tcp_poll and inet_csk_listen_poll. */
  override poll(): number {
    if (this.phase === LISTENING) return this.listener!.pending > 0 ? POLLIN | POLLRDNORM : 0;
    const c = this.connection;
    const { tcp } = this.system.env;
    // To the application TIME-WAIT is over: nothing more will come or go.
    const closed = c.state === CLOSED || c.state === TIME_WAIT;
    const wasOpen = closed && c.path !== undefined;
    const readEnd = this.is(READ_SHUT) || c.finReceived || wasOpen;
    const writeEnd = this.is(WRITE_SHUT) || c.finQueued || wasOpen;
    let bits = 0;
    if (closed || (readEnd && writeEnd)) bits |= POLLHUP;
    if (readEnd) bits |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (c.synDeferred) {
      bits |= POLLOUT | POLLWRNORM;
    } else if (c.state !== SYN_SENT && (c.state !== SYN_RECEIVED || c.fastOpenPassive)) {
      const readable = tcp.readable(c);
      if (readable > 0 && readable >= this.receiveLowWater) bits |= POLLIN | POLLRDNORM;
      if (writeEnd || closed || tcp.writable(c) > 0) bits |= POLLOUT | POLLWRNORM;
      if (urgentByteIsThere(c) && this.oobReadUp !== c.rcvUp) bits |= POLLPRI;
    }
    if (c.error !== 0) bits |= POLLERR;
    return bits;
  }

  override get receiveLowWater(): number {
    const c = this.connection;
    return Math.min(c.options.receiveLowWater, Math.max(1, c.rcvBufSize >> 1));
  }

  override inq(): number {
    if (this.phase === LISTENING) return -EINVAL;
    const c = this.connection;
    const readable = this.system.env.tcp.readable(c);
    if (!c.urgentIn || c.options.oobInline) return readable;
    const toMark = bytesToMark(c);
    return toMark >= 0 ? Math.min(readable, toMark) : readable;
  }

  override outq(): number {
    if (this.phase === LISTENING) return -EINVAL;
    const c = this.connection;
    if (c.state <= SYN_RECEIVED) return 0;
    // A FIN on its way counts for one, as in Linux.
    const finOut = c.state === FIN_WAIT_1 || c.state === CLOSING || c.state === LAST_ACK ? 1 : 0;
    return this.system.env.tcp.outq(c) + finOut;
  }

  /** SIOCATMARK: the next byte is the urgent one. */
  get isAtMark(): boolean {
    const c = this.connection;
    return bytesToMark(c) === 0;
  }

  override takeError(): number {
    this.finalError ||= this.connection.error;
    return this.system.env.tcp.takeError(this.connection);
  }

  override restoreError(errno: number): void {
    this.connection.error = errno;
  }

  // Events

  tcpEvents(bits: number, source: TcpConnection | TcpListener): void {
    if (source !== this.connection && source !== this.listener) return;
    if ((bits & TCP_EVENT_CLOSED) !== 0) this.gone();
    if ((bits & TCP_EVENT_SYN) !== 0) this.onSyn?.();
    if (this.waiting !== undefined) this.system.wakeSocket(this);
  }

  /** The connection is over; its port is free unless bind() chose it and the socket is still open. */
  private gone(): void {
    this.finalError ||= this.connection.error;
    if (this.closed || !this.is(PORT_LOCKED)) this.unbind();
    if (!this.closed) this.setActive(false);
    const { onGone } = this;
    this.onGone = undefined;
    onGone?.();
  }

  private unbind(): void {
    if (this.binding === 0) return;
    const { env, timeWaitPorts } = this.system;
    if (this.connection.state === TIME_WAIT) timeWaitPorts.hold(this.binding, env.now());
    else env.tcpPorts.release(this.binding);
    this.binding = 0;
  }

>>>>>>> node
  /** RST instead of an orderly end; the socket stays to be closed. */
  abort(): void {
    this.put(ABORTED, true);
    if (this.phase !== LISTENING && this.connection.state !== CLOSED) {
      this.system.env.tcp.abort(this.connection);
    }
  }

  protected override release(): void {
    if (this.phase === LISTENING) {
      this.stopListening();
      this.unbind();
      return;
    }
    const c = this.connection;
    // SO_LINGER of 0 seconds: no orderly end is wanted.
    if (c.options.lingerUs === 0 && c.state !== CLOSED) this.system.env.tcp.abort(c);
    this.system.env.tcp.close(c);
    // What still delivers keeps its port, and tells when it is gone; `closed`
    // also waits for events that are on their way.
    const isOver = c.state === CLOSED || c.state === TIME_WAIT;
    if (!isOver || c.pendingEvents !== 0) c.owner = this;
    if (isOver) this.unbind();
  }

  // Events

  tcpEvents(bits: number, source: TcpConnection | TcpListener): void {
    if (source !== this.connection && source !== this.listener) return;
    if ((bits & TCP_EVENT_CLOSED) !== 0) this.gone();
    if (this.waiting !== undefined) this.system.wakeSocket(this);
  }

  /** The connection is over; its port is free unless bind() chose it and the socket is still open. */
  private gone(): void {
    this.finalError ||= this.connection.error;
    if (this.closed || !this.is(PORT_LOCKED)) this.unbind();
    if (!this.closed) this.setActive(false);
    const { onGone } = this;
    this.onGone = undefined;
    onGone?.();
  }
}
