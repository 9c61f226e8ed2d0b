import { type IpAddress, tryParseAddress } from "../../base/address.ts";
import type { SocketAddress } from "../../sockets/socket-address.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";

/** What Node's getsockname and getpeername fill. */
export interface NameResult {
  address?: string;
  family?: string;
  port?: number;
}

/** An address from text, with `%eth0` or `%2` for the interface of a link-local one. */
export function addressFrom(host: SocketHost, text: string): IpAddress | undefined {
  const percent = text.indexOf("%");
  if (percent < 0) return tryParseAddress(text);
  const address = tryParseAddress(text.slice(0, percent));
  const zone = text.slice(percent + 1);
  const iface = host.interface(zone) ?? host.interface(Number(zone));
  // libuv does not know the scope either when there is no such interface.
  return iface === undefined || address === undefined ? address : address.withScope(iface.index);
}

/** As Node writes it: IPv4 in an IPv6 socket is mapped, a scope is the interface's name. */
export function addressText(host: SocketHost, address: IpAddress, isIpv6: boolean): string {
  if (address.isIpv4) return isIpv6 ? `::ffff:${address.toString()}` : address.toString();
  if (address.scope === 0) return address.toString();
  const name = host.interface(address.scope)?.name ?? String(address.scope);
  return `${address.withScope(0).toString()}%${name}`;
}

export function fillName(
  host: SocketHost,
  out: NameResult,
  name: SocketAddress,
  isIpv6: boolean,
): void {
  out.address = addressText(host, name.address, isIpv6);
  out.family = isIpv6 ? "IPv6" : "IPv4";
  out.port = name.port;
}
