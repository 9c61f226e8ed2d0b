import type { IpAddress } from "../base/address.ts";
import { SocketError } from "../base/errors.ts";
import type { Host } from "../host/host.ts";
import type { AbortSignalLike } from "./waiting.ts";

export interface PingOptions {
  /** Payload bytes. Default 56. */
  readonly size?: number;
  readonly ttl?: number;
  /** Milliseconds until the echo counts as lost. Default 1,000. */
  readonly timeout?: number;
  readonly source?: IpAddress;
  readonly dontFragment?: boolean;
  readonly signal?: AbortSignalLike;
}

export interface PingReply {
  readonly address: string;
  readonly sequence: number;
  /** Milliseconds there and back. */
  readonly timeMs: number;
  readonly ttl: number;
  readonly size: number;
}

/** Sends one echo request; rejects with what came instead of a reply (ETIMEDOUT, EHOSTUNREACH ...). */
export function ping(host: Host, address: IpAddress, options: PingOptions): Promise<PingReply> {
  const { signal, timeout = 1000, size, ttl, source, dontFragment } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = host.echo(
      address,
      {
        timeoutUs: timeout * 1000,
        ...(size !== undefined && { size }),
        ...(ttl !== undefined && { ttl }),
        ...(source !== undefined && { source }),
        ...(dontFragment !== undefined && { dontFragment }),
      },
      (result) => {
        signal?.removeEventListener("abort", abort);
        if (result.errno !== 0) {
          const error = new SocketError(result.errno, "ping");
          error.address = (result.from ?? address).toString();
          reject(error);
          return;
        }
        resolve({
          address: (result.from ?? address).toString(),
          sequence: result.sequence,
          timeMs: result.rttUs / 1000,
          ttl: result.ttl,
          size: result.size,
        });
      },
    );
    signal?.addEventListener("abort", abort);
  });
}
