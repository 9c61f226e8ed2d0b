import nodeDns from "node:dns";
import { hostname as systemName } from "node:os";
import { isIP } from "node:net";
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from "../../base/address.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { codeOf, lookupError } from "./dns-errors.ts";
import { addressText } from "./names.ts";

export interface Found {
  address: string;
  family: 4 | 6;
}

interface LookupOptions {
  family?: number | "IPv4" | "IPv6";
  hints?: number;
  all?: boolean;
  verbatim?: boolean;
  order?: string;
}

export type LookupCallback = (
  error: Error | null,
  address?: string | Found[] | null,
  family?: number,
) => void;

type Lookup = (hostname: string, options: unknown, callback?: unknown) => unknown;

const builtin = nodeDns.lookup as unknown as Lookup;

/** `dns.lookup` with the host's resolver in place of the system's. */
export function hostLookup(host: SocketHost): typeof nodeDns.lookup {
  const lookup = (hostname: string, given: unknown, last?: unknown): unknown => {
    // Node's own answers for literals and throws for what is wrong with the arguments.
    const isName = typeof hostname === "string" && hostname !== "" && isIP(hostname) === 0;
    if (!isName)
      return last === undefined ? builtin(hostname, given) : builtin(hostname, given, last);
    const callback = (typeof given === "function" ? given : last) as LookupCallback;
    builtin("127.0.0.1", typeof given === "function" ? undefined : given, probe(callback));
    const options = optionsOf(given);
    addressesOf(host, hostname, familyOf(options))
      .then(
        (found) => {
          const sorted = inOrder(found, orderOf(options));
          if (options.all) callback(null, sorted);
          else callback(null, sorted[0]!.address, sorted[0]!.family);
        },
        (error: unknown) => callback(failure(error, hostname)),
      )
      .catch(rethrow);
    return {};
  };
  return lookup as unknown as typeof nodeDns.lookup;
}

/** What the callback throws is the program's, not a rejected promise. */
export function rethrow(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** For Node's checks: as much of a function as the callback is. */
function probe(callback: unknown): unknown {
  return typeof callback === "function" ? () => {} : callback;
}

export function optionsOf(given: unknown): LookupOptions {
  if (typeof given === "number") return { family: given };
  return given !== null && typeof given === "object" ? (given as LookupOptions) : {};
}

export function familyOf({ family }: LookupOptions): 0 | 4 | 6 {
  if (family === "IPv4" || family === 4) return 4;
  return family === "IPv6" || family === 6 ? 6 : 0;
}

function orderOf(options: LookupOptions): string {
  if (options.order != null) return options.order;
  if (options.verbatim != null) return options.verbatim ? "verbatim" : "ipv4first";
  return nodeDns.getDefaultResultOrder();
}

function inOrder(found: Found[], order: string): Found[] {
  if (order === "verbatim") return found;
  const first = order === "ipv4first" ? 4 : 6;
  return [
    ...found.filter((entry) => entry.family === first),
    ...found.filter((entry) => entry.family !== first),
  ];
}

/** The addresses of a name, best first. "localhost" is this host (RFC 6761 §6.3). */
export async function addressesOf(
  host: SocketHost,
  hostname: string,
  family: 0 | 4 | 6,
): Promise<Found[]> {
  const own = ownAddresses(host, hostname);
  const addresses = own ?? (await host.resolve(hostname, family === 0 ? {} : { family }));
  const wanted = addresses.filter((address) => family === 0 || address.isIpv4 === (family === 4));
  if (wanted.length === 0) throw lookupError("ENOTFOUND", "getaddrinfo", hostname);
  return wanted.map((address) => ({
    address: addressText(host, address, false),
    family: address.isIpv4 ? 4 : 6,
  }));
}

function ownAddresses(host: SocketHost, hostname: string): IpAddress[] | undefined {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) {
    return host.hasIpv6 ? [IPV4_LOOPBACK, IPV6_LOOPBACK] : [IPV4_LOOPBACK];
  }
  if (name === "ip6-localhost" || name === "ip6-loopback") return [IPV6_LOOPBACK];
  if (name !== host.name.toLowerCase() && name !== systemName().toLowerCase()) return undefined;
  const own = host.interfaces
    .flatMap((iface) => iface.addresses)
    .map((entry) => entry.address)
    .filter((address) => !address.isLoopback && !address.isLinkLocal);
  return own.length > 0 ? own : [IPV4_LOOPBACK];
}

export function failure(error: unknown, hostname: string): Error {
  const code = codeOf(error);
  const known = code === "ETIMEOUT" || code === "ESERVFAIL" ? "EAI_AGAIN" : "ENOTFOUND";
  return lookupError(known, "getaddrinfo", hostname, error);
}
