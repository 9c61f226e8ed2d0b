/**
 * One conversation under test: who talks, and how the script's numbers become live ones. Script
 * numbers are relative to the initial sequence numbers; a SYN's are taken as they stand.
 */
import type { IpAddress } from "../base/address.ts";

export class Flow {
  readonly protocol: "tcp" | "udp";
  localAddress: IpAddress;
  remoteAddress: IpAddress;
  /** 0: not known yet; the first packet out tells. */
  localPort: number;
  remotePort: number;
  /** Ports as the script writes them, when it does. */
  scriptLocalPort: number | undefined = undefined;
  scriptRemotePort: number | undefined = undefined;
  /** int32; undefined until a SYN said so, and then 0 counts. */
  localIsn: number | undefined = undefined;
  remoteIsn: number | undefined = undefined;
  /** Made by a packet that a listener got. */
  readonly passive: boolean;
  /** Live timestamps by the script's values; the first pair is the base for all others. */
  private readonly timestamps = new Map<number, number>();
  private baseScript: number | undefined = undefined;
  private baseLive = 0;
  /** The stack has acknowledged the peer's SYN: the numbers stand. */
  established = false;
  /** For packets that belong to no connection. */
  isStray = false;

  constructor(
    protocol: "tcp" | "udp",
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
    passive: boolean,
  ) {
    this.protocol = protocol;
    this.localAddress = local;
    this.localPort = localPort;
    this.remoteAddress = remote;
    this.remotePort = remotePort;
    this.passive = passive;
  }

  /** Remembers which live timestamp the script means by `script`. */
  learnTimestamp(script: number, live: number): void {
    if (this.baseScript === undefined) {
      this.baseScript = script;
      this.baseLive = live;
    }
    this.timestamps.set(script >>> 0, live >>> 0);
  }

  /** What the script would have written for a live timestamp. */
  scriptTimestamp(live: number): number {
    if (this.baseScript === undefined) return live >>> 0;
    return (this.baseScript + (live - this.baseLive)) >>> 0;
  }

  /** The live value that an inbound packet has to echo. */
  liveTimestamp(script: number): number {
    const known = this.timestamps.get(script >>> 0);
    if (known !== undefined) return known;
    if (script === 0 || this.baseScript === undefined) return script >>> 0;
    return (this.baseLive + (script - this.baseScript)) >>> 0;
  }

  /** Script space from live space, unsigned. */
  scriptLocal(live: number): number {
    return (live - (this.localIsn ?? 0)) >>> 0;
  }

  scriptRemote(live: number): number {
    return (live - (this.remoteIsn ?? 0)) >>> 0;
  }

  liveLocal(script: number): number {
    return (script + (this.localIsn ?? 0)) >>> 0;
  }

  liveRemote(script: number): number {
    return (script + (this.remoteIsn ?? 0)) >>> 0;
  }
}
