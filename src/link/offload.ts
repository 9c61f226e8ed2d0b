/**
 * What a device may leave to us: completing checksums and cutting
 * super-segments. Frames here begin with the link header of `linkLength` bytes.
 */
import {
  CSUM_NONE,
  CSUM_PARTIAL,
  CSUM_VERIFIED,
  type Frame,
  type FrameMemory,
  GSO_NONE,
  GSO_TCPV4,
  GSO_UDP,
  NO_FRAME,
} from "../base/frame-memory.ts";
import { checksumOf, foldSum, wordTotal } from "../wire/checksum.ts";
import { ipv4HeaderLength, refreshIpv4Checksum } from "../wire/ipv4.ts";
import { IPV6_HEADER } from "../wire/ipv6.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../wire/protocol.ts";
import { CWR, FIN, PSH, tcpHeaderLength } from "../wire/tcp.ts";
import { UDP_HEADER } from "../wire/udp.ts";

const UDP_CHECKSUM_OFFSET = 6;

/**
 * Completes the checksum of a frame marked CSUM_PARTIAL, whose field holds the
 * folded pseudo-header sum. The caller holds the only reference.
 */
export function completeChecksum(memory: FrameMemory, frame: Frame): void {
  const start = memory.checksumStart(frame);
  const offset = memory.checksumOffset(frame);
  const length = memory.start(frame) + memory.length(frame) - start;
  // The field is part of the sum: it holds what the pseudo-header contributes.
  let checksum = checksumOf(memory.kernel.sum(start, length));
  if (checksum === 0 && offset === UDP_CHECKSUM_OFFSET) checksum = 0xffff; // RFC 768
  memory.view.setInt16(start + offset, checksum);
  memory.setChecksumState(frame, CSUM_VERIFIED);
}

/**
 * Cuts a super-segment into frames of `gsoSize` payload bytes with complete
 * headers and checksums, and gives each to `emit`. The original is only read
 * and stays the caller's. Answers how many there were; -1 when memory ran out
 * (what was emitted before stays sent, as if the rest was lost).
 */
export function cutSuperSegment(
  memory: FrameMemory,
  frame: Frame,
  linkLength: number,
  emit: (piece: Frame) => void,
): number {
  const { view, kernel } = memory;
  const at = memory.start(frame);
  const end = at + memory.length(frame);
  const ipAt = at + linkLength;
  const isIpv4 = view.getUint8(ipAt) >>> 4 === 4;
  const transportAt = ipAt + (isIpv4 ? ipv4HeaderLength(view, ipAt) : IPV6_HEADER);
  const isUdp = memory.gsoType(frame) === GSO_UDP;
  const headerLength = isUdp ? UDP_HEADER : tcpHeaderLength(view, transportAt);
  const payloadAt = transportAt + headerLength;
  const size = memory.gsoSize(frame);
  const headers = payloadAt - at;
  const total = end - payloadAt;
  const pseudo = addressSum(memory, ipAt, isIpv4) + (isUdp ? PROTOCOL_UDP : PROTOCOL_TCP);
  const id = isIpv4 ? view.getUint16(ipAt + 4) : 0;
  let count = 0;
  for (let done = 0; done < total || count === 0; count++) {
    const payload = Math.min(size, total - done);
    const piece = memory.alloc(headerLength + payload);
    if (piece === NO_FRAME) return -1;
    // The transport header goes where `alloc` means it to be, the rest in front.
    const to = memory.start(piece) - (transportAt - at);
    memory.setRange(piece, to, headers + payload);
    kernel.copy(to, at, headers);
    kernel.copy(to + headers, payloadAt + done, payload);
    const pieceIp = to + linkLength;
    const pieceTransport = to + (transportAt - at);
    const transportLength = headerLength + payload;
    if (isIpv4) {
      view.setInt16(pieceIp + 2, transportAt - ipAt + transportLength);
      view.setInt16(pieceIp + 4, id + count);
      refreshIpv4Checksum(view, pieceIp);
    } else {
      view.setInt16(pieceIp + 4, transportLength);
    }
    if (isUdp) view.setInt16(pieceTransport + 4, transportLength);
    else adjustTcp(view, pieceTransport, done, count > 0, done + payload < total);
    const field = pieceTransport + (isUdp ? 6 : 16);
    view.setInt16(field, foldSum(pseudo + wordTotal(transportLength)));
    memory.setPartialChecksum(piece, pieceTransport, isUdp ? 6 : 16);
    completeChecksum(memory, piece);
    memory.setInterfaceIndex(piece, memory.interfaceIndex(frame));
    emit(piece);
    done += payload;
  }
  return count;
}

/** Sequence number moved on; FIN and PSH only on the last piece, CWR only on the first (RFC 3168 §6.1.2). */
function adjustTcp(
  view: DataView,
  at: number,
  done: number,
  isLater: boolean,
  moreFollow: boolean,
): void {
  view.setInt32(at + 4, view.getInt32(at + 4) + done);
  let flags = view.getUint8(at + 13);
  if (moreFollow) flags &= ~(FIN | PSH);
  if (isLater) flags &= ~CWR;
  view.setUint8(at + 13, flags);
}

/** Sum of source and destination address, not folded below 2^17. */
function addressSum(memory: FrameMemory, ipAt: number, isIpv4: boolean): number {
  return isIpv4 ? memory.kernel.sum(ipAt + 12, 8) : memory.kernel.sum(ipAt + 8, 32);
}

/** Bytes of the largest IP packet on the wire that this frame stands for, its range beginning with the IP header. */
export function wirePacketLength(memory: FrameMemory, frame: Frame): number {
  const type = memory.gsoType(frame);
  const length = memory.length(frame);
  if (type === GSO_NONE) return length;
  const { view } = memory;
  const at = memory.start(frame);
  const transport =
    type === GSO_TCPV4 || view.getUint8(at) >>> 4 === 4 ? ipv4HeaderLength(view, at) : IPV6_HEADER;
  const header = type === GSO_UDP ? UDP_HEADER : tcpHeaderLength(view, at + transport);
  return Math.min(length, transport + header + memory.gsoSize(frame));
}

/** The frame itself or a copy with at least `need` bytes in front; the reference given is used up. `NO_FRAME`: no memory. */
export function withHeadroom(memory: FrameMemory, frame: Frame, need: number): Frame {
  if (memory.headroom(frame) >= need) return frame;
  const length = memory.length(frame);
  const from = memory.start(frame);
  const copy = memory.alloc(length);
  if (copy !== NO_FRAME) {
    const to = memory.start(copy);
    memory.setRange(copy, to, length);
    memory.kernel.copy(to, from, length);
    const state = memory.checksumState(frame);
    memory.setChecksumState(copy, state === CSUM_PARTIAL ? CSUM_NONE : state);
    if (state === CSUM_PARTIAL) {
      memory.setPartialChecksum(
        copy,
        to + memory.checksumStart(frame) - from,
        memory.checksumOffset(frame),
      );
    }
    memory.setGso(copy, memory.gsoType(frame), memory.gsoSize(frame));
    memory.setInterfaceIndex(copy, memory.interfaceIndex(frame));
    memory.setMark(copy, memory.mark(frame));
  }
  memory.release(frame);
  return copy;
}
