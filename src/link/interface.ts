/**
 * One network interface: the host's side of a device. Reads the Ethernet
 * header of what comes in and hands the packet up; writes it in front of what
 * goes out. It knows no addresses but its own MAC.
 */
import type { Counters } from "../base/counters.ts";
import { ENETDOWN, ENOBUFS } from "../base/errors.ts";
import { CSUM_PARTIAL, type Frame, type FrameMemory, NO_FRAME } from "../base/frame-memory.ts";
import { MacAddress } from "../base/mac.ts";
import type { RandomSource } from "../base/random.ts";
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_QINQ,
  ETHERTYPE_VLAN,
  ethernetHeaderLength,
  ethernetPayloadType,
  ethernetVlan,
} from "../wire/ethernet.ts";
import { IPV4_HEADER } from "../wire/ipv4.ts";
import type { Device, DeviceSink } from "./device.ts";
import type { ReplyTarget } from "./reply-ring.ts";
import { completeChecksum, cutSuperSegment, withHeadroom } from "./offload.ts";

/** Link, IP and TCP headers at their longest, which a device's limit on payload does not count. */
const SUPER_HEADERS = ETHERNET_HEADER + 60 + 60;

/** What stands above the link: `ip`. Frames are lent; `at` is where the packet begins. */
export interface LinkUpper {
  ipv4Input(frame: Frame, at: number, length: number, isLinkMulticast: boolean): void;
  /**
   * Frames that came behind the last one and equal it up to the end of an IPv4
   * header of 20 bytes, `offset` bytes in, in length and in what is known of
   * their checksums. Answers the index of the first that was not taken along.
   */
  inputRun(frames: Int32Array, from: number, to: number, offset: number): number;
  ipv6Input(frame: Frame, at: number, length: number, isLinkMulticast: boolean): void;
  arpInput(at: number, length: number): void;
  /** The device has room again, or the link went up or down. */
  linkWritable(): void;
  linkChanged(up: boolean): void;
}

/** Hears every frame in and out, for captures. The frame is lent; it takes a reference to keep it. */
export type LinkTap = (frame: Frame, isOutgoing: boolean) => void;

export interface LinkOptions {
  readonly mac?: MacAddress;
  /** Largest IP packet; at most the device's. */
  readonly mtu?: number;
}

export class LinkInterface implements DeviceSink, ReplyTarget {
  readonly device: Device;
  readonly isEthernet: boolean;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly upper: LinkUpper;
  readonly memory: FrameMemory;
  readonly counters: Counters;
  /** Administrative state. */
  isUp = true;
  /** The link below. */
  linkUp: boolean;
  tap: LinkTap | undefined = undefined;
  private readonly macHigh: number;
  private readonly macLow: number;
  /** Our MAC as it stands in a header: its first four bytes, and the last two above the type. */
  private readonly macFirst: number;
  private readonly macLast: number;
  private readonly checksumOffload: boolean;
  /** Longest super-segment, headers included, that the device cuts itself. */
  private readonly superFrameMax: number;
  private readonly groupMacs: MacAddress[] = [];

  constructor(
    device: Device,
    upper: LinkUpper,
    memory: FrameMemory,
    counters: Counters,
    random: RandomSource,
    options: LinkOptions = {},
  ) {
    this.device = device;
    this.upper = upper;
    this.memory = memory;
    this.counters = counters;
    this.isEthernet = device.medium === "ethernet";
    this.mac = options.mac ?? device.mac ?? randomMac(random);
    this.macHigh = this.mac.high;
    this.macLow = this.mac.low;
    this.macFirst = (this.macHigh << 16) | (this.macLow >>> 16);
    this.macLast = this.macLow << 16;
    this.mtu = Math.min(options.mtu ?? device.mtu, device.mtu);
    this.checksumOffload = device.offload.checksum;
    const { gsoMaxBytes } = device.offload;
    this.superFrameMax = gsoMaxBytes === 0 ? 0 : gsoMaxBytes + SUPER_HEADERS;
    this.linkUp = device.linkUp;
    device.attach(this, memory);
    this.refreshFilter();
  }

  /** Packets can leave: up, and a link below. */
  get isRunning(): boolean {
    return this.isUp && this.linkUp;
  }

  // Input

  receive(frame: Frame): void {
    const counters = this.counters;
    counters.linkInFrames++;
    if (!this.isUp) {
      counters.linkInDown++;
      return;
    }
    if (this.tap !== undefined) this.tap(frame, false);
    const memory = this.memory;
    const at = memory.start(frame);
    const length = memory.length(frame);
    const view = memory.view;
    if (!this.isEthernet) {
      const version = length === 0 ? 0 : view.getUint8(at) >>> 4;
      if (version === 4) this.upper.ipv4Input(frame, at, length, false);
      else if (version === 6) this.upper.ipv6Input(frame, at, length, false);
      else counters.linkInErrors++;
      return;
    }
    if (length < ETHERNET_HEADER) {
      counters.linkInErrors++;
      return;
    }
    const high = view.getUint16(at);
    const isGroup = (high & 0x0100) !== 0;
    if (!isGroup && (high !== this.macHigh || view.getInt32(at + 2) !== this.macLow)) {
      counters.linkInOthers++;
      return;
    }
    const type = view.getUint16(at + 12);
    if (type === ETHERTYPE_IPV4) {
      this.upper.ipv4Input(frame, at + ETHERNET_HEADER, length - ETHERNET_HEADER, isGroup);
    } else if (type === ETHERTYPE_IPV6) {
      this.upper.ipv6Input(frame, at + ETHERNET_HEADER, length - ETHERNET_HEADER, isGroup);
    } else if (type === ETHERTYPE_ARP) {
      this.upper.arpInput(at + ETHERNET_HEADER, length - ETHERNET_HEADER);
    } else {
      this.receiveOther(frame, at, length, type, isGroup);
    }
  }

  /**
   * Several frames that came together. Those of one flow mostly differ in
   * nothing before the transport header; comparing costs 8 ns a frame, and
   * what need not be looked at again 90.
   */
  receiveRun(frames: Int32Array, count: number): void {
    let i = 0;
    while (i < count) {
      const first = frames[i++]!;
      this.receive(first);
      if (i === count) return;
      const end = this.alike(first, frames, i, count);
      if (end === i) continue;
      const next = this.upper.inputRun(frames, i, end, ETHERNET_HEADER + IPV4_HEADER);
      this.counters.linkInFrames += next - i;
      i = next;
    }
  }

  /** How far the frames from `from` on look like `first` up to the end of an IPv4 header. */
  private alike(first: Frame, frames: Int32Array, from: number, to: number): number {
    const { memory } = this;
    const { view } = memory;
    const a = memory.start(first);
    const length = memory.length(first);
    if (!this.isEthernet || !this.isUp || this.tap !== undefined) return from;
    if (length < ETHERNET_HEADER + IPV4_HEADER || view.getUint8(a + 14) !== 0x45) return from;
    if (view.getUint16(a + 12) !== ETHERTYPE_IPV4) return from;
    // So that `first` has gone up.
    if (view.getUint16(a) !== this.macHigh || view.getInt32(a + 2) !== this.macLow) return from;
    const state = memory.checksumState(first);
    const gsoType = memory.gsoType(first);
    const gsoSize = memory.gsoSize(first);
    let i = from;
    for (; i < to; i++) {
      const frame = frames[i]!;
      const b = memory.start(frame);
      if (
        memory.length(frame) !== length ||
        memory.checksumState(frame) !== state ||
        memory.gsoType(frame) !== gsoType ||
        memory.gsoSize(frame) !== gsoSize ||
        view.getInt32(b) !== view.getInt32(a) ||
        view.getInt32(b + 4) !== view.getInt32(a + 4) ||
        view.getInt32(b + 8) !== view.getInt32(a + 8) ||
        view.getInt32(b + 12) !== view.getInt32(a + 12) ||
        view.getInt32(b + 16) !== view.getInt32(a + 16) ||
        view.getInt32(b + 20) !== view.getInt32(a + 20) ||
        view.getInt32(b + 24) !== view.getInt32(a + 24) ||
        view.getInt32(b + 28) !== view.getInt32(a + 28) ||
        view.getUint16(b + 32) !== view.getUint16(a + 32)
      ) {
        break;
      }
    }
    return i;
  }

  /** Priority-tagged frames (802.1Q VLAN 0) are read like untagged ones; other VLANs are not ours. */
  private receiveOther(
    frame: Frame,
    at: number,
    length: number,
    type: number,
    isGroup: boolean,
  ): void {
    const view = this.memory.view;
    const header = ethernetHeaderLength(view, at, length);
    if (type !== ETHERTYPE_VLAN && type !== ETHERTYPE_QINQ) {
      this.counters.linkInUnknownProtos++;
    } else if (header === 0) {
      this.counters.linkInErrors++;
    } else if (header !== ETHERNET_HEADER + 4 || ethernetVlan(view, at, length) !== 0) {
      this.counters.linkInVlanDrops++;
    } else {
      const inner = ethernetPayloadType(view, at, header);
      if (inner === ETHERTYPE_IPV4) {
        this.upper.ipv4Input(frame, at + header, length - header, isGroup);
      } else if (inner === ETHERTYPE_IPV6) {
        this.upper.ipv6Input(frame, at + header, length - header, isGroup);
      } else if (inner === ETHERTYPE_ARP) {
        this.upper.arpInput(at + header, length - header);
      } else {
        this.counters.linkInUnknownProtos++;
      }
    }
  }

  writable(): void {
    this.upper.linkWritable();
  }

  linkChanged(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    this.upper.linkChanged(up);
  }

  // Output

  /**
   * Frames that may be given to `output` now. A dead link takes everything and
   * loses it, as a pulled cable does: the timers above must find out, not wait.
   */
  room(): number {
    return this.isUp && this.linkUp ? this.device.room() : 64;
  }

  /** Sends a packet to a station: header in front, ownership passes. 0, -ENOBUFS or -ENETDOWN. */
  output(frame: Frame, macHigh: number, macLow: number, type: number): number {
    const memory = this.memory;
    if (!this.isUp || !this.linkUp) {
      this.counters.linkOutDiscards++;
      memory.release(frame);
      return this.isUp ? 0 : -ENETDOWN;
    }
    if (this.device.room() <= 0) {
      this.counters.linkOutDiscards++;
      memory.release(frame);
      return -ENOBUFS;
    }
    if (memory.headroom(frame) < ETHERNET_HEADER + this.device.headroom) {
      frame = withHeadroom(memory, frame, ETHERNET_HEADER + this.device.headroom);
      if (frame === NO_FRAME) return this.noMemory();
    }
    if (this.isEthernet) {
      const at = memory.moveStart(frame, ETHERNET_HEADER);
      const view = memory.view;
      view.setInt16(at, macHigh);
      view.setInt32(at + 2, macLow);
      view.setInt32(at + 6, this.macFirst);
      view.setInt32(at + 10, this.macLast | type);
    }
    const gsoSize = memory.gsoSize(frame);
    if (gsoSize !== 0 && memory.length(frame) > this.superFrameMax) return this.cut(frame);
    if (memory.checksumState(frame) === CSUM_PARTIAL && !this.checksumOffload) {
      frame = memory.writable(frame);
      if (frame === NO_FRAME) return this.noMemory();
      completeChecksum(memory, frame);
      this.counters.linkOutChecksummed++;
    }
    this.counters.linkOutFrames++;
    if (this.tap !== undefined) this.tap(frame, true);
    this.device.transmit(frame);
    return 0;
  }

  /**
   * The same for the first `count` of `frames`, whole packets of one length
   * with their checksums done. 0 or what `output` answers.
   */
  outputRun(
    frames: Int32Array,
    count: number,
    macHigh: number,
    macLow: number,
    type: number,
  ): number {
    const { memory, device } = this;
    const { view } = memory;
    if (
      !this.isUp ||
      !this.linkUp ||
      !this.isEthernet ||
      device.room() < count ||
      memory.headroom(frames[0]!) < ETHERNET_HEADER + device.headroom
    ) {
      let result = 0;
      for (let i = 0; i < count; i++) {
        const one = this.output(frames[i]!, macHigh, macLow, type);
        if (one < 0) result = one;
      }
      return result;
    }
    const last = this.macLast | type;
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      const at = memory.moveStart(frame, ETHERNET_HEADER);
      view.setInt16(at, macHigh);
      view.setInt32(at + 2, macLow);
      view.setInt32(at + 6, this.macFirst);
      view.setInt32(at + 10, last);
      if (this.tap !== undefined) this.tap(frame, true);
      if (device.transmitRun === undefined) device.transmit(frame);
    }
    device.transmitRun?.(frames, count);
    this.counters.linkOutFrames += count;
    return 0;
  }

  sendReply(frame: Frame, macHigh: number, macLow: number, type: number): void {
    this.output(frame, macHigh, macLow, type);
  }

  /** Cuts a super-segment that the device does not take into wire segments. */
  private cut(frame: Frame): number {
    const memory = this.memory;
    const linkLength = this.isEthernet ? ETHERNET_HEADER : 0;
    const count = cutSuperSegment(memory, frame, linkLength, (piece) => {
      if (this.device.room() <= 0) {
        this.counters.linkOutDiscards++;
        memory.release(piece);
        return;
      }
      this.counters.linkOutFrames++;
      if (this.tap !== undefined) this.tap(piece, true);
      this.device.transmit(piece);
    });
    memory.release(frame);
    if (count < 0) return this.noMemory();
    this.counters.linkOutSegmented++;
    return 0;
  }

  private noMemory(): number {
    this.counters.memoryFailures++;
    this.counters.linkOutDiscards++;
    return -ENOBUFS;
  }

  // Group addresses, for devices that filter

  addGroupMac(mac: MacAddress): void {
    this.groupMacs.push(mac);
    this.refreshFilter();
  }

  removeGroupMac(mac: MacAddress): void {
    const index = this.groupMacs.findIndex((known) => known.equals(mac));
    if (index < 0) return;
    this.groupMacs.splice(index, 1);
    this.refreshFilter();
  }

  private refreshFilter(): void {
    if (this.isEthernet) this.device.setFilter?.([this.mac, ...this.groupMacs], false);
  }

  detach(): void {
    this.isUp = false;
    this.device.detach();
  }
}

/** A random unicast address with the "locally administered" bit (IEEE 802). */
function randomMac(random: RandomSource): MacAddress {
  return new MacAddress((random.int32() & 0xfcff) | 0x0200, random.int32());
}
