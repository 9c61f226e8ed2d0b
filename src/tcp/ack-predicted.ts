import { CA_OPEN, type TcpConnection } from "./connection.ts";
import { afterAdvance, control, takeRttSample } from "./ack.ts";
import type { TcpEnvironment } from "./environment.ts";
import { APP_LIMITED } from "./sent-segments.ts";

/**
 * The other half of header prediction: an ACK in order for whole segments that
 * were sent once, while no loss is suspected. `sentAt` is `lastPlain`'s answer
 * for it. The same as `processAck`, for the records at once instead of one by
 * one (80 ns an ACK against 240).
 */
export function acknowledgePlain(
  env: TcpEnvironment,
  c: TcpConnection,
  seq: number,
  ack: number,
  window: number,
  last: number,
): void {
  const sample = env.sample;
  const sent = c.sent!;
  const nowUs = env.nowUs;
  const priorUna = c.sndUna;
  const bytes = (ack - priorUna) | 0;
  sample.nowUs = nowUs;
  sample.ackedBytes = bytes;
  sample.deliveredBytes = bytes;
  sample.deliveredSegments = last - sent.first + 1;
  sample.lostBytes = 0;
  sample.priorPipe = (c.sndNxt - priorUna) | 0;
  sample.ceBytes = 0;
  const firstSentUs = sent.sentUs(sent.first);
  const lastSentUs = sent.sentUs(last);
  sample.rttUs = nowUs - lastSentUs;
  const rate = c.rate;
  if (rate !== undefined) {
    rate.begin();
    rate.onDelivered(
      bytes,
      nowUs,
      lastSentUs,
      sent.delivered(last),
      sent.deliveredUs(last),
      sent.firstSentUs(last),
      (sent.flags(last) & APP_LIMITED) !== 0,
      sent.inFlight(last),
      sent.lostBefore(last),
    );
  }
  sent.shiftThrough(last);
  if (sent.count === 0) {
    c.sent = undefined;
    env.giveSentSegments(sent);
  }
  c.deliveredSegments += sample.deliveredSegments;
  c.bytesAcked += bytes;
  c.sndUna = ack;
  c.sndBuf.advance(env.memory, priorUna, ack, c.sndEnd);
  c.sndWl1 = seq;
  c.sndWl2 = ack;
  c.sndWnd = window;
  if (window > c.sndMaxWnd) c.sndMaxWnd = window;
  if (window > 0) c.probeRounds = 0;
  takeRttSample(env, c, nowUs - firstSentUs);
  control(env, c);
  afterAdvance(env, c);
}

/** Nothing is under way that would make an ACK mean more than it says. */
export function isQuiet(c: TcpConnection): boolean {
  return (
    c.caState === CA_OPEN &&
    c.loss === undefined &&
    c.retransmits === 0 &&
    c.rtoBackoff === 0 &&
    c.probesOut === 0 &&
    !c.finSent &&
    !c.urgentOut &&
    !c.ecnOn
  );
}
