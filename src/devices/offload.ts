import {
  CSUM_NONE,
  CSUM_PARTIAL,
  type Frame,
  type FrameMemory,
  GSO_NONE,
} from "../base/frame-memory.ts";
import type { DeviceOffload } from "../link/device.ts";
import { completeChecksum } from "../link/offload.ts";
import type { DropReason } from "./drop.ts";

/** Longest link header: Ethernet with two VLAN tags. */
const LINK_HEADER_MAX = 22;

/**
 * Payload bytes of a super-segment that passes a trusted device: what an IPv4
 * packet of 65,535 bytes holds behind the longest IP and TCP headers.
 */
const GSO_MAX_BYTES = 65_535 - 60 - 60;

/** Of devices on which frames stay in this thread's memory: nothing needs to be cut or summed. */
export const TRUSTED_OFFLOAD: DeviceOffload = {
  checksum: true,
  gsoMaxBytes: GSO_MAX_BYTES,
  coalesces: true,
};

/** Longest frame of a device, its link header included. */
export function maxFrameLength(medium: "ethernet" | "ip", mtu: number): number {
  return mtu + (medium === "ethernet" ? LINK_HEADER_MAX : 0);
}

/**
 * Looks at a frame that enters a device: too long for it, and not a
 * super-segment that it takes, is a reason to drop it. Where frames are not
 * trusted a partial checksum is completed and a verified one is verified anew.
 */
export function admit(
  memory: FrameMemory,
  frame: Frame,
  maxLength: number,
  trusted: boolean,
): DropReason | undefined {
  if (trusted) {
    return memory.length(frame) > maxLength && memory.gsoType(frame) === GSO_NONE
      ? "oversize"
      : undefined;
  }
  if (memory.length(frame) > maxLength) return "oversize";
  const state = memory.checksumState(frame);
  if (state === CSUM_PARTIAL) completeChecksum(memory, frame);
  if (state !== CSUM_NONE) memory.setChecksumState(frame, CSUM_NONE);
  return undefined;
}
