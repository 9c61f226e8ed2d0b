import {
  IPV4_ANY,
  IPV4_LOOPBACK,
  IPV6_ANY,
  IPV6_LOOPBACK,
  type IpAddress,
} from "../base/address.ts";
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
  EOPNOTSUPP,
  EPIPE,
} from "../base/errors.ts";
import {
  PORT_LISTENING,
  PORT_REUSE_ADDRESS,
  PORT_REUSE_PORT,
  PORT_V6_ONLY,
  type PortHandle,
} from "../base/port-table.ts";
import { RECEIVE_DISCARD, RECEIVE_PEEK, SEND_MORE, SEND_RECORD, SEND_URGENT } from "../tcp/calls.ts";
import { TCP_EVENT_CLOSED, type TcpConnection, type TcpOwner } from "../tcp/connection.ts";
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
  MSG_EOR,
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
import type { SocketAddress } from "./socket-address.ts";
import type { SocketSystem } from "./socket-system.ts";
import { bytesToMark, receiveUrgent, urgentByteIsThere } from "./urgent.ts";

// Where a stream socket stands, as Linux's SS_* has it: connect() reports a
// connection once after it came about, so this lags behind TCP's state.
const IDLE = 0;
const CONNECTING = 1;
const CONNECTED = 2;
const LISTENING = 3;

// Flags of a stream socket.
/** bind() named the port: it stays with the socket when a connection ends. */
const PORT_LOCKED = SOCKET_FIRST_FREE;
const OWNS_OPTIONS = SOCKET_FIRST_FREE << 1;
const BIND_WITHOUT_PORT = SOCKET_FIRST_FREE << 2;
const ANY_DESTINATION = SOCKET_FIRST_FREE << 3;
const ABORTED = SOCKET_FIRST_FREE << 4;
// shutdown() of either side, by us.
const READ_SHUT = SOCKET_FIRST_FREE << 5;
const WRITE_SHUT = SOCKET_FIRST_FREE << 6;

/** SOCK_STREAM: a TCP connection or listener with the manners of Linux's socket calls. */
export class StreamSocket extends Socket implements TcpOwner, ListenerOwner {
  override readonly type = SOCK_STREAM;
  connection: TcpConnection;
  listener: TcpListener | undefined = undefined;
  private phase = IDLE;
  private binding: PortHandle = 0;
  private boundAddress: IpAddress;
  private boundPort = 0;
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

  /** The address to connect to: the unspecified one means this host. */
  private remoteOf(address: IpAddress): IpAddress | number {
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

  /** After a connection that failed the socket may try again, with the same options. */
  private renew(): void {
    const old = this.connection;
    if (old.path === undefined) return;
    old.owner = undefined;
    const fresh = this.system.env.tcp.create(old.options);
    fresh.owner = this;
    this.connection = fresh;
    this.put(READ_SHUT, false);
    this.put(WRITE_SHUT, false);
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

  /** The handshake is under way (a SYN that waits for its data is not). */
  override get isOpening(): boolean {
    const c = this.connection;
    if (c.state === SYN_SENT) return !c.synDeferred;
    return c.state === SYN_RECEIVED && !c.fastOpenPassive;
  }

  override noteWaitingWriter(): void {
    const c = this.connection;
    if (c.state === SYN_SENT) c.writerWaits = true;
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
      port: this.boundPort,
      interfaceIndex: this.device,
      v6only: this.v6only,
      backlog,
      options: this.connection.options,
      anyDestination: this.anyDestination,
    });
    this.listener.owner = this;
    this.phase = LISTENING;
    this.setActive(true);
    return 0;
  }

  get isListening(): boolean {
    return this.phase === LISTENING;
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
    socket.setActive(true);
    return socket;
  }

  // Data

  override send(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress | undefined,
    _control: readonly ControlMessage[] | undefined,
  ): number {
    if ((flags & MSG_FASTOPEN) !== 0 && to !== undefined) {
      return this.sendFastOpen(data, offset, length, flags, to);
    }
    // A connected stream ignores an address, as Linux does.
    if (this.phase === IDLE && this.connection.path === undefined) return -EPIPE;
    if (this.phase === LISTENING) return -EPIPE;
    const c = this.connection;
    let sendFlags = 0;
    if (flags !== 0) {
      if ((flags & MSG_MORE) !== 0) sendFlags |= SEND_MORE;
      if ((flags & MSG_OOB) !== 0) sendFlags |= SEND_URGENT;
      if ((flags & MSG_EOR) !== 0) sendFlags |= SEND_RECORD;
    }
    if (c.state === SYN_SENT || c.state === SYN_RECEIVED) {
      if (c.synDeferred) {
        const { tcp } = this.system.env;
        if (length === 0) {
          // Nothing to carry: an ordinary connect, with the cookie in its SYN.
          tcp.sendDeferredSyn(c);
          return -EINPROGRESS;
        }
        length = Math.min(length, tcp.synDataRoom(c));
      } else if (!c.fastOpenPassive) return -EAGAIN;
    }
    return this.system.env.tcp.send(c, data, offset, length, sendFlags);
  }

  /**
   * MSG_FASTOPEN (RFC 7413): connect and the first data in one call. The bytes
   * that the SYN takes, or -EINPROGRESS when it has to ask for a cookie first.
   */
  private sendFastOpen(
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    to: SocketAddress,
  ): number {
    if ((this.system.env.tcp.settings.fastOpen & 1) === 0) return -EOPNOTSUPP;
    if (to.family === AF_UNSPEC) return -EOPNOTSUPP;
    const now = this.connection;
    if (this.phase === CONNECTED || now.synDeferred || now.state >= ESTABLISHED) {
      return this.send(data, offset, length, flags & ~MSG_FASTOPEN, undefined, undefined);
    }
    if (now.state === SYN_SENT || now.state === SYN_RECEIVED) return -EALREADY;
    const { options } = this.connection;
    const wasOn = options.fastOpenConnect;
    this.change((o) => (o.fastOpenConnect = true));
    const result = this.connect(to);
    this.connection.options.fastOpenConnect = wasOn;
    if (result < 0) return result;
    return this.send(data, offset, length, flags & ~MSG_FASTOPEN, undefined, undefined);
  }

  override receive(
    into: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    info: ReceiveInfo | undefined,
  ): number {
    if (this.phase === LISTENING) return -ENOTCONN;
    if ((flags & MSG_ERRQUEUE) !== 0) return -EAGAIN;
    if (this.phase === IDLE && this.connection.path === undefined) return -ENOTCONN;
    const c = this.connection;
    let receiveFlags = 0;
    if (flags !== 0) {
      if ((flags & MSG_OOB) !== 0) return this.receiveOob(into, offset, length, flags);
      if ((flags & MSG_PEEK) !== 0) receiveFlags |= RECEIVE_PEEK;
      if ((flags & MSG_TRUNC) !== 0) receiveFlags |= RECEIVE_DISCARD;
    }
    const { tcp } = this.system.env;
    if (c.urgentIn) {
      const toMark = bytesToMark(c);
      if (toMark > 0) length = Math.min(length, toMark);
      else if (toMark === 0 && !c.options.oobInline && urgentByteIsThere(c)) {
        // Reading passes the mark: the byte is out of band and gone.
        tcp.receive(c, into, offset, 1, RECEIVE_DISCARD);
      }
    }
    const result = tcp.receive(c, into, offset, length, receiveFlags);
    if (info !== undefined && info.wantsControl && c.options.inq && result >= 0) {
      info.addControl({ level: SOL_TCP, type: TCP_CM_INQ, value: readableHint(c) });
    }
    return result;
  }

  private receiveOob(into: Uint8Array, offset: number, length: number, flags: number): number {
    const c = this.connection;
    const { memory } = this.system.env;
    const result = receiveUrgent(memory, c, this.oobReadUp === c.rcvUp, into, offset, length);
    if (result > 0 && (flags & MSG_PEEK) === 0) this.oobReadUp = c.rcvUp;
    return result;
  }

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
      if (writeEnd || closed || tcp.isWritable(c)) bits |= POLLOUT | POLLWRNORM;
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

  /** For listeners that a connection's options are taken from, and for info(). */
  get isEstablished(): boolean {
    return this.connection.state >= ESTABLISHED;
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

  info(): TcpInfo {
    const { env } = this.system;
    return env.tcp.info(this.connection, env.now());
  }
}

/** Bytes to read; 1 for the end of data, so that the application comes once more (Linux). */
function readableHint(c: TcpConnection): number {
  return c.readableBytes === 0 && c.finReceived ? 1 : c.readableBytes;
}
