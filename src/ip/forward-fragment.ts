/** Cutting an IPv4 packet of somebody else's on its way (RFC 791 §3.2, RFC 1812 §5.2.6). */
import { CSUM_PARTIAL, type Frame, NO_FRAME } from "../base/frame-memory.ts";
import { completeChecksum } from "../link/offload.ts";
import { IPV4_MF, refreshIpv4Checksum } from "../wire/ipv4.ts";
import { IPV4_OPTION_END, IPV4_OPTION_NOP } from "../wire/ipv4-options.ts";
import type { IpContext } from "./context.ts";
import type { IpPath } from "./path.ts";
import { transmit } from "./transmit.ts";

/** Sends the packet in pieces, which may be pieces of a larger one. Ownership passes. */
export function fragmentForwarded(ip: IpContext, path: IpPath, frame: Frame, header: number): void {
  const { memory, view, counters } = ip;
  if (memory.checksumState(frame) === CSUM_PARTIAL) completeChecksum(memory, frame);
  const from = memory.start(frame);
  const field = view.getUint16(from + 6);
  const first = (field & 0x1fff) << 3;
  const isLastOfAll = (field & IPV4_MF) === 0;
  const payload = memory.length(frame) - header;
  const room = (path.currentMtu - header) & ~7;
  for (let done = 0; done < payload; done += room) {
    const length = Math.min(room, payload - done);
    const piece = memory.alloc(length);
    if (piece === NO_FRAME || room < 8) {
      counters.memoryFailures++;
      counters.ipFragFails++;
      memory.release(frame);
      return;
    }
    const at = memory.start(piece) - header;
    memory.setRange(piece, at, header + length);
    memory.kernel.copy(at, from, header);
    memory.kernel.copy(at + header, from + header + done, length);
    if (done > 0) blankOptions(view, at, header);
    const more = done + length < payload || !isLastOfAll ? IPV4_MF : 0;
    view.setInt16(at + 2, header + length);
    view.setInt16(at + 6, ((first + done) >>> 3) | more);
    refreshIpv4Checksum(view, at);
    counters.ipFragCreates++;
    transmit(ip, path, piece);
  }
  counters.ipFragOKs++;
  memory.release(frame);
}

/** Options without the "copied" bit stay with the first piece; here they become padding (RFC 791 §3.1). */
function blankOptions(view: DataView, at: number, header: number): void {
  for (let i = 20; i < header; ) {
    const kind = view.getUint8(at + i);
    if (kind === IPV4_OPTION_END) return;
    const length =
      kind === IPV4_OPTION_NOP || i + 1 >= header ? 1 : Math.max(2, view.getUint8(at + i + 1));
    if ((kind & 0x80) === 0) {
      for (let k = i; k < Math.min(i + length, header); k++) view.setUint8(at + k, IPV4_OPTION_NOP);
    }
    i += length;
  }
}
