/**
 * Packets in pieces, waiting to be whole (RFC 791 §3.2, RFC 8200 §4.5). Bounded
 * in time, memory and number; overlapping pieces end the whole packet
 * (RFC 5722, and Linux for IPv4 as well). A leaf: it reads no header.
 */
import type { Counters } from "../base/counters.ts";
import { type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import type { Timers, TimerTarget } from "../base/timers.ts";

export interface ReassemblySettings {
  readonly reassemblyBytes: number;
  readonly reassemblyPackets: number;
  readonly reassemblyFragments: number;
  readonly reassemblyTimeoutIpv4Us: number;
  readonly reassemblyTimeoutIpv6Us: number;
}

/** One packet in pieces. */
export class PartialPacket implements TimerTarget {
  readonly owner: Reassembly;
  readonly isIpv4: boolean;
  /** Source, destination, identification, protocol (0 for IPv6, whose pieces need not agree: RFC 8200 §4.5). */
  readonly key: Int32Array;
  interfaceIndex = 0;
  /** Sorted by offset. */
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  readonly frames: Frame[] = [];
  /** Where the piece's payload begins, absolute. */
  readonly places: number[] = [];
  /** Payload bytes here, and in all once the last piece is known. */
  received = 0;
  total = -1;
  bytesHeld = 0;
  /** Overlapped: everything that still comes is dropped until the time is over. */
  isPoisoned = false;
  /** Of the first piece: its IP header, and the header's length up to the payload. */
  headerAt = 0;
  headerLength = 0;
  /** IPv6: offset in the header of the field that named the fragment header, and what is to stand there. */
  nextHeaderPointer = 0;
  protocol = 0;
  /** Set of ECN codepoints seen (RFC 3168 §5.3). */
  ecnSeen = 0;
  timer = -1;

  constructor(owner: Reassembly, isIpv4: boolean, key: Int32Array) {
    this.owner = owner;
    this.isIpv4 = isIpv4;
    this.key = key;
  }

  get isComplete(): boolean {
    return this.total >= 0 && this.received === this.total;
  }

  /** The first piece, which an ICMP "time exceeded" quotes; NO_FRAME when it never came. */
  get firstFrame(): Frame {
    return this.offsets[0] === 0 ? this.frames[0]! : NO_FRAME;
  }

  onTimer(): void {
    this.owner.timeOut(this);
  }
}

const KEY = 10;

export class Reassembly {
  /** Called before a packet that ran out of time is dropped (RFC 792, RFC 4443 §3.3). */
  onTimeout: ((packet: PartialPacket) => void) | undefined = undefined;
  private readonly settings: ReassemblySettings;
  private readonly memory: FrameMemory;
  private readonly timers: Timers;
  private readonly counters: Counters;
  private readonly packets: PartialPacket[] = [];
  private readonly probe = new Int32Array(KEY);
  private bytesHeld = 0;

  constructor(
    settings: ReassemblySettings,
    memory: FrameMemory,
    timers: Timers,
    counters: Counters,
  ) {
    this.settings = settings;
    this.memory = memory;
    this.timers = timers;
    this.counters = counters;
  }

  /** Packets waiting, and bytes of frames that they hold. */
  get waiting(): number {
    return this.packets.length;
  }
  get heldBytes(): number {
    return this.bytesHeld;
  }

  /** The packet with this identity, begun when it is new. */
  open(
    isIpv4: boolean,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    id: number,
    protocol: number,
    nowUs: number,
  ): PartialPacket {
    const key = this.probe;
    key[0] = s0;
    key[1] = s1;
    key[2] = s2;
    key[3] = s3;
    key[4] = d0;
    key[5] = d1;
    key[6] = d2;
    key[7] = d3;
    key[8] = id;
    key[9] = protocol;
    for (let i = this.packets.length - 1; i >= 0; i--) {
      const known = this.packets[i]!;
      if (sameKey(known.key, key)) return known;
    }
    if (this.packets.length >= this.settings.reassemblyPackets) this.evict();
    const packet = new PartialPacket(this, isIpv4, key.slice());
    packet.timer = this.timers.register(packet);
    const { reassemblyTimeoutIpv4Us: v4, reassemblyTimeoutIpv6Us: v6 } = this.settings;
    this.timers.arm(packet.timer, nowUs + (isIpv4 ? v4 : v6));
    this.packets.push(packet);
    return packet;
  }

  /**
   * Adds a piece of `length` bytes that begins at `offset` of the packet and at
   * `place` in memory. The frame is lent; a reference is taken when it is kept.
   * True: the packet may be complete now. `length` and the total have been
   * checked against 65,535 by the caller.
   */
  add(
    packet: PartialPacket,
    frame: Frame,
    place: number,
    offset: number,
    length: number,
    more: boolean,
  ): boolean {
    const counters = this.counters;
    if (packet.isPoisoned) {
      counters.ipReasmFails++;
      return false;
    }
    const end = offset + length;
    const { offsets, lengths } = packet;
    let at = offsets.length;
    while (at > 0 && offsets[at - 1]! > offset) at--;
    // An exact copy of what is here is a duplicate, not an attack (RFC 8200 §4.5).
    if (at > 0 && offsets[at - 1] === offset && lengths[at - 1] === length) return false;
    const overlapsBefore = at > 0 && offsets[at - 1]! + lengths[at - 1]! > offset;
    const overlapsAfter = at < offsets.length && end > offsets[at]!;
    const last = offsets.length - 1;
    const highest = last >= 0 ? offsets[last]! + lengths[last]! : 0;
    const contradicts = more
      ? packet.total >= 0 && end > packet.total
      : (packet.total >= 0 && packet.total !== end) || highest > end;
    if (overlapsBefore || overlapsAfter || contradicts) {
      counters.ipReasmOverlaps++;
      counters.ipReasmFails++;
      this.dropPieces(packet);
      packet.isPoisoned = true;
      return false;
    }
    if (offsets.length >= this.settings.reassemblyFragments) {
      counters.ipReasmFails++;
      this.drop(packet);
      return false;
    }
    if (!more) packet.total = end;
    offsets.splice(at, 0, offset);
    lengths.splice(at, 0, length);
    packet.frames.splice(at, 0, frame);
    packet.places.splice(at, 0, place);
    packet.received += length;
    this.memory.retain(frame, "reassembly");
    const held = this.memory.length(frame) > 1920 ? 66_560 : 2048;
    packet.bytesHeld += held;
    this.bytesHeld += held;
    while (this.bytesHeld > this.settings.reassemblyBytes && this.packets.length > 0) {
      const oldest = this.packets[0]!;
      this.evict();
      if (oldest === packet) return false;
    }
    return packet.isComplete;
  }

  private evict(): void {
    this.counters.ipReasmEvicted++;
    this.counters.ipReasmFails++;
    this.drop(this.packets[0]!);
  }

  timeOut(packet: PartialPacket): void {
    this.counters.ipReasmTimeout++;
    if (!packet.isPoisoned) {
      this.counters.ipReasmFails++;
      this.onTimeout?.(packet);
    }
    this.drop(packet);
  }

  /** Forgets a packet and gives its frames back. */
  drop(packet: PartialPacket): void {
    const index = this.packets.indexOf(packet);
    if (index < 0) return;
    this.packets.splice(index, 1);
    this.timers.unregister(packet.timer);
    this.dropPieces(packet);
  }

  private dropPieces(packet: PartialPacket): void {
    for (const frame of packet.frames) this.memory.release(frame);
    packet.frames.length = packet.offsets.length = packet.lengths.length = packet.places.length = 0;
    packet.received = 0;
    this.bytesHeld -= packet.bytesHeld;
    packet.bytesHeld = 0;
  }

  clear(): void {
    while (this.packets.length > 0) this.drop(this.packets[0]!);
  }
}

function sameKey(a: Int32Array, b: Int32Array): boolean {
  // The words that differ most often come first.
  if (a[8] !== b[8] || a[3] !== b[3]) return false;
  for (let i = 0; i < KEY; i++) if (a[i] !== b[i]) return false;
  return true;
}
