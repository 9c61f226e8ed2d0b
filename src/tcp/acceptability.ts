import { seqGeq, seqGt, seqLeq, seqLt } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";

/**
 * The segment acceptability test of RFC 9293 §3.10.7.4 (table 6). `segLength`
 * counts SYN and FIN; the window ends before `edge`.
 *
 * One deviation: a segment without length at the right edge (SEQ = RCV.NXT +
 * RCV.WND) is accepted. A peer that has filled our window sends its pure ACKs
 * from there, and without them our own sending would stop; Linux and the BSDs
 * accept it too.
 */
export function isAcceptable(
  c: TcpConnection,
  seq: number,
  segLength: number,
  edge: number,
): boolean {
  const open = seqGt(edge, c.rcvNxt);
  if (segLength === 0) {
    if (!open) return seq === c.rcvNxt;
    return seqGeq(seq, c.rcvNxt) && seqLeq(seq, edge);
  }
  if (!open) return false;
  const last = (seq + segLength - 1) | 0;
  return (
    (seqGeq(seq, c.rcvNxt) && seqLt(seq, edge)) || (seqGeq(last, c.rcvNxt) && seqLt(last, edge))
  );
}
