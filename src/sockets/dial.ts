import type { IpAddress } from "../base/address.ts";
import { ETIMEDOUT, SocketError } from "../base/errors.ts";
import type { TimerTarget } from "../base/timers.ts";
import { Connection } from "./connection.ts";
import { AF_INET, AF_INET6, IPPROTO_TCP } from "./constants.ts";
import type { Operation } from "./operation.ts";
import { applyOptions, type StreamOptions } from "./option-names.ts";
import type { Parked } from "./parked.ts";
import type { SocketSystem } from "./socket-system.ts";
import { StreamSocket } from "./stream-socket.ts";
import type { AbortSignalLike } from "./waiting.ts";

/** RFC 8305 §5: the next address is tried this much after the one before, if that one has not failed before. */
const ATTEMPT_DELAY_US = 250_000;

export interface DialOptions extends StreamOptions {
  /** Local address and port to come from. */
  readonly local?: IpAddress | undefined;
  readonly localPort?: number | undefined;
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds for everything together. */
  readonly timeout?: number | undefined;
  /** Called with each socket before it connects. */
  readonly onSocket?: ((socket: StreamSocket) => void) | undefined;
}

/**
 * Connects to the first of some addresses that answers (RFC 8305, "happy
 * eyeballs"): one attempt after the other, overlapping when one takes long.
 * The others are given up.
 */
export function dial(
  system: SocketSystem,
  parked: Parked,
  addresses: readonly IpAddress[],
  port: number,
  options: DialOptions,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    new Dialer(system, parked, addresses, port, options, resolve, reject).begin();
  });
}

class Dialer implements TimerTarget {
  private readonly system: SocketSystem;
  private readonly parked: Parked;
  private readonly addresses: readonly IpAddress[];
  private readonly port: number;
  private readonly options: DialOptions;
  private readonly resolve: (connection: Connection) => void;
  private readonly reject: (reason: unknown) => void;
  private next = 0;
  private readonly attempts = new Set<Operation>();
  private error: unknown = undefined;
  private isOver = false;
  private timerId = -1;
  private deadlineUs = Number.POSITIVE_INFINITY;

  constructor(
    system: SocketSystem,
    parked: Parked,
    addresses: readonly IpAddress[],
    port: number,
    options: DialOptions,
    resolve: (connection: Connection) => void,
    reject: (reason: unknown) => void,
  ) {
    this.system = system;
    this.parked = parked;
    this.addresses = addresses;
    this.port = port;
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
  }

  begin(): void {
    const { signal, timeout } = this.options;
    if (signal?.aborted) {
      this.reject(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.abort);
    const { env } = this.system;
    if (timeout !== undefined) this.deadlineUs = env.now() + timeout * 1000;
    if (timeout !== undefined || this.addresses.length > 1)
      this.timerId = env.timers.register(this);
    this.attempt();
  }

  private readonly abort = () => this.fail(this.options.signal!.reason);

  /** Begins the next attempt. */
  private attempt(): void {
    const { env } = this.system;
    const address = this.addresses[this.next++]!;
    try {
      this.connect(address);
    } catch (error) {
      this.attemptFailed(error);
      return;
    }
    if (this.timerId < 0) return;
    const nextUs =
      this.next < this.addresses.length ? env.now() + ATTEMPT_DELAY_US : Number.POSITIVE_INFINITY;
    env.timers.arm(this.timerId, Math.min(nextUs, this.deadlineUs));
    env.wake();
  }

  private connect(address: IpAddress): void {
    const { options, port } = this;
    const domain = address.isIpv4 ? AF_INET : AF_INET6;
    const socket = new StreamSocket(this.system, domain, IPPROTO_TCP);
    try {
      applyOptions(socket, options);
      const { local, localPort } = options;
      if (local !== undefined || localPort !== undefined) {
        const from = local ?? socket.localName().address;
        const bound = socket.bind({ family: domain, address: from, port: localPort ?? 0 });
        if (bound < 0) throw this.errorOf(bound, "bind", from, localPort ?? 0);
      }
      options.onSocket?.(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    const operation = this.parked.connect(socket, { family: domain, address, port }, (result) => {
      this.attempts.delete(operation);
      if (result === 0 && !this.isOver) {
        this.finish();
        this.resolve(new Connection(socket, this.parked));
        return;
      }
      socket.close();
      if (!this.isOver) this.attemptFailed(this.errorOf(result, "connect", address, port));
    });
    this.attempts.add(operation);
  }

  private attemptFailed(error: unknown): void {
    // What the first address says is the most telling.
    this.error ??= error;
    if (this.isOver) return;
    if (this.next < this.addresses.length) this.attempt();
    else if (this.attempts.size === 0) this.fail(this.error);
  }

  onTimer(nowUs: number): void {
    if (nowUs >= this.deadlineUs) {
      // A timer fires inside poll; the promise hears of it afterwards.
      this.system.post({
        deliver: () => {
          const error = this.errorOf(ETIMEDOUT, "connect", this.addresses[0]!, this.port);
          this.fail(error);
        },
      });
      return;
    }
    this.system.post({ deliver: () => this.attemptAgain() });
  }

  private attemptAgain(): void {
    if (!this.isOver && this.next < this.addresses.length) this.attempt();
  }

  private fail(reason: unknown): void {
    if (this.isOver) return;
    this.finish();
    this.reject(reason);
  }

  /** Gives up what is under way. */
  private finish(): void {
    this.isOver = true;
    this.options.signal?.removeEventListener("abort", this.abort);
    if (this.timerId >= 0) this.system.env.timers.unregister(this.timerId);
    this.timerId = -1;
    for (const operation of this.attempts) operation.socket.close();
  }

  private errorOf(result: number, syscall: string, address: IpAddress, port: number): SocketError {
    const error = new SocketError(result, syscall);
    error.address = address.toString();
    error.port = port;
    return error;
  }
}
