/** The TCP fields of captured packets, read in place: a capture may have a million. */
import { IpAddress, MAPPED } from "../../base/address.ts";
import { transportAt } from "../ladder/correlate.ts";

export interface TcpPacket {
  /** As hexadecimal words: a key, not for people. */
  sourceAddress: string;
  destinationAddress: string;
  sourcePort: number;
  destinationPort: number;
  /** int32 */
  seq: number;
  ack: number;
  flags: number;
  rawWindow: number;
  /** Bytes of payload as the IP header says, also when not all were captured. */
  length: number;
  /** Of a SYN; -1: not given. */
  mss: number;
  windowScale: number;
  hasSack: boolean;
}

/** Undefined: no TCP segment, a fragment, or cut off before its header ends. */
export function readPacket(
  bytes: Uint8Array,
  medium: "ethernet" | "ip",
  originalLength: number,
): TcpPacket | undefined {
  const at = transportAt(bytes, medium === "ethernet");
  if (at < 0 || bytes.length < at + 20) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // IPv6 with extension headers is left out: its next header is not TCP.
  const ip = findIp(bytes, medium);
  const isIpv4 = bytes[ip] >>> 4 === 4;
  const protocol = isIpv4 ? bytes[ip + 9] : bytes[ip + 6];
  if (protocol !== 6) return undefined;
  if (isIpv4 && (view.getUint16(ip + 6) & 0x1fff) !== 0) return undefined;
  const ipLength = isIpv4 ? view.getUint16(ip + 2) : 40 + view.getUint16(ip + 4);
  const headerLength = (bytes[at + 12] >>> 4) << 2;
  if (headerLength < 20) return undefined;
  // A capture on a machine with segmentation offload may say 0.
  const whole = ipLength === 0 ? originalLength - ip : ipLength;
  const flags = view.getUint16(at + 12) & 0x1ff;
  const packet: TcpPacket = {
    sourceAddress: isIpv4 ? hex(view, ip + 12, 4) : hex(view, ip + 8, 16),
    destinationAddress: isIpv4 ? hex(view, ip + 16, 4) : hex(view, ip + 24, 16),
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    seq: view.getInt32(at + 4),
    ack: view.getInt32(at + 8),
    flags,
    rawWindow: view.getUint16(at + 14),
    length: Math.max(0, whole - (at - ip) - headerLength),
    mss: -1,
    windowScale: -1,
    hasSack: false,
  };
  if (headerLength > 20)
    readOptions(packet, bytes, at + 20, Math.min(bytes.length, at + headerLength));
  return packet;
}

function findIp(bytes: Uint8Array, medium: "ethernet" | "ip"): number {
  if (medium === "ip") return 0;
  return bytes[12] === 0x81 && bytes[13] === 0 ? 18 : 14;
}

function readOptions(packet: TcpPacket, bytes: Uint8Array, at: number, end: number): void {
  while (at < end) {
    const kind = bytes[at];
    if (kind === 0) return;
    if (kind === 1) {
      at++;
      continue;
    }
    const size = bytes[at + 1];
    if (size === undefined || size < 2 || at + size > end) return;
    if (kind === 2 && size === 4) packet.mss = (bytes[at + 2] << 8) | bytes[at + 3];
    else if (kind === 3 && size === 3) packet.windowScale = Math.min(14, bytes[at + 2]);
    else if (kind === 5) packet.hasSack = true;
    at += size;
  }
}

function hex(view: DataView, at: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i += 4)
    text += view
      .getUint32(at + i)
      .toString(16)
      .padStart(8, "0");
  return text;
}

const texts = new Map<string, string>();

/** "10.0.0.1:80", "[fd00::1]:80" from the key of `readPacket`. */
export function addressText(key: string, port: number): string {
  let text = texts.get(key);
  if (text === undefined) {
    const words = key.match(/.{8}/g)!.map((word) => Number.parseInt(word, 16) | 0);
    text =
      words.length === 1
        ? String(new IpAddress(0, 0, MAPPED, words[0]))
        : `[${new IpAddress(words[0], words[1], words[2], words[3])}]`;
    if (texts.size > 10_000) texts.clear();
    texts.set(key, text);
  }
  return `${text}:${port}`;
}
