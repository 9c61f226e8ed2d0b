/** Cutting a packet that is larger than its path MTU (RFC 791 §2.3, RFC 8200 §4.5), at the source. */
import { EMSGSIZE, ENOBUFS } from "../base/errors.ts";
import { CSUM_PARTIAL, type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { completeChecksum } from "../link/offload.ts";
import { IPV4_MF, writeIpv4Header } from "../wire/ipv4.ts";
import { FRAGMENT_HEADER, writeFragmentHeader } from "../wire/ipv6-extensions.ts";
import { writeIpv6Header } from "../wire/ipv6.ts";
import { PROTOCOL_FRAGMENT } from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import type { IpPath } from "./path.ts";
import { transmit } from "./transmit.ts";

/** Sends a transport packet in pieces. Ownership passes; 0 or a negative errno. */
export function sendFragments(
  ip: IpContext,
  path: IpPath,
  frame: Frame,
  protocol: number,
  tos: number,
  ttl: number,
  flags: number,
): number {
  const { memory, view, counters } = ip;
  const total = memory.length(frame);
  const overhead = path.headerLength + (path.isIpv4 ? 0 : FRAGMENT_HEADER);
  const room = (path.currentMtu - overhead) & ~7;
  if (room < 8 || total > 65_535 - (path.isIpv4 ? 20 : FRAGMENT_HEADER)) {
    counters.ipFragFails++;
    memory.release(frame);
    return -EMSGSIZE;
  }
  // The transport checksum covers the whole packet, so it cannot be left to the device.
  if (memory.checksumState(frame) === CSUM_PARTIAL) completeChecksum(memory, frame);
  const from = memory.start(frame);
  const id = nextId(ip, path);
  let result = 0;
  for (let done = 0; done < total && result === 0; done += room) {
    const length = Math.min(room, total - done);
    const more = done + length < total;
    const piece = memory.alloc(length);
    if (piece === NO_FRAME) {
      counters.memoryFailures++;
      result = -ENOBUFS;
      break;
    }
    const at = memory.start(piece);
    memory.kernel.copy(at, from + done, length);
    memory.setRange(piece, at - overhead, length + overhead);
    writePieceHeader(view, path, at - overhead, length, done, more, id, protocol, tos, ttl);
    counters.ipFragCreates++;
    result = transmit(ip, path, piece, flags);
  }
  if (result === 0) counters.ipFragOKs++;
  else counters.ipFragFails++;
  memory.release(frame);
  return result;
}

function nextId(ip: IpContext, path: IpPath): number {
  const id = path.nextId;
  path.nextId = path.isIpv4 ? (id + 1) & 0xffff : (id + 1 + (ip.random.int32() & 7)) | 0;
  return id;
}

function writePieceHeader(
  view: DataView,
  path: IpPath,
  at: number,
  length: number,
  offset: number,
  more: boolean,
  id: number,
  protocol: number,
  tos: number,
  ttl: number,
): void {
  const { local, remote } = path;
  if (path.isIpv4) {
    const field = (offset >>> 3) | (more ? IPV4_MF : 0);
    writeIpv4Header(view, at, tos, 20 + length, id, field, ttl, protocol, local.w3, remote.w3);
    return;
  }
  writeIpv6Header(
    view,
    at,
    tos,
    0,
    FRAGMENT_HEADER + length,
    PROTOCOL_FRAGMENT,
    ttl,
    local.w0,
    local.w1,
    local.w2,
    local.w3,
    remote.w0,
    remote.w1,
    remote.w2,
    remote.w3,
  );
  writeFragmentHeader(view, at + 40, protocol, offset, more, id);
}
