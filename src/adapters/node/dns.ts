import nodeDns from "node:dns";
import nodePromises from "node:dns/promises";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { parseAddress } from "../../base/address.ts";
import { Resolver as StackResolver } from "../../services/resolver.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { Channel } from "./dns-channel.ts";
import { addressesOf, failure, familyOf, hostLookup, optionsOf } from "./dns-lookup.ts";

type Dns = typeof nodeDns;

// Node's own, also when the modules' functions have been replaced since.
const BuiltinResolver = nodeDns.Resolver;
const BuiltinPromiseResolver = nodePromises.Resolver;
const builtinLookupService = nodeDns.lookupService as (...args: unknown[]) => void;
const builtinPromisedLookup = nodePromises.lookup;
/** What of Node's `dns` is replaced; everything else stays as it is. */
export type HostDns = Pick<Dns, "lookup" | "lookupService" | "Resolver" | "promises"> &
  Record<string, unknown>;

const QUERIES = [
  "getServers",
  "resolve",
  "resolve4",
  "resolve6",
  "resolveAny",
  "resolveCaa",
  "resolveCname",
  "resolveMx",
  "resolveNaptr",
  "resolveNs",
  "resolvePtr",
  "resolveSoa",
  "resolveSrv",
  "resolveTlsa",
  "resolveTxt",
  "reverse",
] as const;

interface WithHandle {
  _handle: unknown;
}

type Made = Record<string, (...args: unknown[]) => unknown>;

/** Node's `dns` with its questions asked over a host; `node:dns/promises` is `promises` of it. */
export function hostDns(host: SocketHost): HostDns {
  const withChannel = <Class extends new (...args: never[]) => object>(Base: Class): Class => {
    const Derived = class Resolver extends (Base as unknown as new (...args: unknown[]) => object) {
      constructor(options?: { timeout?: number; tries?: number }) {
        super(options);
        const channel = new Channel(host, options?.timeout, options?.tries);
        (this as unknown as WithHandle)._handle = channel;
      }
    };
    return Derived as unknown as Class;
  };
  const Resolver = withChannel(BuiltinResolver);
  const PromiseResolver = withChannel(BuiltinPromiseResolver);
  const lookup = hostLookup(host);
  const dns: Record<string, unknown> = {};
  const promises: Record<string, unknown> = {};

  /** The module's functions ask with a resolver of their own, which setServers() replaces. */
  const bind = (servers?: readonly string[]) => {
    const callbacks = new Resolver() as unknown as Made;
    const promised = new PromiseResolver() as unknown as Made;
    if (servers !== undefined) {
      callbacks.setServers!(servers);
      promised.setServers!(servers);
    }
    for (const name of QUERIES) {
      if (typeof callbacks[name] === "function") dns[name] = callbacks[name].bind(callbacks);
      if (typeof promised[name] === "function") promises[name] = promised[name].bind(promised);
    }
  };
  bind();
  const rest = {
    lookup,
    lookupService: lookupService(host),
    setServers: bind,
  };
  promisifiable(lookup, ["address", "family"]);
  promisifiable(rest.lookupService, ["hostname", "service"]);
  Object.assign(promises, {
    Resolver: PromiseResolver,
    setServers: bind,
    lookup: promisedLookup(host),
    lookupService: promisify(rest.lookupService),
  });
  return Object.assign(dns, rest, { Resolver, promises }) as unknown as HostDns;
}

/** `util.promisify(dns.lookup)` gives an object of what the callback takes one by one. */
function promisifiable(callback: object, names: readonly string[]): void {
  const promised = (...args: unknown[]) =>
    new Promise((resolve, reject) => {
      (callback as (...args: unknown[]) => void)(
        ...args,
        (error: Error | null, ...values: unknown[]) => {
          if (error) reject(error);
          else if (values.length < 2 || Array.isArray(values[0])) resolve(values[0]);
          else resolve(Object.fromEntries(names.map((name, i) => [name, values[i]])));
        },
      );
    });
  Object.defineProperty(callback, promisify.custom, { value: promised, configurable: true });
}

function promisedLookup(host: SocketHost): typeof nodePromises.lookup {
  const lookup = hostLookup(host) as unknown as (...args: unknown[]) => void;
  return (async (hostname: string, given?: unknown) => {
    if (typeof hostname !== "string" || hostname === "" || isIP(hostname)) {
      return builtinPromisedLookup(hostname, given as never);
    }
    // What is wrong with the options throws as Node's does.
    await builtinPromisedLookup("127.0.0.1", given as never);
    const options = optionsOf(given);
    if (!options.all) {
      const [first] = await addressesOf(host, hostname, familyOf(options)).catch(
        (error: unknown) => {
          throw failure(error, hostname);
        },
      );
      return first;
    }
    return new Promise((resolve, reject) => {
      lookup(hostname, options, (error: Error | null, found: unknown) => {
        if (error) reject(error);
        else resolve(found);
      });
    });
  }) as unknown as typeof nodePromises.lookup;
}

/** Names of services that programs meet; others are told by their number. */
const SERVICES: Readonly<Record<number, string>> = {
  20: "ftp-data",
  21: "ftp",
  22: "ssh",
  23: "telnet",
  25: "smtp",
  53: "domain",
  80: "http",
  110: "pop3",
  123: "ntp",
  143: "imap2",
  443: "https",
  993: "imaps",
  995: "pop3s",
};

function lookupService(host: SocketHost): Dns["lookupService"] {
  const service = (...args: unknown[]) => {
    const [address, port, callback] = args as [string, number, (...args: unknown[]) => void];
    const number = Number(port);
    const isRight =
      args.length === 3 &&
      isIP(address) !== 0 &&
      typeof callback === "function" &&
      Number.isInteger(number) &&
      number >= 0 &&
      number <= 65535;
    if (!isRight) return builtinLookupService(...args);
    const parsed = parseAddress(address);
    const names = parsed.isLoopback
      ? Promise.resolve(["localhost"])
      : host.resolver instanceof StackResolver
        ? host.resolver.reverse(parsed).catch(() => [address])
        : Promise.resolve([address]);
    void names.then(([name]) => {
      setImmediate(callback, null, name ?? address, SERVICES[number] ?? String(number));
    });
    return {};
  };
  return service as unknown as Dns["lookupService"];
}
