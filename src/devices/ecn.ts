import { type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ethernetHeaderLength,
  ethernetPayloadType,
} from "../wire/ethernet.ts";

/** Where the IP header of a frame begins, as an offset into memory; -1 when it carries no IP. */
function ipOffset(memory: FrameMemory, frame: Frame, isEthernet: boolean): number {
  const at = memory.start(frame);
  const length = memory.length(frame);
  if (!isEthernet) return length >= 20 ? at : -1;
  const header = ethernetHeaderLength(memory.view, at, length);
  if (header === 0 || length < header + 20) return -1;
  const type = ethernetPayloadType(memory.view, at, header);
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? at + header : -1;
}

/**
 * Sets "congestion experienced" (RFC 3168 §5) in a packet whose transport
 * understands it, and answers the frame, which is another one when the first
 * was shared. `NO_FRAME` when the packet is not ECN-capable, with the caller's
 * reference as it was.
 */
export function markCongestion(memory: FrameMemory, frame: Frame, isEthernet: boolean): Frame {
  const { view } = memory;
  let at = ipOffset(memory, frame, isEthernet);
  if (at < 0) return NO_FRAME;
  const isIpv4 = view.getUint8(at) >>> 4 === 4;
  // The ECN bits are the last two of the traffic class: bits 14-15 of an IPv4 header, 10-11 of IPv6's.
  const shift = isIpv4 ? 0 : 4;
  const old = view.getUint16(at);
  if (((old >>> shift) & 3) === 0) return NO_FRAME;
  if (((old >>> shift) & 3) === 3) return frame;
  const offset = at - memory.start(frame);
  if (memory.references(frame) > 1) {
    const copy = memory.copyFrame(frame);
    if (copy === NO_FRAME) return NO_FRAME;
    memory.release(frame);
    frame = copy;
    at = memory.start(frame) + offset;
  }
  const marked = old | (3 << shift);
  view.setUint16(at, marked);
  if (isIpv4) {
    // RFC 1624 §3: HC' = ~(~HC + ~m + m')
    const checksum = view.getUint16(at + 10);
    view.setUint16(at + 10, ~foldSum((~checksum & 0xffff) + (~old & 0xffff) + marked));
  }
  return frame;
}
