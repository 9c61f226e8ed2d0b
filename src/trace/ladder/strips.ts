/** Send and receive buffers as strips of bytes (RFC 9293 §3.3.1, figures 3 and 4). */
import type { ConnectionView } from "../../base/trace.ts";
import type { ConnectionVariables } from "../events.ts";

/** What a strip needs of a connection; numbers signed or unsigned. */
export type SendVariables = Pick<ConnectionVariables, "sndUna" | "sndNxt" | "sndEnd" | "sndWnd">;
export type ReceiveVariables = Pick<
  ConnectionVariables,
  "rcvNxt" | "rcvRead" | "rcvAdv" | "finReceived" | "ranges"
>;

export type StripKind =
  | "acknowledged"
  | "in-flight"
  | "may-send"
  | "open"
  | "must-wait"
  | "read"
  | "waiting"
  | "gap"
  | "out-of-order"
  | "free";

export interface StripPart {
  readonly kind: StripKind;
  /** Byte numbers of the stream, counted from 0: [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface Strip {
  /** "client: send" */
  readonly title: string;
  readonly side: "send" | "receive";
  readonly parts: readonly StripPart[];
  /** Right edge of the window, as a byte number. */
  readonly edge: number;
}

/**
 * The send side: acknowledged, in flight, may be sent (inside the peer's
 * window), must wait (beyond it), and how far the window is open beyond all
 * that. `total` is what the application wants to send in all, when more is to
 * come than is written.
 */
export function sendStrip(title: string, v: SendVariables, iss: number, total = 0): Strip {
  const at = (seq: number) => (seq - iss - 1) | 0;
  const una = Math.max(0, at(v.sndUna));
  const end = Math.max(una, at(v.sndEnd), total);
  // FIN counts for one in the sequence, not in the bytes.
  const next = Math.max(una, Math.min(at(v.sndNxt), Math.max(at(v.sndEnd), una)));
  const edge = Math.max(next, una + v.sndWnd);
  return {
    title,
    side: "send",
    edge,
    parts: parts([
      ["acknowledged", 0, una],
      ["in-flight", una, next],
      ["may-send", next, Math.min(edge, end)],
      ["must-wait", edge, end],
      ["open", end, edge],
    ]),
  };
}

/** The receive side: read, waiting for the application, gaps and what lies beyond them, free. */
export function receiveStrip(title: string, v: ReceiveVariables, irs: number): Strip {
  const at = (seq: number) => (seq - irs - 1) | 0;
  const fin = v.finReceived ? 1 : 0;
  const read = Math.max(0, at(v.rcvRead));
  const next = Math.max(read, at(v.rcvNxt) - fin);
  const edge = Math.max(next, at(v.rcvAdv) - fin);
  const list: [StripKind, number, number][] = [
    ["read", 0, read],
    ["waiting", read, next],
  ];
  let from = next;
  for (const [start, end] of v.ranges) {
    if (at(start) < from) continue;
    list.push(["gap", from, at(start)], ["out-of-order", at(start), at(end)]);
    from = at(end);
  }
  list.push(["free", from, edge]);
  return { title, side: "receive", edge, parts: parts(list) };
}

function parts(list: readonly [StripKind, number, number][]): StripPart[] {
  return list.filter(([, from, to]) => to > from).map(([kind, from, to]) => ({ kind, from, to }));
}

/** What waits beyond a gap, of a connection that is alive. */
export function rangesOf(c: ConnectionView): [number, number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < (c.outOfOrder?.count ?? 0); i++) {
    ranges.push([c.outOfOrder!.start(i), c.outOfOrder!.end(i)]);
  }
  return ranges;
}
