/** What can be said of the TCP connections in a capture, whoever captured it. */
import type { PacketLog } from "../packet-log.ts";
import { ACK, FIN, RST, SYN } from "../../wire/tcp.ts";
import { TCP_HEADER } from "../../wire/tcp.ts";
import { OPTION_MSS, OPTION_SACK, OPTION_WINDOW_SCALE } from "../../wire/tcp-options.ts";
import { addressText, readPacket, type TcpPacket } from "./packets.ts";
import { Sender } from "./sender.ts";

/** One direction of a connection. */
export interface DirectionSummary {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  /** Payload, retransmissions included, and without. */
  readonly bytes: number;
  readonly streamBytes: number;
  readonly mss: number | undefined;
  readonly windowScale: number | undefined;
  /** Sent again: after a timeout, after duplicate ACKs or SACK, needlessly (it had been acknowledged), SYN or FIN. */
  readonly retransmissions: {
    readonly timeout: number;
    readonly fast: number;
    readonly spurious: number;
    readonly handshake: number;
  };
  readonly keepAlives: number;
  readonly windowProbes: number;
  readonly duplicateAcks: number;
  readonly outOfOrder: number;
  /** How long this side announced a closed window, microseconds. */
  readonly zeroWindowUs: number;
  /** Time between a segment and its ACK as seen where it was captured, microseconds. */
  readonly rtt: { readonly samples: number; readonly minUs: number; readonly meanUs: number; readonly maxUs: number };
  /** Stream bytes per second between the first and the last data. */
  readonly bytesPerSecond: number;
}

export interface ConnectionSummary {
  readonly id: number;
  /** Who opened it; the side with the higher port when the SYN is not in the capture. */
  readonly client: string;
  readonly server: string;
  readonly startUs: number;
  readonly endUs: number;
  /** From the first SYN to the ACK that ends the handshake; undefined: not in the capture. */
  readonly handshakeUs: number | undefined;
  /** "closed", "reset", "open" */
  readonly end: "closed" | "reset" | "open";
  /** client to server, server to client */
  readonly directions: readonly [DirectionSummary, DirectionSummary];
}

/** Points of a connection for plots: microseconds and values. */
export interface ConnectionSeries {
  /** Segments of one direction: time, sequence number from the start, length, whether it was sent again. */
  readonly segments: readonly { timeUs: number; seq: number; length: number; again: boolean }[];
  readonly acks: readonly { timeUs: number; seq: number }[];
  /** The right edge that the receiver allowed. */
  readonly window: readonly { timeUs: number; seq: number }[];
  readonly inFlight: readonly { timeUs: number; bytes: number }[];
  readonly rtt: readonly { timeUs: number; us: number }[];
}

export interface AnalyzedConnection {
  readonly summary: ConnectionSummary;
  /** Of client to server and back; made when asked for. */
  series(direction: 0 | 1): ConnectionSeries;
}

class Flow {
  readonly id: number;
  readonly startUs: number;
  endUs: number;
  readonly a: Sender;
  readonly b: Sender;
  isClientKnown: boolean;
  synUs = -1;
  synAckUs = -1;
  handshakeUs: number | undefined;
  wasReset = false;
  private readonly sum: (key: Sender) => DirectionSummary;

  constructor(id: number, first: TcpPacket, timeUs: number) {
    this.id = id;
    this.startUs = timeUs;
    this.endUs = timeUs;
    const isSynAck = (first.flags & (SYN | ACK)) === (SYN | ACK);
    const isSyn = (first.flags & SYN) !== 0 && !isSynAck;
    this.isClientKnown = isSyn || isSynAck;
    const swap = isSynAck || (!isSyn && first.sourcePort < first.destinationPort);
    const source = endpoint(first, true);
    const target = endpoint(first, false);
    this.a = new Sender(swap ? target : source, swap ? source : target);
    this.b = new Sender(swap ? source : target, swap ? target : source);
    this.sum = (sender) => summaryOf(sender);
  }

  take(packet: TcpPacket, timeUs: number): void {
    this.endUs = timeUs;
    const from = endpoint(packet, true) === this.a.from ? this.a : this.b;
    const to = from === this.a ? this.b : this.a;
    const { flags } = packet;
    if ((flags & RST) !== 0) this.wasReset = true;
    if ((flags & SYN) !== 0) {
      if ((flags & ACK) === 0 && this.synUs < 0) this.synUs = timeUs;
      if ((flags & ACK) !== 0 && this.synAckUs < 0) this.synAckUs = timeUs;
      from.windowScale = packet.windowScale < 0 ? undefined : packet.windowScale;
      from.mss = packet.mss < 0 ? undefined : packet.mss;
    } else if (this.handshakeUs === undefined && this.synUs >= 0 && this.synAckUs >= 0 && from === this.a) {
      this.handshakeUs = timeUs - this.synUs;
    }
    const scaled = (flags & SYN) === 0 && from.windowScale !== undefined && to.windowScale !== undefined;
    const window = scaled ? packet.rawWindow << from.windowScale! : packet.rawWindow;
    from.send(packet, timeUs);
    if ((flags & ACK) !== 0) to.acknowledged(packet, timeUs, window);
    from.announced(window, timeUs, (flags & (SYN | RST)) !== 0);
  }

  summary(): ConnectionSummary {
    return {
      id: this.id,
      client: this.a.from,
      server: this.b.from,
      startUs: this.startUs,
      endUs: this.endUs,
      handshakeUs: this.handshakeUs,
      end: this.wasReset ? "reset" : this.a.finAcked && this.b.finAcked ? "closed" : "open",
      directions: [this.sum(this.a), this.sum(this.b)],
    };
  }
}

function endpoint(packet: TcpPacket, source: boolean): string {
  return source
    ? addressText(packet.sourceAddress, packet.sourcePort)
    : addressText(packet.destinationAddress, packet.destinationPort);
}

function summaryOf(sender: Sender): DirectionSummary {
  const { rttCount, rttSumUs, rttMinUs, rttMaxUs } = sender;
  const seconds = (sender.lastDataUs - sender.firstDataUs) / 1e6;
  return {
    from: sender.from,
    to: sender.to,
    packets: sender.packets,
    bytes: sender.bytes,
    streamBytes: sender.streamBytes,
    mss: sender.mss,
    windowScale: sender.windowScale,
    retransmissions: { ...sender.again },
    keepAlives: sender.keepAlives,
    windowProbes: sender.windowProbes,
    duplicateAcks: sender.duplicateAcks,
    outOfOrder: sender.outOfOrder,
    zeroWindowUs: sender.zeroWindowUs,
    rtt: {
      samples: rttCount,
      minUs: rttCount === 0 ? 0 : rttMinUs,
      meanUs: rttCount === 0 ? 0 : rttSumUs / rttCount,
      maxUs: rttMaxUs,
    },
    bytesPerSecond: seconds > 0 ? sender.streamBytes / seconds : 0,
  };
}

/**
 * All TCP connections of a capture, in the order of their first packet. Where
 * both ends of a cable were captured, each packet counts once: where it left.
 */
export function analyzeConnections(log: PacketLog): AnalyzedConnection[] {
  const flows = new Map<string, Flow>();
  const all: Flow[] = [];
  const sentSomewhere = new Set<number>();
  for (let i = 0; i < log.interfaces.length; i++) sentSomewhere.add(i);
  const hasDirections = hasBothEnds(log);
  for (let i = 0; i < log.count; i++) {
    if (hasDirections && log.direction(i) === "in") continue;
    const bytes = log.bytes(i);
    const medium = log.interfaces[log.interfaceId(i)].medium;
    const packet = readPacket(bytes, medium, log.originalLength(i));
    if (packet === undefined) continue;
    const timeUs = log.timeUs(i);
    const key = flowKey(packet);
    let flow = flows.get(key);
    const isNewSyn = (packet.flags & (SYN | ACK)) === SYN && flow !== undefined && isOver(flow);
    if (flow === undefined || isNewSyn) {
      flow = new Flow(all.length + 1, packet, timeUs);
      flows.set(key, flow);
      all.push(flow);
    }
    flow.take(packet, timeUs);
  }
  return all.map((flow) => ({
    summary: flow.summary(),
    series: (direction) => (direction === 0 ? flow.a : flow.b).series(),
  }));
}

function isOver(flow: Flow): boolean {
  return flow.wasReset || (flow.a.finAcked && flow.b.finAcked);
}

/** Packets are there twice when more than one host's interfaces were captured. */
function hasBothEnds(log: PacketLog): boolean {
  const hosts = new Set(log.interfaces.map((each) => each.host || each.name));
  if (hosts.size < 2) return false;
  for (let i = 0; i < Math.min(log.count, 1000); i++) if (log.direction(i) === undefined) return false;
  return true;
}

function flowKey(p: TcpPacket): string {
  const a = `${p.sourceAddress}|${p.sourcePort}`;
  const b = `${p.destinationAddress}|${p.destinationPort}`;
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}

void FIN;
void TCP_HEADER;
void OPTION_MSS;
void OPTION_SACK;
void OPTION_WINDOW_SCALE;
