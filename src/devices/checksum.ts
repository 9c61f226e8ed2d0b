import { CSUM_NONE, CSUM_PARTIAL, type Frame, type FrameMemory } from "../base/frame-memory.ts";

/**
 * Writes the transport checksum that a frame marked CSUM_PARTIAL still lacks:
 * the sum of everything from `csumStart` on, which has the pseudo-header's sum
 * in the checksum field already. The caller holds the only reference.
 */
export function completeChecksum(memory: FrameMemory, frame: Frame): void {
  if (memory.checksumState(frame) !== CSUM_PARTIAL) return;
  const start = memory.checksumStart(frame);
  const end = memory.start(frame) + memory.length(frame);
  const sum = ~memory.kernel.sum(start, end - start) & 0xffff;
  // A computed 0 is sent as its other form, which UDP needs (RFC 768) and TCP allows (RFC 1624 §3).
  memory.view.setUint16(start + memory.checksumOffset(frame), sum === 0 ? 0xffff : sum);
  memory.setChecksumState(frame, CSUM_NONE);
}
