/** Takes the next packet of a conversation for an outbound line and compares the two. */
import type { Action, Packet } from "./ast.ts";
import {
  type CompareOptions,
  type Comparison,
  compareIcmp,
  compareTcp,
  compareUdp,
  learn,
  merge,
} from "./compare.ts";
import type { Conversations } from "./conversations.ts";
import type { LiveTcp } from "./live-packet.ts";
import { FOREIGN_OPTION_TEXT } from "./tcp-option-parser.ts";

export interface Matched {
  readonly comparison: Comparison;
  /** When the stack sent it. */
  readonly timeUs: number;
}

export interface MatchOptions extends CompareOptions {
  readonly strictSegments: boolean;
}

/** Undefined: the conversation has sent nothing that was not looked at. */
export function matchOutbound(
  packet: Packet,
  conversations: Conversations,
  options: MatchOptions,
): Matched | undefined {
  if (packet.kind === "icmp") {
    const live = conversations.icmp.shift();
    return live && { comparison: compareIcmp(packet, live), timeUs: live.timeUs };
  }
  const flow = conversations.outbound(packet);
  if (flow === undefined) return undefined;
  const queue = conversations.queue(flow);
  const live = queue.shift();
  if (live === undefined) return undefined;
  if (packet.kind === "udp" && live.kind === "udp") {
    return { comparison: compareUdp(packet, live, flow), timeUs: live.timeUs };
  }
  if (packet.kind !== "tcp" || live.kind !== "tcp") return undefined;
  let segment: LiveTcp = live;
  // What offload would have shown as one packet: a burst, up to the length that is expected.
  while (!options.strictSegments && segment.payloadLength < packet.payloadLength) {
    const next = queue[0];
    const longer = next?.kind === "tcp" ? merge(segment, next) : undefined;
    if (longer === undefined || longer.payloadLength > packet.payloadLength) break;
    segment = longer;
    queue.shift();
  }
  learn(packet, segment, flow);
  return { comparison: compareTcp(packet, segment, flow, options), timeUs: live.timeUs };
}

/** Why an event cannot be had from this stack; undefined: it can. */
export function unsupportedIn(action: Action): string | undefined {
  if (action.kind === "unsupported") return action.reason;
  if (action.kind !== "tcp") return undefined;
  if (action.udpEncapsulation !== undefined) return "TCP in UDP";
  for (const option of action.options ?? []) {
    if (option.kind === "md5") return "TCP MD5 signatures (RFC 2385, obsoleted)";
    if (option.kind === "raw" && option.text.startsWith(FOREIGN_OPTION_TEXT)) {
      return `the TCP option ${option.text.slice(FOREIGN_OPTION_TEXT.length)}`;
    }
  }
  return undefined;
}
