import {
  type CaptureInterface,
  type PacketDirection,
  PacketLog,
  type PacketSink,
  sameBytes,
} from "../../../../src/trace/packet-log.ts";

interface Recent {
  readonly interfaceId: number;
  readonly timeUs: number;
  readonly direction: PacketDirection | undefined;
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly comments: string[];
  /** Index in the whole log, for remarks; -1: it was full. */
  readonly index: number;
}

/** Packets of the ladder beside the laboratory; a packet is seen twice. */
const KEPT = 120;

/** Keeps a whole capture for the file, and the last packets for the eye. */
export class RecentPackets implements PacketSink {
  readonly log = new PacketLog({ limitBytes: 48 * 2 ** 20 });
  /** Changes with each packet and remark. */
  version = 0;
  private recent: Recent[] = [];

  addInterface(description: CaptureInterface): number {
    return this.log.addInterface(description);
  }

  packet(
    interfaceId: number,
    timeUs: number,
    direction: PacketDirection | undefined,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    const count = this.log.count;
    this.log.packet(interfaceId, timeUs, direction, bytes, at, length);
    const copy = bytes.slice(at, at + length);
    const index = this.log.count > count ? count : -1;
    this.recent.push({
      interfaceId,
      timeUs,
      direction,
      bytes: copy,
      key: packetKey(copy, 0),
      comments: [],
      index,
    });
    if (this.recent.length > 2 * KEPT) this.recent = this.recent.slice(-KEPT);
    this.version++;
  }

  comment(
    interfaceId: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    text: string,
  ): boolean {
    const found = this.recent.findLast(
      (p) =>
        p.interfaceId === interfaceId &&
        p.bytes.length === length &&
        sameBytes(p.bytes, bytes, at, length),
    );
    if (found === undefined) return false;
    this.note(found, text);
    return true;
  }

  /** The packet was lost somewhere on its way: its sender's copy says so. */
  lost(key: string, reason: string): void {
    const found = this.recent.findLast((p) => p.key === key && p.direction === "out");
    if (found !== undefined) this.note(found, `dropped by link: ${reason}`);
  }

  private note(packet: Recent, text: string): void {
    if (packet.comments.some((known) => known.startsWith("dropped"))) return;
    packet.comments.push(text);
    if (packet.index >= 0) this.log.remark(packet.index, text);
    this.version++;
  }

  /** The last packets as a log of their own, and the key of each. */
  snapshot(): { log: PacketLog; keys: readonly string[] } {
    const log = new PacketLog();
    for (const description of this.log.interfaces) log.addInterface(description);
    const packets = this.recent.slice(-KEPT);
    packets.forEach(({ interfaceId, timeUs, direction, bytes, comments }, i) => {
      log.packet(interfaceId, timeUs, direction, bytes, 0, bytes.length);
      for (const text of comments) log.remark(i, text);
    });
    return { log, keys: packets.map((p) => p.key) };
  }
}

/** What stays the same of a TCP segment from hop to hop: addresses, identification, ports, numbers. */
export function packetKey(bytes: Uint8Array, at: number): string {
  if (((bytes[at + 12] << 8) | bytes[at + 13]) !== 0x0800) return "";
  const ip = at + 14;
  const tcp = ip + ((bytes[ip] & 15) << 2);
  let key = "";
  for (let i = ip + 12; i < ip + 20; i++) key += `${bytes[i]}.`;
  key += (bytes[ip + 2] << 8) | bytes[ip + 3];
  const end = Math.min(bytes.length, tcp + 20);
  for (let i = tcp; i < end; i++) key += `,${bytes[i]}`;
  return key;
}
