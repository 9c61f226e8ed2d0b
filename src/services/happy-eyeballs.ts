/** Several addresses for one name: in what order they are tried, and how (RFC 8305). */
import type { IpAddress } from "../base/address.ts";

/** Between two attempts (RFC 8305 §8). */
export const CONNECTION_ATTEMPT_DELAY_MS = 250;

/**
 * The addresses with the families alternating, the preferred one first (RFC
 * 8305 §4); the order within a family stays.
 */
export function interleaveFamilies(
  addresses: readonly IpAddress[],
  preferIpv4 = false,
): IpAddress[] {
  const first = addresses.filter((address) => address.isIpv4 === preferIpv4);
  const second = addresses.filter((address) => address.isIpv4 !== preferIpv4);
  const order: IpAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (i < first.length) order.push(first[i]);
    if (i < second.length) order.push(second[i]);
  }
  return order;
}

export interface Attempts<Connection> {
  /** Begins one attempt. */
  connect(address: IpAddress): Promise<Connection>;
  /** Ends an attempt that is not needed any more; its promise may reject. */
  cancel(address: IpAddress): void;
  /** Gives up a connection that came second. */
  discard(connection: Connection): void;
  /** Resolves after a time of the network's clock. */
  sleep(ms: number): Promise<void>;
}

/**
 * Tries addresses in order, the next one when the one before has failed or
 * `delayMs` have passed, and answers with the first that connects (RFC 8305
 * §5). Rejects with the first error when all failed.
 */
export function connectFirst<Connection>(
  addresses: readonly IpAddress[],
  attempts: Attempts<Connection>,
  delayMs = CONNECTION_ATTEMPT_DELAY_MS,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const pending = new Set<IpAddress>();
    let next = 0;
    let over = false;
    let firstError: unknown;
    const start = () => {
      if (over || next >= addresses.length) return;
      const address = addresses[next++];
      const turn = next;
      pending.add(address);
      attempts.connect(address).then(
        (connection) => {
          pending.delete(address);
          if (over) return attempts.discard(connection);
          over = true;
          for (const other of pending) attempts.cancel(other);
          resolve(connection);
        },
        (error: unknown) => {
          pending.delete(address);
          firstError ??= error;
          if (over) return;
          if (next < addresses.length) {
            // A failure starts the next at once, unless its time has come already.
            if (next === turn) start();
          } else if (pending.size === 0) {
            over = true;
            reject(firstError);
          }
        },
      );
      if (next < addresses.length) {
        void attempts.sleep(delayMs).then(() => {
          if (next === turn) start();
        });
      }
    };
    if (addresses.length === 0) reject(new RangeError("there is no address to connect to"));
    else start();
  });
}
