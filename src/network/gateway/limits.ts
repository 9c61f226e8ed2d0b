import type { IpAddress } from "../../base/address.ts";

export interface GatewayLimits {
  /** Connections at once, those that are being opened among them. Default 1024; more are refused. */
  readonly connections: number;
  /** Flows of UDP at once. Default 1024; the oldest makes room. */
  readonly udpFlows: number;
  /** A flow of UDP that is silent so long is forgotten, ms. Default 120,000 (RFC 4787 §4.3). */
  readonly udpIdleMs: number;
  /** How long the real network may take to accept a connection, ms. Default 30,000. */
  readonly connectMs: number;
  /** Name lookups at once. Default 256; more are not answered. */
  readonly lookups: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  connections: 1024,
  udpFlows: 1024,
  udpIdleMs: 120_000,
  connectMs: 30_000,
  lookups: 256,
};

export type Protocol = "tcp" | "udp";

/** Whether a destination in the real network may be reached. */
export type Permission = (address: string, port: number, protocol: Protocol) => boolean;

/**
 * What is not reached unless it is permitted: the machine itself by its
 * loopback addresses, link-local addresses (cloud metadata is there), groups.
 */
export function isOrdinary(address: IpAddress): boolean {
  return !(
    address.isLoopback ||
    address.isUnspecified ||
    address.isMulticast ||
    address.isBroadcast ||
    address.isLinkLocal ||
    (address.isIpv4 && address.w3 >>> 16 === 0xa9fe) ||
    (address.isIpv4 && address.w3 >>> 24 === 0)
  );
}
