import type { Path } from "../base/path.ts";
import type { TcpConnection } from "./connection.ts";

/** What TCP tells who watches. Called with numbers only; must not call back. */
export interface TcpTracer {
  /** A segment left (direction 1) or arrived (0), after the connection took note of it. */
  segment(
    nowUs: number,
    c: TcpConnection,
    direction: 0 | 1,
    seq: number,
    ack: number,
    flags: number,
    length: number,
    rawWindow: number,
    reason: number,
  ): void;
  /** A segment that belongs to no connection left: RST, an ACK from TIME-WAIT, a SYN cookie. */
  reply(nowUs: number, path: Path, ports: number, seq: number, ack: number, flags: number): void;
  state(nowUs: number, c: TcpConnection, from: number, to: number): void;
  /** `kind` as in TIMER_*; plus those below. */
  timerFired(nowUs: number, c: TcpConnection, kind: number): void;
  /** A congestion event: CA_* before and after, windows as they are now. */
  congestion(nowUs: number, c: TcpConnection, from: number, to: number): void;
  /** A segment was not taken. */
  drop(nowUs: number, c: TcpConnection | undefined, reason: number): void;
}

// Why a segment was sent again.
export const REASON_NONE = 0;
export const REASON_RTO = 1;
export const REASON_FAST = 2;
export const REASON_PROBE = 3;
export const REASON_SYN = 4;
export const REASON_KEEPALIVE = 5;
export const REASON_WINDOW_PROBE = 6;

// Timers beside the retransmission timer's kinds.
export const TIMER_DELAYED_ACK = 16;
export const TIMER_LIFE = 17;
export const TIMER_SEND = 18;

// Why a segment was not taken.
export const DROP_CHECKSUM = 1;
export const DROP_HEADER = 2;
export const DROP_NO_CONNECTION = 3;
export const DROP_PAWS = 4;
export const DROP_SEQUENCE = 5;
export const DROP_ACK = 6;
export const DROP_MEMORY = 7;
export const DROP_BACKLOG = 8;
export const DROP_STATE = 9;
