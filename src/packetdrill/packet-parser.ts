/** The packets of a script: `< S 0:0(0) win 1000 <mss 1460>` and its kin. */
import {
  type EchoedPacket,
  type IpInfo,
  NO_IP_INFO,
  type Packet,
  type Position,
  type TcpPacket,
} from "./ast.ts";
import { parseTcpOptionList } from "./tcp-option-parser.ts";
import type { TokenStream } from "./token-stream.ts";

const U16 = 0xffff;
const U32 = 0xffffffff;

/** Protocols and layers that scripts may name and that end in a skip. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  sctp: "SCTP packets",
  udplite: "UDP-Lite packets",
  gre: "GRE encapsulation",
  GREv0: "GRE encapsulation",
  mpls: "MPLS encapsulation",
  ipv4: "IP in IP encapsulation",
  ipv6: "IP in IP encapsulation",
  raw: "raw payloads",
  psp: "PSP encapsulation",
  mut: "fuzzing",
  trun: "fuzzing",
  ins: "fuzzing",
};

const FLAG_BITS: Readonly<Record<string, number>> = {
  F: 0x001,
  S: 0x002,
  R: 0x004,
  P: 0x008,
  ".": 0x010,
  U: 0x020,
  E: 0x040,
  W: 0x080,
  A: 0x100,
};

const DSCP_NAMES: Readonly<Record<string, number>> = {
  le: 1,
  ef: 46,
  "voice-admit": 44,
  voice_admit: 44,
};

export function parsePacket(stream: TokenStream): Packet {
  const position = stream.position();
  const inbound = stream.next().text === "<";
  const base = { inbound, position, sourcePort: undefined, destinationPort: undefined };
  let echoed = parseEchoed(stream);
  const ip = echoed === undefined ? parseIpInfo(stream) : NO_IP_INFO;
  // Older scripts quote the packet in front: `< [1:1(0)] icmp ...`.
  echoed ??= parseEchoed(stream);
  const unsupported = stream.atWord() ? UNSUPPORTED[stream.peek().text] : undefined;
  if (unsupported !== undefined) return skipPacket(stream, { ...base, ip }, unsupported);
  const ports = parsePorts(stream);
  if (stream.atWord("icmp")) return parseIcmp(stream, { ...base, ip }, echoed);
  if (echoed !== undefined) return stream.fail(`expected 'icmp', got ${stream.describe()}`);
  if (stream.atWord("udp") && stream.atChar("(", 1)) {
    stream.next();
    return { kind: "udp", ...base, ip, ...ports, payloadLength: parseUdpLength(stream) };
  }
  const late = stream.atWord() ? UNSUPPORTED[stream.peek().text] : undefined;
  if (late !== undefined) return skipPacket(stream, { ...base, ip }, late);
  const packet = parseTcp(stream, { ...base, ...ports, ip });
  const mutation = stream.atWord() ? UNSUPPORTED[stream.peek().text] : undefined;
  return mutation === undefined ? packet : skipPacket(stream, { ...base, ip }, mutation);
}

/** To the next thing that can begin an event: a time, first on its line. */
function skipPacket(
  stream: TokenStream,
  base: Pick<TcpPacket, "inbound" | "position" | "ip" | "sourcePort" | "destinationPort">,
  reason: string,
): Packet {
  let line = stream.peek().line;
  while (!stream.at("end")) {
    const token = stream.peek();
    if (token.line > line) {
      const starts = ["int", "float", "command"].includes(token.kind);
      if (starts || stream.atChar("+") || stream.atChar("*")) break;
    }
    line = token.line;
    stream.next();
  }
  return { kind: "unsupported", ...base, reason };
}

function parsePorts(stream: TokenStream) {
  if (!stream.at("int") || !stream.atChar(">", 1)) {
    return { sourcePort: undefined, destinationPort: undefined };
  }
  const sourcePort = stream.integer("a source port", U16);
  stream.expectChar(">", "between the ports");
  return { sourcePort, destinationPort: stream.integer("a destination port", U16) };
}

/** `[ect0]`, `(ttl 3)`, `(tos 0x10, ttl 64)`, `(ef, ecn ce)`, ... in any order. */
function parseIpInfo(stream: TokenStream): IpInfo {
  const close = stream.atChar("[") ? "]" : stream.atChar("(") ? ")" : undefined;
  if (close === undefined) return NO_IP_INFO;
  stream.next();
  const info: { -readonly [K in keyof IpInfo]: IpInfo[K] } = { ...NO_IP_INFO };
  do parseIpItem(stream, info);
  while (stream.takeChar(","));
  stream.expectChar(close, "after the IP fields");
  return info;
}

function parseIpItem(
  stream: TokenStream,
  info: { -readonly [K in keyof IpInfo]: IpInfo[K] },
): void {
  const position = stream.position();
  let name = stream.expectWord("an IP field").text;
  if (name === "voice" && stream.takeChar("-")) name = `voice-${stream.next().text}`;
  const ecn = ecnOf(name);
  if (ecn !== undefined) {
    info.ecn = ecn;
    return;
  }
  const dscp = dscpOf(name);
  if (dscp !== undefined) {
    info.dscp = dscp;
    return;
  }
  switch (name) {
    case "tos":
    case "class":
      info.tos = stream.integer("a traffic class", 255);
      return;
    case "dscp": {
      const word = stream.take("word");
      info.dscp = word === undefined ? stream.integer("a DSCP", 63) : dscpOf(word.text);
      if (info.dscp === undefined) stream.fail(`unknown DSCP '${word?.text}'`);
      return;
    }
    case "ecn": {
      const codepoint = ecnOf(stream.expectWord("an ECN codepoint").text);
      if (codepoint === undefined) stream.fail("unknown ECN codepoint");
      info.ecn = codepoint;
      return;
    }
    case "ttl":
    case "hlim":
      info.ttl = stream.integer(`the ${name}`, 255);
      return;
    case "flowlabel":
      info.flowLabel = stream.integer("the flow label", 0xfffff);
      return;
    default:
      failAt(stream, position, `unknown IP field '${name}'`);
  }
}

function failAt(stream: TokenStream, position: Position, detail: string): never {
  try {
    return stream.fail(detail);
  } catch (error) {
    Object.assign(error as object, {
      position,
      message: `${position.line}:${position.column}: ${detail}`,
    });
    throw error;
  }
}

function ecnOf(name: string): number | "ect01" | undefined {
  if (name === "ect01") return name;
  const codepoint = ["noecn", "ect1", "ect0", "ce"].indexOf(name);
  return codepoint < 0 ? undefined : codepoint;
}

function dscpOf(name: string): number | undefined {
  const selector = /^cs([0-7])$/.exec(name);
  if (selector !== null) return Number(selector[1]) << 3;
  const assured = /^af([1-4])([1-3])$/.exec(name);
  if (assured !== null) return (Number(assured[1]) << 3) | (Number(assured[2]) << 1);
  return DSCP_NAMES[name];
}

function parseTcp(
  stream: TokenStream,
  base: Pick<TcpPacket, "inbound" | "position" | "ip" | "sourcePort" | "destinationPort">,
): TcpPacket {
  const flags = parseFlags(stream);
  const range = parseSequence(stream);
  const ack = parseNumber(stream, "ack", U32);
  const ackAbsolute = ack !== undefined && stream.takeChar("!");
  const window = parseNumber(stream, "win", U16);
  const urgent = parseNumber(stream, "urg", U16);
  const options = parseTcpOptionList(stream);
  let udpEncapsulation: TcpPacket["udpEncapsulation"];
  if (stream.takeChar("/")) {
    if (!stream.take("word", "udp")) stream.fail("expected 'udp' after '/'");
    stream.expectChar("(", "after '/udp'");
    const source = stream.integer("a source port", U16);
    stream.expectChar(">", "between the ports");
    udpEncapsulation = { source, destination: stream.integer("a destination port", U16) };
    stream.expectChar(")", "after the ports");
  }
  return {
    kind: "tcp",
    ...base,
    flags,
    ...range,
    ack,
    ackAbsolute,
    window,
    urgent,
    options,
    udpEncapsulation,
  };
}

/** `name n`, `name ...` and nothing at all; only a number is checked. */
function parseNumber(stream: TokenStream, name: string, limit: number): number | undefined {
  if (!stream.take("word", name)) return undefined;
  if (stream.take("ellipsis")) return undefined;
  return stream.integer(`a number after '${name}'`, limit);
}

/** `SEW`, `P.`, `.`, `-`; with Accurate ECN a digit for the three bits: `.5`. */
function parseFlags(stream: TokenStream): number {
  if (stream.takeChar("-")) return 0;
  const position = stream.position();
  let text = "";
  const word = stream.take("word");
  if (word !== undefined) text = word.text;
  const adjacent = word === undefined || stream.peek().start === word.end;
  if (adjacent && stream.takeChar(".")) text += ".";
  else if (adjacent && stream.at("float") && /^\.[0-7]$/.test(stream.peek().text)) {
    text += stream.next().text;
  }
  if (text === "") return stream.fail(`expected TCP flags, got ${stream.describe()}`);
  let flags = 0;
  for (const letter of text) {
    const bit = FLAG_BITS[letter];
    if (bit !== undefined) flags |= bit;
    else if (letter >= "0" && letter <= "7") flags |= Number(letter) << 6;
    else failAt(stream, position, `'${text}' are not TCP flags: ${letter} is none of FSRP.UEWA`);
  }
  return flags;
}

function parseSequence(stream: TokenStream) {
  const position = stream.position();
  if (stream.take("ellipsis")) {
    const payloadLength = parenthesized(stream, "a payload length", U16);
    return { sequence: undefined, absolute: false, payloadLength };
  }
  const sequence = stream.integer("a sequence number", U32);
  let absolute = stream.takeChar("!");
  stream.expectChar(":", "after the first sequence number");
  const end = stream.integer("a sequence number", 2 * U32);
  if (stream.takeChar("!")) absolute = true;
  const payloadLength = parenthesized(stream, "a payload length", U16);
  if (stream.takeChar("!")) absolute = true;
  if (end % 2 ** 32 !== (sequence + payloadLength) % 2 ** 32) {
    const sum = sequence + payloadLength;
    failAt(stream, position, `${sequence}:${end}(${payloadLength}): the end must be ${sum}`);
  }
  return { sequence, absolute, payloadLength };
}

function parenthesized(stream: TokenStream, what: string, limit: number): number {
  stream.expectChar("(", `before ${what}`);
  const value = stream.integer(what, limit);
  stream.expectChar(")", `after ${what}`);
  return value;
}

function parseUdpLength(stream: TokenStream): number {
  return parenthesized(stream, "a payload length", U16);
}

/** `[1:1461(1460)]` or `[udp (100)]`, if that is what stands here. */
function parseEchoed(stream: TokenStream): EchoedPacket | undefined {
  if (!stream.atChar("[")) return undefined;
  const udp = stream.atWord("udp", 1);
  if (!udp && !(stream.at("int", undefined, 1) && stream.atChar(":", 2))) return undefined;
  stream.next();
  let echoed: EchoedPacket;
  if (udp) {
    stream.next();
    echoed = { protocol: "udp", payloadLength: parseUdpLength(stream) };
  } else {
    const { sequence, payloadLength } = parseSequence(stream);
    echoed = { protocol: "tcp", sequence: sequence ?? 0, payloadLength };
  }
  stream.expectChar("]", "after the quoted packet");
  return echoed;
}

function parseIcmp(
  stream: TokenStream,
  base: Pick<TcpPacket, "inbound" | "position" | "ip" | "sourcePort" | "destinationPort">,
  early: EchoedPacket | undefined,
): Packet {
  stream.next();
  const type = stream.expectWord("an ICMP type").text;
  let code = "";
  let mtu: number | undefined;
  let id: number | undefined;
  let echoed = early;
  for (;;) {
    if (stream.take("word", "mtu")) mtu = stream.integer("an MTU", U32);
    else if (stream.take("word", "id")) id = stream.integer("an identifier", U16);
    else if (stream.atWord("raw")) return skipPacket(stream, base, "raw payloads");
    else if (stream.atWord() && code === "") code = stream.next().text;
    else if (stream.atChar("[") && echoed === undefined) {
      echoed = parseEchoed(stream);
      if (echoed === undefined) stream.fail("expected a quoted packet, as in [1:1461(1460)]");
    } else break;
  }
  return { kind: "icmp", ...base, type, code, mtu, id, echoed };
}
