/** ICMP errors about packets that came in: whether one may be sent, and the message (RFC 1122 §3.2.2, RFC 4443 §2.4). */
import { IpAddress, isMulticastWords, isUnspecifiedWords, MAPPED } from "../base/address.ts";
import { type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "../base/path.ts";
import { addSums, checksumOf, foldSum } from "../wire/checksum.ts";
import {
  ICMP_HEADER,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  icmpIsError,
} from "../wire/icmpv4.ts";
import {
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_REDIRECT,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";
import { ipv4HeaderLength } from "../wire/ipv4.ts";
import { Ipv6Walk, walkIpv6Extensions } from "../wire/ipv6-extensions.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import type { IpPath } from "./path.ts";
import { lookupPath } from "./path-lookup.ts";

/** RFC 1812 §4.3.2.3: as much as fits into 576 bytes. RFC 4443 §2.4 (c): into 1280. */
const IPV4_QUOTE = 576 - 20 - ICMP_HEADER;
const IPV6_QUOTE = 1280 - 40 - 8;
/** Internetwork control (RFC 1812 §4.3.2.5). */
const ERROR_TOS = 0xc0;

const quoteWalk = new Ipv6Walk();

/**
 * Queues an ICMPv4 error about the packet at `at` (`length` bytes from its IP
 * header), unless the rules forbid it. `rest` is bytes 4 to 7 of the message.
 */
export function icmpv4Error(
  ip: IpContext,
  iface: IpInterface,
  at: number,
  length: number,
  isGroup: boolean,
  type: number,
  code: number,
  rest: number,
): void {
  const { view, counters } = ip;
  const source = view.getInt32(at + 12);
  const destination = view.getInt32(at + 16);
  // RFC 1122 §3.2.2: never about a broadcast, a multicast, a later fragment, or from nowhere.
  if (isGroup || destination >>> 28 >= 0xe || iface.isSubnetBroadcast(destination)) return;
  if ((view.getUint16(at + 6) & 0x1fff) !== 0) return;
  if (source === 0 || source >>> 28 >= 0xe || iface.isSubnetBroadcast(source)) return;
  if (source >>> 24 === 127 && !iface.isLoopback) return;
  // Nor about an ICMP error, nor about what might be one.
  const header = ipv4HeaderLength(view, at);
  if (view.getUint8(at + 9) === PROTOCOL_ICMP) {
    if (length <= header || icmpIsError(view.getUint8(at + header))) return;
  }
  const quote = Math.min(length, IPV4_QUOTE);
  const local = errorSource(ip, iface, 0, 0, MAPPED, destination);
  const remote = new IpAddress(0, 0, MAPPED, source);
  if (!queueError(ip, local, remote, at, quote, type, code, rest, false)) return;
  counters.icmpOutErrors++;
  if (type === ICMP_UNREACHABLE) counters.icmpOutDestUnreachs++;
  else if (type === ICMP_TIME_EXCEEDED) counters.icmpOutTimeExcds++;
  else if (type === ICMP_PARAMETER_PROBLEM) counters.icmpOutParmProbs++;
}

/** The same for ICMPv6; `evenIfMulticast` for Packet Too Big and unknown options (RFC 4443 §2.4 (e.3)). */
export function icmpv6Error(
  ip: IpContext,
  iface: IpInterface,
  at: number,
  length: number,
  isGroup: boolean,
  type: number,
  code: number,
  rest: number,
  evenIfMulticast = false,
): void {
  const { view, counters } = ip;
  const s0 = view.getInt32(at + 8);
  const s1 = view.getInt32(at + 12);
  const s2 = view.getInt32(at + 16);
  const s3 = view.getInt32(at + 20);
  const isMulticast = view.getUint8(at + 24) === 0xff;
  if ((isGroup || isMulticast) && !evenIfMulticast) return;
  if (isUnspecifiedWords(s0, s1, s2, s3) || isMulticastWords(s0, s1, s2, s3)) return;
  // (e.1), (e.2): never about an error or a redirect. A later fragment does not say; it is no error's bearer.
  walkIpv6Extensions(view, at, length, quoteWalk);
  if (quoteWalk.protocol === PROTOCOL_ICMPV6 && quoteWalk.fragmentOffset === 0) {
    if (quoteWalk.length < 1) return;
    const quoted = view.getUint8(quoteWalk.offset);
    if (quoted < 128 || quoted === ICMPV6_REDIRECT) return;
  }
  const zone = iface.isLoopback ? 0 : iface.index;
  const isLinkLocal = s0 >>> 22 === 0xfe80 >>> 6;
  const remote = new IpAddress(s0, s1, s2, s3, isLinkLocal ? zone : 0);
  const local = errorSource(
    ip,
    iface,
    view.getInt32(at + 24),
    view.getInt32(at + 28),
    view.getInt32(at + 32),
    view.getInt32(at + 36),
  );
  const quote = Math.min(length, IPV6_QUOTE);
  if (!queueError(ip, local, remote, at, quote, type, code, rest, true)) return;
  counters.icmpOutErrors++;
  if (type === ICMPV6_UNREACHABLE) counters.icmpOutDestUnreachs++;
  else if (type === ICMPV6_TIME_EXCEEDED) counters.icmpOutTimeExcds++;
  else if (type === ICMPV6_PARAMETER_PROBLEM) counters.icmpOutParmProbs++;
  else if (type === ICMPV6_PACKET_TOO_BIG) counters.icmpOutPktTooBigs++;
}

/** The packet's destination when that is ours, else an address chosen for the way back (RFC 1122 §3.2.2, RFC 4443 §2.2). */
function errorSource(
  ip: IpContext,
  iface: IpInterface,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): IpAddress {
  const isIpv4 = w2 === MAPPED && w0 === 0 && w1 === 0;
  const own = ip.addresses.findUsable(w0, w1, w2, w3);
  if (own !== undefined) return own.address;
  if (isIpv4) return iface.primaryAddress(true) ?? new IpAddress(0, 0, MAPPED, 0);
  return new IpAddress(0, 0, 0, 0);
}

function queueError(
  ip: IpContext,
  local: IpAddress,
  remote: IpAddress,
  at: number,
  quote: number,
  type: number,
  code: number,
  rest: number,
  isIpv6: boolean,
): boolean {
  const { memory, view, counters } = ip;
  if (!ip.errorBucket.take(ip.nowUs)) {
    counters.icmpOutRateLimited++;
    return false;
  }
  const path = lookupPath(ip, local, remote, 0);
  if (path === undefined) return false;
  const frame = memory.alloc(ICMP_HEADER + quote);
  if (frame === NO_FRAME) {
    counters.memoryFailures++;
    return false;
  }
  const to = memory.start(frame);
  memory.setRange(frame, to, ICMP_HEADER + quote);
  memory.kernel.copy(to + ICMP_HEADER, at, quote);
  view.setInt32(to, (type << 24) | (code << 16));
  view.setInt32(to + 4, rest);
  finishIcmp(ip, path, frame);
  counters.icmpOutMsgs++;
  ip.replies.push(path, frame, isIpv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP, ERROR_TOS, 0);
  ip.onWork();
  return true;
}

/** Fills in the checksum of an ICMP message that makes up the whole frame; the field holds 0. */
export function finishIcmp(ip: IpContext, path: IpPath, frame: Frame): void {
  const { memory, view } = ip;
  const at = memory.start(frame);
  const length = memory.length(frame);
  let sum = memory.kernel.sum(at, length);
  if (!path.isIpv4) {
    sum = addSums(sum, addSums(path.pseudoSum, foldSum(PROTOCOL_ICMPV6 + length)));
  }
  view.setInt16(at + 2, checksumOf(sum));
}
