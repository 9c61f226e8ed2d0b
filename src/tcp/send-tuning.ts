import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/**
 * Send-buffer tuning: the buffer holds two windows, one in flight and one
 * being written, unless the application chose a size. Bounded by
 * `sendBufferMax` and, for all sockets together, by `memoryPressure`.
 */
export function growSendBuffer(env: TcpEnvironment, c: TcpConnection): void {
  if (c.options.sendBuffer > 0) return;
  const wanted = 2 * Math.min(c.cwnd, c.sndWnd);
  if (wanted <= c.sndBufSize) return;
  const s = env.settings;
  if (env.memory.pagesInUse * 4096 > s.memoryPressure) return;
  c.sndBufSize = Math.min(wanted, s.sendBufferMax);
}
