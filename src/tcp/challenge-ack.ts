import { ACK } from "../wire/tcp.ts";
import { ACK_NOW, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";

/** A challenge ACK (RFC 5961 §3.2, §4.2, §5.2), of which a host sends a bounded number a second (§7). */
export function challengeAck(env: TcpEnvironment, c: TcpConnection): void {
  if (!mayAnswerInvalid(env, c)) return;
  const second = Math.floor(env.nowUs / 1_000_000);
  if (second !== env.challengeSecond) {
    env.challengeSecond = second;
    env.challengeAcks = 0;
  }
  if (++env.challengeAcks > env.settings.challengeAckPerSecond) return;
  env.counters.tcpChallengeAck++;
  if (env.settings.repeatFin) env.replyFor(c, c.sndNxt, ACK);
  else answer(env, c);
}

/** The ACK for a segment that is not acceptable (RFC 9293 §3.10.7.4, first). */
export function answerUnacceptable(env: TcpEnvironment, c: TcpConnection, hasData: boolean): void {
  // Two stacks that disagree could answer each other without end: only segments without data are held back.
  if (!hasData && !mayAnswerInvalid(env, c)) return;
  answer(env, c);
}

function answer(env: TcpEnvironment, c: TcpConnection): void {
  c.ackFlags |= ACK_NOW;
  env.wantOutput(c);
}

function mayAnswerInvalid(env: TcpEnvironment, c: TcpConnection): boolean {
  const interval = env.settings.invalidAckIntervalUs;
  if (interval > 0) {
    if (c.invalidAckUs !== 0.5 && env.nowUs - c.invalidAckUs < interval) return false;
    c.invalidAckUs = env.nowUs;
  }
  return true;
}
