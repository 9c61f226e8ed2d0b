/** Packetdrill scripts that bring a connection into each state of RFC 9293 §3.3.2. */

export interface StateScript {
  readonly name: string;
  /** Events up to the state. */
  readonly events: readonly string[];
  /** RCV.NXT and SND.NXT in the script's numbers. */
  readonly rcvNxt: number;
  readonly sndNxt: number;
  /** The descriptor of the connection while the application holds it. */
  readonly fd: number | undefined;
}

/** The window that the scripts' connections open with, and which stays where it is: buffer and all. */
export const WINDOW = 50_000;

const ESTABLISHED = [
  "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
  "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
  "+0 connect(3, ..., ...) = -1 EINPROGRESS",
  "+0 > S 0:0(0) <...>",
  "+.1 < S. 0:0(0) ack 1 win 32767 <mss 1460>",
  "+0 > . 1:1(0) ack 1",
];

/** The states in which both SYNs are acknowledged. */
export function synchronizedStates(): StateScript[] {
  const est = ESTABLISHED;
  const closeWait = [...est, "+.01 < F. 1:1(0) ack 1 win 32767", "+0 > . 1:1(0) ack 2"];
  const finWait1 = [...est, "+.01 close(3) = 0", "+0 > F. 1:1(0) ack 1"];
  const state = (
    name: string,
    events: readonly string[],
    rcvNxt: number,
    sndNxt: number,
    fd?: number,
  ): StateScript => ({ name, events, rcvNxt, sndNxt, fd });
  return [
    state("ESTABLISHED", est, 1, 1, 3),
    state("CLOSE-WAIT", closeWait, 2, 1, 3),
    state("FIN-WAIT-1", finWait1, 1, 2),
    state("FIN-WAIT-2", [...finWait1, "+.01 < . 1:1(0) ack 2 win 32767"], 1, 2),
    state(
      "CLOSING",
      [...finWait1, "+.01 < F. 1:1(0) ack 1 win 32767", "+0 > . 2:2(0) ack 2"],
      2,
      2,
    ),
    state("LAST-ACK", [...closeWait, "+.01 close(3) = 0", "+0 > F. 1:1(0) ack 2"], 2, 2),
    state(
      "TIME-WAIT",
      [...finWait1, "+.01 < F. 1:1(0) ack 2 win 32767", "+0 > . 2:2(0) ack 2"],
      2,
      2,
    ),
  ];
}

/** Where a segment stands in the receive window. */
export interface Edge {
  readonly name: string;
  readonly inWindow: boolean;
  sequence(rcvNxt: number): number;
}

/** Unsigned, as scripts write sequence numbers. */
const u32 = (n: number) => n >>> 0;

export const EDGES: readonly Edge[] = [
  { name: "outside left", inWindow: false, sequence: (nxt) => u32(nxt - 1) },
  { name: "left edge", inWindow: true, sequence: (nxt) => nxt },
  { name: "right edge", inWindow: true, sequence: () => WINDOW },
  { name: "outside right", inWindow: false, sequence: () => WINDOW + 1 },
];
