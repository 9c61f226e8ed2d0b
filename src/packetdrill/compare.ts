/** Outbound packets: what the script expects against what the stack sent, in the script's numbers. */
import { ACK, FIN, PSH, RST, SYN } from "../wire/tcp.ts";
import type { IcmpPacket, IpInfo, TcpOption, TcpPacket, UdpPacket } from "./ast.ts";
import type { Flow } from "./flow.ts";
import { formatIp, formatOptions, formatTcp } from "./format.ts";
import { icmpNumbers, icmpWords } from "./icmp-names.ts";
import type { LiveIcmp, LiveIp, LivePacket, LiveTcp, LiveUdp } from "./live-packet.ts";

export interface CompareOptions {
  /** Do not look at PSH of segments with data. */
  readonly ignorePush: boolean;
  /** Microseconds of one timestamp tick, to check timestamps with; 0: they are not checked. */
  readonly timestampTickUs: number;
  readonly toleranceUs: number;
  /** Added to every window before it is compared; for suites' known leniencies. */
  readonly ignoreWindow?: boolean;
}

export interface Comparison {
  /** What differs, in words; empty: it is the packet. */
  readonly differences: readonly string[];
  readonly expected: string;
  readonly actual: string;
}

/** A segment in the script's space. */
interface ScriptView {
  readonly flags: number;
  readonly sequence: number;
  readonly ack: number;
  readonly window: number;
  readonly urgent: number;
  readonly payloadLength: number;
  readonly options: readonly TcpOption[];
}

/**
 * Learns from a segment before it is compared: its ISN if it is the flow's first SYN, the pair of
 * timestamps, the port the stack chose.
 */
export function learn(expected: TcpPacket, live: LiveTcp, flow: Flow): void {
  if ((live.flags & SYN) !== 0 && flow.localIsn === undefined && !flow.isStray) {
    flow.localIsn = live.sequence;
  }
  if ((live.flags & (SYN | RST | ACK)) === ACK) flow.established = true;
  const script = timestampOf(expected.options);
  const actual = timestampOf(live.options);
  if (script?.value !== undefined && actual?.value !== undefined) {
    flow.learnTimestamp(script.value, actual.value);
  }
}

export function compareTcp(
  expected: TcpPacket,
  live: LiveTcp,
  flow: Flow,
  options: CompareOptions,
): Comparison {
  const actual = toScript(live, flow, expected);
  const differences: string[] = [];
  if (live.fault !== undefined) differences.push(live.fault);
  compareIp(expected.ip, live, differences);
  let mask = 0x1ff;
  if (options.ignorePush && live.payloadLength > 0) mask &= ~PSH;
  if ((expected.flags & mask) !== (actual.flags & mask)) differences.push("flags");
  if (expected.sequence !== undefined && expected.sequence !== actual.sequence) {
    differences.push("sequence number");
  }
  if (expected.payloadLength !== actual.payloadLength) differences.push("payload length");
  if ((expected.ack ?? 0) !== actual.ack) differences.push("acknowledgment number");
  if (expected.window !== undefined && expected.window !== actual.window && !options.ignoreWindow) {
    differences.push("window");
  }
  if ((expected.urgent ?? 0) !== actual.urgent) differences.push("urgent pointer");
  if (expected.options !== undefined) {
    compareOptions(expected.options, actual.options, options, differences);
  }
  comparePorts(expected, live, flow, differences);
  return {
    differences,
    expected: formatIp(expected.ip) + formatTcp(expected),
    actual:
      formatIp(ipSaid(expected.ip, live)) +
      formatTcp({
        ...actual,
        ack: actual.ack === 0 && (actual.flags & ACK) === 0 ? undefined : actual.ack,
        urgent: actual.urgent === 0 ? undefined : actual.urgent,
      }),
  };
}

/** Live numbers as the script would write them. */
function toScript(live: LiveTcp, flow: Flow, expected: TcpPacket | undefined): ScriptView {
  const syn = (live.flags & SYN) !== 0;
  const hasAck = (live.flags & ACK) !== 0;
  // What a bare SYN or RST has in its acknowledgment field is 0, and stays what it is.
  const ack =
    !hasAck || syn || expected?.ackAbsolute ? live.ack >>> 0 : flow.scriptRemote(live.ack);
  return {
    flags: live.flags,
    sequence: expected?.absolute ? live.sequence >>> 0 : flow.scriptLocal(live.sequence),
    ack,
    window: live.window,
    urgent: live.urgent,
    payloadLength: live.payloadLength,
    options: live.options.map((option) => scriptOption(option, flow)),
  };
}

/** A segment without a script line to compare it with, for messages. */
export function describeTcp(live: LiveTcp, flow: Flow): string {
  const view = toScript(live, flow, undefined);
  return formatTcp({
    ...view,
    ack: (view.flags & ACK) === 0 ? undefined : view.ack,
    urgent: view.urgent === 0 ? undefined : view.urgent,
  });
}

/** Any packet of the stack, for a transcript. */
export function describeLive(live: LivePacket, flow: Flow | undefined): string {
  switch (live.kind) {
    case "tcp":
      if (flow !== undefined) return describeTcp(live, flow);
      return `${formatTcp({ ...live, sequence: live.sequence >>> 0, ack: live.ack >>> 0, urgent: undefined })} (no conversation of the script)`;
    case "udp":
      return `udp (${live.payloadLength})`;
    case "icmp":
      return `icmp ${icmpWords(live.isIpv4, live.type, live.code)}`;
    case "other":
      return `protocol ${live.protocol}`;
  }
}

function scriptOption(option: TcpOption, flow: Flow): TcpOption {
  if (option.kind === "sack") {
    return {
      kind: "sack",
      blocks: option.blocks.map(({ left, right }) => ({
        left: flow.scriptRemote(left),
        right: flow.scriptRemote(right),
      })),
    };
  }
  if (option.kind === "timestamp") {
    return { ...option, value: flow.scriptTimestamp(option.value ?? 0) };
  }
  return option;
}

function compareOptions(
  expected: readonly TcpOption[],
  actual: readonly TcpOption[],
  options: CompareOptions,
  differences: string[],
): void {
  const script = timestampOf(expected);
  const live = timestampOf(actual);
  let comparable = actual;
  if (script !== undefined && live !== undefined) {
    if (script.value !== undefined && options.timestampTickUs > 0) {
      const ticks = Math.abs(((live.value ?? 0) - script.value) | 0);
      if (ticks * options.timestampTickUs > options.toleranceUs) differences.push("timestamp");
    }
    // Its own check is done, so that everything else can be compared as it stands.
    comparable = actual.map((o) => (o === live ? { ...o, value: script.value } : o));
  }
  const plain = (list: readonly TcpOption[]) =>
    formatOptions(list.map((o) => (o.kind === "timestamp" ? { ...o, echoAbsolute: false } : o)));
  if (plain(expected) !== plain(comparable)) differences.push("TCP options");
}

function timestampOf(options: readonly TcpOption[] | undefined) {
  for (const option of options ?? []) if (option.kind === "timestamp") return option;
  return undefined;
}

function compareIp(expected: IpInfo, live: LiveIp, differences: string[]): void {
  if (expected.tos !== undefined && expected.tos !== live.tos) differences.push("traffic class");
  if (expected.dscp !== undefined && expected.dscp !== live.tos >>> 2) differences.push("DSCP");
  const ecn = live.tos & 3;
  if (expected.ecn === "ect01" ? ecn !== 1 && ecn !== 2 : (expected.ecn ?? ecn) !== ecn) {
    differences.push("ECN codepoint");
  }
  if (expected.ttl !== undefined && expected.ttl !== live.ttl) differences.push("time to live");
  if (expected.flowLabel !== undefined && expected.flowLabel !== live.flowLabel) {
    differences.push("flow label");
  }
}

/** The fields of a live header that the script speaks of. */
function ipSaid(expected: IpInfo, live: LiveIp): IpInfo {
  return {
    tos: expected.tos === undefined ? undefined : live.tos,
    dscp: expected.dscp === undefined ? undefined : live.tos >>> 2,
    ecn: expected.ecn === undefined ? undefined : live.tos & 3,
    ttl: expected.ttl === undefined ? undefined : live.ttl,
    flowLabel: expected.flowLabel === undefined ? undefined : live.flowLabel,
  };
}

/** Ports the script names are names for live ones: the first packet binds them. */
function comparePorts(
  expected: TcpPacket | UdpPacket,
  live: LiveTcp | LiveUdp,
  flow: Flow,
  differences: string[],
): void {
  if (expected.sourcePort !== undefined) {
    flow.scriptLocalPort ??= expected.sourcePort;
    if (flow.scriptLocalPort !== expected.sourcePort) differences.push("source port");
  }
  if (expected.destinationPort !== undefined) {
    flow.scriptRemotePort ??= expected.destinationPort;
    if (flow.scriptRemotePort !== expected.destinationPort) differences.push("destination port");
  }
  if (live.sourcePort !== flow.localPort || live.destinationPort !== flow.remotePort) {
    differences.push("ports");
  }
}

export function compareUdp(expected: UdpPacket, live: LiveUdp, flow: Flow): Comparison {
  const differences: string[] = [];
  if (live.fault !== undefined) differences.push(live.fault);
  compareIp(expected.ip, live, differences);
  if (expected.payloadLength !== live.payloadLength) differences.push("payload length");
  comparePorts(expected, live, flow, differences);
  return {
    differences,
    expected: `${formatIp(expected.ip)}udp (${expected.payloadLength})`,
    actual: `${formatIp(ipSaid(expected.ip, live))}udp (${live.payloadLength})`,
  };
}

export function compareIcmp(expected: IcmpPacket, live: LiveIcmp): Comparison {
  const differences: string[] = [];
  compareIp(expected.ip, live, differences);
  const numbers = icmpNumbers(live.isIpv4, expected.type, expected.code);
  if (numbers?.type !== live.type) differences.push("ICMP type");
  else if (numbers.code !== live.code) differences.push("ICMP code");
  if (expected.mtu !== undefined && expected.mtu !== (live.rest & 0xffff)) differences.push("MTU");
  if (expected.id !== undefined && expected.id !== live.rest >>> 16) differences.push("identifier");
  return {
    differences,
    expected: `icmp ${expected.type} ${expected.code}`.trimEnd(),
    actual: `icmp ${icmpWords(live.isIpv4, live.type, live.code)}`,
  };
}

/**
 * One segment as offload would show two: `later` continues `first` in the same burst. Undefined:
 * it does not.
 */
export function merge(first: LiveTcp, later: LiveTcp): LiveTcp | undefined {
  const closing = FIN | SYN | RST;
  if (first.payloadLength === 0 || later.payloadLength === 0 || (first.flags & closing) !== 0) {
    return undefined;
  }
  const same =
    later.timeUs === first.timeUs &&
    later.sequence === ((first.sequence + first.payloadLength) | 0) &&
    later.ack === first.ack &&
    later.window === first.window &&
    later.tos === first.tos &&
    ((first.flags ^ later.flags) & ~(PSH | FIN)) === 0 &&
    formatOptions(first.options) === formatOptions(later.options);
  if (!same) return undefined;
  return {
    ...first,
    flags: first.flags | later.flags,
    payloadLength: first.payloadLength + later.payloadLength,
    fault: first.fault ?? later.fault,
  };
}
