import type { NetworkInterfaceInfo } from "node:os";
import type { SocketHost } from "../../sockets/socket-host.ts";

/** `os.networkInterfaces()` of a host. */
export function networkInterfaces(host: SocketHost): Record<string, NetworkInterfaceInfo[]> {
  const all: Record<string, NetworkInterfaceInfo[]> = {};
  for (const iface of host.interfaces) {
    if (!iface.isUp) continue;
    const mac = iface.mac?.toString() ?? "00:00:00:00:00:00";
    const list = iface.addresses.map(({ address, prefixLength }) => {
      const text = address.withScope(0).toString();
      const common = {
        address: text,
        netmask: netmask(prefixLength, address.isIpv4),
        mac,
        internal: address.isLoopback,
        cidr: `${text}/${prefixLength}`,
      };
      return address.isIpv4
        ? { ...common, family: "IPv4" as const }
        : { ...common, family: "IPv6" as const, scopeid: address.isLinkLocal ? iface.index : 0 };
    });
    if (list.length > 0) all[iface.name] = list;
  }
  return all;
}

function netmask(length: number, isIpv4: boolean): string {
  if (isIpv4) {
    const word = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
    return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) => {
    const bits = Math.min(16, Math.max(0, length - i * 16));
    return ((0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  const text = groups.join(":").replace(/(:0)+$/, "::");
  return length === 0 ? "::" : text;
}
