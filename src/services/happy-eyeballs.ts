/** In what order several addresses of one name are tried (RFC 8305 §4). */
import type { IpAddress } from "../base/address.ts";

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
