import { seqLt } from "../base/sequence.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { rackDelivered } from "./recovery/rack.ts";
import { APP_LIMITED, EVER_RETRANSMITTED, MTU_PROBE } from "./sent-segments.ts";

/** One segment of the queue is known to have arrived, by ACK or SACK: feeds the detectors and the rate. */
export function delivered(
  env: TcpEnvironment,
  c: TcpConnection,
  i: number,
  flags: number,
  length: number,
): void {
  const sent = c.sent!;
  const sample = env.sample;
  sample.deliveredBytes += length;
  sample.deliveredSegments++;
  const sentUs = sent.sentUs(i);
  c.rate?.onDelivered(
    length,
    env.nowUs,
    sentUs,
    sent.delivered(i),
    sent.deliveredUs(i),
    sent.firstSentUs(i),
    (flags & APP_LIMITED) !== 0,
    sent.inFlight(i),
    sent.lostBefore(i),
  );
  if ((flags & (MTU_PROBE | EVER_RETRANSMITTED)) === MTU_PROBE) env.progress.probeArrived = true;
  const loss = c.loss;
  if (loss === undefined) return;
  const options = env.segment.options;
  const again = (flags & EVER_RETRANSMITTED) !== 0;
  rackDelivered(
    loss,
    sentUs,
    sent.endOf(i),
    again,
    again &&
      options.hasTimestamps &&
      c.timestampsOn &&
      loss.hasRetransmitStamp &&
      seqLt(options.tsEcr, loss.retransmitStamp),
    env.nowUs,
    c.minRttUs,
  );
}
