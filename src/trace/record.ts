/**
 * How one trace event lies in memory: 32 words of an Int32Array (two cache
 * lines) and its time in a Float64Array. Writing one costs some 30 stores and
 * makes no object; objects are made when a trace is read.
 */
export const RECORD_WORDS = 32;
export const RECORD_SHIFT = 5;

/** Kind in the low byte, direction (0 in, 1 out) above, host number from bit 16. */
export const W_KIND = 0;
/** Connection number, 0: none. */
export const W_CONNECTION = 1;
// What the event itself says.
export const W_A = 2;
export const W_B = 3;
export const W_C = 4;
export const W_D = 5;
export const W_E = 6;
export const W_F = 7;
export const W_G = 8;
/** State in the low byte, then flags. */
export const W_STATE = 9;
export const W_SND_UNA = 10;
export const W_SND_NXT = 11;
export const W_SND_END = 12;
export const W_SND_WND = 13;
export const W_SND_BUF = 14;
export const W_SND_MSS = 15;
export const W_RCV_NXT = 16;
export const W_RCV_READ = 17;
export const W_RCV_ADV = 18;
export const W_RCV_BUF = 19;
/** Out-of-order ranges: how many, and the first two. */
export const W_RANGES = 20;
export const W_RANGE_1 = 21;
export const W_RANGE_2 = 23;
export const W_SRTT = 25;
export const W_RTTVAR = 26;
export const W_RTO = 27;
export const W_CWND = 28;
export const W_SSTHRESH = 29;
export const W_PIPE = 30;
/** Retransmission timer: kind in the low byte, congestion state in the next. */
export const W_TIMER = 31;

// Kinds
export const KIND_SEGMENT = 1;
export const KIND_REPLY = 2;
export const KIND_STATE = 3;
export const KIND_TIMER_SET = 4;
export const KIND_TIMER_FIRED = 5;
export const KIND_CONGESTION = 6;
export const KIND_DROP = 7;
export const KIND_CALL = 8;
export const KIND_NEIGHBOR = 9;
export const KIND_ICMP = 10;
export const KIND_DATAGRAM = 11;
export const KIND_DNS = 12;
export const KIND_NOTE = 13;

// Flags in W_STATE
export const FLAG_FIN_QUEUED = 0x100;
export const FLAG_FIN_SENT = 0x200;
export const FLAG_FIN_RECEIVED = 0x400;
