/** A host as the way out to the real network, through the operating system's own sockets. */
import { type IpAddress, parseAddress } from "../../base/address.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { GATEWAY_LIMITS, type GatewayLimits, isOrdinary, type Permission } from "./limits.ts";
import { serveNames } from "./name-server.ts";
import { TcpNat, type TcpReport } from "./tcp-nat.ts";
import { UdpNat } from "./udp-nat.ts";

export interface GatewayOptions {
  readonly tcp?: boolean;
  readonly udp?: boolean;
  /** Answer names at the host's port 53 with the operating system's resolver. Default true. */
  readonly dns?: boolean;
  /** An address of the virtual network that stands for this machine's own loopback, 127.0.0.1. Default: none does. */
  readonly machine?: string;
  readonly limits?: Partial<GatewayLimits>;
  /** What may be reached. Default: all but this machine's loopback, link-local addresses and groups. */
  readonly permit?: Permission;
  readonly onConnection?: (report: TcpReport) => void;
}

export interface Gateway {
  readonly connections: number;
  readonly udpFlows: number;
  /** Ends: open connections have `timeoutMs` (default 5000), then they are reset. */
  close(timeoutMs?: number): Promise<void>;
}

/**
 * Makes a host the gateway to the real network: TCP and UDP that come to it
 * for other destinations go on through sockets of the operating system, as
 * this process may open them; no root is needed (user-mode NAT). The host's
 * interface must have been added with `acceptAnyDestination: true`, and the
 * other hosts name its address as their gateway. ICMP does not go out.
 */
export async function openGateway(
  host: SocketHost,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const limits: GatewayLimits = { ...GATEWAY_LIMITS, ...options.limits };
  const { permit } = options;
  const machine = options.machine === undefined ? undefined : parseAddress(options.machine);
  /** Where a destination is in the real network; undefined: it may not be reached. */
  const outside = (address: IpAddress, port: number, protocol: "tcp" | "udp") => {
    const isMachine = machine?.equals(address) === true;
    if (host.isLocalAddress(address) && !isMachine) return undefined;
    const text = isMachine ? "127.0.0.1" : address.withScope(0).toString();
    const may = permit?.(text, port, protocol) ?? (isMachine || isOrdinary(address));
    return may ? text : undefined;
  };
  const tcp =
    options.tcp === false
      ? undefined
      : new TcpNat(host, {
          limits,
          outside: (address, port) => outside(address, port, "tcp"),
          onConnection: options.onConnection,
        });
  const udp =
    options.udp === false
      ? undefined
      : new UdpNat(host, { limits, outside: (address, port) => outside(address, port, "udp") });
  const names = options.dns === false ? undefined : await serveNames(host, limits.lookups);
  return {
    get connections() {
      return tcp?.connections ?? 0;
    },
    get udpFlows() {
      return udp?.flowCount ?? 0;
    },
    async close(timeoutMs = 5000) {
      names?.close();
      udp?.close();
      await tcp?.close(timeoutMs);
    },
  };
}
