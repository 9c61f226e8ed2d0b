/** The eleven states of RFC 9293 §3.3.2. Ordered so that "synchronized" is one comparison. */
export const CLOSED = 0;
export const LISTEN = 1;
export const SYN_SENT = 2;
export const SYN_RECEIVED = 3;
export const ESTABLISHED = 4;
export const FIN_WAIT_1 = 5;
export const FIN_WAIT_2 = 6;
export const CLOSE_WAIT = 7;
export const CLOSING = 8;
export const LAST_ACK = 9;
export const TIME_WAIT = 10;

const NAMES = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const;

export type StateName = (typeof NAMES)[number];

/** As RFC 9293 writes it. */
export function stateName(state: number): StateName {
  return NAMES[state]!;
}

/** The peer's SYN was acknowledged by us and ours by it. */
export function isSynchronized(state: number): boolean {
  return state >= ESTABLISHED;
}

/** The application may still hand over data. */
export function canSend(state: number): boolean {
  return state === ESTABLISHED || state === CLOSE_WAIT;
}

/** Data from the peer may still come. */
export function canReceive(state: number): boolean {
  return state >= ESTABLISHED && state <= FIN_WAIT_2;
}
