import { seqGt, seqLeq, seqLt } from "../../base/sequence.ts";
import { ACK, FIN, RST, SYN } from "../../wire/tcp.ts";
import type { ConnectionSeries } from "./connections.ts";
import type { TcpPacket } from "./packets.ts";

/** A segment waiting for its ACK. */
interface Sent {
  readonly seq: number;
  readonly end: number;
  readonly timeUs: number;
  again: boolean;
}

/** A retransmission that comes so long after the original was not drawn by ACKs. */
const DUPLICATES = 3;

/** Grows by doubling; a million points are two arrays, not a million objects. */
class Points {
  private x = new Float64Array(256);
  private y = new Float64Array(256);
  private z = new Int32Array(256);
  count = 0;

  add(x: number, y: number, z = 0): void {
    if (this.count === this.x.length) {
      this.x = grown(this.x, new Float64Array(2 * this.count));
      this.y = grown(this.y, new Float64Array(2 * this.count));
      this.z = grown(this.z, new Int32Array(2 * this.count));
    }
    this.x[this.count] = x;
    this.y[this.count] = y;
    this.z[this.count++] = z;
  }

  map<T>(make: (x: number, y: number, z: number) => T): T[] {
    return Array.from({ length: this.count }, (_, i) => make(this.x[i], this.y[i], this.z[i]));
  }
}

function grown<T extends Float64Array | Int32Array>(old: T, made: T): T {
  made.set(old);
  return made;
}

/** One direction: what it sent, and what the other side said of it. */
export class Sender {
  readonly from: string;
  readonly to: string;
  packets = 0;
  bytes = 0;
  mss: number | undefined;
  windowScale: number | undefined;
  readonly again = { timeout: 0, fast: 0, spurious: 0, handshake: 0 };
  keepAlives = 0;
  windowProbes = 0;
  duplicateAcks = 0;
  outOfOrder = 0;
  zeroWindowUs = 0;
  rttCount = 0;
  rttSumUs = 0;
  rttMinUs = Number.POSITIVE_INFINITY;
  rttMaxUs = 0;
  firstDataUs = 0;
  lastDataUs = 0;
  finAcked = false;
  private started = false;
  private first = 0;
  /** After the highest number sent, and the highest acknowledged. */
  private next = 0;
  private una = 0;
  private finEnd: number | undefined;
  private edge = 0;
  private hasEdge = false;
  private duplicates = 0;
  private sawSack = false;
  private lastAck = 0;
  private lastWindow = -1;
  private lastSentUs = 0;
  private closedSinceUs = -1;
  private stream = 0;
  private readonly unacked: Sent[] = [];
  /** Begun anew below the highest number: what is left out is a gap of the network or of the capture. */
  private readonly segmentPoints = new Points();
  private readonly ackPoints = new Points();
  private readonly edgePoints = new Points();
  private readonly flightPoints = new Points();
  private readonly rttPoints = new Points();

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  /** Payload of the stream, each byte once. */
  get streamBytes(): number {
    return this.stream;
  }

  send(p: TcpPacket, timeUs: number): void {
    this.packets++;
    const length = p.length + ((p.flags & SYN) !== 0 ? 1 : 0) + ((p.flags & FIN) !== 0 ? 1 : 0);
    if (!this.started) {
      this.started = true;
      this.first = (p.flags & SYN) !== 0 ? p.seq : (p.seq - 1) | 0;
      this.next = p.seq;
      this.una = p.seq;
    }
    const end = (p.seq + length) | 0;
    if ((p.flags & RST) !== 0) return;
    if (this.isKeepAlive(p, length)) {
      this.keepAlives++;
      return;
    }
    if (length === 0) return;
    if (p.length > 0) {
      this.bytes += p.length;
      if (this.firstDataUs === 0) this.firstDataUs = timeUs;
    }
    if (
      this.hasEdge &&
      this.edge === this.next &&
      p.length === 1 &&
      seqLeq(this.next, end) &&
      this.closed
    ) {
      this.windowProbes++;
    }
    const isNew = seqGt(end, this.next);
    if (isNew) {
      const fresh = seqLt(p.seq, this.next) ? (end - this.next) | 0 : length;
      this.stream += Math.min(p.length, fresh);
      this.next = end;
      if (p.length > 0) this.lastDataUs = timeUs;
      this.unacked.push({ seq: p.seq, end, timeUs, again: false });
    } else this.sentAgain(p, end, timeUs);
    if ((p.flags & FIN) !== 0) this.finEnd = end;
    this.lastSentUs = timeUs;
    this.segmentPoints.add(timeUs, this.offset(p.seq), isNew ? p.length : -p.length - 1);
    this.flightPoints.add(timeUs, Math.max(0, (this.next - this.una) | 0));
  }

  private get closed(): boolean {
    return this.closedSinceUs >= 0;
  }

  private isKeepAlive(p: TcpPacket, length: number): boolean {
    return (
      length <= 1 &&
      (p.flags & (SYN | FIN | RST)) === 0 &&
      p.seq === ((this.next - 1) | 0) &&
      this.una === this.next &&
      p.seq !== this.first
    );
  }

  /** RFC 5681's and RFC 6298's ways of sending again, told apart by what came before. */
  private sentAgain(p: TcpPacket, end: number, timeUs: number): void {
    const known = this.unacked.find((sent) => sent.seq === p.seq);
    const early = known !== undefined && timeUs - known.timeUs < 3000 && !known.again;
    for (const sent of this.unacked)
      if (!seqLt(sent.seq, p.seq) && seqLeq(sent.end, end)) sent.again = true;
    if ((p.flags & SYN) !== 0) this.again.handshake++;
    else if (seqLeq(end, this.una)) this.again.spurious++;
    else if (this.duplicates >= DUPLICATES || this.sawSack) this.again.fast++;
    else if (early && timeUs - this.lastSentUs < 3000) this.outOfOrder++;
    else this.again.timeout++;
  }

  /** The other side's ACK field and window. */
  acknowledged(p: TcpPacket, timeUs: number, window: number): void {
    if (!this.started) return;
    this.ackPoints.add(timeUs, this.offset(p.ack));
    const edge = (p.ack + window) | 0;
    if (!this.hasEdge || seqGt(edge, this.edge)) {
      this.edge = edge;
      this.hasEdge = true;
    }
    this.edgePoints.add(timeUs, this.offset(edge));
    this.sawSack = p.hasSack;
    if (seqGt(p.ack, this.una)) {
      this.una = p.ack;
      if (seqGt(this.una, this.next)) this.next = this.una;
      this.duplicates = 0;
      this.takeRtt(timeUs);
      if (this.finEnd !== undefined && !seqLt(p.ack, this.finEnd)) this.finAcked = true;
      this.flightPoints.add(timeUs, Math.max(0, (this.next - this.una) | 0));
    } else if (
      p.length === 0 &&
      (p.flags & (SYN | FIN | RST)) === 0 &&
      p.ack === this.lastAck &&
      window === this.lastWindow &&
      this.next !== this.una
    ) {
      this.duplicates++;
      this.duplicateAcks++;
    }
    this.lastAck = p.ack;
    this.lastWindow = window;
    void ACK;
  }

  /** The window that this side announced for what it receives. */
  announced(window: number, timeUs: number, ignore: boolean): void {
    if (ignore) return;
    if (window === 0 && this.ownClosedUs < 0) this.ownClosedUs = timeUs;
    else if (window > 0 && this.ownClosedUs >= 0) {
      this.zeroWindowUs += timeUs - this.ownClosedUs;
      this.ownClosedUs = -1;
    }
  }
  private ownClosedUs = -1;

  private takeRtt(timeUs: number): void {
    let newest: Sent | undefined;
    while (this.unacked.length > 0 && seqLeq(this.unacked[0].end, this.una)) {
      const sent = this.unacked.shift()!;
      // Karn: what was sent again says nothing.
      if (!sent.again) newest = sent;
    }
    if (newest === undefined) return;
    const us = timeUs - newest.timeUs;
    this.rttCount++;
    this.rttSumUs += us;
    this.rttMinUs = Math.min(this.rttMinUs, us);
    this.rttMaxUs = Math.max(this.rttMaxUs, us);
    this.rttPoints.add(timeUs, us);
  }

  private offset(seq: number): number {
    return (seq - this.first) | 0;
  }

  series(): ConnectionSeries {
    return {
      segments: this.segmentPoints.map((timeUs, seq, z) => ({
        timeUs,
        seq,
        length: z < 0 ? -z - 1 : z,
        again: z < 0,
      })),
      acks: this.ackPoints.map((timeUs, seq) => ({ timeUs, seq })),
      window: this.edgePoints.map((timeUs, seq) => ({ timeUs, seq })),
      inFlight: this.flightPoints.map((timeUs, bytes) => ({ timeUs, bytes })),
      rtt: this.rttPoints.map((timeUs, us) => ({ timeUs, us })),
    };
  }
}
