import { seqGeq, seqGt } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";

/** PSH goes on what ends a write, or all there is to send (RFC 9293 §3.9.1.2, SHLD-27). */
export function isPushed(c: TcpConnection, start: number, end: number): boolean {
  if (end === c.sndEnd || (seqGt(c.pushSeq, start) && seqGeq(end, c.pushSeq))) return true;
  return c.recordEnds !== undefined && c.recordEnds[0] === end;
}
