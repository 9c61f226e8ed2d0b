import { FLOAT_ZERO } from "../base/float.ts";
import type { Counters } from "../base/counters.ts";
import type { FrameMemory } from "../base/frame-memory.ts";
import type { RandomSource } from "../base/random.ts";
import { ReceivedPacket } from "../base/received-packet.ts";
import type { Timers, TimerTarget } from "../base/timers.ts";
import { IcmpError, type Transport } from "../base/transport.ts";
import { LoopbackDevice } from "../link/loopback.ts";
import { ReplyRing } from "../link/reply-ring.ts";
import { Ipv6Walk } from "../wire/ipv6-extensions.ts";
import { ForwardRing } from "./forward-ring.ts";
import { TokenBucket } from "./icmp-limit.ts";
import type { IpInterface } from "./ip-interface.ts";
import { type LocalAddress, LocalAddresses } from "./local-addresses.ts";
import type { IpPath, PathOwner } from "./path.ts";
import { PathCache } from "./path-cache.ts";
import { Reassembly } from "./reassembly.ts";
import { RouteTable } from "./routes.ts";
import type { IpSettings } from "./settings.ts";

/** Hears every packet of a protocol that is delivered here, before its transport does. */
export type RawObserver = (packet: ReceivedPacket, nowUs: number) => void;

/** What a host gives its IP. */
export interface IpOptions {
  /** The network's time; read once per packet, so it should be cheap (a network caches it for a batch). */
  readonly clock: { now(): number };
  readonly memory: FrameMemory;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly settings: IpSettings;
  /** Something is to be polled. */
  readonly onWork: () => void;
}

/** The state of a host's IP. Input, output and the rest are functions over it. */
export class IpContext {
  readonly clock: { now(): number };
  readonly memory: FrameMemory;
  readonly view: DataView;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly settings: IpSettings;
  readonly onWork: () => void;
  /** Counts changes of routes, addresses and interfaces; paths of an older one are looked up anew. */
  generation = 0;
  /** Time of the last input or poll: good enough for what is only compared with seconds. */
  nowUs = FLOAT_ZERO;
  /** By index; 0 is unused, 1 is `lo`. */
  readonly interfaces: (IpInterface | undefined)[] = [undefined];
  loopback!: IpInterface;
  /** Addresses being checked for duplicates. */
  readonly checks = new Map<LocalAddress, TimerTarget & { readonly timer: number }>();
  /** Told when an address becomes usable or turns out to be another station's. */
  onAddressState: ((entry: LocalAddress) => void) | undefined = undefined;
  /** Set by a router that advertises prefixes. */
  onRouterSolicitation: ((iface: IpInterface) => void) | undefined = undefined;
  /** Set by `Ip`, which owns the paths. */
  pathOwner!: PathOwner;
  /** Fires when a path MTU or a route ends; `Ip` registers it. */
  agingTimer = -1;
  /** By destination: the path chosen for an unspecified source. Direct-mapped. */
  readonly chosenPaths: (IpPath | undefined)[] = new Array<IpPath | undefined>(256).fill(undefined);
  readonly loopbackDevice: LoopbackDevice;
  readonly addresses = new LocalAddresses();
  readonly routes: RouteTable<IpInterface>;
  readonly paths: PathCache;
  /** The generation in which each was chosen: another may suit better now. */
  readonly chosenIn = new Int32Array(256).fill(-1);
  /** By destination, for forwarding. */
  readonly forwardPaths: (IpPath | undefined)[] = new Array<IpPath | undefined>(256).fill(
    undefined,
  );
  readonly transports: (Transport | undefined)[] = new Array<Transport | undefined>(256).fill(
    undefined,
  );
  readonly observers: (RawObserver[] | undefined)[] = new Array<RawObserver[] | undefined>(
    256,
  ).fill(undefined);
  /** The packet being read never left this host, though it counts as come in by another interface than `lo`. */
  isLooped = false;
  /** The transport that took the last packet, when it was a whole one without options that nobody else observes. */
  taker: Transport | undefined = undefined;
  readonly reassembly: Reassembly;
  readonly replies: ReplyRing;
  readonly forwardRing: ForwardRing;
  readonly packet = new ReceivedPacket();
  readonly icmpError = new IcmpError();
  readonly walk = new Ipv6Walk();
  readonly errorBucket: TokenBucket;

  constructor(options: IpOptions) {
    this.clock = options.clock;
    this.memory = options.memory;
    this.view = options.memory.view;
    this.timers = options.timers;
    this.random = options.random;
    this.counters = options.counters;
    this.settings = options.settings;
    this.onWork = options.onWork;
    this.routes = new RouteTable<IpInterface>(() => this.changed());
    this.paths = new PathCache(this.settings.pathLimit, this.random.int32());
    this.replies = new ReplyRing(this.settings.replyRing, this.memory, this.counters);
    this.forwardRing = new ForwardRing(this.settings.forwardRing, this.memory);
    this.reassembly = new Reassembly(this.settings, this.memory, this.timers, this.counters);
    this.errorBucket = new TokenBucket(this.settings.icmpRate, this.settings.icmpBurst);
    this.loopbackDevice = new LoopbackDevice(
      this.onWork,
      this.settings.loopbackMtu,
      this.settings.loopbackRing,
    );
  }

  /** Routes, addresses or interfaces changed: every path is looked up anew before its next packet. */
  changed(): void {
    this.generation = (this.generation + 1) | 0;
  }

  /** Looks soon at what ends by time: routes, addresses, path MTUs. Set by `Ip`. */
  armAging: () => void = () => {};

  /** A sign from above that the neighbor on a path is reachable. Set by `Ip`. */
  confirmPath: (path: IpPath) => void = () => {};

  interface(index: number): IpInterface | undefined {
    return this.interfaces[index];
  }
}
