/** What a packetdrill script says, as data: the parser's output, the runner's input. */

/** Where something stands in the script; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Script {
  readonly options: readonly ScriptOption[];
  /** The untimed command in front: runs before everything. */
  readonly init: Command | undefined;
  readonly events: readonly ScriptEvent[];
  /** The untimed command at the end: runs whatever happened. */
  readonly cleanup: Command | undefined;
}

/** `--name=value`, without the dashes. */
export interface ScriptOption {
  readonly name: string;
  readonly value: string;
  readonly position: Position;
}

export interface ScriptEvent {
  readonly time: EventTime;
  readonly action: Action;
  readonly position: Position;
}

/** Microseconds. `any` is `*`; `endUs` counts for ranges only, relative to the same base. */
export interface EventTime {
  readonly kind: "absolute" | "relative" | "any" | "absolute-range" | "relative-range";
  readonly startUs: number;
  readonly endUs: number;
}

export type Action = Packet | Call | Command | Code;

export interface Command {
  readonly kind: "command";
  readonly text: string;
  readonly position: Position;
}

export interface Code {
  readonly kind: "code";
  readonly text: string;
  readonly position: Position;
}

export interface Call {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Expression[];
  readonly result: Expression;
  /** Name of the errno that follows `-1`; empty when the script names none. */
  readonly errno: string;
  readonly note: string;
  /** A blocking call's end: absolute, or from the call's start. Undefined: the call may not block. */
  readonly endUs: number | undefined;
  readonly position: Position;
}

export type Expression =
  | { readonly kind: "ellipsis"; readonly position: Position }
  | {
      readonly kind: "int";
      readonly value: number;
      readonly big?: bigint;
      readonly hex: boolean;
      readonly position: Position;
    }
  | {
      readonly kind: "string";
      readonly value: string;
      /** `"abc"...` */
      readonly more: boolean;
      readonly position: Position;
    }
  | { readonly kind: "word"; readonly name: string; readonly position: Position }
  | { readonly kind: "or"; readonly parts: readonly Expression[]; readonly position: Position }
  | { readonly kind: "list"; readonly items: readonly Expression[]; readonly position: Position }
  | { readonly kind: "struct"; readonly items: readonly Expression[]; readonly position: Position }
  | {
      /** `name = value` and `name(args) = value` inside a struct. */
      readonly kind: "field";
      readonly name: string;
      readonly args: readonly Expression[] | undefined;
      readonly value: Expression;
      readonly position: Position;
    }
  | {
      readonly kind: "apply";
      readonly name: string;
      readonly args: readonly Expression[];
      readonly position: Position;
    };

export type Packet = TcpPacket | UdpPacket | IcmpPacket | UnsupportedPacket;

interface PacketBase {
  readonly inbound: boolean;
  readonly ip: IpInfo;
  /** As written, so for an inbound packet the source is the remote side; undefined: the connection's. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
  readonly position: Position;
}

/** What a packet says about its IP header; undefined fields are defaults inbound and unchecked outbound. */
export interface IpInfo {
  /** Whole traffic class. */
  readonly tos: number | undefined;
  /** Upper six bits alone. */
  readonly dscp: number | undefined;
  /** Codepoint 0 to 3; `ect01` is either of 1 and 2 (outbound only). */
  readonly ecn: number | "ect01" | undefined;
  readonly ttl: number | undefined;
  readonly flowLabel: number | undefined;
}

export const NO_IP_INFO: IpInfo = {
  tos: undefined,
  dscp: undefined,
  ecn: undefined,
  ttl: undefined,
  flowLabel: undefined,
};

/** Flag bits as in a TCP header, AE 0x100 included. */
export interface TcpPacket extends PacketBase {
  readonly kind: "tcp";
  readonly flags: number;
  /** Undefined: `...(len)`, any sequence number. */
  readonly sequence: number | undefined;
  /** `seq!`: not relative to an ISN. */
  readonly absolute: boolean;
  readonly payloadLength: number;
  readonly ack: number | undefined;
  readonly ackAbsolute: boolean;
  readonly window: number | undefined;
  readonly urgent: number | undefined;
  /** Undefined: `<...>`, any options. */
  readonly options: readonly TcpOption[] | undefined;
  readonly udpEncapsulation: { readonly source: number; readonly destination: number } | undefined;
}

export type TcpOption =
  | { readonly kind: "nop" | "eol" | "sackOK" }
  | { readonly kind: "mss"; readonly value: number }
  | { readonly kind: "wscale"; readonly value: number }
  | { readonly kind: "sack"; readonly blocks: readonly SackBlock[] }
  | {
      readonly kind: "timestamp";
      /** Undefined: `TS val ...`, not checked. */
      readonly value: number | undefined;
      readonly echo: number;
      /** `ecr N!`: not mapped. */
      readonly echoAbsolute: boolean;
    }
  | {
      readonly kind: "fastopen";
      readonly cookie: Uint8Array;
      readonly experimental: boolean;
    }
  /** Undefined digest: `md5 valid`, computed and checked. */
  | { readonly kind: "md5"; readonly digest: Uint8Array | undefined }
  /** Kind, length and data as they stand on the wire. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array; readonly text: string };

export interface SackBlock {
  readonly left: number;
  readonly right: number;
}

export interface UdpPacket extends PacketBase {
  readonly kind: "udp";
  readonly payloadLength: number;
}

export interface IcmpPacket extends PacketBase {
  readonly kind: "icmp";
  readonly type: string;
  readonly code: string;
  readonly mtu: number | undefined;
  readonly id: number | undefined;
  readonly echoed: EchoedPacket | undefined;
}

/** The packet of ours that an ICMP error quotes. */
export type EchoedPacket =
  | {
      readonly protocol: "tcp";
      readonly sequence: number;
      readonly payloadLength: number;
    }
  | { readonly protocol: "udp"; readonly payloadLength: number };

/** A packet this interpreter understands but the stack has no use for (SCTP, GRE, fuzzing): the script is skipped. */
export interface UnsupportedPacket extends PacketBase {
  readonly kind: "unsupported";
  readonly reason: string;
}

/** A script that cannot be read. `message` begins with line and column. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  readonly position: Position;
  readonly detail: string;

  constructor(position: Position, detail: string) {
    super(`${position.line}:${position.column}: ${detail}`);
    this.position = position;
    this.detail = detail;
  }
}
