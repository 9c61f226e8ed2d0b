import type { IpAddress } from "../base/address.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { sipHash24 } from "../base/siphash.ts";
import {
  FAST_OPEN_MAGIC,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
  OPTION_NOP,
} from "../wire/tcp-options.ts";

/** A Fast Open cookie as it stands in the option (RFC 7413 §4.1.1); empty: a request for one. */
export interface FastOpenCookie {
  readonly bytes: Uint8Array;
  /** Option 254 with a magic number, from before 34 was assigned. */
  readonly experimental: boolean;
}

/** Writes the option behind others that began at `begin`, where it still fits into 40 bytes; padded with `pad`. */
export function writeFastOpenOption(
  view: DataView,
  begin: number,
  at: number,
  cookie: FastOpenCookie,
  pad: number = OPTION_NOP,
): number {
  const { bytes, experimental } = cookie;
  const size = (experimental ? 4 : 2) + bytes.length;
  if (at - begin + ((size + 3) & ~3) > 40) return at;
  let end = at;
  view.setUint8(end++, experimental ? OPTION_EXPERIMENT : OPTION_FAST_OPEN);
  view.setUint8(end++, size);
  if (experimental) {
    view.setUint16(end, FAST_OPEN_MAGIC);
    end += 2;
  }
  for (const byte of bytes) view.setUint8(end++, byte);
  while (((end - begin) & 3) !== 0) view.setUint8(end++, pad);
  return end;
}

const NO_COOKIE = new Uint8Array(0);

/** Cookies of servers are remembered for this many addresses. */
const CACHE_LIMIT = 1024;

interface Remembered {
  /** undefined: none was given yet. */
  readonly cookie: FastOpenCookie | undefined;
  /** MSS that the server announced; 0: unknown. */
  readonly mss: number;
  /** The option's number went unanswered: 1 try the experimental one next, 2 that was tried as well. */
  readonly tried: 0 | 1 | 2;
}

/**
 * Fast Open of one host (RFC 7413): the key for the cookies it gives as a
 * server (§4.1.2), the cookies it was given as a client (§4.1.3), and whether
 * a path that swallows SYNs with data made it stop asking for a while.
 */
export class FastOpen {
  private readonly key: Int32Array;
  private readonly cache = new Map<string, Remembered>();
  private readonly refusals = new Map<string, number>();
  private readonly blackholeUs: number;
  private disabledUntilUs = Number.NEGATIVE_INFINITY;
  private disabledTimes = 0;

  /** @param key four words; 32 hex digits in four groups in the settings, else random */
  constructor(key: Int32Array, blackholeUs: number) {
    this.key = key;
    this.blackholeUs = blackholeUs;
  }

  /** The cookie for a client: SipHash-2-4 over the two addresses, so that no state is kept for it. */
  cookieFor(packet: ReceivedPacket, key: Int32Array = this.key): Uint8Array {
    const words = packet.isIpv4
      ? [packet.source3, packet.destination3]
      : [
          packet.source0,
          packet.source1,
          packet.source2,
          packet.source3,
          packet.destination0,
          packet.destination1,
          packet.destination2,
          packet.destination3,
        ];
    const [low, high] = sipHash24(key, words.map(swapBytes));
    const cookie = new Uint8Array(8);
    const view = new DataView(cookie.buffer);
    view.setInt32(0, low, true);
    view.setInt32(4, high, true);
    return cookie;
  }

  /** What is remembered of a server. */
  remembered(remote: IpAddress): Remembered | undefined {
    return this.cache.get(remote.toString());
  }

  /** What a SYN-ACK says; no cookie: the one before stays. `tried`: what was asked for in vain. */
  remember(
    remote: IpAddress,
    cookie: FastOpenCookie | undefined,
    mss: number,
    tried: 0 | 1 | 2,
  ): void {
    const name = remote.toString();
    const before = this.cache.get(name);
    this.cache.delete(name);
    if (this.cache.size >= CACHE_LIMIT) this.cache.delete(this.cache.keys().next().value!);
    const isNews = before === undefined || tried > before.tried;
    this.cache.set(name, {
      cookie: cookie ?? before?.cookie,
      mss: mss > 0 ? mss : (before?.mss ?? 0),
      tried: isNews ? tried : before.tried,
    });
  }

  /** What to put into a SYN: the server's cookie, or the request for one. */
  offer(remote: IpAddress): FastOpenCookie {
    const known = this.remembered(remote);
    return known?.cookie ?? { bytes: NO_COOKIE, experimental: known?.tried === 1 };
  }

  forget(remote: IpAddress): void {
    this.cache.delete(remote.toString());
    this.refusals.delete(remote.toString());
  }

  /** This server does without: not asked again until then. */
  disablePath(remote: IpAddress, untilUs: number): void {
    const name = remote.toString();
    this.refusals.delete(name);
    if (this.refusals.size >= CACHE_LIMIT) this.refusals.delete(this.refusals.keys().next().value!);
    this.refusals.set(name, untilUs);
  }

  isPathDisabled(remote: IpAddress, nowUs: number): boolean {
    return nowUs < (this.refusals.get(remote.toString()) ?? 0);
  }

  isDisabled(nowUs: number): boolean {
    return nowUs < this.disabledUntilUs;
  }

  /** SYNs with data get no answer: plain ones for a while, longer each time (RFC 7413 §4.1.3.1 and Linux's times). */
  blackhole(nowUs: number): void {
    if (this.blackholeUs <= 0 || this.isDisabled(nowUs)) return;
    this.disabledUntilUs = nowUs + this.blackholeUs * 2 ** Math.min(this.disabledTimes++, 6);
  }

  /** A connection with data in its SYN went well. */
  worked(): void {
    this.disabledTimes = 0;
  }
}

const swapBytes = (w: number): number =>
  (w << 24) | ((w << 8) & 0xff0000) | ((w >>> 8) & 0xff00) | (w >>> 24);

/** A key as Linux's tcp_fastopen_key writes it: "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4". */
export function parseFastOpenKey(text: string): Int32Array {
  const parts = text.split("-").map((part) => Number.parseInt(part, 16));
  if (parts.length !== 4 || parts.some((part) => Number.isNaN(part))) {
    throw new TypeError(`"${text}" is no Fast Open key: give four groups of hex digits`);
  }
  return new Int32Array(parts);
}

/** Whether a SYN brought this cookie. */
export function cookieMatches(view: DataView, at: number, cookie: Uint8Array): boolean {
  for (let i = 0; i < cookie.length; i++) if (view.getUint8(at + i) !== cookie[i]) return false;
  return true;
}
