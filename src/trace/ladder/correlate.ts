/** Which packet seen to leave one port is which packet seen to arrive at another. */
import { type PacketLog, sameBytes } from "../packet-log.ts";

/** Packets as pairs of indices into the log. */
export interface Journey {
  /** Seen to leave; -1: only its arrival was seen. */
  readonly sent: number;
  /** Seen to arrive; -1: it was not. */
  readonly arrived: number;
}

/** A packet that left and was not seen to arrive yet. */
interface Open {
  readonly index: number;
  readonly journey: { sent: number; arrived: number };
}

/**
 * Pairs departures with arrivals by their bytes: first whole frames (a cable, a
 * switch), then what a router leaves alone: from the transport header on, with
 * the addresses. A packet known to be dropped is not paired; of several equal
 * ones the oldest is. Broadcasts may arrive at several places.
 */
export function correlate(log: PacketLog): Journey[] {
  const journeys: { sent: number; arrived: number }[] = [];
  const open = new Map<number, Open[]>();
  const own = ownAddresses(log);
  for (let i = 0; i < log.count; i++) {
    const bytes = log.bytes(i);
    const ethernet = log.interfaces[log.interfaceId(i)].medium === "ethernet";
    const key = keyOf(bytes, ethernet);
    if (log.direction(i) !== "in") {
      const journey = { sent: i, arrived: -1 };
      journeys.push(journey);
      if (isDropped(log, i) || log.direction(i) === undefined) continue;
      const list = open.get(key);
      if (list === undefined) open.set(key, [{ index: i, journey }]);
      else list.push({ index: i, journey });
      continue;
    }
    if (ethernet && isForeign(bytes, own.get(log.interfaceId(i)))) continue;
    const list = open.get(key);
    const at = list === undefined ? -1 : list.findIndex((o) => fits(log, o.index, i, ethernet));
    if (at < 0) {
      journeys.push({ sent: -1, arrived: i });
      continue;
    }
    const { index, journey } = list![at];
    if (journey.arrived < 0) journey.arrived = i;
    else journeys.push({ sent: index, arrived: i });
    // A frame to a group may arrive elsewhere too; it is forgotten with time.
    const group = ethernet && (bytes[0] & 1) !== 0;
    if (!group) list!.splice(at, 1);
    else if (list!.length > 64) list!.shift();
  }
  return journeys;
}

/** The MAC addresses that each interface sends from. */
function ownAddresses(log: PacketLog): Map<number, Set<string>> {
  const own = new Map<number, Set<string>>();
  for (let i = 0; i < log.count; i++) {
    const id = log.interfaceId(i);
    if (log.direction(i) !== "out" || log.interfaces[id].medium !== "ethernet") continue;
    const source = log.bytes(i).subarray(6, 12).join();
    const known = own.get(id);
    if (known === undefined) own.set(id, new Set([source]));
    else known.add(source);
  }
  return own;
}

/** A frame for somebody else, which a switch sent everywhere because it did not know where to. */
function isForeign(bytes: Uint8Array, own: ReadonlySet<string> | undefined): boolean {
  if (own === undefined || (bytes[0] & 1) !== 0) return false;
  return !own.has(bytes.subarray(0, 6).join());
}

export function isDropped(log: PacketLog, i: number): boolean {
  return log.comments(i).some((text) => text.startsWith("dropped"));
}

function fits(log: PacketLog, sent: number, arrived: number, ethernet: boolean): boolean {
  if (log.interfaceId(sent) === log.interfaceId(arrived)) return false;
  const a = log.bytes(sent);
  const b = log.bytes(arrived);
  const wasEthernet = log.interfaces[log.interfaceId(sent)].medium === "ethernet";
  const from = transportAt(a, wasEthernet);
  const to = transportAt(b, ethernet);
  if (from < 0 || to < 0) return a.length === b.length && sameBytes(a, b, 0, a.length);
  const length = Math.min(a.length - from, b.length - to);
  return sameBytes(a.subarray(from), b, to, length);
}

/** FNV-1a over what a router leaves alone; whole frames for what is not IP. */
function keyOf(bytes: Uint8Array, ethernet: boolean): number {
  const from = transportAt(bytes, ethernet);
  let hash = 0x811c9dc5;
  const start = from < 0 ? 0 : from;
  const end = Math.min(bytes.length, start + 40);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}

/** Where the transport header begins; -1: no IP packet. */
export function transportAt(bytes: Uint8Array, ethernet: boolean): number {
  let at = 0;
  if (ethernet) {
    if (bytes.length < 14) return -1;
    let type = (bytes[12] << 8) | bytes[13];
    at = 14;
    if (type === 0x8100 && bytes.length >= 18) {
      type = (bytes[16] << 8) | bytes[17];
      at = 18;
    }
    if (type !== 0x0800 && type !== 0x86dd) return -1;
  }
  if (bytes.length <= at) return -1;
  const version = bytes[at] >>> 4;
  if (version === 4) return at + ((bytes[at] & 15) << 2);
  return version === 6 ? at + 40 : -1;
}
