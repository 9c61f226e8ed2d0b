import type { Path } from "../base/path.ts";
import { TCP_HEADER } from "../wire/tcp.ts";
import type { TcpConnection } from "./connection.ts";
import { fixedOptionBytes } from "./emit.ts";
import type { TcpEnvironment } from "./environment.ts";

/** The MSS option that we send: what fits the interface, options not subtracted (RFC 9293 §3.7.1, RFC 6691). */
export function announcedMss(env: TcpEnvironment, c: TcpConnection): number {
  const path = c.path!;
  // After a SYN whose data was too large for the path, its MTU is what goes both ways, likely.
  const mtu = c.synDataSent ? path.mtu : path.interfaceMtu;
  return limitMss(env, c, mtu - path.headerLength - TCP_HEADER);
}

function limitMss(env: TcpEnvironment, c: TcpConnection, mss: number): number {
  const limit = c.options.maxSegment || env.settings.maxSegment;
  if (limit > 0 && limit < mss) mss = limit;
  return Math.min(mss, 0xffff);
}

/** MSS of a peer that names none (MUST-15). */
export function defaultMss(env: TcpEnvironment, path: Path): number {
  return path.isIpv4 ? env.settings.defaultMss : env.settings.defaultMssIpv6;
}

/**
 * Sets the payload of a full segment: the smaller of what the peer takes and
 * what the path carries, less the options in every segment (RFC 9293 §3.7.1,
 * MUST-16; RFC 6691).
 */
export function updateSendMss(env: TcpEnvironment, c: TcpConnection): void {
  const path = c.path!;
  const known = c.mtuSearch === undefined ? path.mtu : Math.min(path.mtu, c.mtuSearch.low);
  const fromPath = known - path.headerLength - TCP_HEADER;
  const mss = limitMss(env, c, Math.min(c.peerMss, fromPath)) - fixedOptionBytes(c);
  c.sndMss = Math.max(mss, 1);
}
