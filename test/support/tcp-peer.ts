/**
 * One host under test whose TCP peer is the test itself: segments go in as wire
 * bytes made by hand, and what the host sends is read back, all in virtual
 * time. Sequence numbers are relative to the two initial ones, so that a test
 * reads like a figure of the RFC; both start near 2^32.
 *
 *     const t = new TcpPeer();
 *     t.establish();
 *     t.in("A", { data: 100 });          // 100 bytes from the peer
 *     expect(t.out()).toEqual(["A 1 ack 101"]);
 */
import { IPV4_ANY, IPV6_ANY, parseAddress } from "../../src/base/address.ts";
import { errnoName } from "../../src/base/errors.ts";
import type { PacketDevice } from "../../src/devices/packet-device.ts";
import type { HostConfigOptions } from "../../src/host/config.ts";
import { Network } from "../../src/network/network.ts";
import { type VirtualTime, virtualTime } from "../../src/sim/virtual-time.ts";
import type { SocketHost } from "../../src/sockets/socket-host.ts";
import {
  TCP_EVENT_CLOSED,
  TCP_EVENT_CONNECTED,
  TCP_EVENT_PEER_FIN,
  TCP_EVENT_URGENT,
  type TcpConnection,
} from "../../src/tcp/connection.ts";
import type { TcpListener } from "../../src/tcp/listener.ts";
import type { TcpSettings } from "../../src/tcp/settings.ts";
import type { SocketOptions } from "../../src/tcp/socket-options.ts";
import { type StateName, stateName } from "../../src/tcp/state.ts";
import { decodeFrame, encodeTcpPacket } from "../../src/wire/frame-fields.ts";
import { encodeIcmpv4, encodeIcmpv6 } from "../../src/wire/icmp-fields.ts";
import { encodeIp } from "../../src/wire/ip-fields.ts";
import type { TcpOption } from "../../src/wire/tcp-options-fields.ts";
import { assertNoLeaks } from "./leak-check.ts";

/** Initial sequence numbers of the host and of the peer. */
export const HOST_ISS = -10;
export const PEER_ISS = -5;

const FLAGS = "FSRPAUEC";

/** "SA" to bits; the letters are those of FIN, SYN, RST, PSH, ACK, URG, ECE, CWR. */
function bitsOf(flags: string): number {
  let bits = 0;
  for (const letter of flags) {
    const at = FLAGS.indexOf(letter);
    if (at < 0) throw new Error(`no TCP flag "${letter}": use the letters ${FLAGS}`);
    bits |= 1 << at;
  }
  return bits;
}

/** Letters in the order in which people say them: SYN, FIN, RST, PSH, ACK, URG, ECE, CWR. */
function lettersOf(bits: number): string {
  let letters = "";
  for (const letter of "SFRPAUEC") if ((bits & bitsOf(letter)) !== 0) letters += letter;
  return letters === "" ? "-" : letters;
}

/** A segment that the host sent, numbers relative. */
export interface SentSegment {
  readonly atMs: number;
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly length: number;
  readonly rawWindow: number;
  readonly urgent: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tos: number;
  readonly ttl: number;
  /** SACK blocks, relative to the peer's numbers. */
  readonly sack: readonly (readonly [number, number])[];
  readonly timestamps: { readonly val: number; readonly ecr: number } | undefined;
  readonly mss: number | undefined;
  readonly windowScale: number | undefined;
  /** The packet as it was on the wire. */
  readonly packet: Uint8Array;
}

export interface InSegment {
  /** Default: the number after the last one used. */
  seq?: number;
  /** Default: everything that the host has sent. */
  ack?: number;
  /** Payload: bytes, or how many. */
  data?: number | Uint8Array;
  /** Unscaled, as on the wire. Default: the last one given, 65,535 at the start. */
  window?: number;
  options?: readonly TcpOption[];
  urgent?: number;
  sourcePort?: number;
  destinationPort?: number;
  reserved?: number;
  checksum?: number;
  tos?: number;
  source?: string;
  destination?: string;
}

export interface PeerOptions {
  readonly tcp?: Partial<TcpSettings>;
  readonly config?: HostConfigOptions;
  readonly ipv6?: boolean;
  readonly mtu?: number;
  /** MTU of the interface. Default: the device's. */
  readonly interfaceMtu?: number;
  readonly seed?: number;
}

/** What a plain handshake uses: no options at all, so that segments are bare. */
const BARE: Partial<TcpSettings> = { isn: HOST_ISS, tlp: false, quickAcks: 0 };

export class TcpPeer {
  readonly time: VirtualTime = virtualTime();
  readonly net: Network;
  readonly host: SocketHost;
  readonly device: PacketDevice;
  readonly local: string;
  readonly remote: string;
  localPort = 80;
  remotePort = 5000;
  /** The connection under test. */
  c!: TcpConnection;
  listener: TcpListener | undefined = undefined;
  /** Initial numbers; changed for a second connection. */
  hostIss = HOST_ISS;
  peerIss = PEER_ISS;
  /** The peer's next number, and the end of what the host has sent, both relative. */
  next = 0;
  seen = 0;
  window = 65_535;
  /** Adds timestamps to segments that name no options: this clock, echoing the host's last. */
  timestamps: number | undefined = undefined;
  lastTsVal = 0;
  // What the application was told
  connected = false;
  closed = false;
  peerFin = false;
  urgent = false;
  private readonly sent: SentSegment[] = [];
  /** Packets of other protocols than TCP. */
  readonly others: Uint8Array[] = [];

  constructor(options: PeerOptions = {}) {
    const { ipv6 = false, mtu = 1500, seed = 1, config, tcp } = options;
    this.local = ipv6 ? "fd00::1" : "10.0.0.1";
    this.remote = ipv6 ? "fd00::2" : "10.0.0.2";
    const memory = { smallFrames: 256, largeFrames: 8, pages: 256 };
    this.net = new Network({ clock: this.time, seed, memory });
    this.device = this.net.packetDevice({
      medium: "ip",
      mtu,
      send: (bytes) => this.heard(bytes),
    });
    this.host = this.net.host({
      name: "tested",
      config: {
        duplicateAddressDetection: "off",
        announceAddresses: false,
        multicastReports: false,
        ...config,
        tcp: { ...BARE, ...tcp },
      },
    });
    this.host.addInterface(this.device, {
      addresses: ["10.0.0.1/24", "fd00::1/64"],
      gateway: ["10.0.0.254", "fd00::fe"],
      slaac: false,
      mtu: options.interfaceMtu,
    });
    this.run(1000);
    this.sent.length = 0;
    this.others.length = 0;
  }

  get tcp() {
    return this.host.tcp;
  }

  get counters() {
    return this.host.counters;
  }

  get state(): StateName {
    return stateName(this.c.state);
  }

  /** The error that waits for the application, taken; "": none. */
  takeError(): string {
    const errno = this.tcp.takeError(this.c);
    return errno === 0 ? "" : errnoName(errno);
  }

  // Time

  get nowMs(): number {
    return this.time.now() / 1000;
  }

  /** Lets this many milliseconds go by. */
  run(ms = 0): void {
    this.time.runSync(this.time.now() + ms * 1000);
  }

  // The wire

  private heard(packet: Uint8Array): void {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const frame = decodeFrame(view, 0, packet.length, "ip");
    const tcp = frame.tcp;
    if (tcp === undefined) {
      this.others.push(packet);
      return;
    }
    const flags = lettersOf(tcp.flags);
    const isReset = flags.includes("R") && !flags.includes("A");
    const option = <K extends TcpOption["kind"]>(kind: K) =>
      tcp.options.find((each) => each.kind === kind) as Extract<TcpOption, { kind: K }> | undefined;
    const seq = (tcp.sequence - this.hostIss) | 0;
    const length = tcp.payloadLength;
    const timestamps = option("timestamps");
    if (timestamps !== undefined) this.lastTsVal = timestamps.val;
    const end = seq + length + (tcp.flags & 1) + ((tcp.flags >> 1) & 1);
    if (end > this.seen && !flags.includes("R")) this.seen = end;
    this.sent.push({
      atMs: this.nowMs,
      flags,
      seq,
      ack: isReset || tcp.acknowledgment === 0 ? 0 : (tcp.acknowledgment - this.peerIss) | 0,
      length,
      rawWindow: tcp.rawWindow,
      urgent: tcp.urgentPointer,
      options: tcp.options,
      payload: packet.slice(frame.payloadAt, frame.payloadAt + length),
      sourcePort: tcp.sourcePort,
      destinationPort: tcp.destinationPort,
      tos: frame.ipv4?.tos ?? frame.ipv6?.trafficClass ?? 0,
      ttl: frame.ipv4?.ttl ?? frame.ipv6?.hopLimit ?? 0,
      sack: (option("sack")?.blocks ?? []).map(
        ([left, right]) => [(left - this.peerIss) | 0, (right - this.peerIss) | 0] as const,
      ),
      timestamps,
      mss: option("mss")?.mss,
      windowScale: option("wscale")?.shift,
      packet,
    });
  }

  /** Hands the host a segment; with `settle` false it stands in line with those that follow at once. */
  in(flags: string, segment: InSegment = {}, settle = true): void {
    const data =
      typeof segment.data === "number"
        ? pattern(segment.data)
        : (segment.data ?? new Uint8Array(0));
    const bits = bitsOf(flags);
    const seq = segment.seq ?? this.next;
    if (segment.window !== undefined) this.window = segment.window;
    let options = segment.options;
    if (options === undefined && this.timestamps !== undefined) {
      options = [
        { kind: "nop" },
        { kind: "nop" },
        { kind: "timestamps", val: this.timestamps, ecr: this.lastTsVal },
      ];
    }
    const packet = encodeTcpPacket(
      {
        source: parseAddress(segment.source ?? this.remote),
        destination: parseAddress(segment.destination ?? this.local),
        tos: segment.tos ?? 0,
      },
      {
        sourcePort: segment.sourcePort ?? this.remotePort,
        destinationPort: segment.destinationPort ?? this.localPort,
        sequence: seq + this.peerIss,
        acknowledgment: flags.includes("A") ? (segment.ack ?? this.seen) + this.hostIss : 0,
        flags: bits,
        rawWindow: this.window,
        urgentPointer: segment.urgent ?? 0,
        ...(options === undefined ? {} : { options }),
        ...(segment.reserved === undefined ? {} : { reserved: segment.reserved }),
        ...(segment.checksum === undefined ? {} : { checksum: segment.checksum }),
      },
      data,
    );
    const end = seq + data.length + (bits & 1) + ((bits >> 1) & 1);
    if (segment.seq === undefined && !flags.includes("R")) this.next = end;
    this.raw(packet, settle);
  }

  /** Hands the host an IP packet. */
  raw(packet: Uint8Array, settle = true): void {
    if (!this.device.receive(packet)) throw new Error("the device took no packet");
    if (settle) this.run();
  }

  /**
   * Hands the host an ICMP error about a packet that it sent; `seq` puts
   * another (relative) sequence number into the quoted header. From a router.
   */
  icmp(
    type: number,
    code: number,
    quoted: Uint8Array,
    options: { rest?: number; seq?: number } = {},
  ) {
    const isIpv6 = this.local.includes(":");
    const source = parseAddress(isIpv6 ? "fd00::fe" : "10.0.0.254");
    const destination = parseAddress(this.local);
    const body = quoted.slice(0, (isIpv6 ? 40 : 20) + 20);
    if (options.seq !== undefined) {
      new DataView(body.buffer).setInt32((isIpv6 ? 40 : 20) + 4, options.seq + this.hostIss);
    }
    const fields = { type, code, rest: options.rest ?? 0, body };
    const message = isIpv6 ? encodeIcmpv6(fields, source, destination) : encodeIcmpv4(fields);
    this.raw(encodeIp({ source, destination, protocol: isIpv6 ? 58 : 1 }, message));
  }

  /** What the host has sent since the last call. */
  segments(): SentSegment[] {
    return this.sent.splice(0);
  }

  /**
   * The same as text: "A 1 ack 101", "PA 1:101 ack 1", "R 5"; with SACK blocks
   * "A 1 ack 1 sack 101:201". `window` adds " win N".
   */
  out(options: { window?: boolean } = {}): string[] {
    return this.segments().map((s) => describe(s, options.window ?? false));
  }

  /** Forgets what was sent. */
  ignore(): void {
    this.sent.length = 0;
  }

  // The user's calls

  private readonly owner = {
    tcpEvents: (bits: number): void => {
      if ((bits & TCP_EVENT_CONNECTED) !== 0) this.connected = true;
      if ((bits & TCP_EVENT_CLOSED) !== 0) this.closed = true;
      if ((bits & TCP_EVENT_PEER_FIN) !== 0) this.peerFin = true;
      if ((bits & TCP_EVENT_URGENT) !== 0) this.urgent = true;
    },
  };

  private watch(c: TcpConnection): TcpConnection {
    this.c = c;
    c.owner = this.owner;
    this.connected = false;
    this.closed = false;
    this.peerFin = false;
    this.urgent = false;
    return c;
  }

  optionsWith(options: Partial<SocketOptions>): SocketOptions {
    return { ...this.tcp.env.defaultOptions, ...options };
  }

  listen(options: Partial<SocketOptions> = {}, backlog = 8): TcpListener {
    this.listener = this.tcp.listen({
      address: this.local.includes(":") ? IPV6_ANY : IPV4_ANY,
      port: this.localPort,
      backlog,
      options: this.optionsWith(options),
    });
    return this.listener;
  }

  accept(): TcpConnection {
    const c = this.listener!.accept();
    if (c === undefined) throw new Error("no connection waits to be accepted");
    return this.watch(c);
  }

  /** Active OPEN; the SYN goes out. */
  connect(options: Partial<SocketOptions> = {}): TcpConnection {
    const remote = parseAddress(this.remote);
    const path = this.host.ip.path(remote.isIpv4 ? IPV4_ANY : IPV6_ANY, remote, 0)!;
    const c = this.watch(this.tcp.create(this.optionsWith(options)));
    const result = this.tcp.connect(c, path, this.localPort, this.remotePort);
    if (result < 0) throw new Error(errnoName(-result));
    this.run();
    return c;
  }

  /** SEND: how many bytes were taken, or the errno's name. */
  send(data: number | Uint8Array, flags = 0): number | string {
    const bytes = typeof data === "number" ? pattern(data) : data;
    const result = this.tcp.send(this.c, bytes, 0, bytes.length, flags);
    this.run();
    return result < 0 ? errnoName(-result) : result;
  }

  /** RECEIVE: how many bytes came (0: the end), or the errno's name. */
  read(most = 65_536, flags = 0): number | string {
    const result = this.tcp.receive(this.c, new Uint8Array(most), 0, most, flags);
    this.run();
    return result < 0 ? errnoName(-result) : result;
  }

  readBytes(most = 65_536): Uint8Array {
    const into = new Uint8Array(most);
    const result = this.tcp.receive(this.c, into, 0, most, 0);
    this.run();
    return into.subarray(0, Math.max(0, result));
  }

  /** CLOSE of RFC 9293: no more will be sent. */
  shutdown(): string {
    const result = this.tcp.shutdownWrite(this.c);
    this.run();
    return result < 0 ? errnoName(-result) : "";
  }

  /** The application lets go of its socket. */
  close(): void {
    this.tcp.close(this.c);
    this.run();
  }

  abort(): void {
    this.tcp.abort(this.c);
    this.run();
  }

  // States

  /** The peer connects, the host accepts. */
  establish(options: Partial<SocketOptions> = {}, syn: readonly TcpOption[] = []): TcpConnection {
    this.listen(options);
    this.in("S", { seq: 0, options: syn });
    const answer = this.segments();
    if (answer.length !== 1 || answer[0]!.flags !== "SA") {
      throw new Error(`no SYN-ACK but ${answer.map((s) => describe(s, false)).join(", ")}`);
    }
    this.next = 1;
    this.in("A");
    return this.accept();
  }

  /** The host connects, the peer accepts. */
  establishActive(
    options: Partial<SocketOptions> = {},
    syn: readonly TcpOption[] = [],
  ): TcpConnection {
    const c = this.connect(options);
    this.ignore();
    this.in("SA", { seq: 0, ack: 1, options: syn });
    this.next = 1;
    this.ignore();
    return c;
  }

  /** Brings a new connection to a state, by the shortest way; nothing is left in `out`. */
  enter(state: StateName, options: Partial<SocketOptions> = {}): void {
    switch (state) {
      case "CLOSED":
        this.watch(this.tcp.create(this.optionsWith(options)));
        break;
      case "LISTEN":
        this.listen(options);
        break;
      case "SYN-SENT":
        this.connect(options);
        break;
      case "SYN-RECEIVED":
        this.listen(options);
        this.in("S", { seq: 0, options: [] });
        this.next = 1;
        for (const c of this.tcp.connections()) this.watch(c);
        break;
      case "ESTABLISHED":
        this.establish(options);
        break;
      case "FIN-WAIT-1":
        this.establish(options);
        this.shutdown();
        break;
      case "FIN-WAIT-2":
        this.enter("FIN-WAIT-1", options);
        this.in("A");
        break;
      case "CLOSE-WAIT":
        this.establish(options);
        this.in("FA");
        break;
      case "CLOSING":
        this.enter("FIN-WAIT-1", options);
        this.in("FA", { ack: 1 });
        break;
      case "LAST-ACK":
        this.enter("CLOSE-WAIT", options);
        this.shutdown();
        break;
      case "TIME-WAIT":
        this.enter("FIN-WAIT-2", options);
        this.in("FA");
        break;
    }
    if (state !== "LISTEN" && this.state !== state) {
      throw new Error(`wanted ${state}, is in ${this.state}`);
    }
    this.ignore();
  }

  /** True while the stack knows the connection's addresses and ports, TIME-WAIT included. */
  get isKnown(): boolean {
    const path = this.host.ip.path(parseAddress(this.local), parseAddress(this.remote), 0)!;
    return this.tcp.hasTuple(path, this.localPort, this.remotePort);
  }

  /** Ends everything at once; nothing may be held then. */
  end(): void {
    const { env } = this.tcp;
    this.listener?.close();
    for (const c of [...this.tcp.connections()]) this.tcp.abort(c);
    if (this.c !== undefined) {
      this.tcp.close(this.c);
      this.c.rcvBuf.clear(this.net.memory);
    }
    this.run(200_000);
    if (env.demux.count !== 0) throw new Error(`${env.demux.count} connections left`);
    if (env.demux.timeWait.count !== 0) throw new Error("TIME-WAIT records left");
    if (env.orphans !== 0) throw new Error(`${env.orphans} orphans left`);
    this.net.close();
    assertNoLeaks({ memory: this.net.memory, timers: [this.host.timers] });
  }
}

/** Bytes that differ from place to place. */
export function pattern(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((from + i) * 7 + ((from + i) >> 8)) & 0xff);
}

function describe(s: SentSegment, window: boolean): string {
  const hasData = s.length > 0;
  let text = `${s.flags} ${s.seq}${hasData ? `:${s.seq + s.length}` : ""}`;
  if (s.flags.includes("A")) text += ` ack ${s.ack}`;
  if (window) text += ` win ${s.rawWindow}`;
  if (s.sack.length > 0) text += ` sack ${s.sack.map(([l, r]) => `${l}:${r}`).join(" ")}`;
  if (s.flags.includes("U")) text += ` urg ${s.urgent}`;
  return text;
}
