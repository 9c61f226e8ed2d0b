import type { IpAddress } from "../base/address.ts";
import type { AbortSignalLike } from "./waiting.ts";

/** What a host asks to turn a name into addresses; services/ has one over DNS. */
export interface Resolver {
  /** Addresses of the name, best first (RFC 6724, RFC 8305 §4). Rejects when there are none. */
  lookup(
    name: string,
    options: { family?: 4 | 6; signal?: AbortSignalLike; timeout?: number },
  ): Promise<readonly IpAddress[]>;
}
