/** What is written on the arrow of a packet. */
import { ACK, FIN, PSH, RST, SYN } from "../../wire/tcp.ts";
import type { TcpHeader } from "../../wire/tcp-fields.ts";
import type { TcpOption } from "../../wire/tcp-options-fields.ts";
import { describeAt } from "../../wire/description.ts";
import { type DecodedFrame, decodeFrame } from "../../wire/frame-fields.ts";
import { flagNames } from "../names.ts";

export interface LabelOptions {
  /** Sequence numbers from the connection's first one instead of those on the wire. */
  readonly relative: boolean;
  /** "syn": those of SYN segments and SACK blocks; "all": timestamps of every segment too. */
  readonly options: "none" | "syn" | "all";
}

export interface Label {
  readonly protocol: string;
  readonly head: string;
  readonly numbers: string;
  readonly options: string;
}

/** What is known of one direction of a connection. */
interface Way {
  first: number;
  shift: number;
  hasScale: boolean;
}

/** Writes labels; remembers each connection's first numbers and window scales. */
export class Labeler {
  private readonly style: LabelOptions;
  private readonly ways = new Map<string, Way>();

  constructor(style: LabelOptions) {
    this.style = style;
  }

  label(bytes: Uint8Array, medium: "ethernet" | "ip"): Label & { frame: DecodedFrame } {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frame = decodeFrame(view, 0, bytes.length, medium);
    if (frame.tcp !== undefined && frame.source !== undefined) {
      return { ...this.tcp(frame, frame.tcp), frame };
    }
    return { ...plain(describeAt(view, 0, bytes.length, medium), frame), frame };
  }

  private tcp(frame: DecodedFrame, tcp: TcpHeader): Label {
    const from = `${frame.source}:${tcp.sourcePort}`;
    const to = `${frame.destination}:${tcp.destinationPort}`;
    const way = this.way(`${from}>${to}`);
    const back = this.way(`${to}>${from}`);
    const isSyn = (tcp.flags & SYN) !== 0;
    if (isSyn || way.first < 0) way.first = (tcp.sequence - (isSyn ? 0 : 1)) >>> 0;
    if (back.first < 0 && (tcp.flags & ACK) !== 0) back.first = (tcp.acknowledgment - 1) >>> 0;
    if (isSyn) {
      const scale = tcp.options.find((o) => o.kind === "wscale");
      way.hasScale = scale !== undefined;
      way.shift = scale?.kind === "wscale" ? Math.min(14, scale.shift) : 0;
    }
    const scaled = !isSyn && way.hasScale && back.hasScale;
    const { relative } = this.style;
    const seq = (tcp.sequence - (relative ? way.first : 0)) >>> 0;
    const numbers = [`seq=${seq}`];
    if ((tcp.flags & ACK) !== 0) {
      numbers.push(`ack=${(tcp.acknowledgment - (relative ? back.first : 0)) >>> 0}`);
    }
    if (tcp.payloadLength > 0) numbers.push(`len=${tcp.payloadLength}`);
    if ((tcp.flags & RST) === 0) {
      numbers.push(`win=${scaled ? tcp.rawWindow << way.shift : tcp.rawWindow}`);
    }
    return {
      protocol: "tcp",
      head: headOf(tcp.flags),
      numbers: numbers.join(" "),
      options: this.options(tcp, relative ? back.first : 0),
    };
  }

  private options(tcp: TcpHeader, ackBase: number): string {
    const { options } = this.style;
    if (options === "none") return "";
    const all = options === "all" || (tcp.flags & SYN) !== 0;
    const texts: string[] = [];
    for (const option of tcp.options) {
      if (!all && option.kind !== "sack") continue;
      const text = optionText(option, ackBase);
      if (text !== "") texts.push(text);
    }
    return texts.length === 0 ? "" : `<${texts.join(", ")}>`;
  }

  private way(key: string): Way {
    let way = this.ways.get(key);
    if (way === undefined) {
      way = { first: -1, shift: 0, hasScale: false };
      this.ways.set(key, way);
    }
    return way;
  }
}

/** "SYN", "SYN+ACK", "ACK", "FIN+ACK", "PSH+ACK". */
function headOf(flags: number): string {
  const names = flagNames(flags & ~(ACK | PSH));
  if ((flags & PSH) !== 0) names.push("PSH");
  if ((flags & ACK) !== 0) names.push("ACK");
  void FIN;
  return names.join("+") || "no flags";
}

function optionText(option: TcpOption, ackBase: number): string {
  switch (option.kind) {
    case "mss":
      return `mss ${option.mss}`;
    case "wscale":
      return `wscale ${option.shift}`;
    case "sackOK":
      return "sackOK";
    case "sack":
      return `sack ${option.blocks.map(([l, r]) => `${(l - ackBase) >>> 0}-${(r - ackBase) >>> 0}`).join(" ")}`;
    case "timestamps":
      return `ts ${option.val >>> 0} ecr ${option.ecr >>> 0}`;
    case "fastOpen":
      return option.cookie.length === 0 ? "fast open?" : "fast open cookie";
    default:
      return "";
  }
}

/** The line of `describeAt`, without the addresses that the columns show already. */
function plain(line: string, frame: DecodedFrame): Label {
  const none = { numbers: "", options: "" };
  if (frame.arp !== undefined) {
    return { protocol: "arp", head: line.replace(/, length 28$/, ""), ...none };
  }
  const colon = line.indexOf(": ");
  const text = colon < 0 ? line : line.slice(colon + 2);
  if (frame.udp !== undefined) {
    const { sourcePort, destinationPort } = frame.udp;
    const head = text.startsWith("UDP") ? "UDP" : `DNS ${text}`;
    const numbers = text.startsWith("UDP")
      ? `${sourcePort} > ${destinationPort} len=${frame.payloadLength}`
      : "";
    return { protocol: text.startsWith("UDP") ? "udp" : "dns", head, numbers, options: "" };
  }
  const protocol = frame.icmp !== undefined ? "icmp" : frame.protocol >= 0 ? "ip" : "link";
  return { protocol, head: text.replace(/^ICMP6?,? /, "ICMP "), ...none };
}
