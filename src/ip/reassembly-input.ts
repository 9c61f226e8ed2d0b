/** Pieces coming in: what a header says of its piece, and the whole packet once it is here. */
import { type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { ICMP_REASSEMBLY_EXCEEDED, ICMP_TIME_EXCEEDED } from "../wire/icmpv4.ts";
import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_REASSEMBLY_EXCEEDED,
  ICMPV6_TIME_EXCEEDED,
} from "../wire/icmpv6.ts";
import { ipv4TotalLength, refreshIpv4Checksum } from "../wire/ipv4.ts";
import { PROBLEM_FIELD } from "../wire/ipv6-extensions.ts";
import { ipv6PayloadLength } from "../wire/ipv6.ts";
import type { IpContext } from "./context.ts";
import { icmpv4Error, icmpv6Error } from "./icmp-output.ts";
import type { IpInterface } from "./ip-interface.ts";
import type { PartialPacket } from "./reassembly.ts";

/**
 * Takes the piece that `ip.packet` describes. The frame of the whole packet
 * when it is complete, described by `ip.packet` and the caller's to release;
 * else NO_FRAME.
 *
 * @param word1 second word of the header: identification, flags, offset.
 */
export function reassembleIpv4(ip: IpContext, iface: IpInterface, word1: number): Frame {
  const packet = ip.packet;
  const counters = ip.counters;
  counters.ipReasmReqds++;
  const offset = (word1 & 0x1fff) << 3;
  const more = (word1 & 0x2000) !== 0;
  const length = packet.length;
  if (length === 0 || (more && (length & 7) !== 0) || offset + length > 65_535 - 20) {
    counters.ipReasmFails++;
    return NO_FRAME;
  }
  const partial = ip.reassembly.open(
    true,
    0,
    0,
    0,
    packet.source3,
    0,
    0,
    0,
    packet.destination3,
    word1 >>> 16,
    packet.protocol,
    ip.nowUs,
  );
  const complete = ip.reassembly.add(partial, packet.frame, packet.offset, offset, length, more);
  note(ip, partial, iface, offset, packet.protocol, 0, packet.offset - packet.ipOffset);
  return complete ? join(ip, partial) : NO_FRAME;
}

/** The same for IPv6, with `ip.walk` standing at the fragment header. */
export function reassembleIpv6(ip: IpContext, iface: IpInterface): Frame {
  const { packet, walk, counters } = ip;
  counters.ipReasmReqds++;
  const at = packet.ipOffset;
  const offset = walk.fragmentOffset;
  const length = packet.length;
  const total = packet.offset - at + length;
  if (walk.moreFragments && (length & 7) !== 0) {
    counters.ipReasmFails++;
    // RFC 8200 §4.5: points to the payload length.
    icmpv6Error(
      ip,
      iface,
      at,
      total,
      packet.isMulticast,
      ICMPV6_PARAMETER_PROBLEM,
      PROBLEM_FIELD,
      4,
    );
    return NO_FRAME;
  }
  const unfragmentable = walk.fragmentAt - at;
  if (offset + length + unfragmentable - 40 > 65_535) {
    counters.ipReasmFails++;
    const pointer = walk.fragmentAt - at + 2;
    icmpv6Error(
      ip,
      iface,
      at,
      total,
      packet.isMulticast,
      ICMPV6_PARAMETER_PROBLEM,
      PROBLEM_FIELD,
      pointer,
    );
    return NO_FRAME;
  }
  if (length === 0) {
    counters.ipReasmFails++;
    return NO_FRAME;
  }
  const partial = ip.reassembly.open(
    false,
    packet.source0,
    packet.source1,
    packet.source2,
    packet.source3,
    packet.destination0,
    packet.destination1,
    packet.destination2,
    packet.destination3,
    walk.fragmentId,
    0,
    ip.nowUs,
  );
  const complete = ip.reassembly.add(
    partial,
    packet.frame,
    packet.offset,
    offset,
    length,
    walk.moreFragments,
  );
  note(ip, partial, iface, offset, packet.protocol, walk.nextHeaderPointer, unfragmentable);
  return complete ? join(ip, partial) : NO_FRAME;
}

function note(
  ip: IpContext,
  partial: PartialPacket,
  iface: IpInterface,
  offset: number,
  protocol: number,
  nextHeaderPointer: number,
  headerLength: number,
): void {
  partial.ecnSeen |= 1 << (ip.packet.tos & 3);
  partial.interfaceIndex = iface.index;
  if (offset !== 0 || partial.firstFrame !== ip.packet.frame) return;
  partial.headerAt = ip.packet.ipOffset;
  partial.headerLength = headerLength;
  partial.protocol = protocol;
  partial.nextHeaderPointer = nextHeaderPointer;
}

/** Puts the pieces behind the first one's header, in a frame of their own. */
function join(ip: IpContext, partial: PartialPacket): Frame {
  const { memory, view, counters, packet } = ip;
  const header = partial.headerLength;
  const total = partial.total;
  const hasCe = (partial.ecnSeen & 8) !== 0;
  const frame = memory.alloc(header + total);
  // RFC 3168 §5.3: marked and not ECN-capable pieces do not belong together.
  if (
    frame === NO_FRAME ||
    (hasCe && (partial.ecnSeen & 1) !== 0) ||
    (!partial.isIpv4 && header + total - 40 > 65_535)
  ) {
    if (frame === NO_FRAME) counters.memoryFailures++;
    else memory.release(frame);
    counters.ipReasmFails++;
    ip.reassembly.drop(partial);
    return NO_FRAME;
  }
  const at = memory.start(frame);
  memory.setRange(frame, at, header + total);
  memory.kernel.copy(at, partial.headerAt, header);
  for (let i = 0; i < partial.frames.length; i++) {
    memory.kernel.copy(at + header + partial.offsets[i]!, partial.places[i]!, partial.lengths[i]!);
  }
  if (partial.isIpv4) {
    view.setInt16(at + 2, header + total);
    view.setInt16(at + 6, 0);
    if (hasCe) view.setUint8(at + 1, view.getUint8(at + 1) | 3);
    refreshIpv4Checksum(view, at);
    packet.tos = view.getUint8(at + 1);
    packet.hasOptions = header !== 20;
  } else {
    view.setInt16(at + 4, header + total - 40);
    view.setUint8(at + partial.nextHeaderPointer, partial.protocol);
    if (hasCe) view.setUint8(at + 1, view.getUint8(at + 1) | 0x30);
    packet.tos = (view.getUint16(at) >>> 4) & 0xff;
  }
  packet.frame = frame;
  packet.ipOffset = at;
  packet.offset = at + header;
  packet.length = total;
  packet.protocol = partial.protocol;
  ip.reassembly.drop(partial);
  counters.ipReasmOKs++;
  return frame;
}

/** "Fragment reassembly time exceeded", when the first piece is here (RFC 1122 §3.3.2, RFC 8200 §4.5). */
export function reportReassemblyTimeout(ip: IpContext, partial: PartialPacket): void {
  const iface = ip.interface(partial.interfaceIndex);
  if (partial.firstFrame === NO_FRAME || iface === undefined) return;
  const at = partial.headerAt;
  if (partial.isIpv4) {
    const length = ipv4TotalLength(ip.view, at);
    icmpv4Error(ip, iface, at, length, false, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_EXCEEDED, 0);
  } else {
    const length = 40 + ipv6PayloadLength(ip.view, at);
    icmpv6Error(ip, iface, at, length, false, ICMPV6_TIME_EXCEEDED, ICMPV6_REASSEMBLY_EXCEEDED, 0);
  }
}
