import type { Socket } from "node:net";
import { type IpAddress, IPV6_ANY } from "../../base/address.ts";
import { AF_INET6, IPPROTO_TCP } from "../../sockets/constants.ts";
import { Connection } from "../../sockets/connection.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { StreamSocket } from "../../sockets/stream-socket.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import { SYN_RECEIVED } from "../../tcp/state.ts";
import { connectKernel } from "./kernel-sockets.ts";
import type { GatewayLimits } from "./limits.ts";
import { resetSocket, splice } from "./splice.ts";

/** Told of each connection when it is over. */
export interface TcpReport {
  readonly source: string;
  readonly destination: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error: string | undefined;
}

export interface TcpNatOptions {
  readonly limits: GatewayLimits;
  /** Where a destination is in the real network; undefined: it may not be reached. */
  readonly outside: (address: IpAddress, port: number) => string | undefined;
  readonly onConnection?: ((report: TcpReport) => void) | undefined;
}

/**
 * TCP from the virtual network to the real one: a SYN to any address is held
 * until the real destination has accepted or refused, so that the host inside
 * sees what is outside.
 */
export class TcpNat {
  private readonly host: SocketHost;
  private readonly options: TcpNatOptions;
  private readonly listener: StreamSocket;
  /** Connected outside, and to be accepted inside. */
  private readonly outside = new Map<TcpConnection, Socket>();
  private readonly open = new Set<Socket>();
  private isClosed = false;
  /** Refused because of the limit. */
  refused = 0;

  constructor(host: SocketHost, options: TcpNatOptions) {
    this.host = host;
    this.options = options;
    const listener = new StreamSocket(host.system, AF_INET6, IPPROTO_TCP);
    listener.anyDestination = true;
    listener.onSyn = () => this.takeSyns();
    // A gateway by itself keeps no process alive.
    listener.setReferenced(false);
    const name = { family: AF_INET6, address: IPV6_ANY, port: 0 };
    if (listener.bind(name) < 0 || listener.listen(options.limits.connections) < 0) {
      listener.close();
      throw new Error("the gateway cannot listen: no port is free on its host");
    }
    this.listener = listener;
    this.accept();
  }

  get connections(): number {
    return this.open.size;
  }

  private takeSyns(): void {
    for (;;) {
      const c = this.listener.listener?.nextSyn();
      if (c === undefined) return;
      this.dial(c);
    }
  }

  private dial(c: TcpConnection): void {
    const { tcp } = this.host;
    const { limits } = this.options;
    const path = c.path!;
    const target = this.options.outside(path.local, c.localPort);
    if (target === undefined || this.open.size >= limits.connections) {
      this.refused++;
      tcp.answerSyn(c, "refuse");
      return;
    }
    const socket = connectKernel(target, c.localPort);
    this.open.add(socket);
    socket.on("close", () => {
      this.open.delete(socket);
      this.outside.delete(c);
    });
    const timer = setTimeout(() => {
      socket.destroy();
      // Silence outside is silence inside: the peer's own timeout ends it.
      tcp.answerSyn(c, "drop");
    }, limits.connectMs);
    const onError = (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      tcp.answerSyn(c, error.code === "ETIMEDOUT" ? "drop" : "refuse");
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      if (c.state !== SYN_RECEIVED) {
        // Given up inside in the meantime.
        resetSocket(socket);
        return;
      }
      // From here on splice() hears of errors; until it does, they wait in the stream.
      socket.on("error", () => tcp.abort(c));
      this.outside.set(c, socket);
      tcp.answerSyn(c, "accept");
    });
  }

  private accept(): void {
    this.host.parked.accept(this.listener, (result, operation) => {
      if (this.isClosed) return;
      if (operation.accepted instanceof StreamSocket) this.carry(operation.accepted);
      else if (result < 0) return;
      this.accept();
    });
  }

  private carry(accepted: StreamSocket): void {
    const c = accepted.connection;
    const socket = this.outside.get(c);
    this.outside.delete(c);
    const inner = new Connection(accepted, this.host.parked);
    if (socket === undefined) {
      // Let in by a SYN cookie, or gone outside since: nothing to carry it to.
      inner.abort();
      return;
    }
    const source = `${inner.remoteAddress}:${inner.remotePort}`;
    const destination = `${inner.localAddress}:${inner.localPort}`;
    void splice(inner, socket).then((report) => {
      this.options.onConnection?.({ source, destination, ...report });
    });
  }

  /** Lets open connections go on, at most for `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.isClosed = true;
    this.listener.close();
    const ends = [...this.open].map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    const timer = setTimeout(() => {
      for (const socket of this.open) resetSocket(socket);
    }, timeoutMs);
    await Promise.all(ends);
    clearTimeout(timer);
  }
}
