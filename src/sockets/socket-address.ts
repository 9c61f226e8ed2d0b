import { IPV4_ANY, type IpAddress, parseAddress } from "../base/address.ts";
import { AF_INET, AF_INET6, AF_UNSPEC } from "./constants.ts";

/**
 * What the calls take and give for a sockaddr. An IPv4 address with family
 * AF_INET6 is the IPv4-mapped one (RFC 3493 §3.7). The scope of a link-local
 * address is part of `address`.
 */
export interface SocketAddress {
  readonly family: number;
  readonly address: IpAddress;
  readonly port: number;
}

/** An address from text: `socketAddress("10.0.0.1", 80)`. The family follows the text unless given. Throws for text that is no address. */
export function socketAddress(text: string, port: number, family?: number): SocketAddress {
  const address = parseAddress(text);
  return { family: family ?? (address.isIpv4 ? AF_INET : AF_INET6), address, port };
}

/** What dissolves the association of a datagram socket in connect(). */
export const UNSPECIFIED_ADDRESS: SocketAddress = { family: AF_UNSPEC, address: IPV4_ANY, port: 0 };

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65535;
}
