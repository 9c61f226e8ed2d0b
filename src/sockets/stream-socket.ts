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
import { PORT_LISTENING } from "../base/port-table.ts";
import { TCP_EVENT_CLOSED, TCP_EVENT_SYN, type TcpConnection } from "../tcp/connection.ts";
import type { TcpListener } from "../tcp/listener.ts";
import { CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from "../tcp/state.ts";
import { AF_UNSPEC, SHUT_RD, SHUT_RDWR } from "./constants.ts";
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
export class StreamSocket extends StreamData {
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
}
