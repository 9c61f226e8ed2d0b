import { IpAddress, MAPPED, parseAddress } from "../base/address.ts";
import { ENETUNREACH, ENODEV, SocketError } from "../base/errors.ts";
import { IpPrefix, parsePrefix } from "../base/prefix.ts";
import type { Ip } from "../ip/ip.ts";
import type { IpInterface } from "../ip/ip-interface.ts";
import type { Route } from "../ip/routes.ts";

export interface RouteSpec {
  /** "10.1.0.0/16", "2001:db8::/32", or "default" (of the gateway's family; IPv4 without one). */
  readonly destination: string | IpPrefix;
  /** Next hop; absent when the destination is on the link. */
  readonly gateway?: string | IpAddress;
  /** Name or number; without it the one whose subnet the gateway is in. */
  readonly interface?: string | number;
  /** Of routes of equal length the lowest wins. Default 0. */
  readonly metric?: number;
  /** Source address that packets on this route prefer. */
  readonly source?: string | IpAddress;
}

/** A line of the routing table, for reading. */
export interface RouteInfo {
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly interface: string;
  readonly metric: number;
  readonly origin: string;
}

/** The routes of a host, changed at run time. */
export class Routes {
  private readonly ip: Ip;

  constructor(ip: Ip) {
    this.ip = ip;
  }

  /** Adds a route. Throws a SocketError: ENODEV for an unknown interface, ENETUNREACH for a gateway on no subnet. */
  add(spec: RouteSpec): Route<IpInterface> {
    const gateway = typeof spec.gateway === "string" ? parseAddress(spec.gateway) : spec.gateway;
    const prefix = readDestination(spec.destination, gateway);
    const iface = this.interfaceFor(spec.interface, gateway);
    const source = typeof spec.source === "string" ? parseAddress(spec.source) : spec.source;
    const network = new IpPrefix(prefix.network, prefix.length);
    return this.ip.context.routes.add(network, gateway, iface, {
      metric: spec.metric ?? 0,
      ...(source === undefined ? {} : { source }),
    });
  }

  /** Removes a route, or all that fit what the spec names. Answers how many. */
  remove(route: Route<IpInterface> | RouteSpec): number {
    const { routes } = this.ip.context;
    if ("prefix" in route) return routes.remove(route) ? 1 : 0;
    const gateway = typeof route.gateway === "string" ? parseAddress(route.gateway) : route.gateway;
    const prefix = readDestination(route.destination, gateway);
    return routes.removeWhere(
      (known) =>
        known.prefix.length === prefix.length &&
        known.prefix.address.equals(prefix.network) &&
        (gateway === undefined || known.gateway?.equals(gateway) === true) &&
        (route.interface === undefined ||
          known.iface.name === route.interface ||
          known.iface.index === route.interface) &&
        (route.metric === undefined || known.metric === route.metric),
    );
  }

  list(): RouteInfo[] {
    return [...this.ip.context.routes].map((route) => ({
      destination: route.prefix.toString(),
      gateway: route.gateway?.toString(),
      interface: route.iface.name,
      metric: route.metric,
      origin: route.origin,
    }));
  }

  private interfaceFor(
    wanted: string | number | undefined,
    gateway: IpAddress | undefined,
  ): IpInterface {
    const { interfaces, routes } = this.ip.context;
    if (wanted !== undefined) {
      const found = interfaces.find(
        (i) => i !== undefined && (i.index === wanted || i.name === wanted),
      );
      if (found === undefined) {
        throw new SocketError(
          ENODEV,
          "route",
          `there is no interface ${wanted}; see host.interfaces`,
        );
      }
      return found;
    }
    if (gateway === undefined) {
      throw new SocketError(ENODEV, "route", "a route without gateway needs an interface");
    }
    const scoped = gateway.scope === 0 ? undefined : interfaces[gateway.scope];
    if (scoped !== undefined) return scoped;
    const way = routes.find(gateway.w0, gateway.w1, gateway.w2, gateway.w3);
    if (way === undefined || way.gateway !== undefined) {
      throw new SocketError(
        ENETUNREACH,
        "route",
        `the gateway ${gateway} is on no subnet of this host; add an address of its subnet first or name the interface`,
      );
    }
    return way.iface;
  }
}

function readDestination(destination: string | IpPrefix, gateway: IpAddress | undefined): IpPrefix {
  if (typeof destination !== "string") return destination;
  if (destination !== "default") return parsePrefix(destination);
  const isIpv4 = gateway?.isIpv4 ?? true;
  return new IpPrefix(new IpAddress(0, 0, isIpv4 ? MAPPED : 0, 0), 0);
}
