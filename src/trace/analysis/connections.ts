/** What can be said of the TCP connections in a capture, whoever captured it. */
import type { PacketLog } from "../packet-log.ts";
import { ACK, RST, SYN } from "../../wire/tcp.ts";
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
  readonly rtt: {
    readonly samples: number;
    readonly minUs: number;
    readonly meanUs: number;
    readonly maxUs: number;
  };
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
  synUs = -1;
  synAckUs = -1;
  handshakeUs: number | undefined;
  wasReset = false;
  /** The client's (server's) packets were seen to leave where this was captured. */
  sendsFromClient = false;
  sendsFromServer = false;

  constructor(id: number, first: TcpPacket, timeUs: number) {
    this.id = id;
    this.startUs = timeUs;
    this.endUs = timeUs;
    const isSynAck = (first.flags & (SYN | ACK)) === (SYN | ACK);
    const isSyn = (first.flags & SYN) !== 0 && !isSynAck;
    const swap = isSynAck || (!isSyn && first.sourcePort < first.destinationPort);
    const source = endpoint(first, true);
    const target = endpoint(first, false);
    this.a = new Sender(swap ? target : source, swap ? source : target);
    this.b = new Sender(swap ? source : target, swap ? target : source);
  }

  sentHere(packet: TcpPacket): void {
    if (endpoint(packet, true) === this.a.from) this.sendsFromClient = true;
    else this.sendsFromServer = true;
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
    } else if (
      this.handshakeUs === undefined &&
      this.synUs >= 0 &&
      this.synAckUs >= 0 &&
      from === this.a
    ) {
      this.handshakeUs = timeUs - this.synUs;
    }
    const scaled =
      (flags & SYN) === 0 && from.windowScale !== undefined && to.windowScale !== undefined;
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
      directions: [summaryOf(this.a), summaryOf(this.b)],
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
 * several hosts were captured, each direction is seen from where it was sent,
 * so that round trips are whole.
 */
export function analyzeConnections(log: PacketLog): AnalyzedConnection[] {
  const hasHosts = severalHosts(log);
  const views = new Map<string, Flow>();
  const all: { host: string; flow: Flow; key: string; turn: number }[] = [];
  const turns = new Map<string, number>();
  for (let i = 0; i < log.count; i++) {
    const seenAt = log.interfaces[log.interfaceId(i)];
    const packet = readPacket(log.bytes(i), seenAt.medium, log.originalLength(i));
    if (packet === undefined) continue;
    const timeUs = log.timeUs(i);
    const host = hasHosts ? seenAt.host || seenAt.name : "";
    const key = flowKey(packet);
    const viewKey = `${key} ${host}`;
    let flow = views.get(viewKey);
    const isNewSyn = (packet.flags & (SYN | ACK)) === SYN && flow !== undefined && isOver(flow);
    if (flow === undefined || isNewSyn) {
      const turn = (turns.get(viewKey) ?? 0) + 1;
      turns.set(viewKey, turn);
      flow = new Flow(all.length + 1, packet, timeUs);
      views.set(viewKey, flow);
      all.push({ host, flow, key, turn });
    }
    if (log.direction(i) === "out") flow.sentHere(packet);
    flow.take(packet, timeUs);
  }
  return combined(all);
}

/** The views of one connection from its two ends become one; those of routers between are left out. */
function combined(all: readonly { flow: Flow; key: string; turn: number }[]): AnalyzedConnection[] {
  const groups = new Map<string, Flow[]>();
  for (const { flow, key, turn } of all) {
    const group = groups.get(`${key} ${turn}`);
    if (group === undefined) groups.set(`${key} ${turn}`, [flow]);
    else group.push(flow);
  }
  return [...groups.values()].map((flows, i) => {
    const client = flows.find((flow) => flow.sendsFromClient) ?? flows[0];
    const server = [...flows].reverse().find((flow) => flow.sendsFromServer) ?? client;
    const { directions, ...summary } = client.summary();
    return {
      summary: {
        ...summary,
        id: i + 1,
        directions: [directions[0], server.summary().directions[1]],
      },
      series: (direction) => (direction === 0 ? client.a : server.b).series(),
    };
  });
}

function isOver(flow: Flow): boolean {
  return flow.wasReset || (flow.a.finAcked && flow.b.finAcked);
}

/** Packets are there twice when more than one host's interfaces were captured. */
function severalHosts(log: PacketLog): boolean {
  if (new Set(log.interfaces.map((each) => each.host || each.name)).size < 2) return false;
  for (let i = 0; i < Math.min(log.count, 1000); i++) {
    if (log.direction(i) === undefined) return false;
  }
  return true;
}

function flowKey(p: TcpPacket): string {
  const a = `${p.sourceAddress}|${p.sourcePort}`;
  const b = `${p.destinationAddress}|${p.destinationPort}`;
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
