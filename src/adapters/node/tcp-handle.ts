import type { AsyncResource } from "node:async_hooks";
import { EADDRINUSE, EAGAIN, ECONNABORTED, EINPROGRESS } from "../../base/errors.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
} from "../../sockets/constants.ts";
import type { Operation } from "../../sockets/operation.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { StreamSocket } from "../../sockets/stream-socket.ts";
import { uvResult } from "./errno.ts";
import {
  BYTES_WRITTEN,
  READ_BYTES_OR_ERROR,
  type Request,
  streamState,
  TCP_CONSTANTS,
  UV,
  WAS_ASYNC,
} from "./internals.ts";
import { addressFrom, fillName, type NameResult } from "./names.ts";
import { NativeHandle } from "./native-handle.ts";
import { contextOf, nextTurn, whenClosed } from "./turns.ts";
import { WriteQueue, writeNow } from "./write-queue.ts";

const READABLE = POLLIN | POLLRDHUP | POLLERR | POLLHUP;

/** libuv's largest read, and the size of what is read at once. */
const READ_SIZE = 65_536;

/** Read into, then copied by the native stream before anyone else runs: one is enough. */
const scratch = new Uint8Array(READ_SIZE);

function readTurn(handle: TcpHandle): void {
  handle.readNow();
}

type Encoding = "latin1" | "utf8" | "ascii" | "ucs2";

/**
 * What stands under Node's `net.Socket` and `net.Server` in place of a kernel
 * socket: the calls of libuv's TCP handle, on a socket of the host. All calls
 * answer 0 or one of libuv's negative numbers; callbacks come in a turn of
 * their own.
 */
export class TcpHandle extends NativeHandle {
  readonly host: SocketHost;
  /** Net's own note whether it wants data. */
  reading = false;
  onconnection: ((status: number, client?: TcpHandle) => void) | undefined = undefined;
  /** The TLS stream around this one, which wants to hear of errors. */
  wrappedBy: { onread: ((buffer?: ArrayBuffer) => unknown) | undefined } | undefined = undefined;
  private socket: StreamSocket | undefined;
  private readonly context: AsyncResource = contextOf("TCPWRAP");
  /** Writes that wait for room; made when one does. */
  private waitingWrites: WriteQueue | undefined = undefined;
  private isReferenced = true;
  private isClosed = false;
  /** The end of closing was told. */
  private isGone = false;
  /** What libuv calls active: these keep the event loop alive. */
  private isListening = false;
  private isConnecting = false;
  private wantsData = false;
  private hasEnded = false;
  private isTurnDue = false;
  private waiting: Operation | undefined = undefined;
  private readSize = READ_SIZE;
  private connectRequest: Request | undefined = undefined;
  private connectContext: AsyncResource | undefined = undefined;

  constructor(host: SocketHost, socket?: StreamSocket) {
    super();
    this.host = host;
    this.socket = socket;
    this.updateHold();
  }

  // Opening

  /** The socket, made when its family is known. */
  private socketOf(domain: number): StreamSocket {
    this.socket ??= new StreamSocket(this.host.system, domain, IPPROTO_TCP);
    this.updateHold();
    return this.socket;
  }

  bind(address: string, port: number, flags = 0): number {
    return this.bindTo(AF_INET, address, port, flags);
  }

  bind6(address: string, port: number, flags = 0): number {
    return this.bindTo(AF_INET6, address, port, flags);
  }

  private bindTo(domain: number, text: string, port: number, flags: number): number {
    if (this.isClosed) return UV.UV_EBADF!;
    const address = addressFrom(this.host, text);
    if (address === undefined || (domain === AF_INET && !address.isIpv4)) return UV.UV_EINVAL!;
    if (domain === AF_INET6 && !this.host.hasIpv6) return UV.UV_EAFNOSUPPORT!;
    const socket = this.socketOf(domain);
    // As libuv does: a server that starts again need not wait for TIME-WAIT.
    socket.reuseAddress = true;
    if ((flags & (TCP_CONSTANTS.UV_TCP_IPV6ONLY ?? 0)) !== 0) socket.v6only = true;
    if ((flags & (TCP_CONSTANTS.UV_TCP_REUSEPORT ?? 0)) !== 0) socket.reusePort = true;
    return uvResult(socket.bind({ family: domain, address, port }));
  }

  listen(backlog: number): number {
    if (this.isClosed) return UV.UV_EBADF!;
    const socket = this.socketOf(this.host.hasIpv6 ? AF_INET6 : AF_INET);
    const result = socket.listen(backlog);
    if (result < 0) return uvResult(result);
    this.isListening = true;
    this.updateHold();
    this.acceptNext();
    return 0;
  }

  private acceptNext(): void {
    this.host.parked.accept(this.socket!, (result, operation) => {
      if (this.isClosed) {
        // Came in the same turn as the close: the peer learns of it.
        operation.accepted?.close();
        return;
      }
      const accepted = operation.accepted as StreamSocket | undefined;
      nextTurn(this.context, () => this.connected(result, accepted));
      this.acceptNext();
    });
  }

  private connected(result: number, accepted: StreamSocket | undefined): void {
    if (this.isClosed) {
      accepted?.abort();
      accepted?.close();
      return;
    }
    if (accepted === undefined) this.onconnection?.(uvResult(result));
    else this.onconnection?.(0, new TcpHandle(this.host, accepted));
  }

  connect(request: Request, address: string, port: number): number {
    return this.connectTo(AF_INET, request, address, port);
  }

  connect6(request: Request, address: string, port: number): number {
    return this.connectTo(AF_INET6, request, address, port);
  }

  private connectTo(domain: number, request: Request, text: string, port: number): number {
    if (this.isClosed) return UV.UV_EBADF!;
    const address = addressFrom(this.host, text);
    if (address === undefined || (domain === AF_INET && !address.isIpv4)) return UV.UV_EINVAL!;
    const socket = this.socketOf(domain);
    const result = socket.connect({ family: domain, address, port: port & 0xffff });
    if (result !== -EINPROGRESS) return uvResult(result === 0 ? -EADDRINUSE : result);
    this.isConnecting = true;
    this.connectRequest = request;
    this.connectContext = contextOf("TCPCONNECTWRAP");
    this.updateHold();
    this.host.parked.wait(socket, POLLOUT, () => {
      if (this.isClosed) return;
      // A server in this process hears first, as with kernel sockets: it waited before.
      setImmediate(() => nextTurn(this.connectContext!, () => this.connectDone()));
    });
    return 0;
  }

  private connectDone(): void {
    if (this.isClosed || !this.isConnecting) return;
    const result = this.socket!.connectResult();
    this.endConnect(uvResult(result === -EINPROGRESS ? -ECONNABORTED : result));
  }

  private endConnect(status: number): void {
    const request = this.connectRequest;
    this.isConnecting = false;
    this.connectRequest = undefined;
    this.updateHold();
    request?.oncomplete?.(status, this, request, true, true);
  }

  /** Descriptors of the operating system are none of this stack's. */
  open(): number {
    return UV.UV_ENOTSUP!;
  }

  // Names and options

  getsockname(out: NameResult): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    fillName(this.host, out, this.socket.localName(), this.socket.isIpv6);
    return 0;
  }

  getpeername(out: NameResult): number {
    const name = this.isClosed ? undefined : this.socket?.remoteName();
    if (name === undefined) return UV.UV_ENOTCONN!;
    fillName(this.host, out, name, this.socket!.isIpv6);
    return 0;
  }

  setNoDelay(on: boolean): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    this.socket.change((o) => (o.nodelay = Boolean(on)));
    return 0;
  }

  /** `delayS`: seconds of silence before the first probe; then one each second, ten at most, as libuv has it. */
  setKeepAlive(on: boolean, delayS: number): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    this.socket.change((o) => {
      o.keepAlive = Boolean(on);
      if (!on || !(delayS > 0)) return;
      o.keepAliveIdleUs = delayS * 1_000_000;
      o.keepAliveIntervalUs = 1_000_000;
      o.keepAliveCount = 10;
    });
    return 0;
  }

  setTypeOfService(tos: number): number {
    if (this.socket === undefined || this.isClosed) return UV.UV_EBADF!;
    this.socket.change((o) => (o.tos = tos & 0xfc));
    return 0;
  }

  getTypeOfService(): number {
    return this.socket?.connection.options.tos ?? UV.UV_EBADF!;
  }

  setSimultaneousAccepts(): number {
    return 0;
  }

  // Reading

  readStart(): number {
    if (this.isClosed || this.socket === undefined) return UV.UV_ENOTCONN!;
    this.wantsData = true;
    this.updateHold();
    this.awaitData();
    return 0;
  }

  readStop(): number {
    this.wantsData = false;
    this.updateHold();
    return 0;
  }

  // Who reads in C++ (tls, http, http2) comes this way.
  onreadstart(): number {
    return this.readStart();
  }
  onreadstop(): number {
    return this.readStop();
  }

  override useUserBuffer(buffer: Uint8Array): void {
    // No more than it holds is read at once: a pause between two buffers is kept.
    this.readSize = Math.max(1, Math.min(READ_SIZE, buffer.byteLength));
    super.useUserBuffer(buffer);
  }

  private awaitData(): void {
    if (!this.wantsData || this.hasEnded || this.isTurnDue || this.waiting !== undefined) return;
    if ((this.socket!.poll() & READABLE) !== 0) {
      this.readLater();
      return;
    }
    this.waiting = this.host.parked.wait(this.socket!, POLLIN | POLLRDHUP, () => {
      this.waiting = undefined;
      if (!this.isClosed && this.wantsData) this.readLater();
    });
  }

  private readLater(): void {
    this.isTurnDue = true;
    setImmediate(readTurn, this);
  }

  /** Not for others: a turn of the event loop has come to read. */
  readNow(): void {
    this.isTurnDue = false;
    if (this.isClosed || !this.wantsData || this.hasEnded) return;
    const result = this.socket!.receive(scratch, 0, this.readSize, 0, undefined);
    if (result > 0) {
      // The native stream calls in the context that it was made in.
      this.readBuffer(result === READ_SIZE ? scratch : scratch.subarray(0, result));
      if (!this.isClosed) this.awaitData();
    } else if (result === -EAGAIN) {
      this.awaitData();
    } else {
      this.hasEnded = true;
      this.updateHold();
      if (result === 0) this.emitEOF();
      else this.context.runInAsyncScope(() => this.readFailed(uvResult(result)));
    }
  }

  /** A native stream made in JavaScript has no word for errors: net is told as libuv would. */
  private readFailed(status: number): void {
    streamState[READ_BYTES_OR_ERROR] = status;
    const reader = this.wrappedBy ?? this;
    reader.onread?.call(reader);
  }

  // Writing

  writeBuffer(request: Request, data: Uint8Array): number {
    return this.write(request, [data], data.byteLength);
  }
  writeUtf8String(request: Request, text: string): number {
    return this.writeString(request, text, "utf8");
  }
  writeLatin1String(request: Request, text: string): number {
    return this.writeString(request, text, "latin1");
  }
  writeAsciiString(request: Request, text: string): number {
    return this.writeString(request, text, "latin1");
  }
  writeUcs2String(request: Request, text: string): number {
    return this.writeString(request, text, "ucs2");
  }

  private writeString(request: Request, text: string, encoding: Encoding): number {
    const data = Buffer.from(text, encoding);
    return this.write(request, [data], data.length);
  }

  /** `chunks`: buffers, or in turns a chunk and its encoding. */
  writev(request: Request, chunks: unknown[], allBuffers: boolean): number {
    const buffers: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < chunks.length; i += allBuffers ? 1 : 2) {
      const chunk = chunks[i] as Uint8Array | string;
      const data =
        typeof chunk === "string" ? Buffer.from(chunk, chunks[i + 1] as BufferEncoding) : chunk;
      buffers.push(data);
      length += data.length;
    }
    return this.write(request, buffers, length);
  }

  private get writes(): WriteQueue {
    this.waitingWrites ??= new WriteQueue(this, this.host.parked, () => this.updateHold());
    return this.waitingWrites;
  }

  private write(request: Request, buffers: Uint8Array[], length: number): number {
    streamState[BYTES_WRITTEN] = length;
    streamState[WAS_ASYNC] = 0;
    const { socket } = this;
    if (this.isClosed || socket === undefined) return UV.UV_EBADF!;
    if (this.waitingWrites?.hasEntries) {
      this.writes.writeBehind(socket, request, buffers);
    } else {
      const result = writeNow(socket, buffers);
      if (result === 1) {
        this.written += length;
        return 0;
      }
      if (result !== -EAGAIN) return uvResult(result);
      this.writes.writeLater(socket, request, buffers);
    }
    streamState[WAS_ASYNC] = 1;
    this.written += length;
    return 0;
  }
  private written = 0;

  // Who writes in C++ comes this way; it must not be answered at once.
  onwrite(request: object, buffers: Uint8Array[]): number {
    if (this.isClosed || this.socket === undefined) return UV.UV_EBADF!;
    this.writes.writeNative(this.socket, request, buffers);
    return 0;
  }

  shutdown(request: Request): number {
    if (this.isClosed || this.socket === undefined) return UV.UV_ENOTCONN!;
    this.writes.shutdown(this.socket, request, false);
    return 0;
  }

  onshutdown(request: object): number {
    if (this.isClosed || this.socket === undefined) return UV.UV_ENOTCONN!;
    this.writes.shutdown(this.socket, request, true);
    return 0;
  }

  get bytesWritten(): number {
    return this.written + (this.waitingWrites?.nativeBytes ?? 0);
  }

  // Closing

  isClosing(): boolean {
    return this.isClosed;
  }

  /** `callback` comes after the requests under way were told that they are cancelled. */
  close(callback?: () => void): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { connectRequest } = this;
    if (connectRequest !== undefined) {
      nextTurn(this.connectContext!, () => this.endConnect(UV.UV_ECANCELED!));
    }
    this.waitingWrites?.cancel();
    this.socket?.close();
    this.socket = undefined;
    whenClosed(this.context, () => {
      this.isGone = true;
      callback?.call(this);
    });
  }

  /** Closes with RST. */
  reset(callback?: () => void): number {
    if (this.isClosed) return UV.UV_EINVAL!;
    this.socket?.abort();
    this.close(callback);
    return 0;
  }

  // What keeps the process alive

  ref(): void {
    this.isReferenced = true;
    this.updateHold();
  }

  unref(): void {
    this.isReferenced = false;
    this.updateHold();
  }

  hasRef(): boolean {
    return this.isReferenced && !this.isGone;
  }

  private updateHold(): void {
    this.socket?.setReferenced(
      this.isReferenced &&
        (this.isListening ||
          this.isConnecting ||
          (this.wantsData && !this.hasEnded) ||
          this.waitingWrites?.isBusy === true),
    );
  }
}
