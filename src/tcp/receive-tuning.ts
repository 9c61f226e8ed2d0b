import { seqGeq } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/** What dynamic right-sizing measures; attached when data is read at a pace worth it. */
export interface ReceiveTuning {
  /** When this round began. */
  sinceUs: number;
  /** Read position when this round began. */
  readFrom: number;
  /** The round trip as the receiver sees it: the time in which a window of data arrives, microseconds. */
  rttUs: number;
  /** End of the window that is being timed, and since when. */
  windowEnd: number;
  windowSinceUs: number;
}

/**
 * Receive-buffer tuning (Fisk and Feng's dynamic right-sizing): once a round
 * trip, twice what the application took in it, so that a window is never what
 * holds a sender back that doubles its rate. Called when the application has
 * read.
 */
export function tuneReceiveBuffer(env: TcpEnvironment, c: TcpConnection): void {
  if (c.options.receiveBuffer > 0) return;
  const s = env.settings;
  if (c.rcvBufSize >= s.receiveBufferMax) return;
  const t = c.tuning;
  if (t === undefined) {
    c.tuning = {
      sinceUs: env.nowUs,
      readFrom: c.rcvRead,
      rttUs: 0,
      windowEnd: c.rcvAdv,
      windowSinceUs: env.nowUs,
    };
    return;
  }
  if (seqGeq(c.rcvNxt, t.windowEnd)) {
    // A whole announced window has arrived: that took at least one round trip.
    const took = env.nowUs - t.windowSinceUs;
    t.rttUs = t.rttUs === 0 ? took : Math.min(took, t.rttUs + (took - t.rttUs) / 8);
    t.windowEnd = c.rcvAdv;
    t.windowSinceUs = env.nowUs;
  }
  const rttUs = c.srttUs > 0 && (t.rttUs === 0 || c.srttUs < t.rttUs) ? c.srttUs : t.rttUs;
  if (rttUs === 0 || env.nowUs - t.sinceUs < rttUs) return;
  const read = (c.rcvRead - t.readFrom) | 0;
  t.sinceUs = env.nowUs;
  t.readFrom = c.rcvRead;
  const wanted = 2 * read + 16 * c.rcvMss;
  if (wanted <= c.rcvBufSize || env.memory.pagesInUse * 4096 > s.memoryPressure) return;
  c.rcvBufSize = Math.min(wanted, s.receiveBufferMax);
}
