/** Packets as packetdrill writes them. */
import type { IpInfo, TcpOption } from "./ast.ts";
import { hexText } from "./tcp-option-parser.ts";

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"];

/** FSRP.UEWA in the order packetdrill prints; `-` for none. */
export function formatFlags(flags: number): string {
  let text = "";
  for (const [bit, letter] of [
    [0x001, "F"],
    [0x002, "S"],
    [0x004, "R"],
    [0x008, "P"],
    [0x010, "."],
    [0x020, "U"],
    [0x040, "E"],
    [0x080, "W"],
    [0x100, "A"],
  ] as const) {
    if ((flags & bit) !== 0) text += letter;
  }
  return text === "" ? "-" : text;
}

export function formatOption(option: TcpOption): string {
  switch (option.kind) {
    case "nop":
    case "eol":
    case "sackOK":
      return option.kind;
    case "mss":
    case "wscale":
      return `${option.kind} ${option.value}`;
    case "sack":
      return `sack ${option.blocks.map(({ left, right }) => `${left}:${right}`).join(" ")}`;
    case "timestamp":
      return `TS val ${option.value ?? "..."} ecr ${option.echo}${option.echoAbsolute ? "!" : ""}`;
    case "fastopen":
      return `${option.experimental ? "FOEXP" : "FO"} ${hexText(option.cookie)}`.trimEnd();
    case "md5":
      return option.digest === undefined ? "md5 valid" : `md5 ${hexText(option.digest)}`;
    case "raw":
      return option.text;
  }
}

export function formatOptions(options: readonly TcpOption[] | undefined): string {
  if (options === undefined) return " <...>";
  return options.length === 0 ? "" : ` <${options.map(formatOption).join(",")}>`;
}

/** What a packet line says; undefined parts are left out. */
export interface PacketLine {
  readonly flags: number;
  readonly sequence: number | undefined;
  readonly absolute?: boolean;
  readonly payloadLength: number;
  readonly ack: number | undefined;
  readonly window: number | undefined;
  readonly urgent: number | undefined;
  readonly options: readonly TcpOption[] | undefined;
}

export function formatTcp(line: PacketLine): string {
  const { sequence, payloadLength: length } = line;
  let text = `${formatFlags(line.flags)} `;
  text +=
    sequence === undefined
      ? `...(${length})`
      : `${sequence}:${(sequence + length) % 2 ** 32}(${length})${line.absolute ? "!" : ""}`;
  if (line.ack !== undefined) text += ` ack ${line.ack}`;
  if (line.window !== undefined) text += ` win ${line.window}`;
  if (line.urgent !== undefined) text += ` urg ${line.urgent}`;
  return text + formatOptions(line.options);
}

/** `[ect0]`, `(ttl 3)`, ... with a blank behind it; empty when nothing is said. */
export function formatIp(ip: IpInfo): string {
  const parts: string[] = [];
  if (ip.tos !== undefined) parts.push(`tos 0x${ip.tos.toString(16).padStart(2, "0")}`);
  if (ip.dscp !== undefined) parts.push(`dscp ${ip.dscp}`);
  if (ip.ecn !== undefined) parts.push(ip.ecn === "ect01" ? "ect01" : ECN_NAMES[ip.ecn]!);
  if (ip.flowLabel !== undefined) parts.push(`flowlabel 0x${ip.flowLabel.toString(16)}`);
  if (ip.ttl !== undefined) parts.push(`ttl ${ip.ttl}`);
  return parts.length === 0 ? "" : `[${parts.join(",")}] `;
}

/** Seconds with six places, as packetdrill prints times. */
export function formatTime(us: number): string {
  return (us / 1e6).toFixed(6);
}
