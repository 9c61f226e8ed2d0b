/**
 * The virtio-net header in front of each frame of a device with offloads
 * (virtio 1.2 §5.1.6, the legacy form of 10 bytes, little-endian):
 * flags, gso_type (u8 each), hdr_len, gso_size, csum_start, csum_offset (u16).
 */
import {
  CSUM_PARTIAL,
  CSUM_VERIFIED,
  type Frame,
  type FrameMemory,
  GSO_NONE,
  GSO_UDP,
} from "../../base/frame-memory.ts";

export const VNET_HEADER = 10;

const NEEDS_CSUM = 1;
const DATA_VALID = 2;
/** In gso_type: the first segment carries CWR, which the others must not repeat (RFC 3168 §6.1.2). */
const GSO_ECN = 0x80;

const CWR = 0x80;
const UDP_HEADER = 8;

/**
 * Carries what the header at `at` says over to the frame, whose packet begins
 * at `start`. False when the header contradicts the frame's length.
 */
export function readVnetHeader(
  memory: FrameMemory,
  at: number,
  frame: Frame,
  start: number,
  length: number,
): boolean {
  const view = memory.view;
  const flags = view.getUint8(at);
  if ((flags & NEEDS_CSUM) !== 0) {
    const csumStart = view.getUint16(at + 6, true);
    const csumOffset = view.getUint16(at + 8, true);
    if (csumStart + csumOffset + 2 > length) return false;
    memory.setPartialChecksum(frame, start + csumStart, csumOffset);
  } else if ((flags & DATA_VALID) !== 0) {
    memory.setChecksumState(frame, CSUM_VERIFIED);
  }
  const gsoType = view.getUint8(at + 1) & ~GSO_ECN;
  if (gsoType !== GSO_NONE) {
    const gsoSize = view.getUint16(at + 4, true);
    if (gsoSize === 0) return false;
    memory.setGso(frame, gsoType, gsoSize);
  }
  return true;
}

/** Writes at `at` what the kernel must know of the frame whose packet begins at `start`. */
export function writeVnetHeader(
  memory: FrameMemory,
  at: number,
  frame: Frame,
  start: number,
): void {
  const view = memory.view;
  const gsoType = memory.gsoType(frame);
  if (memory.checksumState(frame) !== CSUM_PARTIAL) {
    // DATA_VALID is not honoured in this direction: the kernel verifies.
    view.setInt32(at, 0);
    view.setInt32(at + 4, 0);
    view.setInt16(at + 8, 0);
    return;
  }
  const transport = memory.checksumStart(frame);
  const csumStart = transport - start;
  let header = 0;
  let type = gsoType;
  if (gsoType === GSO_UDP) {
    header = csumStart + UDP_HEADER;
  } else if (gsoType !== GSO_NONE) {
    header = csumStart + ((view.getUint8(transport + 12) >>> 4) << 2);
    if ((view.getUint8(transport + 13) & CWR) !== 0) type |= GSO_ECN;
  }
  view.setUint8(at, NEEDS_CSUM);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, header, true);
  view.setUint16(at + 4, gsoType === GSO_NONE ? 0 : memory.gsoSize(frame), true);
  view.setUint16(at + 6, csumStart, true);
  view.setUint16(at + 8, memory.checksumOffset(frame), true);
}
