const ROW = 4; // log2 of the words of a row
const CAPACITY = 512;

export const REPLY_LOCAL = 0; // four words
export const REPLY_REMOTE = 4; // four words
export const REPLY_PORTS = 8;
export const REPLY_SEQ = 9;
export const REPLY_ACK = 10;
/** TCP flags; bit 15: with timestamps; bits 16 up: raw window. */
export const REPLY_FLAGS = 11;
export const REPLY_TS_VAL = 12;
export const REPLY_TS_ECR = 13;
/**
 * Bits 0 to 7 TTL (0: the host's), 8 to 15 type of service; for a SYN-ACK with
 * a cookie bits 16 to 20 window scale (shift + 1), bit 21 SACK.
 */
export const REPLY_SYN = 14;
export const REPLY_SCOPE = 15;

export const REPLY_HAS_TIMESTAMPS = 0x8000;

/**
 * Replies that belong to no connection (RST, an ACK from TIME-WAIT, a SYN-ACK
 * with a cookie), waiting for `poll`: input never transmits. Bounded; what
 * finds it full is dropped and counted, as the peer will ask again.
 */
export class ReplyRing {
  readonly rows = new Int32Array(CAPACITY << ROW);
  private head = 0;
  length = 0;

  /** Base index of a fresh row, or -1 when the ring is full. */
  push(): number {
    if (this.length === CAPACITY) return -1;
    const at = ((this.head + this.length++) & (CAPACITY - 1)) << ROW;
    this.rows.fill(0, at, at + (1 << ROW));
    return at;
  }

  /** Base index of the oldest row. */
  get first(): number {
    return this.head << ROW;
  }

  shift(): void {
    this.head = (this.head + 1) & (CAPACITY - 1);
    this.length--;
  }
}
