import { EAGAIN, EINVAL } from "../base/errors.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import { seqLt } from "../base/sequence.ts";
import type { TcpConnection } from "../tcp/connection.ts";

/**
 * Urgent data as the socket calls have it. TCP keeps the byte in the stream
 * (RFC 6093 §2.1); that it is out of band is the doing of sockets: unless
 * SO_OOBINLINE, the last urgent byte is left out of reads and given by
 * recv(MSG_OOB) until reading has passed it. A read never goes across the mark.
 */

/** Bytes up to the urgent byte; negative when there is none ahead. */
export function bytesToMark(c: TcpConnection): number {
  return c.urgentIn ? (c.rcvUp - 1 - c.rcvRead) | 0 : -1;
}

/** The urgent byte has come. */
export function urgentByteIsThere(c: TcpConnection): boolean {
  return c.urgentIn && seqLt((c.rcvUp - 1) | 0, c.rcvNxt);
}

/** recv(MSG_OOB) of a byte that was not taken yet: 1, -EAGAIN while it is on its way, -EINVAL when there is none. */
export function receiveUrgent(
  memory: FrameMemory,
  c: TcpConnection,
  wasRead: boolean,
  into: Uint8Array,
  offset: number,
  length: number,
): number {
  if (!c.urgentIn || wasRead || c.options.oobInline) return -EINVAL;
  if (!urgentByteIsThere(c)) return -EAGAIN;
  if (length === 0) return 0;
  c.rcvBuf.read(memory, (c.rcvUp - 1) | 0, into, offset, 1);
  return 1;
}
