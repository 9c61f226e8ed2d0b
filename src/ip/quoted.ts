/** Errors about packets that this host sent: from the quoted packet to the transport it belongs to (RFC 1122 §3.2.2). */
import { MAPPED } from "../base/address.ts";
import { IPV4_MIN_MTU } from "../wire/ipv4.ts";
import {
  Ipv6Walk,
  WALK_FRAGMENT,
  WALK_UPPER,
  walkIpv6Extensions,
} from "../wire/ipv6-extensions.ts";
import type { IpContext } from "./context.ts";
import { icmpErrno } from "./icmp-errno.ts";

const walk = new Ipv6Walk();

/** Bytes of the transport header that an error must quote (RFC 792). */
const QUOTED_MIN = 8;

/**
 * Fills `ip.icmpError` from the packet quoted at `at`, of which `length` bytes
 * are there, and hands it to its transport. `rest` is bytes 4 to 7 of the
 * message. The reporter's words are in `ip.icmpError` already. False: the
 * quoted packet is none of ours or tells too little.
 */
export function reportQuoted(
  ip: IpContext,
  isIpv4: boolean,
  at: number,
  length: number,
  type: number,
  code: number,
  rest: number,
  interfaceIndex: number,
): boolean {
  const errno = icmpErrno(isIpv4, type, code);
  if (errno === 0) return false;
  const error = ip.icmpError;
  error.isIpv4 = isIpv4;
  error.type = type;
  error.code = code;
  error.errno = Math.abs(errno);
  error.hard = errno < 0;
  error.mtu = 0;
  error.interfaceIndex = interfaceIndex;
  const protocol = isIpv4 ? readIpv4(ip, at, length) : readIpv6(ip, at, length);
  if (protocol < 0 || error.length < QUOTED_MIN) return false;
  const { local0, local1, local2, local3 } = error;
  const own = ip.addresses.findUsable(local0, local1, local2, local3);
  if (own === undefined && !ip.settings.acceptAnyDestination && !isLoopbackLocal(ip)) return false;
  if (isIpv4 && type === 3 && code === 4) error.mtu = ipv4Mtu(ip, at, rest & 0xffff);
  else if (!isIpv4 && type === 2) error.mtu = rest >>> 0 > 65_575 ? 65_575 : rest >>> 0;
  const transport = ip.transports[protocol];
  if (transport === undefined) return false;
  transport.icmpError(error, ip.nowUs);
  return true;
}

function isLoopbackLocal(ip: IpContext): boolean {
  const { local0, local1, local2, local3 } = ip.icmpError;
  if (local0 !== 0 || local1 !== 0) return false;
  return local2 === MAPPED ? local3 >>> 24 === 127 : local2 === 0 && local3 === 1;
}

/** Protocol of the quoted packet, -1 when it is not readable. */
function readIpv4(ip: IpContext, at: number, length: number): number {
  const { view, icmpError: error } = ip;
  if (length < 20 || view.getUint8(at) >>> 4 !== 4) return -1;
  const header = (view.getUint8(at) & 15) << 2;
  if (header < 20 || length < header) return -1;
  if ((view.getUint16(at + 6) & 0x1fff) !== 0) return -1; // a later piece has no transport header
  error.local0 = error.local1 = error.remote0 = error.remote1 = 0;
  error.local2 = error.remote2 = MAPPED;
  error.local3 = view.getInt32(at + 12);
  error.remote3 = view.getInt32(at + 16);
  error.offset = at + header;
  error.length = length - header;
  return view.getUint8(at + 9);
}

function readIpv6(ip: IpContext, at: number, length: number): number {
  const { view, icmpError: error } = ip;
  if (length < 40 || view.getUint8(at) >>> 4 !== 6) return -1;
  const status = walkIpv6Extensions(view, at, length, walk);
  if (status !== WALK_UPPER && (status !== WALK_FRAGMENT || walk.fragmentOffset !== 0)) return -1;
  error.local0 = view.getInt32(at + 8);
  error.local1 = view.getInt32(at + 12);
  error.local2 = view.getInt32(at + 16);
  error.local3 = view.getInt32(at + 20);
  error.remote0 = view.getInt32(at + 24);
  error.remote1 = view.getInt32(at + 28);
  error.remote2 = view.getInt32(at + 32);
  error.remote3 = view.getInt32(at + 36);
  if (error.local0 === 0 && error.local1 === 0 && error.local2 === MAPPED) return -1;
  error.offset = walk.offset;
  error.length = walk.length;
  return walk.protocol;
}

/** RFC 1191 §7.1: sizes worth trying when an old router names none. */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, IPV4_MIN_MTU];

function ipv4Mtu(ip: IpContext, at: number, named: number): number {
  if (named !== 0) return named;
  const total = ip.view.getUint16(at + 2);
  return PLATEAUS.find((plateau) => plateau < total) ?? IPV4_MIN_MTU;
}
